//! The loop that does what the scheduler decides: rayon threads that pull one fetch after another.

use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{fmt, io};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::fetch::{Fetched, fetch};
use super::http::Http;
use super::run::{Epoch, Run};
use super::sync::Syncer;
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::plan::FetchId;
use crate::retry::Failure;
use crate::schedule::{Action, End, RunKey, Scheduler};
use crate::session::{Outcome, Session};

/// Bytes that one thread moves at a time.
const BUFFER: usize = 256 << 10;

/// How a run ended, as the manager is told.
#[derive(Debug)]
pub(crate) enum RunEnd {
    /// Every fetch is done, and durable.
    Done,
    /// This stopped it.
    Stopped(Error),
}

/// One attempt at a fetch.
struct Attempt {
    key: RunKey,
    id: FetchId,
    run: Arc<Run>,
    epoch: Epoch,
}

/// Who is told when a run has ended by itself. Called on a download thread, with no lock held.
pub(crate) type OnEnd = dyn Fn(RunKey, &Arc<Run>, RunEnd) + Send + Sync;

/// Fetches for all running items, on a pool of its own.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    /// Kept so that its threads live as long as the driver.
    _pool: ThreadPool,
}

struct Shared {
    http: Http,
    state: Mutex<State>,
    changed: Condvar,
    syncer: Syncer,
    on_end: Box<OnEnd>,
}

struct State {
    scheduler: Scheduler,
    runs: HashMap<RunKey, Arc<Run>>,
    /// Threads at work for a run, also for one that was stopped.
    busy: HashMap<RunKey, u32>,
    closing: bool,
    pullers: u32,
}

