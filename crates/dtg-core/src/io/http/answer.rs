//! What the head of an answer says: status, framing, range, validator, encoding, when to come again.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use flate2::read::MultiGzDecoder;
use ureq::http::header::{self, HeaderMap, HeaderName};
use ureq::http::response::Parts;
use ureq::http::{Response, Version};
use ureq::{Body, BodyReader};
use url::Url;

use crate::error::{BadAnswer, Error};
use crate::io::connect;

/// A server that asks for a longer pause is taken to mean this one.
const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A date of change is a strong validator when it lies so far before the answer's own date that no
/// second change can hide in it (RFC 9110, 8.8.2.2, asks for a second between clocks that agree).
const SETTLED: Duration = Duration::from_secs(60);

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The URL after redirects.
    pub(crate) url: String,
    /// Of the body as it is read: decoded.
    pub(crate) framing: Framing,
    pub(crate) content_range: Option<String>,
    /// A strong validator of the bytes as they are read: an ETag with its quotes, or a settled date of change.
    pub(crate) validator: Option<String>,
    /// The media type without parameters, in lower case.
    pub(crate) mime_type: Option<String>,
    /// How long the server asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    encoding: Encoding,
    /// Of the body as it comes.
    wire_framing: Framing,
    body: Body,
}

/// How the end of a body can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// The end is marked (chunked, or by the encoding).
    Marked,
    /// Only by the connection's end: a cut can't be told from it.
    Unknown,
}

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
}

/// A body as it is stored.
pub(crate) enum Decoded<'a> {
    Plain(Whole<'a>),
    Gzip(Box<MultiGzDecoder<Whole<'a>>>),
}

/// A body whose end is an error where it is not the one that the server meant.
pub(crate) struct Whole<'a> {
    body: BodyReader<'a>,
    framing: Framing,
    within_tls: bool,
}

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        let may_be_cut = read == 0 && !buffer.is_empty() && self.framing == Framing::Unknown;
        if may_be_cut && !connect::ended_in_order(self.within_tls) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(body) => body.read(buffer),
            Self::Gzip(body) => body.read(buffer),
        }
    }
}

impl Answer {
    /// The answer in this response of `url`. An error when it is in an encoding that is not undone, or in
    /// several parts.
    pub(super) fn new(url: Url, response: Response<Body>, now: SystemTime) -> Result<Self, Error> {
        let (head, body) = response.into_parts();
        let headers = &head.headers;
        let mime_type = text(headers, header::CONTENT_TYPE).map(|value| media_type(&value));
        let encoding = encoding(&head)?;
        let wire_framing = framing(&head);
        let (framing, validator) = match (encoding, wire_framing) {
            (Encoding::Identity, framing) => (framing, strong_validator(headers)),
            // The length and the validator are those of the encoded bytes.
            (Encoding::Gzip, Framing::Length(_) | Framing::Marked) => (Framing::Marked, None),
            (Encoding::Gzip, Framing::Unknown) => (Framing::Unknown, None),
        };
        if head.status.as_u16() == 206 && mime_type.as_deref() == Some("multipart/byteranges") {
            return Err(BadAnswer::Multipart.into_error());
        }
        Ok(Self {
            status: head.status.as_u16(),
            url: url.into(),
            framing,
            content_range: text(headers, header::CONTENT_RANGE),
            validator,
            mime_type,
            retry_after: retry_after(headers, now),
            encoding,
            wire_framing,
            body,
        })
    }

    pub(crate) fn reader(&mut self) -> Decoded<'_> {
        let (framing, within_tls) = (self.wire_framing, self.url.starts_with("https:"));
        let body = Whole { body: self.body.as_reader(), framing, within_tls };
        match self.encoding {
            Encoding::Identity => Decoded::Plain(body),
            Encoding::Gzip => Decoded::Gzip(Box::new(MultiGzDecoder::new(body))),
        }
    }
}

pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Gzip is undone whether it was asked for or not, except of a part: it would be a part of the encoded bytes.
fn encoding(head: &Parts) -> Result<Encoding, Error> {
    // A transfer coding that was not asked for (TE) is not undone either.
    let odd = codings(&head.headers).find(|it| !["chunked", "identity", ""].contains(&it.as_str()));
    if let Some(odd) = odd.filter(|_| head.status.is_success() && head.version != Version::HTTP_10) {
        return Err(BadAnswer::Encoding(odd).into_error());
    }
    let named = text(&head.headers, header::CONTENT_ENCODING).unwrap_or_default();
    match named.to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" if head.status.as_u16() == 200 => Ok(Encoding::Gzip),
        _ if !head.status.is_success() => Ok(Encoding::Identity),
        _ => Err(BadAnswer::Encoding(named).into_error()),
    }
}

/// The transfer codings, in lower case.
fn codings(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|it| it.trim().to_ascii_lowercase())
}

