//! EXTINF's value (RFC 8216 4.3.2.1).

use std::time::Duration;

use memchr::memchr;
use serde::Serialize;

use crate::value::duration_prefix;

/// An EXTINF tag (RFC 8216 4.3.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Inf<'a> {
    /// How long the segment is, exact to the nanosecond; `None`: unreadable.
    pub duration: Option<Duration>,
    /// What follows the comma, if anything does; up to the first byte that is not UTF-8.
    pub title: Option<&'a str>,
}

/// What stands behind the duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Comma,
    Nothing,
    Other,
}

impl<'a> Inf<'a> {
    /// Reads what follows `#EXTINF:`.
    #[inline]
    pub(crate) fn read(value: &'a [u8]) -> (Self, Ending) {
        let bytes = value.trim_ascii_start();
        let (duration, used) = match duration_prefix(bytes) {
            // An exponent is no part of a decimal number.
            Some((_, used)) if matches!(bytes.get(used), Some(b'e' | b'E')) => (None, used),
            Some((duration, used)) => (Some(duration), used),
            None => (None, 0),
        };
        let rest = bytes.get(used..).unwrap_or_default();
        let (title, ending) = match rest {
            [b',', title @ ..] => (title, Ending::Comma),
            [] => (rest, Ending::Nothing),
            _ => {
                let title = memchr(b',', rest).and_then(|comma| rest.get(comma + 1..));
                (title.unwrap_or_default(), Ending::Other)
            }
        };
        let title = if title.is_empty() { None } else { Some(readable(title)) };
        (Self { duration, title }, ending)
    }
}

/// The text that the bytes begin with.
fn readable(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_else(|fault| {
        bytes.get(..fault.valid_up_to()).and_then(|valid| str::from_utf8(valid).ok()).unwrap_or_default()
    })
}
