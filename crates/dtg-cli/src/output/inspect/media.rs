//! A media playlist, segment by segment.

use std::borrow::Cow;

use hls_parse::{Key, Map, MediaPlaylist, PlaylistType, Segment};
use schemars::JsonSchema;
use serde::Serialize;

use super::live::LiveView;
use super::{RangeView, StartView, VariableView, as_written, start, substituted, variables};
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
    start: Option<StartView>,
    variables: Vec<VariableView<'a>>,
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
    /// The URI as written.
    uri: Cow<'a, str>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
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
    /// The URI as written.
    pub(super) uri: Option<Cow<'a, str>>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
    /// IV as `0x` and 32 hexadecimal digits; null: the media sequence number is the IV.
    pub(super) iv: Option<String>,
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
    /// The URI as written.
    pub(super) uri: Cow<'a, str>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
    pub(super) byte_range: Option<RangeView>,
    /// The tag's line, from 1.
    line: u32,
}

impl<'a> MediaView<'a> {
    pub(super) fn new(media: &'a MediaPlaylist<'a>, text: &'a [u8]) -> Self {
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
            segments: media.segments.iter().map(|segment| SegmentView::new(media, segment, text)).collect(),
            live: LiveView::new(media, text),
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
    fn new(media: &'a MediaPlaylist<'a>, segment: &'a Segment<'a>, text: &'a [u8]) -> Self {
        Self {
            uri: as_written(&segment.uri, text),
            substituted_uri: substituted(&segment.uri),
            duration: seconds(segment.duration),
            title: segment.title.as_deref(),
            byte_range: segment.byte_range.map(RangeView::from),
            media_sequence: segment.media_sequence,
            discontinuity: segment.discontinuity,
            discontinuity_sequence: segment.discontinuity_sequence,
            gap: segment.gap,
            bitrate: segment.bitrate,
            program_date_time: segment.program_date_time.map(|time| time.to_string()),
            keys: media.keys_of(segment).iter().map(|key| KeyView::new(key, text)).collect(),
            map: media.map_of(segment).map(|map| MapView::new(map, text)),
            line: segment.line,
        }
    }
}

impl<'a> KeyView<'a> {
    pub(super) fn new(key: &'a Key<'a>, text: &'a [u8]) -> Self {
        Self {
            method: key.method.as_str(),
            uri: key.uri.as_ref().map(|uri| as_written(uri, text)),
            substituted_uri: key.uri.as_ref().and_then(substituted),
            iv: key.iv.map(|iv| format!("0x{:032x}", u128::from_be_bytes(iv))),
            key_format: &key.key_format,
            key_format_versions: key.key_format_versions.as_deref(),
            line: key.line,
        }
    }
}

impl<'a> MapView<'a> {
    fn new(map: &'a Map<'a>, text: &'a [u8]) -> Self {
        Self {
            uri: as_written(&map.uri, text),
            substituted_uri: substituted(&map.uri),
            byte_range: map.byte_range.map(RangeView::from),
            line: map.line,
        }
    }
}
