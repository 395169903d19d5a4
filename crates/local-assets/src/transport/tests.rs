//! License requests over real sockets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dtg_testkit::{Ending, Fault, Origin, Request, Response, RetryAfter};

use super::*;

fn transport(settings: TransportSettings) -> HttpsTransport {
    HttpsTransport::new(settings).unwrap()
}

/// Answers with the request: method, target, headers by name, body.
fn echo(request: &Request) -> Response {
    let header = |name: &str| request.header(name).unwrap_or("-").to_owned();
    let (kind, token) = (header("content-type"), header("authorization"));
    let body = String::from_utf8_lossy(&request.body).into_owned();
    Response::ok(format!("{} {} {kind} {token} {body}", request.method, request.target))
}

fn request(url: &str) -> HttpRequest {
    let mut request = HttpRequest::post(url, b"spc".to_vec()).unwrap();
    request.set_header("Content-Type", "application/octet-stream").unwrap();
    request.set_header("Authorization", "t0ken").unwrap();
    request
}

fn send(url: &str) -> Result<(u16, String), TransportError> {
    send_with(TransportSettings::default(), url)
}

fn send_with(settings: TransportSettings, url: &str) -> Result<(u16, String), TransportError> {
    let answer = transport(settings).send(&request(url), &Cancel::new())?;
    Ok((answer.status, String::from_utf8_lossy(answer.body.expose()).into_owned()))
}

const ECHOED: &str = "application/octet-stream t0ken spc";

#[test]
fn a_request_is_sent_as_it_was_built_and_any_status_is_an_answer() {
    let origin = Origin::start(echo).unwrap();
    assert_eq!(send(&origin.url("/fps?a=%2B")), Ok((200, format!("POST /fps?a=%2B {ECHOED}"))));
    for status in [204, 400, 401, 403, 429, 500, 503] {
        origin.fault(Fault::Status { status, retry_after: Some(RetryAfter::Seconds(7)) });
        let answer =
            transport(TransportSettings::default()).send(&request(&origin.url("/")), &Cancel::new()).unwrap();
        assert_eq!((answer.status, answer.header("Retry-After")), (status, Some("7")));
        origin.clear_faults();
    }
}

#[test]
fn plain_http_leads_to_loopback_only_unless_it_is_allowed() {
    for url in
        ["http://192.0.2.1/l", "http://h.test/l", "http://localhost.test/l", "http://127.0.0.1.h.test/"]
    {
        assert_eq!(send(url), Err(TransportError::Insecure), "{url}");
    }
    let anywhere = TransportSettings {
        plain_http: PlainHttp::Anywhere,
        connect_timeout: Duration::from_millis(1),
        ..TransportSettings::default()
    };
    assert_ne!(send_with(anywhere, "http://192.0.2.1/l"), Err(TransportError::Insecure));
}

#[test]
fn an_answer_that_leads_to_another_origin_is_not_followed() {
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let other = Origin::start(move |request: &Request| {
        *count.lock().unwrap() += 1;
        echo(request)
    })
    .unwrap();
    let origin = Origin::start(echo).unwrap();
    for status in [301, 302, 303, 307, 308] {
        origin.fault(Fault::Redirect { status, location: other.url("/steal?token=canary") });
        let refused = TransportError::Redirected { status, to: other.url("/steal") };
        assert_eq!(send(&origin.url("/")), Err(refused));
        origin.clear_faults();
    }
    assert_eq!(*seen.lock().unwrap(), 0);
}

#[test]
fn only_redirects_that_keep_the_request_are_followed_within_the_origin() {
    let origin = Origin::start(echo).unwrap();
    for status in [307, 308] {
        origin.fault(Fault::Redirect { status, location: "/new".to_owned() }.on("/old"));
        assert_eq!(send(&origin.url("/old")), Ok((200, format!("POST /new {ECHOED}"))));
        origin.clear_faults();
    }
    for status in [301, 302, 303] {
        origin.fault(Fault::Redirect { status, location: "/new".to_owned() }.on("/old"));
        assert!(matches!(send(&origin.url("/old")), Err(TransportError::Redirected { .. })), "{status}");
        origin.clear_faults();
    }
    origin.fault(Fault::RedirectLoop);
    assert!(matches!(send(&origin.url("/")), Err(TransportError::Redirected { .. })));
}

