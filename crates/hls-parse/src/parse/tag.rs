//! One tag with an attribute list: each attribute asked for by name and type.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use super::context::Context;
use crate::attributes::{Attribute, AttributeFault, AttributeValue, attributes};
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind};
use crate::value::{
    DateTime, Decimal, Resolution, Uri, duration_prefix, hex_128, hex_128_loosely, integer, integer_prefix,
};

/// How many attributes are held one against the other; names of longer lists are looked up.
const SHORT: usize = 24;

pub(super) struct Tag<'a, 'o, 'c> {
    pub(super) context: &'c mut Context<'a, 'o>,
    pub(super) line: Line<'a>,
    pub(super) attributes: Vec<Attribute<'a>>,
}

/// Whether a value has to be exactly what was meant: a content id goes byte for byte to a license server.
fn of_a_key(line: &Line<'_>) -> bool {
    matches!(line.kind, LineKind::Tag { name: "EXT-X-KEY" | "EXT-X-SESSION-KEY", .. })
}

impl<'a, 'o, 'c> Tag<'a, 'o, 'c> {
    pub(super) fn read(context: &'c mut Context<'a, 'o>, line: Line<'a>) -> Result<Self, Error> {
        let limit = context.options.limits.attributes;
        let mut items = attributes(&line);
        let mut list: Vec<Attribute<'a>> = Vec::with_capacity(8);
        let mut untidy = false;
        for item in items.by_ref() {
            match item {
                Ok(attribute) => list.push(attribute),
                Err(error) => match error.fault {
                    AttributeFault::NoName | AttributeFault::NoValue => untidy = true,
                    AttributeFault::Encoding => return Err(Error::at(&line, ErrorKind::Encoding)),
                    AttributeFault::AfterQuote if !of_a_key(&line) => {
                        context.odd(&line, error.span, Rule::AfterQuote)?;
                    }
                    fault @ (AttributeFault::AfterQuote | AttributeFault::UnclosedQuote) => {
                        return Err(Error::at(&line, ErrorKind::Attributes(fault)));
                    }
                },
            }
            if list.len() > limit as usize {
                return Err(Error::at(&line, ErrorKind::Limit { what: "attributes", limit }));
            }
        }
        if list.is_empty() {
            context.odd(&line, line.span, Rule::NoList)?;
        } else if untidy || items.untidy() {
            context.odd(&line, line.span, Rule::ListSyntax)?;
        }
        let mut tag = Self { context, line, attributes: list };
        tag.check_names()?;
        tag.check_duplicates()?;
        Ok(tag)
    }

    /// Names are made of `A` to `Z`, digits and `-`.
    fn check_names(&mut self) -> Result<(), Error> {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        match self.attributes.iter().find(|attribute| !attribute.name.bytes().all(fits)) {
            Some(attribute) => self.context.odd(&self.line, attribute.span, Rule::AttributeName),
            None => Ok(()),
        }
    }

    fn check_duplicates(&mut self) -> Result<(), Error> {
        let repeated = if self.attributes.len() <= SHORT {
            let mut places = self.attributes.iter().enumerate();
            let earlier = |index| self.attributes.iter().take(index);
            places.find(|(index, it)| earlier(*index).any(|earlier| earlier.name == it.name))
        } else {
            let mut names = HashSet::new();
            self.attributes.iter().enumerate().find(|(_, it)| !names.insert(it.name))
        };
        match repeated {
            Some((_, attribute)) => self.context.odd(&self.line, attribute.span, Rule::DuplicateAttribute),
            None => Ok(()),
        }
    }

    /// Reports a rule that the whole tag breaks.
    pub(super) fn odd(&mut self, rule: Rule) -> Result<(), Error> {
        self.context.odd(&self.line, self.line.span, rule)
    }

    pub(super) fn error(&self, rule: Rule) -> Error {
        Error::at(&self.line, ErrorKind::Rule(rule))
    }

