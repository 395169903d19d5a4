//! What the words in CODECS mean (RFC 6381).

use serde::Serialize;

/// A family of codecs (RFC 6381): what a player must be able to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CodecFamily {
    /// H.264: `avc1`, `avc2`, `avc3`, `avc4`.
    Avc,
    /// H.265: `hvc1`, `hev1`.
    Hevc,
    /// Dolby Vision: `dvh1`, `dvhe`, `dva1`, `dvav`, `dav1`.
    DolbyVision,
    /// AV1: `av01`.
    Av1,
    /// VP9: `vp09`, `vp9`.
    Vp9,
    /// AAC: `mp4a.40` (MPEG-4) and `mp4a.66` to `mp4a.68` (MPEG-2), and `mp4a` alone.
    Aac,
    /// Dolby Digital: `ac-3`, `mp4a.a5`.
    Ac3,
    /// Dolby Digital Plus: `ec-3`, `mp4a.a6`.
    Eac3,
    /// AC-4: `ac-4`.
    Ac4,
    /// Opus.
    Opus,
    /// FLAC: `fLaC`, `flac`.
    Flac,
    /// MPEG-1 and MPEG-2 audio: `mp4a.40.34`, `mp4a.69`, `mp4a.6b`, `mp3`.
    Mp3,
    /// WebVTT: `wvtt`.
    WebVtt,
    /// TTML and IMSC: `stpp`.
    Ttml,
    /// Any other word.
    Unknown,
}

impl CodecFamily {
    /// The family of one word, such as `avc1.64001f`. Upper and lower case are the same.
    #[must_use]
    pub fn of(codec: &str) -> Self {
        let lower = codec.trim().to_ascii_lowercase();
        let (word, rest) = lower.split_once('.').unwrap_or((&lower, ""));
        match word {
            "avc1" | "avc2" | "avc3" | "avc4" => Self::Avc,
            "hvc1" | "hev1" => Self::Hevc,
            "dvh1" | "dvhe" | "dva1" | "dvav" | "dav1" => Self::DolbyVision,
            "av01" => Self::Av1,
            "vp09" | "vp9" => Self::Vp9,
            "mp4a" => Self::of_mp4a(rest),
            "ac-3" => Self::Ac3,
            "ec-3" => Self::Eac3,
            "ac-4" => Self::Ac4,
            "opus" => Self::Opus,
            "flac" => Self::Flac,
            "mp3" => Self::Mp3,
            "wvtt" => Self::WebVtt,
            "stpp" => Self::Ttml,
            _ => Self::Unknown,
        }
    }

    /// By the object type indication behind `mp4a.`, in hexadecimal, and the audio object type behind that.
    fn of_mp4a(rest: &str) -> Self {
        let (indication, object) = rest.split_once('.').unwrap_or((rest, ""));
        match (indication, object) {
            ("40", "34") | ("69" | "6b", _) => Self::Mp3,
            ("" | "40" | "66" | "67" | "68", _) => Self::Aac,
            ("a5", _) => Self::Ac3,
            ("a6", _) => Self::Eac3,
            ("ad", _) => Self::Opus,
            _ => Self::Unknown,
        }
    }

    /// Whether it is of pictures.
    #[must_use]
    pub const fn is_video(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc | Self::DolbyVision | Self::Av1 | Self::Vp9)
    }

    /// Whether it is of sound.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        matches!(self, Self::Aac | Self::Ac3 | Self::Eac3 | Self::Ac4 | Self::Opus | Self::Flac | Self::Mp3)
    }

    /// Whether it is of text.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::WebVtt | Self::Ttml)
    }
}

/// The words of a CODECS value with their families, in order and without blanks.
///
/// Of SUPPLEMENTAL-CODECS only what stands before the first `/` of each word counts; the rest are brands.
pub fn codec_families(codecs: &str) -> impl Iterator<Item = (&str, CodecFamily)> {
    codecs.split(',').map(str::trim).filter(|word| !word.is_empty()).map(|word| {
        let codec = word.split('/').next().unwrap_or_default();
        (codec, CodecFamily::of(codec))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use CodecFamily::*;

    #[track_caller]
    fn check(codecs: &str, expected: &[CodecFamily]) {
        assert_eq!(codec_families(codecs).map(|(_, family)| family).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_family_is_known_by_its_words() {
        check("avc1.64001f,avc3.42e01e", &[Avc, Avc]);
        check("hvc1.2.4.L123.B0,hev1.1.6.L93.90", &[Hevc, Hevc]);
        check("dvh1.05.06,dvhe.08.07", &[DolbyVision, DolbyVision]);
        check("av01.0.04M.10,vp09.00.10.08", &[Av1, Vp9]);
        check("mp4a.40.2,mp4a.40.5,mp4a.40.29,mp4a.67,mp4a", &[Aac; 5]);
        check("ac-3,ec-3,ac-4.02.01.03,mp4a.a5,mp4a.A6", &[Ac3, Eac3, Ac4, Ac3, Eac3]);
        check("opus,Opus,fLaC,flac", &[Opus, Opus, Flac, Flac]);
        check("mp4a.40.34,mp4a.69,mp4a.6B", &[Mp3; 3]);
        check("wvtt,stpp.ttml.im1t", &[WebVtt, Ttml]);
        check("theora,mp4v.20.9,mp4a.ff", &[Unknown; 3]);
    }

    #[test]
    fn blanks_and_empty_places_do_not_count() {
        let words: Vec<&str> = codec_families(" mp4a.40.2 , avc1.4d401e ,,").map(|(word, _)| word).collect();
        assert_eq!(words, ["mp4a.40.2", "avc1.4d401e"]);
        check("", &[]);
    }

    #[test]
    fn brands_of_supplemental_codecs_are_left_out() {
        assert_eq!(codec_families("dvh1.08.07/db4h/x").collect::<Vec<_>>(), [("dvh1.08.07", DolbyVision)]);
    }

    #[test]
    fn pictures_sound_and_text_are_told_apart() {
        let kinds = [Avc, Opus, Ttml, Unknown].map(|it| (it.is_video(), it.is_audio(), it.is_text()));
        assert_eq!(
            kinds,
            [(true, false, false), (false, true, false), (false, false, true), (false, false, false)]
        );
    }
}
