//! The loop that does what the scheduler decides: rayon threads that pull one fetch after another.

mod state;

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{fmt, io};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::fetch::{Broken, Ended, Fetched, Try, fetch};
use super::http::Http;
use super::run::Run;
use super::sync::Syncer;
use crate::cause::Stage;
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::hold::Hold;
use crate::plan::FetchId;
use crate::resource::Role;
use crate::retry::Failure;
use crate::schedule::{Action, End, Limits, RunKey, Scheduler, Standing};
use crate::session::{Outcome, Session};
use state::{Attempt, State};

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

/// Who is told when a run has ended by itself. Called on a download or syncing thread, with no lock held.
pub(crate) type OnEnd = dyn Fn(RunKey, &Arc<Run>, RunEnd) + Send + Sync;

/// Fetches for all running items, on a pool of its own.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    /// As many threads as the budget ever was; a pool can't grow, so there may be several.
    pools: Mutex<Vec<ThreadPool>>,
}

struct Shared {
    http: Http,
    state: Mutex<State>,
    /// There is work for a thread. One thread is woken at a time; one that takes work wakes the next.
    work: Condvar,
    /// A thread has let go of a run, or of the driver.
    left: Condvar,
    syncer: Syncer,
    on_end: Arc<OnEnd>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl Driver {
    /// Starts as many pulling threads as there may be connections.
    pub(crate) fn start(limits: Limits, http: Http, syncer: Syncer, on_end: Arc<OnEnd>) -> io::Result<Self> {
        let state = State::new(Scheduler::new(limits));
        let (work, left) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { http, state: Mutex::new(state), work, left, syncer, on_end });
        let driver = Self { shared, pools: Mutex::default() };
        driver.hire(limits.connections)?;
        Ok(driver)
    }

    /// Sees to it that there are so many pulling threads.
    fn hire(&self, wanted: u32) -> io::Result<()> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let there: usize = pools.iter().map(ThreadPool::current_num_threads).sum();
        let missing = usize::try_from(wanted).unwrap_or(there).saturating_sub(there);
        if missing == 0 {
            return Ok(());
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(missing)
            .thread_name(move |n| format!("dtg-fetch-{}", there + n))
            .build()
            .map_err(io::Error::other)?;
        for _ in 0..missing {
            let mut state = self.shared.lock();
            if state.closing {
                break;
            }
            state.pullers += 1;
            let shared = Arc::clone(&self.shared);
            pool.spawn(move || shared.pull());
        }
        pools.push(pool);
        Ok(())
    }

    /// Makes the budget or the hosts' cap another, at once: what is in flight beyond it may end.
    pub(crate) fn set_limits(&self, change: impl FnOnce(&mut Limits)) -> io::Result<()> {
        let mut limits = self.shared.lock().scheduler.limits();
        change(&mut limits);
        self.hire(limits.connections)?;
        self.shared.lock().scheduler.set_limits(limits);
        self.shared.work.notify_one();
        Ok(())
    }

    /// Makes an item more or less wanted, at once: it may take slots from others, or lose its own.
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clock for the scheduler")]
    pub(crate) fn set_priority(&self, key: RunKey, priority: i32) {
        let mut state = self.shared.lock();
        state.scheduler.set_priority(key, priority);
        state.preempt(Instant::now());
    }

    /// Takes an item in.
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clock for the scheduler")]
    pub(crate) fn add(&self, session: Session, run: Arc<Run>, priority: i32) -> RunKey {
        let mut state = self.shared.lock();
        let key = state.scheduler.add(session, priority);
        state.runs.insert(key, run);
        state.preempt(Instant::now());
        drop(state);
        self.shared.work.notify_one();
        key
    }

    /// What keeps a running item from having a request in flight.
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clock for the scheduler")]
    pub(crate) fn standing(&self, key: RunKey) -> Option<Hold> {
        let now = Instant::now();
        match self.shared.lock().scheduler.standing(key)? {
            Standing::BackOff(due) => Some(Hold::BackOff(due.saturating_duration_since(now))),
            Standing::Turn => Some(Hold::Turn),
        }
    }

    /// Which of a run's fetches are done, by their place in the plan; none of a run that is over.
    pub(crate) fn done(&self, key: RunKey, fetches: usize) -> Vec<bool> {
        let state = self.shared.lock();
        (0..).take(fetches).map(|id| state.scheduler.is_done(key, FetchId(id))).collect()
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

    /// Whether threads have not let go of a run.
    pub(crate) fn is_at_work(&self, key: RunKey) -> bool {
        self.shared.lock().busy.contains_key(&key)
    }

    /// Waits until nobody touches the files of a stopped run any more.
    pub(crate) fn drained(&self, key: RunKey) {
        let state = self.shared.lock();
        drop(self.shared.left.wait_while(state, |state| state.busy.contains_key(&key)));
        self.shared.syncer.forget(key);
    }

    /// Cuts off every request, makes what is there durable and waits for the threads.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        state.closing = true;
        state.runs.values().for_each(|run| run.token.cancel());
        self.shared.work.notify_all();
        let ended = self.shared.left.wait_while(state, |state| state.pullers > 0);
        drop(ended);
        self.shared.syncer.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life: fetch what the scheduler says, until the driver is closed.
    fn pull(&self) {
        let mut buffer = vec![0; BUFFER];
        while let Some(attempt) = self.next() {
            // A panic would take the whole process along: rayon has nobody to give it to.
            let ended = panic::catch_unwind(AssertUnwindSafe(|| {
                let _entered = attempt.token.enter();
                let one = Try { id: attempt.id, epoch: attempt.epoch };
                let mut record = |id, fetched| self.record(&attempt, id, fetched);
                fetch(&self.http, &attempt.run, one, &mut buffer, &mut record)
            }));
            let ended = ended.unwrap_or_else(|_| {
                let error = io::Error::other("a download thread panicked").into();
                Err(Broken { error, progressed: false, starts_over: false })
            });
            self.report(&attempt, ended);
        }
        self.lock().pullers -= 1;
        self.left.notify_all();
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
            let action = state.scheduler.poll(now);
            state.preempt(now);
            match action {
                Action::Fetch(key, id) => {
                    let Some(attempt) = state.begin((key, id), now) else { continue };
                    if state.wants_another(now) {
                        self.work.notify_one();
                    }
                    return Some(attempt);
                }
                Action::Wait(due) => state = self.wait(state, now, due),
            }
        }
    }

