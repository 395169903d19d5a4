//! E: keys and DRM.

use hls_parse::{Key, KeyMethod, UriRole, implicit_iv, rewrite};

use super::*;

const SEGMENT: &str = "#EXTINF:1,\ns\n";
const FAIRPLAY: &str = "com.apple.streamingkeydelivery";

/// A line of a key with these attributes, and a segment under it.
fn under(list: &str) -> String {
    media_text(&format!("#EXT-X-KEY:{list}\n{SEGMENT}"))
}

fn key_uri<'k>(key: &'k Key<'_>) -> &'k str {
    key.uri.as_ref().map_or("", |uri| uri.as_str())
}

/// The URIs of the keys at each segment.
fn keys_of_each(text: &str) -> Vec<String> {
    let playlist = media(text);
    let keys = playlist.segments.iter().map(|it| playlist.keys_of(it));
    keys.map(|keys| keys.iter().map(key_uri).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn row_59_an_implicit_iv_is_the_sequence_number_as_128_bits() {
    let text = media_text(&format!(
        "#EXT-X-MEDIA-SEQUENCE:2680\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n{SEGMENT}{SEGMENT}"
    ));
    check_clean(&text);
    let playlist = media(&text);
    assert_eq!(playlist.keys_of(&playlist.segments[1])[0].iv, None);
    let expected = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0x79];
    assert_eq!(implicit_iv(playlist.segments[1].media_sequence), expected);
    let last = format!("#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n{SEGMENT}");
    check_clean(&media_text(last.trim_end()));
    check_refused(media_text(&(last + SEGMENT)), Rule::SequenceOverflow);
}

#[test]
fn row_60_each_segment_has_its_own_key_state() {
    let key = |uri: &str| format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{uri}\"\n{SEGMENT}");
    let none = format!("#EXT-X-KEY:METHOD=NONE\n{SEGMENT}");
    let text = media_text(&[key("a"), none, key("a"), key("a"), key("b"), key("c")].concat());
    check_clean(&text);
    assert_eq!(keys_of_each(&text), ["a", "", "a", "a", "b", "c"]);
    let new = rewrite(&Playlist::Media(media(&text)), text.as_bytes(), |role, _| {
        (role == UriRole::Key).then(|| "local".to_owned())
    });
    let new = String::from_utf8(new.unwrap()).unwrap();
    assert_eq!(new.matches("URI=\"local\"").count(), 5, "every line, also one that repeats");
    assert!(new.contains("#EXT-X-KEY:METHOD=NONE\n"));
}

#[test]
fn row_62_sample_aes_without_a_format_is_identity() {
    for format in ["", ",KEYFORMAT=\"identity\""] {
        let text = under(&format!("METHOD=SAMPLE-AES,URI=\"http://h/k\"{format}"));
        check_clean(&text);
        let playlist = media(&text);
        let key = &playlist.keys_of(&playlist.segments[0])[0];
        assert_eq!((&key.method, key.is_identity()), (&KeyMethod::SampleAes, true));
    }
}

#[test]
fn row_63_all_key_systems_of_a_segment_are_in_effect_in_order() {
    let line = |uri: &str, more: &str| format!("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"{uri}\"{more}\n");
    let lines = [
        line("skd://id", &format!(",KEYFORMAT=\"{FAIRPLAY}\",KEYFORMATVERSIONS=\"1\"")),
        line("data:w", ",KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\""),
        line("data:p", ",KEYFORMAT=\"com.microsoft.playready\""),
        line("http://h/k", ""),
    ];
    let text = media_text(&(lines.concat() + SEGMENT));
    check_clean(&text);
    assert_eq!(keys_of_each(&text), ["skd://id data:w data:p http://h/k"]);
    let playlist = media(&text);
    let identity: Vec<bool> = playlist.keys_of(&playlist.segments[0]).iter().map(Key::is_identity).collect();
    assert_eq!(identity, [false, false, false, true]);
}

#[test]
fn row_64_session_keys_are_apart_from_keys_and_never_none() {
    let menu = |list: &str| format!("{}#EXT-X-SESSION-KEY:{list}\n", variant("BANDWIDTH=1"));
    let text = menu("METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"com.apple.streamingkeydelivery\"");
    check_clean(&text);
    assert_eq!(key_uri(&multivariant(&text).session_keys[0]), "skd://x");
    check_odd(menu("METHOD=NONE"), &[Rule::SessionKeyNone]);
    assert_eq!(multivariant(&menu("METHOD=NONE")).session_keys, []);
    assert_eq!(keys_of_each(&segment("s")), [""]);
}

#[test]
fn row_65_a_content_id_is_handed_on_byte_for_byte() {
    let long = format!("skd://{}", "x".repeat(8192));
    for uri in ["skd://", "skd://a b?c=1,d&e=", "skd://\u{c4}\u{d6}%2F+", "SKD://X", "skd:abc", &long] {
        for format in [FAIRPLAY, "COM.APPLE.StreamingKeyDelivery"] {
            let text = under(&format!("METHOD=SAMPLE-AES,URI=\"{uri}\",KEYFORMAT=\"{format}\""));
            check_clean(&text);
            let playlist = media(&text);
            let key = &playlist.keys_of(&playlist.segments[0])[0];
            assert_eq!((key_uri(key), &*key.key_format, key.is_identity()), (uri, format, false));
        }
    }
    let text = under("METHOD=SAMPLE-AES,URI=\"skd://a b?c=1,d&e=\"\"");
    check_error(text, &ErrorKind::Attributes(hls_parse::AttributeFault::UnclosedQuote));
}

#[test]
fn row_66_methods_and_versions_are_kept_and_a_key_needs_a_uri() {
    for word in ["SAMPLE-AES-CTR", "SAMPLE-AES-CENC", "AES-256", "FOO"] {
        let text = under(&format!("METHOD={word},URI=\"k\",KEYFORMAT=\"f\",KEYFORMATVERSIONS=\"1/2/5\""));
        check_clean(&text);
        let playlist = media(&text);
        let key = &playlist.keys_of(&playlist.segments[0])[0];
        assert_eq!((key.method.as_str(), key.key_format_versions.as_deref()), (word, Some("1/2/5")));
        assert_eq!(matches!(key.method, KeyMethod::Other(_)), word == "FOO", "never as if clear");
        check_refused(under(&format!("METHOD={word}")), Rule::MissingUri);
    }
}

#[test]
fn row_67_one_key_may_have_many_ivs() {
    let key = |iv: u8| format!("#EXT-X-KEY:METHOD=AES-128,URI=\"k?token=t\",IV=0x{iv}\n{SEGMENT}");
    let text = media_text(&(key(1) + &key(2)));
    check_clean(&text);
    let playlist = media(&text);
    let keys: Vec<_> = playlist.segments.iter().map(|it| &playlist.keys_of(it)[0]).collect();
    assert_eq!(keys.iter().map(|it| key_uri(it)).collect::<Vec<_>>(), ["k?token=t"; 2]);
    assert_eq!(keys.iter().map(|it| it.iv.unwrap()[15]).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn row_67_an_error_names_no_token() {
    let error = read(b"#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:1\ns?token=t\n", Reading::Lenient).unwrap_err();
    assert_eq!((error.to_string().contains("token"), error.line()), (false, Some(4)));
}
