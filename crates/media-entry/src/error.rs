//! Why a text is not an entry.

use std::fmt;

/// A text that is not an entry: which key, and what is wrong with it. Values are never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    key: String,
    kind: ErrorKind,
}

/// What to branch on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not JSON, from this place on (both counted from 1).
    Syntax {
        /// The line.
        line: usize,
        /// The column, in bytes.
        column: usize,
    },
    /// The key is not there, or null.
    Missing,
    /// The value is of another type than this one.
    Expected(&'static str),
    /// The certificate is not base64.
    NotBase64,
    /// Kaltura's backend answered with an exception.
    ServerException {
        /// What to branch on, such as `ENTRY_ID_NOT_FOUND` or `INVALID_KS`.
        code: String,
        /// What it says about it.
        message: ServerText,
    },
    /// The entry's access rules forbid playback.
    Blocked {
        /// The rule's code, such as `COUNTRY_RESTRICTED`; `BLOCK` where none is given.
        code: String,
        /// What it says about it.
        message: ServerText,
    },
    /// There is no playback context among the backend's answers.
    NoPlaybackContext,
}

/// A sentence of a server's. It may quote a session, so it is not printed: `Debug` shows its length.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerText(String);

impl ServerText {
    /// Takes what a server said.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerText({} bytes)", self.0.len())
    }
}

impl Error {
    pub(crate) fn new(key: impl Into<String>, kind: ErrorKind) -> Self {
        Self { key: key.into(), kind }
    }

    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The key from the entry down, as in `sources[1].drmData[0].licenseUri`; empty for the entry itself.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("media entry")?;
        if !self.key.is_empty() {
            write!(f, ", `{}`", self.key)?;
        }
        match &self.kind {
            ErrorKind::Syntax { line, column } => write!(f, ", line {line}, column {column}: not JSON"),
            ErrorKind::Missing => f.write_str(": missing"),
            ErrorKind::Expected(what) => write!(f, ": not {what}"),
            ErrorKind::NotBase64 => f.write_str(": not base64"),
            ErrorKind::ServerException { code, .. } => write!(f, ": the backend answers {code}"),
            ErrorKind::Blocked { code, .. } => write!(f, ": its access rules forbid playback ({code})"),
            ErrorKind::NoPlaybackContext => f.write_str(": no playback context is among the answers"),
        }
    }
}

impl std::error::Error for Error {}
