//! An answer that does not fit its request.

use thiserror::Error;

use super::ErrorKind;

/// How an answer is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadAnswer {
    /// The body ended early.
    #[error("the body ended after {got} of {expected} bytes")]
    Truncated {
        /// Bytes that came.
        got: u64,
        /// Bytes that were announced or asked for.
        expected: u64,
    },
    /// The body has no announced end, so that a cut can't be told from the end.
    #[error("the answer does not say how long it is")]
    UnknownLength,
    /// The body is encoded in a way that is not undone, and was not asked for.
    #[error("the answer is encoded by `{0}`, which was not asked for")]
    Encoding(String),
    /// More redirects one after another than are followed.
    #[error("more than {0} redirects")]
    Redirects(u32),
    /// A redirect without a place to go to.
    #[error("a redirect that leads nowhere")]
    Location,
    /// A part of the answer is empty where bytes are needed.
    #[error("the answer is empty")]
    Empty,
    /// A web page, or a message in JSON, came where media was asked for.
    #[error("a web page or a message came instead of media")]
    WebPage,
    /// The range in the answer is not the range that was asked for.
    #[error("the answer's range `{0}` is not the one asked for")]
    WrongRange(String),
    /// The range lies outside the file.
    #[error("the file has {0} bytes, fewer than the playlist says")]
    OutOfRange(u64),
    /// A content key has the wrong length.
    #[error("a content key of {got} bytes, where {needed} are needed")]
    KeyLength {
        /// Bytes that came.
        got: u64,
        /// Bytes that its method needs: 16, or 32 for AES-256.
        needed: u64,
    },
    /// A range came in several parts (multipart/byteranges), where one was asked for.
    #[error("the answer comes in several parts, where one was asked for")]
    Multipart,
    /// The file is longer than is allowed.
    #[error("the file is longer than {0} bytes")]
    TooLong(u64),
    /// A redirect of a content key's request away from TLS.
    #[error("a redirect leads a key's request from https to http")]
    Downgrade,
    /// The file changed on the server between two requests.
    #[error("the file changed on the server while it was downloaded")]
    Changed,
    /// A `data:` URI that can't be decoded.
    #[error("a data URI that can't be decoded")]
    DataUri,
}

impl From<BadAnswer> for ErrorKind {
    fn from(answer: BadAnswer) -> Self {
        Self::BadAnswer(answer)
    }
}
