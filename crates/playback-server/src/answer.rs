//! One request to one answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use crate::access::Access;
use crate::address::Address;
use crate::library::{Found, Library};
use crate::token::Token;

/// What is read of a file at once.
const CHUNK: usize = 512 * 1024;

/// What every request is answered from.
pub(crate) struct Desk {
    pub(crate) library: Arc<dyn Library>,
    pub(crate) token: Token,
    pub(crate) access: Access,
}

impl Desk {
    /// The answer, with the headers that every answer has.
    pub(crate) async fn answer(self: Arc<Self>, request: Request) -> Response {
        let origin = self.access.allowed_origin(request.headers());
        let found = match self.admit(&request) {
            Ok((id, names)) => self.find(id, names).await.ok_or(StatusCode::NOT_FOUND),
            Err(status) => Err(status),
        };
        let mut response = match found {
            Ok(found) => send(found, request).await,
            Err(status) => plain(status),
        };
        protect(response.headers_mut(), origin);
        response
    }

    /// The id and the names of a file that the request may ask for, whether they exist or not.
    fn admit(&self, request: &Request) -> Result<(String, Vec<String>), StatusCode> {
        if !self.access.admits(request.uri(), request.headers()) {
            return Err(StatusCode::FORBIDDEN);
        }
        let address = Address::parse(request.uri().path()).filter(|address| self.token.is(address.token));
        let Address { id, names, .. } = address.ok_or(StatusCode::NOT_FOUND)?;
        match *request.method() {
            Method::GET | Method::HEAD => Ok((id, names)),
            _ => Err(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    /// Asks the library and the disk, on a thread that may wait. A library that panics has nothing.
    async fn find(self: Arc<Self>, id: String, names: Vec<String>) -> Option<Found> {
        let found = tokio::task::spawn_blocking(move || self.library.open(&id)?.find(&names));
        found.await.ok().flatten()
    }
}

async fn send(found: Found, request: Request) -> Response {
    let Found { path, media_type } = found;
    let service = ServeFile::new(&path).with_buf_chunk_size(CHUNK).ignore_multi_range_requests(true);
    let request = continuable(&service, request).await;
    let Ok(response) = service.oneshot(request).await;
    let mut response = response.map(Body::new);
    match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            response
        }
        StatusCode::NOT_MODIFIED | StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE => {
            response
        }
        _ => plain(StatusCode::NOT_FOUND), // gone between the look and the opening
    }
}

/// The request without its range, where `If-Range` names another version (RFC 9110 section 13.1.5).
async fn continuable(service: &ServeFile, mut request: Request) -> Request {
    let Some(condition) = request.headers_mut().remove(header::IF_RANGE) else { return request };
    let mut look = Request::new(Body::empty());
    *look.method_mut() = Method::HEAD;
    let Ok(current) = service.clone().oneshot(look).await;
    let validator = match condition.as_bytes().starts_with(b"\"") {
        true => current.headers().get(header::ETAG),
        false => current.headers().get(header::LAST_MODIFIED),
    };
    if validator != Some(&condition) {
        request.headers_mut().remove(header::RANGE);
    }
    request
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(match status {
        StatusCode::FORBIDDEN => "forbidden\n",
        StatusCode::METHOD_NOT_ALLOWED => "method not allowed\n",
        _ => "not found\n",
    }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// No guessing of types, no token in a referrer, no stale copy; other web origins only where they are allowed.
fn protect(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else {
        headers.insert(resource_policy, HeaderValue::from_static("same-origin"));
        return;
    };
    let exposed = HeaderValue::from_static("content-length, content-range, etag");
    headers.insert(resource_policy, HeaderValue::from_static("cross-origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}
