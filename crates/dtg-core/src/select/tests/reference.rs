//! The outcome is the reference's for any menu and any wish: its rules once more, as plainly as they are told.
//!
//! Where the reference is wrong the better rule stands in its place, and is marked.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select as one_of, subsequence};

use super::*;

/// A variant by what the rules look at.
#[derive(Debug, Clone)]
struct Dish {
    size: Option<(u64, u64)>,
    bandwidth: u64,
    codecs: Option<&'static str>,
    group: Option<&'static str>,
}

/// A rendition by what the rules look at.
#[derive(Debug, Clone)]
struct Voice {
    kind: &'static str,
    group: &'static str,
    language: Option<&'static str>,
    default: bool,
    autoselect: bool,
}

#[derive(Debug, Clone)]
struct Order {
    height: Option<u32>,
    width: Option<u32>,
    avc: Option<u64>,
    hevc: Option<u64>,
    video: Vec<VideoCodec>,
    audio: Vec<AudioCodec>,
    allow_inefficient: bool,
    decoders: Decoders,
    voices: Wanted,
    texts: Wanted,
}

#[derive(Debug, Clone)]
enum Wanted {
    None,
    Default,
    Only(Vec<&'static str>),
    All,
}

const CODECS: [&str; 8] = [
    "avc1.64001f,mp4a.40.2",
    "hvc1.2.4.L93,mp4a.40.2",
    "avc1.64001f,ac-3",
    "hev1.2.4.L93,ec-3",
    "av01.0.04M.08",
    "mp4a.40.2",
    "ac-3",
    "ec-3",
];
const LANGUAGES: [&str; 6] = ["en", "eng", "fr", "fra", "fre", "ger"];

fn any_dish() -> impl Strategy<Value = Dish> {
    let sizes = vec![(640, 360), (640, 480), (960, 540), (1280, 720), (720, 1280)];
    let rates = vec![64_000, 119_999, 120_000, 180_000, 300_000, 500_000, 900_000];
    (
        option::weighted(0.8, one_of(sizes)),
        one_of(rates),
        option::weighted(0.8, one_of(CODECS.to_vec())),
        one_of(vec![None, Some("a"), Some("b")]),
    )
        .prop_map(|(size, bandwidth, codecs, group)| Dish { size, bandwidth, codecs, group })
}

fn any_voice() -> impl Strategy<Value = Voice> {
    let kind = one_of(vec!["AUDIO", "SUBTITLES"]);
    let language = option::weighted(0.8, one_of(LANGUAGES.to_vec()));
    (kind, one_of(vec!["a", "b"]), language, any::<(bool, bool)>()).prop_map(
        |(kind, group, language, (default, autoselect))| Voice { kind, group, language, default, autoselect },
    )
}

fn any_wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        Just(Wanted::None),
        Just(Wanted::Default),
        Just(Wanted::All),
        subsequence(LANGUAGES.to_vec(), 1..3).prop_map(Wanted::Only),
    ]
}

prop_compose! {
    fn any_order()(
        (height, width) in (option::of(300_u32..1400), option::of(600_u32..1400)),
        (avc, hevc) in (option::of(60_000_u64..1_000_000), option::of(60_000_u64..1_000_000)),
        video in subsequence(vec![VideoCodec::Avc, VideoCodec::Hevc], 0..=2).prop_shuffle(),
        audio in subsequence(vec![AudioCodec::Aac, AudioCodec::Ac3, AudioCodec::Eac3], 0..=3).prop_shuffle(),
        (allow_inefficient, hardware_hevc, software_hevc, ac3, eac3) in any::<(bool, bool, bool, bool, bool)>(),
        (voices, texts) in (any_wanted(), any_wanted()),
    ) -> Order {
        let decoders = Decoders { hardware_hevc, software_hevc, ac3, eac3, ..Decoders::none() };
        Order { height, width, avc, hevc, video, audio, allow_inefficient, decoders, voices, texts }
    }
}

