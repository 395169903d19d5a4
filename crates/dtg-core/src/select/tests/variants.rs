//! Which variants are chosen: the reference's rules in its order, and the exceptions from them.

use super::*;

#[test]
fn the_smallest_that_is_high_enough_is_taken() {
    check("1080p@3000 360p@600 720p@1500", "height=700", "720p@1500");
    check("1080p@3000 360p@600 720p@1500", "height=720", "720p@1500");
    check("1080p@3000 360p@600 720p@1500", "height=721", "1080p@3000");
    check("1080p@3000 360p@600 720p@1500", "height=1", "360p@600");
}

#[test]
fn the_highest_is_taken_where_none_is_high_enough() {
    check("360p@600 720p@3000 720p@1500", "height=2160", "720p@1500");
    check("360p@600", "height=2160", "360p@600");
    check("1080p@9000 720p@9500", "height=2160", "1080p@9000");
}

#[test]
fn the_smallest_that_is_wide_enough_is_taken() {
    check("1080p@3000 360p@600 720p@1500", "width=1280", "720p@1500");
    check("1080p@3000 360p@600 720p@1500", "width=1281", "1080p@3000");
    check("360p@600 720p@1500 720p@3000", "width=4000", "720p@3000");
}

#[test]
fn height_is_looked_at_before_width() {
    check("360p@600 540p@900 720p@1500", "height=300 width=1200", "720p@1500");
    check("360p@600 540p@900 720p@1500", "height=500 width=1", "540p@900");
    // None is wide enough: of those that are high enough the widest.
    check("1000x540@900 640x1136@800 600x1000@700", "height=600 width=2000", "640x1136@800");
    // None is high enough: the highest is the only one left, whatever its width.
    check("1920x540@900 640x600@800", "height=1000 width=1900", "640x600@800");
}

#[test]
fn the_smallest_sufficient_picture_wins_even_with_a_higher_bit_rate() {
    check("720p@3000 1080p@2000", "height=700", "720p@3000");
    check("720p@3000 1080p@2000", "width=1200", "720p@3000");
    check("720p@3000 1080p@2000", "", "1080p@2000");
}

#[test]
fn one_size_is_ranked_by_bit_rate() {
    check("720p@3000 720p@1500 720p@2000", "height=700", "720p@1500");
    check("720p@3000 720p@1500 720p@2000", "height=700 avc=1600", "720p@2000");
}

#[test]
fn the_height_ranks_where_a_height_is_asked_for_and_the_width_where_a_width_is() {
    check("640x600@900 1000x540@800", "height=500", "1000x540@800");
    check("640x600@900 1000x540@800", "width=500", "640x600@900");
    check("640x600@900 1000x540@800", "height=500 width=500", "1000x540@800");
}

#[test]
fn the_bit_rate_is_looked_at_last() {
    check("720p@100 720p@1500 1080p@3000", "height=700", "720p@1500");
    check("720p@100 1080p@3000", "height=700", "1080p@3000");
    check("720p@1500 1080p@3000", "height=700 avc=2000", "1080p@3000");
    check("720p@1500 1080p@3000", "height=700 avc=9000", "1080p@3000");
    check("360p@5000 720p@1500", "height=700 avc=4000", "720p@1500");
}

#[test]
fn the_lowest_sufficient_bit_rate_is_taken_where_no_size_is_asked_for() {
    check("720p@1500 360p@600 240p@200", "prefer=300", "360p@600");
    check("720p@1500 360p@600 240p@200", "avc=600", "360p@600");
    check("720p@1500 360p@600 240p@200", "avc=601", "720p@1500");
    check("360p@600 720p@1500", "prefer=9000", "720p@1500");
}

#[test]
fn rates_below_the_default_floor_are_passed_over() {
    check("240p@150 360p@600", "", "360p@600");
    check("240p@179 360p@600", "", "360p@600");
    check("240p@180 360p@600", "", "240p@180");
    check("240p@119/hvc1.1 360p@600/hvc1.1", "", "360p@600/hvc1.1");
    check("240p@120/hvc1.1 360p@600/hvc1.1", "", "240p@120/hvc1.1");
    check("240p@100 360p@170", "", "360p@170");
}

#[test]
fn a_floor_that_is_stated_takes_the_place_of_the_default() {
    check("240p@150 360p@600", "avc=0", "240p@150");
    check("240p@150 360p@600", "hevc=0", "360p@600");
    check("240p@50/hvc1.1 360p@600/hvc1.1", "hevc=0", "240p@50/hvc1.1");
}

