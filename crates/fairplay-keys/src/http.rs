//! HTTP as values: what is to be sent, what came back, and who carries it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error as ThisError;

use crate::secret::SecretBytes;
use crate::time::Cancel;

/// A request to a license service. `Debug` shows neither the query, nor headers' values, nor the body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: SecretBytes,
}

/// What to do at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Get something, as a certificate.
    Get,
    /// Send an SPC.
    Post,
}

/// Why a request cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum RequestFault {
    /// The address is neither http nor https.
    #[error("the address is neither http nor https")]
    Scheme,
    /// The address holds a space or a control character.
    #[error("the address holds a space or a control character")]
    Address,
    /// The key URI leads to a host that the application has not allowed.
    #[error("the key URI leads to `{}`, which is not among the allowed hosts", .0.escape_debug())]
    Host(String),
    /// A header's name is not one (RFC 9110, 5.6.2).
    #[error("`{}` is not the name of a header", .0.escape_debug())]
    HeaderName(String),
    /// A header's value holds a line break or another control character.
    #[error("the value of the header `{0}` holds a line break or another control character")]
    HeaderValue(String),
}

/// What a license service answered. `Debug` shows neither headers' values nor the body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: SecretBytes,
}

/// Sends requests of license services, and brings their answers, whatever their status.
///
/// A request holds an SPC, which is good for one exchange: it is sent once, never again by the transport's own decision.
/// What leads to another origin is not followed.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and waits for the whole answer, until `cancel` is cancelled.
    ///
    /// # Errors
    /// Why there is no answer.
    fn send(&self, request: &HttpRequest, cancel: &Cancel) -> Result<HttpResponse, TransportError>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum TransportError {
    /// The call was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The server took too long.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or one that broke off.
    #[error("{0}")]
    Unreachable(String),
    /// The certificate of the server is not trusted, or TLS failed otherwise.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The address is http, and not on this machine.
    #[error("licenses are asked for over https only")]
    Insecure,
    /// The answer leads elsewhere, where an SPC and credentials are not sent.
    #[error("the answer (status {status}) leads to {to}, where licenses are not asked for")]
    Redirected {
        /// The status.
        status: u16,
        /// Scheme, host, port and path of the other address.
        to: String,
    },
    /// The answer is longer than the limit.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
    /// The address cannot be used.
    #[error("not an address: {0}")]
    Address(String),
}

impl TransportError {
    /// Whether the same may go well another time.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Unreachable(_))
    }
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl HttpRequest {
    /// A POST of this body to this address, whose fragment is dropped.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn post(url: &str, body: impl Into<SecretBytes>) -> Result<Self, RequestFault> {
        Self::new(Method::Post, url, body.into())
    }

    /// A GET of this address, whose fragment is dropped.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn get(url: &str) -> Result<Self, RequestFault> {
        Self::new(Method::Get, url, SecretBytes::default())
    }

    fn new(method: Method, url: &str, body: SecretBytes) -> Result<Self, RequestFault> {
        let url = url.split('#').next().unwrap_or_default();
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(RequestFault::Scheme);
        }
        if url.chars().any(|letter| letter.is_control() || letter == ' ') {
            return Err(RequestFault::Address);
        }
        Ok(Self { method, url: url.to_owned(), headers: Vec::new(), body })
    }

    /// What to do.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The address; may hold tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Scheme, host, port and path of the address.
    #[must_use]
    pub fn shown_url(&self) -> String {
        shown(&self.url)
    }

    /// Header names and values, in order; each name once.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &SecretBytes {
        &self.body
    }

    /// Sets a header; one of the same name, in any letter case, is replaced: the last writer has it.
    ///
    /// # Errors
    /// [`RequestFault::HeaderName`] and [`RequestFault::HeaderValue`] for what would not be one header.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), RequestFault> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(RequestFault::HeaderName(name.to_owned()));
        }
        if value.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err(RequestFault::HeaderValue(name.to_owned()));
        }
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Sets an item of the query, at its end; items of this name that are there already are replaced.
    ///
    /// The value is percent-encoded; all other items keep their spelling.
    pub fn set_query(&mut self, name: &str, value: &str) {
        let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let kept = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
        let new = format!("{name}={}", percent_encoded(value));
        let pairs: Vec<&str> = kept.chain([new.as_str()]).collect();
        self.url = format!("{path}?{}", pairs.join("&"));
    }
}

