//! HTTP as this crate needs it: one GET, its status, framing, validator and body.

use std::io::{self, Read};
use std::time::Duration;

use ureq::http::header::{self, HeaderMap};
use ureq::http::response::Parts;
use ureq::http::{Response, Version};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, BodyReader};
use url::Url;

use super::cancel;
use super::connect;
use crate::error::{BadAnswer, Error, ErrorKind};

/// Redirects that are followed for one request.
const REDIRECTS: u32 = 10;
/// The body of a redirect is read to its end if it is no longer.
const SMALL_BODY: u64 = 64 << 10;

/// How requests are made.
#[derive(Debug, Clone)]
pub(crate) struct HttpOptions {
    pub(crate) user_agent: String,
    pub(crate) connect_timeout: Duration,
    /// Longest wait for more bytes.
    pub(crate) read_timeout: Duration,
    /// Connections that are kept open to one host.
    pub(crate) connections: u16,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("dtg/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            connections: 16,
        }
    }
}

/// The HTTP client; cheap to clone, safe to share.
#[derive(Debug, Clone)]
pub(crate) struct Http(Agent);

/// What to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// A playlist: may come compressed.
    Text,
    /// A whole file, as it is.
    Whole,
    /// Bytes `first..=last` of a file, as they are; with a validator, only of that version.
    Range {
        /// First byte.
        first: u64,
        /// Last byte.
        last: u64,
        /// A strong validator.
        if_range: Option<&'a str>,
    },
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The URL after redirects.
    pub(crate) url: String,
    pub(crate) framing: Framing,
    pub(crate) content_range: Option<String>,
    /// A strong ETag.
    pub(crate) validator: Option<String>,
    /// The media type without parameters, in lower case.
    pub(crate) mime_type: Option<String>,
    body: Body,
}

/// How the end of a body can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// The end is marked (chunked).
    Marked,
    /// Only by the connection's end: a cut can't be told from it.
    Unknown,
}

impl Http {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        let connections = usize::from(options.connections.max(1));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Followed here, where schemes are judged and references resolved as everywhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(options.user_agent.as_str())
            .proxy(None)
            .timeout_connect(Some(options.connect_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .timeout_per_write(Some(options.read_timeout))
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .output_buffer_size(8 << 10)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .build();
        Self(connect::agent(config))
    }

    /// Sends one GET and waits for the answer's head. Any status is an answer.
    pub(crate) fn get(&self, url: &Url, ask: Ask<'_>) -> Result<Answer, Error> {
        self.follow(url, ask).map_err(|error| error.at(url.as_str()))
    }

    fn follow(&self, url: &Url, ask: Ask<'_>) -> Result<Answer, Error> {
        let mut target = url.clone();
        for _ in 0..=REDIRECTS {
            target.set_fragment(None);
            let mut response = self.send(&target, ask).map_err(|error| Error::new(refused(&error)))?;
            let headers = response.headers();
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return answer(target, response);
            }
            let location = text(headers, header::LOCATION).filter(|location| !location.is_empty());
            let next = location.and_then(|location| target.join(&location).ok());
            target = next.ok_or_else(|| BadAnswer::Location.into_error())?;
            if !matches!(target.scheme(), "http" | "https") {
                return Err(Error::new(ErrorKind::SchemeNotAllowed(target.scheme().to_owned())));
            }
            // Read to its end the connection can be used again; whatever this read meets concerns it only.
            let _ = io::copy(&mut response.body_mut().as_reader().take(SMALL_BODY), &mut io::sink());
        }
        Err(BadAnswer::Redirects(REDIRECTS).into_error())
    }

    fn send(&self, target: &Url, ask: Ask<'_>) -> Result<Response<Body>, ureq::Error> {
        let mut request = self.0.get(target.as_str());
        match ask {
            Ask::Text => {}
            Ask::Whole => request = request.header(header::ACCEPT_ENCODING, "identity"),
            Ask::Range { first, last, if_range } => {
                request = request
                    .header(header::ACCEPT_ENCODING, "identity")
                    .header(header::RANGE, format!("bytes={first}-{last}"));
                if let Some(validator) = if_range {
                    request = request.header(header::IF_RANGE, validator);
                }
            }
        }
        request.call()
    }

