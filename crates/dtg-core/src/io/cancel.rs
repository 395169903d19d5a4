//! Stops blocked network calls from another thread.

use std::cell::RefCell;
use std::net::{Shutdown, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

/// How often a lookup or connect that can't be woken looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// The tickets that were given out, over all tokens.
static TICKETS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static CURRENT: RefCell<Option<(CancelToken, u64)>> = const { RefCell::new(None) };
}

/// A connection's socket, and whose call uses it: the pool hands it on from one to the next.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: TcpStream,
    user: AtomicU64,
}

impl Socket {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, user: AtomicU64::new(0) }
    }
}

/// One piece of work that can be cancelled: an item's run, an attempt in it, or a load of its metadata.
///
/// Any number of threads may work under one token. Cancelling is final and repeatable: sockets in
/// use are shut down, which wakes their readers, and calls that start later fail at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct CancelToken {
    shared: Arc<Shared>,
    /// What only this token and its clones are: a part of the work that can be cancelled by itself.
    branch: Option<Arc<AtomicBool>>,
}

/// What a token and its children share.
#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    sockets: Mutex<Vec<Watched>>,
    /// A token was cancelled.
    stopped: Condvar,
}

/// A socket in use.
#[derive(Debug)]
struct Watched {
    ticket: u64,
    branch: Option<Arc<AtomicBool>>,
    socket: Arc<Socket>,
}

impl Watched {
    /// Whether it was not handed on to another call since.
    fn is_theirs(&self) -> bool {
        self.socket.user.load(Ordering::SeqCst) == self.ticket
    }

    fn is_of(&self, branch: &Arc<AtomicBool>) -> bool {
        self.branch.as_ref().is_some_and(|own| Arc::ptr_eq(own, branch))
    }
}

impl CancelToken {
    /// A token for a part of the work: cancelling this one cancels it too, but not the other way round.
    ///
    /// A child's child is another child of the same parent.
    pub(crate) fn child(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), branch: Some(Arc::default()) }
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.shared.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the work under this token, now and for good.
    pub(crate) fn cancel(&self) {
        let sockets = self.sockets();
        let flag = self.branch.as_deref().unwrap_or(&self.shared.cancelled);
        flag.store(true, Ordering::SeqCst);
        let theirs = sockets.iter().filter(|it| self.branch.as_ref().is_none_or(|own| it.is_of(own)));
        for watched in theirs.filter(|it| it.is_theirs()) {
            // An error means that it is closed already.
            let _ = watched.socket.stream.shutdown(Shutdown::Both);
        }
        drop(sockets);
        self.shared.stopped.notify_all();
    }

    /// Waits so long; `false` when it was cancelled meanwhile, or before.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let wait = self.shared.stopped.wait_timeout_while(self.sockets(), time, |_| !self.is_cancelled());
        drop(wait);
        !self.is_cancelled()
    }

    /// Whether it is the same token, or a clone of it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let branch = |token: &Self| token.branch.as_ref().map(Arc::as_ptr);
        Arc::ptr_eq(&self.shared, &other.shared) && branch(self) == branch(other)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        let own = self.branch.as_ref().is_some_and(|branch| branch.load(Ordering::SeqCst));
        own || self.shared.cancelled.load(Ordering::SeqCst)
    }

    /// Puts the calling thread's network calls under this token until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
        let before = CURRENT.replace(Some((self.clone(), ticket)));
        Entered { token: self.clone(), ticket, before }
    }

    /// The socket is used by the current thread's call: cancelling shuts it down.
    fn watch(&self, ticket: u64, socket: &Arc<Socket>) -> io::Result<()> {
        let mut sockets = self.sockets();
        if self.is_cancelled() {
            return Err(cancelled());
        }
        socket.user.store(ticket, Ordering::SeqCst);
        if !sockets.iter().any(|known| known.ticket == ticket && Arc::ptr_eq(&known.socket, socket)) {
            sockets.push(Watched { ticket, branch: self.branch.clone(), socket: Arc::clone(socket) });
        }
        Ok(())
    }

    /// See [`first_of`].
    fn first_of<T, W>(
        &self,
        patience: Duration,
        head_start: Duration,
        works: impl IntoIterator<Item = W>,
    ) -> io::Result<T>
    where
        T: Send + 'static,
        W: FnOnce() -> io::Result<T> + Send + 'static,
    {
        let (sender, receiver) = channel();
        let (mut works, mut running, mut last) = (works.into_iter(), 0_u32, io::ErrorKind::NotFound.into());
        let (mut left, mut since_start) = (patience, head_start);
        loop {
            if since_start >= head_start {
                match works.next() {
                    Some(work) => {
                        begin(work, sender.clone())?;
                        (running, since_start) = (running.saturating_add(1), Duration::ZERO);
                    }
                    None if running == 0 => return Err(last),
                    None => {}
                }
            }
            match receiver.recv_timeout(LOOK.min(left)) {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => {
                    (running, since_start) = (running.saturating_sub(1), head_start);
                    last = error;
                }
                Err(RecvTimeoutError::Timeout) if self.is_cancelled() => return Err(cancelled()),
                Err(_) if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => {
                    (left, since_start) = (left.saturating_sub(LOOK), since_start.saturating_add(LOOK));
                }
            }
        }
    }
}

