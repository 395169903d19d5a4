//! A multivariant playlist: variants, renditions, session keys and data.

use std::borrow::Cow;

use hls_parse::{ClosedCaptions, IFrameVariant, MediaKind, Multivariant, Rendition, SessionData, Variant};
use schemars::JsonSchema;
use serde::Serialize;

use super::media::KeyView;
use super::{StartView, VariableView, as_written, start, substituted, variables};
use crate::output::plan::ResolutionView;

/// What a multivariant playlist says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MultivariantPlaylist")]
pub(crate) struct MultivariantView<'a> {
    /// EXT-X-VERSION; null when it is missing.
    pub(super) version: Option<u32>,
    pub(super) independent_segments: bool,
    start: Option<StartView>,
    variables: Vec<VariableView<'a>>,
    /// In the order of the playlist.
    pub(super) variants: Vec<VariantView<'a>>,
    pub(super) i_frame_variants: Vec<StreamView<'a>>,
    pub(super) renditions: Vec<RenditionView<'a>>,
    pub(super) session_keys: Vec<KeyView<'a>>,
    session_data: Vec<SessionDataView<'a>>,
    content_steering: Option<SteeringView<'a>>,
}

/// An EXT-X-STREAM-INF.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Variant")]
pub(super) struct VariantView<'a> {
    #[serde(flatten)]
    pub(super) stream: StreamView<'a>,
    /// FRAME-RATE in frames per second.
    pub(super) frame_rate: Option<f64>,
    /// The group of audio renditions.
    pub(super) audio: Option<&'a str>,
    /// The group of subtitles.
    pub(super) subtitles: Option<&'a str>,
    /// The group of closed captions; `NONE` where the playlist says that there are none.
    pub(super) closed_captions: Option<&'a str>,
    /// The URI's line, from 1.
    uri_line: u32,
}

/// An EXT-X-I-FRAME-STREAM-INF, and what it shares with an EXT-X-STREAM-INF.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stream")]
pub(super) struct StreamView<'a> {
    /// The URI as written.
    pub(super) uri: Cow<'a, str>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
    /// BANDWIDTH in bits per second; null when it is missing.
    pub(super) bandwidth: Option<u64>,
    /// AVERAGE-BANDWIDTH in bits per second.
    pub(super) average_bandwidth: Option<u64>,
    pub(super) codecs: Option<&'a str>,
    supplemental_codecs: Option<&'a str>,
    pub(super) resolution: Option<ResolutionView>,
    score: Option<f64>,
    hdcp_level: Option<&'a str>,
    allowed_cpc: Option<&'a str>,
    video_range: Option<&'a str>,
    req_video_layout: Option<&'a str>,
    stable_variant_id: Option<&'a str>,
    pathway_id: Option<&'a str>,
    /// The group of video renditions.
    video: Option<&'a str>,
    name: Option<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-MEDIA.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rendition")]
pub(super) struct RenditionView<'a> {
    /// TYPE.
    #[serde(rename = "type")]
    pub(super) kind: RenditionKind,
    /// The URI as written; null: it is inside the variants' own segments.
    pub(super) uri: Option<Cow<'a, str>>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
    pub(super) group_id: &'a str,
    pub(super) name: &'a str,
    pub(super) language: Option<&'a str>,
    assoc_language: Option<&'a str>,
    pub(super) default: bool,
    pub(super) autoselect: bool,
    pub(super) forced: bool,
    pub(super) instream_id: Option<&'a str>,
    characteristics: Option<&'a str>,
    pub(super) channels: Option<&'a str>,
    stable_rendition_id: Option<&'a str>,
    bit_depth: Option<u64>,
    sample_rate: Option<u64>,
    /// The tag's line, from 1.
    line: u32,
}

/// TYPE of an EXT-X-MEDIA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
#[schemars(rename = "RenditionType")]
pub(super) enum RenditionKind {
    Video,
    Audio,
    Subtitles,
    ClosedCaptions,
}

/// An EXT-X-SESSION-DATA.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SessionData")]
struct SessionDataView<'a> {
    data_id: &'a str,
    value: Option<&'a str>,
    /// The URI as written.
    uri: Option<Cow<'a, str>>,
    language: Option<&'a str>,
    format: Option<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-CONTENT-STEERING.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ContentSteering")]
struct SteeringView<'a> {
    /// SERVER-URI as written.
    server_uri: Cow<'a, str>,
    pathway_id: Option<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

