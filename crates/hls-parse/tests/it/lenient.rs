//! What the lenient reading reads on over, tag by tag, and the strict one refuses.

use super::*;

#[test]
fn no_tag_uri_a_hint_a_report_a_part_or_steering_without_a_uri_is_left_out() {
    let control = "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-PART-INF:PART-TARGET=1\n";
    let lines = [
        "#EXT-X-RENDITION-REPORT:LAST-MSN=1",
        "#EXT-X-RENDITION-REPORT:URI=\"\"",
        "#EXT-X-PRELOAD-HINT:TYPE=PART",
        "#EXT-X-PART:DURATION=1",
    ];
    for line in lines {
        let text = media_text(&format!("{control}#EXTINF:1,\ns\n{line}"));
        check_odd(&text, &[Rule::NoTagUri]);
        let playlist = media(&text);
        let left = (playlist.rendition_reports.len(), playlist.preload_hints.len(), playlist.parts.len());
        assert_eq!((left, playlist.segments.len()), ((0, 0, 0), 1), "{line}");
    }
    for line in ["#EXT-X-CONTENT-STEERING:PATHWAY-ID=\"a\"", "#EXT-X-SESSION-KEY:METHOD=AES-128"] {
        let text = variant(&format!("BANDWIDTH=1\nv\n{line}")).replace("\nv.m3u8", "");
        check_odd(&text, &[Rule::NoTagUri]);
        let menu = multivariant(&text);
        assert_eq!((menu.variants.len(), menu.session_keys.len()), (1, 0));
        assert_eq!(menu.content_steering, None);
    }
}

#[test]
fn session_key_unreadable_is_ignored_and_the_variants_stay() {
    for list in ["URI=\"k\"", "METHOD=AES-128,URI=\"k\",IV=0xzz"] {
        let text = variant("BANDWIDTH=1") + "#EXT-X-SESSION-KEY:" + list + "\n";
        check_odd(&text, &[Rule::SessionKeyUnreadable]);
        let menu = multivariant(&text);
        assert_eq!((menu.variants.len(), menu.session_keys.len()), (1, 0), "{list}");
    }
    check_refused(media_text("#EXT-X-KEY:URI=\"k\"\n#EXTINF:1,\ns"), Rule::KeyMethod);
}

#[test]
fn missing_uri_a_key_or_a_map_without_a_uri_is_refused() {
    check_refused(media_text("#EXT-X-KEY:METHOD=AES-128\n#EXTINF:1,\ns"), Rule::MissingUri);
    check_refused(media_text("#EXT-X-MAP:BYTERANGE=\"1@0\"\n#EXTINF:1,\ns"), Rule::MissingUri);
}

#[test]
fn unreadable_attribute_of_a_date_range_is_left_out_and_the_others_stay() {
    let dated = |list: &str| {
        let date = "2026-01-02T03:04:05Z";
        media_text(&format!(
            "#EXT-X-PROGRAM-DATE-TIME:{date}\n#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"{date}\",X-B=\"b\",{list}"
        ))
    };
    let text = dated("X-A=\"{$none}\"");
    check_odd(&text, &[Rule::UnreadableAttribute]);
    let names: Vec<String> =
        media(&text).date_ranges[0].client_attributes.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, ["X-B"]);
    for list in ["X-ASSET-URI=\"a\tb\"", "X-ASSET-LIST=\"{$none}\""] {
        let text = dated(list);
        assert!(oddities(text.as_bytes()).contains(&Rule::UnreadableAttribute), "{list}");
        assert!(read(text.as_bytes(), Reading::Strict).is_err(), "{list}");
        let playlist = media(&text);
        assert_eq!((&playlist.date_ranges[0].asset_uri, &playlist.date_ranges[0].asset_list), (&None, &None));
    }
}

#[test]
fn iv_syntax_an_iv_without_0x_or_with_more_zeros_is_read() {
    let iv = |written: &str| {
        let text = media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV={written}\n#EXTINF:1,\ns"));
        check_odd(&text, &[Rule::IvSyntax]);
        let playlist = media(&text);
        u128::from_be_bytes(playlist.keys_of(&playlist.segments[0])[0].iv.unwrap())
    };
    assert_eq!(iv("1f"), 0x1f);
    assert_eq!(iv(&format!("0x{}2", "0".repeat(32))), 2);
}

