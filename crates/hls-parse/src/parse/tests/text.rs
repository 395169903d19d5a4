//! Text and syntax: first lines, line ends, encodings, lists, limits.

use super::*;

const ONE: &str =
    "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.009,title\nseg.ts\n#EXT-X-ENDLIST\n#EXT-X-VERSION:3\n";

#[test]
fn a_plain_playlist_is_clean() {
    check_clean(ONE);
}

#[test]
fn what_does_not_begin_with_extm3u_is_no_playlist() {
    let message = "not a playlist: the first line is not `#EXTM3U`";
    for text in
        ["", "\n\n", "{\"error\":1}", "#EXTM3U8\n", "#EXTM3U-X\n", "# x\n#EXTM3U\n", "#EXTINF:1,\na.ts\n"]
    {
        for reading in [Reading::Lenient, Reading::Strict] {
            let error = parsed(text, reading).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::NotAPlaylist, "{text}");
            assert!(error.to_string().ends_with(message), "{error}");
        }
    }
    check_error(b"<!DOCTYPE html>\n<html>", &format!("line 1: `<!DOCTYPE html>`: {message}"));
}

#[test]
fn a_first_line_with_something_around_it_is_odd() {
    let rest = ONE.strip_prefix("#EXTM3U").unwrap();
    check_odd(&format!("#EXTM3U x-tvg-url=\"u\"{rest}"), 1, Rule::FirstLine);
    check_odd(&format!(" #EXTM3U{rest}"), 1, Rule::FirstLine);
    check_odd(&format!("\n#EXTM3U{rest}"), 2, Rule::FirstLine);
}

#[test]
fn a_byte_order_mark_is_dropped_and_reported() {
    let text = format!("\u{feff}{ONE}");
    check_odd(&text, 1, Rule::ByteOrderMark);
    assert_eq!(media(&text).segments.len(), 1);
}

#[test]
fn utf_16_is_refused() {
    for bytes in [&b"\xFF\xFE#\0E\0X\0T\0"[..], b"\xFE\xFF\0#\0E\0X\0T"] {
        check_error(bytes, "not UTF-8");
    }
    check_error(b"#\0E\0X\0T\0M\x003\0U\0", "line 1: not a playlist: the first line is not `#EXTM3U`");
}

#[test]
fn every_line_end_gives_the_same_facts() {
    let facts = |text: &str| {
        let playlist = media(text);
        let segment = &playlist.segments[0];
        (segment.uri.text.to_string(), segment.title.map(str::to_owned), segment.line, playlist.end_list)
    };
    let expected = ("seg.ts".to_owned(), Some("title".to_owned()), 4, true);
    let (crlf, mixed) = (ONE.replace('\n', "\r\n"), ONE.replacen('\n', "\r\n", 2));
    for text in [ONE, &crlf, &mixed, ONE.trim_end()] {
        assert_eq!(facts(text), expected);
        check_clean(text);
    }
}

#[test]
fn carriage_returns_alone_are_no_line_ends() {
    let error = parsed(&ONE.replace('\n', "\r"), Reading::Lenient).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotAPlaylist);
}

#[test]
fn bytes_that_are_not_utf8_are_read_in_titles_and_comments_only() {
    let title = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,caf\xe9\nseg.ts\n# \xff\n";
    let parsed = parse(title, &ParseOptions::default()).unwrap();
    assert_eq!(parsed.playlist.as_media().unwrap().segments[0].title, Some("caf"));
    let odd: Vec<(u32, Rule)> = parsed.diagnostics.iter().map(|it| (it.line, it.rule)).collect();
    assert_eq!(odd, [(3, Rule::NotUtf8), (5, Rule::NotUtf8)]);
    let strict = ParseOptions { reading: Reading::Strict, ..ParseOptions::default() };
    assert_eq!(*parse(title, &strict).unwrap_err().kind(), ErrorKind::Rule(Rule::NotUtf8));
}

#[test]
fn a_uri_that_is_not_utf8_is_refused_rather_than_altered() {
    let lenient = |text: &[u8]| parse(text, &ParseOptions::default()).unwrap_err();
    let error = lenient(b"#EXTM3U\n#EXTINF:9,\ns\xe9g.ts\n");
    assert_eq!((error.line(), error.kind()), (Some(3), &ErrorKind::Encoding));
    let error = lenient(b"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"\xe9\"\n");
    assert_eq!((error.line(), error.kind()), (Some(2), &ErrorKind::Encoding));
}

