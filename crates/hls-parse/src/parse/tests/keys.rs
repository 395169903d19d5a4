//! Which keys apply where.

use super::*;
use crate::key::{KeyMethod, implicit_iv};

/// The keys of each segment as `METHOD uri`, joined by ` + `.
#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let text = media_text(lines);
    let playlist = media(&text);
    let shown = |key: &crate::Key<'_>| format!("{} {}", key.method.as_str(), key.uri.as_ref().unwrap().text);
    let keys: Vec<String> = playlist
        .segments
        .iter()
        .map(|segment| playlist.keys_of(segment).iter().map(shown).collect::<Vec<_>>().join(" + "))
        .collect();
    assert_eq!(keys, expected);
}

const SEGMENT: &str = "#EXTINF:1,\ns.ts\n";

#[test]
fn a_key_holds_until_the_next_and_none_ends_it() {
    let key = |uri: &str| format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{uri}\"\n");
    let lines = [
        SEGMENT,
        &key("a"),
        SEGMENT,
        SEGMENT,
        "#EXT-X-KEY:METHOD=NONE\n",
        SEGMENT,
        &key("b"),
        SEGMENT,
        &key("a"),
        SEGMENT,
    ];
    check(&lines.concat(), &["", "AES-128 a", "AES-128 a", "", "AES-128 b", "AES-128 a"]);
}

#[test]
fn one_key_of_each_format_is_in_effect_in_order() {
    let lines = format!(
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1/2/5\"\n\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:a\",KEYFORMAT=\"urn:uuid:edef8ba9\"\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n{SEGMENT}\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:b\",KEYFORMAT=\"urn:uuid:edef8ba9\"\n{SEGMENT}#EXT-X-KEY:METHOD=NONE\n{SEGMENT}"
    );
    check(
        &lines,
        &[
            "SAMPLE-AES skd://x + SAMPLE-AES data:a + SAMPLE-AES k",
            "SAMPLE-AES skd://x + SAMPLE-AES data:b + SAMPLE-AES k",
            "",
        ],
    );
}

#[test]
fn none_ends_the_keys_of_every_format_for_good() {
    let lines = format!(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"a\"\n{SEGMENT}#EXT-X-KEY:METHOD=NONE\n\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"f\"\n{SEGMENT}"
    );
    check(&lines, &["AES-128 a", "SAMPLE-AES skd://x"]);
}

