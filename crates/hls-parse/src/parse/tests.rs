//! What playlists mean. Cases are lines below `#EXTM3U`; broken rules are written as their codes.

use super::*;
use crate::diagnose::Severity;

mod text;
mod media;
mod keys;
mod multivariant;
mod variables;
mod properties;

/// Lines of a media playlist below its usual head, and a version that allows them all.
fn media_text(lines: &str) -> String {
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n{lines}\n#EXT-X-VERSION:13\n")
}

fn parsed<'a>(text: &'a str, reading: Reading) -> Result<Parsed<'a>, Error> {
    parse(text.as_bytes(), &ParseOptions { reading, ..ParseOptions::default() })
}

/// The media playlist in `text`, read leniently.
#[track_caller]
fn media(text: &str) -> MediaPlaylist<'_> {
    match parsed(text, Reading::Lenient).unwrap().playlist {
        Playlist::Media(playlist) => playlist,
        Playlist::Multivariant(_) => panic!("multivariant"),
    }
}

/// The multivariant playlist in `text`, read leniently.
#[track_caller]
fn multivariant(text: &str) -> Multivariant<'_> {
    match parsed(text, Reading::Lenient).unwrap().playlist {
        Playlist::Multivariant(playlist) => playlist,
        Playlist::Media(_) => panic!("media"),
    }
}

/// What both readings say: codes of diagnostics with their lines, or `!` and the error.
fn verdicts(text: &str) -> (String, String) {
    let lenient = match parsed(text, Reading::Lenient) {
        Ok(parsed) => {
            let shown = parsed.diagnostics.iter().map(|it| format!("{}:{}", it.line, it.rule));
            shown.collect::<Vec<_>>().join(" ")
        }
        Err(error) => format!("! {}", shown_kind(&error)),
    };
    let strict = match parsed(text, Reading::Strict) {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("! {}", shown_kind(&error)),
    };
    (lenient, strict)
}

fn shown_kind(error: &Error) -> String {
    if let ErrorKind::Rule(rule) = error.kind() { rule.to_string() } else { error.kind().to_string() }
}

/// Lenient reads it with this one oddity; strict refuses it exactly where that is a violation.
#[track_caller]
fn check_odd(text: &str, line: u32, rule: Rule) {
    let strict = if rule.severity() == Severity::Violation { format!("! {rule}") } else { "ok".to_owned() };
    assert_eq!(verdicts(text), (format!("{line}:{rule}"), strict), "{text}");
}

/// Both readings refuse it by this rule.
#[track_caller]
fn check_refused(text: &str, rule: Rule) {
    assert_eq!(rule.severity(), Severity::Fatal, "{rule}");
    assert_eq!(verdicts(text), (format!("! {rule}"), format!("! {rule}")), "{text}");
}

/// Both readings refuse it with this message.
#[track_caller]
fn check_error(text: &[u8], message: &str) {
    for reading in [Reading::Lenient, Reading::Strict] {
        let read = parse(text, &ParseOptions { reading, ..ParseOptions::default() });
        assert_eq!(read.unwrap_err().to_string(), message, "{}", text.escape_ascii());
    }
}

/// Both readings have nothing to say.
#[track_caller]
fn check_clean(text: &str) {
    assert_eq!(verdicts(text), (String::new(), "ok".to_owned()), "{text}");
}