#[test]
fn raw_control_characters_in_a_uri_are_refused_and_escaped_ones_stay() {
    for uri in ["a\0b.ts", "a\tb.ts", "a\x1bb.ts", "a\rb.ts", "a\u{85}b.ts"] {
        let text = media_text(&format!("#EXTINF:1,\n{uri}"));
        let error = parsed(&text, Reading::Lenient).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Rule(Rule::ControlInUri), "{uri:?}");
        assert!(parsed(&text, Reading::Strict).is_err());
    }
    let text = media_text("#EXTINF:1,\na%00b.ts");
    assert_eq!(media(&text).segments[0].uri.text, "a%00b.ts");
}

#[test]
fn control_characters_elsewhere_are_odd() {
    check_odd(&media_text("#EXTINF:1,a\tb\ns.ts"), 3, Rule::ControlCharacter);
    check_odd(&media_text("# \x1b[31m"), 3, Rule::ControlCharacter);
}

#[test]
fn uris_stay_as_written() {
    let uris =
        ["../../../../etc/passwd", "..%2f..%2fetc", "..\\..\\x.ts", "//h2/x.ts", "?n=2", "HTTP://H/x.ts"];
    let more =
        ["视频 1.ts", "x.ts?u=http://e/", "seg.ts#a", "data:video/mp2t;base64,Rw==", "file:///etc/passwd"];
    for uri in uris.into_iter().chain(more) {
        let text = media_text(&format!("#EXTINF:1,\n{uri}"));
        let playlist = media(&text);
        assert_eq!(playlist.segments[0].uri.text, uri);
        assert_eq!(playlist.segments[0].uri.span.of(text.as_bytes()), uri.as_bytes());
    }
}

#[test]
fn a_blank_line_is_no_uri() {
    let text = media_text("#EXTINF:1,\n\n \t\n#EXTINF:2,\n\ns.ts");
    check_odd(&text, 3, Rule::NoSegmentUri);
    assert_eq!(media(&text).segments.len(), 1);
}

#[test]
fn blanks_around_a_line_are_odd_and_do_not_count() {
    check_odd(&media_text("#EXTINF:1,\n s.ts"), 4, Rule::Blanks);
    check_odd(&media_text("#EXTINF:1,\ns.ts \t"), 4, Rule::Blanks);
    assert_eq!(media(&media_text("#EXTINF:1,\n s.ts\t")).segments[0].uri.text, "s.ts");
}

#[test]
fn a_quote_that_is_not_closed_is_refused() {
    let text = media_text("#EXT-X-KEY:METHOD=AES-128,URI=\"https://h/k?token=secret");
    check_error(text.as_bytes(), "line 3: `#EXT-X-KEY`: attribute list has an unclosed quote");
}

#[test]
fn a_quote_inside_a_drm_uri_is_refused() {
    let text = media_text("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://a b?c=1,d&e=\"\"");
    check_error(text.as_bytes(), "line 3: `#EXT-X-KEY`: attribute list has an unclosed quote");
    for id in ["a\"b\"c", "a\"b"] {
        let text = media_text(&format!("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://{id}\""));
        let fault = if id.len() > 3 { "text behind a closing quote" } else { "an unclosed quote" };
        check_error(text.as_bytes(), &format!("line 3: `#EXT-X-KEY`: attribute list has {fault}"));
    }
}

#[test]
fn text_behind_a_closing_quote_is_odd_where_no_key_depends_on_it() {
    check_odd(&media_text("#EXT-X-MAP:URI=\"a\"b"), 3, Rule::AfterQuote);
    let text = media_text("#EXT-X-MAP:URI=\"a\"b,BYTERANGE=\"3@4\"\n#EXTINF:1,\ns");
    let maps = media(&text).maps;
    assert_eq!((&*maps[0].uri.text, maps[0].byte_range.unwrap().offset), ("a", 4));
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"The \"best\" sound\",URI=\"u\"\n";
    check_odd(text, 2, Rule::AfterQuote);
    let rendition = &multivariant(text).renditions[0];
    assert_eq!((&*rendition.name, rendition.uri.as_ref().unwrap().as_str()), ("The \"best\" sound", "u"));
}

