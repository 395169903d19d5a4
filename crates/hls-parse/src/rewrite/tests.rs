//! Which URIs are asked for, and that nothing else changes.

use super::*;
use crate::parse::{Limits, ParseOptions, parse};

fn rewritten(
    text: &str,
    replacement: impl FnMut(UriRole, &Uri<'_>) -> Option<String>,
) -> Result<String, Error> {
    let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
    rewrite(&parsed.playlist, text.as_bytes(), replacement).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn rewritten_in_passing(
    text: &str,
    replacement: impl FnMut(UriRole, &Uri<'_>) -> Option<String>,
) -> Result<String, Error> {
    let written = rewrite_text(text.as_bytes(), &ParseOptions::default(), replacement);
    written.map(|bytes| String::from_utf8(bytes).unwrap())
}

/// The roles and URIs asked for, `Role uri` each.
#[track_caller]
fn check_asked(text: &str, expected: &[&str]) {
    let mut asked = Vec::new();
    let same = rewritten(text, |role, uri| {
        asked.push(format!("{role:?} {}", uri.text));
        None
    });
    assert_eq!(same.unwrap(), text);
    assert_eq!(asked, expected);
    asked.clear();
    let same = rewritten_in_passing(text, |role, uri| {
        asked.push(format!("{role:?} {}", uri.text));
        None
    });
    assert_eq!(same.unwrap(), text);
    assert_eq!(asked, expected, "in passing");
}

#[test]
fn every_uri_of_a_media_playlist_is_asked_for_in_order() {
    check_asked(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,IV=0x1,URI=\"k\"\n#EXT-X-MAP:URI=\"m\"\n\
         #EXT-X-DATERANGE:ID=\"1\",START-DATE=\"2026-01-01T00:00:00Z\",X-ASSET-LIST=\"l\",X-ASSET-URI=\"a\"\n\
         #EXTINF:4,\n s.ts \n#EXT-X-PART:DURATION=1,URI=\"p\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"h\"\n\
         #EXT-X-RENDITION-REPORT:URI=\"r\"",
        &[
            "Key k",
            "Map m",
            "AssetList l",
            "AssetUri a",
            "Segment s.ts",
            "Part p",
            "PreloadHint h",
            "RenditionReport r",
        ],
    );
}

#[test]
fn every_uri_of_a_multivariant_playlist_is_asked_for_in_order() {
    check_asked(
        "#EXTM3U\r\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",URI=\"au\"\r\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"g\"\r\nv.m3u8\r\n\
         #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i\"\r\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\r\n\
         #EXT-X-SESSION-DATA:DATA-ID=\"d\",URI=\"j\"\r\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"c\"\r\n",
        &[
            "Rendition au",
            "Variant v.m3u8",
            "IFrameVariant i",
            "SessionKey k",
            "SessionData j",
            "ContentSteering c",
        ],
    );
}

#[test]
fn an_empty_uri_counts_as_absent() {
    check_asked("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",URI=\"\"\n", &[]);
}

#[test]
fn only_the_uri_changes() {
    let text = "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\n\n# kept\n#EXT-X-KEY: METHOD=AES-128 , URI=\"https://h/k\",X=1\n\
                #EXT-X-URI:URI=\"x\"\n#EXTINF:4.000,https://h/a\n\thttps://h/a \nx";
    let expected = "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\n\n# kept\n#EXT-X-KEY: METHOD=AES-128 , URI=\"k\",X=1\n\
                    #EXT-X-URI:URI=\"x\"\n#EXTINF:4.000,https://h/a\n\ta \nx";
    let local = rewritten(text, |_, uri| uri.text.rsplit('/').next().map(str::to_owned));
    assert_eq!(local.unwrap(), expected);
}

#[test]
fn variables_are_substituted_for_the_question_and_replaced_by_the_answer() {
    let text =
        "#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"cdn\"\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{$h}/1.ts\n";
    check_asked(text, &["Segment cdn/1.ts"]);
    let local = rewritten(text, |_, _| Some("1.ts".to_owned())).unwrap();
    assert!(local.ends_with("#EXTINF:1,\n1.ts\n"));
}

#[test]
fn a_replacement_that_would_break_its_line_is_refused() {
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\ns.ts\n";
    let refused = |wanted, new: &str| {
        rewritten(text, |role, _| (role == wanted).then(|| new.to_owned()))
            .is_err_and(|it| *it.kind() == ErrorKind::UnfitText)
    };
    assert!(refused(UriRole::Key, "a\"b") && refused(UriRole::Key, "") && refused(UriRole::Key, "a\nb"));
    assert!(
        refused(UriRole::Segment, "#a")
            && refused(UriRole::Segment, " a")
            && refused(UriRole::Segment, "a\rb")
    );
    assert!(!refused(UriRole::Segment, "a\"b,c") && !refused(UriRole::Key, "a,b"));
}

#[test]
fn a_uri_that_was_passed_over_for_its_control_characters_is_left_as_it_is() {
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"\u{1}p.mp4\"\n#EXTINF:4,\ns.ts\n";
    check_asked(text, &["Segment s.ts"]);
    let local = rewritten(text, |_, _| Some("1.ts".to_owned())).unwrap();
    assert_eq!(local, text.replace("s.ts", "1.ts"));
}

#[test]
fn in_passing_a_text_is_held_to_the_limits_and_broken_rules_are_let_go() {
    let limits = Limits { line_bytes: 20, ..Limits::default() };
    let options = ParseOptions { limits, reading: Reading::Strict, ..ParseOptions::default() };
    let go = |text: &str| {
        let written = rewrite_text(text.as_bytes(), &options, |_, uri| Some(format!("new/{}", uri.text)));
        written.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| error.kind().clone())
    };
    assert_eq!(go("#EXTM3U\nno-extinf.ts\n"), Ok("#EXTM3U\nnew/no-extinf.ts\n".to_owned()));
    assert_eq!(go("no playlist\n"), Err(ErrorKind::NotAPlaylist));
    let long = format!("#EXTM3U\n{}\n", "x".repeat(21));
    assert_eq!(go(&long), Err(ErrorKind::Limit { what: "bytes in a line", limit: 20 }));
}

#[test]
fn in_passing_a_variable_counts_from_its_definition_on() {
    let text = "#EXTM3U\n#EXTINF:4,\n{$a}0.ts\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b/\"\n#EXTINF:4,\n{$a}1.ts\n";
    let new = rewritten_in_passing(text, |_, uri| Some(uri.text.to_uppercase())).unwrap();
    assert_eq!(new, text.replace("{$a}1.ts", "B/1.TS"));
}

#[test]
fn a_few_bytes_cannot_stand_for_gigabytes_in_what_is_rewritten() {
    let value = "x".repeat(1000);
    let text = format!("#EXTM3U\n#EXT-X-DEFINE:NAME=\"v\",VALUE=\"{value}\"\n{}\n", "{$v}".repeat(10));
    let limits = Limits { bytes: 5_000, ..Limits::default() };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    let error = rewrite_text(text.as_bytes(), &options, |_, _| None).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Limit { what: "bytes of variables", limit: 5_000 });
    let million = "x".repeat(1_000_000);
    let text = text.replace(&value, &million).replace("{$v}\n", &format!("{}\n", "{$v}".repeat(300)));
    let playlist = parse(b"#EXTM3U\n", &ParseOptions::default()).unwrap().playlist;
    assert_eq!(
        rewrite(&playlist, text.as_bytes(), |_, _| None).unwrap(),
        text.as_bytes(),
        "it defines nothing"
    );
    parse(text.as_bytes(), &ParseOptions::default()).unwrap_err();
    let short = text.replacen("{$v}", "", 300);
    let playlist = parse(short.as_bytes(), &ParseOptions::default()).unwrap().playlist;
    let error = rewrite(&playlist, text.as_bytes(), |_, _| None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { what: "bytes of variables", .. }));
}

#[test]
fn a_variable_counts_from_its_definition_on() {
    let line = "#EXT-X-RENDITION-REPORT:URI=\"{$v}\"\n";
    let text = format!("#EXTM3U\n{line}#EXT-X-DEFINE:NAME=\"v\",VALUE=\"r\"\n{line}");
    let expected =
        format!("#EXTM3U\n{line}#EXT-X-DEFINE:NAME=\"v\",VALUE=\"r\"\n{}", line.replace("{$v}", "new"));
    let new = |_, uri: &Uri<'_>| Some(uri.as_str().replace('r', "new"));
    assert_eq!(rewritten(&text, new).unwrap(), expected);
    assert_eq!(rewritten_in_passing(&text, new).unwrap(), expected);
}
