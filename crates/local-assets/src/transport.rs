//! Who carries license requests: ureq, with what an SPC and a token ask for.

mod answer;

use std::net::IpAddr;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use fairplay_keys::{Cancel, HttpRequest, HttpResponse, Method, Transport, TransportError};
use ureq::Agent;
use ureq::http::{Request, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use url::{Host, Url};

/// Sends license requests over https.
///
/// An SPC is sent once: nothing is tried again here, no connection is used twice, and only redirects 307 and 308 within
/// the origin, which ask for the same request at another path, are followed. Whatever leads to another origin is an
/// error, so that neither SPC nor credentials get there. Plain http is for loopback.
#[derive(Debug, Clone)]
pub struct HttpsTransport {
    agent: Agent,
    settings: TransportSettings,
}

/// How license requests are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportSettings {
    /// What `User-Agent` says, unless the request says otherwise.
    pub user_agent: String,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long all of it may take.
    pub timeout: Duration,
    /// The longest answer, after it was decompressed.
    pub longest_answer: u64,
    /// Certificates in PEM that are trusted instead of the system's.
    pub roots: Option<Vec<u8>>,
    /// Whether plain http may lead off this machine.
    pub plain_http: PlainHttp,
}

/// Whether plain http may lead off this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PlainHttp {
    /// To loopback addresses only.
    #[default]
    Loopback,
    /// Anywhere: whoever is on the way reads tokens.
    Anywhere,
}

/// Redirects within the origin that are followed.
const REDIRECTS: u32 = 3;
/// How often a cancelled call is noticed.
const LOOK: Duration = Duration::from_millis(20);

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("dtg/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            longest_answer: 1 << 20,
            roots: None,
            plain_http: PlainHttp::default(),
        }
    }
}

impl HttpsTransport {
    /// A transport with these settings.
    ///
    /// # Errors
    /// [`TransportError::Tls`] for certificates that are none.
    pub fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        let roots = settings.roots.as_deref().map_or(Ok(RootCerts::PlatformVerifier), roots)?;
        let config = Agent::config_builder()
            .user_agent(settings.user_agent.as_str())
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_global(Some(settings.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A connection that was kept may turn out to be closed, and the request would have to be sent again.
            .max_idle_connections(0)
            .proxy(None)
            .accept_encoding("identity")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self { agent: Agent::new_with_config(config), settings })
    }

    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut url = address(request.url())?;
        for _ in 0..=REDIRECTS {
            self.judge(&url)?;
            let response = self.once(request, &url)?;
            match onward(request.method(), &url, &response)? {
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        Err(TransportError::Redirected { status: 308, to: shown(&url) })
    }

    fn judge(&self, url: &Url) -> Result<(), TransportError> {
        let plain = url.scheme() == "http" && self.settings.plain_http == PlainHttp::Loopback;
        if plain && !is_loopback(url) { Err(TransportError::Insecure) } else { Ok(()) }
    }

    fn once(&self, request: &HttpRequest, url: &Url) -> Result<HttpResponse, TransportError> {
        let uri: Uri =
            url.as_str().parse().map_err(|_| TransportError::Address("it cannot be sent".to_owned()))?;
        let method = match request.method() {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut builder = Request::builder().method(method).uri(uri);
        for (name, value) in request.headers() {
            builder = builder.header(name, value);
        }
        let body = request.body().expose().to_vec();
        let sent = match request.method() {
            Method::Get => builder.body(()).map(|request| self.agent.run(request)),
            Method::Post => builder.body(body).map(|request| self.agent.run(request)),
        };
        let answered = sent.map_err(|_| TransportError::Address("the request cannot be sent".to_owned()))?;
        answer::read(answered.map_err(|error| answer::failed(&error))?, self.settings.longest_answer)
    }
}

impl Transport for HttpsTransport {
    /// A call that is cancelled returns at once; what was sent is abandoned, and ends by its time-out at the latest.
    fn send(&self, request: &HttpRequest, cancel: &Cancel) -> Result<HttpResponse, TransportError> {
        let (answered, answer) = sync_channel(1);
        let (transport, request) = (self.clone(), request.clone());
        std::thread::Builder::new()
            .name("license".to_owned())
            .spawn(move || drop(answered.send(transport.exchange(&request))))
            .map_err(|error| TransportError::Unreachable(format!("no thread: {error}")))?;
        loop {
            if cancel.is_cancelled() {
                return Err(TransportError::Cancelled);
            }
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(TransportError::Unreachable("the exchange broke off".to_owned()));
                }
            }
        }
    }
}

fn address(text: &str) -> Result<Url, TransportError> {
    let url = Url::parse(text).map_err(|error| TransportError::Address(error.to_string()))?;
    if matches!(url.scheme(), "https" | "http") && url.has_host() {
        Ok(url)
    } else {
        Err(TransportError::Address("neither http nor https".to_owned()))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// Where an answer leads, if that is a place for an SPC.
fn onward(method: Method, url: &Url, response: &HttpResponse) -> Result<Option<Url>, TransportError> {
    let status = response.status;
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(next) = response.header("location").and_then(|to| url.join(to).ok()) else { return Ok(None) };
    let repeats = method == Method::Get || matches!(status, 307 | 308);
    match repeats && next.origin() == url.origin() {
        true => Ok(Some(next)),
        false => Err(TransportError::Redirected { status, to: shown(&next) }),
    }
}

fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn roots(pem: &[u8]) -> Result<RootCerts, TransportError> {
    let wrong = || TransportError::Tls("root certificates are given in PEM".to_owned());
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        let PemItem::Certificate(certificate) = item.map_err(|_| wrong())? else { return Err(wrong()) };
        certificates.push(certificate);
    }
    if certificates.is_empty() { Err(wrong()) } else { Ok(RootCerts::new_with_certs(&certificates)) }
}

#[cfg(test)]
mod tests;