#[test]
fn a_request_whose_answer_breaks_off_is_not_sent_again() {
    for ending in [Ending::Fin, Ending::Reset] {
        let origin = Origin::start(echo).unwrap();
        origin.fault(Fault::NoAnswer(ending));
        assert!(matches!(send(&origin.url("/")), Err(TransportError::Unreachable(_))));
        origin.clear_faults();
        origin.fault(Fault::Cut { after: 3, ending });
        assert!(matches!(send(&origin.url("/")), Err(TransportError::Unreachable(_))));
        assert_eq!(origin.requests().len(), 2);
    }
}

#[test]
fn no_connection_is_used_twice() {
    let origin = Origin::start(echo).unwrap();
    let transport = transport(TransportSettings::default());
    for _ in 0..3 {
        transport.send(&request(&origin.url("/")), &Cancel::new()).unwrap();
    }
    let connections: Vec<u64> = origin.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 3]);
}

#[test]
fn an_answer_is_bounded_compressed_or_not() {
    let settings = || TransportSettings { longest_answer: 1000, ..TransportSettings::default() };
    let origin = Origin::start(|_: &Request| Response::ok(vec![b'x'; 1000])).unwrap();
    assert_eq!(send_with(settings(), &origin.url("/")).map(|(_, body)| body.len()), Ok(1000));
    origin.fault(Fault::Gzip);
    assert_eq!(send_with(settings(), &origin.url("/")).map(|(_, body)| body), Ok("x".repeat(1000)));
    origin.clear_faults();
    for fault in [Fault::GzipBomb(1 << 30), Fault::Endless] {
        origin.fault(fault);
        assert_eq!(send_with(settings(), &origin.url("/")), Err(TransportError::TooLarge(1000)));
        origin.clear_faults();
    }
    let origin = Origin::start(|_: &Request| Response::ok(vec![b'x'; 1001])).unwrap();
    assert_eq!(send_with(settings(), &origin.url("/")), Err(TransportError::TooLarge(1000)));
}

#[test]
fn a_server_that_takes_too_long_is_given_up_and_a_cancelled_call_returns_at_once() {
    let origin = Origin::start(echo).unwrap();
    let hold = origin.hold(|_| true);
    let hasty = TransportSettings { timeout: Duration::from_millis(50), ..TransportSettings::default() };
    assert_eq!(send_with(hasty, &origin.url("/")), Err(TransportError::TimedOut));
    let cancel = Cancel::new();
    let url = origin.url("/");
    std::thread::scope(|scope| {
        let call = scope.spawn(|| transport(TransportSettings::default()).send(&request(&url), &cancel));
        hold.wait_for(1);
        cancel.cancel();
        assert_eq!(call.join().unwrap(), Err(TransportError::Cancelled));
    });
    hold.release();
}

#[test]
fn nobody_there_is_unreachable() {
    let origin = Origin::start(echo).unwrap();
    let url = origin.url("/");
    origin.stop();
    assert!(matches!(send(&url), Err(TransportError::Unreachable(_))));
}

#[test]
fn a_server_has_to_have_a_trusted_certificate() {
    let origin = Origin::start_tls(echo).unwrap();
    let refused = send(&origin.url("/"));
    assert!(matches!(refused, Err(TransportError::Tls(_))), "{refused:?}");
    let roots = origin.ca_pem().map(|pem| pem.as_bytes().to_vec());
    let trusting = TransportSettings { roots, ..TransportSettings::default() };
    assert_eq!(send_with(trusting, &origin.url("/a")), Ok((200, format!("POST /a {ECHOED}"))));
    let none = TransportSettings { roots: Some(b"none".to_vec()), ..TransportSettings::default() };
    assert!(HttpsTransport::new(none).is_err());
}

#[test]
fn a_certificate_is_fetched_with_get() {
    let origin = Origin::start(echo).unwrap();
    let request = HttpRequest::get(&origin.url("/certificate")).unwrap();
    let answer = transport(TransportSettings::default()).send(&request, &Cancel::new()).unwrap();
    assert_eq!(answer.body.expose(), b"GET /certificate - - ");
}