#[test]
fn lists_that_players_read_are_odd() {
    let key = |list: &str| media_text(&format!("#EXT-X-KEY:{list}\n#EXTINF:1,\ns.ts"));
    check_clean(&key("METHOD=AES-128,URI=\"a,b=c\""));
    check_odd(&key("METHOD=AES-128, URI=\"k\""), 3, Rule::ListSyntax);
    check_odd(&key("METHOD=AES-128,URI=\"k\","), 3, Rule::ListSyntax);
    check_odd(&key("METHOD=AES-128,URI=\"k\",X"), 3, Rule::ListSyntax);
    check_odd(&key("METHOD=AES-128,URI=k"), 3, Rule::Quoting);
    check_odd(&key("METHOD=\"AES-128\",URI=\"k\""), 3, Rule::Quoting);
    check_odd(&key("METHOD=AES-128,URI=\"k\",URI=\"l\""), 3, Rule::DuplicateAttribute);
    let long: String = (0..100).map(|number| format!("X-{number}=1,")).collect();
    check_odd(&key(&format!("{long}METHOD=AES-128,URI=\"k\",X-99=1")), 3, Rule::DuplicateAttribute);
    check_clean(&key(&format!("{long}METHOD=AES-128,URI=\"k\"")));
}

#[test]
fn of_an_attribute_that_occurs_twice_the_last_one_is_taken() {
    let text = media_text("#EXT-X-MAP:URI=\"a\",URI=\"b\"");
    assert_eq!(media(&text).maps[0].uri.text, "b");
}

#[test]
fn unknown_tags_are_never_taken_for_known_ones() {
    let text = media_text(
        "#EXT-X-FOO:BAR\n#EXTINF-LIKE:3\n#EXT-X-KEYS:METHOD=AES-128\n#EXTINF:1,\n#EXTINFO\ns.ts\n#comment",
    );
    check_clean(&text);
    let playlist = media(&text);
    assert_eq!((playlist.segments.len(), playlist.segments[0].duration.as_secs()), (1, 1));
    assert!(playlist.keys_of(&playlist.segments[0]).is_empty());
}

#[test]
fn each_limit_is_an_error_that_names_it() {
    let limits = Limits { bytes: 300, lines: 8, line_bytes: 100, attributes: 3, ..Limits::default() };
    let read = |lines: &str| {
        let text = media_text(lines);
        let read = parse(text.as_bytes(), &ParseOptions { limits, ..ParseOptions::default() });
        read.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(read("#EXTINF:1,\ns.ts"), Ok(()));
    assert_eq!(read(&"x".repeat(300)), Err("more than 300 bytes".to_owned()));
    assert_eq!(read(&"#\n".repeat(8)), Err("more than 8 lines".to_owned()));
    let at_the_limit = ["x".repeat(100), "#\n".repeat(4), "#EXT-X-MAP:URI=\"m\",B=2,C=3".to_owned()];
    assert!(at_the_limit.iter().all(|lines| read(lines).is_ok()));
    let long = format!("line 3: `{}...`: more than 100 bytes in a line", "x".repeat(80));
    assert_eq!(read(&"x".repeat(101)), Err(long));
    let many = "line 3: `#EXT-X-MAP`: more than 3 attributes".to_owned();
    assert_eq!(read("#EXT-X-MAP:A=1,B=2,C=3,D=4"), Err(many));
}

#[test]
fn diagnostics_behind_the_limit_are_counted() {
    let limits = Limits { diagnostics: 2, ..Limits::default() };
    let text = media_text("a\nb\nc\nd");
    let parsed = parse(text.as_bytes(), &ParseOptions { limits, ..ParseOptions::default() }).unwrap();
    assert_eq!((parsed.diagnostics.len(), parsed.diagnostics_left_out), (2, 2));
}

#[test]
fn diagnostics_come_by_line() {
    let text = "#EXTM3U\nstray.ts\n#EXTINF:1\n#EXTINF:x,\ns.ts";
    let (lenient, _) = verdicts(text);
    assert_eq!(lenient, "0:no-target-duration 2:no-duration 3:no-comma 3:no-segment-uri 4:duration");
}

#[test]
fn a_diagnostic_says_where_what_and_by_which_section() {
    let text = media_text("#EXTINF:x,\ns.ts");
    let parsed = parsed(&text, Reading::Lenient).unwrap();
    let odd = parsed.diagnostics[0];
    assert_eq!(odd.to_string(), "line 3: EXTINF has no readable duration (RFC 8216 4.3.2.1)");
    assert_eq!(odd.span.of(text.as_bytes()), b"x,");
    let json = serde_json::to_string(&odd).unwrap();
    assert_eq!(json, r#"{"line":3,"span":{"start":41,"end":43},"rule":"duration"}"#);
}

#[test]
fn codes_of_rules_are_unique_words() {
    let mut codes: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    codes.sort_unstable();
    assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(
        codes
            .iter()
            .all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte)))
    );
}
