//! Which bytes a request asks for, and on what condition (RFC 9110 sections 13 and 14).

use super::{Request, Response};

/// What of a 200 is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    /// These bytes, both ends included.
    Part(u64, u64),
    Unsatisfiable,
    NotModified,
}

/// Judges `If-None-Match`, `If-Modified-Since`, `Range` and `If-Range`; several ranges count as none.
pub(super) fn wanted(request: &Request, response: &Response) -> Wanted {
    if response.status != 200 || !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Wanted::Whole;
    }
    if unchanged(request, response) {
        return Wanted::NotModified;
    }
    if request.method != "GET" || !may_be_partial(request, response) {
        return Wanted::Whole;
    }
    request.header("range").map_or(Wanted::Whole, |range| slice(range, response.body.len()))
}

/// Dates are compared as text: a client gives back the one it was given.
fn unchanged(request: &Request, response: &Response) -> bool {
    if let Some(tags) = request.header("if-none-match") {
        let Some(current) = response.headers.get("etag") else { return false };
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        return tags.trim() == "*" || tags.split(',').any(|tag| weak(tag) == weak(current));
    }
    let since = request.header("if-modified-since");
    since.is_some() && since == response.headers.get("last-modified")
}

/// `If-Range` needs a strong match.
fn may_be_partial(request: &Request, response: &Response) -> bool {
    match request.header("if-range") {
        None => true,
        Some(tag) if tag.starts_with('"') => response.headers.get("etag") == Some(tag),
        Some(tag) if tag.starts_with("W/") => false,
        Some(date) => response.headers.get("last-modified") == Some(date),
    }
}

fn slice(range: &str, length: u64) -> Wanted {
    let Some((first, last)) = parse(range) else { return Wanted::Whole };
    match (first, last) {
        (Some(first), Some(last)) if last < first => Wanted::Whole, // not valid, so ignored
        (Some(first), _) if first >= length => Wanted::Unsatisfiable,
        (Some(first), last) => Wanted::Part(first, last.unwrap_or(u64::MAX).min(length - 1)),
        (None, Some(0)) => Wanted::Unsatisfiable,
        (None, Some(_)) if length == 0 => Wanted::Unsatisfiable,
        (None, Some(suffix)) => Wanted::Part(length.saturating_sub(suffix), length - 1),
        (None, None) => Wanted::Whole,
    }
}

/// The two numbers of one range, where it is one.
fn parse(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    let number = |text: &str| match text {
        "" => Some(None),
        digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    unit.eq_ignore_ascii_case("bytes").then_some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: Wanted) {
        let mut request = Request::get("/x");
        headers.iter().for_each(|(name, value)| request.headers.add(*name, *value));
        let response = Response::ok("0123456789").etag("v1").last_modified("Sun, 22 Nov 2026 00:00:00 GMT");
        assert_eq!(wanted(&request, &response), expected, "{headers:?}");
    }

    #[test]
    fn a_range_is_what_it_says_within_the_body() {
        for (range, first, last) in [("0-0", 0, 0), ("2-5", 2, 5), ("7-", 7, 9), ("-3", 7, 9), ("8-99", 8, 9)]
        {
            check(&[("Range", &format!("bytes={range}"))], Wanted::Part(first, last));
        }
        check(&[("Range", "bytes=0-99999999999999999999999")], Wanted::Part(0, 9));
    }

    #[test]
    fn a_range_behind_the_end_cannot_be_satisfied() {
        check(&[("Range", "bytes=10-")], Wanted::Unsatisfiable);
        check(&[("Range", "bytes=-0")], Wanted::Unsatisfiable);
    }

    #[test]
    fn what_is_not_one_valid_range_is_ignored() {
        for range in
            ["bytes=5-2", "bytes=1-2,4-5", "lines=1-2", "bytes=", "bytes=a-b", "bytes=-", "bytes=+1-2"]
        {
            check(&[("Range", range)], Wanted::Whole);
        }
    }

    #[test]
    fn if_range_lets_only_the_same_version_be_continued() {
        let range = ("Range", "bytes=2-5");
        check(&[range, ("If-Range", "\"v1\"")], Wanted::Part(2, 5));
        check(&[range, ("If-Range", "\"v2\"")], Wanted::Whole);
        check(&[range, ("If-Range", "W/\"v1\"")], Wanted::Whole);
        check(&[range, ("If-Range", "Sun, 22 Nov 2026 00:00:00 GMT")], Wanted::Part(2, 5));
        check(&[range, ("If-Range", "Mon, 23 Nov 2026 00:00:00 GMT")], Wanted::Whole);
    }

    #[test]
    fn a_client_that_has_it_already_is_told_so() {
        check(&[("If-None-Match", "\"v0\", W/\"v1\"")], Wanted::NotModified);
        check(&[("If-None-Match", "*")], Wanted::NotModified);
        check(&[("If-None-Match", "\"v0\"")], Wanted::Whole);
        check(&[("If-Modified-Since", "Sun, 22 Nov 2026 00:00:00 GMT")], Wanted::NotModified);
    }
}
