//! The same work, done by each reader.

use hls_parse::{Content, Limits, ParseOptions, Parsed, Tag, parse, rewrite, rewrite_text, walk};
use quick_m3u8::config::ParsingOptions;
use quick_m3u8::tag::{KnownTag, hls};
use quick_m3u8::{HlsLine, Reader, Writer};

/// Seconds of all segments, bytes of all URIs.
#[expect(clippy::wildcard_enum_match_arm, reason = "other lines say nothing that is asked")]
pub(crate) fn walked(text: &[u8]) -> (f64, usize) {
    let (mut seconds, mut bytes) = (0.0, 0);
    for step in walk(text) {
        match step.content {
            Content::Tag(Tag::Inf(inf)) => seconds += inf.duration.unwrap_or_default().as_secs_f64(),
            Content::Uri(uri) => bytes += uri.len(),
            _ => {}
        }
    }
    (seconds, bytes)
}

/// The same.
#[expect(clippy::wildcard_enum_match_arm, reason = "other lines say nothing that is asked")]
pub(crate) fn walked_by_quick_m3u8(text: &[u8]) -> (f64, usize) {
    let mut reader = Reader::from_bytes(text, ParsingOptions::default());
    let (mut seconds, mut bytes) = (0.0, 0);
    while let Some(line) = reader.read_line().expect("the text is right") {
        match line {
            HlsLine::KnownTag(KnownTag::Hls(hls::Tag::Inf(inf))) => seconds += inf.duration(),
            HlsLine::Uri(uri) => bytes += uri.len(),
            _ => {}
        }
    }
    (seconds, bytes)
}

/// The default limits, but for long lines.
fn options() -> ParseOptions<'static> {
    ParseOptions { limits: Limits { line_bytes: 64 << 20, ..Limits::default() }, ..ParseOptions::default() }
}

pub(crate) fn modelled(text: &[u8]) -> Parsed<'_> {
    parse(text, &options()).expect("the text is right")
}

pub(crate) fn modelled_by_m3u8_rs(text: &[u8]) -> m3u8_rs::Playlist {
    m3u8_rs::parse_playlist_res(text).expect("the text is right")
}

/// The names that a downloader gives to files.
fn local(number: &mut u32) -> String {
    *number += 1;
    format!("video/0/{number:06}.ts")
}

/// Parsed, and written with other URIs.
pub(crate) fn rewritten(text: &[u8]) -> Vec<u8> {
    let parsed = modelled(text);
    let mut number = 0;
    rewrite(&parsed.playlist, text, |_, _| Some(local(&mut number))).expect("the names fit")
}

/// Read and written, with other URIs; nothing is kept between.
pub(crate) fn rewritten_in_passing(text: &[u8]) -> Vec<u8> {
    let mut number = 0;
    rewrite_text(text, &options(), |_, _| Some(local(&mut number))).expect("the names fit")
}

/// The same.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other line stays as it is")]
pub(crate) fn rewritten_by_quick_m3u8(text: &[u8]) -> Vec<u8> {
    let mut reader = Reader::from_bytes(text, ParsingOptions::default());
    let mut writer = Writer::new(Vec::with_capacity(text.len()));
    let mut number = 0;
    while let Some(line) = reader.read_line().expect("the text is right") {
        let line = match line {
            HlsLine::Uri(_) => HlsLine::uri(local(&mut number)),
            other => other,
        };
        writer.write_line(line).expect("memory takes it");
    }
    writer.into_inner()
}
