//! How one input stands for several things, so that seeds can be read and written by hand.

use hls_parse::{ParseOptions, Playlist, Variables};

/// The line between two parts of an input.
const BORDER: &[u8] = b"\n====\n";

/// The parts of an input, without the lines of `====` between them.
pub fn parts(mut input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = input.windows(BORDER.len()).position(|it| it == BORDER) {
        parts.push(&input[..at]);
        input = &input[at + BORDER.len()..];
    }
    parts.push(input);
    parts
}

/// The words of a part; none where it is not text.
pub fn words(part: &[u8]) -> Vec<&str> {
    str::from_utf8(part).unwrap_or_default().split_ascii_whitespace().collect()
}

/// The playlist that players would see in `text`.
pub fn playlist<'a>(text: &'a [u8], url: &str, imports: Option<&Variables>) -> Option<Playlist<'a>> {
    let options = ParseOptions { url: Some(url), imports, ..ParseOptions::default() };
    hls_parse::parse(text, &options).ok().map(|parsed| parsed.playlist)
}
