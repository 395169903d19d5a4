//! What `inspect` prints: everything a playlist says.

mod live;
mod media;
mod multivariant;
mod words;

use std::borrow::Cow;

use hls_parse::{Diagnostic, ErrorKind, Parsed, Playlist, Severity, Start, Uri, Variables};
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

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
    /// How many more oddities there are.
    diagnostics_left_out: u32,
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
    /// How many more oddities there are.
    diagnostics_left_out: u32,
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
    /// The line, from 1; 0: the playlist as a whole.
    pub(super) line: u32,
    /// The rule's fixed name.
    pub(super) rule: &'static str,
    /// Whether `--strict` refuses it.
    strict: bool,
    /// What is odd.
    pub(super) message: String,
    /// Where the rule is written.
    pub(super) section: &'static str,
}

/// A definition of EXT-X-DEFINE.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Variable")]
pub(crate) struct VariableView<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
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
    pub(super) time_offset: f64,
    pub(super) precise: bool,
}

impl<'a> InspectDocument<'a> {
    pub(crate) fn new(parsed: &'a Parsed<'a>, page: Page<'a>) -> Self {
        let diagnostics = parsed.diagnostics.iter().map(DiagnosticView::from).collect();
        let diagnostics_left_out = parsed.diagnostics_left_out;
        let (schema, verdict) = (marker::Inspect::V1, marker::Accepted::V1);
        match &parsed.playlist {
            Playlist::Media(media) => {
                let playlist = MediaView::new(media, page);
                Self::Media(MediaDocument {
                    schema,
                    verdict,
                    kind: marker::Media::V1,
                    playlist,
                    diagnostics,
                    diagnostics_left_out,
                })
            }
            Playlist::Multivariant(multivariant) => {
                let playlist = MultivariantView::new(multivariant, page);
                let kind = marker::Multivariant::V1;
                Self::Multivariant(MultivariantDocument {
                    schema,
                    verdict,
                    kind,
                    playlist,
                    diagnostics,
                    diagnostics_left_out,
                })
            }
        }
    }

    /// Adds that a FairPlay key is missing among the session keys: no rule of HLS, but offline playback lives by it.
    pub(crate) fn warn_of_session_key(&mut self, message: String) {
        let (rule, section) = ("fairplay-session-key", "FairPlay offline playback");
        let warning = DiagnosticView { line: 0, rule, strict: false, message, section };
        match self {
            Self::Media(document) => document.diagnostics.push(warning),
            Self::Multivariant(document) => document.diagnostics.push(warning),
            Self::Refused(_) => {}
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
            strict: diagnostic.rule.severity() != Severity::Warning,
            message: diagnostic.rule.message().to_owned(),
            section: diagnostic.rule.section(),
        }
    }
}

/// The text that was read, and where it came from if that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) url: Option<&'a Url>,
}

/// Where a URI leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Reference<'a> {
    /// The URI as written.
    pub(super) uri: Cow<'a, str>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
    /// The whole URL; null where the playlist's own is not known.
    url: Option<String>,
}

/// Where a URI leads that may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct OptionalReference<'a> {
    /// The URI as written; null: there is none.
    pub(super) uri: Option<Cow<'a, str>>,
    /// The URI with its variables put in; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    substituted_uri: Option<&'a str>,
    /// The whole URL; null where the playlist's own is not known.
    url: Option<String>,
}

impl<'a> Reference<'a> {
    fn new(uri: &'a Uri<'a>, page: Page<'a>) -> Self {
        let substituted_uri = match &uri.text {
            Cow::Owned(text) => Some(text.as_str()),
            Cow::Borrowed(_) => None,
        };
        let url = page.url.and_then(|base| hls_parse::resolve(base, uri.as_str()).ok()).map(String::from);
        Self { uri: String::from_utf8_lossy(uri.span.of(page.text)), substituted_uri, url }
    }
}

impl<'a> OptionalReference<'a> {
    fn new(uri: Option<&'a Uri<'a>>, page: Page<'a>) -> Self {
        uri.map_or_else(Self::default, |uri| {
            let Reference { uri, substituted_uri, url } = Reference::new(uri, page);
            Self { uri: Some(uri), substituted_uri, url }
        })
    }
}

fn start(start: &Start) -> StartView {
    StartView { time_offset: start.time_offset.as_f64(), precise: start.precise }
}

fn variables(variables: &Variables) -> Vec<VariableView<'_>> {
    variables.iter().map(|(name, value)| VariableView { name, value }).collect()
}
