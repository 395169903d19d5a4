//! A media playlist, segment by segment.

use hls_parse::{Key, KeyMethod, Map, MediaPlaylist, PlaylistType, Segment, implicit_iv};
use schemars::JsonSchema;
use serde::Serialize;

use super::live::LiveView;
use super::{OptionalReference, Page, RangeView, Reference, StartView, VariableView, start, variables};
use crate::output::text::seconds;

/// What a media playlist says, with inherited state resolved.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MediaPlaylist")]
pub(crate) struct MediaView<'a> {
    /// EXT-X-VERSION; null when it is missing.
    pub(super) version: Option<u32>,
    /// EXT-X-TARGETDURATION in seconds.
    pub(super) target_duration: Option<f64>,
    pub(super) media_sequence: u64,
    pub(super) discontinuity_sequence: u64,
    pub(super) playlist_type: Option<TypeName>,
    pub(super) end_list: bool,
    pub(super) i_frames_only: bool,
    pub(super) independent_segments: bool,
    pub(super) start: Option<StartView>,
    pub(super) variables: Vec<VariableView<'a>>,
    /// Sum of the segments' durations in seconds.
    pub(super) duration: f64,
    pub(super) segments: Vec<SegmentView<'a>>,
    #[serde(flatten)]
    pub(super) live: LiveView<'a>,
}

/// EXT-X-PLAYLIST-TYPE.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "PlaylistType")]
pub(super) enum TypeName {
    Vod,
    Event,
}

/// One segment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Segment")]
pub(super) struct SegmentView<'a> {
    #[serde(flatten)]
    reference: Reference<'a>,
    /// EXTINF in seconds.
    duration: f64,
    /// EXTINF's title.
    title: Option<&'a str>,
    /// Resolved: an offset that was left out is filled in.
    byte_range: Option<RangeView>,
    pub(super) media_sequence: u64,
    /// Whether EXT-X-DISCONTINUITY stands before it.
    pub(super) discontinuity: bool,
    discontinuity_sequence: u64,
    /// Whether EXT-X-GAP stands before it.
    pub(super) gap: bool,
    /// EXT-X-BITRATE in effect, in kilobits per second.
    bitrate: Option<u64>,
    /// EXT-X-PROGRAM-DATE-TIME as RFC 3339, where it stands before this segment.
    program_date_time: Option<String>,
    /// When it begins, as RFC 3339: as its own EXT-X-PROGRAM-DATE-TIME says, else when the segment before ends; null
    /// where neither is known, and behind a discontinuity.
    date: Option<String>,
    /// The keys in effect, one for each KEYFORMAT; none: it is clear.
    pub(super) keys: Vec<KeyView<'a>>,
    /// The map in effect.
    pub(super) map: Option<MapView<'a>>,
    /// The line of the URI, from 1.
    line: u32,
}

/// An EXT-X-KEY or EXT-X-SESSION-KEY.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(super) struct KeyView<'a> {
    /// METHOD.
    pub(super) method: &'a str,
    #[serde(flatten)]
    pub(super) reference: OptionalReference<'a>,
    /// IV as `0x` and 32 hexadecimal digits; null: the media sequence number is the IV.
    pub(super) iv: Option<String>,
    /// In its place: the IV that the media sequence number of this segment makes, as `0x` and 32 hexadecimal digits;
    /// null where an IV is stated or no segment is meant, and for keys of DRM systems.
    implicit_iv: Option<String>,
    /// KEYFORMAT; `identity` when it is left out.
    pub(super) key_format: &'a str,
    /// KEYFORMATVERSIONS as written.
    key_format_versions: Option<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-MAP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Map")]
pub(super) struct MapView<'a> {
    #[serde(flatten)]
    pub(super) reference: Reference<'a>,
    pub(super) byte_range: Option<RangeView>,
    /// The tag's line, from 1.
    line: u32,
}

impl<'a> MediaView<'a> {
    pub(super) fn new(media: &'a MediaPlaylist<'a>, page: Page<'a>) -> Self {
        Self {
            version: media.version,
            target_duration: media.target_duration.map(seconds),
            media_sequence: media.media_sequence,
            discontinuity_sequence: media.discontinuity_sequence,
            playlist_type: media.playlist_type.map(TypeName::from),
            end_list: media.end_list,
            i_frames_only: media.i_frames_only,
            independent_segments: media.independent_segments,
            start: media.start.as_ref().map(start),
            variables: variables(&media.variables),
            duration: seconds(media.duration()),
            segments: media
                .segments
                .iter()
                .zip(media.dates())
                .map(|(segment, date)| SegmentView {
                    date: date.map(|date| date.to_string()),
                    ..SegmentView::new(media, segment, page)
                })
                .collect(),
            live: LiveView::new(media, page),
        }
    }
}

impl From<PlaylistType> for TypeName {
    fn from(kind: PlaylistType) -> Self {
        match kind {
            PlaylistType::Vod => Self::Vod,
            PlaylistType::Event => Self::Event,
        }
    }
}

impl<'a> SegmentView<'a> {
    fn new(media: &'a MediaPlaylist<'a>, segment: &'a Segment<'a>, page: Page<'a>) -> Self {
        Self {
            reference: Reference::new(&segment.uri, page),
            duration: seconds(segment.duration),
            title: segment.title,
            byte_range: segment.byte_range.map(RangeView::from),
            media_sequence: segment.media_sequence,
            discontinuity: segment.discontinuity,
            discontinuity_sequence: segment.discontinuity_sequence,
            gap: segment.gap,
            bitrate: segment.bitrate.map(u64::from),
            program_date_time: segment.program_date_time.map(|time| time.to_string()),
            date: None,
            keys: media
                .keys_of(segment)
                .iter()
                .map(|key| KeyView {
                    implicit_iv: has_implicit_iv(key).then(|| hex(implicit_iv(segment.media_sequence))),
                    ..KeyView::new(key, page)
                })
                .collect(),
            map: media.map_of(segment).map(|map| MapView::new(map, page)),
            line: segment.line,
        }
    }
}

fn hex(iv: [u8; 16]) -> String {
    format!("0x{:032x}", u128::from_be_bytes(iv))
}

/// Whether the number of a segment is its IV under this key (RFC 8216 5.2).
fn has_implicit_iv(key: &Key<'_>) -> bool {
    let is_cbc = matches!(key.method, KeyMethod::Aes128 | KeyMethod::Aes256 | KeyMethod::SampleAes);
    is_cbc && key.is_identity() && key.iv.is_none()
}

impl<'a> KeyView<'a> {
    pub(super) fn new(key: &'a Key<'a>, page: Page<'a>) -> Self {
        Self {
            method: key.method.as_str(),
            reference: OptionalReference::new(key.uri.as_ref(), page),
            iv: key.iv.map(hex),
            implicit_iv: None,
            key_format: &key.key_format,
            key_format_versions: key.key_format_versions.as_deref(),
            line: key.line,
        }
    }
}

impl<'a> MapView<'a> {
    fn new(map: &'a Map<'a>, page: Page<'a>) -> Self {
        Self {
            reference: Reference::new(&map.uri, page),
            byte_range: map.byte_range.map(RangeView::from),
            line: map.line,
        }
    }
}
