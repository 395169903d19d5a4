//! HTTP as this crate needs it: one GET through redirects, and its answer.

mod answer;
mod hop;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ureq::http::Response;
use ureq::http::header;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};
use url::Url;

use super::connect::{self, Dial, system_dial};
use super::names::{Lookup, Names, system_lookup};
use super::pace::Pace;
use super::{cancel, reach};
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::http_settings::{HttpSettings, RootCertificates};
use crate::request::RequestRole;
pub(crate) use answer::{Answer, Framing};
use hop::Hop;

/// Redirects that are followed for one request.
const REDIRECTS: u32 = 10;
/// The body of a redirect is read to its end if it is no longer, and comes this soon.
const SMALL_BODY: u64 = 64 << 10;
const SOON: Duration = Duration::from_secs(1);
/// Bytes of a text that are read at a time.
const CHUNK: usize = 64 << 10;

/// The HTTP client; cheap to clone, safe to share.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    agent: Agent,
    names: Names,
    settings: Arc<HttpSettings>,
}

/// One GET.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) url: &'a Url,
    pub(crate) ask: Ask<'a>,
    pub(crate) role: RequestRole,
    /// The presentation's own URL: whether it is on a public address says how far it may reach.
    pub(crate) home: &'a Url,
}

/// How much to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// A playlist: may come compressed.
    Text,
    /// A whole file, as it is.
    Whole,
    /// Bytes of a file, as they are; with a validator, only of that version.
    Range {
        /// First byte.
        first: u64,
        /// Last byte; `None`: to the file's end.
        last: Option<u64>,
        /// A strong validator.
        if_range: Option<&'a str>,
    },
}

/// Over which connection a request may go.
#[derive(Debug, Clone, Copy)]
enum Connection {
    /// An idle one, where there is one.
    Any,
    /// One that is made for it.
    New,
}

impl Http {
    /// A client that keeps at most `connections` idle. Fails for a proxy or certificates that make no sense.
    pub(crate) fn new(settings: HttpSettings, connections: u16) -> Result<Self, Error> {
        Self::over(settings, connections, Arc::new(system_lookup), Arc::new(system_dial))
    }

    /// A client over another lookup and another way to connect.
    pub(crate) fn over(
        settings: HttpSettings,
        connections: u16,
        lookup: Arc<Lookup>,
        dial: Arc<Dial>,
    ) -> Result<Self, Error> {
        let connections = usize::from(connections.max(1));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Followed here, where schemes are judged and references resolved as everywhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(settings.user_agent.as_str())
            .proxy(proxy(settings.proxy.as_deref())?)
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_per_read(Some(settings.read_timeout))
            .timeout_per_write(Some(settings.read_timeout))
            // A head that comes byte by byte comes in time, or not at all.
            .timeout_recv_response(Some(settings.read_timeout))
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .output_buffer_size(8 << 10)
            .tls_config(TlsConfig::builder().root_certs(roots(&settings.roots)?).build())
            .build();
        let names = Names::new(lookup, settings.connect_timeout);
        let agent = connect::agent(config, names.clone(), dial);
        Ok(Self { agent, names, settings: Arc::new(settings) })
    }