#[test]
fn no_keys_are_always_the_first_set() {
    let text = media_text(&format!(
        "{SEGMENT}#EXT-X-KEY:METHOD=AES-128,URI=\"a\"\n{SEGMENT}#EXT-X-KEY:METHOD=NONE\n{SEGMENT}"
    ));
    let playlist = media(&text);
    assert_eq!(playlist.segments.iter().map(|it| it.keys.0).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(playlist.key_sets.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_same_line_again_changes_nothing() {
    let text = media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"a\"\n{SEGMENT}").repeat(3));
    let playlist = media(&text);
    assert_eq!(playlist.key_sets.len(), 2);
    assert!(playlist.segments.iter().all(|it| it.keys == playlist.segments[0].keys));
}

#[test]
fn an_iv_is_read_and_the_implicit_one_is_the_sequence_number() {
    let text = media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=0X0001fF\n{SEGMENT}"));
    let playlist = media(&text);
    assert_eq!(playlist.keys_of(&playlist.segments[0])[0].iv, Some(0x1ff_u128.to_be_bytes()));
    assert_eq!(implicit_iv(2680)[14..], [0x0a, 0x78]);
    assert_eq!(implicit_iv(u64::MAX)[..9], [0, 0, 0, 0, 0, 0, 0, 0, 0xff]);
}

#[test]
fn an_iv_that_is_none_is_refused() {
    for iv in ["0x".to_owned(), "x1".to_owned(), "0xg".to_owned(), format!("0x1{}", "0".repeat(32))] {
        check_refused(&media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV={iv}")), Rule::HexTooLong);
    }
}

#[test]
fn a_key_without_uri_or_method_is_refused() {
    check_refused(&media_text("#EXT-X-KEY:METHOD=AES-128"), Rule::MissingUri);
    check_refused(&media_text("#EXT-X-KEY:METHOD=AES-128,URI=\"\",X=1"), Rule::MissingUri);
    check_refused(&media_text("#EXT-X-KEY:URI=\"a\""), Rule::KeyMethod);
}

#[test]
fn none_with_other_attributes_is_odd() {
    check_odd(&media_text("#EXT-X-KEY:METHOD=NONE,URI=\"a\""), 3, Rule::NoneWithAttributes);
}

#[test]
fn drm_uris_are_handed_on_byte_for_byte() {
    for uri in [
        "skd://",
        "skd://a b?c=1,d&e=",
        "skd://ÄÖ%2F+",
        "SKD://X",
        "skd:abc",
        &format!("skd://{}", "x".repeat(8192)),
    ] {
        let format = "com.apple.streamingkeydelivery";
        let text = media_text(&format!(
            "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"{uri}\",KEYFORMAT=\"{format}\"\n{SEGMENT}"
        ));
        let playlist = media(&text);
        let key = &playlist.keys_of(&playlist.segments[0])[0];
        assert_eq!((key.uri.as_ref().map(|it| &*it.text), key.is_identity()), (Some(uri), false));
    }
}

#[test]
fn methods_are_known_by_their_words_and_others_kept() {
    for word in ["AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR", "SAMPLE-AES-CENC", "AES-256", "FOO"] {
        let text = media_text(&format!("#EXT-X-KEY:METHOD={word},URI=\"a\"\n{SEGMENT}"));
        let playlist = media(&text);
        let method = &playlist.keys_of(&playlist.segments[0])[0].method;
        assert_eq!(method.as_str(), word);
        assert_eq!(matches!(method, KeyMethod::Other(_)), word == "FOO");
    }
}

#[test]
fn identity_is_the_format_when_none_is_stated() {
    for format in ["", ",KEYFORMAT=\"identity\""] {
        let text = media_text(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"a\"{format}\n{SEGMENT}"));
        let playlist = media(&text);
        assert!(playlist.keys_of(&playlist.segments[0])[0].is_identity());
    }
}

#[test]
fn a_map_is_under_the_keys_where_it_stands() {
    let key = "#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=0x1\n";
    let text =
        media_text(&format!("#EXT-X-MAP:URI=\"clear\"\n{key}{SEGMENT}#EXT-X-MAP:URI=\"under\"\n{SEGMENT}"));
    check_clean(&text);
    let playlist = media(&text);
    let keys: Vec<usize> = playlist.maps.iter().map(|map| playlist.key_set(map.keys).len()).collect();
    assert_eq!(keys, [0, 1]);
}

#[test]
fn a_map_under_aes_128_without_an_iv_is_odd() {
    let key = |more: &str| media_text(&format!("#EXT-X-KEY:METHOD={more}\n#EXT-X-MAP:URI=\"m\"\n"));
    check_odd(&key("AES-128,URI=\"k\""), 4, Rule::MapIv);
    check_clean(&key("SAMPLE-AES,URI=\"k\""));
    check_clean(&key("AES-128,URI=\"k\",IV=0x1"));
}

#[test]
fn ever_new_key_formats_are_limited() {
    let lines: String =
        (0..9).map(|n| format!("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"a\",KEYFORMAT=\"f{n}\"\n")).collect();
    check_error(media_text(&lines).as_bytes(), "line 11: `#EXT-X-KEY`: more than 8 key formats");
}

#[test]
fn session_keys_are_keys_but_never_none() {
    let head = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";
    let text = format!("{head}#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n#EXT-X-VERSION:2\n");
    check_clean(&text);
    assert_eq!(multivariant(&text).session_keys[0].iv, Some(1_u128.to_be_bytes()));
    let text = format!("{head}#EXT-X-SESSION-KEY:METHOD=NONE\n");
    check_odd(&text, 4, Rule::SessionKeyNone);
    assert!(multivariant(&text).session_keys.is_empty());
}
