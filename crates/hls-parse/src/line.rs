//! Text to lines: what each line is, and which bytes it has.

use memchr::memchr;
use serde::Serialize;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A run of bytes in a playlist's text: from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The run from `start` up to `end`.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Its bytes in `text`; empty where it lies outside.
    #[must_use]
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One line of a playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, counted from 1.
    pub number: u32,
    /// Its bytes without the terminator.
    pub span: Span,
    /// Its bytes with the terminator, `\n` or `\r\n`.
    pub full: Span,
    /// Its bytes without the terminator and without blanks at both ends; what `kind` was read from.
    pub content: Span,
    /// What it is.
    pub kind: LineKind<'a>,
}

/// What a line is (RFC 8216 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind<'a> {
    /// Nothing but blanks.
    Blank,
    /// A URI, without blanks at both ends; its place is [`Line::content`].
    Uri(&'a [u8]),
    /// A line that starts with `#EXT`, known or not.
    Tag {
        /// The name without `#`, up to `:` or the line's end: `EXTINF`, `EXT-X-KEY`.
        name: &'a str,
        /// What follows the first `:`, with its place.
        value: Option<(&'a [u8], Span)>,
    },
    /// What follows `#` on any other such line.
    Comment(&'a [u8]),
}

/// The lines of `text`. A byte order mark at the start belongs to no line; at most 4 GiB are read.
#[must_use]
pub fn lines(text: &[u8]) -> Lines<'_> {
    let at = if bom(text).is_some() { BOM.len() } else { 0 };
    Lines { text, at, number: 0 }
}

/// Where the byte order mark stands that the text begins with, if it does.
#[must_use]
pub fn bom(text: &[u8]) -> Option<Span> {
    text.starts_with(BOM).then_some(Span::new(0, 3))
}

/// The lines of a text, in order; made by [`lines`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: u32,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..)?;
        if rest.is_empty() {
            return None;
        }
        let (body, full_len) = match memchr(b'\n', rest) {
            Some(end) => {
                let body = rest.get(..end)?;
                (body.strip_suffix(b"\r").unwrap_or(body), end + 1)
            }
            None => (rest, rest.len()),
        };
        let start = u32::try_from(self.at).ok()?;
        let full_end = u32::try_from(self.at + full_len).ok()?;
        self.at += full_len;
        self.number += 1;
        let trimmed = trim_start(body);
        let content_start = start + position(body.len() - trimmed.len());
        let trimmed = trim_end(trimmed);
        Some(Line {
            number: self.number,
            span: Span::new(start, start + position(body.len())),
            full: Span::new(start, full_end),
            content: Span::new(content_start, content_start + position(trimmed.len())),
            kind: kind_of(trimmed, content_start),
        })
    }
}

/// An offset inside a text whose length was found to fit.
#[inline]
pub(crate) fn position(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[inline]
fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    bytes
}

#[inline]
fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

#[inline]
fn kind_of(content: &[u8], start: u32) -> LineKind<'_> {
    let Some(after) = content.strip_prefix(b"#") else {
        return if content.is_empty() { LineKind::Blank } else { LineKind::Uri(content) };
    };
    if !after.starts_with(b"EXT") {
        return LineKind::Comment(after);
    }
    let end = start + 1 + position(after.len());
    // Most tags are this one, and it needs neither search nor check.
    if let Some(value) = after.strip_prefix(b"EXTINF:") {
        let span = Span::new(end - position(value.len()), end);
        return LineKind::Tag { name: "EXTINF", value: Some((value, span)) };
    }
    let colon = memchr(b':', after);
    let name = after.get(..colon.unwrap_or(after.len())).unwrap_or_default();
    let Ok(name) = str::from_utf8(name) else { return LineKind::Comment(after) };
    let value = colon
        .and_then(|at| after.get(at + 1..))
        .map(|value| (value, Span::new(end - position(value.len()), end)));
    LineKind::Tag { name, value }
}

#[cfg(test)]
mod tests;