    /// How requests are made.
    pub(crate) fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// Sends one GET and waits for the answer's head. Any status is an answer.
    pub(crate) fn get(&self, request: &Request<'_>) -> Result<Answer, Error> {
        self.follow(request).map_err(|error| error.at(request.url.as_str()))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a date in Retry-After is a time from now, here at the edge"
    )]
    fn follow(&self, request: &Request<'_>) -> Result<Answer, Error> {
        let mut hop = Hop::first(request, &self.settings)?;
        for _ in 0..=REDIRECTS {
            let mut response = self.send(&hop, request)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Answer::new(hop.url, response, SystemTime::now());
            }
            hop = hop.next(response.headers(), request.role)?;
            let _hurry = connect::hurry(SOON);
            // Read to its end the connection can be used again; whatever this read meets concerns it only.
            let _ = io::copy(&mut response.body_mut().as_reader().take(SMALL_BODY), &mut io::sink());
        }
        Err(BadAnswer::Redirects(REDIRECTS).into_error())
    }

    fn send(&self, hop: &Hop, request: &Request<'_>) -> Result<Response<Body>, Error> {
        let rule = self.settings.private_addresses;
        let _reaching = match &self.settings.proxy {
            None => Some(reach::enter(rule, &self.names, request.home)),
            Some(_) => {
                reach::check_proxied(rule, &hop.url, request.home)?;
                None
            }
        };
        let (answered, was_reused) = connect::over_reused(|| self.call(hop, request.ask, Connection::Any));
        let answered = match answered {
            // The server has closed an idle connection just as it was taken: no failure of the request's (RFC 9112, 9.3.1).
            Err(error) if was_reused && is_gone(&error) && cancel::check().is_ok() => {
                self.call(hop, request.ask, Connection::New)
            }
            answered => answered,
        };
        answered.map_err(|error| Error::new(refused(&error)))
    }

    fn call(&self, hop: &Hop, ask: Ask<'_>, over: Connection) -> Result<Response<Body>, ureq::Error> {
        let encoding = if matches!(ask, Ask::Text) { "gzip" } else { "identity" };
        let mut call = self.agent.get(hop.url.as_str()).header(header::ACCEPT_ENCODING, encoding);
        for (name, value) in &hop.said() {
            call = call.header(name, value);
        }
        if let Ask::Range { first, last, if_range } = ask {
            let last = last.map(|last| last.to_string()).unwrap_or_default();
            call = call.header(header::RANGE, format!("bytes={first}-{last}"));
            if let Some(validator) = if_range {
                call = call.header(header::IF_RANGE, validator);
            }
        }
        match over {
            Connection::Any => call.call(),
            Connection::New => call.config().max_idle_age(Duration::ZERO).build().call(),
        }
    }

    /// Fetches a playlist of at most `limit` bytes; anything but status 200 is an error.
    pub(crate) fn text(&self, url: &Url, home: &Url, limit: u64) -> Result<Text, Error> {
        let request = Request { url, ask: Ask::Text, role: RequestRole::Playlist, home };
        let mut answer = self.get(&request)?;
        let here = |error: Error| error.at(url.as_str());
        if answer.status != 200 {
            return Err(here(Error::new(ErrorKind::Status(answer.status)).again_after(answer.retry_after)));
        }
        let framing = answer.framing;
        let bytes = self.read_text(answer.reader(), Vec::new(), framing, limit).map_err(here)?;
        Ok(Text { url: answer.url, bytes })
    }

    /// Reads the rest of a text of which some is there already.
    pub(crate) fn read_text(
        &self,
        mut body: impl Read,
        mut bytes: Vec<u8>,
        framing: Framing,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        let mut pace = Pace::new(self.settings.low_speed);
        let mut buffer = vec![0; CHUNK];
        loop {
            pace.waits();
            let read = match body.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::new(broken(&error))),
            };
            bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
            let got = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            match framing {
                _ if got > limit => return Err(Error::new(ErrorKind::TooLarge(limit))),
                _ if read > 0 => pace.took(read)?,
                Framing::Length(expected) if got < expected => {
                    return Err(BadAnswer::Truncated { got, expected }.into_error());
                }
                Framing::Length(_) | Framing::Marked | Framing::Unknown => return Ok(bytes),
            }
        }
    }
}

/// A fetched text.
#[derive(Debug)]
pub(crate) struct Text {
    /// The URL after redirects.
    pub(crate) url: String,
    pub(crate) bytes: Vec<u8>,
}

fn proxy(setting: Option<&str>) -> Result<Option<Proxy>, Error> {
    let wrong =
        || Error::new(ErrorKind::Setting("a proxy is `http://host:port`, with or without user and password"));
    let Some(text) = setting else { return Ok(None) };
    let is_http = Url::parse(text).is_ok_and(|url| url.scheme() == "http" && url.has_host());
    if is_http { Proxy::new(text).map(Some).map_err(|_| wrong()) } else { Err(wrong()) }
}

fn roots(setting: &RootCertificates) -> Result<RootCerts, Error> {
    let wrong = || Error::new(ErrorKind::Setting("root certificates are given in PEM"));
    let RootCertificates::Given(files) = setting else { return Ok(RootCerts::PlatformVerifier) };
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in files.iter().flat_map(|file| parse_pem(file)) {
        let PemItem::Certificate(certificate) = item.map_err(|_| wrong())? else { return Err(wrong()) };
        certificates.push(certificate);
    }
    if certificates.is_empty() { Err(wrong()) } else { Ok(RootCerts::new_with_certs(&certificates)) }
}

/// Whether the connection ended before an answer came.
fn is_gone(error: &ureq::Error) -> bool {
    let ureq::Error::Io(error) = error else { return false };
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
    )
}

/// Why a server's certificate is not believed.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other error is about a certificate")]
fn distrust(error: &ureq::Error) -> Option<String> {
    let error = match error {
        ureq::Error::Rustls(error) => error,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>()?,
        _ => return None,
    };
    matches!(error, rustls::Error::InvalidCertificate(_)).then(|| error.to_string())
}

/// What a failed call means.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest says it in its own words")]
fn refused(error: &ureq::Error) -> ErrorKind {
    if cancel::check().is_err() {
        return ErrorKind::Cancelled;
    }
    if let Some(reason) = distrust(error) {
        return ErrorKind::Certificate(reason);
    }
    match error {
        ureq::Error::Io(error) => broken(error),
        ureq::Error::HostNotFound => ErrorKind::Unreachable("the host name has no address".to_owned()),
        ureq::Error::Timeout(which) => ErrorKind::Unreachable(format!("no answer in time ({which})")),
        other => ErrorKind::Unreachable(other.to_string()),
    }
}

/// What a failed read of a body means.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest says it in its own words")]
pub(crate) fn broken(error: &io::Error) -> ErrorKind {
    if cancel::check().is_err() {
        return ErrorKind::Cancelled;
    }
    if let Some(address) = reach::refused_address(error) {
        return ErrorKind::PrivateAddress(address.to_string());
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorKind::Unreachable("the connection was refused".to_owned()),
        io::ErrorKind::ConnectionReset => ErrorKind::Unreachable("the connection was reset".to_owned()),
        io::ErrorKind::UnexpectedEof => ErrorKind::Unreachable("the connection ended early".to_owned()),
        _ => ErrorKind::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
