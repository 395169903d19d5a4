//! What the fuzz targets reach of the inside; no part of the API.

use super::range::{self, Wanted};
use super::request::NoRequest;
use super::{Request, Response};

/// The request that these bytes are: its head, and the body that it announces.
///
/// # Errors
/// The status that says what is wrong with it; `None` when it only ends too early.
pub fn request(mut bytes: &[u8]) -> Result<Request, Option<u16>> {
    let read = Request::read_head(&mut bytes).and_then(|mut request| {
        request.read_body(&mut bytes)?;
        Ok(request)
    });
    read.map_err(|why| match why {
        NoRequest::Ended => None,
        NoRequest::Refused(status) => Some(status),
    })
}

/// The status of the answer to a request, and which bytes of the response's body it has, both ends
/// included.
#[must_use]
pub fn wanted(request: &Request, response: &Response) -> (u16, Option<(u64, u64)>) {
    match range::wanted(request, response) {
        Wanted::Whole => (response.status, None),
        Wanted::Part(first, last) => (206, Some((first, last))),
        Wanted::Unsatisfiable => (416, None),
        Wanted::NotModified => (304, None),
    }
}
