//! The origin: a handle on a listening thread and what it has seen.

mod headers; // what is said
mod request;
mod body;
mod response;
mod site; // who says it
mod signed;
mod range; // what of it
mod gzip;
mod fault; // what goes wrong
mod notation;
mod script;
mod wire; // all of that as one value
mod hold; // when
mod record;
mod pipe; // the sockets
#[cfg(feature = "tls")]
mod tls;
mod send;
mod server;
#[cfg(feature = "_fuzz")]
pub mod fuzzing;

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use body::Body;
pub use fault::{Ending, Fault, RetryAfter};
pub use headers::Headers;
pub use hold::Hold;
pub use notation::rules;
pub use record::RequestRecord;
pub use request::Request;
pub use response::Response;
pub use script::{Rule, at_random};
pub use signed::Signed;
pub use site::{Files, Memory, Site, media_type};

use crate::{Error, ErrorKind};
use pipe::Agree;
use server::Shared;

/// An HTTP/1.1 origin on 127.0.0.1 that answers as a [`Site`] says, unless it is told to misbehave.
///
/// It keeps connections alive, answers HEAD, single ranges and conditional requests, and records every
/// request. Each connection has a thread. Dropping the origin stops it.
#[derive(Debug)]
pub struct Origin {
    shared: Arc<Shared>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Origin {
    /// Starts on a free port.
    ///
    /// # Errors
    /// [`ErrorKind::Start`] when the system has no port or no thread left.
    pub fn start(site: impl Site) -> Result<Self, Error> {
        Self::start_on(0, site)
    }

    /// Starts on this port; 0 is any free one.
    ///
    /// # Errors
    /// [`ErrorKind::Start`] when the port is taken, or no thread is left.
    pub fn start_on(port: u16, site: impl Site) -> Result<Self, Error> {
        Self::start_with(port, site, None).map_err(|source| ErrorKind::Start { port, source }.into())
    }

    /// Starts on a free port with TLS (feature `tls`).
    ///
    /// Its certificate is for 127.0.0.1 and localhost, by a CA that all origins of this process share; a client
    /// has to trust [`Origin::ca_pem`]. TLS 1.2 and 1.3, HTTP/1.1 in ALPN, no session tickets. All faults are
    /// the same within it.
    ///
    /// # Errors
    /// [`ErrorKind::Start`] when the system has no port, no thread or no randomness left.
    #[cfg(feature = "tls")]
    pub fn start_tls(site: impl Site) -> Result<Self, Error> {
        Self::start_tls_on(0, site)
    }

    /// Starts on this port with TLS, as [`Origin::start_tls`] does; 0 is any free one.
    ///
    /// # Errors
    /// [`ErrorKind::Start`] when the port is taken, or no thread or randomness is left.
    #[cfg(feature = "tls")]
    pub fn start_tls_on(port: u16, site: impl Site) -> Result<Self, Error> {
        let started = tls::authority().and_then(|ca| Self::start_with(port, site, Some(ca.agree())));
        started.map_err(|source| ErrorKind::Start { port, source }.into())
    }

    fn start_with(port: u16, site: impl Site, agree: Option<Box<Agree>>) -> io::Result<Self> {
        let (shared, listener) = server::start(port, Box::new(site), agree)?;
        Ok(Self { shared, listener: Mutex::new(Some(listener)) })
    }

    /// The certificate of the CA in PEM, for a client to trust; `None` of an origin without TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority().map(|ca| ca.pem.as_str())
    }

    /// The certificate of the CA in DER, for a client to trust; `None` of an origin without TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn ca_der(&self) -> Option<&[u8]> {
        self.authority().map(|ca| ca.der.as_slice())
    }

    #[cfg(feature = "tls")]
    fn authority(&self) -> Option<&'static tls::Authority> {
        self.shared.agree.as_ref().and_then(|_| tls::authority().ok())
    }

    /// The absolute URL of a target at this origin: `/a/b.ts?c` gives `http://127.0.0.1:PORT/a/b.ts?c`, with
    /// TLS the same with `https`.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        let scheme = if self.shared.agree.is_some() { "https" } else { "http" };
        let slash = if target.starts_with('/') { "" } else { "/" };
        format!("{scheme}://127.0.0.1:{}{slash}{target}", self.port())
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Every request since the start or the last [`Origin::clear_requests`], in the order of arrival.
    ///
    /// A request is listed as soon as its head and body are read. Who has read a whole response finds it
    /// finished here.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.records.all()
    }

    /// Forgets the records. What rules and scripts have counted stays counted.
    pub fn clear_requests(&self) {
        self.shared.records.clear();
    }

    /// Adds a rule: from the next request on, those it applies to suffer its fault.
    ///
    /// A bare [`Fault`] applies to every request. Where several rules apply, all their faults do.
    pub fn fault(&self, rule: impl Into<Rule>) {
        self.shared.script.add(rule.into());
    }

    /// Adds a function that decides for each request; its second argument counts the requests of the same
    /// path, from 1.
    pub fn script(&self, decide: impl Fn(&Request, u64) -> Option<Fault> + Send + Sync + 'static) {
        self.shared.script.add_function(Box::new(decide));
    }

    /// Removes every rule and script. Responses under way keep their faults.
    pub fn clear_faults(&self) {
        self.shared.script.clear();
    }

    /// Makes matching requests wait before their status line until the hold is released or dropped.
    pub fn hold(&self, matching: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Hold {
        self.shared.gates.add(Box::new(matching), None)
    }

    /// Makes matching requests wait after this many bytes of their body.
    ///
    /// A shorter body ends without waiting; one of exactly this length waits before it ends.
    pub fn hold_body(&self, after: u64, matching: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Hold {
        self.shared.gates.add(Box::new(matching), Some(after))
    }

    /// Closes the listener and all connections, and waits for their threads; at most 5 s for a site that
    /// does not return. What was recorded can still be read.
    pub fn stop(&self) {
        self.shared.begin_stop();
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(listener) = listener else { return };
        // Wakes the thread out of accept; refused where it has ended already.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.shared.port)));
        drop(listener.join());
        self.shared.wait_for_end();
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