    /// The last attribute of that name.
    pub(super) fn find(&self, name: &str) -> Option<Attribute<'a>> {
        self.attributes.iter().rev().find(|attribute| attribute.name == name).copied()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A quoted string, variables replaced; read without quotes too.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        let Some(attribute) = self.find(name) else { return Ok(None) };
        if let AttributeValue::Unquoted(_) = attribute.value {
            self.context.odd(&self.line, attribute.span, Rule::Quoting)?;
        }
        self.context.substitute(&self.line, attribute.value.text()).map(Some)
    }

    /// STABLE-VARIANT-ID, STABLE-RENDITION-ID (rfc8216bis 4.4.6.1, 4.4.6.2).
    pub(super) fn stable_id(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        self.id(name, "+/=.-_")
    }

    /// PATHWAY-ID (rfc8216bis 4.4.6.6).
    pub(super) fn pathway_id(&mut self) -> Result<Option<Cow<'a, str>>, Error> {
        self.id("PATHWAY-ID", ".-_")
    }

    /// A quoted string of letters, digits and `marks`.
    fn id(&mut self, name: &str, marks: &str) -> Result<Option<Cow<'a, str>>, Error> {
        let text = self.text(name)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
        if text.as_deref().is_some_and(|text| text.is_empty() || !text.chars().all(fits)) {
            self.odd(Rule::IdCharacters)?;
        }
        Ok(text)
    }

    /// A quoted string that must be there; empty where it is not.
    pub(super) fn required_text(&mut self, name: &str) -> Result<Cow<'a, str>, Error> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => {
                self.odd(Rule::MissingAttribute)?;
                Ok(Cow::Borrowed(""))
            }
        }
    }

    /// A value without quotes; read with quotes too.
    fn unquoted(&mut self, name: &str) -> Result<Option<Attribute<'a>>, Error> {
        let Some(attribute) = self.find(name) else { return Ok(None) };
        if let AttributeValue::Quoted(_) = attribute.value {
            self.context.odd(&self.line, attribute.span, Rule::Quoting)?;
        }
        Ok(Some(attribute))
    }

    /// A keyword, as written.
    pub(super) fn word(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        Ok(self.unquoted(name)?.map(|attribute| Cow::Borrowed(attribute.value.text())))
    }

    /// YES or not; lower case is read, and reported.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Error> {
        let Some(attribute) = self.unquoted(name)? else { return Ok(false) };
        match attribute.value.text() {
            "YES" => Ok(true),
            "NO" => Ok(false),
            other => {
                self.odd_value(&attribute)?;
                Ok(other.eq_ignore_ascii_case("yes"))
            }
        }
    }

    fn odd_value(&mut self, attribute: &Attribute<'a>) -> Result<(), Error> {
        self.context.odd(&self.line, attribute.span, Rule::AttributeValue)
    }

    /// A whole number; one that does not fit is an error, one with a fraction loses it.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<u64>, Error> {
        let Some(attribute) = self.unquoted(name)? else { return Ok(None) };
        let text = attribute.value.text();
        if let Some(value) = integer(text) {
            return Ok(Some(value));
        }
        let leading = integer_prefix(text).map_err(|rule| self.error(rule))?;
        self.odd_value(&attribute)?;
        Ok(leading)
    }

    /// A whole number that nothing depends on: none where it does not fit.
    pub(super) fn spare_integer(&mut self, name: &str) -> Result<Option<u64>, Error> {
        match self.integer(name) {
            Err(error) if *error.kind() == ErrorKind::Rule(Rule::NumberTooLarge) => {
                self.odd(Rule::AttributeValue)?;
                Ok(None)
            }
            read => read,
        }
    }

    /// A signed number.
    pub(super) fn decimal(&mut self, name: &str) -> Result<Option<Decimal>, Error> {
        let Some(attribute) = self.unquoted(name)? else { return Ok(None) };
        let text = attribute.value.text();
        match Decimal::prefix(text.as_bytes()) {
            Some((value, used)) if used == text.len() => Ok(Some(value)),
            _ => {
                self.odd_value(&attribute)?;
                Ok(None)
            }
        }
    }

    /// A number of seconds.
    pub(super) fn duration(&mut self, name: &str) -> Result<Option<Duration>, Error> {
        let Some(attribute) = self.unquoted(name)? else { return Ok(None) };
        let text = attribute.value.text();
        match duration_prefix(text.as_bytes()) {
            Some((value, used)) if used == text.len() => Ok(Some(value)),
            _ => {
                self.odd_value(&attribute)?;
                Ok(None)
            }
        }
    }

    /// A number of seconds that must be there; zero where it is not.
    pub(super) fn required_duration(&mut self, name: &str) -> Result<Duration, Error> {
        if !self.has(name) {
            self.odd(Rule::MissingAttribute)?;
        }
        Ok(self.duration(name)?.unwrap_or_default())
    }

    pub(super) fn date_time(&mut self, name: &str) -> Result<Option<DateTime>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some(date) = DateTime::parse(&text) {
            return Ok(Some(date));
        }
        self.odd(Rule::DateTime)?;
        Ok(DateTime::parse_loosely(&text))
    }

    pub(super) fn resolution(&mut self) -> Result<Option<Resolution>, Error> {
        let Some(attribute) = self.unquoted("RESOLUTION")? else { return Ok(None) };
        let text = attribute.value.text();
        let read = Resolution::parse(text).filter(|it| it.width > 0 && it.height > 0);
        if read.is_none() || text.contains('X') {
            self.context.odd(&self.line, attribute.span, Rule::Resolution)?;
        }
        Ok(read)
    }

    /// IV, after substitution.
    pub(super) fn iv(&mut self) -> Result<Option<[u8; 16]>, Error> {
        let Some(attribute) = self.unquoted("IV")? else { return Ok(None) };
        let text = self.context.substitute(&self.line, attribute.value.text())?;
        if let Some(iv) = hex_128(&text) {
            return Ok(Some(iv));
        }
        let iv = hex_128_loosely(&text).ok_or_else(|| self.error(Rule::HexTooLong))?;
        self.context.odd(&self.line, attribute.span, Rule::IvSyntax)?;
        Ok(Some(iv))
    }

    /// A URI; an empty one counts as absent.
    pub(super) fn uri(&mut self, name: &str) -> Result<Option<Uri<'a>>, Error> {
        let Some(attribute) = self.find(name) else { return Ok(None) };
        let text = attribute.value.text();
        if let AttributeValue::Unquoted(_) = attribute.value {
            self.context.odd(&self.line, attribute.span, Rule::Quoting)?;
        }
        if text.is_empty() {
            self.odd_value(&attribute)?;
            return Ok(None);
        }
        self.context.uri(&self.line, text.as_bytes(), attribute.value_span).map(Some)
    }

    pub(super) fn required_uri(&mut self, name: &str) -> Result<Uri<'a>, Error> {
        match self.find(name) {
            Some(attribute) if !attribute.value.text().is_empty() => {}
            Some(_) | None => return Err(self.error(Rule::MissingUri)),
        }
        self.uri(name)?.ok_or_else(|| self.error(Rule::MissingUri))
    }

    /// The URI of a tag that nothing has to be fetched for: none where it is missing or can't be read, which the
    /// strict reading refuses. The tag is then ignored.
    pub(super) fn tag_uri(&mut self, name: &str) -> Result<Option<Uri<'a>>, Error> {
        if self.find(name).is_none_or(|attribute| attribute.value.text().is_empty()) {
            self.odd(Rule::NoTagUri)?;
            return Ok(None);
        }
        let uri = self.uri(name);
        self.spare(uri)
    }

    /// An attribute that playback can do without: none where a variable of it is undefined, or a control
    /// character stands in its URI.
    pub(super) fn spare<T>(&mut self, read: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        match read {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UndefinedVariable { .. } | ErrorKind::Rule(Rule::ControlInUri)
                ) =>
            {
                self.odd(Rule::UnreadableAttribute)?;
                Ok(None)
            }
            read => read,
        }
    }

    /// `LENGTH` and perhaps `OFFSET`, in quotes.
    pub(super) fn byte_range(&mut self, name: &str) -> Result<Option<(u64, Option<u64>)>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        super::common::byte_range(self.context, &self.line, &text).map(Some)
    }
}