impl<'a> MultivariantView<'a> {
    pub(super) fn new(playlist: &'a Multivariant<'a>, text: &'a [u8]) -> Self {
        Self {
            version: playlist.version,
            independent_segments: playlist.independent_segments,
            start: playlist.start.as_ref().map(start),
            variables: variables(&playlist.variables),
            variants: playlist.variants.iter().map(|variant| VariantView::new(variant, text)).collect(),
            i_frame_variants: playlist
                .i_frame_variants
                .iter()
                .map(|it| StreamView::i_frames(it, text))
                .collect(),
            renditions: playlist
                .renditions
                .iter()
                .map(|rendition| RenditionView::new(rendition, text))
                .collect(),
            session_keys: playlist.session_keys.iter().map(|key| KeyView::new(key, text)).collect(),
            session_data: playlist.session_data.iter().map(|data| SessionDataView::new(data, text)).collect(),
            content_steering: playlist.content_steering.as_ref().map(|steering| SteeringView {
                server_uri: as_written(&steering.server_uri, text),
                pathway_id: steering.pathway_id.as_deref(),
                line: steering.tag_line,
            }),
        }
    }
}

impl<'a> VariantView<'a> {
    fn new(variant: &'a Variant<'a>, text: &'a [u8]) -> Self {
        Self {
            stream: StreamView::of(variant, text),
            frame_rate: variant.frame_rate.map(hls_parse::Decimal::as_f64),
            audio: variant.audio.as_deref(),
            subtitles: variant.subtitles.as_deref(),
            closed_captions: variant.closed_captions.as_ref().map(|captions| match captions {
                ClosedCaptions::None => "NONE",
                ClosedCaptions::Group(group) => group,
            }),
            uri_line: variant.uri_line,
        }
    }
}

/// What both kinds of stream say alike.
macro_rules! stream {
    ($stream:expr, $text:expr) => {
        StreamView {
            uri: as_written(&$stream.uri, $text),
            substituted_uri: substituted(&$stream.uri),
            bandwidth: $stream.bandwidth,
            average_bandwidth: $stream.average_bandwidth,
            codecs: $stream.codecs.as_deref(),
            supplemental_codecs: $stream.supplemental_codecs.as_deref(),
            resolution: $stream.resolution.map(ResolutionView::from),
            score: $stream.score.map(hls_parse::Decimal::as_f64),
            hdcp_level: $stream.hdcp_level.as_deref(),
            allowed_cpc: $stream.allowed_cpc.as_deref(),
            video_range: $stream.video_range.as_deref(),
            req_video_layout: $stream.req_video_layout.as_deref(),
            stable_variant_id: $stream.stable_variant_id.as_deref(),
            pathway_id: $stream.pathway_id.as_deref(),
            video: $stream.video.as_deref(),
            name: $stream.name.as_deref(),
            line: $stream.tag_line,
        }
    };
}

impl<'a> StreamView<'a> {
    fn of(variant: &'a Variant<'a>, text: &'a [u8]) -> Self {
        stream!(variant, text)
    }

    fn i_frames(variant: &'a IFrameVariant<'a>, text: &'a [u8]) -> Self {
        stream!(variant, text)
    }
}

impl<'a> RenditionView<'a> {
    fn new(rendition: &'a Rendition<'a>, text: &'a [u8]) -> Self {
        Self {
            kind: rendition.kind.into(),
            uri: rendition.uri.as_ref().map(|uri| as_written(uri, text)),
            substituted_uri: rendition.uri.as_ref().and_then(substituted),
            group_id: &rendition.group_id,
            name: &rendition.name,
            language: rendition.language.as_deref(),
            assoc_language: rendition.assoc_language.as_deref(),
            default: rendition.default,
            autoselect: rendition.autoselect,
            forced: rendition.forced,
            instream_id: rendition.instream_id.as_deref(),
            characteristics: rendition.characteristics.as_deref(),
            channels: rendition.channels.as_deref(),
            stable_rendition_id: rendition.stable_rendition_id.as_deref(),
            bit_depth: rendition.bit_depth,
            sample_rate: rendition.sample_rate,
            line: rendition.tag_line,
        }
    }
}

impl From<MediaKind> for RenditionKind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Video => Self::Video,
            MediaKind::Audio => Self::Audio,
            MediaKind::Subtitles => Self::Subtitles,
            MediaKind::ClosedCaptions => Self::ClosedCaptions,
        }
    }
}

impl RenditionKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Subtitles => "subtitles",
            Self::ClosedCaptions => "captions",
        }
    }
}

impl<'a> SessionDataView<'a> {
    fn new(data: &'a SessionData<'a>, text: &'a [u8]) -> Self {
        Self {
            data_id: &data.data_id,
            value: data.value.as_deref(),
            uri: data.uri.as_ref().map(|uri| as_written(uri, text)),
            language: data.language.as_deref(),
            format: data.format.as_deref(),
            line: data.tag_line,
        }
    }
}
