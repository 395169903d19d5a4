//! Attribute lists: `NAME=value,NAME="quoted, value"` (RFC 8216 4.2).

use std::fmt;
use std::time::Duration;

use memchr::{memchr, memchr2};
use serde::Serialize;

use crate::line::{Line, LineKind, Span, position};
use crate::value::{DateTime, Decimal, Resolution, byte_range_parts, duration_prefix, hex_128, integer};

/// One attribute of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Attribute<'a> {
    /// Its name, as written.
    pub name: &'a str,
    /// Its value, as written.
    pub value: AttributeValue<'a>,
    /// The bytes of `NAME=value`, quotes included.
    pub span: Span,
    /// The bytes of the value, inside the quotes if it has them.
    pub value_span: Span,
}

/// An attribute's value, before it is given a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeValue<'a> {
    /// What stands between double quotes.
    Quoted(&'a str),
    /// A number, a keyword, a resolution.
    Unquoted(&'a str),
}

impl<'a> AttributeValue<'a> {
    /// The value without quotes.
    #[must_use]
    pub const fn text(self) -> &'a str {
        match self {
            Self::Quoted(text) | Self::Unquoted(text) => text,
        }
    }

    /// A whole number up to 2^64-1: `BANDWIDTH`, `SKIPPED-SEGMENTS`.
    #[must_use]
    pub fn integer(self) -> Option<u64> {
        integer(self.text())
    }

    /// A signed number: `TIME-OFFSET`, `FRAME-RATE`.
    #[must_use]
    pub fn decimal(self) -> Option<Decimal> {
        let text = self.text();
        Decimal::prefix(text.as_bytes()).filter(|(_, used)| *used == text.len()).map(|(number, _)| number)
    }

    /// A number of seconds: `DURATION`, `PART-TARGET`.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        let text = self.text();
        duration_prefix(text.as_bytes()).filter(|(_, used)| *used == text.len()).map(|(time, _)| time)
    }

    /// Whether it is `YES`.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self.text() == "YES"
    }

    /// A date: `START-DATE`.
    #[must_use]
    pub fn date_time(self) -> Option<DateTime> {
        DateTime::parse(self.text())
    }

    /// `RESOLUTION`.
    #[must_use]
    pub fn resolution(self) -> Option<Resolution> {
        Resolution::parse(self.text())
    }

    /// `IV`, padded on the left.
    #[must_use]
    pub fn hex_128(self) -> Option<[u8; 16]> {
        hex_128(self.text())
    }

    /// `BYTERANGE`: a length, and perhaps where it begins.
    #[must_use]
    pub fn byte_range(self) -> Option<(u64, Option<u64>)> {
        byte_range_parts(self.text()).ok()
    }
}

/// Something in an attribute list that is no attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeError {
    /// Where it stands.
    pub span: Span,
    /// What is wrong.
    pub fault: AttributeFault,
}

/// What is wrong with an attribute list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttributeFault {
    /// A quoted value has no closing quote; nothing behind it can be read.
    UnclosedQuote,
    /// Something other than a comma follows a closing quote; the list goes on behind the next comma.
    AfterQuote,
    /// A name without `=` and value; the list goes on behind the next comma.
    NoValue,
    /// A value without a name; the list goes on behind it.
    NoName,
    /// The list is not UTF-8.
    Encoding,
}

impl fmt::Display for AttributeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnclosedQuote => "attribute list has an unclosed quote",
            Self::AfterQuote => "attribute list has text behind a closing quote",
            Self::NoValue => "attribute has no value",
            Self::NoName => "attribute has no name",
            Self::Encoding => "attribute list is not UTF-8",
        })
    }
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.fault, self.span.start)
    }
}

impl std::error::Error for AttributeError {}

/// The attributes of a tag line, in order; none on any other line.
///
/// Commas inside quotes do not split; blanks around names and values and empty places between commas are passed over.
/// Text behind a closing quote is an error that follows its attribute; where it ends in a quote as well, as in
/// `NAME="The "first" one"`, the quotes between are part of the value.
#[must_use]
pub fn attributes<'a>(line: &Line<'a>) -> Attributes<'a> {
    let LineKind::Tag { value: Some((bytes, span)), .. } = line.kind else {
        return Attributes { list: "", at: 0, start: 0, fault: None, untidy: false };
    };
    let (list, fault) = match str::from_utf8(bytes) {
        Ok(list) => (list, None),
        Err(_) => ("", Some(AttributeError { span, fault: AttributeFault::Encoding })),
    };
    Attributes { list, at: 0, start: span.start, fault, untidy: false }
}

/// The attributes of one list; made by [`attributes`].
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    list: &'a str,
    at: usize,
    start: u32,
    /// What comes before the next attribute.
    fault: Option<AttributeError>,
    untidy: bool,
}

