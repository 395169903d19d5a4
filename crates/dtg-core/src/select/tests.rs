//! What is chosen, by small menus.

use hls_parse::{ParseOptions, Playlist};

use super::*;
use crate::options::{AudioCodec, InefficientCodecs, Languages, VideoCodec};

/// `"360p@600/avc1.x 720p@1500"` is a menu: heights in pixels, rates in kbit/s, codecs where stated.
fn menu(text: &str) -> String {
    let mut playlist = String::from("#EXTM3U\n");
    for word in text.split_whitespace() {
        let (size, codecs) = word.split_once('/').map_or((word, None), |(size, codecs)| (size, Some(codecs)));
        let (height, rate) = size.split_once('@').unwrap();
        playlist.push_str("#EXT-X-STREAM-INF:");
        if rate != "-" {
            playlist.push_str(&format!("BANDWIDTH={},", rate.parse::<u64>().unwrap() * 1000));
        }
        if let Some(height) = height.strip_suffix('p') {
            playlist.push_str(&format!("RESOLUTION={}x{height},", height.parse::<u64>().unwrap() * 16 / 9));
        }
        if let Some(codecs) = codecs {
            playlist.push_str(&format!("CODECS=\"{codecs}\","));
        }
        playlist.push_str(&format!("PATHWAY-ID=\".\"\n{word}\n"));
    }
    playlist
}

