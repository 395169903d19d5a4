//! The words that choose tracks.

use clap::Args;
use dtg_core::{
    AudioCodec, BitRate, Decoders, InefficientCodecs, Languages, SelectionOptions, Variants, VideoCodec,
};

/// What `download` and `plan` prefer when nothing is asked for.
const DEFAULT_BIT_RATE: BitRate = BitRate(300_000);

/// Without any of these: all languages, and the smallest video of at least 300 kbit/s.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Selection (default: all languages, and the smallest video of at least 300 kbit/s)"
)]
pub(super) struct SelectionArgs {
    /// The smallest video of at least N bits per second (HEVC: 0.7 N), and all languages
    #[arg(long, value_name = "N")]
    bitrate: Option<u64>,
    /// The smallest video at least N pixels high
    #[arg(long, value_name = "N")]
    height: Option<u32>,
    /// The smallest video at least N pixels wide
    #[arg(long, value_name = "N")]
    width: Option<u32>,
    /// How many video qualities: one, all, or one for each of these heights: `360,720`
    #[arg(long, value_name = "HEIGHTS", value_parser = variants)]
    variants: Option<Variants>,
    /// Audio languages (ISO 639 or BCP 47, with commas), or: all, none, default
    #[arg(long, value_name = "LIST", value_parser = languages)]
    audio: Option<Languages>,
    /// Subtitle languages, or: all, none, default
    #[arg(long, value_name = "LIST", value_parser = languages)]
    text: Option<Languages>,
    /// Video codecs, the most wanted first: avc, hevc, av1, vp9, dolby-vision
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = video_codec)]
    video_codecs: Vec<VideoCodec>,
    /// Audio codecs, the most wanted first: aac, ac3, eac3, ac4, opus, flac, mp3
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = audio_codec)]
    audio_codecs: Vec<AudioCodec>,
    /// Also take what is decoded in software only
    #[arg(long)]
    allow_inefficient_codecs: bool,
    /// The smallest video of at least N bits per second in this codec; may be given for each codec
    #[arg(long, value_name = "CODEC=N", value_parser = codec_bit_rate)]
    video_bitrate: Vec<(VideoCodec, BitRate)>,
}

fn video_codec(word: &str) -> Result<VideoCodec, String> {
    match word.to_ascii_lowercase().as_str() {
        "avc" | "avc1" | "avc3" | "h264" => Ok(VideoCodec::Avc),
        "hevc" | "hvc1" | "hev1" | "h265" => Ok(VideoCodec::Hevc),
        "av1" | "av01" => Ok(VideoCodec::Av1),
        "vp9" | "vp09" => Ok(VideoCodec::Vp9),
        "dolby-vision" | "dvh1" | "dvhe" => Ok(VideoCodec::DolbyVision),
        _ => Err("give one of: avc, hevc, av1, vp9, dolby-vision".to_owned()),
    }
}

fn audio_codec(word: &str) -> Result<AudioCodec, String> {
    match word.to_ascii_lowercase().as_str() {
        "aac" | "mp4a" => Ok(AudioCodec::Aac),
        "ac3" | "ac-3" => Ok(AudioCodec::Ac3),
        "eac3" | "ec3" | "ec-3" => Ok(AudioCodec::Eac3),
        "ac4" | "ac-4" => Ok(AudioCodec::Ac4),
        "opus" => Ok(AudioCodec::Opus),
        "flac" => Ok(AudioCodec::Flac),
        "mp3" => Ok(AudioCodec::Mp3),
        _ => Err("give one of: aac, ac3, eac3, ac4, opus, flac, mp3".to_owned()),
    }
}

/// `one`, `all`, or heights with commas between.
fn variants(text: &str) -> Result<Variants, String> {
    match text.to_ascii_lowercase().as_str() {
        "one" => Ok(Variants::One),
        "all" => Ok(Variants::All),
        list => {
            let heights: Result<_, _> = list.split(',').map(|height| height.trim().parse()).collect();
            let heights = heights.map_err(|_| "give `one`, `all`, or heights such as `360,720`")?;
            Ok(Variants::Heights(heights))
        }
    }
}

/// `all`, `none`, `default`, or languages with commas between.
fn languages(text: &str) -> Result<Languages, String> {
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    if let [word] = words.as_slice()
        && let Some(languages) = instead_of_languages(word)
    {
        return Ok(languages);
    }
    if words.contains(&"") {
        return Err("a language is empty; give `en,fr`, or: all, none, default".to_owned());
    }
    match words.iter().find(|word| instead_of_languages(word).is_some()) {
        Some(word) => Err(format!("`{word}` stands alone; give `en,fr`, or: all, none, default")),
        None => Ok(Languages::Only(words.into_iter().map(str::to_owned).collect())),
    }
}

