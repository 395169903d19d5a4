//! What a variant is made of, and whether the device can decode it.

use hls_parse::{CodecFamily, Variant, codec_families};

use super::SkipReason;
use crate::item::TrackKind;
use crate::options::{AudioCodec, Decoders, InefficientCodecs, VideoCodec};

/// The codec by which a variant is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MainCodec {
    /// It has pictures; of avc if their codec is not named.
    Video(VideoCodec),
    /// It has sound only.
    Audio(AudioCodec),
}

impl MainCodec {
    /// The first codec of pictures that is named, else avc; the first of sound where only sound is named and no
    /// size is stated.
    fn of(variant: &Variant<'_>) -> Self {
        let families = || codec_families(codecs_of(variant)).map(|(_, family)| family);
        let video = families().find_map(VideoCodec::of);
        let audio = families().find_map(AudioCodec::of);
        match (video, audio) {
            (None, Some(audio)) if variant.resolution.is_none() => Self::Audio(audio),
            (video, _) => Self::Video(video.unwrap_or(VideoCodec::Avc)),
        }
    }
}

/// The codec by which a variant is ranked, or why it can't be played. Codecs of text never stand in the way.
pub(super) fn main_codec(
    variant: &Variant<'_>,
    decoders: &Decoders,
    inefficient: InefficientCodecs,
) -> Result<MainCodec, SkipReason> {
    let named = codec_families(codecs_of(variant));
    for (tag, family) in named.filter(|(tag, _)| !is_other_text(tag)) {
        judge(family, decoders, inefficient).map_err(|fault| fault.about(tag))?;
    }
    Ok(MainCodec::of(variant))
}

/// The codec of a variant's pictures; `None` where it has sound only.
pub(crate) fn video_codec(variant: &Variant<'_>) -> Option<VideoCodec> {
    match MainCodec::of(variant) {
        MainCodec::Video(codec) => Some(codec),
        MainCodec::Audio(_) => None,
    }
}

/// What a variant carries, whether or not it can be played.
pub(super) fn carries(variant: &Variant<'_>) -> TrackKind {
    match MainCodec::of(variant) {
        MainCodec::Video(_) => TrackKind::Video,
        MainCodec::Audio(_) => TrackKind::Audio,
    }
}

fn codecs_of<'p>(variant: &'p Variant<'_>) -> &'p str {
    variant.codecs.as_deref().unwrap_or_default()
}

/// Text that has no family: captions (CEA-608, CEA-708), 3GPP timed text, and text in MPEG-4 (ISO/IEC 14496-30).
const OTHER_TEXT: [&str; 5] = ["c608", "c708", "tx3g", "sbtt", "stxt"];

fn is_other_text(tag: &str) -> bool {
    let word = tag.split('.').next().unwrap_or_default();
    OTHER_TEXT.iter().any(|text| word.eq_ignore_ascii_case(text))
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
