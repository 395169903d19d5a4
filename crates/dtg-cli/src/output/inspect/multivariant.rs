//! A multivariant playlist: variants, renditions, session keys and data.

use std::borrow::Cow;

use hls_parse::{ClosedCaptions, ContentSteering, MediaKind, Multivariant, Rendition, SessionData, Variant};
use schemars::JsonSchema;
use serde::Serialize;

use super::media::KeyView;
use super::{OptionalReference, Page, Reference, StartView, VariableView, start, variables};
use crate::output::plan::ResolutionView;

/// What a multivariant playlist says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MultivariantPlaylist")]
pub(crate) struct MultivariantView<'a> {
    /// EXT-X-VERSION; null when it is missing.
    pub(super) version: Option<u32>,
    pub(super) independent_segments: bool,
    pub(super) start: Option<StartView>,
    pub(super) variables: Vec<VariableView<'a>>,
    /// In the order of the playlist.
    pub(super) variants: Vec<VariantView<'a>>,
    pub(super) i_frame_variants: Vec<StreamView<'a>>,
    pub(super) renditions: Vec<RenditionView<'a>>,
    pub(super) session_keys: Vec<KeyView<'a>>,
    pub(super) session_data: Vec<SessionDataView<'a>>,
    pub(super) content_steering: Option<SteeringView<'a>>,
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
    /// Whether `NONE` is the word that says so, and not a group's name in quotes.
    closed_captions_none: bool,
    /// The URI's line, from 1.
    uri_line: u32,
}

/// An EXT-X-I-FRAME-STREAM-INF, and what it shares with an EXT-X-STREAM-INF.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stream")]
pub(super) struct StreamView<'a> {
    #[serde(flatten)]
    pub(super) reference: Reference<'a>,
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
    pub(super) video_range: Option<&'a str>,
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
    /// Without a URI it is inside the variants' own segments.
    #[serde(flatten)]
    pub(super) reference: OptionalReference<'a>,
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
pub(super) struct SessionDataView<'a> {
    pub(super) data_id: &'a str,
    pub(super) value: Option<&'a str>,
    #[serde(flatten)]
    pub(super) reference: OptionalReference<'a>,
    pub(super) language: Option<&'a str>,
    format: Option<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-CONTENT-STEERING.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ContentSteering")]
pub(super) struct SteeringView<'a> {
    /// SERVER-URI as written.
    pub(super) server_uri: Cow<'a, str>,
    /// The whole URL; null where the playlist's own is not known.
    url: Option<String>,
    pub(super) pathway_id: Option<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

impl<'a> MultivariantView<'a> {
    pub(super) fn new(playlist: &'a Multivariant<'a>, page: Page<'a>) -> Self {
        Self {
            version: playlist.version,
            independent_segments: playlist.independent_segments,
            start: playlist.start.as_ref().map(start),
            variables: variables(&playlist.variables),
            variants: playlist.variants.iter().map(|variant| VariantView::new(variant, page)).collect(),
            i_frame_variants: playlist.i_frame_variants.iter().map(|it| StreamView::new(it, page)).collect(),
            renditions: playlist
                .renditions
                .iter()
                .map(|rendition| RenditionView::new(rendition, page))
                .collect(),
            session_keys: playlist.session_keys.iter().map(|key| KeyView::new(key, page)).collect(),
            session_data: playlist.session_data.iter().map(|data| SessionDataView::new(data, page)).collect(),
            content_steering: playlist.content_steering.as_ref().map(|it| SteeringView::new(it, page)),
        }
    }
}

impl<'a> VariantView<'a> {
    fn new(variant: &'a Variant<'a>, page: Page<'a>) -> Self {
        Self {
            stream: StreamView::new(variant, page),
            frame_rate: variant.frame_rate.map(hls_parse::Decimal::as_f64),
            audio: variant.audio.as_deref(),
            subtitles: variant.subtitles.as_deref(),
            closed_captions: variant.closed_captions.as_ref().map(|captions| match captions {
                ClosedCaptions::None => "NONE",
                ClosedCaptions::Group(group) => group,
            }),
            closed_captions_none: variant.closed_captions == Some(ClosedCaptions::None),
            uri_line: variant.uri_line,
        }
    }
}

impl<'a> StreamView<'a> {
    fn new(variant: &'a Variant<'a>, page: Page<'a>) -> Self {
        Self {
            reference: Reference::new(&variant.uri, page),
            bandwidth: variant.bandwidth,
            average_bandwidth: variant.average_bandwidth,
            codecs: variant.codecs.as_deref(),
            supplemental_codecs: variant.supplemental_codecs.as_deref(),
            resolution: variant.resolution.map(ResolutionView::from),
            score: variant.score.map(hls_parse::Decimal::as_f64),
            hdcp_level: variant.hdcp_level.as_deref(),
            allowed_cpc: variant.allowed_cpc.as_deref(),
            video_range: variant.video_range.as_deref(),
            req_video_layout: variant.req_video_layout.as_deref(),
            stable_variant_id: variant.stable_variant_id.as_deref(),
            pathway_id: variant.pathway_id.as_deref(),
            video: variant.video.as_deref(),
            name: variant.name.as_deref(),
            line: variant.tag_line,
        }
    }
}

impl<'a> RenditionView<'a> {
    fn new(rendition: &'a Rendition<'a>, page: Page<'a>) -> Self {
        Self {
            kind: rendition.kind.into(),
            reference: OptionalReference::new(rendition.uri.as_ref(), page),
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

impl<'a> SteeringView<'a> {
    fn new(steering: &'a ContentSteering<'a>, page: Page<'a>) -> Self {
        let Reference { uri, url, .. } = Reference::new(&steering.server_uri, page);
        Self { server_uri: uri, url, pathway_id: steering.pathway_id.as_deref(), line: steering.tag_line }
    }
}

impl<'a> SessionDataView<'a> {
    fn new(data: &'a SessionData<'a>, page: Page<'a>) -> Self {
        Self {
            data_id: &data.data_id,
            value: data.value.as_deref(),
            reference: OptionalReference::new(data.uri.as_ref(), page),
            language: data.language.as_deref(),
            format: data.format.as_deref(),
            line: data.tag_line,
        }
    }
}
