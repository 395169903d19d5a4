//! TLS for a connection, and the authority that a client under test is to trust.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

use super::pipe::{Agree, Layer};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A test CA and what the origin shows that it signed. There is one a process, so that a client that trusts
/// it trusts every origin.
pub(super) struct Authority {
    pub(super) pem: String,
    pub(super) der: Vec<u8>,
    config: Arc<ServerConfig>,
}

/// The authority of this process, made when it is first asked for.
pub(super) fn authority() -> io::Result<&'static Authority> {
    static AUTHORITY: LazyLock<Result<Authority, String>> =
        LazyLock::new(|| Authority::new().map_err(|error| error.to_string()));
    AUTHORITY.as_ref().map_err(|error| io::Error::other(error.as_str()))
}

impl Authority {
    fn new() -> Result<Self, Box<dyn Error>> {
        let mut params = valid(CertificateParams::default(), "CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let mut params = valid(CertificateParams::new(names)?, "origin");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &ca)?.der().clone();

        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = config.with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A client that leaves with tickets unread would reset the connection.
        config.send_tls13_tickets = 0;
        Ok(Self { pem: ca.pem(), der: ca.der().to_vec(), config: Arc::new(config) })
    }

    /// TLS for each new connection.
    pub(super) fn agree(&self) -> Box<Agree> {
        let config = Arc::clone(&self.config);
        Box::new(move |mut socket| {
            let mut session = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            session.complete_io(&mut socket)?;
            Ok(Box::new(session))
        })
    }
}

/// From yesterday and for less long than any platform allows.
#[expect(clippy::disallowed_methods, reason = "a certificate is valid in real time")]
fn valid(mut params: CertificateParams, role: &str) -> CertificateParams {
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + 365 * DAY).into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("dtg-testkit {role}"));
    params
}

impl Layer for ServerConnection {
    fn read(&mut self, mut socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        Stream::new(self, &mut socket).read(buffer)
    }

    // Not by rustls::Stream, which hides the error of a write until the next.
    fn write(&mut self, socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.writer().write(bytes)?;
        flush(self, socket)?;
        Ok(taken)
    }

    fn finish(&mut self, socket: &TcpStream) -> io::Result<()> {
        self.send_close_notify();
        flush(self, socket)
    }

    /// What comes is kept for [`Layer::read`]; after a whole request nothing more is read.
    fn peer_is_there(&mut self, mut socket: &TcpStream) -> bool {
        while self.wants_read() {
            match self.read_tls(&mut socket) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
            if !self.process_new_packets().is_ok_and(|state| !state.peer_has_closed()) {
                return false;
            }
        }
        true
    }
}

fn flush(session: &mut ServerConnection, mut socket: &TcpStream) -> io::Result<()> {
    while session.wants_write() {
        session.write_tls(&mut socket)?;
    }
    Ok(())
}
