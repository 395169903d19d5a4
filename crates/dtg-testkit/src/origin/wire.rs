//! Site, ranges and faults made into one value: exactly what goes over the wire, and when.
#![expect(clippy::wildcard_enum_match_arm, reason = "each step looks for the few faults that concern it")]

use std::time::{Duration, SystemTime};

use super::range::{Wanted, wanted};
use super::response::reason;
use super::site::etag_of;
use super::{Body, Ending, Fault, Request, Response, Site, gzip, media_type};

const BOUNDARY: &str = "the-boundary-of-parts";

/// One answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) status: u16,
    /// Status line and headers, the empty line included.
    pub(super) head: String,
    pub(super) body: Body,
    pub(super) framing: Framing,
    pub(super) pace: Pace,
    pub(super) cut: Option<(u64, Ending)>,
    /// Whether the connection ends after it.
    pub(super) close: bool,
}

/// How the client learns where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none: HEAD, 204, 304.
    NoBody,
    Length,
    Chunked,
    ChunkedNoEnd,
    Endless,
    UntilClose,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    pub(super) before_head: Duration,
    pub(super) drip: Option<Duration>,
    /// Bytes of the body between two waits, and the wait.
    pub(super) gaps: Option<(u64, Duration)>,
    pub(super) bytes_per_second: Option<u64>,
}

/// The answer of `site` to `request`, the `nth` of its path, with these faults; or the end without one.
pub(super) fn answer(
    site: &dyn Site,
    request: &Request,
    nth: u64,
    faults: &[Fault],
    now: SystemTime,
) -> Result<Wire, Ending> {
    let silent = faults.iter().find_map(|fault| match fault {
        Fault::NoAnswer(ending) => Some(*ending),
        _ => None,
    });
    if let Some(ending) = silent {
        return Err(ending);
    }
    let instead = faults.iter().find_map(|fault| instead(fault, request, now));
    let mut response = match instead {
        Some(response) => response,
        None if faults.iter().any(|fault| matches!(fault, Fault::RedirectChain(_))) => {
            site.respond(&after_hops(request))
        }
        None => site.respond(request),
    };
    for fault in faults {
        response = changed(fault, request, nth, response);
    }
    let response = sliced(faults, request, response);
    Ok(framed(faults, request, response))
}

/// What some faults answer in the site's place.
fn instead(fault: &Fault, request: &Request, now: SystemTime) -> Option<Response> {
    match fault {
        Fault::Status { status, retry_after: None } => Some(Response::status(*status)),
        Fault::Status { status, retry_after: Some(retry_after) } => {
            Some(Response::status(*status).header("Retry-After", retry_after.value(now)))
        }
        Fault::Html => {
            let page = "<!DOCTYPE html>\n<html><body>Sign in to this network</body></html>\n";
            Some(Response::ok(page).content_type("text/html"))
        }
        Fault::Empty => Some(Response::ok("").content_type(media_type(request.path()))),
        Fault::Redirect { status, location } if location.is_empty() => Some(Response::status(*status)),
        Fault::Redirect { status, location } => {
            Some(Response::redirect(*status, location.replace("{target}", &request.target)))
        }
        Fault::RedirectLoop => Some(Response::redirect(302, request.target.clone())),
        Fault::RedirectChain(hops) => next_hop(request, *hops),
        Fault::GzipBomb(length) => {
            let bomb = Response::ok(gzip::bomb(*length)).header("Content-Encoding", "gzip");
            Some(bomb.content_type(media_type(request.path())))
        }
        _ => None,
    }
}

const HOPS: &str = "hops-left=";

/// The redirect to one hop less; `None` after the last.
fn next_hop(request: &Request, hops: u32) -> Option<Response> {
    let (base, left) = match request.target.rsplit_once(HOPS) {
        Some((base, left)) => (base.to_owned(), left.parse().unwrap_or_default()),
        None => (request.target.clone() + if request.query().is_some() { "&" } else { "?" }, hops),
    };
    Some(Response::redirect(302, format!("{base}{HOPS}{}", left.checked_sub(1)?)))
}

