//! What a caller asks for, and what the device can play.

use hls_parse::CodecFamily;

/// A bit rate in bits per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitRate(pub u64);

impl BitRate {
    /// Bytes that this rate makes in `duration`, rounded down.
    #[must_use]
    pub fn bytes_in(self, duration: std::time::Duration) -> u64 {
        let bit_nanos = u128::from(self.0).saturating_mul(duration.as_nanos());
        u64::try_from(bit_nanos / 8_000_000_000).unwrap_or(u64::MAX)
    }
}

/// Which audio or text renditions of the chosen variants' groups are downloaded, by language.
///
/// A rendition that states no language is taken unless the answer is [`Languages::None`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Languages {
    /// None at all; for audio, what is inside the variant's own segments remains.
    None,
    /// Those that the presentation marks as its default.
    ///
    /// Where a group of audio renditions marks none, the first that may be chosen without the user's
    /// asking (AUTOSELECT) is taken, else the first of all: only [`Languages::None`] is silent.
    #[default]
    Default,
    /// Those in one of these languages, as a user means them: `fr`, `fre`, `fra` and `fr-CA` are French.
    ///
    /// Where no audio rendition fits, those of [`Languages::Default`] are taken: a download does not
    /// fall silent because a language is missing.
    Only(Vec<String>),
    /// Every language.
    All,
}

/// How many variants are downloaded: what a player may switch between once the network is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Variants {
    /// One: the smallest that is enough, of the codec that is wanted most.
    #[default]
    One,
    /// For each of these heights in pixels the smallest that is at least that high, as if it were
    /// [`min_height`](SelectionOptions::min_height) (which remains the least of all); one that is the
    /// smallest for two heights is taken once. No height at all is the same as [`Variants::One`].
    Heights(Vec<u32>),
    /// Each one that can be decoded, of every codec, and is as large as asked for; the default bit rates
    /// don't count as asked for. Of fail-overs the first is taken.
    All,
}

/// A family of video codecs that a caller may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoCodec {
    /// H.264 (`avc1`, `avc3`); what a variant with pictures is taken for if its CODECS name no codec of pictures.
    Avc,
    /// H.265 (`hvc1`, `hev1`).
    Hevc,
    /// Dolby Vision (`dvh1`, `dvhe`, `dvav`, `dva1`, `dav1`).
    DolbyVision,
    /// AV1 (`av01`).
    Av1,
    /// VP9 (`vp09`).
    Vp9,
}

impl VideoCodec {
    /// Every family, the most wanted first when a caller asks for none.
    pub const ALL: [Self; 5] = [Self::Hevc, Self::Avc, Self::Av1, Self::Vp9, Self::DolbyVision];

    /// The name by which options and listings call it: its usual tag in CODECS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avc => "avc1",
            Self::Hevc => "hevc",
            Self::DolbyVision => "dolby-vision",
            Self::Av1 => "av1",
            Self::Vp9 => "vp9",
        }
    }

    /// The codec of a family; `None` for what is not video or not known.
    #[must_use]
    pub fn of(family: CodecFamily) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.family() == family)
    }

    /// The family as playlists are read.
    #[must_use]
    pub const fn family(self) -> CodecFamily {
        match self {
            Self::Avc => CodecFamily::Avc,
            Self::Hevc => CodecFamily::Hevc,
            Self::DolbyVision => CodecFamily::DolbyVision,
            Self::Av1 => CodecFamily::Av1,
            Self::Vp9 => CodecFamily::Vp9,
        }
    }
}

/// A family of audio codecs that a caller may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AudioCodec {
    /// AAC in all its profiles (`mp4a.40.*`).
    Aac,
    /// Dolby Digital (`ac-3`).
    Ac3,
    /// Dolby Digital Plus (`ec-3`).
    Eac3,
    /// Dolby AC-4 (`ac-4`).
    Ac4,
    /// Opus (`opus`).
    Opus,
    /// FLAC (`flac`, `fLaC`).
    Flac,
    /// MP3 (`mp4a.40.34`, `mp4a.6B`, `mp3`).
    Mp3,
}

impl AudioCodec {
    /// Every family, the most wanted first when a caller asks for none.
    pub const ALL: [Self; 7] =
        [Self::Eac3, Self::Ac3, Self::Aac, Self::Ac4, Self::Opus, Self::Flac, Self::Mp3];

    /// The name by which options and listings call it: its usual tag in CODECS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aac => "mp4a",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
            Self::Ac4 => "ac4",
            Self::Opus => "opus",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
        }
    }

    /// The codec of a family; `None` for what is not audio or not known.
    #[must_use]
    pub fn of(family: CodecFamily) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.family() == family)
    }

    /// The family as playlists are read.
    #[must_use]
    pub const fn family(self) -> CodecFamily {
        match self {
            Self::Aac => CodecFamily::Aac,
            Self::Ac3 => CodecFamily::Ac3,
            Self::Eac3 => CodecFamily::Eac3,
            Self::Ac4 => CodecFamily::Ac4,
            Self::Opus => CodecFamily::Opus,
            Self::Flac => CodecFamily::Flac,
            Self::Mp3 => CodecFamily::Mp3,
        }
    }
}

