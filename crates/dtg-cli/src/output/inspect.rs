//! What `inspect` prints: everything a playlist says.

mod live;
mod media;
mod multivariant;
mod words;

use std::borrow::Cow;

use hls_parse::{Diagnostic, ErrorKind, Parsed, Playlist, Start, Uri, Variables};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use media::MediaView;
pub(crate) use multivariant::MultivariantView;
pub(crate) use words::inspect_text;

use super::marker;

/// One playlist, or why it was refused.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum InspectDocument<'a> {
    Media(MediaDocument<'a>),
    Multivariant(MultivariantDocument<'a>),
    Refused(RefusedDocument),
}

/// A media playlist.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MediaDocument<'a> {
    schema: marker::Inspect,
    verdict: marker::Accepted,
    kind: marker::Media,
    #[serde(flatten)]
    pub(super) playlist: MediaView<'a>,
    /// What is odd, in the order of the lines.
    pub(super) diagnostics: Vec<DiagnosticView>,
}

/// A multivariant playlist.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MultivariantDocument<'a> {
    schema: marker::Inspect,
    verdict: marker::Accepted,
    kind: marker::Multivariant,
    #[serde(flatten)]
    pub(super) playlist: MultivariantView<'a>,
    /// What is odd, in the order of the lines.
    pub(super) diagnostics: Vec<DiagnosticView>,
}

/// A text that is no playlist, or a broken one.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RefusedDocument {
    pub(crate) schema: marker::Inspect,
    pub(crate) verdict: marker::Refused,
    /// Unknown: null.
    pub(crate) kind: (),
    /// Why.
    pub(crate) error: Refusal,
}

/// Why a text was refused.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Refusal {
    /// A short fixed word to branch on.
    code: &'static str,
    /// The line it is about, from 1; null when it is about the whole text.
    line: Option<u32>,
    /// The fixed name of the rule that is broken, where one is.
    rule: Option<&'static str>,
    /// Where that rule is written.
    section: Option<&'static str>,
    /// The whole sentence.
    message: String,
}

/// Something odd that was read all the same.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub(crate) struct DiagnosticView {
    /// The line, from 1.
    pub(super) line: u32,
    /// The rule's fixed name.
    pub(super) rule: &'static str,
    /// What is odd.
    pub(super) message: String,
    /// Where the rule is written.
    pub(super) section: &'static str,
}

/// A definition of EXT-X-DEFINE.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Variable")]
pub(crate) struct VariableView<'a> {
    name: &'a str,
    value: &'a str,
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ByteRange")]
pub(crate) struct RangeView {
    /// The first byte.
    offset: u64,
    /// How many bytes.
    length: u64,
}

impl From<hls_parse::ByteRange> for RangeView {
    fn from(range: hls_parse::ByteRange) -> Self {
        Self { offset: range.offset, length: range.length }
    }
}

/// Where playback should begin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Start")]
pub(crate) struct StartView {
    /// Seconds from the start, or from the end when negative.
    time_offset: f64,
    precise: bool,
}

impl<'a> InspectDocument<'a> {
    pub(crate) fn new(parsed: &'a Parsed<'a>, text: &'a [u8]) -> Self {
        let diagnostics = parsed.diagnostics.iter().map(DiagnosticView::from).collect();
        let (schema, verdict) = (marker::Inspect::V1, marker::Accepted::V1);
        match &parsed.playlist {
            Playlist::Media(media) => {
                let playlist = MediaView::new(media, text);
                Self::Media(MediaDocument { schema, verdict, kind: marker::Media::V1, playlist, diagnostics })
            }
            Playlist::Multivariant(multivariant) => {
                let playlist = MultivariantView::new(multivariant, text);
                let kind = marker::Multivariant::V1;
                Self::Multivariant(MultivariantDocument { schema, verdict, kind, playlist, diagnostics })
            }
        }
    }

    pub(crate) fn refused(error: Refusal) -> Self {
        Self::Refused(RefusedDocument {
            schema: marker::Inspect::V1,
            verdict: marker::Refused::V1,
            kind: (),
            error,
        })
    }
}

impl From<&hls_parse::Error> for Refusal {
    fn from(error: &hls_parse::Error) -> Self {
        let rule = if let ErrorKind::Rule(rule) = error.kind() { Some(rule) } else { None };
        Self {
            code: code_of(error.kind()),
            line: error.line(),
            rule: rule.map(|rule| rule.as_str()),
            section: rule.map(|rule| rule.section()),
            message: error.to_string(),
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest are faults of edits, which reading makes none of"
)]
const fn code_of(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotAPlaylist => "not-a-playlist",
        ErrorKind::Encoding => "encoding",
        ErrorKind::Limit { .. } => "limit",
        ErrorKind::Attributes(_) => "attributes",
        ErrorKind::Rule(_) => "rule",
        ErrorKind::UndefinedVariable { .. } => "undefined-variable",
        _ => "other",
    }
}

impl From<&Diagnostic> for DiagnosticView {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            line: diagnostic.line,
            rule: diagnostic.rule.as_str(),
            message: diagnostic.rule.message().to_owned(),
            section: diagnostic.rule.section(),
        }
    }
}

/// A URI as the playlist has it, before variables are put in.
fn as_written<'a>(uri: &Uri<'a>, text: &'a [u8]) -> Cow<'a, str> {
    String::from_utf8_lossy(uri.span.of(text))
}

/// The URI with its variables put in, where it has some.
fn substituted<'a>(uri: &'a Uri<'a>) -> Option<&'a str> {
    match &uri.text {
        Cow::Owned(text) => Some(text),
        Cow::Borrowed(_) => None,
    }
}

fn start(start: &Start) -> StartView {
    StartView { time_offset: start.time_offset.as_f64(), precise: start.precise }
}

fn variables(variables: &Variables) -> Vec<VariableView<'_>> {
    variables.iter().map(|(name, value)| VariableView { name, value }).collect()
}
