//! How connections are made: ureq's TCP and TLS, with lookups, connects and waits that can be cancelled.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Error, Timeout};

use super::cancel;

/// An agent whose calls can be cancelled through the calling thread's token.
pub(crate) fn agent(config: Config) -> Agent {
    let connector = ().chain(CancellableTcp).chain(RustlsConnector::default());
    Agent::with_parts(config, connector, CancellableResolver)
}

#[derive(Debug)]
struct CancellableResolver;

impl Resolver for CancellableResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (uri, config) = (uri.clone(), config.clone());
        cancel::leavable(move || DefaultResolver::default().resolve(&uri, &config, timeout))?
    }
}

#[derive(Debug)]
struct CancellableTcp;

impl<In: Transport> Connector<In> for CancellableTcp {
    type Out = WatchedTcp;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<In>) -> Result<Option<WatchedTcp>, Error> {
        let (addresses, patience) = (details.addrs.to_vec(), details.timeout.not_zero().map(|after| *after));
        let stream = cancel::leavable(move || first_that_connects(&addresses, patience))??;
        if details.config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let socket = Arc::new(stream);
        cancel::watch(&socket)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(WatchedTcp { socket, buffers, read_timeout: None, write_timeout: None }))
    }
}

/// Tries the addresses in turn, each with an equal share of the time.
fn first_that_connects(addresses: &[SocketAddr], patience: Option<Duration>) -> Result<TcpStream, Error> {
    let share = patience.map(|all| all / u32::try_from(addresses.len().max(1)).unwrap_or(1));
    let mut last = Error::HostNotFound;
    for address in addresses {
        let attempt = match share {
            Some(share) => TcpStream::connect_timeout(address, share),
            None => TcpStream::connect(address),
        };
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) if is_timeout(&error) => last = Error::Timeout(Timeout::Connect),
            Err(error) => last = Error::Io(error),
        }
    }
    Err(last)
}

/// A TCP connection whose socket is registered with the token of the thread that uses it.
#[derive(Debug)]
struct WatchedTcp {
    socket: Arc<TcpStream>,
    buffers: LazyBuffers,
    /// What the socket is set to: setting it costs a system call.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl Transport for WatchedTcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// A request's head goes through here first, on a fresh connection and on a pooled one.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        cancel::watch(&self.socket)?;
        let timeout = timeout.for_write();
        let patience = timeout.not_zero().map(|after| *after);
        if patience != self.write_timeout {
            self.socket.set_write_timeout(patience)?;
            self.write_timeout = patience;
        }
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        (&*self.socket).write_all(output).map_err(|error| timed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let patience = timeout.not_zero().map(|after| *after);
        if patience != self.read_timeout {
            self.socket.set_read_timeout(patience)?;
            self.read_timeout = patience;
        }
        let input = self.buffers.input_append_buf();
        let read = loop {
            match (&*self.socket).read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        // A socket that was shut down reads as ended: that must not look like the end of a body.
        cancel::check()?;
        let amount = read.map_err(|error| timed(error, timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// An idle connection is open while nothing, not even its end, waits to be read.
    fn is_open(&mut self) -> bool {
        let idle = self.socket.set_nonblocking(true).is_ok()
            && matches!(self.socket.peek(&mut [0; 1]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        idle && self.socket.set_nonblocking(false).is_ok()
    }
}

/// Linux says `WouldBlock` and others `TimedOut` when a socket's time is up.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn timed(error: io::Error, timeout: NextTimeout) -> Error {
    if is_timeout(&error) { Error::Timeout(timeout.reason) } else { Error::Io(error) }
}
