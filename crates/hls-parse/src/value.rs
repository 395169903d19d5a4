//! Values that several tags share: exact numbers, times, ranges, URIs.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use serde::{Serialize, Serializer};

use crate::diagnose::Rule;
use crate::line::Span;

const BILLION: u32 = 1_000_000_000;

/// A URI reference in a playlist (RFC 8216 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Uri<'a> {
    /// The reference, variables substituted, otherwise exactly as written. [`resolve`](crate::resolve) makes it whole.
    pub text: Cow<'a, str>,
    /// Its bytes in the playlist, without quotes and before substitution.
    pub span: Span,
}

impl Uri<'_> {
    /// The reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both are written as the same resource: a fragment only names a place in it (RFC 3986 3.5).
    pub(crate) fn same_resource(&self, other: &Self) -> bool {
        let resource = |text| match memchr::memchr(b'#', text) {
            Some(end) => text.get(..end).unwrap_or(text),
            None => text,
        };
        self.text == other.text || resource(self.text.as_bytes()) == resource(other.text.as_bytes())
    }
}

/// A run of bytes of one resource, resolved (RFC 8216 4.3.2.2): the offset is from the resource's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub offset: u64,
    /// How many bytes. [`parse`](crate::parse) makes sure that `offset + length` fits.
    pub length: u64,
}

impl ByteRange {
    /// Offset behind the last byte.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// A picture size in pixels (RFC 8216 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Resolution {
    /// Pixels in a row.
    pub width: u64,
    /// Rows.
    pub height: u64,
}

impl Resolution {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.split_once(['x', 'X'])?;
        Some(Self { width: integer(width)?, height: integer(height)? })
    }
}

/// A decimal number, exact to nine digits behind the point (RFC 8216 4.2); further digits are cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    billionths: i128,
}

impl Decimal {
    /// The number that `text` begins with, and how many bytes it takes. No exponents, no infinities.
    pub(crate) fn prefix(text: &[u8]) -> Option<(Self, usize)> {
        let negative = text.first() == Some(&b'-');
        let signed = usize::from(negative || text.first() == Some(&b'+'));
        let (whole, billionths, used) = unsigned_prefix(text.get(signed..)?)?;
        let size = i128::from(whole) * i128::from(BILLION) + i128::from(billionths);
        Some((Self { billionths: if negative { -size } else { size } }, used + signed))
    }

    /// The number times 10^9.
    #[must_use]
    pub const fn billionths(self) -> i128 {
        self.billionths
    }

    /// The nearest `f64`: never NaN, never infinite.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.to_string().parse().unwrap_or_default()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.billionths.unsigned_abs();
        let (whole, rest) = (size / u128::from(BILLION), size % u128::from(BILLION));
        let sign = if self.billionths < 0 { "-" } else { "" };
        let fraction = format!("{rest:09}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

/// As text, so that nothing is lost: `"29.97"`.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A point in time as a playlist states it (RFC 8216 4.3.2.6).
// 16 bytes, also as an `Option`: a playlist may have millions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// Whole seconds since 1970 in UTC, rounded down.
    second: i64,
    /// One more than the nanoseconds since then.
    nanos: NonZeroU32,
    /// Seconds from UTC, or [`NO_OFFSET`].
    offset: i32,
}

/// No offset is this large.
const NO_OFFSET: i32 = i32::MAX;

impl DateTime {
    fn new(timestamp: Timestamp, offset: Option<Offset>) -> Option<Self> {
        let nanos = timestamp.as_nanosecond();
        let billion = i128::from(BILLION);
        Some(Self {
            second: i64::try_from(nanos.div_euclid(billion)).ok()?,
            nanos: NonZeroU32::MIN.checked_add(u32::try_from(nanos.rem_euclid(billion)).ok()?)?,
            offset: offset.map_or(NO_OFFSET, Offset::seconds),
        })
    }

    /// The instant. Without a stated offset the time was read as UTC.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        let nanos = i128::from(self.second) * i128::from(BILLION) + i128::from(self.nanos.get() - 1);
        Timestamp::from_nanosecond(nanos).unwrap_or_default()
    }

    /// The stated offset from UTC.
    #[must_use]
    pub fn offset(self) -> Option<Offset> {
        if self.offset == NO_OFFSET { None } else { Offset::from_seconds(self.offset).ok() }
    }

