//! One request, as it came.

use std::io::{self, BufRead, Read};

use super::Headers;

const HEAD_LIMIT: u64 = 256 * 1024;
const BODY_LIMIT: u64 = 16 * 1024 * 1024;

/// A request as a site or a predicate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `HEAD`, `POST`, ... as sent.
    pub method: String,
    /// The request line's target, nothing decoded: path and query.
    pub target: String,
    /// The header lines.
    pub headers: Headers,
    /// The body; at most 16 MiB.
    pub body: Vec<u8>,
    /// The number of the connection it came on, from 1.
    pub connection: u64,
    /// Its number among all requests of this origin, from 1.
    pub number: u64,
    pub(super) http_1_0: bool,
}

/// Why there is no request to answer.
#[derive(Debug)]
pub(super) enum NoRequest {
    /// The client is done, or gone.
    Ended,
    /// This status says what is wrong; the connection ends after it.
    Refused(u16),
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> Self {
        Self::Ended
    }
}

impl Request {
    /// A GET as a client would send it, to try a site without a socket.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            target: target.into(),
            headers: Headers::default(),
            body: Vec::new(),
            connection: 1,
            number: 1,
            http_1_0: false,
        }
    }

    /// The target up to its query, nothing decoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The target's query, nothing decoded.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Whether the client means to send another request on this connection.
    pub(super) fn keeps_alive(&self) -> bool {
        match self.http_1_0 {
            true => self.headers.lists("connection", "keep-alive"),
            false => !self.headers.lists("connection", "close"),
        }
    }

    /// Reads a head; the body is read by [`Request::read_body`].
    pub(super) fn read_head(reader: &mut impl BufRead) -> Result<Self, NoRequest> {
        let mut reader = reader.take(HEAD_LIMIT);
        let mut first = read_line(&mut reader)?;
        if first.is_empty() {
            first = read_line(&mut reader)?; // RFC 9112 section 2.2: a stray empty line before a request
        }
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(NoRequest::Refused(400));
        };
        let http_1_0 = match version {
            "HTTP/1.1" => false,
            "HTTP/1.0" => true,
            _ => return Err(NoRequest::Refused(505)),
        };
        let mut request = Self { method: method.to_owned(), http_1_0, ..Self::get(origin_form(target)) };
        loop {
            let line = read_line(&mut reader)?;
            if line.is_empty() {
                return Ok(request);
            }
            let (name, value) = line.split_once(':').ok_or(NoRequest::Refused(400))?;
            request.headers.add(name, value.trim());
        }
    }

    /// Whether the client waits for `100 Continue` before it sends its body.
    pub(super) fn expects_continue(&self) -> bool {
        self.headers.lists("expect", "100-continue")
    }

    /// Reads the body that the head announces.
    pub(super) fn read_body(&mut self, reader: &mut impl BufRead) -> Result<(), NoRequest> {
        if self.headers.lists("transfer-encoding", "chunked") {
            self.body = read_chunked(reader)?;
            return Ok(());
        }
        let Some(length) = self.headers.get("content-length") else { return Ok(()) };
        let length: u64 = length.parse().map_err(|_| NoRequest::Refused(400))?;
        read_exactly(reader, length, &mut self.body)
    }
}

/// The absolute form (as sent to a proxy) reduced to path and query.
fn origin_form(target: &str) -> String {
    let Some((_, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else {
        return target.to_owned();
    };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned()
}

fn read_line(reader: &mut impl BufRead) -> Result<String, NoRequest> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => {}
        Some(_) => return Err(NoRequest::Refused(431)), // the limit, or a client that left half way
        None => return Err(NoRequest::Ended),
    }
    line.pop_if(|last| *last == b'\r');
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn read_exactly(reader: &mut impl BufRead, length: u64, into: &mut Vec<u8>) -> Result<(), NoRequest> {
    let before = into.len() as u64;
    if before.saturating_add(length) > BODY_LIMIT {
        return Err(NoRequest::Refused(413));
    }
    reader.take(length).read_to_end(into)?;
    match into.len() as u64 == before + length {
        true => Ok(()),
        false => Err(NoRequest::Ended),
    }
}

fn read_chunked(reader: &mut impl BufRead) -> Result<Vec<u8>, NoRequest> {
    let mut body = Vec::new();
    loop {
        let line = read_line(&mut reader.take(HEAD_LIMIT))?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| NoRequest::Refused(400))?;
        if size == 0 {
            break;
        }
        read_exactly(reader, size, &mut body)?;
        read_line(&mut reader.take(HEAD_LIMIT))?;
    }
    let mut trailer = reader.take(HEAD_LIMIT);
    while !read_line(&mut trailer)?.is_empty() {}
    Ok(body)
}
