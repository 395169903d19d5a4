//! Edits of a text: what they do not cover stays byte for byte.

use std::ops::Range;

use crate::attributes::{AttributeError, AttributeFault, attributes};
use crate::error::{Error, ErrorKind};
use crate::line::{Line, Span};

/// Replacements, removals and insertions, collected in any order and then applied at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    edits: Vec<Edit>,
    texts: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    span: Span,
    text: Range<usize>,
}

impl Edits {
    /// No edits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Puts `text` in the place of `span`.
    pub fn replace(&mut self, span: Span, text: impl AsRef<[u8]>) {
        let from = self.texts.len();
        self.texts.extend_from_slice(text.as_ref());
        self.edits.push(Edit { span, text: from..self.texts.len() });
    }

    /// Takes `span` out.
    pub fn remove(&mut self, span: Span) {
        self.replace(span, "");
    }

    /// Takes a line out, terminator included.
    pub fn remove_line(&mut self, line: &Line<'_>) {
        self.remove(line.full);
    }

    /// Puts `text` before byte `at`; several at one place stay in the order in which they were added.
    pub fn insert_before(&mut self, at: u32, text: impl AsRef<[u8]>) {
        self.replace(Span::new(at, at), text);
    }

    /// Takes the attribute `name` out of a tag line, with exactly one neighbouring comma; false if it is not there.
    ///
    /// For several attributes of one line use [`remove_attributes`](Self::remove_attributes) once.
    pub fn remove_attribute(&mut self, line: &Line<'_>, name: &str) -> bool {
        self.remove_attributes(line, |it| it == name) > 0
    }

    /// Takes every attribute out whose name `unwanted` says yes to; what is left is still a list. Says how many.
    pub fn remove_attributes(&mut self, line: &Line<'_>, mut unwanted: impl FnMut(&str) -> bool) -> usize {
        let items: Vec<(Span, bool)> = attributes(line)
            .filter_map(|item| match item {
                Ok(it) => Some((it.span, unwanted(it.name))),
                // Part of the attribute before it.
                Err(AttributeError { fault: AttributeFault::AfterQuote, .. }) => None,
                Err(AttributeError { span, .. }) => Some((span, false)),
            })
            .collect();
        let (mut removed, mut kept_one, mut before) = (0, false, None);
        for (index, (span, unwanted)) in items.iter().enumerate() {
            if *unwanted {
                let after = items.get(index + 1).map_or(span.end, |(next, _)| next.start);
                self.remove(match before {
                    Some(end) if kept_one => Span::new(end, span.end),
                    _ => Span::new(span.start, after),
                });
                removed += 1;
            }
            kept_one |= !unwanted;
            before = Some(span.end);
        }
        removed
    }

    /// `text` with every edit made.
    ///
    /// # Errors
    /// [`ErrorKind::OverlappingEdits`] and [`ErrorKind::EditOutsideText`]. An insertion at the edge of a replaced span
    /// does not overlap it.
    pub fn apply(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let mut order: Vec<&Edit> = self.edits.iter().collect();
        order.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut out = Vec::with_capacity(text.len() + self.texts.len());
        let mut done = 0_u32;
        for edit in order {
            let at = edit.span.start;
            if at < done {
                return Err(Error::new(ErrorKind::OverlappingEdits { at }));
            }
            if edit.span.end < at || edit.span.end as usize > text.len() {
                return Err(Error::new(ErrorKind::EditOutsideText { at }));
            }
            out.extend_from_slice(Span::new(done, at).of(text));
            out.extend_from_slice(self.texts.get(edit.text.clone()).unwrap_or_default());
            done = edit.span.end;
        }
        out.extend_from_slice(text.get(done as usize..).unwrap_or_default());
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
