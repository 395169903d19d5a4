//! What is chosen of menus that are odd: one test or more for each row of the list of such inputs (51 to 58).

use super::*;

fn chosen(playlist: &str, asked: &str) -> Selection {
    let (options, decoders) = wish(asked);
    selected(playlist, &options, &decoders).unwrap()
}

fn reasons(selection: &Selection) -> Vec<&SkipReason> {
    selection.skipped.iter().map(|it| &it.reason).collect()
}

#[test]
fn row_51_a_backup_is_a_fail_over_and_no_second_track() {
    let playlist = "#EXTM3U\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000,RESOLUTION=640x360\nhttps://a.test/v\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000,RESOLUTION=640x360\nhttps://b.test/v\n\
        #EXT-X-STREAM-INF:BANDWIDTH=603000,RESOLUTION=640x360,AUDIO=\"x\"\nhttps://a.test/v\n";
    for asked in ["", "height=300", "each=300,700"] {
        let selection = chosen(playlist, asked);
        assert_eq!(uris(&selection), ["https://a.test/v"]);
        assert_eq!(reasons(&selection), [&SkipReason::Backup, &SkipReason::Backup]);
    }
    let selection = chosen(playlist, "all");
    assert_eq!(selection.playlists(), ["https://a.test/v"], "one playlist for both variants that share it");
    assert_eq!(reasons(&selection), [&SkipReason::Backup]);
}

#[test]
fn row_52_what_is_inside_the_variant_needs_no_request() {
    let playlist = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"muxed\",LANGUAGE=\"en\",DEFAULT=YES\n\
        #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"cc\",INSTREAM-ID=\"CC1\"\n\
        #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"no playlist\",LANGUAGE=\"en\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000,AUDIO=\"a\",SUBTITLES=\"s\",CLOSED-CAPTIONS=\"c\"\nv\n";
    let selection = chosen(playlist, "");
    assert_eq!(selection.playlists(), ["v"]);
    assert_eq!(selection.tracks[1].bit_rate, None);
    assert_eq!(reasons(&selection), [&SkipReason::NoUri]);
    let none = playlist.replace("CLOSED-CAPTIONS=\"c\"", "CLOSED-CAPTIONS=NONE");
    assert_eq!(reasons(&chosen(&none, "")), [&SkipReason::NoUri, &SkipReason::OtherGroup]);
}

#[test]
fn row_53_renditions_that_share_names_or_playlists_are_each_chosen_and_fetched_once() {
    let playlist = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"same\",URI=\"1\"\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"same\",URI=\"2\"\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"same\",URI=\"1\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000,AUDIO=\"a\"\nv\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO=\"b\"\nw\n";
    assert_eq!(chosen(playlist, "").playlists(), ["v", "1", "2"]);
    let all = chosen(playlist, "all");
    assert_eq!((all.tracks.len(), all.playlists()), (5, vec!["v", "w", "1", "2"]));
}

#[test]
fn row_53_a_group_that_is_not_there_leaves_the_variant_usable() {
    let selection = chosen("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=600000,AUDIO=\"x\"\nv\n", "");
    assert_eq!(selection.playlists(), ["v"]);
}

#[test]
fn row_53_a_group_that_no_variant_names_is_not_selected() {
    let playlist = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",DEFAULT=YES,URI=\"1\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000\nv\n";
    for asked in ["", "all"] {
        let selection = chosen(playlist, asked);
        assert_eq!(selection.playlists(), ["v"]);
        assert_eq!(reasons(&selection), [&SkipReason::OtherGroup]);
    }
}

#[test]
fn row_54_a_presentation_of_sound_only_is_chosen_by_audio_codec() {
    check("a@64/mp4a.40.2 b@128/mp4a.40.2 c@96/ec-3", "height=700 width=900", "c@96/ec-3");
    check("a@64/mp4a.40.2 b@128/mp4a.40.2", "prefer=300", "a@64/mp4a.40.2");
}

#[test]
fn row_55_a_bandwidth_that_is_missing_wrong_or_zero_is_ranked_last() {
    for wrong in ["", "BANDWIDTH=,", "BANDWIDTH=-1,", "BANDWIDTH=0,"] {
        let playlist = menu("360p@1 720p@1500").replace("BANDWIDTH=1000,", wrong);
        for asked in ["", "avc=0", "height=300", "prefer=9000"] {
            assert_eq!(uris(&chosen(&playlist, asked)), ["720p@1500"], "`{wrong}` and `{asked}`");
        }
        // The smallest sufficient picture wins where no bit rate is asked for.
        let selection = chosen(&playlist, "height=300 avc=0");
        assert_eq!(uris(&selection), ["360p@1"], "{wrong}");
    }
    check("a@-/mp4a.40.2 b@64/mp4a.40.2", "", "b@64/mp4a.40.2");
}

