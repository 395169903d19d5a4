//! A: URIs are read as written, resolved without decoding, and never altered in silence.

use hls_parse::{Rule, UriRole, resolve, rewrite};
use url::Url;

use super::*;

const BASE: &str = "http://h/a/b/m.m3u8?k=1";

/// A segment's reference is kept as written in a clean playlist, and leads to this URL.
#[track_caller]
fn check(reference: &str, whole: &str) {
    let text = segment(reference);
    check_clean(&text);
    assert_eq!(uris(&media(&text)), [reference]);
    assert_eq!(resolve(&Url::parse(BASE).unwrap(), reference).unwrap().as_str(), whole);
}

#[test]
fn row_01_dots_stop_at_the_root() {
    check("../../../../etc/passwd", "http://h/etc/passwd");
}

#[test]
fn row_02_escapes_are_never_decoded_into_a_path() {
    check("..%2f..%2fetc%2fpasswd", "http://h/a/b/..%2f..%2fetc%2fpasswd");
    let resolved = resolve(&Url::parse(BASE).unwrap(), "%2e%2e/%2e%2e/%2e%2e/x.ts").unwrap();
    assert_eq!((resolved.host_str(), resolved.path()), (Some("h"), "/x.ts"));
    let resolved = resolve(&Url::parse(BASE).unwrap(), "..\\..\\..\\x.ts").unwrap();
    assert_eq!((resolved.host_str(), resolved.path()), (Some("h"), "/x.ts"));
}

#[test]
fn row_03_a_file_scheme_reaches_the_caller_as_what_it_is_in_every_role() {
    check("file:///etc/passwd", "file:///etc/passwd");
    let text = media_text(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"file:///k\",IV=0x1\n#EXT-X-MAP:URI=\"file:///m\"\n#EXTINF:1,\nfile:///s",
    );
    check_clean(&text);
    let playlist = media(&text);
    let key = playlist.keys_of(&playlist.segments[0])[0].uri.as_ref().unwrap();
    for uri in [key, &playlist.maps[0].uri, &playlist.segments[0].uri] {
        assert_eq!(resolve(&Url::parse(BASE).unwrap(), uri.as_str()).unwrap().scheme(), "file");
    }
}

#[test]
fn row_04_data_keys_are_kept_as_written() {
    let aes = "data:application/octet-stream;base64,AAECAwQFBgcICQoLDA0ODw==";
    let text = media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{aes}\"\n#EXTINF:1,\ns"));
    check_clean(&text);
    let playlist = media(&text);
    let key = &playlist.keys_of(&playlist.segments[0])[0];
    assert_eq!((key.uri.as_ref().unwrap().as_str(), key.is_identity()), (aes, true));
}

#[test]
fn row_05_a_data_segment_is_no_hole() {
    check("data:video/mp2t;base64,Rw==", "data:video/mp2t;base64,Rw==");
}

#[test]
fn row_06_absolute_references_keep_their_own_origin() {
    for whole in ["http://a/m.m3u8", "https://b:8443/s.ts", "http://c/k"] {
        check(whole, whole);
    }
}

#[test]
fn row_07_every_form_of_reference_resolves_and_a_blank_line_is_none() {
    check("//h2/x.ts", "http://h2/x.ts");
    check("/x.ts", "http://h/x.ts");
    check("?n=2", "http://h/a/b/m.m3u8?n=2");
    check("x.ts?u=http://e/", "http://h/a/b/x.ts?u=http://e/");
    check("HTTP://H/x.ts", "http://h/x.ts");
    let text = media_text("#EXTINF:1,\n\n#EXTINF:2,\ns.ts");
    check_odd(&text, &[Rule::NoSegmentUri]);
    assert_eq!(uris(&media(&text)), ["s.ts"]);
}

#[test]
fn row_08_queries_make_different_references() {
    check("seg.ts?n=1", "http://h/a/b/seg.ts?n=1");
    let text = media_text("#EXTINF:1,\nseg.ts?n=1\n#EXTINF:1,\nseg.ts?n=2");
    assert_eq!(uris(&media(&text)), ["seg.ts?n=1", "seg.ts?n=2"]);
}

