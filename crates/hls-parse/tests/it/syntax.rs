//! C: text and syntax.

use std::time::Duration;

use hls_parse::{AttributeFault, ByteRange, rewrite};

use super::*;

const ONE: &str =
    "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.009,title\nseg.ts\n#EXT-X-ENDLIST\n#EXT-X-VERSION:3\n";

#[test]
fn row_30_a_byte_order_mark_is_dropped_leniently() {
    let text = format!("\u{feff}{ONE}");
    check_odd(&text, &[Rule::ByteOrderMark]);
    assert_eq!(uris(&media(&text)), ["seg.ts"]);
}

#[test]
fn row_31_line_ends_do_not_change_the_facts() {
    let facts = |text: &str| {
        let playlist = media(text);
        (
            uris(&playlist).join(" "),
            playlist.duration(),
            playlist.segments[0].title.map(str::to_owned),
            playlist.end_list,
        )
    };
    for text in [ONE.replace('\n', "\r\n"), ONE.replacen('\n', "\r\n", 2), ONE.trim_end().to_owned()] {
        check_clean(&text);
        assert_eq!(facts(&text), facts(ONE), "{text:?}");
    }
    check_error(ONE.replace('\n', "\r"), &ErrorKind::NotAPlaylist);
}

#[test]
fn row_32_utf_16_is_refused() {
    let little: Vec<u8> = "\u{feff}#EXTM3U\n".encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = "\u{feff}#EXTM3U\n".encode_utf16().flat_map(|unit| unit.to_be_bytes()).collect();
    check_error(&little, &ErrorKind::Encoding);
    check_error(&big, &ErrorKind::Encoding);
    check_error(&little[2..], &ErrorKind::NotAPlaylist);
    check_error(&big[2..], &ErrorKind::NotAPlaylist);
}

