//! Multivariant playlists: which streams and renditions there are (RFC 8216 4.3.4).

use std::borrow::Cow;

use serde::Serialize;

use crate::define::Variables;
use crate::key::Key;
use crate::line::Span;
use crate::value::{Decimal, Resolution, Start, Uri};

/// A multivariant (master) playlist (RFC 8216 4.3.4).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Multivariant<'a> {
    /// EXT-X-VERSION.
    pub version: Option<u32>,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-START.
    pub start: Option<Start>,
    /// What EXT-X-DEFINE defined.
    pub variables: Variables,
    /// EXT-X-STREAM-INF with their URI lines, in order.
    pub variants: Vec<Variant<'a>>,
    /// EXT-X-I-FRAME-STREAM-INF, in order.
    pub i_frame_variants: Vec<Variant<'a>>,
    /// EXT-X-MEDIA, in order.
    pub renditions: Vec<Rendition<'a>>,
    /// EXT-X-SESSION-KEY, in order.
    pub session_keys: Vec<Key<'a>>,
    /// EXT-X-SESSION-DATA, in order.
    pub session_data: Vec<SessionData<'a>>,
    /// EXT-X-CONTENT-STEERING.
    pub content_steering: Option<ContentSteering<'a>>,
}

/// A variant stream: an EXT-X-STREAM-INF tag and the URI line behind it (RFC 8216 4.3.4.2).
///
/// Also what an EXT-X-I-FRAME-STREAM-INF tag says (RFC 8216 4.3.4.3), in [`Multivariant::i_frame_variants`]: its URI is
/// an attribute, and it has no FRAME-RATE and no groups but VIDEO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variant<'a> {
    /// The media playlist, of I-frames only where the tag is EXT-X-I-FRAME-STREAM-INF.
    pub uri: Uri<'a>,
    /// BANDWIDTH: peak bits per second. `None`: missing or unreadable, which is also a diagnostic.
    pub bandwidth: Option<u64>,
    /// AVERAGE-BANDWIDTH: bits per second.
    pub average_bandwidth: Option<u64>,
    /// CODECS, as written; see [`codec_families`](crate::codec_families).
    pub codecs: Option<Cow<'a, str>>,
    /// SUPPLEMENTAL-CODECS, as written: `codec/brand/brand,codec`.
    pub supplemental_codecs: Option<Cow<'a, str>>,
    /// RESOLUTION; `None` also for a size of zero.
    pub resolution: Option<Resolution>,
    /// FRAME-RATE: frames per second.
    pub frame_rate: Option<Decimal>,
    /// SCORE: higher is better, among variants that have one.
    pub score: Option<Decimal>,
    /// HDCP-LEVEL: `NONE`, `TYPE-0`, `TYPE-1`.
    pub hdcp_level: Option<Cow<'a, str>>,
    /// ALLOWED-CPC, as written.
    pub allowed_cpc: Option<Cow<'a, str>>,
    /// VIDEO-RANGE: `SDR`, `HLG`, `PQ`.
    pub video_range: Option<Cow<'a, str>>,
    /// REQ-VIDEO-LAYOUT, as written.
    pub req_video_layout: Option<Cow<'a, str>>,
    /// STABLE-VARIANT-ID.
    pub stable_variant_id: Option<Cow<'a, str>>,
    /// PATHWAY-ID.
    pub pathway_id: Option<Cow<'a, str>>,
    /// AUDIO: the group of audio renditions.
    pub audio: Option<Cow<'a, str>>,
    /// VIDEO: the group of video renditions.
    pub video: Option<Cow<'a, str>>,
    /// SUBTITLES: the group of subtitle renditions.
    pub subtitles: Option<Cow<'a, str>>,
    /// CLOSED-CAPTIONS.
    pub closed_captions: Option<ClosedCaptions<'a>>,
    /// NAME, which is not in the RFC but in the field.
    pub name: Option<Cow<'a, str>>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
    /// The URI's line number; the tag's own for I-frames.
    pub uri_line: u32,
}

/// Where a variant's closed captions are (RFC 8216 4.3.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedCaptions<'a> {
    /// `CLOSED-CAPTIONS=NONE`: no variant has any.
    None,
    /// In the renditions of this group.
    Group(Cow<'a, str>),
}

/// An alternative rendition: an EXT-X-MEDIA tag (RFC 8216 4.3.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendition<'a> {
    /// TYPE.
    pub kind: MediaKind,
    /// URI; `None`: inside the variant's own segments.
    pub uri: Option<Uri<'a>>,
    /// GROUP-ID; empty when missing, which is also a diagnostic.
    pub group_id: Cow<'a, str>,
    /// NAME; empty when missing, which is also a diagnostic.
    pub name: Cow<'a, str>,
    /// LANGUAGE, as written; see [`Language`](crate::Language).
    pub language: Option<Cow<'a, str>>,
    /// ASSOC-LANGUAGE, as written.
    pub assoc_language: Option<Cow<'a, str>>,
    /// DEFAULT.
    pub default: bool,
    /// AUTOSELECT.
    pub autoselect: bool,
    /// FORCED.
    pub forced: bool,
    /// INSTREAM-ID: `CC1`, `SERVICE3`.
    pub instream_id: Option<Cow<'a, str>>,
    /// CHARACTERISTICS, as written: uniform type identifiers with commas between.
    pub characteristics: Option<Cow<'a, str>>,
    /// CHANNELS, as written: `6`, `16/JOC`.
    pub channels: Option<Cow<'a, str>>,
    /// STABLE-RENDITION-ID.
    pub stable_rendition_id: Option<Cow<'a, str>>,
    /// BIT-DEPTH: bits a sample.
    pub bit_depth: Option<u64>,
    /// SAMPLE-RATE: samples a second.
    pub sample_rate: Option<u64>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// What a rendition is of (TYPE, RFC 8216 4.3.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum MediaKind {
    /// AUDIO.
    Audio,
    /// VIDEO.
    Video,
    /// SUBTITLES.
    Subtitles,
    /// CLOSED-CAPTIONS.
    ClosedCaptions,
}

impl MediaKind {
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "AUDIO" => Some(Self::Audio),
            "VIDEO" => Some(Self::Video),
            "SUBTITLES" => Some(Self::Subtitles),
            "CLOSED-CAPTIONS" => Some(Self::ClosedCaptions),
            _ => None,
        }
    }

    /// The word in the playlist.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "AUDIO",
            Self::Video => "VIDEO",
            Self::Subtitles => "SUBTITLES",
            Self::ClosedCaptions => "CLOSED-CAPTIONS",
        }
    }
}

/// Something for the app: an EXT-X-SESSION-DATA tag (RFC 8216 4.3.4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionData<'a> {
    /// DATA-ID; empty when missing, which is also a diagnostic.
    pub data_id: Cow<'a, str>,
    /// VALUE.
    pub value: Option<Cow<'a, str>>,
    /// URI.
    pub uri: Option<Uri<'a>>,
    /// LANGUAGE, as written.
    pub language: Option<Cow<'a, str>>,
    /// FORMAT: `JSON` (also when absent) or `RAW`.
    pub format: Option<Cow<'a, str>>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// Who steers between pathways: the EXT-X-CONTENT-STEERING tag (rfc8216bis 4.4.6.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentSteering<'a> {
    /// SERVER-URI: the steering manifest.
    pub server_uri: Uri<'a>,
    /// PATHWAY-ID: where to begin.
    pub pathway_id: Option<Cow<'a, str>>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}
