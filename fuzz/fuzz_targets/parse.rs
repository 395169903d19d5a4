//! Any bytes are a playlist or an error: nothing panics, and what is reported lies in the text.
#![no_main]

use fuzz::check_growth;
use hls_parse::{
    Content, Error, MediaPlaylist, ParseOptions, Parsed, Reading, Severity, Tag, lines, parse, rewrite, walk,
};
use libfuzzer_sys::fuzz_target;

const URL: &str = "https://cdn.test/show/list.m3u8?token=a&n=1";

fuzz_target!(|text: &[u8]| {
    let lenient = read(text, Reading::Lenient);
    let strict = read(text, Reading::Strict);
    check_readings(&lenient, &strict);
    match &lenient {
        Ok(parsed) => check_parsed(text, parsed),
        Err(error) => check_error(text, error),
    }
    // Not each time: it takes as long as hundreds of small inputs.
    if text.len() % 256 == 255 {
        check_growth(text, |large| drop(read(large, Reading::Lenient)));
    }
});

fn read(text: &[u8], reading: Reading) -> Result<Parsed<'_>, Error> {
    parse(text, &ParseOptions { reading, url: Some(URL), ..ParseOptions::default() })
}

/// The strict reading accepts what breaks no rule, and understands it alike.
fn check_readings(lenient: &Result<Parsed<'_>, Error>, strict: &Result<Parsed<'_>, Error>) {
    let breaks_none = lenient.as_ref().is_ok_and(|parsed| {
        parsed.diagnostics_left_out == 0
            && parsed.diagnostics.iter().all(|it| it.rule.severity() == Severity::Warning)
    });
    match (lenient, strict) {
        (Ok(lenient), Ok(strict)) => assert_eq!(lenient, strict),
        (Ok(_), Err(error)) => assert!(!breaks_none, "refused: {error}"),
        (Err(error), Ok(_)) => panic!("the strict reading accepts what the lenient one refuses: {error}"),
        (Err(_), Err(_)) => {}
    }
}

fn check_parsed(text: &[u8], parsed: &Parsed<'_>) {
    for diagnostic in &parsed.diagnostics {
        let span = diagnostic.span;
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{diagnostic:?}");
        if diagnostic.line > 0 {
            let line = lines(text).nth(diagnostic.line as usize - 1).expect("the line is there");
            let within = line.full.start <= span.start && span.end <= line.full.end;
            let is_mark = span.start == 0 && span.end == 3;
            assert!(within || is_mark, "{diagnostic:?} is not in {line:?}");
        }
    }
    let same = rewrite(&parsed.playlist, text, |_, uri| {
        let written = uri.span.of(text);
        assert!(written.windows(2).any(|it| it == b"{$") || written == uri.text.as_bytes(), "{uri:?}");
        None
    });
    assert_eq!(same.as_deref(), Ok(text));
    if let Some(media) = parsed.playlist.as_media() {
        check_walk(text, media);
    }
}

/// Line by line, the text says what was kept of it.
fn check_walk(text: &[u8], media: &MediaPlaylist<'_>) {
    let (mut inf, mut kept) = (None, media.segments.iter());
    for step in walk(text) {
        match step.content {
            Content::Tag(Tag::Inf(it)) => inf = Some(it),
            Content::Uri(_) => {
                let Some(inf) = inf.take() else { continue };
                let segment = kept.next().expect("every URI line behind EXTINF is a segment");
                assert_eq!((segment.line, segment.title), (step.line.number, inf.title));
                assert_eq!(segment.duration, inf.duration.unwrap_or_default());
            }
            _ => {}
        }
    }
    assert!(kept.next().is_none(), "every segment is a URI line behind EXTINF");
}

fn check_error(text: &[u8], error: &Error) {
    let count = lines(text).count();
    assert!(error.line().is_none_or(|line| line > 0 && line as usize <= count), "{error}");
    assert!(!error.to_string().contains(char::is_control), "{error:?}");
}
