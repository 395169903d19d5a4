//! Tags that both kinds of playlist have.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use super::spell::Speller;
use crate::tree::{Define, Key, KeyUri, Range, Start};

/// What m3u8-rs writes, as text.
pub(super) fn said(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("m3u8-rs writes the strings it was given")
}

/// The number that m3u8-rs prints exactly like this text, if there is one.
pub(super) fn as_number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.to_string() == text)
}

/// A start that m3u8-rs can say.
pub(super) fn start(start: &Start) -> Option<m3u8_rs::Start> {
    let time_offset = as_number(&start.time_offset)?;
    Some(m3u8_rs::Start { time_offset, precise: Some(start.precise), ..m3u8_rs::Start::default() })
}

/// A start that it can't say.
pub(super) fn start_text(start: &Start) -> String {
    let precise = if start.precise { ",PRECISE=YES" } else { "" };
    format!("#EXT-X-START:TIME-OFFSET={}{precise}", start.time_offset)
}

pub(super) fn key(key: &Key, speller: &Speller<'_>) -> m3u8_rs::Key {
    let uri = key.uri.as_ref().map(|uri| match uri {
        KeyUri::File(link) => speller.link(link),
        KeyUri::Text(text) => text.clone(),
    });
    m3u8_rs::Key {
        method: key.method.as_str().parse().unwrap_or_default(),
        uri,
        iv: key.iv.map(|iv| format!("0x{}", hex(&iv))),
        keyformat: key.format.clone(),
        keyformatversions: key.format_versions.clone(),
    }
}

pub(super) fn define(define: &Define) -> String {
    match define {
        Define::Value { name, value } => format!("#EXT-X-DEFINE:NAME=\"{name}\",VALUE=\"{value}\""),
        Define::Import(name) => format!("#EXT-X-DEFINE:IMPORT=\"{name}\""),
        Define::QueryParam(name) => format!("#EXT-X-DEFINE:QUERYPARAM=\"{name}\""),
    }
}

pub(super) fn byte_range(range: Range) -> m3u8_rs::ByteRange {
    let offset = match range.written {
        crate::tree::Offset::Explicit => Some(range.offset),
        crate::tree::Offset::Implied => None,
    };
    m3u8_rs::ByteRange { length: range.length, offset }
}

/// Seconds with as many digits as it takes, at most nine behind the point.
pub(crate) fn seconds(duration: Duration) -> String {
    let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