    /// Fetches a text of at most `limit` bytes; anything but status 200 is an error.
    pub(crate) fn text(&self, url: &Url, limit: u64) -> Result<Text, Error> {
        let mut answer = self.get(url, Ask::Text)?;
        let here = |error: Error| error.at(url.as_str());
        if answer.status != 200 {
            return Err(here(Error::new(ErrorKind::Status(answer.status))));
        }
        let mut bytes = Vec::new();
        let read = answer.reader().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| here(Error::new(broken(&error))))?;
        let got = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if got > limit {
            return Err(here(Error::new(ErrorKind::TooLarge(limit))));
        }
        match answer.framing {
            Framing::Length(expected) if got < expected => {
                Err(here(Error::new(BadAnswer::Truncated { got, expected }.into())))
            }
            Framing::Length(_) | Framing::Marked | Framing::Unknown => Ok(Text { url: answer.url, bytes }),
        }
    }
}

/// A fetched text.
#[derive(Debug)]
pub(crate) struct Text {
    /// The URL after redirects.
    pub(crate) url: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn reader(&mut self) -> BodyReader<'_> {
        self.body.as_reader()
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The answer in this response of `url`; one in an encoding that is not undone is refused.
fn answer(url: Url, response: Response<Body>) -> Result<Answer, Error> {
    let (head, body) = response.into_parts();
    // ureq undoes gzip, and then takes the header away.
    let encoding = text(&head.headers, header::CONTENT_ENCODING).unwrap_or_default();
    if head.status.is_success() && !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(BadAnswer::Encoding(encoding).into_error());
    }
    Ok(Answer {
        status: head.status.as_u16(),
        url: url.into(),
        framing: framing(&head),
        content_range: text(&head.headers, header::CONTENT_RANGE),
        validator: text(&head.headers, header::ETAG).filter(|tag| tag.starts_with('"')),
        mime_type: text(&head.headers, header::CONTENT_TYPE).map(|value| media_type(&value)),
        body,
    })
}

/// As ureq reads it: chunked before Content-Length, and neither in HTTP/1.0 by a header it does not know.
fn framing(head: &Parts) -> Framing {
    let codings =
        head.headers.get_all(header::TRANSFER_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let is_chunked =
        codings.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case("chunked"));
    let length = text(&head.headers, header::CONTENT_LENGTH).and_then(|value| value.trim().parse().ok());
    match length {
        _ if is_chunked && head.version != Version::HTTP_10 => Framing::Marked,
        Some(length) => Framing::Length(length),
        None => Framing::Unknown,
    }
}

/// What a failed call means.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest says it in its own words")]
fn refused(error: &ureq::Error) -> ErrorKind {
    if cancel::check().is_err() {
        return ErrorKind::Cancelled;
    }
    match error {
        ureq::Error::Io(error) => broken(error),
        ureq::Error::HostNotFound => ErrorKind::Unreachable("the host name has no address".to_owned()),
        ureq::Error::Timeout(which) => ErrorKind::Unreachable(format!("no answer in time ({which})")),
        other => ErrorKind::Unreachable(other.to_string()),
    }
}

/// What a failed read of a body means.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest says it in its own words")]
pub(crate) fn broken(error: &io::Error) -> ErrorKind {
    if cancel::check().is_err() {
        return ErrorKind::Cancelled;
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorKind::Unreachable("the connection was refused".to_owned()),
        io::ErrorKind::ConnectionReset => ErrorKind::Unreachable("the connection was reset".to_owned()),
        io::ErrorKind::UnexpectedEof => ErrorKind::Unreachable("the connection ended early".to_owned()),
        _ => ErrorKind::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check_framing(headers: &[(&'static str, &'static str)], expected: Framing) {
        let (mut head, ()) = Response::new(()).into_parts();
        for (name, value) in headers {
            head.headers.append(*name, HeaderValue::from_static(value));
        }
        assert_eq!(framing(&head), expected, "{headers:?}");
    }

    #[test]
    fn the_end_of_a_body_is_known_by_length_or_mark() {
        check_framing(&[("content-length", "17")], Framing::Length(17));
        check_framing(&[("transfer-encoding", "chunked")], Framing::Marked);
        check_framing(&[("transfer-encoding", "gzip, Chunked"), ("content-length", "17")], Framing::Marked);
        check_framing(&[("transfer-encoding", "identity")], Framing::Unknown);
        check_framing(&[("transfer-encoding", "gzip")], Framing::Unknown);
        check_framing(&[], Framing::Unknown);
        check_framing(&[("content-length", "-1")], Framing::Unknown);
    }
}
