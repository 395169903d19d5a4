//! Adversarial playlists, row by row, and other readers of HLS text as oracles.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may be blunt")]

use hls_parse::{
    Error, ErrorKind, MediaPlaylist, Multivariant, ParseOptions, Parsed, Playlist, Reading, Rule, Severity,
    parse,
};

mod uris; // section A
mod syntax; // section C
mod structure; // section D
mod keys; // section E
mod rules; // each rule alone
mod lenient; // what players read on over
mod values; // as data
mod playlists; // what the oracles read
mod quick_m3u8;
mod walk; // the walk beside the model
#[cfg(feature = "m3u8-rs")]
mod m3u8_rs;

/// Lines of a media playlist below its usual head, each ended, and a version that allows them all.
fn media_text(lines: &str) -> String {
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n{lines}\n#EXT-X-VERSION:13\n")
}

/// A media playlist of one segment.
fn segment(uri: &str) -> String {
    media_text(&format!("#EXTINF:1,\n{uri}"))
}

/// A multivariant playlist: these lines below its first, and a version that allows them all.
fn menu_text(lines: &str) -> String {
    format!("#EXTM3U\n{lines}\n#EXT-X-VERSION:13\n")
}

/// A multivariant playlist of one variant with these attributes.
fn variant(list: &str) -> String {
    menu_text(&format!("#EXT-X-STREAM-INF:{list}\nv.m3u8"))
}

fn read(text: &[u8], reading: Reading) -> Result<Parsed<'_>, Error> {
    parse(text, &ParseOptions { reading, ..ParseOptions::default() })
}

#[track_caller]
fn media(text: &str) -> MediaPlaylist<'_> {
    match read(text.as_bytes(), Reading::Lenient).unwrap().playlist {
        Playlist::Media(playlist) => playlist,
        Playlist::Multivariant(_) => panic!("multivariant"),
    }
}

#[track_caller]
fn multivariant(text: &str) -> Multivariant<'_> {
    match read(text.as_bytes(), Reading::Lenient).unwrap().playlist {
        Playlist::Multivariant(playlist) => playlist,
        Playlist::Media(_) => panic!("media"),
    }
}

fn uris<'p>(playlist: &'p MediaPlaylist<'_>) -> Vec<&'p str> {
    playlist.segments.iter().map(|it| it.uri.as_str()).collect()
}

/// What the lenient reading reports, in order.
#[track_caller]
fn oddities(text: &[u8]) -> Vec<Rule> {
    read(text, Reading::Lenient).unwrap().diagnostics.iter().map(|it| it.rule).collect()
}

/// Both readings have nothing to say.
#[track_caller]
fn check_clean(text: &str) {
    assert_eq!(oddities(text.as_bytes()), [], "{text}");
    assert!(read(text.as_bytes(), Reading::Strict).is_ok(), "{text}");
}

/// The lenient reading reports these; the strict one refuses the first that is a violation, if any is.
#[track_caller]
fn check_odd(text: impl AsRef<[u8]>, rules: &[Rule]) {
    let text = text.as_ref();
    assert_eq!(oddities(text), rules, "{}", text.escape_ascii());
    let refused = read(text, Reading::Strict).err().map(|error| error.kind().clone());
    let violated = rules.iter().any(|rule| rule.severity() == Severity::Violation);
    let by_rule = matches!(refused, Some(ErrorKind::Rule(rule)) if rules.contains(&rule));
    assert_eq!((refused.is_some(), by_rule), (violated, violated), "{}", text.escape_ascii());
}

/// Both readings refuse it so.
#[track_caller]
fn check_error(text: impl AsRef<[u8]>, kind: &ErrorKind) {
    let text = text.as_ref();
    for reading in [Reading::Lenient, Reading::Strict] {
        assert_eq!(read(text, reading).unwrap_err().kind(), kind, "{}", text.escape_ascii());
    }
}

/// Both readings refuse it by this rule.
#[track_caller]
fn check_refused(text: impl AsRef<[u8]>, rule: Rule) {
    check_error(text, &ErrorKind::Rule(rule));
}
