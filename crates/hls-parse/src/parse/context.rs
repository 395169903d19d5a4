//! What reading keeps in mind beside the playlist: options, oddities, variables, limits.

use std::borrow::Cow;

use memchr::memmem;

use super::{ParseOptions, Parsed, Playlist, Reading};
use crate::define::Variables;
use crate::diagnose::{Diagnostic, Rule, Severity};
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind, Span, position};
use crate::value::Uri;

/// What there is a limit of where a few bytes can stand for gigabytes.
pub(crate) const EXPANDED: &str = "bytes of variables";

pub(super) struct Context<'a, 'o> {
    pub(super) text: &'a [u8],
    pub(super) options: &'o ParseOptions<'o>,
    pub(super) variables: Variables,
    /// Whether a multivariant playlist is being read.
    pub(super) multivariant: bool,
    /// The lowest EXT-X-VERSION that allows what was read so far (rfc8216bis 8).
    pub(super) version_needed: u32,
    pub(super) facts: Facts<'a>,
    expanded: usize,
    diagnostics: Vec<Diagnostic>,
    left_out: u32,
}

/// What one fast look at the whole text tells, so that single lines need not be looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The text, if all of it is UTF-8.
    utf8: Option<&'a str>,
    /// Whether there may be control characters other than line ends.
    pub(crate) controls: bool,
    /// Whether there may be references to variables.
    pub(crate) references: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let (mut odd, mut returns, mut braces) = (false, false, false);
        // No early exit, so that this runs at memory speed.
        for byte in text {
            odd |= *byte >= 0x7F || *byte < b' ' && *byte != b'\n' && *byte != b'\r';
            returns |= *byte == b'\r';
            braces |= *byte == b'{';
        }
        Self {
            utf8: str::from_utf8(text).ok(),
            controls: odd || returns && lone_return(text),
            references: braces && memmem::find(text, b"{$").is_some(),
        }
    }

    /// `bytes`, which stand at `span`, if they are UTF-8.
    #[inline]
    pub(crate) fn str_of(&self, bytes: &'a [u8], span: Span) -> Option<&'a str> {
        let whole = self.utf8.and_then(|text| text.get(span.start as usize..span.end as usize));
        whole.or_else(|| str::from_utf8(bytes).ok())
    }
}

/// Whether a carriage return stands anywhere but before a line end.
fn lone_return(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', text).any(|at| text.get(at + 1).is_some_and(|next| *next != b'\n'))
}

impl<'a, 'o> Context<'a, 'o> {
    pub(super) fn new(text: &'a [u8], options: &'o ParseOptions<'o>) -> Self {
        Self {
            text,
            options,
            variables: Variables::default(),
            multivariant: false,
            version_needed: 1,
            facts: Facts::of(text),
            expanded: 0,
            diagnostics: Vec::new(),
            left_out: 0,
        }
    }

    /// Checks a line against the limits and the rules that hold for every line's bytes.
    #[inline]
    pub(super) fn admit(&mut self, line: &Line<'a>) -> Result<(), Error> {
        let limits = &self.options.limits;
        let unusual = line.number > limits.lines
            || line.span.len() > limits.line_bytes
            || line.content != line.span
            || self.facts.controls
            || self.facts.utf8.is_none();
        if unusual { self.look_at(line) } else { Ok(()) }
    }

    #[cold]
    fn look_at(&mut self, line: &Line<'a>) -> Result<(), Error> {
        let limits = &self.options.limits;
        if line.number > limits.lines {
            return Err(Error::new(ErrorKind::Limit { what: "lines", limit: limits.lines }));
        }
        if line.span.len() > limits.line_bytes {
            return Err(Error::at(
                line,
                ErrorKind::Limit { what: "bytes in a line", limit: limits.line_bytes },
            ));
        }
        if line.kind == LineKind::Blank {
            return Ok(());
        }
        if line.content != line.span && line.number > 1 {
            self.odd(line, line.span, Rule::Blanks)?;
        }
        self.look_closely(line)
    }

