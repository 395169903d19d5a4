//! What an application may add to a request before it is sent.

use std::error::Error;
use std::fmt;

use crate::error::public_part;
use crate::resource::Role;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestRole {
    /// A playlist (a manifest).
    Playlist,
    /// A file that a playlist refers to (a chunk), or a sidecar.
    Chunk(Role),
}

/// A request before it is sent: an address, and headers in order.
///
/// `Debug` shows the address without its query, and of the headers the names only.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestParts {
    /// What it is for.
    pub role: RequestRole,
    /// The address; http or https.
    pub url: String,
    /// Header names and values. They go to this address's origin, and no redirect carries them to another one.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for RequestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RequestParts")
            .field("role", &self.role)
            .field("url", &public_part(&self.url))
            .field("headers", &names)
            .finish()
    }
}

/// Completes requests: a token in the address, a header of the application's own.
///
/// Adapters run in their order, on a download thread, before each request (also one that is tried again) and
/// not again for its redirects. Headers that say how much is asked for, or how it is framed, can't be added
/// (`Range`, `If-Range`, `Accept-Encoding`, `Host`, `Connection`, `Content-Length`, `Transfer-Encoding`).
pub trait RequestAdapter: Send + Sync {
    /// Changes the request, or says why it can't be made.
    ///
    /// # Errors
    /// The request fails with [`ErrorKind::Adapter`](crate::ErrorKind::Adapter), as it does when this panics.
    fn adapt(&self, request: &mut RequestParts) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl<F> RequestAdapter for F
where
    F: Fn(&mut RequestParts) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync,
{
    fn adapt(&self, request: &mut RequestParts) -> Result<(), Box<dyn Error + Send + Sync>> {
        self(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_token() {
        let parts = RequestParts {
            role: RequestRole::Playlist,
            url: "https://user:pass@cdn.test/m.m3u8?token=secret".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer secret".to_owned())],
        };
        let shown = format!("{parts:?}");
        assert!(shown.contains("https://cdn.test/m.m3u8") && shown.contains("Authorization"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("pass"), "{shown}");
    }
}