#[test]
fn row_09_both_entries_of_one_resource_stay() {
    let text = media_text("#EXTINF:1,\nseg.ts#a\n#EXTINF:1,\nseg.ts#b");
    check_clean(&text);
    assert_eq!(uris(&media(&text)), ["seg.ts#a", "seg.ts#b"]);
}

#[test]
fn row_09_a_range_continues_across_fragments() {
    let text = media_text(
        "#EXTINF:1,\n#EXT-X-BYTERANGE:9@1\nseg.ts#a\n#EXTINF:1,\n#EXT-X-BYTERANGE:5\nseg.ts#b\n\
         #EXTINF:1,\n#EXT-X-BYTERANGE:2\nseg.ts",
    );
    let offsets: Vec<u64> = media(&text).segments.iter().map(|it| it.byte_range.unwrap().offset).collect();
    assert_eq!(offsets, [1, 10, 15]);
}

#[test]
fn row_10_names_that_a_file_system_folds_stay_apart() {
    let names = ["A.ts", "a.ts", "\u{e9}.ts", "e\u{301}.ts", "x.ts", "x.ts."];
    let lines: Vec<String> = names.iter().map(|name| format!("#EXTINF:1,\n{name}")).collect();
    let text = media_text(&lines.join("\n"));
    check_clean(&text);
    assert_eq!(uris(&media(&text)), names);
}

#[test]
fn row_11_long_references_are_read_whole() {
    let (name, query) = ("n".repeat(4096), "q".repeat(65_536));
    check(&format!("{name}?{query}"), &format!("http://h/a/b/{name}?{query}"));
}

#[test]
fn row_12_an_escaped_nul_stays_and_raw_control_characters_are_refused() {
    check("a%00b.ts", "http://h/a/b/a%00b.ts");
    for control in ["\0", "\t", "\x1b"] {
        check_refused_or_control(&segment(&format!("a{control}b.ts")));
        check_refused_or_control(&media_text(&format!("#EXT-X-MAP:URI=\"a{control}b\"")));
    }
}

/// Lenient by the rule of URIs; strict may already refuse the line.
#[track_caller]
fn check_refused_or_control(text: &str) {
    let kind = |reading| read(text.as_bytes(), reading).unwrap_err().kind().clone();
    assert_eq!(kind(Reading::Lenient), ErrorKind::Rule(Rule::ControlInUri), "{text:?}");
    let strict = kind(Reading::Strict);
    assert!(
        matches!(strict, ErrorKind::Rule(Rule::ControlInUri | Rule::ControlCharacter)),
        "{text:?} {strict:?}"
    );
}

#[test]
fn row_13_raw_utf8_and_spaces_are_escaped_on_the_wire() {
    check("\u{89c6}\u{9891} 1.ts", "http://h/a/b/%E8%A7%86%E9%A2%91%201.ts");
}

#[test]
fn row_13_a_carriage_return_cannot_inject_a_header() {
    check_refused_or_control(&segment("a.ts HTTP/1.1\rX-Evil: 1"));
    assert!(resolve(&Url::parse(BASE).unwrap(), "a\r\nX: 1").is_err());
}

#[test]
fn row_14_names_that_a_system_reserves_are_references_like_others() {
    for name in ["CON.ts", "aux", "nul.m3u8", ".", "..", "x."] {
        let text = segment(name);
        check_clean(&text);
        assert_eq!(uris(&media(&text)), [name]);
    }
}

#[test]
fn row_17_one_reference_in_three_roles_is_three_uris() {
    let text = media_text(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"x\",IV=0x1\n#EXT-X-MAP:URI=\"x\",BYTERANGE=\"5@0\"\n\
         #EXT-X-BYTERANGE:7@5\n#EXTINF:1,\nx",
    );
    check_clean(&text);
    let playlist = Playlist::Media(media(&text));
    let new = rewrite(&playlist, text.as_bytes(), |role, _| {
        let names = [(UriRole::Key, "k"), (UriRole::Map, "m"), (UriRole::Segment, "s")];
        let (_, name) = names.into_iter().find(|(it, _)| *it == role).unwrap();
        Some(name.to_owned())
    });
    let expected = text.replacen("\"x\"", "\"k\"", 1).replace("\"x\"", "\"m\"").replace("\nx\n", "\ns\n");
    assert_eq!(String::from_utf8(new.unwrap()).unwrap(), expected);
}
