//! What the driver knows: the scheduler, the runs, and the threads that work for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::cancel::CancelToken;
use super::super::fetch::{Broken, Ended};
use super::super::run::Run;
use super::super::versions::Epoch;
use crate::error::{Error, ErrorKind};
use crate::plan::FetchId;
use crate::resource::Role;
use crate::retry::Setback;
use crate::schedule::{Claim, Flight, RunKey, Scheduler};
use crate::session::Outcome;

/// A host that asks for more is left alone by the request that it told, not by all.
const LONGEST_QUIET: Duration = Duration::from_secs(120);

/// One attempt at a fetch.
pub(super) struct Attempt {
    pub(super) key: RunKey,
    pub(super) id: FetchId,
    pub(super) run: Arc<Run>,
    pub(super) epoch: Epoch,
    pub(super) token: CancelToken,
}

impl Attempt {
    pub(super) fn role(&self) -> Role {
        self.run.fetch(self.id).map_or(Role::Segment, |fetch| self.run.role(fetch.resource))
    }

    /// What its end means to the scheduler.
    pub(super) fn outcome(&self, ended: &Result<Ended, Broken>) -> Outcome {
        let (error, progressed) = match ended {
            Ok(Ended::Done) => return Outcome::Done,
            Ok(Ended::Parked) => return Outcome::Parked,
            Err(broken) => (&broken.error, broken.progressed),
        };
        if matches!(error.kind(), ErrorKind::Cancelled) && self.token.is_cancelled() {
            return Outcome::Yielded;
        }
        let setback = Setback { failure: error.failure(), retry_after: error.retry_after(), progressed };
        Outcome::Failed(self.role(), setback)
    }
}

/// Behind the driver's lock.
pub(super) struct State {
    pub(super) scheduler: Scheduler,
    pub(super) runs: HashMap<RunKey, Arc<Run>>,
    /// What is in flight, also for a run that was stopped.
    pub(super) attempts: HashMap<Flight, CancelToken>,
    /// Threads at work for a run, also for one that was stopped.
    pub(super) busy: HashMap<RunKey, u32>,
    pub(super) closing: bool,
    pub(super) pullers: u32,
    /// Threads without work.
    pub(super) idle: u32,
    /// Hosts that asked to be left alone, and until when.
    quiet: HashMap<String, Instant>,
    /// When the idle thread that watches the clock wakes by itself; the others sleep until they are woken.
    pub(super) alarm: Option<Instant>,
}

impl State {
    pub(super) fn new(scheduler: Scheduler) -> Self {
        Self {
            scheduler,
            runs: HashMap::new(),
            attempts: HashMap::new(),
            busy: HashMap::new(),
            closing: false,
            pullers: 0,
            idle: 0,
            quiet: HashMap::new(),
            alarm: None,
        }
    }

    /// What the scheduler wants to be fetched, if its run is still there and its host has a slot.
    pub(super) fn begin(&mut self, (key, id): Flight, now: Instant) -> Option<Attempt> {
        let Some(run) = self.runs.get(&key).map(Arc::clone) else {
            self.scheduler.remove(key);
            self.scheduler.finished(key, id, Outcome::Yielded, now);
            return None;
        };
        if let Some(until) = self.quiet_until(&run, id, now) {
            self.scheduler.finished(key, id, Outcome::Postponed(until), now);
            return None;
        }
        if self.scheduler.caps_hosts()
            && let Claim::Full(victim) = self.scheduler.claim((key, id), &run.host(id))
        {
            victim.into_iter().for_each(|flight| self.cut_off(flight));
            return None;
        }
        let token = run.token.child();
        *self.busy.entry(key).or_default() += 1;
        self.attempts.insert((key, id), token.clone());
        let epoch = run.epoch(id);
        Some(Attempt { key, id, run, epoch, token })
    }

    /// Until when the host that a fetch goes to wants no requests.
    fn quiet_until(&self, run: &Run, id: FetchId, now: Instant) -> Option<Instant> {
        if self.quiet.is_empty() {
            return None;
        }
        self.quiet.get(&run.host(id)).copied().filter(|until| *until > now)
    }

    /// A host that says 429 with Retry-After says it of all requests, not of one.
    pub(super) fn heed(&mut self, attempt: &Attempt, error: &Error, now: Instant) {
        let asked = error.retry_after().filter(|_| matches!(error.kind(), ErrorKind::Status(429)));
        let Some(asked) = asked.filter(|asked| !asked.is_zero() && *asked <= LONGEST_QUIET) else { return };
        self.quiet.retain(|_, until| *until > now);
        let until = self.quiet.entry(attempt.run.host(attempt.id)).or_insert(now);
        *until = (*until).max(now + asked);
    }

    /// A thread's attempt has ended. Whether it was the last one at work for its run.
    pub(super) fn leave(&mut self, attempt: &Attempt) -> bool {
        self.attempts.remove(&(attempt.key, attempt.id));
        let Some(busy) = self.busy.get_mut(&attempt.key) else { return true };
        *busy -= 1;
        let is_last = *busy == 0;
        if is_last {
            self.busy.remove(&attempt.key);
        }
        is_last
    }

    /// Whether another thread has something to do: to fetch, or to watch the clock.
    pub(super) fn wants_another(&mut self, now: Instant) -> bool {
        self.idle > 0
            && (self.scheduler.is_hungry(now)
                || (self.alarm.is_none() && self.scheduler.next_due().is_some()))
    }

    /// Cuts off the attempts that hold what more wanted items could use.
    pub(super) fn preempt(&mut self, now: Instant) {
        while let Some(flight) = self.scheduler.preempt(now) {
            self.cut_off(flight);
        }
    }

    fn cut_off(&self, flight: Flight) {
        if let Some(token) = self.attempts.get(&flight) {
            token.cancel();
        }
    }
}
