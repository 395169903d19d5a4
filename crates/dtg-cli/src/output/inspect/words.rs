//! A playlist for people: tables, not tags.

use std::fmt::Write as _;
use std::time::Duration;

use super::media::{KeyView, MapView, MediaView, SegmentView, TypeName};
use super::multivariant::{MultivariantView, RenditionView, VariantView};
use super::{DiagnosticView, InspectDocument, RangeView, StartView, VariableView};
use crate::output::item::{drawn, table};
use crate::output::text::{plain, playing_time, shortened};

/// The document for people; empty for a refusal, which is told on stderr.
pub(crate) fn inspect_text(document: &InspectDocument<'_>) -> String {
    match document {
        InspectDocument::Media(media) => media_text(&media.playlist) + &oddities(&media.diagnostics),
        InspectDocument::Multivariant(multivariant) => {
            multivariant_text(&multivariant.playlist) + &oddities(&multivariant.diagnostics)
        }
        InspectDocument::Refused(_) => String::new(),
    }
}

fn multivariant_text(playlist: &MultivariantView<'_>) -> String {
    let mut facts = vec!["multivariant playlist".to_owned()];
    facts.extend(playlist.version.map(|version| format!("version {version}")));
    facts.extend(playlist.independent_segments.then(|| "independent segments".to_owned()));
    [
        facts.join(", ") + "\n",
        variants(playlist),
        renditions(playlist),
        session_keys(&playlist.session_keys),
        session_data(playlist),
        steering(playlist),
        common(playlist.start.as_ref(), &playlist.variables),
    ]
    .concat()
}

/// What the playlist says to the application.
fn session_data(playlist: &MultivariantView<'_>) -> String {
    let mut rows = table(&["SESSION DATA", "LANGUAGE", "VALUE OR URI"]);
    for data in &playlist.session_data {
        let value = data.value.or(data.reference.uri.as_deref());
        rows.add_row([plain(data.data_id), word(data.language), value.map_or_else(none, shortened)]);
    }
    section(&rows, playlist.session_data.len())
}

fn steering(playlist: &MultivariantView<'_>) -> String {
    let Some(steering) = &playlist.content_steering else { return String::new() };
    let pathway = steering.pathway_id.map_or_else(String::new, |id| format!(", first {}", plain(id)));
    format!("\nsteered by {}{pathway}\n", plain(&steering.server_uri))
}

/// Where to start, and the variables.
fn common(start: Option<&StartView>, variables: &[VariableView<'_>]) -> String {
    let start = start.map_or_else(String::new, |start| {
        let precise = if start.precise { ", precisely" } else { "" };
        format!("\nstarts at {} s{precise}\n", start.time_offset)
    });
    let mut rows = table(&["VARIABLE", "VALUE"]);
    for variable in variables {
        rows.add_row([plain(variable.name), shortened(variable.value)]);
    }
    start + &section(&rows, variables.len())
}

/// Variants from the smallest bit rate up, I-frame lists behind them.
fn variants(playlist: &MultivariantView<'_>) -> String {
    let mut rows = table(&["VARIANT", "AVERAGE", "SIZE", "FPS", "CODECS", "AUDIO", "TEXT", "URI"]);
    let mut sorted: Vec<&VariantView<'_>> = playlist.variants.iter().collect();
    sorted.sort_by_key(|variant| variant.stream.bandwidth);
    for variant in sorted {
        let stream = &variant.stream;
        rows.add_row([
            number(stream.bandwidth),
            number(stream.average_bandwidth),
            stream.resolution.map_or_else(none, |size| size.words()),
            variant.frame_rate.map_or_else(none, |rate| rate.to_string()),
            word(stream.codecs),
            word(variant.audio),
            word(variant.subtitles),
            plain(&stream.reference.uri),
        ]);
    }
    for stream in &playlist.i_frame_variants {
        rows.add_row([
            number(stream.bandwidth),
            number(stream.average_bandwidth),
            stream.resolution.map_or_else(none, |size| size.words()),
            "I-frames".to_owned(),
            word(stream.codecs),
            none(),
            none(),
            plain(&stream.reference.uri),
        ]);
    }
    section(&rows, playlist.variants.len() + playlist.i_frame_variants.len())
}

/// Renditions by type and group, in the playlist's order within.
fn renditions(playlist: &MultivariantView<'_>) -> String {
    let mut rows = table(&["TYPE", "GROUP", "NAME", "LANGUAGE", "CHANNELS", "", "URI"]);
    let mut sorted: Vec<&RenditionView<'_>> = playlist.renditions.iter().collect();
    sorted.sort_by_key(|rendition| (rendition.kind, rendition.group_id));
    for rendition in sorted {
        rows.add_row([
            rendition.kind.as_str().to_owned(),
            plain(rendition.group_id),
            plain(rendition.name),
            word(rendition.language),
            word(rendition.channels.or(rendition.instream_id)),
            flags(rendition),
            rendition.reference.uri.as_deref().map_or_else(none, plain),
        ]);
    }
    section(&rows, playlist.renditions.len())
}

fn flags(rendition: &RenditionView<'_>) -> String {
    let flags =
        [(rendition.default, "default"), (rendition.autoselect, "autoselect"), (rendition.forced, "forced")];
    let words: Vec<&str> = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word).collect();
    words.join(" ")
}