/// As ureq reads it: chunked before Content-Length, and neither in HTTP/1.0 by a header it does not know.
fn framing(head: &Parts) -> Framing {
    let is_chunked = codings(&head.headers).any(|it| it == "chunked");
    let length = text(&head.headers, header::CONTENT_LENGTH).and_then(|value| value.trim().parse().ok());
    match length {
        _ if is_chunked && head.version != Version::HTTP_10 => Framing::Marked,
        Some(length) => Framing::Length(length),
        None => Framing::Unknown,
    }
}

/// What stands for exactly these bytes: a strong ETag or, where there is none at all, a settled date of change.
fn strong_validator(headers: &HeaderMap) -> Option<String> {
    match text(headers, header::ETAG) {
        Some(tag) => Some(tag).filter(|tag| tag.starts_with('"')),
        None => {
            let changed = text(headers, header::LAST_MODIFIED)?;
            let answered = date(headers, header::DATE)?;
            let age = answered.duration_since(httpdate::parse_http_date(&changed).ok()?).ok()?;
            (age >= SETTLED).then_some(changed)
        }
    }
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(&text(headers, name)?).ok()
}

/// `Retry-After` (RFC 9110, 10.2.3) in seconds, or as a date by the server's own clock where it shows it.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER)?;
    let value = value.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let pause = if is_number {
        // A number that is too large for anything is a long pause too.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = date(headers, header::DATE).unwrap_or(now);
        until.duration_since(now).unwrap_or_default()
    };
    Some(pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    fn head(headers: &[(&'static str, &'static str)]) -> Parts {
        let (mut head, ()) = Response::new(()).into_parts();
        for (name, value) in headers {
            head.headers.append(*name, HeaderValue::from_static(value));
        }
        head
    }

    #[track_caller]
    fn check_framing(headers: &[(&'static str, &'static str)], expected: Framing) {
        assert_eq!(framing(&head(headers)), expected, "{headers:?}");
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

    #[test]
    fn a_transfer_coding_that_was_not_asked_for_is_refused() {
        let read = |value| encoding(&head(&[("transfer-encoding", value)])).map_err(|error| error.code());
        for known in ["chunked", "Chunked", "identity", "chunked, chunked", ""] {
            assert_eq!(read(known), Ok(Encoding::Identity), "{known}");
        }
        for odd in ["gzip, chunked", "deflate", "x"] {
            assert_eq!(read(odd), Err("bad-answer"), "{odd}");
        }
    }

    #[track_caller]
    fn check_validator(headers: &[(&'static str, &'static str)], expected: Option<&str>) {
        assert_eq!(strong_validator(&head(headers).headers).as_deref(), expected, "{headers:?}");
    }

    #[test]
    fn a_strong_etag_stands_for_the_bytes_and_a_weak_one_does_not() {
        check_validator(&[("etag", "\"v1\"")], Some("\"v1\""));
        check_validator(&[("etag", "W/\"v1\"")], None);
        check_validator(&[("etag", "v1")], None);
        check_validator(&[], None);
    }

    #[test]
    fn a_date_of_change_stands_for_the_bytes_once_it_is_a_minute_old_and_nothing_says_it_is_weak() {
        const OLD: (&str, &str) = ("last-modified", "Sun, 06 Nov 1994 08:48:37 GMT");
        const NOW: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        check_validator(&[OLD, NOW], Some(OLD.1));
        check_validator(&[("last-modified", "Sun, 06 Nov 1994 08:48:38 GMT"), NOW], None);
        check_validator(&[("last-modified", "Sun, 06 Nov 1995 08:48:38 GMT"), NOW], None);
        check_validator(&[OLD], None);
        check_validator(&[OLD, NOW, ("etag", "W/\"v1\"")], None);
        check_validator(&[("last-modified", "yesterday"), NOW], None);
    }

    #[track_caller]
    fn check_pause(headers: &[(&'static str, &'static str)], expected: Option<u64>) {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(retry_after(&head(headers).headers, now).map(|pause| pause.as_secs()), expected);
    }

    #[test]
    fn the_pause_a_server_asks_for_is_read_in_seconds_and_as_a_date() {
        check_pause(&[("retry-after", "120")], Some(120));
        check_pause(&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], Some(10));
        check_pause(&[("retry-after", "Sun, 06 Nov 1994 08:49:27 GMT")], Some(0));
        let by_its_clock =
            [("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"), ("date", "Sun, 06 Nov 1994 08:49:40 GMT")];
        check_pause(&by_its_clock, Some(7));
        check_pause(&[("retry-after", "99999999999")], Some(LONGEST_PAUSE.as_secs()));
        check_pause(&[("retry-after", "99999999999999999999999")], Some(LONGEST_PAUSE.as_secs()));
        check_pause(&[("retry-after", "soon")], None);
        check_pause(&[("retry-after", "")], None);
        check_pause(&[("retry-after", "0.5")], None);
        check_pause(&[("retry-after", "-1")], None);
        check_pause(&[], None);
    }
}
