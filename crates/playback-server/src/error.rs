//! Why a server could not be started.

use std::io;

/// A playback server could not be started.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] ErrorKind);

/// What to branch on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The port is taken, or none is free.
    #[error("127.0.0.1, port {port} cannot be listened on")]
    Bind {
        /// The port that was asked for; 0 is any free one.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no thread.
    #[error("the server's thread cannot be started")]
    Thread(#[source] io::Error),
    /// The system gives no random bytes for the token.
    #[error("no random bytes for the token: {0}")]
    Random(getrandom::Error),
    /// An allowed origin is not `scheme://host` or `scheme://host:port`.
    #[error("`{0}` is not a web origin such as https://player.example")]
    Origin(String),
}

impl Error {
    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.0
    }
}
