//! Tags of both kinds of playlist, and values that are not attributes (RFC 8216 4.3.1, 4.3.5; rfc8216bis 4.4.2).

use percent_encoding::percent_decode_str;

use super::context::Context;
use super::tag::Tag;
use crate::define::is_name;
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind, Span};
use crate::value::{Start, byte_range_parts, integer};

/// What tags of both kinds say.
#[derive(Default)]
pub(super) struct Common {
    pub(super) version: Option<u32>,
    pub(super) independent_segments: bool,
    pub(super) start: Option<Start>,
    begun: bool,
}

impl Common {
    /// Reads the line if it is such a tag.
    pub(super) fn read<'a>(
        &mut self,
        context: &mut Context<'a, '_>,
        line: &Line<'a>,
        name: &str,
    ) -> Result<bool, Error> {
        match name {
            "EXT-X-VERSION" => self.version(context, line)?,
            "EXT-X-INDEPENDENT-SEGMENTS" => {
                let repeated = self.independent_segments;
                self.independent_segments = true;
                once(context, line, repeated)?;
            }
            "EXT-X-START" => self.start(context, line)?,
            "EXT-X-DEFINE" => define(context, line)?,
            "EXTM3U" => {
                once(context, line, self.begun)?;
                self.begun = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn version(&mut self, context: &mut Context<'_, '_>, line: &Line<'_>) -> Result<(), Error> {
        once(context, line, self.version.is_some())?;
        match value_text(line).and_then(integer).and_then(|value| u32::try_from(value).ok()) {
            Some(version) => self.version = Some(version),
            None => context.odd(line, line.span, Rule::TagValue)?,
        }
        Ok(())
    }

    fn start<'a>(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        once(context, line, self.start.is_some())?;
        let mut tag = Tag::read(context, *line)?;
        let precise = tag.flag("PRECISE")?;
        match tag.decimal("TIME-OFFSET")? {
            Some(time_offset) => self.start = Some(Start { time_offset, precise, tag: line.span }),
            None => tag.odd(Rule::MissingAttribute)?,
        }
        Ok(())
    }
}

/// Reports a tag that may occur once.
pub(super) fn once(context: &mut Context<'_, '_>, line: &Line<'_>, repeated: bool) -> Result<(), Error> {
    if repeated { context.odd(line, line.span, Rule::RepeatedTag) } else { Ok(()) }
}

/// A tag's value as text without blanks at its ends.
pub(super) fn value_text<'a>(line: &Line<'a>) -> Option<&'a str> {
    let LineKind::Tag { value: Some((bytes, _)), .. } = line.kind else { return None };
    str::from_utf8(bytes).ok().map(str::trim)
}

/// A tag's value's place, or the whole line's.
pub(super) fn value_span(line: &Line<'_>) -> Span {
    match line.kind {
        LineKind::Tag { value: Some((_, span)), .. } => span,
        LineKind::Tag { .. } | LineKind::Uri(_) | LineKind::Comment(_) | LineKind::Blank => line.span,
    }
}

/// `LENGTH[@OFFSET]`.
pub(super) fn byte_range(
    context: &mut Context<'_, '_>,
    line: &Line<'_>,
    text: &str,
) -> Result<(u64, Option<u64>), Error> {
    let range = byte_range_parts(text).map_err(|rule| Error::at(line, ErrorKind::Rule(rule)))?;
    if range.0 == 0 {
        context.odd(line, line.span, Rule::EmptyByteRange)?;
    }
    Ok(range)
}

/// EXT-X-DEFINE (rfc8216bis 4.4.2.3).
pub(super) fn define<'a>(context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
    let fault = |rule| Error::at(line, ErrorKind::Rule(rule));
    let tag = Tag::read(context, *line)?;
    let [name, value, import, query] =
        ["NAME", "VALUE", "IMPORT", "QUERYPARAM"].map(|name| tag.find(name).map(|it| it.value.text()));
    let (name, value) = match (name, value, import, query) {
        (Some(name), Some(value), None, None) => (name, value.to_owned()),
        (None, None, Some(name), None) => (name, imported(context, name).map_err(fault)?),
        (None, None, None, Some(name)) => {
            (name, query_parameter(context.options.url, name).ok_or_else(|| fault(Rule::QueryParameter))?)
        }
        _ => return Err(fault(Rule::DefineSyntax)),
    };
    context.needs_version(if query.is_some() { 11 } else { 8 });
    if !is_name(name) {
        return Err(fault(Rule::DefineName));
    }
    if !context.variables.define(name, value) {
        return Err(fault(Rule::DefineTwice));
    }
    Ok(())
}

fn imported(context: &Context<'_, '_>, name: &str) -> Result<String, Rule> {
    if context.multivariant {
        return Err(Rule::ImportInMultivariant);
    }
    let value = context.options.imports.and_then(|variables| variables.get(name));
    value.map(str::to_owned).ok_or(Rule::ImportUndefined)
}

/// The parameter's value, percent-decoded; none if it is absent or could not stand between quotes.
fn query_parameter(url: Option<&str>, wanted: &str) -> Option<String> {
    let url = url?.split('#').next()?;
    let (_, query) = url.split_once('?')?;
    let (_, value) = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| percent_decode_str(name).decode_utf8().is_ok_and(|name| name == wanted))?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    let fits = !value.is_empty() && !value.contains(|c: char| c == '"' || c.is_control());
    fits.then(|| value.into_owned())
}
