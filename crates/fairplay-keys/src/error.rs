//! Why a text is not a key URI, or has no content identifier.

use std::fmt;

use thiserror::Error as ThisError;

/// A key URI that cannot be used: which one, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    shown: String,
    kind: ErrorKind,
}

/// What to branch on.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The scheme is not `skd`.
    #[error("not an `skd:` URI")]
    NotSkd,
    /// The URI has this many bytes, more than [`KeyUri::LIMIT`](crate::KeyUri::LIMIT).
    #[error("a key URI of {0} bytes is longer than any")]
    TooLong(usize),
    /// The URI has no part like the one the rule asks for.
    #[error("has no {0}, which the content identifier is to come from")]
    NoSuchPart(&'static str),
    /// The part is not base64, as the rule wants it.
    #[error("the content identifier is not base64")]
    NotBase64,
    /// The content identifier has this many bytes, not 2 to 200.
    #[error("the content identifier has {0} bytes, not 2 to 200")]
    ContentIdLength(usize),
}

impl Error {
    /// The URI is shown without query and fragment, and no longer than 80 characters.
    pub(crate) fn new(uri: &str, kind: ErrorKind) -> Self {
        let path = uri.split(['?', '#']).next().unwrap_or_default();
        Self { shown: path.chars().take(80).collect(), kind }
    }

    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key URI `{}`: {}", self.shown, self.kind)
    }
}

impl std::error::Error for Error {}