impl HttpResponse {
    /// The value of a header, by its name in any letter case; the first, if there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The value as it stands in a query or a form: all but letters, digits and `-._~` percent-encoded.
pub(crate) fn percent_encoded(value: &str) -> String {
    utf8_percent_encode(value, UNRESERVED).to_string()
}

/// Scheme, host, port and path of an address: queries, fragments and user information may be secrets.
pub(crate) fn shown(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or_default())
}

fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.shown_url())
            .field("headers", &names(&self.headers))
            .field("body", &self.body)
            .finish()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &names(&self.headers))
            .field("body", &self.body)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(url: &str) -> HttpRequest {
        HttpRequest::post(url, b"canary".to_vec()).unwrap()
    }

    #[track_caller]
    fn check_query(url: &str, expected: &str) {
        let mut request = post(url);
        request.set_query("playSessionId", "a/b c");
        assert_eq!(request.url(), expected);
    }

    #[test]
    fn a_query_item_is_joined_rightly_and_never_doubled() {
        check_query("https://h.test/l", "https://h.test/l?playSessionId=a%2Fb%20c");
        check_query("https://h.test/l?", "https://h.test/l?playSessionId=a%2Fb%20c");
        check_query("https://h.test/l?x=%2B&", "https://h.test/l?x=%2B&playSessionId=a%2Fb%20c");
        check_query("https://h.test/l?x=1#frag", "https://h.test/l?x=1&playSessionId=a%2Fb%20c");
        check_query(
            "https://h.test/l?playSessionId=old&x=a=b",
            "https://h.test/l?x=a=b&playSessionId=a%2Fb%20c",
        );
    }

    #[test]
    fn a_header_set_twice_has_the_last_value() {
        let mut request = post("https://h.test/");
        request.set_header("Content-Type", "a").unwrap();
        request.set_header("content-type", "b").unwrap();
        assert_eq!(request.headers(), [("content-type".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn a_header_with_a_line_break_is_refused() {
        let mut request = post("https://h.test/");
        for value in ["a\r\nX: b", "a\nb", "a\0b"] {
            assert_eq!(request.set_header("X", value), Err(RequestFault::HeaderValue("X".to_owned())));
        }
        for name in ["", "X: a\r\nY", "X Y", "Ü"] {
            assert_eq!(request.set_header(name, "a"), Err(RequestFault::HeaderName(name.to_owned())));
        }
        assert!(request.headers().is_empty());
    }

    #[test]
    fn an_address_that_is_not_http_or_not_one_line_is_refused() {
        let refused = |url: &str| HttpRequest::post(url, Vec::new()).unwrap_err();
        assert_eq!(refused("file:///etc/passwd"), RequestFault::Scheme);
        assert_eq!(refused("skd://a"), RequestFault::Scheme);
        assert_eq!(refused(""), RequestFault::Scheme);
        assert_eq!(refused("https://h.test/a b"), RequestFault::Address);
        assert_eq!(refused("https://h.test/a\r\nHost: x"), RequestFault::Address);
    }

    #[test]
    fn debug_shows_neither_query_nor_values_nor_body() {
        let mut request = post("https://u:canary@h.test/l?token=canary");
        request.set_header("Authorization", "canary").unwrap();
        let shown = format!("{request:?}");
        assert!(!shown.contains("canary") && shown.contains("https://h.test/l"), "{shown}");
        let response = HttpResponse {
            status: 200,
            headers: vec![("X".to_owned(), "canary".to_owned())],
            body: SecretBytes::new(*b"canary"),
        };
        assert!(!format!("{response:?}").contains("canary"));
        assert_eq!(response.header("x"), Some("canary"));
    }
}