#[test]
fn row_32_latin_1_is_read_in_titles_and_comments_and_refused_in_uris() {
    check_odd(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,caf\xe9\ns.ts\n", &[Rule::NotUtf8]);
    check_odd(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ns.ts\n#\xe9\n", &[Rule::NotUtf8]);
    for surrogate in [&b"s\xed\xa0\x80.ts"[..], b"s\xe9.ts"] {
        let text = [b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n", surrogate, b"\n"].concat();
        let lenient = read(&text, Reading::Lenient).unwrap_err();
        assert_eq!(lenient.kind(), &ErrorKind::Encoding);
        assert!(read(&text, Reading::Strict).is_err());
    }
}

#[test]
fn row_33_the_first_line_is_extm3u() {
    let rest = ONE.strip_prefix("#EXTM3U").unwrap();
    check_error(format!("# x\n{ONE}"), &ErrorKind::NotAPlaylist);
    check_error(format!("#EXTM3U8{rest}"), &ErrorKind::NotAPlaylist);
    for text in [format!("\n{ONE}"), format!(" {ONE}"), format!("#EXTM3U x{rest}")] {
        check_odd(&text, &[Rule::FirstLine]);
        assert_eq!(uris(&media(&text)), ["seg.ts"]);
    }
}

#[test]
fn row_34_zero_is_a_duration() {
    for zero in ["0", "0.0"] {
        let text = media_text(&format!("#EXTINF:{zero},\na\n#EXTINF:{zero},\nb"));
        check_clean(&text);
        assert_eq!((media(&text).segments.len(), media(&text).duration()), (2, Duration::ZERO));
    }
}

#[test]
fn row_34_what_is_no_number_of_seconds_is_zero_with_a_diagnostic() {
    for wrong in ["-1", "nan", "NaN", "inf", "1e400", "1e3", ""] {
        let text = media_text(&format!("#EXTINF:{wrong},\na"));
        check_odd(&text, &[Rule::Duration]);
        assert_eq!(media(&text).duration(), Duration::ZERO, "{wrong}");
    }
    check_odd(media_text("#EXTINF\na"), &[Rule::Duration, Rule::NoComma]);
    let text = media_text("#EXTINF:5,5\na");
    assert_eq!(media(&text).duration(), Duration::from_secs(5), "a comma ends the duration");
}

#[test]
fn row_34_a_uri_without_extinf_is_no_segment() {
    let text = media_text("stray.ts\n#EXTINF:1,\na.ts");
    check_odd(&text, &[Rule::NoDuration]);
    assert_eq!(uris(&media(&text)), ["a.ts"]);
}

#[test]
fn row_35_target_durations_are_whole_and_stated_once() {
    let text = |tags: &str| format!("#EXTM3U\n{tags}#EXTINF:1,\na\n");
    check_odd(text(""), &[Rule::NoTargetDuration]);
    check_odd(text("#EXT-X-TARGETDURATION:10.5\n"), &[Rule::TargetDuration]);
    check_odd(text("#EXT-X-TARGETDURATION:-1\n"), &[Rule::NoTargetDuration, Rule::TargetDuration]);
    check_odd(text("#EXT-X-TARGETDURATION:2\n#EXT-X-TARGETDURATION:3\n"), &[Rule::RepeatedTag]);
}

#[test]
fn row_35_sequence_numbers_are_exact_or_refused() {
    for number in [1_u64 << 53, (1 << 53) + 1, u64::MAX - 1, u64::MAX] {
        let text = media_text(&format!("#EXT-X-MEDIA-SEQUENCE:{number}\n#EXTINF:1,\na"));
        check_clean(&text);
        assert_eq!(media(&text).segments[0].media_sequence, number);
    }
    check_refused(media_text("#EXT-X-MEDIA-SEQUENCE:18446744073709551616"), Rule::NumberTooLarge);
    check_odd(media_text("#EXT-X-MEDIA-SEQUENCE:-1"), &[Rule::SequenceNumber]);
    check_odd(media_text("#EXTINF:1,\na\n#EXT-X-MEDIA-SEQUENCE:7"), &[Rule::LateTag]);
    check_odd(media_text("#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MEDIA-SEQUENCE:7"), &[Rule::RepeatedTag]);
}

#[test]
fn row_36_stream_inf_and_extinf_do_not_mix() {
    let (stream, segment) = ("#EXT-X-STREAM-INF:BANDWIDTH=1\nv", "#EXTINF:1,\ns");
    check_refused(format!("#EXTM3U\n{stream}\n{segment}\n"), Rule::Mixed);
    check_refused(media_text(&format!("{segment}\n{stream}")), Rule::Mixed);
}

#[test]
fn row_37_stream_inf_without_a_uri_is_no_variant() {
    let stream = "#EXT-X-STREAM-INF:BANDWIDTH=1";
    let cases = [
        (menu_text(&format!("{stream}\na\n{stream}")), "a"),
        (menu_text(&format!("{stream}\n{stream}\nb")), "b"),
        (menu_text(&format!("{stream}\n#EXT-X-INDEPENDENT-SEGMENTS\n{stream}\nc")), "c"),
    ];
    for (text, uri) in cases {
        check_odd(&text, &[Rule::NoVariantUri]);
        let playlist = multivariant(&text);
        assert_eq!(playlist.variants.iter().map(|it| it.uri.as_str()).collect::<Vec<_>>(), [uri]);
    }
    check_clean(&menu_text(&format!("{stream}\n# comment\n\nv")));
}

#[test]
fn row_38_quotes_hold_commas_and_must_close() {
    let text = media_text("#EXT-X-KEY:METHOD=AES-128,URI=\"a,b=c\"\n#EXTINF:1,\ns");
    check_clean(&text);
    let playlist = media(&text);
    assert_eq!(playlist.keys_of(&playlist.segments[0])[0].uri.as_ref().unwrap().as_str(), "a,b=c");
    check_error(
        media_text("#EXT-X-KEY:METHOD=AES-128,URI=\"a"),
        &ErrorKind::Attributes(AttributeFault::UnclosedQuote),
    );
}

#[test]
fn row_38_sloppy_lists_are_read_leniently() {
    let key = |list: &str| media_text(&format!("#EXT-X-KEY:METHOD=AES-128,{list}\n#EXTINF:1,\ns"));
    check_odd(key("URI=\"a\",URI=\"b\""), &[Rule::DuplicateAttribute]);
    check_odd(key(" URI=\"a\""), &[Rule::ListSyntax]);
    let text = menu_text(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",DEFAULT=yes\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"g\"\nv",
    );
    check_odd(&text, &[Rule::AttributeValue]);
    assert!(multivariant(&text).renditions[0].default);
}

#[test]
fn row_38_an_iv_is_padded_on_the_left_and_at_most_128_bits() {
    let key = |iv: &str| media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV={iv}\n#EXTINF:1,\ns"));
    let cases = [
        ("0x1", 1),
        ("0X1", 1),
        ("0xfffffffffffffffffffffffffffffff", u128::MAX >> 4),
        ("0xffffffffffffffffffffffffffffffff", u128::MAX),
    ];
    for (iv, value) in cases {
        let text = key(iv);
        check_clean(&text);
        let playlist = media(&text);
        assert_eq!(playlist.keys_of(&playlist.segments[0])[0].iv, Some(value.to_be_bytes()), "{iv}");
    }
    check_refused(key("0x100000000000000000000000000000000"), Rule::HexTooLong);
}

#[test]
fn row_39_a_byterange_without_offset_needs_a_range_before_it() {
    let part = |range: &str, uri: &str| format!("#EXTINF:1,\n{range}{uri}\n");
    let implied = part("#EXT-X-BYTERANGE:100\n", "a");
    check_refused(media_text(&implied), Rule::ByteRangeBase);
    check_refused(media_text(&(part("#EXT-X-BYTERANGE:1@0\n", "b") + &implied)), Rule::ByteRangeBase);
    check_refused(media_text(&(part("", "a") + &implied)), Rule::ByteRangeBase);
    let text = media_text(&(part("#EXT-X-BYTERANGE:1@2\n", "a") + &implied));
    check_clean(&text);
    assert_eq!(media(&text).segments[1].byte_range, Some(ByteRange { offset: 3, length: 100 }));
}

#[test]
fn row_39_a_byterange_ends_within_64_bits() {
    let text = |range: &str| media_text(&format!("#EXTINF:1,\n#EXT-X-BYTERANGE:{range}\na"));
    check_refused(text("18446744073709551615@1"), Rule::ByteRangeOverflow);
    check_clean(&text("18446744073709551614@1"));
    check_odd(text("0@1"), &[Rule::EmptyByteRange]);
    let last = "#EXTINF:1,\n#EXT-X-BYTERANGE:1@18446744073709551614\na";
    check_refused(media_text(&format!("{last}\n#EXTINF:1,\n#EXT-X-BYTERANGE:1\na")), Rule::ByteRangeOverflow);
}

#[test]
fn row_40_unknown_tags_are_kept_and_never_taken_for_known_ones() {
    let text = media_text("#EXT-X-FOO:BAR\n#comment\n#EXTINF-LIKE:7\n#EXT-X-KEYS:x\n#EXTINF:1,\ns");
    check_clean(&text);
    let playlist = media(&text);
    assert_eq!((playlist.segments.len(), playlist.duration().as_secs()), (1, 1));
    let new = rewrite(&Playlist::Media(playlist), text.as_bytes(), |_, _| Some("n".to_owned())).unwrap();
    assert_eq!(String::from_utf8(new).unwrap(), text.replace("\ns\n", "\nn\n"));
}

#[test]
fn row_41_variables_stand_in_uris_and_quoted_attributes_only() {
    let text = media_text(
        "#EXT-X-DEFINE:NAME=\"v\",VALUE=\"w\"\n#EXT-X-MAP:URI=\"{$v}.mp4\"\n#EXTINF:1,{$v}\n{$v}/s.ts?x={$v}\n# {$nope}",
    );
    check_clean(&text);
    let playlist = media(&text);
    assert_eq!((uris(&playlist)[0], playlist.maps[0].uri.as_str()), ("w/s.ts?x=w", "w.mp4"));
    assert_eq!(playlist.segments[0].title, Some("{$v}"));
}

#[test]
fn row_41_each_fault_of_a_definition_is_refused() {
    let undefined = ErrorKind::UndefinedVariable { name: "x".to_owned() };
    check_error(segment("{$x}/s.ts"), &undefined);
    check_error(media_text("#EXTINF:1,\n{$x}\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"1\""), &undefined);
    let twice = "#EXT-X-DEFINE:NAME=\"x\",VALUE=\"1\"\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"1\"";
    check_refused(media_text(twice), Rule::DefineTwice);
    let import = "#EXT-X-DEFINE:IMPORT=\"x\"";
    let menu = menu_text(&format!("{import}\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv"));
    check_refused(menu, Rule::ImportInMultivariant);
    check_refused(media_text(import), Rule::ImportUndefined);
    check_refused(media_text("#EXT-X-DEFINE:QUERYPARAM=\"x\""), Rule::QueryParameter);
    check_refused(media_text("#EXT-X-DEFINE:NAME=\"x\""), Rule::DefineSyntax);
    check_refused(media_text("#EXT-X-DEFINE:NAME=\"a b\",VALUE=\"1\""), Rule::DefineName);
}

#[test]
fn row_41_query_parameters_come_from_the_playlist_s_own_url() {
    let text = media_text("#EXT-X-DEFINE:QUERYPARAM=\"x\"\n#EXTINF:1,\n{$x}/s.ts");
    let first = |url| {
        let parsed = parse(text.as_bytes(), &ParseOptions { url: Some(url), ..ParseOptions::default() })?;
        Ok::<_, Error>(parsed.playlist.as_media().unwrap().segments[0].uri.as_str().to_owned())
    };
    assert_eq!(first("http://h/m?x=a%20b").unwrap(), "a b/s.ts");
    for url in ["http://h/m", "http://h/m?y=1", "http://h/m?x=a%22b", "http://h/m?x=a%0Ab"] {
        assert_eq!(first(url).unwrap_err().kind(), &ErrorKind::Rule(Rule::QueryParameter), "{url}");
    }
}

#[test]
fn row_42_a_value_is_not_looked_into_again() {
    let defined = |value: &str| {
        media_text(&format!(
            "#EXT-X-DEFINE:NAME=\"y\",VALUE=\"z\"\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"{value}\"\n#EXTINF:1,\n{{$x}}/s"
        ))
    };
    for value in ["../../..", "file:///", "{$y}"] {
        let text = defined(value);
        let playlist = media(&text);
        assert_eq!(uris(&playlist), [format!("{value}/s")]);
    }
}
