//! What is true of parts, hints and reports.

use serde::Serialize;

use super::walk::first_number;
use super::{Bytes, Facts, bytes, nanoseconds};
use crate::tree::{LowLatencyTag, MediaPlaylist, Tag};

/// The facts of what the low-latency extension adds to a media playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LowLatencyFacts {
    /// PART-TARGET, in nanoseconds.
    pub part_target_ns: Option<u64>,
    /// CAN-SKIP-UNTIL, HOLD-BACK and PART-HOLD-BACK, in nanoseconds.
    pub server_control_ns: Option<[Option<u64>; 3]>,
    /// EXT-X-SKIP.
    pub skipped: Option<u64>,
    /// EXT-X-PART, in order.
    pub parts: Vec<PartFacts>,
    /// EXT-X-PRELOAD-HINT, in order: TYPE, URI, start and length.
    pub preload_hints: Vec<(&'static str, String, u64, Option<u64>)>,
    /// EXT-X-RENDITION-REPORT, in order: URI, LAST-MSN and LAST-PART.
    pub rendition_reports: Vec<(String, u64, Option<u64>)>,
}

/// The facts of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartFacts {
    /// URI, resolved.
    pub url: String,
    /// DURATION, in nanoseconds.
    pub duration_ns: u64,
    /// BYTERANGE.
    pub range: Option<Bytes>,
    /// INDEPENDENT.
    pub independent: bool,
    /// The number of the segment that it is a part of.
    pub media_sequence: u64,
}

impl LowLatencyFacts {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Facts<'_> {
    pub(super) fn low_latency(self, it: &MediaPlaylist) -> LowLatencyFacts {
        let times = |control: &crate::tree::ServerControl| {
            [control.can_skip_until, control.hold_back, control.part_hold_back]
                .map(|time| time.map(nanoseconds))
        };
        let mut facts = LowLatencyFacts {
            part_target_ns: it.low_latency.part_target.map(nanoseconds),
            server_control_ns: it.low_latency.server_control.as_ref().map(times),
            skipped: it.low_latency.skipped,
            ..LowLatencyFacts::default()
        };
        let first = first_number(it);
        let segments = it.segments.iter().map(|segment| segment.before.as_slice());
        for (number, tags) in segments.chain([it.tail.as_slice()]).enumerate() {
            for tag in tags {
                if let Tag::LowLatency(tag) = tag {
                    self.see_low_latency(tag, first.saturating_add(number as u64), &mut facts);
                }
            }
        }
        facts
    }

    fn see_low_latency(self, tag: &LowLatencyTag, media_sequence: u64, facts: &mut LowLatencyFacts) {
        match tag {
            LowLatencyTag::Part(part) => facts.parts.push(PartFacts {
                url: self.url(&part.uri),
                duration_ns: nanoseconds(part.duration),
                range: part.range.map(bytes),
                independent: part.independent,
                media_sequence,
            }),
            LowLatencyTag::PreloadHint(it) => {
                facts.preload_hints.push((it.kind.as_str(), self.url(&it.uri), it.start, it.length));
            }
            LowLatencyTag::RenditionReport(it) => {
                facts.rendition_reports.push((self.url(&it.uri), it.last_msn, it.last_part));
            }
        }
    }
}
