//! The lines of the low-latency extension, none of which m3u8-rs can say.

use super::spell::Speller;
use super::tags::seconds;
use crate::tree::{LowLatency, LowLatencyTag, Part, PreloadHint, Range, RenditionReport, ServerControl};

/// The lines of the head; EXT-X-SKIP, which stands in front of the segments, is the last.
pub(super) fn head(it: &LowLatency) -> impl Iterator<Item = String> {
    let control = it.server_control.as_ref().map(server_control);
    let target = it.part_target.map(|target| format!("#EXT-X-PART-INF:PART-TARGET={}", seconds(target)));
    let skip = it.skipped.map(|count| format!("#EXT-X-SKIP:SKIPPED-SEGMENTS={count}"));
    control.into_iter().chain(target).chain(skip)
}

fn server_control(it: &ServerControl) -> String {
    let block = it.can_block_reload.then(|| "CAN-BLOCK-RELOAD=YES".to_owned());
    let times = [
        ("CAN-SKIP-UNTIL", it.can_skip_until),
        ("HOLD-BACK", it.hold_back),
        ("PART-HOLD-BACK", it.part_hold_back),
    ];
    let times = times.into_iter().filter_map(|(name, time)| Some(format!("{name}={}", seconds(time?))));
    let all: Vec<String> = block.into_iter().chain(times).collect();
    format!("#EXT-X-SERVER-CONTROL:{}", all.join(","))
}

/// A line before a segment, or behind the last.
pub(super) fn tag(tag: &LowLatencyTag, speller: &Speller<'_>) -> String {
    match tag {
        LowLatencyTag::Part(it) => part(it, speller),
        LowLatencyTag::PreloadHint(it) => hint(it, speller),
        LowLatencyTag::RenditionReport(it) => report(it, speller),
    }
}

fn part(it: &Part, speller: &Speller<'_>) -> String {
    let range = it.range.map(|Range { offset, length, .. }| format!(",BYTERANGE=\"{length}@{offset}\""));
    let independent = if it.independent { ",INDEPENDENT=YES" } else { "" };
    let (duration, uri) = (seconds(it.duration), speller.link(&it.uri));
    format!("#EXT-X-PART:DURATION={duration},URI=\"{uri}\"{}{independent}", range.unwrap_or_default())
}

fn hint(it: &PreloadHint, speller: &Speller<'_>) -> String {
    let start = if it.start > 0 { format!(",BYTERANGE-START={}", it.start) } else { String::new() };
    let length = it.length.map(|length| format!(",BYTERANGE-LENGTH={length}")).unwrap_or_default();
    let (kind, uri) = (it.kind.as_str(), speller.link(&it.uri));
    format!("#EXT-X-PRELOAD-HINT:TYPE={kind},URI=\"{uri}\"{start}{length}")
}

fn report(it: &RenditionReport, speller: &Speller<'_>) -> String {
    let part = it.last_part.map(|part| format!(",LAST-PART={part}")).unwrap_or_default();
    let (uri, msn) = (speller.link(&it.uri), it.last_msn);
    format!("#EXT-X-RENDITION-REPORT:URI=\"{uri}\",LAST-MSN={msn}{part}")
}
