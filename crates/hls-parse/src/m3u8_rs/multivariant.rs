//! Multivariant playlists as their master playlists.

use std::collections::HashMap;

use ::m3u8_rs::{self as theirs, QuotedOrUnquoted};

use super::{key, some, start};
use crate::multivariant::{ClosedCaptions, MediaKind, Multivariant, Rendition, SessionData, Variant};
use crate::value::{Decimal, Resolution};

impl From<&Multivariant<'_>> for theirs::MasterPlaylist {
    fn from(playlist: &Multivariant<'_>) -> Self {
        let variants = playlist.variants.iter().map(variant);
        let i_frames = playlist
            .i_frame_variants
            .iter()
            .map(|it| theirs::VariantStream { is_i_frame: true, ..variant(it) });
        Self {
            version: playlist.version.and_then(|version| version.try_into().ok()),
            variants: variants.chain(i_frames).collect(),
            session_data: playlist.session_data.iter().filter_map(session_data).collect(),
            session_key: playlist.session_keys.iter().map(|it| theirs::SessionKey(key(it))).collect(),
            start: playlist.start.as_ref().map(start),
            independent_segments: playlist.independent_segments,
            alternatives: playlist.renditions.iter().map(rendition).collect(),
            unknown_tags: Vec::new(),
        }
    }
}

fn owned(text: Option<&impl AsRef<str>>) -> Option<String> {
    text.map(|text| text.as_ref().to_owned())
}

/// Attributes that their types have no field for.
fn others(
    quoted: &[(&str, Option<&str>)],
    unquoted: &[(&str, Option<String>)],
) -> Option<HashMap<String, QuotedOrUnquoted>> {
    let quoted =
        quoted.iter().filter_map(|(name, it)| Some((*name, QuotedOrUnquoted::Quoted((*it)?.to_owned()))));
    let unquoted =
        unquoted.iter().filter_map(|(name, it)| Some((*name, QuotedOrUnquoted::Unquoted(it.clone()?))));
    some(quoted.chain(unquoted).map(|(name, value)| (name.to_owned(), value)).collect())
}

fn resolution(size: Resolution) -> theirs::Resolution {
    theirs::Resolution { width: size.width, height: size.height }
}

fn hdcp_level(text: &str) -> theirs::HDCPLevel {
    match text {
        "TYPE-0" => theirs::HDCPLevel::Type0,
        "TYPE-1" => theirs::HDCPLevel::Type1,
        "NONE" => theirs::HDCPLevel::None,
        other => theirs::HDCPLevel::Other(other.to_owned()),
    }
}

fn variant(variant: &Variant<'_>) -> theirs::VariantStream {
    theirs::VariantStream {
        is_i_frame: false,
        uri: variant.uri.text.to_string(),
        bandwidth: variant.bandwidth.unwrap_or(0),
        average_bandwidth: variant.average_bandwidth,
        codecs: owned(variant.codecs.as_ref()),
        resolution: variant.resolution.map(resolution),
        frame_rate: variant.frame_rate.map(Decimal::as_f64),
        hdcp_level: variant.hdcp_level.as_deref().map(hdcp_level),
        audio: owned(variant.audio.as_ref()),
        video: owned(variant.video.as_ref()),
        subtitles: owned(variant.subtitles.as_ref()),
        closed_captions: variant.closed_captions.as_ref().map(|captions| match captions {
            ClosedCaptions::None => theirs::ClosedCaptionGroupId::None,
            ClosedCaptions::Group(group) => theirs::ClosedCaptionGroupId::GroupId(group.to_string()),
        }),
        other_attributes: others(
            &[
                ("SUPPLEMENTAL-CODECS", variant.supplemental_codecs.as_deref()),
                ("ALLOWED-CPC", variant.allowed_cpc.as_deref()),
                ("REQ-VIDEO-LAYOUT", variant.req_video_layout.as_deref()),
                ("STABLE-VARIANT-ID", variant.stable_variant_id.as_deref()),
                ("PATHWAY-ID", variant.pathway_id.as_deref()),
                ("NAME", variant.name.as_deref()),
            ],
            &[
                ("SCORE", variant.score.map(|it| it.to_string())),
                ("VIDEO-RANGE", owned(variant.video_range.as_ref())),
            ],
        ),
    }
}

fn rendition(rendition: &Rendition<'_>) -> theirs::AlternativeMedia {
    theirs::AlternativeMedia {
        media_type: match rendition.kind {
            MediaKind::Audio => theirs::AlternativeMediaType::Audio,
            MediaKind::Video => theirs::AlternativeMediaType::Video,
            MediaKind::Subtitles => theirs::AlternativeMediaType::Subtitles,
            MediaKind::ClosedCaptions => theirs::AlternativeMediaType::ClosedCaptions,
        },
        uri: rendition.uri.as_ref().map(|uri| uri.text.to_string()),
        group_id: rendition.group_id.to_string(),
        language: owned(rendition.language.as_ref()),
        assoc_language: owned(rendition.assoc_language.as_ref()),
        name: rendition.name.to_string(),
        default: rendition.default,
        autoselect: rendition.autoselect,
        forced: rendition.forced,
        instream_id: rendition
            .instream_id
            .as_deref()
            .map(|id| id.parse().unwrap_or_else(|_| theirs::InstreamId::Other(id.to_owned()))),
        characteristics: owned(rendition.characteristics.as_ref()),
        channels: owned(rendition.channels.as_ref()),
        other_attributes: others(
            &[("STABLE-RENDITION-ID", rendition.stable_rendition_id.as_deref())],
            &[
                ("BIT-DEPTH", rendition.bit_depth.map(|it| it.to_string())),
                ("SAMPLE-RATE", rendition.sample_rate.map(|it| it.to_string())),
            ],
        ),
    }
}

/// None with neither a value nor a URI.
fn session_data(data: &SessionData<'_>) -> Option<theirs::SessionData> {
    let value = data.value.as_ref().map(|value| theirs::SessionDataField::Value(value.to_string()));
    let uri = data.uri.as_ref().map(|uri| theirs::SessionDataField::Uri(uri.text.to_string()));
    Some(theirs::SessionData {
        data_id: data.data_id.to_string(),
        field: value.or(uri)?,
        language: owned(data.language.as_ref()),
        other_attributes: None,
    })
}