#[test]
fn row_55_a_bit_rate_that_is_not_known_reaches_no_minimum() {
    check("360p@- 720p@250", "prefer=300", "720p@250");
    check("360p@- 360p@250 480p@290 720p@-", "prefer=300", "480p@290");
    check("360p@- 720p@100", "height=300", "720p@100");
    check("360p@- 720p@600 1080p@1500", "each=300,1000", "720p@600 1080p@1500");
    check("360p@- 720p@600 1080p@1500", "all avc=1000", "1080p@1500");
    check_reasons("360p@- 480p@100 720p@250", "", &[SkipReason::NoBitRate, SkipReason::BitRateTooLow]);
    check_reasons("360p@- 720p@1500", "all avc=1000", &[SkipReason::NoBitRate]);
}

#[test]
fn row_55_where_no_bit_rate_is_known_a_minimum_does_not_count() {
    check("720p@- 360p@- 1080p@0", "prefer=300", "360p@-");
    check("360p@- 720p@- 1080p@-", "height=700 avc=900", "720p@-");
    check("360p@600 720p@- 1080p@-", "height=700", "720p@-");
    check("360p@- 720p@-", "all avc=900", "360p@- 720p@-");
    check("360p@600 720p@- 1080p@-", "all height=700 avc=900", "720p@- 1080p@-");
    check(
        "1p@-/avc1.4d 2p@-/avc1.4d 3p@9/hvc1.1",
        "all avc=5 hevc=5",
        "3p@9/hvc1.1 1p@-/avc1.4d 2p@-/avc1.4d",
    );
}

#[test]
fn row_55_the_average_is_the_bit_rate_where_there_is_no_other() {
    check("360p@-~600 720p@1500", "", "360p@-~600");
    check("360p@0~600 720p@1500", "", "360p@0~600");
    check("360p@-~250 720p@400", "prefer=300", "720p@400");
    check("360p@-~250 720p@-", "prefer=300", "360p@-~250");
    check("360p@290~310 720p@400", "prefer=300", "720p@400");
    check("?@-~600 ?@-~900", "all", "?@-~600 ?@-~900");
    check("?@-~600 ?@-~900", "all avc=700", "?@-~900");
}

#[test]
fn row_55_a_bandwidth_that_no_number_can_hold_is_an_error() {
    let playlist = menu("360p@1").replace("BANDWIDTH=1000,", "BANDWIDTH=18446744073709551616,");
    assert!(hls_parse::parse(playlist.as_bytes(), &ParseOptions::default()).is_err());
}

#[test]
fn row_55_the_largest_bandwidths_are_compared_exactly() {
    let playlist = menu("360p@1 720p@2")
        .replace("BANDWIDTH=1000,", "BANDWIDTH=18446744073709551615,")
        .replace("BANDWIDTH=2000,", "BANDWIDTH=2147483648,");
    let selection = selected(&playlist, &wish("").0, &Decoders::default()).unwrap();
    assert_eq!(uris(&selection), ["720p@2"]);
}

#[test]
fn row_55_the_average_is_what_is_expected_and_the_peak_is_what_ranks() {
    let playlist = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=600000,AVERAGE-BANDWIDTH=900000\na\n\
        #EXT-X-STREAM-INF:BANDWIDTH=700000,AVERAGE-BANDWIDTH=300000\nb\n";
    let selection = chosen(playlist, "");
    assert_eq!(uris(&selection), ["a"]);
    assert_eq!(selection.tracks[0].bit_rate, Some(BitRate(900_000)));
}

#[test]
fn row_55_a_rate_of_zero_says_nothing_of_the_size() {
    let rate_of = |text: &str| chosen(&menu(text), "").tracks[0].bit_rate;
    assert_eq!(rate_of("360p@500~0"), Some(BitRate(500_000)));
    assert_eq!(rate_of("360p@0~500"), Some(BitRate(500_000)));
    assert_eq!([rate_of("360p@0"), rate_of("360p@0~0"), rate_of("360p@-~0")], [None; 3]);
}

