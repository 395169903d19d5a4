//! Media playlists: what applies to which segment.

use std::time::Duration;

use super::*;
use crate::low_latency::HintKind;
use crate::media::PlaylistType;
use crate::value::{ByteRange, DateTime};

/// What a field is at each segment.
fn each<T>(lines: &str, field: impl Fn(&crate::Segment<'_>) -> T) -> Vec<T> {
    media(&media_text(lines)).segments.iter().map(field).collect()
}

#[test]
fn the_playlist_s_own_tags_are_read() {
    let text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:2680\n\
        #EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-I-FRAMES-ONLY\n\
        #EXT-X-START:TIME-OFFSET=-9.5,PRECISE=YES\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n";
    check_clean(text);
    let playlist = media(text);
    assert_eq!((playlist.version, playlist.target_duration), (Some(7), Some(Duration::from_secs(6))));
    assert_eq!((playlist.media_sequence, playlist.discontinuity_sequence), (2680, 3));
    assert_eq!(playlist.playlist_type, Some(PlaylistType::Vod));
    assert!(playlist.independent_segments && playlist.i_frames_only && playlist.end_list);
    let start = playlist.start.unwrap();
    assert_eq!((start.time_offset.to_string().as_str(), start.precise), ("-9.5", true));
}

#[test]
fn a_playlist_may_have_no_segments() {
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-ENDLIST";
    check_clean(text);
    assert_eq!(media(text).duration(), Duration::ZERO);
    assert!(media("#EXTM3U").segments.is_empty());
}

#[test]
fn durations_are_exact() {
    let millis = |lines| each(lines, |it| it.duration.as_micros());
    assert_eq!(
        millis("#EXTINF:9.009,\na\n#EXTINF:3.003003,\nb\n#EXTINF:0,\nc\n#EXTINF:0.0,\nd"),
        [9_009_000, 3_003_003, 0, 0]
    );
    let text = media_text(&"#EXTINF:0.1,\na\n".repeat(10));
    assert_eq!(media(&text).duration(), Duration::from_secs(1));
}

#[test]
fn a_duration_that_is_no_number_is_zero_and_odd() {
    for duration in ["-1", "nan", "inf", "1e400", "", "x", "18446744073709551616"] {
        let text = media_text(&format!("#EXTINF:{duration},\na.ts"));
        check_odd(&text, 3, Rule::Duration);
        assert_eq!(media(&text).segments[0].duration, Duration::ZERO, "{duration}");
    }
}

#[test]
fn durations_that_players_read_are_odd() {
    check_odd(&media_text("#EXTINF:5.0s,t\na.ts"), 3, Rule::DurationSyntax);
    check_odd(&media_text("#EXTINF:5\na.ts"), 3, Rule::NoComma);
    assert_eq!(each("#EXTINF:5 ; x,t\na.ts", |it| it.title.unwrap().to_owned()), ["t"]);
}

#[test]
fn what_follows_the_comma_is_the_title() {
    let titles = each("#EXTINF:5,5\na\n#EXTINF:1,a, b\nb\n#EXTINF:1,\nc", |it| it.title.map(str::to_owned));
    assert_eq!(titles, [Some("5".to_owned()), Some("a, b".to_owned()), None]);
}

#[test]
fn the_sum_of_huge_durations_does_not_overflow() {
    let text = media_text(&"#EXTINF:18446744073709551615,\na\n".repeat(3));
    assert_eq!(media(&text).duration(), Duration::MAX);
}

#[test]
fn a_uri_without_extinf_is_no_segment() {
    let text = media_text("stray.ts\n#EXTINF:1,\na.ts\nstray.ts");
    assert_eq!(verdicts(&text).0, "3:no-duration 6:no-duration");
    assert_eq!(media(&text).segments.len(), 1);
}

#[test]
fn extinf_without_a_uri_is_no_segment() {
    check_odd(&media_text("#EXTINF:1,"), 3, Rule::NoSegmentUri);
    let text = media_text("#EXTINF:1,\n#EXTINF:2,\na.ts");
    check_odd(&text, 3, Rule::NoSegmentUri);
    assert_eq!(media(&text).duration().as_secs(), 2);
}

#[test]
fn target_durations_are_whole_and_once() {
    check_odd("#EXTM3U\n#EXTINF:1,\na", 0, Rule::NoTargetDuration);
    check_odd("#EXTM3U\n#EXT-X-TARGETDURATION:10.5\n", 2, Rule::TargetDuration);
    assert_eq!(
        media("#EXTM3U\n#EXT-X-TARGETDURATION:10.5").target_duration,
        Some(Duration::from_millis(10_500))
    );
    assert_eq!(verdicts("#EXTM3U\n#EXT-X-TARGETDURATION:-1").0, "0:no-target-duration 2:target-duration");
    check_odd("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-TARGETDURATION:2\n", 3, Rule::RepeatedTag);
}

#[test]
fn a_segment_longer_than_the_target_is_odd_after_rounding() {
    check_clean(&media_text("#EXTINF:10.499,\na"));
    check_odd(&media_text("#EXTINF:10.5,\na"), 4, Rule::LongerThanTarget);
}

#[test]
fn sequence_numbers_are_exact_up_to_the_last() {
    let numbers = |first: &str| {
        each(&format!("#EXT-X-MEDIA-SEQUENCE:{first}\n#EXTINF:1,\na\n#EXTINF:1,\nb"), |it| it.media_sequence)
    };
    assert_eq!(numbers("0"), [0, 1]);
    assert_eq!(numbers("9007199254740993"), [9_007_199_254_740_993, 9_007_199_254_740_994]);
    assert_eq!(numbers("18446744073709551614"), [u64::MAX - 1, u64::MAX]);
}

#[test]
fn a_sequence_number_that_overflows_is_refused() {
    check_refused(
        &media_text("#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n#EXTINF:1,\na\n#EXTINF:1,\nb"),
        Rule::SequenceOverflow,
    );
    for tag in ["#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE"] {
        check_refused(&media_text(&format!("{tag}:18446744073709551616")), Rule::NumberTooLarge);
    }
    let last = "#EXT-X-DISCONTINUITY-SEQUENCE:18446744073709551615\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\na";
    check_refused(&media_text(last), Rule::SequenceOverflow);
}

#[test]
fn a_sequence_number_behind_the_first_segment_is_odd_and_ignored() {
    let text = media_text("#EXTINF:1,\na\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:1,\nb");
    check_odd(&text, 5, Rule::LateTag);
    assert_eq!(media(&text).segments[1].media_sequence, 1);
    check_odd(&media_text("#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MEDIA-SEQUENCE:8"), 4, Rule::RepeatedTag);
    check_odd(
        &media_text("#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:7\n#EXTINF:1,\na"),
        4,
        Rule::LateTag,
    );
}

#[test]
fn discontinuities_are_counted_from_the_stated_number() {
    let lines =
        "#EXT-X-DISCONTINUITY-SEQUENCE:5\n#EXTINF:1,\na\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\nb\n#EXTINF:1,\nc";
    assert_eq!(
        each(lines, |it| (it.discontinuity, it.discontinuity_sequence)),
        [(false, 5), (true, 6), (false, 6)]
    );
}

#[test]
fn a_gap_counts_and_holds_for_one_segment() {
    let lines = "#EXTINF:1,\na\n#EXT-X-GAP\n#EXTINF:1,\nb\n#EXTINF:1,\nc";
    assert_eq!(each(lines, |it| (it.gap, it.media_sequence)), [(false, 0), (true, 1), (false, 2)]);
}

#[test]
fn a_bitrate_holds_until_the_next() {
    let lines =
        "#EXTINF:1,\na\n#EXT-X-BITRATE:800\n#EXTINF:1,\nb\n#EXTINF:1,\nc\n#EXT-X-BITRATE:900\n#EXTINF:1,\nd";
    assert_eq!(each(lines, |it| it.bitrate), [None, Some(800), Some(800), Some(900)]);
}

#[test]
fn a_date_holds_where_it_stands() {
    let lines = "#EXT-X-PROGRAM-DATE-TIME:2010-02-19T14:54:23.031+08:00\n#EXTINF:1,\na\n#EXTINF:1,\nb";
    let dates = each(lines, |it| it.program_date_time.map(|date| date.to_string()));
    assert_eq!(dates, [Some("2010-02-19T14:54:23.031+08:00".to_owned()), None]);
    check_odd(&media_text("#EXT-X-PROGRAM-DATE-TIME:soon\n#EXTINF:1,\na"), 3, Rule::DateTime);
}

const fn range(offset: u64, length: u64) -> Option<ByteRange> {
    Some(ByteRange { offset, length })
}

#[test]
fn a_range_without_offset_continues_the_segment_before() {
    let lines = "#EXT-X-BYTERANGE:100@50\n#EXTINF:1,\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:20\na\n#EXT-X-BYTERANGE:7@0\n#EXTINF:1,\na\n#EXTINF:1,\nb";
    assert_eq!(each(lines, |it| it.byte_range), [range(50, 100), range(150, 20), range(0, 7), None]);
}

#[test]
fn a_fragment_does_not_make_another_resource() {
    let lines = "#EXTINF:1,\n#EXT-X-BYTERANGE:100@50\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:20\na#t=1\n\
        #EXTINF:1,\n#EXT-X-BYTERANGE:7\na#t=2\n#EXTINF:1,\n#EXT-X-BYTERANGE:1\na\n";
    assert_eq!(
        each(lines, |it| it.byte_range),
        [range(50, 100), range(150, 20), range(170, 7), range(177, 1)]
    );
    let other = "#EXTINF:1,\n#EXT-X-BYTERANGE:100@50\na?n=1\n#EXTINF:1,\n#EXT-X-BYTERANGE:20\na?n=2\n";
    check_refused(&media_text(other), Rule::ByteRangeBase);
    let parts = media_text(
        "#EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"9@1\"\n#EXT-X-PART:DURATION=1,URI=\"a#t=1\",BYTERANGE=\"5\"\n",
    );
    assert_eq!(media(&parts).parts[1].byte_range, range(10, 5));
}

#[test]
fn a_range_without_anything_to_continue_is_refused() {
    let segment = |range: &str, uri: &str| format!("#EXTINF:1,\n#EXT-X-BYTERANGE:{range}\n{uri}\n");
    check_refused(&media_text(&segment("100", "a")), Rule::ByteRangeBase);
    check_refused(&media_text(&(segment("1@0", "a") + &segment("100", "b"))), Rule::ByteRangeBase);
    check_refused(&media_text(&format!("#EXTINF:1,\na\n{}", segment("100", "a"))), Rule::ByteRangeBase);
}

#[test]
fn a_range_that_is_none_or_overflows_is_refused() {
    let text = |range: &str| media_text(&format!("#EXTINF:1,\n#EXT-X-BYTERANGE:{range}\na"));
    for wrong in ["x", "1@", "@1", "-1@0", "1.5@0", "1@2@3"] {
        check_refused(&text(wrong), Rule::ByteRangeSyntax);
    }
    check_refused(&text("18446744073709551615@1"), Rule::ByteRangeOverflow);
    check_refused(&text("18446744073709551616@0"), Rule::ByteRangeOverflow);
    check_odd(&text("0@5"), 4, Rule::EmptyByteRange);
}

#[test]
fn a_map_holds_until_the_next_and_may_come_back() {
    let lines = "#EXT-X-MAP:URI=\"m1\"\n#EXTINF:1,\na\n#EXT-X-MAP:URI=\"m1\"\n#EXTINF:1,\nb\n#EXT-X-MAP:URI=\"m2\",BYTERANGE=\"9@1\"\n\
        #EXTINF:1,\nc\n#EXT-X-MAP:URI=\"m1\"\n#EXTINF:1,\nd\n#EXT-X-MAP:URI=\"m3\"";
    let text = media_text(lines);
    check_clean(&text);
    let playlist = media(&text);
    let used: Vec<_> =
        playlist.segments.iter().map(|it| playlist.map_of(it).map(|map| &*map.uri.text)).collect();
    assert_eq!(used, [Some("m1"), Some("m1"), Some("m2"), Some("m1")]);
    let maps: Vec<_> = playlist.maps.iter().map(|map| (map.line, map.byte_range)).collect();
    assert_eq!(maps, [(3, None), (9, range(1, 9)), (12, None), (15, None)]);
}

#[test]
fn segments_before_the_first_map_have_none() {
    assert_eq!(
        each("#EXTINF:1,\na\n#EXT-X-MAP:URI=\"m\"\n#EXTINF:1,\nb", |it| it.map.is_some()),
        [false, true]
    );
}

#[test]
fn a_sequence_number_that_is_none_counts_from_0_as_players_do() {
    for number in ["-11", "x", ""] {
        let text = media_text(&format!("#EXT-X-MEDIA-SEQUENCE:{number}\n#EXTINF:1,\na"));
        check_odd(&text, 3, Rule::SequenceNumber);
        assert_eq!(media(&text).segments[0].media_sequence, 0);
        check_odd(
            &media_text(&format!("#EXT-X-DISCONTINUITY-SEQUENCE:{number}\n#EXTINF:1,\na")),
            3,
            Rule::SequenceNumber,
        );
    }
}

#[test]
fn a_part_s_range_that_continues_nothing_is_read_from_0() {
    let text = media_text(
        "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n\
         #EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"7\"\n#EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"5\"",
    );
    check_odd(&text, 6, Rule::PartRangeBase);
    let ranges: Vec<_> = media(&text).parts.iter().map(|part| part.byte_range).collect();
    assert_eq!(ranges, [range(0, 7), range(7, 5)]);
}

#[test]
fn a_map_needs_a_uri_and_its_range_an_offset() {
    check_refused(&media_text("#EXT-X-MAP:BYTERANGE=\"1@0\""), Rule::MissingUri);
    check_odd(&media_text("#EXT-X-MAP\n#EXTINF:1,\ns"), 3, Rule::NoList);
    check_odd(&media_text("#EXT-X-MAP:URI=\"m\",BYTERANGE=\"10\""), 3, Rule::MapRange);
    assert_eq!(media(&media_text("#EXT-X-MAP:URI=\"m\",BYTERANGE=\"10\"")).maps[0].byte_range, range(0, 10));
}

#[test]
fn stream_inf_and_extinf_in_one_playlist_are_refused() {
    check_refused("#EXTM3U\n#EXTINF:1,\na\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb", Rule::Mixed);
    check_refused("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n#EXTINF:1,\na", Rule::Mixed);
}

#[test]
fn a_tag_of_the_other_kind_is_odd() {
    check_odd(&media_text("#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\""), 3, Rule::Misplaced);
}

#[test]
fn a_segment_behind_the_end_is_odd_and_read() {
    let text = media_text("#EXT-X-ENDLIST\n#EXTINF:1,\na");
    check_odd(&text, 5, Rule::AfterEnd);
    assert_eq!(media(&text).segments.len(), 1);
}

#[test]
fn low_latency_tags_are_read() {
    let text = media_text(
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=12\n#EXT-X-PART-INF:PART-TARGET=0.33334\n\
         #EXT-X-MEDIA-SEQUENCE:266\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3,RECENTLY-REMOVED-DATERANGES=\"a\tb\"\n#EXTINF:4,\na.mp4\n\
         #EXT-X-PART:DURATION=0.33334,URI=\"b.mp4\",INDEPENDENT=YES,BYTERANGE=\"100@0\"\n\
         #EXT-X-PART:DURATION=0.3,URI=\"b.mp4\",BYTERANGE=\"50\",GAP=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b.mp4\",BYTERANGE-START=150\n\
         #EXT-X-RENDITION-REPORT:URI=\"../1M/w.php\",LAST-MSN=270,LAST-PART=2",
    );
    let playlist = media(&text);
    let control = playlist.server_control.unwrap();
    assert!(control.can_block_reload && !control.can_skip_date_ranges);
    assert_eq!(control.can_skip_until, Some(Duration::from_secs(12)));
    assert_eq!(playlist.part_inf, Some(Duration::from_micros(333_340)));
    assert_eq!(playlist.skip.as_ref().map(|skip| skip.segments), Some(3));
    assert_eq!(playlist.segments[0].media_sequence, 269, "skipped segments count");
    let parts: Vec<_> =
        playlist.parts.iter().map(|it| (it.byte_range, it.independent, it.gap, it.media_sequence)).collect();
    assert_eq!(parts, [(range(0, 100), true, false, 270), (range(100, 50), false, true, 270)]);
    let hint = &playlist.preload_hints[0];
    assert_eq!((hint.kind, hint.start, hint.length), (HintKind::Part, 150, None));
    let report = &playlist.rendition_reports[0];
    assert_eq!((report.last_msn, report.last_part), (Some(270), Some(2)));
}

#[test]
fn tabs_between_the_ids_of_removed_date_ranges_are_no_oddity() {
    let text = media_text("#EXT-X-SKIP:SKIPPED-SEGMENTS=1,RECENTLY-REMOVED-DATERANGES=\"a\tb\"");
    check_clean(&text);
    assert_eq!(media(&text).skip.unwrap().recently_removed_date_ranges.as_deref(), Some("a\tb"));
}

#[test]
fn skipped_segments_count_wherever_the_first_number_is_stated() {
    let numbers = |lines: &str| each(lines, |it| it.media_sequence);
    let (sequence, skip) = ("#EXT-X-MEDIA-SEQUENCE:10\n", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n");
    assert_eq!(numbers(&format!("{sequence}{skip}#EXTINF:1,\na")), [13]);
    assert_eq!(numbers(&format!("{skip}{sequence}#EXTINF:1,\na")), [13]);
}

#[test]
fn date_ranges_are_read_with_what_apps_add() {
    let text = media_text(
        "#EXT-X-DATERANGE:ID=\"ad\",CLASS=\"com.apple.hls.interstitial\",START-DATE=\"2026-01-02T03:04:05Z\",DURATION=15.5,CUE=\"PRE\",\
         SCTE35-OUT=0xFC,X-ASSET-URI=\"https://ads/1.m3u8\",X-SNAP=0xAB,X-N=-1.5,X-W=YES\n\
         #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z",
    );
    check_clean(&text);
    let playlist = media(&text);
    let range = &playlist.date_ranges[0];
    assert_eq!((&*range.id, range.duration), ("ad", Some(Duration::from_millis(15_500))));
    assert_eq!(range.asset_uri.as_ref().map(|it| &*it.text), Some("https://ads/1.m3u8"));
    assert_eq!((range.scte35_out.as_deref(), range.cue.as_deref()), (Some("0xFC"), Some("PRE")));
    let added = serde_json::to_string(&range.client_attributes).unwrap();
    assert_eq!(
        added,
        r#"[{"name":"X-ASSET-URI","value":{"text":"https://ads/1.m3u8"}},{"name":"X-SNAP","value":{"hex":"0xAB"}},{"name":"X-N","value":{"number":"-1.5"}},{"name":"X-W","value":{"other":"YES"}}]"#
    );
}

#[test]
fn date_ranges_that_contradict_themselves_are_odd() {
    let range = |list: &str| {
        media_text(&format!(
            "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-02T03:04:05Z\",{list}\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z"
        ))
    };
    check_odd(&range("END-DATE=\"2026-01-01T00:00:00Z\""), 3, Rule::DateRangeEnd);
    check_odd(&range("END-ON-NEXT=YES"), 3, Rule::EndOnNext);
    check_odd(&range("DURATION=-1"), 3, Rule::AttributeValue);
    check_clean(&range("CLASS=\"c\",END-ON-NEXT=YES"));
}

#[test]
fn a_segment_stays_small() {
    assert!(size_of::<crate::Segment<'_>>() <= 176, "{}", size_of::<crate::Segment<'_>>());
}

#[test]
fn a_bit_rate_says_nothing_of_a_segment_with_a_byte_range() {
    let lines = "#EXT-X-BITRATE:100\n#EXTINF:5,\n#EXT-X-BYTERANGE:5@0\nb.ts\n#EXTINF:5,\nc.ts\n";
    assert_eq!(each(lines, |it| it.bitrate), [None, Some(100)]);
}

#[test]
fn a_sequence_number_is_what_its_digits_say_whatever_stands_behind() {
    for value in ["42,", "42.5", "42 # x", "42"] {
        let lines = format!(
            "#EXT-X-MEDIA-SEQUENCE:{value}\n#EXT-X-DISCONTINUITY-SEQUENCE:{value}\n#EXTINF:5,\nb.ts\n"
        );
        assert_eq!(each(&lines, |it| (it.media_sequence, it.discontinuity_sequence)), [(42, 42)], "{value}");
    }
    for value in ["", "-7", "x7"] {
        let lines = format!("#EXT-X-MEDIA-SEQUENCE:{value}\n#EXTINF:5,\nb.ts\n");
        assert_eq!(each(&lines, |it| it.media_sequence), [0], "{value}");
    }
    let text = media_text("#EXT-X-MEDIA-SEQUENCE:18446744073709551616,\n#EXTINF:5,\nb.ts\n");
    let refused = parsed(&text, Reading::Lenient).unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Rule(Rule::NumberTooLarge));
}

#[test]
fn a_number_that_nothing_depends_on_may_be_too_large() {
    let playlist = "#EXT-X-RENDITION-REPORT:URI=\"r\",LAST-MSN=99999999999999999999,LAST-PART=1\n\
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\",BYTERANGE-START=99999999999999999999\n";
    let text = media_text(playlist);
    let read = media(&text);
    assert_eq!((read.rendition_reports[0].last_msn, read.rendition_reports[0].last_part), (None, Some(1)));
    assert_eq!(read.preload_hints[0].start, 0);
}

#[test]
fn dates_of_date_ranges_are_read_as_loosely_as_those_of_segments() {
    let lines = "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01\",END-DATE=\"2026-01-01T24:00:00Z\"\n";
    let text = media_text(lines);
    let read = media(&text);
    assert_eq!(read.date_ranges[0].start_date, DateTime::parse("2026-01-01T00:00:00"));
    assert_eq!(read.date_ranges[0].end_date, DateTime::parse("2026-01-02T00:00:00Z"));
}
