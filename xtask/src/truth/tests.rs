//! The truth about generated trees, and what a parser makes of their text.

use hls_parse::{ParseOptions, Parsed, Playlist, Reading, Rule, Severity, Variables};
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::presets::Preset;
use crate::strategy::{self, Feature, Features, Options};
use crate::tree::Entry;
use crate::write::playlist_text;

fn hosts(tree: &Tree) -> Hosts {
    Hosts::placeholders(&tree.hosts)
}

/// Where a reference leads, without its fragment.
fn resolved(base: &str, reference: &str) -> String {
    let mut url = hls_parse::resolve(&Url::parse(base).unwrap(), reference).unwrap();
    url.set_fragment(None);
    url.into()
}

fn named(variables: &Variables) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn key_facts(key: &hls_parse::Key<'_>, base: &str) -> KeyFacts {
    let uri = key.uri.as_ref().map(|uri| uri.as_str());
    let is_file = uri.is_some_and(|uri| key.is_identity() && !uri.starts_with("data:"));
    KeyFacts {
        method: ["AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"]
            .into_iter()
            .find(|method| *method == key.method.as_str())
            .unwrap(),
        url: uri.map(|uri| if is_file { resolved(base, uri) } else { uri.to_owned() }),
        iv: key.iv.map(|iv| crate::write::tags::hex(&iv)),
        format: key.key_format.to_string(),
        format_versions: key.key_format_versions.as_deref().map(str::to_owned),
    }
}

/// Sets of keys have no order.
fn sorted(mut keys: Vec<KeyFacts>) -> Vec<KeyFacts> {
    keys.sort_by(|a, b| a.format.cmp(&b.format));
    keys
}

/// A segment's facts with its keys and its map written out.
type Spelled = (SegmentFacts, Vec<KeyFacts>, Option<(String, Option<Bytes>, Vec<KeyFacts>)>);

fn stated(tree: &Tree, playlist: &MediaPlaylist) -> Vec<Spelled> {
    let hosts = hosts(tree);
    let facts = media(tree, &hosts, playlist);
    let keys = |indexes: &[usize]| sorted(indexes.iter().map(|index| facts.keys[*index].clone()).collect());
    segments(tree, &hosts, playlist)
        .map(|segment| {
            let map = segment.map.map(|map| &facts.maps[map]);
            let map = map.map(|map| (map.url.clone(), map.range, keys(&map.keys)));
            let segment_keys = keys(&segment.keys);
            (SegmentFacts { keys: Vec::new(), map: None, ..segment }, segment_keys, map)
        })
        .collect()
}