#[track_caller]
fn selected(
    playlist: &str,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Selection, SelectError> {
    let parsed = hls_parse::parse(playlist.as_bytes(), &ParseOptions::default()).unwrap();
    match parsed.playlist {
        Playlist::Multivariant(multivariant) => select(&multivariant, options, decoders),
        Playlist::Media(_) => panic!("a media playlist"),
    }
}

#[track_caller]
fn check_with(text: &str, options: &SelectionOptions, decoders: &Decoders, expected: &str) {
    let selection = selected(&menu(text), options, decoders).unwrap();
    assert_eq!(selection.tracks[0].uri.as_deref(), Some(expected), "{:#?}", selection.skipped);
    assert_eq!(selection.skipped.len() + 1, text.split_whitespace().count(), "each other one has its reason");
}

#[track_caller]
fn check(text: &str, options: &SelectionOptions, expected: &str) {
    check_with(text, options, &Decoders::default(), expected);
}

fn high(height: u32) -> SelectionOptions {
    SelectionOptions { min_height: Some(height), ..SelectionOptions::default() }
}

fn rate(rate: u64) -> SelectionOptions {
    SelectionOptions::preferred_video_bitrate(BitRate(rate))
}

#[test]
fn takes_the_smallest_that_is_high_enough() {
    check("1080p@3000 360p@600 720p@1500", &high(700), "720p@1500");
}

#[test]
fn takes_the_highest_where_none_is_high_enough() {
    check("360p@600 720p@3000 720p@1500", &high(2160), "720p@3000");
}

#[test]
fn the_smallest_sufficient_picture_wins_even_with_a_higher_bit_rate() {
    check("720p@3000 1080p@2000", &high(700), "720p@3000");
}

#[test]
fn width_and_height_both_count() {
    let options = SelectionOptions { min_width: Some(1200), ..high(300) };
    check("360p@600 540p@900 720p@1500", &options, "720p@1500");
}

#[test]
fn takes_the_lowest_sufficient_bit_rate_where_no_size_is_asked_for() {
    check("720p@1500 360p@600 240p@200", &rate(300_000), "360p@600");
    check("360p@600 720p@1500", &rate(9_000_000), "720p@1500");
}

#[test]
fn rates_below_the_default_floor_are_passed_over() {
    check("240p@150 360p@600", &SelectionOptions::default(), "360p@600");
    check("240p@110/hvc1.1 360p@130/hvc1.1", &SelectionOptions::default(), "360p@130/hvc1.1");
}

#[test]
fn hevc_needs_seven_tenths_of_the_preferred_bit_rate() {
    check("360p@209/hvc1.1 360p@210/hvc1.1", &rate(300_000), "360p@210/hvc1.1");
}

#[test]
fn sizes_that_are_not_stated_do_not_stand_in_the_way() {
    check("?@600 ?@1500", &high(700), "?@600");
    check("?@600 720p@1500", &high(700), "720p@1500");
}

#[test]
fn a_variant_without_bandwidth_is_ranked_last() {
    check("360p@- 720p@1500", &SelectionOptions::default(), "720p@1500");
}

#[test]
fn ties_are_broken_by_the_order_of_the_playlist() {
    let chosen = selected(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=600000\na\n#EXT-X-STREAM-INF:BANDWIDTH=600000\nb\n",
        &high(1),
        &Decoders::default(),
    )
    .unwrap();
    assert_eq!(chosen.tracks[0].uri.as_deref(), Some("a"));
    assert_eq!(chosen.skipped[0].reason, SkipReason::Backup);
}

#[test]
fn hevc_is_wanted_most_where_hardware_decodes_it() {
    let text = "360p@600/avc1.4d 360p@400/hvc1.1";
    check(text, &SelectionOptions::default(), "360p@400/hvc1.1");
    let avc_first = SelectionOptions { video_codecs: vec![VideoCodec::Avc], ..SelectionOptions::default() };
    check(text, &avc_first, "360p@600/avc1.4d");
}

#[test]
fn hevc_in_software_is_taken_only_if_allowed() {
    let text = "360p@600/avc1.4d 360p@400/hev1.1";
    let software = Decoders { software_hevc: true, ..Decoders::none() };
    let allowed =
        SelectionOptions { inefficient_codecs: InefficientCodecs::Allow, ..SelectionOptions::default() };
    check_with(text, &SelectionOptions::default(), &software, "360p@600/avc1.4d");
    check_with(text, &allowed, &software, "360p@400/hev1.1");
    check_with(text, &allowed, &Decoders::none(), "360p@600/avc1.4d");
}

#[test]
fn a_codec_that_cannot_be_decoded_is_skipped_with_its_name() {
    let text = "360p@600/avc1.4d,ac-3 720p@900/avc1.4d,mp4a.40.2 1080p@700/xyz9";
    let skipped = selected(&menu(text), &SelectionOptions::default(), &Decoders::none()).unwrap().skipped;
    let reasons: Vec<_> = skipped.into_iter().map(|it| it.reason).collect();
    assert_eq!(reasons, [SkipReason::Codec("ac-3".into()), SkipReason::Codec("xyz9".into())]);
}

#[test]
fn codecs_of_subtitles_and_blanks_between_codecs_do_not_matter() {
    check("360p@600/mp4a.40.2,wvtt,avc1.4d", &SelectionOptions::default(), "360p@600/mp4a.40.2,wvtt,avc1.4d");
}

#[test]
fn a_playlist_that_cannot_be_played_at_all_is_an_error_with_every_reason() {
    let error = selected(&menu("360p@600/ac-3 360p@600/av01.0"), &high(1), &Decoders::none()).unwrap_err();
    assert!(matches!(&error, SelectError::NothingPlayable { skipped } if skipped.len() == 2), "{error}");
    assert_eq!(error.to_string(), "no variant can be played here: the codec `ac-3` can't be decoded here");
}

#[test]
fn a_playlist_with_i_frame_lists_only_has_no_variant() {
    let text = "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\"\n";
    assert_eq!(selected(text, &high(1), &Decoders::all()), Err(SelectError::NoVariant));
}

#[test]
fn an_audio_only_presentation_is_chosen_by_audio_codec() {
    let text = "a@64/mp4a.40.2 b@128/ec-3 c@96/ac-3";
    let selection = selected(&menu(text), &rate(300_000), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks[0].uri.as_deref(), Some("b@128/ec-3"));
    assert_eq!(selection.tracks[0].kind, TrackKind::Audio);
    let aac = SelectionOptions { audio_codecs: vec![AudioCodec::Aac], ..SelectionOptions::default() };
    check(text, &aac, "a@64/mp4a.40.2");
}

#[test]
fn sound_alone_is_not_taken_where_there_are_pictures() {
    check(
        "a@64/mp4a.40.2 360p@600/avc1.4d,mp4a.40.2",
        &SelectionOptions::default(),
        "360p@600/avc1.4d,mp4a.40.2",
    );
}

/// One variant with audio group `g`, and renditions as `"eng eng* - group:fra inside"`.
fn renditions(text: &str) -> String {
    let mut playlist = String::from("#EXTM3U\n");
    for (n, word) in text.split_whitespace().enumerate() {
        let (group, word) = word.split_once(':').unwrap_or(("g", word));
        let language = word.trim_end_matches(['*', '!']);
        playlist.push_str(&format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{group}\",NAME=\"{word}\""));
        if language != "-" {
            playlist.push_str(&format!(",LANGUAGE=\"{language}\""));
        }
        if word.ends_with('*') {
            playlist.push_str(",DEFAULT=YES");
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
fn languages_match_as_a_user_means_them() {
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
    let selection = selected(&playlist, &rate(300_000), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks.len(), 1);
    assert!(selection.skipped.iter().all(|it| it.reason == SkipReason::OtherGroup));
}

#[test]
fn what_is_inside_the_variant_is_listed_and_not_fetched() {
    check_audio("eng! dan", only(&["dan"]), "eng! dan");
    let selection = selected(&renditions("eng! dan"), &rate(1), &Decoders::default()).unwrap();
    assert_eq!(selection.playlists(), ["v.m3u8", "1.m3u8"]);
    assert_eq!(selection.tracks[1].bit_rate, None);
}

#[test]
fn a_playlist_that_two_tracks_share_is_fetched_once() {
    let playlist = renditions("eng dan").replace("0.m3u8", "1.m3u8");
    let selection = selected(&playlist, &rate(1), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks.len(), 3);
    assert_eq!(selection.playlists(), ["v.m3u8", "1.m3u8"]);
}

#[test]
fn subtitles_without_uri_are_left_out_with_the_reason() {
    let playlist = renditions("eng!").replace("AUDIO", "SUBTITLES");
    let selection = selected(&playlist, &rate(1), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks.len(), 1);
    assert_eq!(selection.skipped[0].reason, SkipReason::NoUri);
}

#[test]
fn what_is_skipped_is_named_without_its_query() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=200000\nhttps://u:p@h/a?t=secret\n\
                #EXT-X-STREAM-INF:BANDWIDTH=900000\nhttps://u:p@h/b?t=secret\n";
    let selection = selected(text, &rate(1), &Decoders::default()).unwrap();
    assert_eq!(selection.skipped[0].what, "https://h/b");
}
