//! The same over TLS, to a client that trusts the CA.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{TEXT, big, connect, eventually, rest};
use crate::{Body, Fault, Memory, Origin, Request, Response, rules};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn misbehaving(fault: &str) -> Origin {
    let files: Memory = [("/a.ts", TEXT.to_vec()), ("/big", big())].into_iter().collect();
    let origin = Origin::start_tls(files).unwrap();
    rules(fault).unwrap().into_iter().for_each(|rule| origin.fault(rule));
    origin
}

/// A ureq agent that trusts the origin's CA and no other.
fn agent(origin: &Origin) -> ureq::Agent {
    let ca = Certificate::from_pem(origin.ca_pem().unwrap().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[ca])).build();
    ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().into()
}

fn read(origin: &Origin, target: &str) -> Result<Vec<u8>, ureq::Error> {
    agent(origin).get(origin.url(target)).call()?.body_mut().read_to_vec()
}

/// Sends a GET over a bare TLS stream; nothing is read.
fn send(origin: &Origin, target: &str) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(origin.ca_der().unwrap())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(config, name).unwrap(), connect(origin));
    write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

/// Everything that comes, and how it ends: `Ok` is in order.
fn all(mut stream: Tls) -> (String, Result<(), std::io::ErrorKind>) {
    let mut all = Vec::new();
    let ended = stream.read_to_end(&mut all);
    (String::from_utf8_lossy(&all).into_owned(), ended.map(drop).map_err(|error| error.kind()))
}

#[test]
fn a_client_that_trusts_the_ca_is_served_under_both_names() {
    let origin = misbehaving("");
    let agent = agent(&origin);
    for host in ["127.0.0.1", "localhost"] {
        let url = origin.url("/a.ts").replace("127.0.0.1", host);
        assert!(url.starts_with(&format!("https://{host}:")), "{url}");
        let mut response = agent.get(url).header("Range", "bytes=2-5").call().unwrap();
        assert_eq!(
            (response.status().as_u16(), response.body_mut().read_to_vec().unwrap()),
            (206, b"2345".to_vec())
        );
    }
    assert!(origin.requests().iter().all(|record| record.finished && record.body_sent == 4));
}