/// Which codec a variant counts as; none where the device can't decode it.
fn codec_of(dish: &Dish, order: &Order) -> Option<&'static str> {
    let Some(codecs) = dish.codecs else { return Some("avc") };
    let decoders = &order.decoders;
    let hevc = decoders.hardware_hevc || decoders.software_hevc && order.allow_inefficient;
    let mut names = Vec::new();
    for tag in codecs.split(',') {
        let (name, decodes) = match tag.split('.').next().unwrap() {
            "avc1" => ("avc", true),
            "hvc1" | "hev1" => ("hevc", hevc),
            "mp4a" => ("mp4a", true),
            "ac-3" => ("ac3", decoders.ac3),
            "ec-3" => ("eac3", decoders.eac3),
            _ => ("", false),
        };
        if !decodes {
            return None;
        }
        names.push(name);
    }
    // Better than the reference: sound only that states a size is pictures whose codec is not named.
    let is_sound = !names.iter().any(|name| ["avc", "hevc"].contains(name));
    if is_sound && dish.size.is_some() { Some("avc") } else { names.first().copied() }
}

/// Sorts, and keeps what is at least so much; where nothing is, the largest.
fn keep(mut dishes: Vec<&Dish>, size: impl Fn(&Dish) -> u64, least: u64) -> Vec<&Dish> {
    dishes.sort_by_key(|dish| size(dish));
    let enough: Vec<_> = dishes.iter().copied().filter(|dish| size(dish) >= least).collect();
    if enough.is_empty() { dishes.pop().into_iter().collect() } else { enough }
}

/// The variant that the reference takes.
fn dish_of<'d>(dishes: &'d [Dish], order: &Order) -> Option<&'d Dish> {
    let playable: Vec<_> = dishes.iter().filter(|dish| codec_of(dish, order).is_some()).collect();
    let sizes_stated = playable.iter().any(|dish| dish.size.is_some());
    let video = order.video.iter().map(|codec| if *codec == VideoCodec::Avc { "avc" } else { "hevc" });
    let audio = order.audio.iter().map(|codec| codec.as_str());
    let priorities = video.chain(["hevc", "avc"]).chain(audio).chain(["eac3", "ac3", "mp4a"]);
    let codec =
        priorities.into_iter().find(|it| playable.iter().any(|dish| codec_of(dish, order) == Some(it)))?;
    let mut left: Vec<_> = playable.into_iter().filter(|dish| codec_of(dish, order) == Some(codec)).collect();
    let is_video = matches!(codec, "avc" | "hevc");
    let height = |dish: &Dish| dish.size.map_or(0, |(_, height)| height);
    let width = |dish: &Dish| dish.size.map_or(0, |(width, _)| width);
    let asked = |size: Option<u32>| size.filter(|_| sizes_stated && is_video).map(u64::from);
    left = keep(left, height, asked(order.height).unwrap_or(0));
    left = keep(left, width, asked(order.width).unwrap_or(0));
    let rate = match codec {
        "avc" => order.avc.unwrap_or(180_000),
        "hevc" => order.hevc.unwrap_or(120_000),
        _ => 0,
    };
    left = keep(left, |dish| dish.bandwidth, rate);
    // Better than the reference: the smallest sufficient picture does not lose to a smaller bit rate.
    left.sort_by_key(|dish| match (asked(order.height), asked(order.width)) {
        (Some(_), _) => (height(dish), width(dish), dish.bandwidth),
        (None, Some(_)) => (width(dish), height(dish), dish.bandwidth),
        (None, None) => (0, 0, dish.bandwidth),
    });
    left.first().copied()
}

/// The name of a language in a way that has one for each.
fn spoken(language: &str) -> &str {
    match language {
        "eng" => "en",
        "fra" | "fre" => "fr",
        "ger" => "de",
        other => other,
    }
}

/// The renditions of a kind that the reference takes, by their place in the playlist.
fn voices_of(voices: &[Voice], kind: &str, dish: &Dish, wanted: &Wanted) -> Vec<usize> {
    // Better than the reference: without a group attribute there are none.
    let group: Vec<_> = voices
        .iter()
        .enumerate()
        .filter(|(_, voice)| voice.kind == kind && Some(voice.group) == dish.group)
        .collect();
    let is_wanted = |voice: &Voice| match (wanted, voice.language) {
        (Wanted::None, _) => false,
        (Wanted::All, _) | (_, None) => true,
        // Better than the reference, which drops a default that states a language.
        (Wanted::Default, Some(_)) => voice.default,
        (Wanted::Only(asked), Some(its)) => asked.iter().any(|it| spoken(it) == spoken(its)),
    };
    let places = |wanted: &dyn Fn(&Voice) -> bool| -> Vec<usize> {
        group.iter().filter(|(_, voice)| wanted(voice)).map(|(place, _)| *place).collect()
    };
    let taken = places(&is_wanted);
    if !taken.is_empty() || kind != "AUDIO" || matches!(wanted, Wanted::None) {
        return taken;
    }
    // Better than the reference, whose download would be silent.
    let defaults = places(&|voice| voice.default);
    let first = places(&|voice| voice.autoselect).first().or(places(&|_| true).first()).copied();
    if defaults.is_empty() { first.into_iter().collect() } else { defaults }
}