    fn look_closely(&mut self, line: &Line<'a>) -> Result<(), Error> {
        let bytes = line.content.of(self.text);
        if bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..0x7F)) {
            return Ok(());
        }
        // Tabs separate the ids of date ranges that a delta update removes (rfc8216bis 4.4.5.2).
        let tabs = matches!(line.kind, LineKind::Tag { name: "EXT-X-SKIP", .. });
        match str::from_utf8(bytes) {
            Err(fault) => {
                let start = line.content.start + position(fault.valid_up_to());
                self.odd(line, Span::new(start, line.content.end), Rule::NotUtf8)
            }
            Ok(text) => match text.char_indices().find(|(_, c)| c.is_control() && !(tabs && *c == '\t')) {
                Some((at, control)) => {
                    let start = line.content.start + position(at);
                    let end = start + position(control.len_utf8());
                    self.odd(line, Span::new(start, end), Rule::ControlCharacter)
                }
                None => Ok(()),
            },
        }
    }

    /// Something was read that EXT-X-VERSION has to be this high for (rfc8216bis 8).
    pub(super) fn needs_version(&mut self, version: u32) {
        self.version_needed = self.version_needed.max(version);
    }

    /// Reports a broken rule; an error where this reading insists on it.
    pub(super) fn odd(&mut self, line: &Line<'_>, span: Span, rule: Rule) -> Result<(), Error> {
        self.report(line.number, span, rule).map_err(|kind| Error::at(line, kind))
    }

    /// Reports a broken rule of a line that went by.
    pub(super) fn odd_at(&mut self, line: u32, span: Span, rule: Rule) -> Result<(), Error> {
        self.report(line, span, rule).map_err(|kind| {
            let gone = Line { number: line, span, full: span, content: span, kind: LineKind::Blank };
            Error::at(&gone, kind)
        })
    }

    /// Reports a rule that the playlist as a whole breaks.
    pub(super) fn odd_as_a_whole(&mut self, rule: Rule) -> Result<(), Error> {
        self.report(0, super::WHOLE, rule).map_err(Error::new)
    }

    fn report(&mut self, line: u32, span: Span, rule: Rule) -> Result<(), ErrorKind> {
        let strict = self.options.reading == Reading::Strict;
        match rule.severity() {
            Severity::Fatal => return Err(ErrorKind::Rule(rule)),
            Severity::Violation if strict => return Err(ErrorKind::Rule(rule)),
            Severity::Violation | Severity::Warning => {}
        }
        if self.diagnostics.len() < self.options.limits.diagnostics as usize {
            self.diagnostics.push(Diagnostic { line, span, rule });
        } else {
            self.left_out += 1;
        }
        Ok(())
    }

    /// `text` with variables replaced (rfc8216bis 4.3).
    #[inline]
    pub(super) fn substitute(&mut self, line: &Line<'_>, text: &'a str) -> Result<Cow<'a, str>, Error> {
        if self.facts.references { self.expand(line, text) } else { Ok(Cow::Borrowed(text)) }
    }

    fn expand(&mut self, line: &Line<'_>, text: &'a str) -> Result<Cow<'a, str>, Error> {
        let limit = self.options.limits.bytes;
        let left = (limit as usize).saturating_sub(self.expanded);
        let expanded = self
            .variables
            .substitute_some(text, left)
            .map_err(|undefined| Error::at(line, ErrorKind::UndefinedVariable { name: undefined.name }))?;
        if let Cow::Owned(owned) = &expanded {
            self.count_copy(line, owned.len())?;
        }
        Ok(expanded)
    }

    /// So many bytes of what variables stand for are kept once more.
    pub(super) fn count_copy(&mut self, line: &Line<'_>, bytes: usize) -> Result<(), Error> {
        let limit = self.options.limits.bytes;
        self.expanded = self.expanded.saturating_add(bytes);
        if self.expanded > limit as usize {
            return Err(Error::at(line, ErrorKind::Limit { what: EXPANDED, limit }));
        }
        Ok(())
    }

    /// A URI line that nothing is made of counts against the limit all the same: [`rewrite`](crate::rewrite) asks for it.
    #[cold]
    pub(super) fn stray_uri(&mut self, line: &Line<'_>, bytes: &'a [u8], rule: Rule) -> Result<(), Error> {
        if let Some(text) = self.facts.str_of(bytes, line.content)
            && let Err(error) = self.substitute(line, text)
            && matches!(error.kind(), ErrorKind::Limit { .. })
        {
            return Err(error);
        }
        self.odd(line, line.span, rule)
    }

    /// A URI's text: never altered in silence, never with control characters.
    #[inline]
    pub(super) fn uri(&mut self, line: &Line<'_>, bytes: &'a [u8], span: Span) -> Result<Uri<'a>, Error> {
        let Some(text) = self.facts.str_of(bytes, span) else {
            return Err(Error::at(line, ErrorKind::Encoding));
        };
        if self.facts.controls && text.chars().any(char::is_control) {
            return Err(Error::at(line, ErrorKind::Rule(Rule::ControlInUri)));
        }
        Ok(Uri { text: self.substitute(line, text)?, span })
    }

    pub(super) fn finish(self, playlist: Playlist<'a>) -> Parsed<'a> {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort_by_key(|it| (it.line, it.span.start));
        Parsed { playlist, diagnostics, diagnostics_left_out: self.left_out }
    }
}