/// Does `work` on a thread of its own; its answer is sent, or dropped where nobody waits for it any more.
fn begin<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    sender: Sender<io::Result<T>>,
) -> io::Result<()> {
    thread::Builder::new().name("dtg-connect".into()).spawn(move || {
        let answer = panic::catch_unwind(AssertUnwindSafe(work));
        let _ = sender.send(answer.unwrap_or_else(|_| Err(io::Error::other("a lookup thread died"))));
    })?;
    Ok(())
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
        self.token.sockets().retain(|known| known.ticket != self.ticket);
        CURRENT.replace(self.before.take());
    }
}

fn current() -> Option<(CancelToken, u64)> {
    CURRENT.with_borrow(Clone::clone)
}

/// Registers a socket with the calling thread's token, if it has one.
pub(crate) fn watch(socket: &Arc<Socket>) -> io::Result<()> {
    current().map_or(Ok(()), |(token, ticket)| token.watch(ticket, socket))
}

/// Fails when the calling thread's token is cancelled.
pub(crate) fn check() -> io::Result<()> {
    match current() {
        Some((token, _)) if token.is_cancelled() => Err(cancelled()),
        _ => Ok(()),
    }
}

/// Runs a call that nothing can wake (a name lookup) so that cancelling leaves it behind, and waits no
/// longer than `patience` (then `TimedOut`).
pub(crate) fn leavable<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    first_of(patience, patience, [work])
}

/// The first good answer of calls that nothing can wake (connects), each on a thread of its own: one begins when
/// the one before it has failed, or has taken longer than a `head_start`.
///
/// Cancelling leaves all of them behind, and so does the end of `patience` (then `TimedOut`). Where all fail, the
/// error is the last one's.
pub(crate) fn first_of<T, W>(
    patience: Duration,
    head_start: Duration,
    works: impl IntoIterator<Item = W>,
) -> io::Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    let token = current().map(|(token, _)| token).unwrap_or_default();
    token.first_of(patience, head_start, works)
}

fn cancelled() -> io::Error {
    io::Error::other("cancelled")
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn connected(listener: &TcpListener) -> Arc<Socket> {
        Arc::new(Socket::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap()))
    }

    fn is_shut(socket: &Arc<Socket>) -> bool {
        socket.stream.set_nonblocking(true).unwrap();
        (&socket.stream).read(&mut [0; 1]).is_ok_and(|read| read == 0)
    }

    #[test]
    fn cancelling_wakes_a_reader_and_refuses_later_calls() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = connected(&listener);
        let _open = listener.accept().unwrap();
        let token = CancelToken::default();
        let reader = {
            let (token, socket) = (token.clone(), Arc::clone(&socket));
            let (ready, is_ready) = sync_channel(1);
            let thread = thread::spawn(move || {
                let _entered = token.enter();
                watch(&socket).unwrap();
                ready.send(()).unwrap();
                (&socket.stream).read(&mut [0; 1]).unwrap()
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
    fn cancelling_an_attempt_leaves_the_run_and_its_other_attempts_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let run = CancelToken::default();
        let (one, other) = (run.child(), run.child());
        let (its, others) = (connected(&listener), connected(&listener));
        one.watch(1000, &its).unwrap();
        other.watch(1001, &others).unwrap();
        one.cancel();
        assert_eq!([&run, &one, &other].map(CancelToken::is_cancelled), [false, true, false]);
        assert_eq!([&its, &others].map(is_shut), [true, false]);
        run.cancel();
        assert!(other.is_cancelled() && is_shut(&others));
    }

    #[test]
    fn cancelling_leaves_a_hanging_lookup_behind() {
        let (release, hang) = sync_channel::<()>(0);
        let token = CancelToken::default();
        let waiter = {
            let token = token.clone();
            thread::spawn(move || {
                let _entered = token.enter();
                leavable(Duration::from_secs(60), move || hang.recv().map_err(io::Error::other))
            })
        };
        token.cancel();
        assert!(waiter.join().unwrap().is_err());
        drop(release);
    }

    #[test]
    fn a_lookup_that_takes_too_long_is_left_behind() {
        let (release, hang) = sync_channel::<()>(0);
        let late = leavable(Duration::from_millis(1), move || hang.recv().map_err(io::Error::other));
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(release);
    }

    #[test]
    fn a_connection_that_another_call_uses_by_now_is_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = connected(&listener);
        let (one, other) = (CancelToken::default(), CancelToken::default());
        let _entered = one.enter();
        watch(&socket).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = other.enter();
                watch(&socket).unwrap();
                one.cancel();
                assert!(!is_shut(&socket));
                other.cancel();
                assert!(is_shut(&socket));
            });
        });
    }

    #[test]
    fn of_several_the_first_good_answer_counts_and_one_that_hangs_holds_up_nobody_for_long() {
        type Work = Box<dyn FnOnce() -> io::Result<u32> + Send>;
        let (release, hang) = sync_channel::<()>(0);
        let works: Vec<Work> = vec![
            Box::new(|| Err(io::ErrorKind::ConnectionRefused.into())),
            Box::new(move || hang.recv().map(|()| 1).map_err(io::Error::other)),
            Box::new(|| panic!("a lookup of the system's that dies")),
            Box::new(|| Ok(4)),
        ];
        let answer = first_of(Duration::from_secs(60), Duration::from_millis(20), works);
        assert_eq!(answer.unwrap(), 4);
        drop(release);
    }

    #[test]
    fn where_all_fail_the_last_error_is_told_and_none_is_tried_twice() {
        let works = [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused]
            .map(|kind| move || Err::<(), io::Error>(kind.into()));
        let failed = first_of(Duration::from_secs(60), Duration::from_secs(60), works);
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_socket_is_forgotten_when_the_call_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = connected(&listener);
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