    /// Reads ISO 8601 with or without an offset (`Z`, `+01:00`, `+0100`); `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let pieces = Pieces::parse(text).ok()?;
        let offset = pieces.to_numeric_offset();
        let local = civil::DateTime::from_parts(pieces.date(), pieces.time()?);
        let timestamp = offset.unwrap_or(Offset::UTC).to_timestamp(local).ok()?;
        Self::new(timestamp, offset)
    }

    /// Reads also what is no such date but leaves no doubt: in quotes, without a time (its midnight), `24:00:00`, and
    /// with more than nine digits of a fraction, which count for nothing.
    pub(crate) fn parse_loosely(text: &str) -> Option<Self> {
        let text = text.trim_matches('"');
        if let Some((day, rest)) = text.split_once("T24:00:00") {
            return Self::parse(&format!("{day}T00:00:00{rest}"))?.checked_add(Duration::from_secs(86_400));
        }
        if text.len() == "2026-01-02".len() {
            return Self::parse(&format!("{text}T00:00:00"));
        }
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        match (rest.get(..9), rest.get(digits..)) {
            (Some(fraction), Some(offset)) if digits > 9 => {
                Self::parse(&format!("{whole}.{fraction}{offset}"))
            }
            _ => Self::parse(text),
        }
    }

    /// That much later, exactly; `None` behind the last time that can be stated.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = self.nanos.get() - 1 + duration.subsec_nanos();
        let seconds = duration.as_secs().checked_add(u64::from(nanos / BILLION))?;
        let second = self.second.checked_add(i64::try_from(seconds).ok()?)?;
        Timestamp::from_second(second).ok()?;
        Some(Self { second, nanos: NonZeroU32::MIN.checked_add(nanos % BILLION)?, ..self })
    }
}

/// RFC 3339 in the stated offset; in UTC with `Z` where none was stated.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset() {
            Some(offset) if offset != Offset::UTC => self.timestamp().display_with_offset(offset).fmt(f),
            Some(_) | None => self.timestamp().fmt(f),
        }
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DateTime")
            .field("timestamp", &self.timestamp())
            .field("offset", &self.offset())
            .finish()
    }
}

/// As RFC 3339 text.
impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where playback is to start (EXT-X-START, RFC 8216 4.3.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Start {
    /// Seconds from the playlist's beginning; negative: from its end.
    pub time_offset: Decimal,
    /// Whether samples before the offset are not to be shown.
    pub precise: bool,
    /// The tag's line, without terminator.
    pub tag: Span,
}

/// Digits only, as large as a `u64` holds.
pub(crate) fn integer(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The digits that a text begins with, read as players read them: what stands behind counts for nothing.
///
/// # Errors
/// [`Rule::NumberTooLarge`].
pub(crate) fn integer_prefix(text: &str) -> Result<Option<u64>, Rule> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.get(..digits).unwrap_or_default() {
        "" => Ok(None),
        leading => integer(leading).map(Some).ok_or(Rule::NumberTooLarge),
    }
}

/// `LENGTH[@OFFSET]`.
pub(crate) fn byte_range_parts(text: &str) -> Result<(u64, Option<u64>), Rule> {
    let (length, offset) = match text.split_once('@') {
        Some((length, offset)) => (length, Some(offset)),
        None => (text, None),
    };
    let number = |text: &str| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        integer(text).ok_or(if digits { Rule::ByteRangeOverflow } else { Rule::ByteRangeSyntax })
    };
    Ok((number(length)?, offset.map(number).transpose()?))
}

/// The duration that `text` begins with, and how many bytes it takes. A negative one is none.
#[inline]
pub(crate) fn duration_prefix(text: &[u8]) -> Option<(Duration, usize)> {
    let (seconds, nanos, used) = unsigned_prefix(text)?;
    Some((Duration::new(seconds, nanos), used))
}

/// Whole part, billionths, bytes used. Digits behind the ninth one count for nothing.
#[inline]
fn unsigned_prefix(text: &[u8]) -> Option<(u64, u32, usize)> {
    let (mut whole, mut whole_digits) = (0_u64, 0);
    for digit in text.iter().map_while(digit) {
        whole = whole.checked_mul(10)?.checked_add(u64::from(digit))?;
        whole_digits += 1;
    }
    let Some(fraction) = text.get(whole_digits..).and_then(|rest| rest.strip_prefix(b".")) else {
        return (whole_digits > 0).then_some((whole, 0, whole_digits));
    };
    let (mut billionths, mut unit, mut fraction_digits) = (0, BILLION, 0);
    for digit in fraction.iter().map_while(digit) {
        unit /= 10;
        billionths += u32::from(digit) * unit;
        fraction_digits += 1;
    }
    (whole_digits + fraction_digits > 0).then_some((whole, billionths, whole_digits + 1 + fraction_digits))
}

#[inline]
fn digit(byte: &u8) -> Option<u8> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(digit)
}

/// 128 bits from `0x` and 1 to 32 hexadecimal digits, padded on the left.
pub(crate) fn hex_128(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if digits.len() > 32 { None } else { hex_digits(digits) }
}

/// The same, also without `0x` and with more zeros before.
pub(crate) fn hex_128_loosely(text: &str) -> Option<[u8; 16]> {
    hex_digits(text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text))
}

fn hex_digits(digits: &str) -> Option<[u8; 16]> {
    if digits.starts_with('+') {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests;
