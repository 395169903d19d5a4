//! The sockets: who is connected, and one request after another on each connection.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::hold::Gates;
use super::pipe::{Agree, Pipe};
use super::record::Records;
use super::request::NoRequest;
use super::response::reason;
use super::script::Script;
use super::send::{After, Sender};
use super::wire::answer;
use super::{Ending, Request, Site};

/// How often a delayed response looks whether its client is still there.
const GLANCE: Duration = Duration::from_millis(20);
/// Enough for the frames here and a site of ordinary depth; 500 connections stay small.
const STACK: usize = 512 * 1024;
const END_LIMIT: Duration = Duration::from_secs(5);

/// What all threads of an origin share.
pub(super) struct Shared {
    pub(super) port: u16,
    pub(super) records: Records,
    pub(super) script: Script,
    pub(super) gates: Gates,
    site: Box<dyn Site>,
    /// What encrypts connections, where they are.
    pub(super) agree: Option<Box<Agree>>,
    requests: AtomicU64,
    life: Mutex<Life>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Life {
    stopping: bool,
    accepted: u64,
    connections: HashMap<u64, Arc<TcpStream>>,
}

pub(super) fn start(
    port: u16,
    site: Box<dyn Site>,
    agree: Option<Box<Agree>>,
) -> io::Result<(Arc<Shared>, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let shared = Arc::new(Shared {
        port: listener.local_addr()?.port(),
        records: Records::default(),
        script: Script::default(),
        gates: Gates::default(),
        site,
        agree,
        requests: AtomicU64::new(0),
        life: Mutex::default(),
        changed: Condvar::new(),
    });
    let accepting = Arc::clone(&shared);
    let thread =
        thread::Builder::new().name("origin".to_owned()).spawn(move || accepting.accept(&listener))?;
    Ok((shared, thread))
}

impl Shared {
    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin_stop(&self) {
        let mut life = self.life();
        life.stopping = true;
        for stream in life.connections.values() {
            drop(stream.shutdown(Shutdown::Both)); // fails where the client was faster
        }
        drop(life);
        self.changed.notify_all();
        self.gates.open_all();
    }

    pub(super) fn wait_for_end(&self) {
        let going = |life: &mut Life| !life.connections.is_empty();
        drop(self.changed.wait_timeout_while(self.life(), END_LIMIT, going));
    }

    /// Waits so long; false when the origin stops or the client leaves before.
    #[expect(clippy::disallowed_methods, reason = "faults are delays in real time")]
    pub(super) fn wait(&self, delay: Duration, pipe: &Pipe<'_>) -> bool {
        let end = Instant::now() + delay;
        let mut life = self.life();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || life.stopping {
                return !life.stopping;
            }
            let waited = self.changed.wait_timeout(life, left.min(GLANCE));
            life = waited.unwrap_or_else(PoisonError::into_inner).0;
            if left > GLANCE && !pipe.client_is_there() {
                return false;
            }
        }
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        loop {
            let stream = listener.accept();
            if self.life().stopping {
                return;
            }
            match stream {
                Ok((stream, _)) => self.open(stream),
                // Out of descriptors: some will be free again.
                Err(_) => thread::sleep(GLANCE),
            }
        }
    }

    fn open(self: &Arc<Self>, stream: TcpStream) {
        let stream = Arc::new(stream);
        let mut life = self.life();
        if life.stopping {
            return;
        }
        life.accepted += 1;
        let number = life.accepted;
        life.connections.insert(number, Arc::clone(&stream));
        drop(life);
        let connection = Connection { shared: Arc::clone(self), number, stream };
        let thread = thread::Builder::new().name(format!("origin-{number}")).stack_size(STACK);
        // Without a thread the connection is dropped, which closes it.
        drop(thread.spawn(move || connection.run()));
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("port", &self.port).field("life", &self.life).finish_non_exhaustive()
    }
}

/// One accepted connection. Dropping it, also by a panic of the site, takes it off the list.
struct Connection {
    shared: Arc<Shared>,
    number: u64,
    stream: Arc<TcpStream>,
}

impl Connection {
    fn run(&self) {
        drop(self.stream.set_nodelay(true)); // only slower without
        let mut pipe = Pipe::plain(&self.stream);
        if let Some(agree) = &self.shared.agree
            && pipe.agree(agree).is_err()
        {
            return pipe.end(Ending::Fin); // the client has been told what was wrong
        }
        let mut reader = BufReader::new(&pipe);
        while let Ok(request) = self.receive(&mut reader, &pipe) {
            match self.respond(&request, &pipe) {
                Ok(After::NextRequest) => {}
                Ok(After::Close(ending)) => return pipe.end(ending),
                Err(_) => return, // the client is gone: that is its right
            }
        }
    }

    fn receive(&self, reader: &mut BufReader<&Pipe<'_>>, mut pipe: &Pipe<'_>) -> Result<Request, NoRequest> {
        let received = self.read(reader, pipe);
        if let Err(NoRequest::Refused(status)) = &received {
            let refusal = format!(
                "HTTP/1.1 {status} {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                reason(*status)
            );
            if pipe.write_all(refusal.as_bytes()).is_ok() {
                pipe.end(Ending::Fin);
            }
        }
        received
    }

    fn read(&self, reader: &mut BufReader<&Pipe<'_>>, mut pipe: &Pipe<'_>) -> Result<Request, NoRequest> {
        let mut request = Request::read_head(reader)?;
        if request.expects_continue() {
            pipe.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.read_body(reader)?;
        request.connection = self.number;
        request.number = self.shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(request)
    }

    #[expect(clippy::disallowed_methods, reason = "the date of an answer is that of its sending")]
    fn respond(&self, request: &Request, pipe: &Pipe<'_>) -> io::Result<After> {
        let entry = self.shared.records.begin(request);
        let (nth, faults) = self.shared.script.decide(request);
        let mut gates = self.shared.gates.of(request);
        gates.reverse(); // the next one is the last of the list
        while let Some(gate) = gates.pop_if(|gate| gate.after.is_none()) {
            if !gate.pass(|| pipe.client_is_there()) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        let now = SystemTime::now();
        let wire = match answer(&*self.shared.site, request, nth, &faults, now) {
            Ok(wire) => wire,
            Err(ending) => return Ok(After::Close(ending)),
        };
        Sender { pipe, shared: &self.shared, entry: &entry, gates, wire: &wire }.send()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.life().connections.remove(&self.number);
        self.shared.changed.notify_all();
    }
}
