//! How connections are made: ureq's TCP, proxy and TLS, with lookups, connects and waits that can be cancelled.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    RustlsConnector, Transport,
};
use ureq::{Agent, Error, Timeout};

use super::cancel::Socket;
use super::names::Names;
use super::{cancel, reach};

/// Longest wait for a connection where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(60);
/// An address that says nothing for so long is no reason not to try the next one (RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

thread_local! {
    /// Until when the thread's reads may wait.
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether the thread's last request went out over a connection that had been idle.
    static REUSED: Cell<bool> = const { Cell::new(false) };
    /// How the thread's last read from a socket ended.
    static LAST_READ: Cell<LastRead> = const { Cell::new(LastRead::Bytes) };
}

/// How a read from a socket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastRead {
    Bytes,
    End,
    Error,
}

/// Whether a body that ended with its connection ended as the server meant it, to be asked right after its last read.
///
/// ureq tells no difference. Without TLS a FIN is the end; within TLS the server says farewell before, and the
/// socket's own end is not read any more.
pub(crate) fn ended_in_order(within_tls: bool) -> bool {
    LAST_READ.get() == if within_tls { LastRead::Bytes } else { LastRead::End }
}

/// While it lives, the thread's reads wait no longer than it was made for.
#[derive(Debug)]
pub(crate) struct Hurry(());

impl Drop for Hurry {
    fn drop(&mut self) {
        UNTIL.set(None);
    }
}

/// Gives the calling thread's reads so much time, all together.
#[expect(clippy::disallowed_methods, reason = "waits are measured by the clock, here at the edge")]
pub(crate) fn hurry(time: Duration) -> Hurry {
    UNTIL.set(Some(Instant::now() + time));
    Hurry(())
}

/// Whether `call` sent its request over a connection that had been idle, which the server may have closed meanwhile.
pub(crate) fn over_reused<T>(call: impl FnOnce() -> T) -> (T, bool) {
    REUSED.set(false);
    let answer = call();
    (answer, REUSED.get())
}

/// Connects to an address within a time: the system, or a test.
pub(crate) type Dial = dyn Fn(SocketAddr, Duration) -> io::Result<TcpStream> + Send + Sync;

/// The system's own connect.
pub(crate) fn system_dial(address: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&address, patience)
}

/// An agent whose calls can be cancelled through the calling thread's token.
pub(crate) fn agent(config: Config, names: Names, dial: Arc<Dial>) -> Agent {
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(CancellableTcp { dial, living: Mutex::default() })
            .chain(RustlsConnector::default());
    Agent::with_parts(config, connector, KnownNames(names))
}

#[derive(Debug)]
struct KnownNames(Names);

impl Resolver for KnownNames {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let addresses = self.0.addresses(host).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { Error::HostNotFound } else { Error::Io(error) }
        })?;
        let mut resolved = self.empty();
        addresses.into_iter().for_each(|address: IpAddr| resolved.push(SocketAddr::new(address, port)));
        Ok(resolved)
    }
}

/// The hosts of which it is known which address answers are no more than these.
const HOSTS: usize = 256;

struct CancellableTcp {
    dial: Arc<Dial>,
    /// Of hosts with several addresses, the one that answered last: it is tried first.
    living: Mutex<HashMap<String, SocketAddr>>,
}

impl fmt::Debug for CancellableTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellableTcp").finish_non_exhaustive()
    }
}

impl<In: Transport> Connector<In> for CancellableTcp {
    type Out = Either<In, WatchedTcp>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        // A tunnel through the proxy is there already.
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let patience = details.timeout.not_zero().map_or(PATIENCE, |after| *after);
        let host = details.uri.authority().map(ToString::to_string).unwrap_or_default();
        let (stream, peer) = self.first_that_connects(&host, &details.addrs, patience)?;
        if details.config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let socket = Arc::new(Socket::new(stream));
        cancel::watch(&socket)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        let (read_timeout, write_timeout) = (None, None);
        Ok(Some(Either::B(WatchedTcp {
            socket,
            peer,
            buffers,
            read_timeout,
            write_timeout,
            was_idle: false,
        })))
    }
}

impl CancellableTcp {
    /// Tries the addresses: each next one when the one before has failed, or has said nothing for a while.
    fn first_that_connects(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        patience: Duration,
    ) -> Result<(TcpStream, SocketAddr), Error> {
        let (mut allowed, mut last) = (Vec::new(), Error::HostNotFound);
        for address in self.in_turn(host, addresses) {
            match reach::check(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => last = Error::Io(error),
            }
        }
        if allowed.is_empty() {
            return Err(last);
        }
        let dials = allowed.into_iter().map(|address| {
            let dial = Arc::clone(&self.dial);
            move || Ok((dial(address, patience)?, address))
        });
        let connected = cancel::first_of(patience, HEAD_START, dials);
        cancel::check()?;
        let connected = connected.map_err(|error| match error {
            error if is_timeout(&error) => Error::Timeout(Timeout::Connect),
            error => Error::Io(error),
        })?;
        if addresses.len() > 1 {
            self.remember(host, connected.1);
        }
        Ok(connected)
    }

