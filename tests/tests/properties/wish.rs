//! Any selection.

use std::fmt;

use dtg_core::{BitRate, Decoders, Languages, SelectionOptions, Variants, VideoCodec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// What is asked for, and what can be decoded.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) options: SelectionOptions,
    pub(crate) decoders: Decoders,
}

/// One line: it is printed with each failure, below its tree.
impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SelectionOptions {
            variants,
            audio,
            text,
            video_codecs,
            min_width,
            min_height,
            min_bit_rates,
            ..
        } = &self.options;
        write!(
            f,
            "{variants:?}, audio {audio:?}, text {text:?}, codecs {video_codecs:?}, at least {min_width:?} x {min_height:?}"
        )?;
        write!(f, " at {min_bit_rates:?}, hevc {}", self.decoders.hardware_hevc)
    }
}

impl Wish {
    /// As the worker asks.
    pub(crate) fn of_the_worker() -> Self {
        Self { options: BitRate(300_000).into(), decoders: Decoders::default() }
    }
}

impl Wish {
    /// As the tasks of these tests ask.
    pub(crate) fn of_the_task() -> Self {
        let rates = VideoCodec::ALL.map(|codec| (codec, BitRate(300_000))).to_vec();
        let options = SelectionOptions {
            audio: Languages::All,
            text: Languages::All,
            min_bit_rates: rates,
            ..SelectionOptions::default()
        };
        Self { options, decoders: Decoders::default() }
    }
}

pub(crate) fn any_wish() -> impl Strategy<Value = Wish> {
    let codecs = [vec![], vec![VideoCodec::Avc], vec![VideoCodec::Hevc, VideoCodec::Avc]];
    let rates = vec![None, Some(0), Some(1_000_000), Some(9_000_000)];
    (
        variants(),
        languages(),
        languages(),
        select(codecs.to_vec()),
        option::weighted(0.3, 1_u32..=1200),
        option::weighted(0.2, 1_u32..=2000),
        select(rates),
        select(vec![Decoders::default(), Decoders::all(), Decoders::none()]),
    )
        .prop_map(|(variants, audio, text, video_codecs, min_height, min_width, rate, decoders)| {
            let rates = |rate| vec![(VideoCodec::Avc, BitRate(rate)), (VideoCodec::Hevc, BitRate(rate))];
            let min_bit_rates = rate.map(rates).unwrap_or_default();
            let options = SelectionOptions {
                variants,
                audio,
                text,
                video_codecs,
                min_height,
                min_width,
                min_bit_rates,
                ..SelectionOptions::default()
            };
            Wish { options, decoders }
        })
}

fn variants() -> impl Strategy<Value = Variants> {
    select(vec![Variants::One, Variants::All, Variants::Heights(vec![200, 700])])
}

fn languages() -> impl Strategy<Value = Languages> {
    let only = |language: &str| Languages::Only(vec![language.to_owned()]);
    select(vec![Languages::All, Languages::Default, Languages::None, only("en"), only("fr")])
}