impl State {
    /// One thread less works for this run.
    fn leave(&mut self, key: RunKey) {
        if let Some(busy) = self.busy.get_mut(&key) {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(&key);
            }
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl Driver {
    /// Starts `connections` pulling threads.
    pub(crate) fn start(
        connections: u16,
        http: Http,
        syncer: Syncer,
        on_end: Box<OnEnd>,
    ) -> io::Result<Self> {
        let connections = connections.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(usize::from(connections))
            .thread_name(|n| format!("dtg-fetch-{n}"))
            .build()
            .map_err(io::Error::other)?;
        let state = State {
            scheduler: Scheduler::new(u32::from(connections)),
            runs: HashMap::new(),
            busy: HashMap::new(),
            closing: false,
            pullers: u32::from(connections),
        };
        let shared =
            Arc::new(Shared { http, state: Mutex::new(state), changed: Condvar::new(), syncer, on_end });
        for _ in 0..connections {
            let shared = Arc::clone(&shared);
            pool.spawn(move || shared.pull());
        }
        Ok(Self { shared, _pool: pool })
    }

    /// Takes an item in.
    pub(crate) fn add(&self, session: Session, run: Arc<Run>) -> RunKey {
        let mut state = self.shared.lock();
        let key = state.scheduler.add(session);
        state.runs.insert(key, run);
        drop(state);
        self.shared.changed.notify_all();
        key
    }

    /// Ends a run that has nothing left to fetch; the end is told on the calling thread.
    pub(crate) fn settle(&self, key: RunKey) {
        let end = self.shared.lock().scheduler.settle(key);
        if let Some(end) = end {
            self.shared.end(key, end);
        }
    }

    /// Drops an item: its requests are cut off, its end is not told. Answers at once; the threads and
    /// the syncing of what is there may take a moment longer, see [`Driver::drained`].
    pub(crate) fn stop(&self, key: RunKey) {
        let mut state = self.shared.lock();
        state.scheduler.remove(key);
        let run = state.runs.remove(&key);
        drop(state);
        if let Some(run) = run {
            run.token.cancel();
        }
    }

    /// Waits until nobody touches the files of a stopped run any more.
    pub(crate) fn drained(&self, key: RunKey) {
        let state = self.shared.lock();
        drop(self.shared.changed.wait_while(state, |state| state.busy.contains_key(&key)));
        self.shared.syncer.forget(key);
    }

    /// Cuts off every request, makes what is there durable and waits for the threads.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        state.closing = true;
        state.runs.values().for_each(|run| run.token.cancel());
        self.shared.changed.notify_all();
        let ended = self.shared.changed.wait_while(state, |state| state.pullers > 0);
        drop(ended);
        self.shared.syncer.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled(&self, key: RunKey, run: &Run) -> io::Result<()> {
        self.syncer.settle(key, run)
    }

    /// One thread's life: fetch what the scheduler says, until the driver is closed.
    fn pull(&self) {
        let mut buffer = vec![0; BUFFER];
        while let Some(attempt) = self.next() {
            // A panic would take the whole process along: rayon has nobody to give it to.
            let ended = panic::catch_unwind(AssertUnwindSafe(|| {
                let fetched = fetch(&self.http, &attempt.run, attempt.id, &mut buffer)?;
                self.record(&attempt, fetched)
            }));
            let recorded =
                ended.unwrap_or_else(|_| Err(io::Error::other("a download thread panicked").into()));
            self.report(&attempt, recorded);
        }
        self.lock().pullers -= 1;
        self.changed.notify_all();
    }

    /// The next fetch; waits for it. `None` when the driver is closed.
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clock for the scheduler")]
    fn next(&self) -> Option<Attempt> {
        let mut state = self.lock();
        loop {
            if state.closing {
                return None;
            }
            let now = Instant::now();
            match state.scheduler.poll(now) {
                Action::Fetch(key, id) => {
                    let run = state.runs.get(&key).cloned();
                    if let Some(run) = run {
                        *state.busy.entry(key).or_default() += 1;
                        let epoch = run.epoch(id);
                        return Some(Attempt { key, id, run, epoch });
                    }
                    state.scheduler.remove(key);
                }
                Action::Wait(None) => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Action::Wait(Some(due)) => {
                    let patience = due.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(state, patience);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// The bytes are in the file: now the record, then the batch.
    fn record(&self, attempt: &Attempt, fetched: Fetched) -> Result<(), Error> {
        attempt.run.record(attempt.id, fetched, attempt.epoch)?;
        self.syncer.add(attempt.key, &attempt.run, fetched.length);
        Ok(())
    }

    /// Tells the scheduler how an attempt ended, and the manager if the run ended with it.
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clock for the scheduler")]
    fn report(&self, attempt: &Attempt, ended: Result<(), Error>) {
        let Attempt { key, id, ref run, epoch } = *attempt;
        let now = Instant::now();
        let mut outcome = match &ended {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Failed(error.failure()),
        };
        let restarted = ended.err().and_then(|error| self.note(attempt, error));
        let mut state = self.lock();
        if let Some(fetches) = restarted {
            run.undone(&state.scheduler.void(key, fetches, now));
        }
        // Recorded, and then its file was started over: the journal does not count it any more.
        if outcome == Outcome::Done && run.epoch(id) != epoch {
            run.undone(&[id]);
            outcome = Outcome::Failed(Failure::Transient);
        }
        let end = state.scheduler.finished(key, id, outcome, now);
        state.leave(key);
        drop(state);
        self.changed.notify_all();
        if let Some(end) = end {
            self.end(key, end);
        }
    }

    /// Keeps the fault for the report; a file that changed is started over: its fetches come again.
    fn note(&self, attempt: &Attempt, error: Error) -> Option<Vec<FetchId>> {
        let Attempt { id, ref run, epoch, .. } = *attempt;
        let changed = matches!(error.kind(), ErrorKind::BadAnswer(BadAnswer::Changed));
        run.note_fault(id, error);
        let resource = run.fetch(id).filter(|_| changed)?.resource;
        run.restart(resource, epoch).map_err(|error| run.note_fault(id, error)).ok()
    }

    fn end(&self, key: RunKey, end: End) {
        let Some(run) = self.lock().runs.remove(&key) else { return };
        let settled = self.settled(key, &run);
        let end = match (end, settled) {
            (End::Done, Ok(())) => RunEnd::Done,
            (End::Done, Err(error)) => RunEnd::Stopped(error.into()),
            (End::Stopped { fetch, attempts, .. }, _) => {
                let error = run.take_fault(fetch).unwrap_or_else(|| Error::new(ErrorKind::Cancelled));
                RunEnd::Stopped(error.after(attempts).of(&run.id))
            }
        };
        (self.on_end)(key, &run, end);
    }
}