#[test]
fn row_56_a_size_that_is_missing_or_wrong_is_no_size() {
    for wrong in ["0x0", "1920X1080", "1920", "x", "-1x5", "0x720"] {
        let playlist = menu("1x1@600 1x2@1500").replace("=1x1,", &format!("={wrong},"));
        for (size, expected) in [("1x2", "1x2@1500"), (wrong, "1x1@600")] {
            let playlist = playlist.replace("=1x2,", &format!("={size},"));
            let selection = selected(&playlist, &wish("height=1").0, &Decoders::default()).unwrap();
            assert_eq!(uris(&selection), [expected], "{wrong} and {size}");
        }
    }
    check("2147483648x2147483648@600 720p@1500", "height=700", "720p@1500");
    check("2147483648x2147483648@600 720p@1500", "height=800", "2147483648x2147483648@600");
}

#[test]
fn row_56_ties_are_broken_the_same_way_every_run() {
    let text = "?@600/avc1.a ?@600/avc1.b 720p@900/avc1.c 720p@900/avc1.d";
    for (asked, expected) in [("", "?@600/avc1.a"), ("height=720", "720p@900/avc1.c")] {
        (0..20).for_each(|_| check(text, asked, expected));
    }
}

#[test]
fn row_57_without_codecs_a_variant_is_taken_for_avc() {
    check("360p@600 720p@1500", "has=nothing", "360p@600");
    check("360p@600 720p@1500/hvc1.1", "codecs=avc1", "360p@600");
}

#[test]
fn row_57_codecs_that_are_not_known_or_decoded_are_skipped_by_name() {
    let text = "1p@600/vp09.00 2p@600/av01.0 3p@600/dvh1.05 4p@600/foo 5p@600/avc1.4d";
    check(text, "has=nothing", "5p@600/avc1.4d");
    let reasons = ["vp09.00", "av01.0", "dvh1.05", "foo"].map(|codec| SkipReason::Codec(codec.into()));
    check_reasons(text, "has=nothing", &reasons);
}

#[test]
fn row_57_blanks_doubles_and_codecs_of_subtitles_do_not_matter() {
    let playlist = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=600000,CODECS=\"mp4a.40.2 , avc1.4d, avc1.4d,wvtt,stpp.ttml\"\nv\n";
    assert_eq!(uris(&chosen(playlist, "has=nothing")), ["v"]);
}

#[test]
fn row_57_codecs_of_text_never_stand_in_the_way() {
    for text in ["wvtt", "stpp.ttml.im1t", "c608", "C708", "tx3g", "sbtt", "stxt"] {
        let with_text = format!("360p@600/avc1.4d,mp4a.40.2,{text}");
        check(&with_text, "has=nothing", &with_text);
        let sound = chosen(&menu(&format!("a@64/{text},mp4a.40.2")), "has=nothing");
        assert_eq!(sound.tracks[0].kind, TrackKind::Audio, "{text}");
    }
    check_reasons("1p@600/avc1.4d,c609 2p@600/avc1.4d", "", &[SkipReason::Codec("c609".into())]);
}

#[test]
fn row_57_where_all_are_skipped_there_is_an_error_and_no_choice() {
    let (options, decoders) = wish("has=nothing all");
    let refused = selected(&menu("1p@600/av01.0 2p@600/vp09.00"), &options, &decoders).unwrap_err();
    assert!(matches!(refused, SelectError::NothingPlayable { skipped } if skipped.len() == 2));
}

#[test]
fn row_58_languages_are_compared_across_their_codes() {
    let playlist = |languages: &[&str]| {
        let rendition = |(n, language): (usize, &&str)| {
            format!(
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"{n}\",LANGUAGE=\"{language}\",URI=\"{n}\"\n"
            )
        };
        let renditions: String = languages.iter().enumerate().map(rendition).collect();
        format!("#EXTM3U\n{renditions}#EXT-X-STREAM-INF:BANDWIDTH=600000,AUDIO=\"a\"\nv\n")
    };
    let playlists = |languages: &[&str], asked: &str| {
        let audio = Languages::Only(vec![asked.to_owned()]);
        let options = SelectionOptions { audio, ..SelectionOptions::default() };
        let selection = selected(&playlist(languages), &options, &Decoders::default()).unwrap();
        selection.playlists().join(" ")
    };
    for asked in ["eng", "en", "EN", "en-US"] {
        assert_eq!(playlists(&["eng", "en", "en-US", "ENG", "dan"], asked), "v 0 1 2 3", "{asked}");
    }
    assert_eq!(playlists(&["und", "", "dan", "eng"], "en"), "v 0 1 3", "no language is any language");
    assert_eq!(playlists(&["eng", "en", "dan"], "en"), "v 0 1", "both of one language");
}