/// The request without the count of its redirects, which only the fault knows.
fn after_hops(request: &Request) -> Request {
    let target = request.target.rsplit_once(HOPS).map(|(base, _)| base.trim_end_matches(['?', '&']));
    Request { target: target.unwrap_or(&request.target).to_owned(), ..request.clone() }
}

/// The faults that give the site's answer another representation.
fn changed(fault: &Fault, request: &Request, nth: u64, response: Response) -> Response {
    if response.status != 200 {
        return response;
    }
    match fault {
        Fault::FreshEtag => response.etag(&format!("version-{nth}")),
        Fault::WeakEtag => match response.headers.get("etag").map(|tag| format!("W/{tag}")) {
            Some(tag) => response.header("ETag", tag),
            None => response,
        },
        Fault::NoValidator => without(without(response, "etag"), "last-modified"),
        Fault::Grow(by) => {
            let more = Body::made(by.saturating_mul(nth - 1), |_, buffer| buffer.fill(b'+'));
            Response { body: response.body.clone().then(more), ..response }
        }
        Fault::Gzip => zipped(response),
        Fault::GzipIfAsked if request.headers.lists("accept-encoding", "gzip") => zipped(response),
        _ => response,
    }
}

fn without(mut response: Response, name: &str) -> Response {
    response.headers.remove(name);
    response
}

/// The same in gzip: other bytes, so another strong ETag.
fn zipped(response: Response) -> Response {
    let Ok(bytes) = response.body.read() else { return Response::status(500) };
    let bytes = gzip::stored(&bytes);
    let tag = response.headers.get("etag").is_some().then(|| etag_of(&bytes));
    let zipped = Response { body: bytes.into(), ..response }.header("Content-Encoding", "gzip");
    let zipped = zipped.header("Vary", "Accept-Encoding");
    match tag {
        Some(tag) => zipped.etag(&tag),
        None => zipped,
    }
}

/// The 206, 304 or 416 that the request asks for, or that a fault makes of it.
fn sliced(faults: &[Fault], request: &Request, response: Response) -> Response {
    let length = response.body.len();
    let ranged = response.status == 200 && request.header("range").is_some();
    if ranged && faults.contains(&Fault::RangeNotSatisfiable) {
        return unsatisfiable(response, length);
    }
    match wanted(request, &response) {
        Wanted::Part(..) if faults.contains(&Fault::IgnoreRange) => response,
        Wanted::Part(first, last) => {
            let (first, last) =
                faults.iter().fold((first, last), |range, fault| shifted(fault, range, length));
            let multipart = faults.contains(&Fault::Multipart);
            let part = part(response, first, last);
            if multipart { in_parts(part) } else { part }
        }
        Wanted::NotModified => Response { status: 304, body: Body::default(), ..response },
        Wanted::Unsatisfiable => unsatisfiable(response, length),
        Wanted::Whole if response.status == 200 => response.header("Accept-Ranges", "bytes"),
        Wanted::Whole => response,
    }
}

fn unsatisfiable(response: Response, length: u64) -> Response {
    let refusal = Response::status(416).header("Content-Range", format!("bytes */{length}"));
    match response.headers.get("etag") {
        Some(tag) => refusal.header("ETag", tag),
        None => refusal,
    }
}

fn shifted(fault: &Fault, (first, last): (u64, u64), length: u64) -> (u64, u64) {
    let Fault::OtherRange(by) = fault else { return (first, last) };
    let shift = |at: u64| at.saturating_add_signed(*by).min(length.saturating_sub(1));
    (shift(first), shift(last))
}

fn part(response: Response, first: u64, last: u64) -> Response {
    let range = format!("bytes {first}-{last}/{}", response.body.len());
    let body = response.body.slice(first, last - first + 1);
    Response { status: 206, body, ..response }.header("Content-Range", range)
}

fn in_parts(part: Response) -> Response {
    let media_type = part.headers.get("content-type").unwrap_or("application/octet-stream");
    let range = part.headers.get("content-range").unwrap_or_default();
    let head = format!("--{BOUNDARY}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n");
    let body = Body::from(head).then(part.body.clone()).then(format!("\r\n--{BOUNDARY}--\r\n").as_str());
    let part = Response { body, ..without(part, "content-range") };
    part.content_type(format!("multipart/byteranges; boundary={BOUNDARY}"))
}

