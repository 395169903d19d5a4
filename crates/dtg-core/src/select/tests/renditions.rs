//! Which renditions are chosen with the variants.

use super::*;

fn all() -> SelectionOptions {
    SelectionOptions { audio: Languages::All, text: Languages::All, ..SelectionOptions::default() }
}

/// One variant with audio group `g`, and renditions as `"eng group:fra - dan* deu+ ces!"`: `-` states no
/// language, `*` is DEFAULT, `+` AUTOSELECT, `!` inside the variant. The word is the name.
fn renditions(text: &str) -> String {
    let mut playlist = String::from("#EXTM3U\n");
    for (n, word) in text.split_whitespace().enumerate() {
        let (group, word) = word.split_once(':').unwrap_or(("g", word));
        let language = word.trim_end_matches(['*', '+', '!']);
        playlist.push_str(&format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{group}\",NAME=\"{word}\""));
        if language != "-" {
            playlist.push_str(&format!(",LANGUAGE=\"{language}\""));
        }
        if word.ends_with('*') {
            playlist.push_str(",DEFAULT=YES");
        }
        if word.ends_with('+') {
            playlist.push_str(",AUTOSELECT=YES");
        }
        if !word.ends_with('!') {
            playlist.push_str(&format!(",URI=\"{n}.m3u8\""));
        }
        playlist.push('\n');
    }
    playlist + "#EXT-X-STREAM-INF:BANDWIDTH=600000,AUDIO=\"g\"\nv.m3u8\n"
}

#[track_caller]
fn check_audio(text: &str, audio: Languages, expected: &str) {
    let options = SelectionOptions { audio, ..SelectionOptions::default() };
    let selection = selected(&renditions(text), &options, &Decoders::default()).unwrap();
    let titles: Vec<_> = selection.tracks.iter().skip(1).filter_map(|it| it.title.as_deref()).collect();
    assert_eq!(titles.join(" "), expected, "{:#?}", selection.skipped);
    assert_eq!(titles.len() + selection.skipped.len(), text.split_whitespace().count());
}

fn only(languages: &[&str]) -> Languages {
    Languages::Only(languages.iter().map(|it| (*it).to_owned()).collect())
}

#[test]
fn the_default_rendition_is_kept_unless_none_is_asked_for() {
    check_audio("dan* eng", Languages::Default, "dan*");
    check_audio("dan* eng", Languages::None, "");
    check_audio("dan* eng", Languages::All, "dan* eng");
}

#[test]
fn a_group_without_a_default_is_not_silent() {
    check_audio("dan eng+ fra+", Languages::Default, "eng+");
    check_audio("dan eng", Languages::Default, "dan");
    check_audio("dan eng", Languages::None, "");
    check_audio("dan eng -", Languages::Default, "-");
    check_audio("dan eng!", Languages::Default, "eng!");
    check_audio("dan eng+", only(&["fra"]), "eng+");
}

#[test]
fn each_track_has_the_reason_for_which_it_is_taken() {
    use SelectReason::{Asked, Default, Inside, NoLanguage, StandIn};
    let reasons = |text: &str, audio| {
        let options = SelectionOptions { audio, ..SelectionOptions::default() };
        let selection = selected(&renditions(text), &options, &Decoders::default()).unwrap();
        selection.renditions().map(|track| track.reason).collect::<Vec<_>>()
    };
    assert_eq!(reasons("dan* eng - ces!", Languages::Default), [Default, NoLanguage, Inside]);
    assert_eq!(reasons("dan* eng -", only(&["en"])), [Asked, NoLanguage]);
    assert_eq!(reasons("dan* eng", Languages::All), [Asked, Asked]);
    assert_eq!(reasons("dan* eng", only(&["fr"])), [StandIn]);
    assert_eq!(reasons("dan eng", Languages::Default), [StandIn]);
}

#[test]
fn subtitles_may_be_none_at_all() {
    let text = |playlist: &str, text| {
        let playlist = renditions(playlist).replace("AUDIO", "SUBTITLES");
        let options = SelectionOptions { text, ..SelectionOptions::default() };
        let selection = selected(&playlist, &options, &Decoders::default()).unwrap();
        let chosen: Vec<_> = selection.renditions().filter_map(|it| it.title.clone()).collect();
        assert!(selection.renditions().all(|it| it.bit_rate.is_none() && it.kind == TrackKind::Text));
        chosen.join(" ")
    };
    assert_eq!(text("dan eng+", Languages::Default), "");
    assert_eq!(text("dan* eng+", Languages::Default), "dan*");
    assert_eq!(text("dan* eng -", only(&["en"])), "eng -");
    assert_eq!(text("dan* eng", only(&["fr"])), "");
    assert_eq!(text("dan* eng -", Languages::None), "");
    assert_eq!(text("dan* eng -", Languages::All), "dan* eng -");
}

#[test]
fn an_audio_rendition_is_expected_to_have_64_kbit() {
    let selection = selected(&renditions("eng"), &all(), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks[1].bit_rate, Some(BitRate(64_000)));
}

/// Two variants, `low` with group `a` and `high` with group `b`.
const TWO_GROUPS: &str = "#EXTM3U\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a-en\",LANGUAGE=\"en\",URI=\"a-en\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a-fr\",LANGUAGE=\"fr\",URI=\"a-fr\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"b-en\",LANGUAGE=\"en\",URI=\"b-en\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"b-de\",LANGUAGE=\"de\",URI=\"b-de\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"c\",NAME=\"c-en\",LANGUAGE=\"en\",URI=\"c-en\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=600000,AUDIO=\"a\",RESOLUTION=640x360\nlow\n\
    #EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO=\"b\",RESOLUTION=1280x720\nhigh\n";

