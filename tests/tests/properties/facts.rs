//! What a media playlist says, names apart; and what it refers to, in the order of the text.

use hls_parse::implicit_iv;
use xtask::tree::{Hosts, MediaPlaylist, Tree};
use xtask::truth::{self, KeyFacts};

/// Offset and length.
pub(crate) type Bytes = (u64, u64);

/// What a media playlist says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    media_sequence: u64,
    discontinuity_sequence: u64,
    target_seconds: u64,
    end_list: bool,
    i_frames_only: bool,
    segments: Vec<SegmentFacts>,
    date_ranges: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SegmentFacts {
    nanoseconds: u128,
    media_sequence: u64,
    range: Option<Bytes>,
    discontinuity: bool,
    discontinuity_sequence: u64,
    gap: bool,
    bitrate: Option<u64>,
    keys: Vec<KeyState>,
    map: Option<(Option<Bytes>, Vec<KeyState>)>,
}

/// A key as a player has to know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct KeyState {
    format: String,
    method: String,
    versions: Option<String>,
    /// The one in effect, stated or implied.
    iv: Option<[u8; 16]>,
    /// The URI, where a DRM system reads it.
    drm: Option<String>,
}

/// A file or a part of one that a playlist refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) uri: String,
    pub(crate) range: Option<Bytes>,
    pub(crate) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Segment,
    /// Declared missing.
    Gap,
    Map,
    Key,
}

/// The facts of a playlist, and for each segment what it refers to: itself, its map, its keys by format. One
/// that is declared missing needs neither map nor keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) facts: Facts,
    pub(crate) references: Vec<Vec<Reference>>,
}

/// What the tree means.
pub(crate) fn of_tree(tree: &Tree, hosts: &Hosts, playlist: &MediaPlaylist) -> Reading {
    let facts = truth::media(tree, hosts, playlist);
    let known = |indexes: &[usize]| -> Vec<&KeyFacts> {
        indexes.iter().filter_map(|index| facts.keys.get(*index)).collect()
    };
    let mut references = Vec::new();
    let mut segments = Vec::new();
    for segment in truth::segments(tree, hosts, playlist) {
        let role = if segment.gap { Role::Gap } else { Role::Segment };
        let mut refers = vec![Reference { uri: segment.url.clone(), range: segment.range, role }];
        let map = segment.map.filter(|_| !segment.gap).and_then(|map| facts.maps.get(map));
        let keys = if segment.gap { Vec::new() } else { segment.keys.clone() };
        if let Some(map) = map {
            refers.push(Reference { uri: map.url.clone(), range: map.range, role: Role::Map });
            refers.extend(key_files(known(&map.keys)));
        }
        refers.extend(key_files(known(&keys)));
        references.push(refers);
        let state =
            |keys: &[usize], sequence| states(known(keys).into_iter().map(|key| stated(key, sequence)));
        segments.push(SegmentFacts {
            nanoseconds: segment.duration_ns.into(),
            media_sequence: segment.media_sequence,
            range: segment.range,
            discontinuity: segment.discontinuity,
            discontinuity_sequence: segment.discontinuity_sequence,
            gap: segment.gap,
            bitrate: segment.bitrate,
            keys: state(&keys, Some(segment.media_sequence)),
            map: map.map(|map| (map.range, state(&map.keys, None))),
        });
    }
    let facts = Facts {
        media_sequence: facts.media_sequence,
        discontinuity_sequence: facts.discontinuity_sequence,
        target_seconds: facts.target_duration,
        end_list: facts.end_list,
        i_frames_only: facts.i_frames_only,
        segments,
        date_ranges: facts.date_ranges.into_iter().map(|range| range.id).collect(),
    };
    Reading { facts, references }
}

fn is_file(format: &str, uri: &str) -> bool {
    format == "identity" && !uri.starts_with("skd:")
}

fn key_files(keys: Vec<&KeyFacts>) -> Vec<Reference> {
    let named = keys.into_iter().filter_map(|key| Some((key.url.clone()?, key)));
    let files = named.filter(|(uri, key)| is_file(&key.format, uri));
    files.map(|(uri, _)| Reference { uri, range: None, role: Role::Key }).collect()
}

fn stated(key: &KeyFacts, sequence: Option<u64>) -> KeyState {
    let uri = key.url.clone().unwrap_or_default();
    let stated_iv =
        key.iv.as_deref().and_then(|hex| u128::from_str_radix(hex, 16).ok()).map(u128::to_be_bytes);
    KeyState {
        iv: stated_iv.or(sequence.filter(|_| key.format == "identity").map(implicit_iv)),
        method: key.method.to_owned(),
        versions: key.format_versions.clone(),
        drm: (!is_file(&key.format, &uri)).then_some(uri),
        format: key.format.clone(),
    }
}

fn states(keys: impl Iterator<Item = KeyState>) -> Vec<KeyState> {
    let mut keys: Vec<KeyState> = keys.collect();
    keys.sort();
    keys
}

