//! Requests of any bytes, and ranges of any numbers: answered with bytes that are there, or not at all.
//!
//! An input is a request, a border, and `LENGTH ETAG DATE` of the file that is asked for. The request's
//! `Range` is also read as a `Content-Range`.
#![no_main]

use dtg_core::fuzzing::content_range;
use dtg_testkit::fuzzing::{request, wanted};
use dtg_testkit::{Body, Request, Response};
use fuzz::{parts, words};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let parts = parts(input);
    let request = match request(parts[0]) {
        Ok(request) => request,
        Err(status) => {
            assert!(status.is_none_or(|status| matches!(status, 400 | 413 | 431 | 505)), "{status:?}");
            return;
        }
    };
    let (length, response) = response(parts.get(1).copied().unwrap_or_default());
    let (status, part) = wanted(&request, &response);
    assert_eq!(status == 206, part.is_some());
    if let Some((first, last)) = part {
        assert!(first <= last && last < length, "{first}-{last} of {length}");
        check_part(&request, &response);
        check_content_range(&format!("bytes {first}-{last}/{length}"));
        // A client that asks for exactly these bytes gets them.
        let mut exact = request.clone();
        exact.headers.set("Range", format!("bytes={first}-{last}"));
        assert_eq!(wanted(&exact, &response), (206, part));
    }
    if status == 416 {
        assert!(request.header("range").is_some());
    }
    if let Some(range) = request.header("range") {
        check_content_range(range);
    }
});

fn response(part: &[u8]) -> (u64, Response) {
    let words = words(part);
    let length = words.first().and_then(|word| word.parse().ok()).unwrap_or(10);
    let mut response = Response::ok(Body::made(length, |_, _| {}));
    if let Some(tag) = words.get(1) {
        response = response.header("ETag", *tag);
    }
    if let Some(date) = words.get(2) {
        response = response.last_modified(*date);
    }
    (length, response)
}

/// A part goes only to a GET that asks for one, of the version that there is.
fn check_part(request: &Request, response: &Response) {
    assert_eq!(request.method, "GET");
    assert!(request.header("range").is_some());
    if let Some(version) = request.header("if-range") {
        let known = [response.headers.get("etag"), response.headers.get("last-modified")];
        assert!(known.contains(&Some(version)) && !version.starts_with("W/"), "{version}");
    }
}

/// What is read of a `Content-Range` is all that it says.
fn check_content_range(value: &str) {
    let Some((first, last, total)) = content_range(value) else { return };
    assert!(first <= last && total.is_none_or(|total| last < total), "{value}");
    let shown = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    let again = content_range(&format!("bytes {first}-{last}/{shown}"));
    assert_eq!(again, Some((first, last, total)));
}
