//! What can go wrong when an origin is set up.

use std::io;
use std::path::PathBuf;

/// An origin, a site or a fault could not be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] ErrorKind);

/// What to branch on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No port on 127.0.0.1 could be bound, or no thread started.
    #[error("no origin on 127.0.0.1, port {port}")]
    Start {
        /// The port that was asked for; 0 is any free one.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// This is not a folder that can be served.
    #[error("{} is not a folder that can be read", path.display())]
    Folder {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A fault or rule is not written in the notation.
    #[error("`{word}` is not a fault or a condition: {expected}")]
    Notation {
        /// The word that was not understood.
        word: String,
        /// What would have been.
        expected: &'static str,
    },
}

impl Error {
    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.0
    }
}