/// What a parsed playlist means; `resolve` makes its references whole.
pub(crate) fn of_text(it: &hls_parse::MediaPlaylist<'_>, resolve: &dyn Fn(&str) -> String) -> Reading {
    let mut references = Vec::new();
    let mut segments = Vec::new();
    let bytes = |range: hls_parse::ByteRange| (range.offset, range.length);
    for segment in &it.segments {
        let range = segment.byte_range.map(bytes);
        let role = if segment.gap { Role::Gap } else { Role::Segment };
        let mut refers = vec![Reference { uri: resolve(segment.uri.as_str()), range, role }];
        let map = it.map_of(segment).filter(|_| !segment.gap);
        let keys = if segment.gap { &[] } else { it.keys_of(segment) };
        if let Some(map) = map {
            let range = map.byte_range.map(bytes);
            refers.push(Reference { uri: resolve(map.uri.as_str()), range, role: Role::Map });
            refers.extend(read_key_files(it.key_set(map.keys), resolve));
        }
        refers.extend(read_key_files(keys, resolve));
        references.push(refers);
        let state =
            |keys: &[hls_parse::Key<'_>], sequence| states(keys.iter().map(|key| read(key, sequence)));
        segments.push(SegmentFacts {
            nanoseconds: segment.duration.as_nanos(),
            media_sequence: segment.media_sequence,
            range,
            discontinuity: segment.discontinuity,
            discontinuity_sequence: segment.discontinuity_sequence,
            gap: segment.gap,
            bitrate: segment.bitrate.map(u64::from),
            keys: state(keys, Some(segment.media_sequence)),
            map: map.map(|map| (map.byte_range.map(bytes), state(it.key_set(map.keys), None))),
        });
    }
    let facts = Facts {
        media_sequence: it.media_sequence,
        discontinuity_sequence: it.discontinuity_sequence,
        target_seconds: it.target_duration.unwrap_or_default().as_secs(),
        end_list: it.end_list,
        i_frames_only: it.i_frames_only,
        segments,
        date_ranges: it.date_ranges.iter().map(|range| range.id.to_string()).collect(),
    };
    Reading { facts, references }
}

fn read_key_files(keys: &[hls_parse::Key<'_>], resolve: &dyn Fn(&str) -> String) -> Vec<Reference> {
    let named = keys.iter().filter_map(|key| Some((key.uri.as_ref()?.as_str(), key)));
    let files = named.filter(|(uri, key)| is_file(&key.key_format, uri));
    files.map(|(uri, _)| Reference { uri: resolve(uri), range: None, role: Role::Key }).collect()
}

fn read(key: &hls_parse::Key<'_>, sequence: Option<u64>) -> KeyState {
    let uri = key.uri.as_ref().map(|uri| uri.as_str().to_owned()).unwrap_or_default();
    KeyState {
        iv: key.iv.or(sequence.filter(|_| key.is_identity()).map(implicit_iv)),
        method: key.method.as_str().to_owned(),
        versions: key.key_format_versions.as_deref().map(str::to_owned),
        drm: (!is_file(&key.key_format, &uri)).then_some(uri),
        format: key.key_format.to_string(),
    }
}

/// What the text says that the truth of a tree leaves out: compared between two texts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    version: Option<u32>,
    independent_segments: bool,
    start: Option<(String, bool)>,
    variables: Vec<(String, String)>,
    titles_and_times: Vec<(Option<String>, Option<String>)>,
    date_ranges: Vec<Vec<String>>,
}

impl Details {
    pub(crate) fn of(it: &hls_parse::MediaPlaylist<'_>) -> Self {
        let text = |text: &dyn std::fmt::Display| text.to_string();
        Self {
            version: it.version,
            independent_segments: it.independent_segments,
            start: it.start.map(|start| (start.time_offset.to_string(), start.precise)),
            variables: it.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            titles_and_times: it
                .segments
                .iter()
                .map(|segment| {
                    let title = segment.title.map(str::to_owned);
                    (title, segment.program_date_time.as_ref().map(|time| text(time)))
                })
                .collect(),
            date_ranges: it.date_ranges.iter().map(date_range).collect(),
        }
    }
}

/// Everything that a date range says but what it would send a player to.
fn date_range(it: &hls_parse::DateRange<'_>) -> Vec<String> {
    let mut said = vec![
        it.id.to_string(),
        format!("{:?} {:?} {:?}", it.class, it.start_date, it.end_date),
        format!("{:?} {:?} {:?} {}", it.cue, it.duration, it.planned_duration, it.end_on_next),
        format!("{:?} {:?} {:?}", it.scte35_cmd, it.scte35_out, it.scte35_in),
    ];
    let assets = ["X-ASSET-URI", "X-ASSET-LIST"];
    let others = it.client_attributes.iter().filter(|attribute| !assets.contains(&attribute.name.as_ref()));
    said.extend(others.map(|attribute| format!("{attribute:?}")));
    said
}