/// What a word means that stands in place of a list of languages.
fn instead_of_languages(word: &str) -> Option<Languages> {
    match word.to_ascii_lowercase().as_str() {
        "all" => Some(Languages::All),
        "none" => Some(Languages::None),
        "default" => Some(Languages::Default),
        _ => None,
    }
}

/// `avc=900000`.
fn codec_bit_rate(text: &str) -> Result<(VideoCodec, BitRate), String> {
    let (codec, rate) = text.split_once('=').ok_or("give CODEC=N, such as `avc=900000`")?;
    let rate = rate.parse().map_err(|_| format!("`{rate}` is not a number of bits per second"))?;
    Ok((video_codec(codec)?, BitRate(rate)))
}

impl SelectionArgs {
    /// What the rest is laid over: the preferred bit rate's options unless something else was asked for.
    fn base(&self) -> SelectionOptions {
        let asked = self.height.is_some()
            || self.width.is_some()
            || self.variants.is_some()
            || self.audio.is_some()
            || self.text.is_some()
            || self.allow_inefficient_codecs
            || !self.video_codecs.is_empty()
            || !self.audio_codecs.is_empty()
            || !self.video_bitrate.is_empty();
        match self.bitrate {
            Some(rate) => SelectionOptions::preferred_video_bitrate(BitRate(rate)),
            None if asked => SelectionOptions::default(),
            None => SelectionOptions::preferred_video_bitrate(DEFAULT_BIT_RATE),
        }
    }
}

impl From<SelectionArgs> for SelectionOptions {
    fn from(args: SelectionArgs) -> Self {
        let base = args.base();
        let mut min_bit_rates = base.min_bit_rates;
        for (codec, rate) in args.video_bitrate {
            min_bit_rates.retain(|(other, _)| *other != codec);
            min_bit_rates.push((codec, rate));
        }
        Self {
            variants: args.variants.unwrap_or_default(),
            audio: args.audio.unwrap_or(base.audio),
            text: args.text.unwrap_or(base.text),
            video_codecs: args.video_codecs,
            audio_codecs: args.audio_codecs,
            min_width: args.width,
            min_height: args.height,
            min_bit_rates,
            inefficient_codecs: if args.allow_inefficient_codecs {
                InefficientCodecs::Allow
            } else {
                InefficientCodecs::Refuse
            },
        }
    }
}

/// What the playing device can decode.
#[derive(Debug, Args)]
pub(super) struct DecoderArgs {
    /// What the player decodes beside avc and aac, and nothing else: hw_hevc, sw_hevc, dolby_vision,
    /// av1, vp9, ac3, eac3, ac4, opus, flac; or: all, none [default: hw_hevc,sw_hevc,ac3,eac3,flac]
    #[arg(long, value_name = "LIST", value_parser = decoders, verbatim_doc_comment)]
    decoders: Option<Decoders>,
}

fn decoders(list: &str) -> Result<Decoders, String> {
    match list.to_ascii_lowercase().as_str() {
        "all" => Ok(Decoders::all()),
        "none" => Ok(Decoders::none()),
        list => list.split(',').try_fold(Decoders::none(), |mut decoders, word| {
            *decoder(&mut decoders, word)? = true;
            Ok(decoders)
        }),
    }
}

fn decoder<'a>(decoders: &'a mut Decoders, word: &str) -> Result<&'a mut bool, String> {
    Ok(match word.trim().to_ascii_lowercase().replace('-', "_").as_str() {
        "hw_hevc" => &mut decoders.hardware_hevc,
        "sw_hevc" => &mut decoders.software_hevc,
        "dolby_vision" => &mut decoders.dolby_vision,
        "av1" => &mut decoders.av1,
        "vp9" => &mut decoders.vp9,
        "ac3" | "ac_3" => &mut decoders.ac3,
        "eac3" | "ec3" | "ec_3" => &mut decoders.eac3,
        "ac4" | "ac_4" => &mut decoders.ac4,
        "opus" => &mut decoders.opus,
        "flac" => &mut decoders.flac,
        _ => return Err(format!("`{word}` is no decoder; see --help")),
    })
}

impl From<DecoderArgs> for Decoders {
    fn from(args: DecoderArgs) -> Self {
        args.decoders.unwrap_or_default()
    }
}
