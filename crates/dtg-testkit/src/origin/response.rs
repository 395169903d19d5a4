//! What a site answers, before faults and ranges.

use super::{Body, Headers};

/// A whole answer: status, headers, body.
///
/// The origin adds `Content-Length`, and makes 206, 304 and 416 of a 200 where the request asks for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header lines, without those that say where the body ends.
    pub headers: Headers,
    /// The whole body; the origin cuts ranges out of it.
    pub body: Body,
}

impl Response {
    /// 200 with this body.
    #[must_use]
    pub fn ok(body: impl Into<Body>) -> Self {
        Self { status: 200, headers: Headers::default(), body: body.into() }
    }

    /// This status, with a line of text as its body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let body = match status {
            204 | 304 => Body::default(),
            _ => format!("{status} {}\n", reason(status)).into(),
        };
        Self { status, ..Self::ok(body) }.content_type("text/plain")
    }

    /// A redirect with this status and `Location`.
    #[must_use]
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::status(status).header("Location", location)
    }

    /// With this header instead of any of the same name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// With this media type.
    #[must_use]
    pub fn content_type(self, media_type: impl Into<String>) -> Self {
        self.header("Content-Type", media_type)
    }

    /// With this strong entity tag; the quotes are added.
    #[must_use]
    pub fn etag(self, tag: &str) -> Self {
        self.header("ETag", format!("\"{tag}\""))
    }

    /// With this date, already in the form of RFC 9110 section 5.6.7.
    #[must_use]
    pub fn last_modified(self, date: impl Into<String>) -> Self {
        self.header("Last-Modified", date)
    }
}

pub(super) const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Status",
    }
}