/// Framing, pace and end; then the head.
fn framed(faults: &[Fault], request: &Request, mut response: Response) -> Wire {
    let framing = framing(faults, request, response.status);
    let mut close = !request.keeps_alive()
        || matches!(framing, Framing::ChunkedNoEnd | Framing::Endless | Framing::UntilClose);
    if framing == Framing::Endless && response.body.is_empty() {
        response.body = "\n".into(); // a chunk of nothing would end it
    }
    let cuts = faults.iter().filter_map(|fault| match fault {
        Fault::Cut { after, ending } => Some((*after, *ending)),
        _ => None,
    });
    let cut = cuts.min_by_key(|(after, _)| *after);
    match framing_header(faults, request, &response, framing) {
        Some((name, value)) => response.headers.set(name, value),
        None => response.headers.remove("content-length"),
    }
    for fault in faults {
        let (name, value) = match fault {
            Fault::LengthOff(_) => {
                close = true;
                continue;
            }
            Fault::Header { name, value } => {
                response.headers.remove(name);
                (name, value)
            }
            Fault::ExtraHeader { name, value } => (name, value),
            _ => continue,
        };
        close |= ["content-length", "transfer-encoding"].iter().any(|it| name.eq_ignore_ascii_case(it));
        response.headers.add(name.clone(), value.clone());
    }
    if close {
        response.headers.set("Connection", "close");
    } else if request.http_1_0 {
        response.headers.set("Connection", "keep-alive");
    }
    let head = head(&response);
    Wire { status: response.status, head, body: response.body, framing, pace: pace(faults), cut, close }
}

fn framing(faults: &[Fault], request: &Request, status: u16) -> Framing {
    if request.method == "HEAD" || matches!(status, 204 | 304) {
        return Framing::NoBody;
    }
    let chosen = faults.iter().rev().find_map(|fault| match fault {
        Fault::Chunked => Some(Framing::Chunked),
        Fault::ChunkedNoEnd => Some(Framing::ChunkedNoEnd),
        Fault::Endless => Some(Framing::Endless),
        Fault::CloseDelimited => Some(Framing::UntilClose),
        _ => None,
    });
    let framing = chosen.unwrap_or(Framing::Length);
    // RFC 9112 section 6.1: no transfer coding for HTTP/1.0
    if framing == Framing::Chunked && request.http_1_0 { Framing::UntilClose } else { framing }
}

fn framing_header(
    faults: &[Fault],
    request: &Request,
    response: &Response,
    framing: Framing,
) -> Option<(&'static str, String)> {
    let off = faults.iter().fold(0_i64, |sum, fault| match fault {
        Fault::LengthOff(by) => sum.saturating_add(*by),
        _ => sum,
    });
    let length = || Some(("Content-Length", response.body.len().saturating_add_signed(off).to_string()));
    match framing {
        Framing::NoBody if request.method == "HEAD" => length(),
        Framing::NoBody | Framing::UntilClose => None,
        Framing::Length => length(),
        Framing::Chunked | Framing::ChunkedNoEnd | Framing::Endless => {
            Some(("Transfer-Encoding", "chunked".to_owned()))
        }
    }
}

fn pace(faults: &[Fault]) -> Pace {
    let mut pace = Pace::default();
    for fault in faults {
        match fault {
            Fault::DelayHead(delay) => pace.before_head += *delay,
            Fault::DelayBody { every, delay } => pace.gaps = Some((*every.max(&1), *delay)),
            Fault::Throttle { bytes_per_second } => pace.bytes_per_second = Some(*bytes_per_second.max(&1)),
            Fault::Drip(delay) => {
                pace.drip = Some(*delay);
                pace.gaps = Some((1, *delay));
            }
            _ => {}
        }
    }
    pace
}

/// Line breaks in a value become spaces: a header can't end the head.
fn head(response: &Response) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in response.headers.iter() {
        let value = value.replace(['\r', '\n'], " ");
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}