#[test]
fn hevc_needs_seven_tenths_of_the_preferred_bit_rate() {
    check("360p@209/hvc1.1 360p@210/hvc1.1", "prefer=300", "360p@210/hvc1.1");
    check("360p@299 360p@300", "prefer=300", "360p@300");
    let rates = |rate| SelectionOptions::preferred_video_bitrate(BitRate(rate)).min_bit_rates;
    assert_eq!(
        rates(1_000_001),
        [(VideoCodec::Avc, BitRate(1_000_001)), (VideoCodec::Hevc, BitRate(700_000))]
    );
    assert_eq!(rates(u64::MAX).len(), 2, "no overflow");
}

#[test]
fn sizes_that_are_not_stated_do_not_stand_in_the_way() {
    check("?@600 ?@1500", "height=700", "?@600");
    check("?@600 ?@1500", "width=700 avc=700", "?@1500");
    check("?@600 720p@1500", "height=700", "720p@1500");
    check("?@600 720p@1500", "", "?@600");
}

#[test]
fn sizes_count_as_stated_if_any_variant_that_can_be_played_states_one() {
    check("?@600 ?@900 720p@1500/xyz", "height=700", "?@600");
    check("?@600/avc1.4d ?@900/avc1.4d 720p@1500/hvc1.1", "height=700 codecs=avc1", "?@900/avc1.4d");
}

#[test]
fn ties_are_broken_by_the_order_of_the_playlist() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=600000\na\n#EXT-X-STREAM-INF:BANDWIDTH=600000\nb\n";
    let chosen = selected(text, &wish("height=1").0, &Decoders::default()).unwrap();
    assert_eq!(chosen.tracks[0].uri.as_deref(), Some("a"));
    assert_eq!(chosen.skipped[0].reason, SkipReason::Backup);
}

#[test]
fn of_one_bit_rate_the_smaller_picture_is_taken() {
    check("720p@600 360p@600", "", "360p@600");
    check("720p@600 360p@600", "width=100", "360p@600");
}

#[test]
fn codecs_are_grouped_and_hevc_is_wanted_most() {
    check("360p@600/avc1.4d 360p@400/hvc1.1", "", "360p@400/hvc1.1");
    check("360p@600/avc1.4d 2160p@9000/hvc1.1", "", "2160p@9000/hvc1.1");
    check("720p@600/avc1.4d 360p@400/hvc1.1", "height=700", "360p@400/hvc1.1");
    check("360p@600 360p@400/hvc1.1", "codecs=avc1", "360p@600");
}

#[test]
fn the_codecs_that_are_asked_for_come_first_in_their_order() {
    check("360p@600/avc1.4d 360p@400/hvc1.1", "codecs=avc1", "360p@600/avc1.4d");
    check("360p@600/avc1.4d 360p@400/hvc1.1", "codecs=hevc,avc1", "360p@400/hvc1.1");
    check("360p@600/avc1.4d", "codecs=hevc", "360p@600/avc1.4d");
    check("360p@600/avc1.4d 360p@400/hvc1.1", "codecs=hevc has=nothing", "360p@600/avc1.4d");
    check(
        "360p@600/avc1.4d 360p@500/av01.0 360p@400/hvc1.1",
        "codecs=av1 has=av1,hw_hevc",
        "360p@500/av01.0",
    );
    check("360p@500/av01.0 360p@600/avc1.4d", "has=av1", "360p@600/avc1.4d");
}

#[test]
fn hevc_in_software_is_taken_only_if_inefficient_codecs_are_allowed() {
    let text = "360p@600/avc1.4d 360p@400/hvc1.1";
    check(text, "has=hw_hevc", "360p@400/hvc1.1");
    check(text, "has=sw_hevc", "360p@600/avc1.4d");
    check(text, "has=sw_hevc inefficient", "360p@400/hvc1.1");
    check(text, "has=sw_hevc inefficient codecs=avc1", "360p@600/avc1.4d");
    check(text, "has=nothing inefficient", "360p@600/avc1.4d");
    check("360p@600/avc1.4d 360p@400/hev1.1", "has=hw_hevc", "360p@400/hev1.1");
}

#[test]
fn variants_with_sound_that_cannot_be_decoded_are_passed_over() {
    let text = "360p@600/avc1.4d,ec-3 360p@601/avc1.4d,ac-3 360p@602/avc1.4d,mp4a.40.2";
    check(text, "has=ac3,eac3", "360p@600/avc1.4d,ec-3");
    check(text, "has=ac3", "360p@601/avc1.4d,ac-3");
    check(text, "has=nothing", "360p@602/avc1.4d,mp4a.40.2");
    check("360p@400/hvc1.1,ac-3 360p@600/avc1.4d", "has=hw_hevc", "360p@600/avc1.4d");
}