#[test]
fn one_ca_is_for_all_origins_of_the_process_and_none_for_those_without_tls() {
    let (one, other) = (misbehaving(""), misbehaving(""));
    assert_eq!(one.ca_pem(), other.ca_pem());
    assert!(one.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(super::origin().ca_pem(), None);
    assert_eq!(super::origin().ca_der(), None);
}

#[test]
fn a_client_that_does_not_trust_it_sends_no_request() {
    let origin = misbehaving("");
    assert!(ureq::get(origin.url("/a.ts")).call().is_err());
    let mut plain = connect(&origin);
    write!(plain, "GET /a.ts HTTP/1.1\r\n\r\n").unwrap();
    let (answer, _) = rest(plain);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(origin.requests().is_empty());
    assert_eq!(read(&origin, "/a.ts").unwrap(), TEXT, "it lives on");
}

#[test]
fn bodies_from_memory_files_and_functions_come_whole() {
    let folder = camino_tempfile::tempdir().unwrap();
    let path = folder.path().join("big");
    std::fs::write(&path, big()).unwrap();
    let origin = Origin::start_tls(move |request: &Request| match request.path() {
        "/file" => Response::ok(Body::file(&path).unwrap()),
        "/made" => Response::ok(Body::made(1_000_000, |_, buffer| buffer.fill(7))),
        _ => Response::ok(big()),
    });
    let origin = origin.unwrap();
    assert!(read(&origin, "/file").unwrap() == big());
    assert!(read(&origin, "/memory").unwrap() == big());
    assert!(read(&origin, "/made").unwrap() == vec![7; 1_000_000]);
}

#[test]
fn a_cut_ends_with_a_close_notify_a_bare_fin_or_a_reset() {
    #[track_caller]
    fn check(fault: &str, expected: Result<(), std::io::ErrorKind>) {
        let origin = misbehaving(fault);
        let (answer, ended) = all(send(&origin, "/a.ts"));
        assert_eq!(ended, expected, "{fault}: {answer}");
        let whole = expected == Err(std::io::ErrorKind::ConnectionReset) || answer.ends_with("\r\n\r\n0123");
        assert!(whole, "{fault}: {answer}");
        origin.stop();
        assert_eq!((origin.requests()[0].body_sent, origin.requests()[0].finished), (4, false));
    }
    check("cut=4", Ok(()));
    check("cut=4,bare", Err(std::io::ErrorKind::UnexpectedEof));
    check("cut=4,reset", Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn a_connection_can_end_without_an_answer() {
    assert_eq!(all(send(&misbehaving("gone=fin"), "/a.ts")), (String::new(), Ok(())));
    let reset = Err(std::io::ErrorKind::ConnectionReset);
    assert_eq!(all(send(&misbehaving("gone=reset"), "/a.ts")), (String::new(), reset));
}

#[test]
fn lengths_lie_and_frames_end_as_they_do_without_tls() {
    #[track_caller]
    fn check(fault: &str, part: &str, body: &str) {
        let (answer, ended) = all(send(&misbehaving(fault), "/a.ts"));
        assert!(answer.contains(part) && answer.ends_with(&format!("\r\n\r\n{body}")), "{fault}: {answer}");
        assert_eq!(ended, Ok(()));
    }
    check("length=+10", "Content-Length: 20\r\n", "0123456789");
    check("length=-3", "Content-Length: 7\r\n", "0123456789");
    check("unended", "Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n");
    check("close", "Connection: close\r\n", "0123456789");
    check("status=503,7", "Retry-After: 7\r\n", "503 Service Unavailable\n");
    for lie in ["length=+10", "unended", "cut=4", "cut=4,reset"] {
        assert!(read(&misbehaving(lie), "/a.ts").is_err(), "{lie}");
    }
    let mut bytes = Vec::new();
    let gzip = read(&misbehaving("gzip"), "/big").unwrap();
    flate2::read::GzDecoder::new(gzip.as_slice()).read_to_end(&mut bytes).unwrap();
    assert!(bytes == big());
    assert_eq!(read(&misbehaving("hops=2"), "/a.ts").unwrap(), TEXT);
}

#[test]
fn slow_answers_are_whole() {
    for slow in ["drip=1ms", "delay=1ms+gaps=3,1ms", "rate=1000"] {
        assert_eq!(read(&misbehaving(slow), "/a.ts").unwrap(), TEXT, "{slow}");
    }
}

#[test]
fn holds_and_delays_wait_and_notice_a_client_that_leaves() {
    let origin = misbehaving("");
    let hold = origin.hold(|_| true);
    let (mut leaving, staying) = (send(&origin, "/a.ts"), send(&origin, "/a.ts"));
    hold.wait_for(2);
    leaving.conn.send_close_notify(); // what the server sees of a client that ends in order
    leaving.flush().unwrap();
    eventually(|| hold.waiting() == 1);
    drop(leaving);
    hold.release();
    assert!(all(staying).0.ends_with("0123456789"));

    origin.fault(Fault::DelayHead(std::time::Duration::from_secs(3600)).on("/big"));
    let delayed = send(&origin, "/big");
    eventually(|| origin.requests().len() == 3);
    origin.stop();
    assert_eq!(all(delayed).0, "");
}

#[test]
fn a_connection_is_kept_alive_through_a_hold() {
    let origin = misbehaving("");
    let agent = agent(&origin);
    let get = || agent.get(origin.url("/a.ts")).call().unwrap().body_mut().read_to_vec().unwrap();
    let hold = origin.hold(|_| true);
    std::thread::scope(|scope| {
        let held = scope.spawn(get);
        hold.wait_for(1);
        hold.release();
        assert_eq!(held.join().unwrap(), TEXT);
    });
    assert_eq!(get(), TEXT);
    assert!(origin.requests().iter().all(|record| record.connection == 1), "{:?}", origin.requests());
}
