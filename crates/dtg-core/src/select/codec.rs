//! What a variant is made of, and whether the device can decode it.

use hls_parse::{CodecFamily, Variant, codec_families};

use super::SkipReason;
use crate::item::TrackKind;
use crate::options::{AudioCodec, Decoders, InefficientCodecs, VideoCodec};

/// The codec by which a variant is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MainCodec {
    /// It has pictures.
    Video(VideoCodec),
    /// It has sound only.
    Audio(AudioCodec),
}

/// The variant's codec, or why it can't be played.
///
/// A variant without CODECS is taken for avc. Codecs of subtitles never stand in the way.
pub(super) fn main_codec(
    variant: &Variant<'_>,
    decoders: &Decoders,
    inefficient: InefficientCodecs,
) -> Result<MainCodec, SkipReason> {
    let (mut video, mut audio) = (None, None);
    for (tag, family) in codec_families(variant.codecs.as_deref().unwrap_or_default()) {
        judge(family, decoders, inefficient).map_err(|fault| fault.about(tag))?;
        video = video.or(VideoCodec::of(family));
        audio = audio.or(AudioCodec::of(family));
    }
    Ok(match (video, audio) {
        (Some(video), _) => MainCodec::Video(video),
        (None, Some(audio)) => MainCodec::Audio(audio),
        (None, None) => MainCodec::Video(VideoCodec::Avc),
    })
}

/// The codec of a variant's pictures; `None` where it has sound only.
pub(crate) fn video_codec(variant: &Variant<'_>) -> Option<VideoCodec> {
    let named = codec_families(variant.codecs.as_deref().unwrap_or_default());
    let first = named.into_iter().find_map(|(_, family)| VideoCodec::of(family));
    first.or_else(|| (carries(variant) == TrackKind::Video).then_some(VideoCodec::Avc))
}

/// What a variant carries: pictures, unless it has codecs of sound only and states no size.
pub(super) fn carries(variant: &Variant<'_>) -> TrackKind {
    let families = || codec_families(variant.codecs.as_deref().unwrap_or_default()).map(|(_, family)| family);
    let sound_only = families().any(CodecFamily::is_audio) && !families().any(CodecFamily::is_video);
    if sound_only && variant.resolution.is_none() { TrackKind::Audio } else { TrackKind::Video }
}

enum Fault {
    Unsupported,
    SoftwareOnly,
}

impl Fault {
    fn about(&self, tag: &str) -> SkipReason {
        match self {
            Self::Unsupported => SkipReason::Codec(tag.to_owned()),
            Self::SoftwareOnly => SkipReason::InefficientCodec(tag.to_owned()),
        }
    }
}

fn judge(family: CodecFamily, decoders: &Decoders, inefficient: InefficientCodecs) -> Result<(), Fault> {
    let decodes = match family {
        CodecFamily::Avc | CodecFamily::Aac | CodecFamily::Mp3 => true,
        CodecFamily::WebVtt | CodecFamily::Ttml => true,
        CodecFamily::Hevc if decoders.hardware_hevc => true,
        CodecFamily::Hevc if !decoders.software_hevc => false,
        CodecFamily::Hevc if inefficient == InefficientCodecs::Refuse => return Err(Fault::SoftwareOnly),
        CodecFamily::Hevc => true,
        CodecFamily::DolbyVision => decoders.dolby_vision,
        CodecFamily::Av1 => decoders.av1,
        CodecFamily::Vp9 => decoders.vp9,
        CodecFamily::Ac3 => decoders.ac3,
        CodecFamily::Eac3 => decoders.eac3,
        CodecFamily::Ac4 => decoders.ac4,
        CodecFamily::Opus => decoders.opus,
        CodecFamily::Flac => decoders.flac,
        CodecFamily::Unknown => false,
        _ => false, // a family that a later hls-parse has a name for
    };
    if decodes { Ok(()) } else { Err(Fault::Unsupported) }
}
