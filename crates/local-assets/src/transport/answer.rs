//! Answers, whole and not too long.

use std::io::{self, Read};

use fairplay_keys::{HttpResponse, SecretBytes, TransportError};
use flate2::read::GzDecoder;
use ureq::Body;
use ureq::http::Response;

/// Reads an answer; one in gzip is decompressed, up to the limit.
pub(super) fn read(response: Response<Body>, limit: u64) -> Result<HttpResponse, TransportError> {
    let status = response.status().as_u16();
    let of = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
        value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
    };
    let headers: Vec<(String, String)> = response.headers().iter().filter_map(of).collect();
    let is =
        |(name, value): &(String, String)| name == "content-encoding" && value.eq_ignore_ascii_case("gzip");
    let is_gzip = headers.iter().any(is);
    let mut reader = response.into_body().into_reader();
    let body = match is_gzip {
        true => up_to(limit, &mut GzDecoder::new(&mut reader))?,
        false => up_to(limit, &mut reader)?,
    };
    Ok(HttpResponse { status, headers, body })
}

fn up_to(limit: u64, reader: &mut dyn Read) -> Result<SecretBytes, TransportError> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(TransportError::TooLarge(limit));
    }
    Ok(SecretBytes::new(bytes))
}

/// Why a request has no answer.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest says it in its own words")]
pub(super) fn failed(error: &ureq::Error) -> TransportError {
    match error {
        ureq::Error::Timeout(_) => TransportError::TimedOut,
        ureq::Error::Io(error) => broken(error),
        ureq::Error::HostNotFound => TransportError::Unreachable("the host name has no address".to_owned()),
        ureq::Error::Tls(why) => TransportError::Tls((*why).to_owned()),
        ureq::Error::Rustls(error) => TransportError::Tls(error.to_string()),
        other => TransportError::Unreachable(other.to_string()),
    }
}

/// ureq hands its own errors through readers, and TLS its own through sockets.
fn broken(error: &io::Error) -> TransportError {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        return failed(error);
    }
    let why = error.to_string();
    if error.kind() == io::ErrorKind::TimedOut {
        return TransportError::TimedOut;
    }
    if why.contains("certificate") { TransportError::Tls(why) } else { TransportError::Unreachable(why) }
}