    fn living(&self) -> MutexGuard<'_, HashMap<String, SocketAddr>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses in the order in which they are tried.
    fn in_turn(&self, host: &str, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let mut turns = taking_turns(addresses);
        let known = self.living().get(host).copied();
        // Stable: the others stay in their order.
        turns.sort_by_key(|address| Some(*address) != known);
        turns
    }

    fn remember(&self, host: &str, address: SocketAddr) {
        let mut living = self.living();
        if living.len() < HOSTS || living.contains_key(host) {
            living.insert(host.to_owned(), address);
        }
    }
}

/// The two families take turns, beginning with the first address's (RFC 8305, 4).
fn taking_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let starts_with_4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (ones, others): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().partition(|address| address.is_ipv4() == starts_with_4);
    let (mut ones, mut others) = (ones.into_iter(), others.into_iter());
    let mut turns = Vec::with_capacity(addresses.len());
    while turns.len() < addresses.len() {
        turns.extend(ones.next());
        turns.extend(others.next());
    }
    turns
}

/// A TCP connection whose socket is registered with the token of the thread that uses it.
#[derive(Debug)]
struct WatchedTcp {
    socket: Arc<Socket>,
    peer: SocketAddr,
    buffers: LazyBuffers,
    /// What the socket is set to: setting it costs a system call.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    /// Whether it was in the pool since it was made.
    was_idle: bool,
}

impl WatchedTcp {
    fn stream(&self) -> &TcpStream {
        &self.socket.stream
    }
}

/// Time-outs of several seconds are set in whole ones: what is left of one is another number each time.
fn coarse(time: Duration) -> Duration {
    match time.as_secs() {
        0 => time,
        seconds => Duration::from_secs(seconds.saturating_add(u64::from(time.subsec_nanos() > 0))),
    }
}

/// How long a read may wait.
#[expect(clippy::disallowed_methods, reason = "waits are measured by the clock, here at the edge")]
fn read_patience(timeout: NextTimeout) -> Option<Duration> {
    let usual = timeout.not_zero().map(|after| coarse(*after));
    match UNTIL.get() {
        None => usual,
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            Some(usual.map_or(left, |usual| usual.min(left)))
        }
    }
}

impl Transport for WatchedTcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// A request's head goes through here first, on a fresh connection and on a pooled one.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        reach::check(self.peer.ip())?;
        cancel::watch(&self.socket)?;
        REUSED.set(self.was_idle);
        let timeout = timeout.for_write();
        let patience = timeout.not_zero().map(|after| coarse(*after));
        if patience != self.write_timeout {
            self.stream().set_write_timeout(patience)?;
            self.write_timeout = patience;
        }
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        (&self.socket.stream).write_all(output).map_err(|error| timed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let patience = read_patience(timeout);
        if patience != self.read_timeout {
            self.stream().set_read_timeout(patience)?;
            self.read_timeout = patience;
        }
        let input = self.buffers.input_append_buf();
        let read = loop {
            match (&self.socket.stream).read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        LAST_READ.set(match read {
            Ok(0) => LastRead::End,
            Ok(_) => LastRead::Bytes,
            Err(_) => LastRead::Error,
        });
        // A socket that was shut down reads as ended: that must not look like the end of a body.
        cancel::check()?;
        let amount = read.map_err(|error| timed(error, timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Asked when the connection goes into the pool, and when it is taken out.
    fn is_open(&mut self) -> bool {
        self.was_idle = true;
        is_idle(self.stream())
    }
}

/// An idle connection is open while nothing, not even its end, waits to be read.
#[cfg(unix)]
fn is_idle(socket: &TcpStream) -> bool {
    use rustix::net::{RecvFlags, recv};
    let peeked = recv(socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    matches!(peeked, Err(rustix::io::Errno::AGAIN))
}

#[cfg(not(unix))]
fn is_idle(socket: &TcpStream) -> bool {
    let idle = socket.set_nonblocking(true).is_ok()
        && matches!(socket.peek(&mut [0; 1]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    idle && socket.set_nonblocking(false).is_ok()
}

/// Linux says `WouldBlock` and others `TimedOut` when a socket's time is up.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn timed(error: io::Error, timeout: NextTimeout) -> Error {
    if is_timeout(&error) { Error::Timeout(timeout.reason) } else { Error::Io(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_of_addresses_take_turns() {
        let parsed = |text: &str| -> Vec<SocketAddr> {
            text.split(' ').map(|address| SocketAddr::new(address.parse().unwrap(), 80)).collect()
        };
        for (given, turns) in [
            ("::1 ::2 ::3 10.0.0.1", "::1 10.0.0.1 ::2 ::3"),
            ("10.0.0.1 ::1 10.0.0.2 ::2", "10.0.0.1 ::1 10.0.0.2 ::2"),
            ("10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2"),
        ] {
            assert_eq!(taking_turns(&parsed(given)), parsed(turns), "{given}");
        }
    }

    #[test]
    fn a_time_out_of_seconds_is_set_in_whole_ones() {
        for (millis, set) in [(29_999, 30_000), (30_000, 30_000), (999, 999), (1_001, 2_000)] {
            assert_eq!(coarse(Duration::from_millis(millis)), Duration::from_millis(set));
        }
    }
}