    /// Sleeps until there may be work, or until `due` if no other thread wakes by then.
    fn wait<'s>(
        &self,
        mut state: MutexGuard<'s, State>,
        now: Instant,
        due: Option<Instant>,
    ) -> MutexGuard<'s, State> {
        state.idle += 1;
        let mut state = match due.filter(|due| state.alarm.is_none_or(|alarm| *due < alarm)) {
            Some(due) => {
                state.alarm = Some(due);
                let waited = self.work.wait_timeout(state, due.saturating_duration_since(now));
                let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
                // A thread with an earlier one may have come since.
                if state.alarm == Some(due) {
                    state.alarm = None;
                }
                state
            }
            None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.idle -= 1;
        state
    }

    /// The bytes are in the file: now the record, then the batch, then the scheduler: the fetch may have
    /// come with the attempt at another one.
    fn record(&self, attempt: &Attempt, id: FetchId, fetched: Fetched) -> Result<(), Error> {
        let Attempt { key, ref run, epoch, .. } = *attempt;
        run.record(id, fetched, epoch)?;
        self.syncer.add(key, run, fetched.length);
        let mut state = self.lock();
        if run.epoch(id) == epoch {
            state.scheduler.passed(key, id);
            return Ok(());
        }
        // Started over since, and counted as not done with that.
        Err(BadAnswer::Changed.into_error())
    }

    /// Tells the scheduler how an attempt ended, and the manager if the run ended with it.
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clock for the scheduler")]
    fn report(&self, attempt: &Attempt, ended: Result<Ended, Broken>) {
        let Attempt { key, id, ref run, epoch, .. } = *attempt;
        let now = Instant::now();
        let mut outcome = attempt.outcome(&ended);
        let mut state = self.lock();
        if let Err(broken) = &ended {
            state.heed(attempt, &broken.error, now);
        }
        // Under the lock: no attempt of the new epoch may end before what the old one had done is taken back.
        if let Some(fetches) = ended.err().and_then(|broken| Self::note(attempt, broken)) {
            state.scheduler.void(key, fetches);
        }
        // Recorded, and then its file was started over: whoever did that takes it back.
        if outcome == Outcome::Done && run.epoch(id) != epoch {
            outcome = Outcome::Failed(attempt.role(), Failure::Transient.into());
        }
        if outcome == Outcome::Parked && !run.is_busy(id) {
            // The requests that it was parked for are over by now.
            outcome = Outcome::Yielded;
        } else if state.scheduler.is_done(key, id) {
            // What waited for this attempt has nobody to wait for any more. If it is not done it comes
            // again, after its delay, and they wait for that.
            state.scheduler.release(key);
        }
        let end = state.scheduler.finished(key, id, outcome, now);
        let is_last = state.leave(attempt);
        // Ending a run takes a while: somebody else must take this thread's work.
        let wants_another = end.is_some() && state.wants_another(now);
        drop(state);
        if is_last {
            self.left.notify_all();
        }
        if wants_another {
            self.work.notify_one();
        }
        if let Some(end) = end {
            self.end(key, end);
        }
    }

    /// Keeps the fault for the report; a file that changed is started over: its fetches come again.
    fn note(attempt: &Attempt, broken: Broken) -> Option<Vec<FetchId>> {
        let Attempt { id, ref run, epoch, .. } = *attempt;
        let Broken { error, starts_over, .. } = broken;
        run.note_fault(id, error);
        let resource = run.fetch(id).filter(|_| starts_over)?.resource;
        run.restart(resource, epoch).map_err(|error| run.note_fault(id, error)).ok()
    }

    /// A run that is done is over once it is durable: that is waited for off the download threads.
    fn end(&self, key: RunKey, end: End) {
        let Some(run) = self.lock().runs.remove(&key) else { return };
        match end {
            End::Done => {
                let (on_end, ended) = (Arc::clone(&self.on_end), Arc::clone(&run));
                let then = move |settled: io::Result<()>| {
                    let stopped = |error| RunEnd::Stopped(Error::from(error).during(Stage::Store));
                    let end = settled.map_or_else(stopped, |()| RunEnd::Done);
                    on_end(key, &ended, end);
                };
                self.syncer.settle(key, &run, Box::new(then));
            }
            End::Stopped { fetch, attempts, .. } => {
                let error = run.take_fault(fetch).unwrap_or_else(|| Error::new(ErrorKind::Cancelled));
                let role = run.fetch(fetch).map_or(Role::Segment, |fetch| run.role(fetch.resource));
                let error = error.after(attempts).of(&run.id).during(Stage::Fetch(role));
                (self.on_end)(key, &run, RunEnd::Stopped(error));
            }
        }
    }
}