impl<'a> Attributes<'a> {
    /// The value of the attribute of that name, the last one if there are several; what is no attribute is passed over.
    ///
    /// Goes over the list from where it stands, and leaves it there.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<AttributeValue<'a>> {
        self.clone().flatten().filter(|it| it.name == name).last().map(|it| it.value)
    }

    /// Whether blanks or empty places were passed over so far, which the RFC does not allow.
    pub(crate) const fn untidy(&self) -> bool {
        self.untidy
    }

    fn span(&self, from: usize, to: usize) -> Span {
        Span::new(self.start + position(from), self.start + position(to))
    }

    fn rest(&self) -> &'a str {
        self.list.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, skipped: &[char]) {
        let rest = self.rest();
        let gone = rest.len() - rest.trim_start_matches(skipped).len();
        self.at += gone;
        self.untidy |= gone > 0;
    }

    /// Ends the list: what stands from `from` on cannot be told apart.
    fn give_up(&mut self, from: usize, fault: AttributeFault) -> AttributeError {
        self.at = self.list.len();
        AttributeError { span: self.span(from, self.at), fault }
    }

    fn quoted(&mut self, from: usize) -> Result<(AttributeValue<'a>, Span, usize), AttributeError> {
        let begin = self.at + 1;
        let mut end = self.closing(begin, from)?;
        let mut stop = self.at;
        if !self.step_over_comma() {
            let behind = self.at;
            let last = self.run_on(from)?;
            stop = behind
                + self.list.get(behind..self.at).map_or(0, |it| it.trim_end_matches([' ', '\t']).len());
            end = if last + 1 == stop { last } else { end };
            let span = self.span(behind, stop);
            self.fault = Some(AttributeError { span, fault: AttributeFault::AfterQuote });
            self.step_over_comma();
        }
        let value = self.list.get(begin..end).unwrap_or_default();
        Ok((AttributeValue::Quoted(value), self.span(begin, end), stop))
    }

    /// Goes behind the next quote from `begin` on, and says where that stands.
    fn closing(&mut self, begin: usize, from: usize) -> Result<usize, AttributeError> {
        let inside = self.list.get(begin..).unwrap_or_default();
        let Some(len) = memchr(b'"', inside.as_bytes()) else {
            return Err(self.give_up(from, AttributeFault::UnclosedQuote));
        };
        self.at = begin + len + 1;
        Ok(begin + len)
    }

    /// Goes to the next comma that is not inside quotes, and says where the last quote before it stands.
    fn run_on(&mut self, from: usize) -> Result<usize, AttributeError> {
        let mut last = 0;
        while let Some(at) = memchr2(b'"', b',', self.rest().as_bytes()) {
            self.at += at;
            if self.rest().starts_with(',') {
                return Ok(last);
            }
            last = self.closing(self.at + 1, from)?;
        }
        self.at = self.list.len();
        Ok(last)
    }

    /// Whether the value ends here, with a comma or the list.
    fn step_over_comma(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with(',') {
            self.at += 1;
            self.untidy |= rest.len() == 1;
            return true;
        }
        self.skip(&[' ', '\t']);
        let rest = self.rest();
        let comma = rest.starts_with(',');
        self.at += usize::from(comma);
        comma || rest.is_empty()
    }

    fn unquoted(&mut self) -> (AttributeValue<'a>, Span, usize) {
        let rest = self.rest();
        let comma = memchr(b',', rest.as_bytes());
        let raw = rest.get(..comma.unwrap_or(rest.len())).unwrap_or_default();
        let text = raw.trim_end_matches([' ', '\t']);
        let end = self.at + text.len();
        let span = self.span(self.at, end);
        self.untidy |= text.len() != raw.len() || comma.is_some_and(|at| at + 1 == rest.len());
        self.at += comma.map_or(rest.len(), |at| at + 1);
        (AttributeValue::Unquoted(text), span, end)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, AttributeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(fault) = self.fault.take() {
            return Some(Err(fault));
        }
        self.skip(&[' ', '\t', ',']);
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let from = self.at;
        let stop = memchr2(b'=', b',', rest.as_bytes()).unwrap_or(rest.len());
        let written = rest.get(..stop).unwrap_or_default();
        let name = written.trim_end_matches([' ', '\t']);
        self.untidy |= name.len() != written.len();
        self.at += stop;
        if !self.rest().starts_with('=') {
            let span = self.span(from, from + name.len());
            return Some(Err(AttributeError { span, fault: AttributeFault::NoValue }));
        }
        self.at += 1;
        self.skip(&[' ', '\t']);
        let read = if self.rest().starts_with('"') { self.quoted(from) } else { Ok(self.unquoted()) };
        Some(read.and_then(|(value, value_span, end)| {
            let span = self.span(from, end);
            if name.is_empty() {
                return Err(AttributeError { span, fault: AttributeFault::NoName });
            }
            Ok(Attribute { name, value, span, value_span })
        }))
    }
}

#[cfg(test)]
mod tests;
