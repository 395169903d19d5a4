//! What makes a playlist, an edit or a URL unusable.

use std::fmt;

use crate::attributes::AttributeFault;
use crate::diagnose::Rule;
use crate::line::{Line, LineKind};

/// Why a playlist was refused, or could not be changed; says which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    // Boxed, so that a `Result` without fault costs a reader of millions of lines nothing.
    fault: Box<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    line: Option<u32>,
    subject: String,
    kind: ErrorKind,
}

/// What to branch on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text does not begin with `#EXTM3U`: a page of HTML, an empty body, something else.
    #[error("not a playlist: the first line is not `#EXTM3U`")]
    NotAPlaylist,
    /// The text is UTF-16, or something that must be read exactly is not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// The text is larger than the [`Limits`](crate::Limits) allow.
    #[error("more than {limit} {what}")]
    Limit {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// How much is allowed.
        limit: u32,
    },
    /// An attribute list cannot be told apart.
    #[error("{0}")]
    Attributes(AttributeFault),
    /// A rule of the RFC is broken that this reading insists on.
    #[error("{}", .0.message())]
    Rule(Rule),
    /// A reference to a variable that no earlier line defines.
    #[error("variable `{name}` is not defined")]
    UndefinedVariable {
        /// Its name.
        name: String,
    },
    /// Two edits cover the same bytes.
    #[error("edits overlap at byte {at}")]
    OverlappingEdits {
        /// The first byte that both cover.
        at: u32,
    },
    /// An edit lies outside the text.
    #[error("edit at byte {at} lies outside the text")]
    EditOutsideText {
        /// Where the edit begins.
        at: u32,
    },
    /// A replacement or a composed line would break the playlist: a line end, a quote, an empty URI.
    #[error("text would break the playlist")]
    UnfitText,
    /// A reference that no URL can be made of.
    #[error("not a URL: {0}")]
    Url(url::ParseError),
}

impl Error {
    /// A fault that belongs to no line.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self::of(None, String::new(), kind)
    }

    #[cold]
    fn of(line: Option<u32>, subject: String, kind: ErrorKind) -> Self {
        Self { fault: Box::new(Fault { line, subject, kind }) }
    }

    /// A fault of one line.
    pub(crate) fn at(line: &Line<'_>, kind: ErrorKind) -> Self {
        Self::of(Some(line.number), subject_of(line), kind)
    }

    /// A fault of one URI.
    pub(crate) fn about(uri: &str, kind: ErrorKind) -> Self {
        Self::of(None, shown_uri(uri), kind)
    }

    /// The line's number, counted from 1, if the fault belongs to one.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.fault.line
    }

    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.fault.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { line, subject, kind } = &*self.fault;
        if let Some(line) = line {
            write!(f, "line {line}: ")?;
        }
        if !subject.is_empty() {
            write!(f, "`{subject}`: ")?;
        }
        kind.fmt(f)
    }
}

impl std::error::Error for Error {}

/// How a line is named: a tag without its value, a URI without its secrets.
fn subject_of(line: &Line<'_>) -> String {
    match line.kind {
        LineKind::Tag { name, .. } => shortened(&format!("#{name}")),
        LineKind::Uri(uri) => shown_uri(&String::from_utf8_lossy(uri.get(..512).unwrap_or(uri))),
        LineKind::Blank | LineKind::Comment(_) => String::new(),
    }
}

/// Query, fragment and user information are left out: they hold session tokens.
fn shown_uri(uri: &str) -> String {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    if uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return "data:...".to_owned();
    }
    let Some((scheme, rest)) = path.split_once("//") else { return shortened(path) };
    let (host, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    shortened(&format!("{scheme}//{host}{tail}"))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short: String = text.chars().take(LONGEST).map(printable).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, shown: &str) {
        assert_eq!(shown_uri(uri), shown);
    }

    #[test]
    fn a_uri_is_shown_without_its_secrets() {
        check("https://user:pass@cdn.test/seg-7.ts?ks=secret#x", "https://cdn.test/seg-7.ts");
        check("//u@h/x.ts?t=1", "//h/x.ts");
        check("seg.ts?token=1", "seg.ts");
        check("data:text/plain;base64,c2VjcmV0", "data:...");
        check("https://user:p@ss@cdn.test", "https://cdn.test");
    }

    #[test]
    fn a_long_name_is_cut_and_control_characters_do_not_reach_a_terminal() {
        check(&"é".repeat(100), &format!("{}...", "é".repeat(80)));
        check("a\u{1b}[31m.ts", "a\u{fffd}[31m.ts");
    }
}