fn playlist(dishes: &[Dish], voices: &[Voice]) -> String {
    let mut text = String::from("#EXTM3U\n");
    let yes = |it: bool| if it { "YES" } else { "NO" };
    for (place, voice) in voices.iter().enumerate() {
        let language = voice.language.map(|it| format!(",LANGUAGE=\"{it}\"")).unwrap_or_default();
        text.push_str(&format!(
            "#EXT-X-MEDIA:TYPE={},GROUP-ID=\"{}\",NAME=\"{place}\",DEFAULT={},AUTOSELECT={},URI=\"{place}.m3u8\"{language}\n",
            voice.kind, voice.group, yes(voice.default), yes(voice.autoselect),
        ));
    }
    for (place, dish) in dishes.iter().enumerate() {
        text.push_str(&format!("#EXT-X-STREAM-INF:BANDWIDTH={}", dish.bandwidth));
        dish.size.iter().for_each(|(width, height)| text.push_str(&format!(",RESOLUTION={width}x{height}")));
        dish.codecs.iter().for_each(|codecs| text.push_str(&format!(",CODECS=\"{codecs}\"")));
        dish.group.iter().for_each(|it| text.push_str(&format!(",AUDIO=\"{it}\",SUBTITLES=\"{it}\"")));
        text.push_str(&format!("\nv{place}.m3u8\n"));
    }
    text
}

fn languages(wanted: &Wanted) -> Languages {
    match wanted {
        Wanted::None => Languages::None,
        Wanted::Default => Languages::Default,
        Wanted::All => Languages::All,
        Wanted::Only(asked) => Languages::Only(asked.iter().map(|it| (*it).to_owned()).collect()),
    }
}

fn options(order: &Order) -> SelectionOptions {
    let rates = [(VideoCodec::Avc, order.avc), (VideoCodec::Hevc, order.hevc)];
    SelectionOptions {
        audio: languages(&order.voices),
        text: languages(&order.texts),
        video_codecs: order.video.clone(),
        audio_codecs: order.audio.clone(),
        min_width: order.width,
        min_height: order.height,
        min_bit_rates: rates.into_iter().filter_map(|(codec, rate)| Some((codec, BitRate(rate?)))).collect(),
        inefficient_codecs: if order.allow_inefficient {
            InefficientCodecs::Allow
        } else {
            InefficientCodecs::Refuse
        },
        ..SelectionOptions::default()
    }
}

proptest! {
    #[test]
    fn what_is_chosen_is_what_the_reference_chooses(
        dishes in prop::collection::vec(any_dish(), 1..7),
        voices in prop::collection::vec(any_voice(), 0..8),
        order in any_order(),
    ) {
        let text = playlist(&dishes, &voices);
        let selection = selected(&text, &options(&order), &order.decoders);
        let Some(dish) = dish_of(&dishes, &order) else {
            let is_refused = matches!(selection, Err(SelectError::NothingPlayable { .. }));
            prop_assert!(is_refused, "{}", text);
            return Ok(());
        };
        let selection = selection.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let place = dishes.iter().position(|it| std::ptr::eq(it, dish)).unwrap();
        let mut expected = vec![format!("v{place}.m3u8")];
        for (kind, wanted) in [("AUDIO", &order.voices), ("SUBTITLES", &order.texts)] {
            expected.extend(voices_of(&voices, kind, dish, wanted).iter().map(|it| format!("{it}.m3u8")));
        }
        prop_assert_eq!(selection.playlists(), expected, "{}", text);
        let rates: u64 = selection.tracks.iter().filter_map(|track| track.bit_rate).map(|rate| rate.0).sum();
        let voices = selection.tracks.iter().filter(|it| it.source != TrackSource::Variant(place) && it.kind == TrackKind::Audio);
        prop_assert_eq!(rates, dish.bandwidth + 64_000 * voices.count() as u64);
    }
}
