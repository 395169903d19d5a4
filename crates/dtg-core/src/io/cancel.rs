//! Stops blocked network calls from another thread.

use std::cell::RefCell;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

/// How often a lookup or connect that can't be woken looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    static CURRENT: RefCell<Option<(CancelToken, u64)>> = const { RefCell::new(None) };
}

/// One piece of work that can be cancelled: an item's run, or a load of its metadata.
///
/// Any number of threads may work under one token. Cancelling is final and repeatable: sockets in
/// use are shut down, which wakes their readers, and calls that start later fail at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct CancelToken(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    tickets: AtomicU64,
    sockets: Mutex<Vec<(u64, Arc<TcpStream>)>>,
}

impl CancelToken {
    fn sockets(&self) -> MutexGuard<'_, Vec<(u64, Arc<TcpStream>)>> {
        self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the work under this token, now and for good.
    pub(crate) fn cancel(&self) {
        let sockets = self.sockets();
        self.0.cancelled.store(true, Ordering::SeqCst);
        for (_, socket) in sockets.iter() {
            // An error means that it is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Puts the calling thread's network calls under this token until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        let ticket = self.0.tickets.fetch_add(1, Ordering::Relaxed);
        let before = CURRENT.replace(Some((self.clone(), ticket)));
        Entered { token: self.clone(), ticket, before }
    }

    /// The socket is used by the current thread's call: cancelling shuts it down.
    fn watch(&self, ticket: u64, socket: &Arc<TcpStream>) -> io::Result<()> {
        let mut sockets = self.sockets();
        if self.is_cancelled() {
            return Err(cancelled());
        }
        if !sockets.iter().any(|(owner, known)| *owner == ticket && Arc::ptr_eq(known, socket)) {
            sockets.push((ticket, Arc::clone(socket)));
        }
        Ok(())
    }

    /// The answer of `work`, which runs on a thread of its own and is left behind when cancelled.
    fn wait_for<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let (sender, receiver) = sync_channel(1);
        thread::Builder::new().name("dtg-connect".into()).spawn(move || sender.send(work()))?;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) if self.is_cancelled() => return Err(cancelled()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("a lookup thread died")),
            }
        }
    }
}

/// While it lives, the thread's network calls are under its token.
#[derive(Debug)]
pub(crate) struct Entered {
    token: CancelToken,
    ticket: u64,
    before: Option<(CancelToken, u64)>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.token.sockets().retain(|(owner, _)| *owner != self.ticket);
        CURRENT.replace(self.before.take());
    }
}

fn current() -> Option<(CancelToken, u64)> {
    CURRENT.with_borrow(Clone::clone)
}

/// Registers a socket with the calling thread's token, if it has one.
pub(crate) fn watch(socket: &Arc<TcpStream>) -> io::Result<()> {
    current().map_or(Ok(()), |(token, ticket)| token.watch(ticket, socket))
}

/// Fails when the calling thread's token is cancelled.
pub(crate) fn check() -> io::Result<()> {
    match current() {
        Some((token, _)) if token.is_cancelled() => Err(cancelled()),
        _ => Ok(()),
    }
}

/// Runs a call that nothing can wake (a name lookup, a connect) so that cancelling leaves it behind.
pub(crate) fn leavable<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    match current() {
        Some((token, _)) => token.wait_for(work),
        None => Ok(work()),
    }
}

fn cancelled() -> io::Error {
    io::Error::other("cancelled")
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn cancelling_wakes_a_reader_and_refuses_later_calls() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        let _open = listener.accept().unwrap();
        let token = CancelToken::default();
        let reader = {
            let (token, socket) = (token.clone(), Arc::clone(&socket));
            let (ready, is_ready) = sync_channel(1);
            let thread = thread::spawn(move || {
                let _entered = token.enter();
                watch(&socket).unwrap();
                ready.send(()).unwrap();
                (&*socket).read(&mut [0; 1]).unwrap()
            });
            is_ready.recv().unwrap();
            thread
        };
        token.cancel();
        assert_eq!(reader.join().unwrap(), 0, "shut down");
        let _entered = token.enter();
        assert!(watch(&socket).is_err());
        assert!(check().is_err());
    }

    #[test]
    fn cancelling_leaves_a_hanging_lookup_behind() {
        let (release, hang) = sync_channel::<()>(0);
        let token = CancelToken::default();
        let waiter = {
            let token = token.clone();
            thread::spawn(move || {
                let _entered = token.enter();
                leavable(move || hang.recv())
            })
        };
        token.cancel();
        assert!(waiter.join().unwrap().is_err());
        drop(release);
    }

    #[test]
    fn a_socket_is_forgotten_when_the_call_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        let token = CancelToken::default();
        let entered = token.enter();
        watch(&socket).unwrap();
        watch(&socket).unwrap();
        assert_eq!(token.sockets().len(), 1);
        drop(entered);
        assert!(token.sockets().is_empty());
        assert!(check().is_ok());
    }
}