#[test]
fn attribute_value_a_key_method_none_in_lower_case_ends_the_keys() {
    let key = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\na\n";
    let text = media_text(&format!("{key}#EXT-X-KEY:METHOD=none\n#EXTINF:1,\nb"));
    check_odd(&text, &[Rule::AttributeValue]);
    let playlist = media(&text);
    let keys = playlist.segments.iter().map(|it| playlist.keys_of(it).len());
    assert_eq!(keys.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn no_list_a_key_without_attributes_changes_nothing() {
    let key = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\na\n";
    for line in ["#EXT-X-KEY", "#EXT-X-KEY:"] {
        let text = media_text(&format!("{key}{line}\n#EXTINF:1,\nb"));
        check_odd(&text, &[Rule::NoList]);
        let playlist = media(&text);
        let keys = playlist.segments.iter().map(|it| playlist.keys_of(it).len());
        assert_eq!(keys.collect::<Vec<_>>(), [1, 1], "still encrypted");
    }
}

#[test]
fn misplaced_an_i_frame_variant_among_segments_is_left_out() {
    let text = media_text("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i\"\n#EXTINF:1,\ns");
    check_odd(&text, &[Rule::Misplaced]);
    assert_eq!(uris(&media(&text)), ["s"]);
}

#[test]
fn late_tag_comes_before_its_number_being_too_large() {
    for name in ["MEDIA-SEQUENCE", "DISCONTINUITY-SEQUENCE"] {
        check_odd(
            media_text(&format!("#EXTINF:1,\ns\n#EXT-X-{name}:99999999999999999999")),
            &[Rule::LateTag],
        );
    }
}

#[test]
fn tag_value_a_byte_range_without_value_is_ignored() {
    for line in ["#EXT-X-BYTERANGE", "#EXT-X-BYTERANGE:", "#EXT-X-BYTERANGE:\"\""] {
        let text = media_text(&format!("#EXTINF:1,\n{line}\ns"));
        check_odd(&text, &[Rule::TagValue]);
        assert_eq!(media(&text).segments[0].byte_range, None);
    }
}

#[test]
fn skipped_range_base_only_the_first_segment_behind_a_skip_continues_what_is_left_out() {
    let text = "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:1,\n#EXT-X-BYTERANGE:10\ns\n#EXTINF:1,\n#EXT-X-BYTERANGE:5\n";
    let continued = media_text(&format!("{text}s"));
    check_odd(&continued, &[Rule::SkippedRangeBase]);
    let ranges =
        media(&continued).segments.iter().map(|it| it.byte_range.unwrap().offset).collect::<Vec<_>>();
    assert_eq!(ranges, [0, 10]);
    check_refused(media_text(&format!("{text}t")), Rule::ByteRangeBase);
}

#[test]
fn playlist_type_in_lower_case_is_read() {
    let text = media_text("#EXT-X-PLAYLIST-TYPE:vod\n#EXTINF:1,\ns");
    check_odd(&text, &[Rule::PlaylistType]);
    assert_eq!(media(&text).playlist_type, Some(hls_parse::PlaylistType::Vod));
}

#[test]
fn date_time_what_leaves_no_doubt_is_read() {
    let dated = |written: &str| media_text(&format!("#EXT-X-PROGRAM-DATE-TIME:{written}\n#EXTINF:1,\ns"));
    for (written, date) in [
        ("\"2026-01-02T03:04:05Z\"", Some("2026-01-02T03:04:05Z")),
        ("2026-01-02T03:04:05.1234567899+01:00", Some("2026-01-02T03:04:05.123456789+01:00")),
        ("2026-12-31T24:00:00Z", Some("2027-01-01T00:00:00Z")),
        ("2026-01-02", Some("2026-01-02T00:00:00Z")),
        ("2026-01-02T25:00:00Z", None),
        ("soon", None),
    ] {
        let text = dated(written);
        check_odd(&text, &[Rule::DateTime]);
        let read = media(&text).segments[0].program_date_time.map(|it| it.to_string());
        assert_eq!(read.as_deref(), date, "{written}");
    }
}

#[test]
fn a_date_is_carried_on_exactly_until_a_discontinuity() {
    let date = |date: &str| format!("#EXT-X-PROGRAM-DATE-TIME:{date}\n");
    let text = media_text(&format!(
        "#EXTINF:1,\na\n{}#EXTINF:0.600000001,\nb\n#EXTINF:2,\nc\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\nd\n{}#EXTINF:1,\ne\n#EXTINF:1,\nf",
        date("2026-12-31T23:59:59.5+01:00"),
        date("2026-01-01T00:00:00Z"),
    ));
    check_clean(&text);
    let shown = |it: Option<hls_parse::DateTime>| it.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let dates: Vec<String> = media(&text).dates().map(shown).collect();
    let expected = [
        "-",
        "2026-12-31T23:59:59.5+01:00",
        "2027-01-01T00:00:00.100000001+01:00",
        "-",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:01Z",
    ];
    assert_eq!(dates, expected);
}