#[test]
fn an_audio_only_presentation_is_chosen_by_audio_codec() {
    let text = "a@64/mp4a.40.2 b@128/ec-3 c@96/ac-3";
    check(text, "prefer=300", "b@128/ec-3");
    check(text, "has=ac3", "c@96/ac-3");
    check(text, "has=nothing", "a@64/mp4a.40.2");
    check(text, "sound=mp4a", "a@64/mp4a.40.2");
    check(text, "sound=ac3,mp4a", "c@96/ac-3");
    check("a@96/mp4a.40.2 b@64/mp4a.40.5", "height=700 avc=900", "b@64/mp4a.40.5");
    let selection = selected(&menu(text), &SelectionOptions::default(), &Decoders::default()).unwrap();
    assert_eq!(selection.tracks[0].kind, TrackKind::Audio);
    assert!(selection.skipped.iter().all(|it| it.kind == TrackKind::Audio));
}

#[test]
fn sound_alone_is_not_taken_where_there_are_pictures() {
    check("a@64/mp4a.40.2 360p@600/avc1.4d,mp4a.40.2", "", "360p@600/avc1.4d,mp4a.40.2");
    check("a@64/mp4a.40.2 ?@600", "", "?@600");
}

#[test]
fn every_other_variant_has_its_reason() {
    use SkipReason::*;
    check_reasons("360p@600 540p@900 720p@1500", "height=500", &[TooSmall, LargerThanNeeded]);
    check_reasons("360p@100 540p@900 720p@1500", "", &[BitRateTooLow, LargerThanNeeded]);
    check_reasons("360p@600 720p@1500", "height=2160", &[TooSmall]);
    check_reasons("360p@600/avc1.4d 360p@400/hvc1.1", "", &[OtherCodec]);
    check_reasons("a@64/mp4a.40.2 ?@600", "", &[AudioOnly]);
    check_reasons("360p@600/xyz9.1 360p@600", "", &[Codec("xyz9.1".into())]);
    check_reasons("360p@600 9p@400/hvc1.1", "has=sw_hevc", &[InefficientCodec("hvc1.1".into())]);
}

#[test]
fn a_playlist_that_cannot_be_played_at_all_is_an_error_with_every_reason() {
    let (options, decoders) = wish("has=nothing");
    let error = selected(&menu("360p@600/ac-3 360p@600/av01.0"), &options, &decoders).unwrap_err();
    assert!(matches!(&error, SelectError::NothingPlayable { skipped } if skipped.len() == 2), "{error}");
    assert_eq!(error.to_string(), "no variant can be played here: the codec `ac-3` can't be decoded here");
}

#[test]
fn one_for_each_height_is_the_smallest_that_is_as_high() {
    check("240p@300 360p@600 720p@1500 1080p@3000", "each=720,360", "360p@600 720p@1500");
    check("360p@600 720p@1500 1080p@3000", "each=300,500,700", "360p@600 720p@1500");
    check("360p@600 720p@1500", "each=2160", "720p@1500");
    check("360p@600 720p@1500", "each=360,4320", "360p@600 720p@1500");
    check(
        "360p@600/avc1.4d 720p@900/hvc1.1 1080p@1900/hvc1.1",
        "each=300,1000",
        "720p@900/hvc1.1 1080p@1900/hvc1.1",
    );
}

#[test]
fn heights_below_the_least_height_are_raised_to_it() {
    check("360p@600 720p@1500 1080p@3000", "each=360,1080 height=700", "720p@1500 1080p@3000");
}

#[test]
fn one_for_each_height_is_one_where_no_size_is_stated() {
    check("?@600 ?@1500", "each=360,720", "?@600");
    check("a@64/mp4a.40.2 b@96/mp4a.40.2", "each=360,720", "a@64/mp4a.40.2");
}

#[test]
fn no_height_at_all_is_one_variant() {
    let options = SelectionOptions { variants: Variants::Heights(Vec::new()), ..SelectionOptions::default() };
    let selection = selected(&menu("360p@600 720p@1500"), &options, &Decoders::default()).unwrap();
    assert_eq!(uris(&selection), ["360p@600"]);
}

#[test]
fn what_is_left_out_beside_several_has_the_reason_that_it_has_for_the_lowest() {
    use SkipReason::*;
    check_reasons("240p@300 360p@600 480p@800 720p@1500", "each=300,700", &[TooSmall, LargerThanNeeded]);
}

#[test]
fn all_are_all_that_can_be_decoded_the_one_that_would_be_taken_alone_first() {
    check("240p@100 360p@600 720p@1500", "all", "360p@600 240p@100 720p@1500");
    check(
        "360p@600/avc1.4d 360p@400/hvc1.1 a@64/mp4a.40.2",
        "all",
        "360p@400/hvc1.1 360p@600/avc1.4d a@64/mp4a.40.2",
    );
    check("360p@600/avc1.4d 360p@400/hvc1.1", "all has=nothing", "360p@600/avc1.4d");
}

