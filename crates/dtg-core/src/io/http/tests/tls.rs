//! Whom TLS believes, what it remembers, and how it ends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, SystemTime};

use dtg_testkit::{Ending, Fault, Origin, Request as Asked, Response};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, Stream};

use super::url;
use crate::http_settings::{HttpSettings, RootCertificates, UnknownLength};
use crate::io::http::Http;
use crate::retry::Failure;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server's certificate, and who signed it.
struct Shown {
    ca_pem: String,
    config: Arc<ServerConfig>,
}

/// A certificate for this name that ends so many days from now, or ended before.
#[expect(clippy::disallowed_methods, reason = "a certificate is valid in real time")]
fn shown(name: &str, days_left: i32) -> Shown {
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = (now - 30 * DAY).into();
    let away = DAY * days_left.unsigned_abs();
    params.not_after = if days_left < 0 { now - away } else { now + away }.into();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &ca).unwrap().der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    Shown { ca_pem: ca.pem(), config: Arc::new(config) }
}

/// A server that answers one request a connection and then ends it; it tells how each handshake went.
fn serve(config: Arc<ServerConfig>) -> (String, Receiver<Option<HandshakeKind>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut session, &mut socket);
            let asked = stream.read(&mut [0; 4096]);
            if asked.is_ok() {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere");
            }
            let kind = session.handshake_kind();
            session.send_close_notify();
            let _ = session.write_tls(&mut socket);
            let _ = socket.shutdown(Shutdown::Write);
            if tell.send(kind).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn trusting(ca_pem: &str) -> Http {
    let roots = RootCertificates::Given(vec![ca_pem.as_bytes().to_vec()]);
    Http::new(HttpSettings { roots, ..HttpSettings::default() }, 1).unwrap()
}

/// What a request of this server comes to for who trusts its CA.
fn come_to(shown: &Shown) -> Result<usize, &'static str> {
    let (target, _told) = serve(Arc::clone(&shown.config));
    let target = url(&target);
    let text = trusting(&shown.ca_pem).text(&target, &target, 1 << 20);
    text.map(|text| text.bytes.len()).map_err(|error| {
        assert_eq!(error.failure(), Failure::Refused, "it is not asked again: {error}");
        error.code()
    })
}

#[test]
fn a_certificate_that_is_not_to_be_believed_is_told_and_not_tried_again() {
    assert_eq!(come_to(&shown("127.0.0.1", 5)), Ok(4));
    assert_eq!(come_to(&shown("127.0.0.1", -1)), Err("certificate"), "it has expired");
    assert_eq!(come_to(&shown("other.test", 5)), Err("certificate"), "it is another's");
    let (one, other) = (shown("127.0.0.1", 5), shown("127.0.0.1", 5));
    assert_eq!(
        come_to(&Shown { ca_pem: other.ca_pem, ..one }),
        Err("certificate"),
        "nobody knows who signed it"
    );
}

#[test]
fn the_platform_does_not_trust_a_ca_of_a_test() {
    let shown = shown("127.0.0.1", 5);
    let (target, _told) = serve(shown.config);
    let target = url(&target);
    let wary = Http::new(HttpSettings::default(), 1).unwrap();
    assert_eq!(wary.text(&target, &target, 1 << 20).unwrap_err().code(), "certificate");
}

#[test]
fn a_second_connection_takes_up_the_first_ones_tls_session() {
    let shown = shown("127.0.0.1", 5);
    let (target, told) = serve(shown.config);
    let (http, target) = (trusting(&shown.ca_pem), url(&target));
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
        assert_eq!(http.text(&target, &target, 1 << 20).unwrap().bytes, b"here");
        assert_eq!(told.recv().unwrap(), Some(expected));
    }
}

#[test]
fn a_tls_connection_that_is_cut_without_its_farewell_is_no_end_of_a_body() {
    let origin = Origin::start_tls(|_: &Asked| Response::ok(vec![7; 1000])).unwrap();
    let cut = |ending| Fault::All(vec![Fault::CloseDelimited, Fault::Cut { after: 600, ending }]);
    origin.fault(cut(Ending::BareFin).on("/bare"));
    origin.fault(Fault::CloseDelimited.on("/sound"));
    let roots = RootCertificates::Given(vec![origin.ca_pem().unwrap().as_bytes().to_vec()]);
    let unknown_length = UnknownLength::Allowed;
    let http = Http::new(HttpSettings { roots, unknown_length, ..HttpSettings::default() }, 1).unwrap();
    let text = |path| {
        let target = url(&origin.url(path));
        http.text(&target, &target, 1 << 20).map(|text| text.bytes.len()).map_err(|error| error.code())
    };
    assert_eq!(text("/sound"), Ok(1000));
    assert_eq!(text("/bare"), Err("unreachable"));
}
