//! What the words mean.

use dtg_core::{AudioCodec, BitRate, InefficientCodecs, Languages, Variants, VideoCodec};

use super::*;

fn parse(line: &str) -> Invocation {
    let words = std::iter::once("dtg").chain(line.split_whitespace());
    RawArgs::try_parse_from(words).unwrap().into()
}

fn plan(line: &str) -> Plan {
    let Command::Plan(plan) = parse(&format!("plan http://h/m.m3u8 {line}")).command else {
        panic!("not a plan");
    };
    plan
}

fn selection(line: &str) -> SelectionOptions {
    plan(line).selection
}

fn decoders(line: &str) -> Decoders {
    plan(line).decoders
}

#[track_caller]
fn refused(line: &str) {
    let words = std::iter::once("dtg").chain(line.split_whitespace());
    let error = RawArgs::try_parse_from(words).map(|raw| format!("{raw:?}")).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
}

#[test]
fn the_words_are_consistent() {
    use clap::CommandFactory as _;
    RawArgs::command().debug_assert();
}

#[test]
fn without_a_wish_the_preferred_bit_rate_is_300_kbit() {
    assert_eq!(selection(""), SelectionOptions::preferred_video_bitrate(BitRate(300_000)));
    assert_eq!(selection("--bitrate 900000"), SelectionOptions::preferred_video_bitrate(BitRate(900_000)));
}

#[test]
fn any_wish_but_a_bit_rate_starts_from_the_plain_defaults() {
    let expected = SelectionOptions {
        min_height: Some(1080),
        audio: Languages::All,
        text: Languages::All,
        ..SelectionOptions::default()
    };
    assert_eq!(selection("--height 1080 --audio all --text all"), expected);
    assert_eq!(selection("--audio default").audio, Languages::Default);
}

#[test]
fn a_wish_is_laid_over_the_bit_rate_s_options() {
    let options = selection("--bitrate 900000 --audio none --text en,fr");
    assert_eq!(options.audio, Languages::None);
    assert_eq!(options.text, Languages::Only(vec!["en".into(), "fr".into()]));
    assert_eq!(
        options.min_bit_rates,
        SelectionOptions::preferred_video_bitrate(BitRate(900_000)).min_bit_rates
    );
}

#[test]
fn words_in_place_of_a_list_are_the_same_in_upper_and_lower_case() {
    assert_eq!(selection("--audio ALL").audio, Languages::All);
    assert_eq!(selection("--audio None").audio, Languages::None);
    assert_eq!(selection("--text DEFAULT").text, Languages::Default);
    assert_eq!(selection("--variants One --height 1").variants, Variants::One);
    assert_eq!(selection("--variants ALL").variants, Variants::All);
    assert_eq!(decoders("--decoders All"), Decoders::all());
    assert_eq!(decoders("--decoders NONE"), Decoders::none());
}

#[test]
fn words_in_place_of_languages_do_not_go_with_languages() {
    for list in ["en,none", "all,en", "en,Default", "none,none", "en,ALL,fr"] {
        refused(&format!("plan x --audio {list}"));
        refused(&format!("plan x --text {list}"));
    }
    assert_eq!(selection("--audio alle").audio, Languages::Only(vec!["alle".into()]));
}

#[test]
fn codecs_are_preferred_in_the_order_they_are_given() {
    let options = selection("--video-codecs hevc,avc1 --audio-codecs eac3,mp4a --allow-inefficient-codecs");
    assert_eq!(options.video_codecs, [VideoCodec::Hevc, VideoCodec::Avc]);
    assert_eq!(options.audio_codecs, [AudioCodec::Eac3, AudioCodec::Aac]);
    assert_eq!(options.inefficient_codecs, InefficientCodecs::Allow);
}

#[test]
fn several_qualities_are_all_or_one_for_each_height() {
    assert_eq!(selection("--variants one"), SelectionOptions::default());
    assert_eq!(selection("--variants all").variants, Variants::All);
    assert_eq!(selection("--variants 360,1080").variants, Variants::Heights(vec![360, 1080]));
    refused("plan x --variants 360,,720");
    refused("plan x --variants some");
}

#[test]
fn a_codec_s_bit_rate_replaces_the_one_before() {
    let options = selection("--video-bitrate avc=1 --video-bitrate hevc=2 --video-bitrate avc=3");
    assert_eq!(options.min_bit_rates, [(VideoCodec::Hevc, BitRate(2)), (VideoCodec::Avc, BitRate(3))]);
}

#[test]
fn decoders_that_are_listed_are_the_only_ones() {
    assert_eq!(decoders(""), Decoders::default());
    assert_eq!(decoders("--decoders none"), Decoders::none());
    let listed = decoders("--decoders hw_hevc,ac3");
    assert!(listed.hardware_hevc && listed.ac3 && !listed.software_hevc && !listed.eac3);
}

#[test]
fn a_source_is_a_url_a_file_or_stdin() {
    let source = |text: &str| text.parse::<Source>().unwrap();
    assert_eq!(source("https://h/a.m3u8"), Source::Url("https://h/a.m3u8".into()));
    assert_eq!(source("a/b.m3u8"), Source::File("a/b.m3u8".into()));
    assert_eq!(source("-"), Source::Stdin);
}

#[test]
fn an_id_is_made_from_the_url_unless_it_is_given() {
    let id = |line| {
        let Command::Download(download) = parse(line).command else { panic!("not a download") };
        download.id
    };
    assert!(matches!(id("download http://h/a.m3u8 --id x"), Named::ByUser(id) if id.as_str() == "x"));
    assert!(matches!(id("download http://h/a.m3u8"), Named::ByUrl(id) if id == id_of("http://h/a.m3u8")));
}

#[test]
fn wrong_usage_has_exit_code_2() {
    refused("");
    refused("fly");
    refused("download");
    refused("download http://h --connections 0");
    refused("download http://h --audio en,,fr");
    refused("download http://h --video-bitrate avc");
    refused("plan x --video-codecs divx");
    refused("info \u{1}");
}