#[test]
fn all_are_those_that_are_as_large_as_asked_for() {
    check("360p@600 720p@1500 1080p@3000", "all height=700", "720p@1500 1080p@3000");
    check("360p@600 720p@1500 1080p@3000", "all avc=1000", "720p@1500 1080p@3000");
    check("360p@600 720p@1500", "all height=2160", "720p@1500");
    check_reasons("360p@600 720p@1500", "all height=700", &[SkipReason::TooSmall]);
    check_reasons("360p@600 720p@1500", "all avc=700", &[SkipReason::BitRateTooLow]);
}

/// Variants as `"uri:kbit:audio-group"`.
fn with_groups(text: &str) -> String {
    text.split_whitespace().fold(String::from("#EXTM3U\n"), |playlist, word| {
        let [uri, rate, group] = word.split(':').collect::<Vec<_>>().try_into().unwrap();
        playlist + &format!("#EXT-X-STREAM-INF:BANDWIDTH={rate}000,AUDIO=\"{group}\"\n{uri}\n")
    })
}

#[test]
fn of_all_a_fail_over_is_left_out_and_the_same_media_with_other_sound_is_not() {
    let playlist = with_groups("a:600:en b:600:en a:600:fr a:600:en a:700:ac3 c:600:fr");
    let selection = selected(&playlist, &wish("all").0, &Decoders::default()).unwrap();
    assert_eq!(uris(&selection), ["a", "a", "a"]);
    let lines: Vec<u32> = selection.skipped.iter().map(|it| it.line).collect();
    assert_eq!(lines, [4, 8, 12]);
    assert!(selection.skipped.iter().all(|it| it.reason == SkipReason::Backup));
    assert_eq!(selection.playlists(), ["a"]);
}

#[test]
fn of_two_video_codecs_in_one_variant_the_first_ranks_it() {
    check("360p@600/avc1.4d,hvc1.1 720p@900/hvc1.1", "", "720p@900/hvc1.1");
    check("360p@600/hvc1.1,avc1.4d 720p@900/hvc1.1", "", "360p@600/hvc1.1,avc1.4d");
}

#[test]
fn a_variant_that_states_a_size_has_pictures_whatever_its_codecs() {
    let kind_of = |text: &str| {
        let selection = selected(&menu(text), &SelectionOptions::default(), &Decoders::default()).unwrap();
        selection.tracks[0].kind
    };
    assert_eq!(kind_of("360p@600/mp4a.40.2"), TrackKind::Video);
    assert_eq!(kind_of("?@600/mp4a.40.2"), TrackKind::Audio);
    assert_eq!(kind_of("0x0@600/mp4a.40.2"), TrackKind::Audio);
}

#[test]
fn a_variant_that_states_a_size_is_chosen_as_pictures_whatever_its_codecs() {
    let text = "360p@300/mp4a.40.2 720p@900/mp4a.40.2";
    check(text, "height=720", "720p@900/mp4a.40.2");
    check(text, "width=1280", "720p@900/mp4a.40.2");
    check(text, "avc=400", "720p@900/mp4a.40.2");
    check(text, "each=360,720", text);
    check("?@600 720p@900/mp4a.40.2", "height=720", "720p@900/mp4a.40.2");
    check("?@64/ec-3 720p@900/mp4a.40.2", "sound=eac3", "720p@900/mp4a.40.2");
    check("720p@900/mp4a.40.2 360p@300/hvc1.1", "", "360p@300/hvc1.1");
    check_reasons("?@600 720p@900/mp4a.40.2", "", &[SkipReason::LargerThanNeeded]);
    check_reasons("?@64/mp4a.40.2 720p@900/mp4a.40.2", "", &[SkipReason::AudioOnly]);
}

#[test]
fn all_have_one_variant_for_each_set_of_groups() {
    let line = |groups: &str| format!("#EXT-X-STREAM-INF:BANDWIDTH=600000{groups}\nv\n");
    let (options, decoders) = wish("all");
    let chosen = |groups: &[&str]| {
        let text: String = groups.iter().map(|groups| line(groups)).collect();
        uris(&selected(&format!("#EXTM3U\n{text}"), &options, &decoders).unwrap()).len()
    };
    for name in ["AUDIO", "VIDEO", "SUBTITLES"] {
        let (one, other) = (format!(",{name}=\"a\""), format!(",{name}=\"b\""));
        assert_eq!(chosen(&[&one, &other, &one]), 2, "{name}");
    }
    assert_eq!(chosen(&["", ""]), 1);
}