#[test]
fn several_variants_bring_the_renditions_of_all_their_groups() {
    let chosen = |asked: &str, audio| {
        let options = SelectionOptions { audio, ..wish(asked).0 };
        selected(TWO_GROUPS, &options, &Decoders::default()).unwrap().playlists().join(" ")
    };
    assert_eq!(chosen("", Languages::All), "low a-en a-fr");
    assert_eq!(chosen("all", Languages::All), "low high a-en a-fr b-en b-de");
    assert_eq!(chosen("each=300,700", only(&["en"])), "low high a-en b-en");
    assert_eq!(chosen("all", only(&["fr"])), "low high a-fr b-en", "no group falls silent");
    assert_eq!(chosen("all", Languages::Default), "low high a-en b-en");
    assert_eq!(chosen("all", Languages::None), "low high");
}

#[test]
fn captions_of_other_groups_are_left_out_and_the_variants_own_come_with_it() {
    let captions = |group: &str| {
        format!(
            "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"{group}\",NAME=\"{group}\",INSTREAM-ID=\"CC1\"\n"
        )
    };
    let playlist = format!(
        "#EXTM3U\n{}{}#EXT-X-STREAM-INF:BANDWIDTH=600000,CLOSED-CAPTIONS=\"own\"\nv\n",
        captions("own"),
        captions("other")
    );
    let selection = selected(&playlist, &all(), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks.len(), 1);
    let [skipped] = selection.skipped.as_slice() else { panic!("{:?}", selection.skipped) };
    assert_eq!((skipped.what.as_str(), &skipped.reason), ("other", &SkipReason::OtherGroup));
}

#[test]
fn other_views_are_left_out_and_the_variants_own_comes_with_it() {
    let playlist = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"v\",NAME=\"main\",DEFAULT=YES\n\
        #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"v\",NAME=\"side\",URI=\"side\"\n\
        #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"w\",NAME=\"main\",URI=\"w\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000,VIDEO=\"v\"\nv\n";
    let selection = selected(playlist, &all(), &Decoders::default()).unwrap();
    let reasons: Vec<_> = selection.skipped.iter().map(|it| (it.line, it.reason.clone())).collect();
    assert_eq!(reasons, [(3, SkipReason::AlternativeView), (4, SkipReason::OtherGroup)]);
}

#[test]
fn languages_match_as_a_user_means_them() {
    check_audio("fre fra fr fr-CA FR eng", only(&["fr"]), "fre fra fr fr-CA FR");
    check_audio("fre fr-CA eng", only(&["fra"]), "fre fr-CA");
    check_audio("ger deu de cze", only(&["deu"]), "ger deu de");
    check_audio("cze ces cs dut", only(&["cs", "nld"]), "cze ces cs dut");
    check_audio("pt-BR pt-PT pt es", only(&["pt-BR"]), "pt-BR pt");
    check_audio("zh-Hans zh-Hant en", only(&["zh-Hant"]), "zh-Hant");
    check_audio("fra-CA eng", only(&["fre"]), "fra-CA");
    check_audio("en-US ENG dan*", only(&["en"]), "en-US ENG");
}

#[test]
fn a_rendition_without_language_is_kept() {
    check_audio("- eng", only(&["dan"]), "-");
    check_audio("und eng", Languages::Default, "und");
}

#[test]
fn a_language_that_is_missing_does_not_make_the_download_silent() {
    check_audio("dan* eng", only(&["fra"]), "dan*");
    check_audio("dan* eng", only(&[]), "dan*");
}

#[test]
fn renditions_of_other_groups_are_not_taken() {
    check_audio("eng other:eng other:-", Languages::All, "eng");
}

#[test]
fn a_variant_without_a_group_takes_no_renditions() {
    let playlist = renditions("eng* dan").replace(",AUDIO=\"g\"", "");
    let selection = selected(
        &playlist,
        &SelectionOptions::preferred_video_bitrate(BitRate(300_000)),
        &Decoders::default(),
    )
    .unwrap();
    assert_eq!(selection.tracks.len(), 1);
    assert!(selection.skipped.iter().all(|it| it.reason == SkipReason::OtherGroup));
}

#[test]
fn what_is_inside_the_variant_is_listed_and_not_fetched() {
    check_audio("eng! dan", only(&["dan"]), "eng! dan");
    let selection = selected(&renditions("eng! dan"), &all(), &Decoders::default()).unwrap();
    assert_eq!(selection.playlists(), ["v.m3u8", "1.m3u8"]);
    assert_eq!(selection.tracks[1].bit_rate, None);
}

#[test]
fn a_playlist_that_two_tracks_share_is_fetched_once() {
    let playlist = renditions("eng dan").replace("0.m3u8", "1.m3u8");
    let selection = selected(&playlist, &all(), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks.len(), 3);
    assert_eq!(selection.playlists(), ["v.m3u8", "1.m3u8"]);
}

#[test]
fn subtitles_without_uri_are_left_out_with_the_reason() {
    let playlist = renditions("eng!").replace("AUDIO", "SUBTITLES");
    let selection = selected(&playlist, &all(), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks.len(), 1);
    assert_eq!(selection.skipped[0].reason, SkipReason::NoUri);
}