fn read(it: &hls_parse::MediaPlaylist<'_>, base: &str) -> Vec<Spelled> {
    let keys = |keys: &[hls_parse::Key<'_>]| sorted(keys.iter().map(|key| key_facts(key, base)).collect());
    let bytes = |range: hls_parse::ByteRange| (range.offset, range.length);
    it.segments
        .iter()
        .map(|segment| {
            let facts = SegmentFacts {
                url: resolved(base, segment.uri.as_str()),
                duration_ns: u64::try_from(segment.duration.as_nanos()).unwrap(),
                media_sequence: segment.media_sequence,
                range: segment.byte_range.map(bytes),
                discontinuity: segment.discontinuity,
                discontinuity_sequence: segment.discontinuity_sequence,
                gap: segment.gap,
                keys: Vec::new(),
                map: None,
                bitrate: segment.bitrate.map(u64::from),
            };
            let map = it.map_of(segment).map(|map| {
                (resolved(base, map.uri.as_str()), map.byte_range.map(bytes), keys(it.key_set(map.keys)))
            });
            (facts, keys(it.keys_of(segment)), map)
        })
        .collect()
}

fn check_media(tree: &Tree, playlist: &MediaPlaylist, it: &hls_parse::MediaPlaylist<'_>) {
    let hosts = hosts(tree);
    let facts = media(tree, &hosts, playlist);
    assert_eq!(read(it, &facts.url), stated(tree, playlist));
    assert_eq!(it.media_sequence, facts.media_sequence);
    assert_eq!(it.discontinuity_sequence, facts.discontinuity_sequence);
    assert_eq!(it.target_duration.unwrap().as_secs(), facts.target_duration);
    assert_eq!((it.end_list, it.i_frames_only), (facts.end_list, facts.i_frames_only));
    assert_eq!(u64::try_from(it.duration().as_nanos()).unwrap(), facts.duration_ns);
    assert_eq!(named(&it.variables), facts.variables);
    let dated = it.date_ranges.iter().map(|range| {
        let asset = range.asset_uri.as_ref().or(range.asset_list.as_ref());
        let asset = asset.map(|uri| resolved(&facts.url, uri.as_str()));
        DateRangeFacts { id: range.id.to_string(), asset }
    });
    assert_eq!(dated.collect::<Vec<_>>(), facts.date_ranges);
    assert_eq!(low_latency(it, &facts.url), facts.low_latency);
    let kind = it.playlist_type.map(|kind| match kind {
        hls_parse::PlaylistType::Vod => "VOD",
        hls_parse::PlaylistType::Event => "EVENT",
    });
    assert_eq!(kind, facts.playlist_type);
}

fn low_latency(it: &hls_parse::MediaPlaylist<'_>, base: &str) -> LowLatencyFacts {
    let nanoseconds = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap();
    let control = it.server_control.as_ref();
    let times = control.map(|it| [it.can_skip_until, it.hold_back, it.part_hold_back]);
    let hints = it.preload_hints.iter().map(|hint| {
        let kind = match hint.kind {
            hls_parse::HintKind::Part => "PART",
            hls_parse::HintKind::Map => "MAP",
        };
        (kind, resolved(base, hint.uri.as_str()), hint.start, hint.length)
    });
    let reports = it.rendition_reports.iter();
    LowLatencyFacts {
        part_target_ns: it.part_inf.map(nanoseconds),
        server_control_ns: times.map(|times| times.map(|time| time.map(nanoseconds))),
        skipped: it.skip.as_ref().map(|skip| skip.segments),
        parts: it.parts.iter().map(|part| part_facts(part, base)).collect(),
        preload_hints: hints.collect(),
        rendition_reports: reports
            .map(|it| (resolved(base, it.uri.as_str()), it.last_msn.unwrap(), it.last_part))
            .collect(),
    }
}

fn part_facts(part: &hls_parse::Part<'_>, base: &str) -> PartFacts {
    PartFacts {
        url: resolved(base, part.uri.as_str()),
        duration_ns: u64::try_from(part.duration.as_nanos()).unwrap(),
        range: part.byte_range.map(|range| (range.offset, range.length)),
        independent: part.independent,
        media_sequence: part.media_sequence,
    }
}

fn check_multivariant(tree: &Tree, it: &hls_parse::Multivariant<'_>) {
    let hosts = hosts(tree);
    let facts = multivariant(tree, &hosts).unwrap();
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let variants = it.variants.iter().map(|it| VariantFacts {
        url: resolved(&facts.url, it.uri.as_str()),
        bandwidth: it.bandwidth.unwrap(),
        average_bandwidth: it.average_bandwidth,
        codecs: text(&it.codecs),
        resolution: it.resolution.map(|size| (size.width, size.height)),
        groups: [text(&it.audio), text(&it.video), text(&it.subtitles)],
    });
    assert_eq!(variants.collect::<Vec<_>>(), facts.variants);
    let renditions = it.renditions.iter().map(|it| RenditionFacts {
        kind: it.kind.as_str(),
        group: it.group_id.to_string(),
        name: it.name.to_string(),
        language: text(&it.language),
        url: it.uri.as_ref().map(|uri| resolved(&facts.url, uri.as_str())),
        flags: [it.default, it.autoselect, it.forced],
    });
    assert_eq!(renditions.collect::<Vec<_>>(), facts.renditions);
    let i_frames: Vec<_> =
        it.i_frame_variants.iter().map(|it| resolved(&facts.url, it.uri.as_str())).collect();
    assert_eq!(i_frames, facts.i_frame_variants.iter().map(|it| it.url.clone()).collect::<Vec<_>>());
    let keys: Vec<_> = it.session_keys.iter().map(|key| key_facts(key, &facts.url)).collect();
    assert_eq!(keys, facts.session_keys);
    let data = it.session_data.iter().map(|it| SessionDataFacts {
        id: it.data_id.to_string(),
        value: text(&it.value),
        url: it.uri.as_ref().map(|uri| resolved(&facts.url, uri.as_str())),
        language: text(&it.language),
    });
    assert_eq!(data.collect::<Vec<_>>(), facts.session_data);
    assert_eq!(named(&it.variables), facts.variables);
}

/// The parser reads every text of the tree as the truth has it.
#[track_caller]
/// The rules that its texts break.
fn check(tree: &Tree, reading: Reading) -> Vec<Rule> {
    let hosts = hosts(tree);
    let mut broken = Vec::new();
    let mut imports: Option<Variables> = None;
    for (location, entry) in tree.texts() {
        let text = playlist_text(tree, &hosts, entry);
        let url = hosts.url(location);
        let imports_now = imports.as_ref();
        let options =
            ParseOptions { reading, url: Some(&url), imports: imports_now, ..ParseOptions::default() };
        let parsed: Parsed<'_> = hls_parse::parse(&text, &options)
            .unwrap_or_else(|fault| panic!("{fault}\n{}", String::from_utf8_lossy(&text)));
        match (entry, &parsed.playlist) {
            (Entry::Multivariant(_), Playlist::Multivariant(it)) => {
                check_multivariant(tree, it);
                imports = Some(it.variables.clone());
            }
            (Entry::Media(playlist), Playlist::Media(it)) => check_media(tree, playlist, it),
            (entry, _) => panic!("another kind of playlist: {entry:?}"),
        }
        broken.extend(parsed.diagnostics.iter().map(|it| it.rule));
    }
    broken
}

/// What trees do not keep: they scatter low-latency lines and date ranges without the tags that belong to them, and
/// each variant has captions or says that there are none; URIs have any form, also where only relative ones may stand.
const SCATTERED: [Rule; 5] =
    [Rule::NoPartInf, Rule::HintTwice, Rule::ReportUri, Rule::DateRangeWithoutDateTime, Rule::CaptionsNone];

#[test]
fn the_parser_agrees_on_presets() {
    let media = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/media");
    for preset in Preset::ALL.into_iter().filter(|preset| *preset != Preset::Huge) {
        check(&preset.tree(&media).unwrap(), Reading::Strict);
    }
}

proptest! {
    #[test]
    fn the_parser_agrees_on_any_tree(tree in strategy::trees(&with_live())) {
        check(&tree, Reading::Lenient);
    }

    #[test]
    fn trees_in_plain_style_keep_every_other_rule(tree in strategy::trees(&plain_style())) {
        let broken = check(&tree, Reading::Lenient);
        let others = broken.iter().filter(|rule| rule.severity() > Severity::Warning && !SCATTERED.contains(rule));
        prop_assert_eq!(others.collect::<Vec<_>>(), Vec::<&Rule>::new());
    }
}

fn with_live() -> Options {
    Options { features: Features::all() | Feature::Live, ..Options::default() }
}

fn plain_style() -> Options {
    let features = Features::all() - Feature::TextStyles;
    Options { features, ..Options::default() }
}