fn session_keys(keys: &[KeyView<'_>]) -> String {
    let mut rows = table(&["SESSION KEY", "FORMAT", "URI"]);
    for key in keys {
        rows.add_row([
            plain(key.method),
            plain(key.key_format),
            key.reference.uri.as_deref().map_or_else(none, shortened),
        ]);
    }
    section(&rows, keys.len())
}

fn media_text(media: &MediaView<'_>) -> String {
    let mut facts = vec!["media playlist".to_owned()];
    facts.extend(media.version.map(|version| format!("version {version}")));
    facts.extend(media.playlist_type.map(|kind| kind.as_str().to_owned()));
    facts.push(if media.end_list { "complete".to_owned() } else { "live".to_owned() });
    facts.extend(media.i_frames_only.then(|| "I-frames only".to_owned()));
    facts.extend(media.independent_segments.then(|| "independent segments".to_owned()));
    facts.extend(media.live.skip.as_ref().map(|skip| format!("{} segments skipped", skip.skipped_segments)));
    [
        facts.join(", ") + "\n",
        extent(media),
        server_control(media),
        timeline(&media.segments),
        date_ranges(media),
        common(media.start.as_ref(), &media.variables),
    ]
    .concat()
}

/// How many segments, how long.
fn extent(media: &MediaView<'_>) -> String {
    let count =
        |of: fn(&SegmentView<'_>) -> bool| media.segments.iter().filter(|segment| of(segment)).count();
    let mut facts = vec![counted(media.segments.len(), "segment")];
    facts.push(Duration::try_from_secs_f64(media.duration).map_or_else(|_| none(), playing_time));
    facts.extend(media.target_duration.map(|target| format!("target {target} s")));
    facts.push(format!("from number {}", media.media_sequence));
    let rare = [
        (count(|segment| segment.discontinuity), "discontinuity mark"),
        (count(|segment| segment.gap), "gap"),
        (media.live.parts.len(), "part"),
    ];
    facts.extend(rare.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what)));
    facts.join(", ") + "\n"
}

/// How the server delivers the playlist; empty where it does not say.
fn server_control(media: &MediaView<'_>) -> String {
    let control = media.live.server_control.as_ref();
    let seconds = [
        ("parts of", media.live.part_target),
        ("hold back", control.and_then(|it| it.hold_back)),
        ("hold parts back", control.and_then(|it| it.part_hold_back)),
        ("can skip until", control.and_then(|it| it.can_skip_until)),
    ];
    let mut facts: Vec<String> =
        seconds.into_iter().filter_map(|(what, it)| Some(format!("{what} {} s", it?))).collect();
    facts.extend(control.filter(|it| it.can_block_reload).map(|_| "can block reload".to_owned()));
    if facts.is_empty() { String::new() } else { facts.join(", ") + "\n" }
}

/// `1 gap`, `2 gaps`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Which keys and map are in effect from which segment on.
fn timeline(segments: &[SegmentView<'_>]) -> String {
    let mut rows = table(&["SEGMENTS", "KEY", "FORMAT", "IV", "KEY URI", "MAP"]);
    let mut runs = 0;
    for run in segments.chunk_by(|a, b| a.keys == b.keys && a.map == b.map) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        runs += usize::from(!first.keys.is_empty() || first.map.is_some());
        let numbers = span_words(first.media_sequence, last.media_sequence);
        let map = first.map.as_ref().map_or_else(none, map_words);
        if first.keys.is_empty() {
            rows.add_row([numbers, "clear".to_owned(), none(), none(), none(), map]);
            continue;
        }
        for (place, key) in first.keys.iter().enumerate() {
            let outer =
                if place == 0 { [numbers.clone(), map.clone()] } else { [String::new(), String::new()] };
            let [numbers, map] = outer;
            rows.add_row([
                numbers,
                plain(key.method),
                plain(key.key_format),
                key.iv.clone().unwrap_or_else(|| "by number".to_owned()),
                key.reference.uri.as_deref().map_or_else(none, shortened),
                map,
            ]);
        }
    }
    section(&rows, runs)
}

fn span_words(first: u64, last: u64) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn map_words(map: &MapView<'_>) -> String {
    plain(&map.reference.uri) + &map.byte_range.map(range_words).unwrap_or_default()
}

fn range_words(range: RangeView) -> String {
    format!(" ({}@{})", range.length, range.offset)
}

fn date_ranges(media: &MediaView<'_>) -> String {
    let mut rows = table(&["DATE RANGE", "CLASS", "START", "SECONDS"]);
    for range in &media.live.date_ranges {
        rows.add_row([
            plain(range.id),
            word(range.class),
            range.start_date.clone().unwrap_or_else(none),
            range.duration.map_or_else(none, |duration| duration.to_string()),
        ]);
    }
    section(&rows, media.live.date_ranges.len())
}

fn oddities(diagnostics: &[DiagnosticView]) -> String {
    let mut text = String::new();
    for odd in diagnostics {
        // Writing to a string can't fail.
        let _ = match odd.line {
            0 => write!(text, "as a whole: "),
            line => write!(text, "line {line}: "),
        };
        let _ = writeln!(text, "{} ({}, {})", odd.message, odd.rule, odd.section);
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// A table below a blank line, if it has rows.
fn section(rows: &comfy_table::Table, count: usize) -> String {
    if count == 0 { String::new() } else { format!("\n{}", drawn(rows)) }
}

fn none() -> String {
    "-".to_owned()
}

fn word(text: Option<&str>) -> String {
    text.map_or_else(none, plain)
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(none, |number| number.to_string())
}

impl TypeName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Vod => "VOD",
            Self::Event => "EVENT",
        }
    }
}