/// Which tracks are downloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectionOptions {
    /// How many variants.
    pub variants: Variants,
    /// Audio renditions.
    pub audio: Languages,
    /// Subtitles.
    pub text: Languages,
    /// Video codecs, the most wanted first; behind them come hevc, then avc, then the others.
    pub video_codecs: Vec<VideoCodec>,
    /// Audio codecs, the most wanted first, by which an audio-only variant is chosen; behind them
    /// come ec-3, ac-3, mp4a, then the others.
    pub audio_codecs: Vec<AudioCodec>,
    /// Least width in pixels; the widest is taken where none is as wide.
    pub min_width: Option<u32>,
    /// Least height in pixels; the highest is taken where none is as high.
    pub min_height: Option<u32>,
    /// Least bit rate (BANDWIDTH, else AVERAGE-BANDWIDTH) by codec; without one it is 180 kb/s for avc,
    /// 120 kb/s for hevc and nothing for the others. A variant that states no rate doesn't reach it.
    pub min_bit_rates: Vec<(VideoCodec, BitRate)>,
    /// Whether codecs that the device decodes in software only may be taken.
    pub inefficient_codecs: InefficientCodecs,
}

/// What to do about codecs that the device decodes in software only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum InefficientCodecs {
    /// Leave them out.
    #[default]
    Refuse,
    /// Take them like others.
    Allow,
}

impl SelectionOptions {
    /// At least this bit rate, whatever the codec: the lowest variant that reaches it, the highest where none does.
    #[must_use]
    pub fn at_least(rate: BitRate) -> Self {
        let min_bit_rates = VideoCodec::ALL.map(|codec| (codec, rate)).to_vec();
        Self { min_bit_rates, ..Self::default() }
    }

    /// All languages, and video of at least `rate` (avc) or 0.7 times that (hevc).
    #[must_use]
    pub fn preferred_video_bitrate(rate: BitRate) -> Self {
        let hevc = BitRate(rate.0 / 10 * 7 + rate.0 % 10 * 7 / 10);
        Self {
            audio: Languages::All,
            text: Languages::All,
            min_bit_rates: vec![(VideoCodec::Avc, rate), (VideoCodec::Hevc, hevc)],
            ..Self::default()
        }
    }

    /// The least bit rate for a codec that the caller states; of several the last.
    #[must_use]
    pub fn asked_bit_rate(&self, codec: VideoCodec) -> Option<BitRate> {
        self.min_bit_rates.iter().rev().find(|(of, _)| *of == codec).map(|(_, rate)| *rate)
    }

    /// The least bit rate for a codec: the caller's, else the default.
    #[must_use]
    pub fn min_bit_rate(&self, codec: VideoCodec) -> BitRate {
        self.asked_bit_rate(codec).unwrap_or(match codec {
            VideoCodec::Avc => BitRate(180_000),
            VideoCodec::Hevc => BitRate(120_000),
            VideoCodec::DolbyVision | VideoCodec::Av1 | VideoCodec::Vp9 => BitRate(0),
        })
    }
}

/// What the device that will play can decode, beside avc and mp4a, which every device can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decoders {
    /// H.265 in hardware.
    pub hardware_hevc: bool,
    /// H.265 in software: taken only with [`InefficientCodecs::Allow`].
    pub software_hevc: bool,
    /// Dolby Vision.
    pub dolby_vision: bool,
    /// AV1.
    pub av1: bool,
    /// VP9.
    pub vp9: bool,
    /// Dolby Digital.
    pub ac3: bool,
    /// Dolby Digital Plus.
    pub eac3: bool,
    /// Dolby AC-4.
    pub ac4: bool,
    /// Opus.
    pub opus: bool,
    /// FLAC.
    pub flac: bool,
}

impl Decoders {
    /// A device that decodes everything this library has a name for, hevc in hardware.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            hardware_hevc: true,
            software_hevc: true,
            dolby_vision: true,
            av1: true,
            vp9: true,
            ac3: true,
            eac3: true,
            ac4: true,
            opus: true,
            flac: true,
        }
    }

    /// A device that decodes avc, mp4a and mp3 only.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            hardware_hevc: false,
            software_hevc: false,
            dolby_vision: false,
            av1: false,
            vp9: false,
            ac3: false,
            eac3: false,
            ac4: false,
            opus: false,
            flac: false,
        }
    }
}

impl Default for Decoders {
    /// What current phones and desktop players have: hevc in hardware, ac-3, ec-3 and flac; not
    /// AV1, VP9, Dolby Vision, AC-4 or Opus in HLS.
    fn default() -> Self {
        Self { hardware_hevc: true, software_hevc: true, ac3: true, eac3: true, flac: true, ..Self::none() }
    }
}
