//! One item's fetches as a state machine without I/O.
//!
//! Fetches are started in the plan's order, so that what is downloaded first plays first, and never
//! far ahead of one that is stuck. Memory is one bit a fetch, and a few words for each one that is in
//! flight or failed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Instant;

use crate::plan::FetchId;
use crate::resource::Role;
use crate::retry::{Attempts, Failure, Jitter, RetryPolicies, Setback};

/// How one attempt at a fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its bytes are in the file and its record is in the journal.
    Done,
    /// The attempt at a resource of this role failed.
    Failed(Role, Setback),
    /// It made room for another one, and is the next in turn.
    Yielded,
    /// Another attempt brings it: not to be started before [`Session::release`].
    Parked,
    /// It was not attempted, and is not to be before this.
    Postponed(Instant),
}

/// What the session wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Start this fetch.
    Fetch(FetchId),
    /// Nothing to start before this instant (`None`: before an outcome is reported).
    Wait(Option<Instant>),
    /// Every fetch is done.
    Done,
    /// The item stops here, because of this fetch; those in flight may still end.
    Stop(FetchId, Failure),
}

/// What a session goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) retries: RetryPolicies,
    /// No fetch is started this many places or more behind the first one that is not done.
    pub(crate) run_ahead: u32,
    /// Where the delays' randomness begins.
    pub(crate) seed: u64,
}

/// Decides which fetch is started when; never fetches.
#[derive(Debug)]
pub(crate) struct Session {
    done: Bits,
    total: u32,
    left: u32,
    /// Before it, all are done.
    first: u32,
    /// From it on, none was started.
    next: u32,
    in_flight: BTreeSet<FetchId>,
    /// Started before, and next in turn.
    due: BTreeSet<FetchId>,
    /// Failed, and not yet due.
    again: BinaryHeap<Reverse<(Instant, FetchId)>>,
    attempts: BTreeMap<FetchId, Attempts>,
    /// Brought by another attempt.
    parked: BTreeSet<FetchId>,
    rules: Rules,
    jitter: Jitter,
    stopped: Option<(FetchId, Failure)>,
}

impl Session {
    /// A session over fetches `0..total`, less those that are done.
    pub(crate) fn new(total: u32, done: impl IntoIterator<Item = FetchId>, rules: Rules) -> Self {
        let mut bits = Bits::new(total);
        let already = done.into_iter().filter(|fetch| fetch.0 < total && bits.set(fetch.0)).count();
        let left = total.saturating_sub(u32::try_from(already).unwrap_or(u32::MAX));
        Self {
            done: bits,
            total,
            left,
            first: 0,
            next: 0,
            in_flight: BTreeSet::new(),
            due: BTreeSet::new(),
            again: BinaryHeap::new(),
            attempts: BTreeMap::new(),
            parked: BTreeSet::new(),
            jitter: Jitter::new(rules.seed),
            rules,
            stopped: None,
        }
    }

    /// The next thing to do at `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Step {
        if let Some(end) = self.ended() {
            return end;
        }
        self.ripen(now);
        match self.take() {
            Some(fetch) => {
                self.in_flight.insert(fetch);
                Step::Fetch(fetch)
            }
            None => Step::Wait(self.again.peek().map(|Reverse((due, _))| *due)),
        }
    }

    /// [`Step::Done`] or [`Step::Stop`], once no further fetch will be started.
    pub(crate) fn ended(&self) -> Option<Step> {
        match self.stopped {
            Some((fetch, failure)) => Some(Step::Stop(fetch, failure)),
            None => (self.left == 0).then_some(Step::Done),
        }
    }

    /// What has waited long enough is due.
    fn ripen(&mut self, now: Instant) {
        while self.again.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            self.due.extend(self.again.pop().map(|Reverse((_, fetch))| fetch));
        }
    }

    fn take(&mut self) -> Option<FetchId> {
        let horizon = self.horizon();
        while self.due.first().is_some_and(|fetch| fetch.0 < horizon) {
            if let Some(fetch) = self.due.pop_first().filter(|fetch| self.is_open(*fetch)) {
                return Some(fetch);
            }
        }
        while self.next < horizon {
            let fetch = FetchId(self.next);
            self.next += 1;
            if self.is_open(fetch) {
                return Some(fetch);
            }
        }
        None
    }

    /// Whether a fetch may be started.
    fn is_open(&self, fetch: FetchId) -> bool {
        !self.done.get(fetch.0) && !self.in_flight.contains(&fetch)
    }

    /// The first fetch that is too far ahead to be started.
    fn horizon(&mut self) -> u32 {
        while self.first < self.total && self.done.get(self.first) {
            self.first += 1;
        }
        self.first.saturating_add(self.rules.run_ahead.max(1)).min(self.total)
    }

    /// How many fetches could be started at `now`: none when it says so, else perhaps fewer than it says.
    pub(crate) fn backlog(&mut self, now: Instant) -> u32 {
        if self.ended().is_some() {
            return 0;
        }
        self.ripen(now);
        let horizon = self.horizon();
        let is_due = self.due.first().is_some_and(|fetch| fetch.0 < horizon);
        let due = if is_due { u32::try_from(self.due.len()).unwrap_or(u32::MAX) } else { 0 };
        due.saturating_add(horizon.saturating_sub(self.next))
    }

    /// Reports how the attempt at `fetch` ended.
    pub(crate) fn finished(&mut self, fetch: FetchId, outcome: Outcome, now: Instant) {
        self.in_flight.remove(&fetch);
        match outcome {
            Outcome::Done => self.set_done(fetch),
            Outcome::Yielded => {
                self.give_back(fetch);
            }
            Outcome::Parked => {
                self.parked.insert(fetch);
            }
            Outcome::Postponed(due) => self.again.push(Reverse((due, fetch))),
            Outcome::Failed(..) if self.done.get(fetch.0) => {}
            Outcome::Failed(role, setback) => self.failed(fetch, role, setback, now),
        }
    }

    /// Whether a fetch is done.
    pub(crate) fn is_done(&self, fetch: FetchId) -> bool {
        self.done.get(fetch.0)
    }

    /// A fetch is done: by its own attempt, or by the attempt at another one.
    pub(crate) fn passed(&mut self, fetch: FetchId) {
        self.parked.remove(&fetch);
        self.set_done(fetch);
    }

    /// What was parked and is not done is in turn again.
    pub(crate) fn release(&mut self) {
        std::mem::take(&mut self.parked).into_iter().for_each(|fetch| {
            self.give_back(fetch);
        });
    }

    fn set_done(&mut self, fetch: FetchId) {
        self.attempts.remove(&fetch);
        if self.done.set(fetch.0) {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// A fetch that was polled is not in flight after all: it comes again, before all behind it.
    ///
    /// Whether it can be started.
    pub(crate) fn give_back(&mut self, fetch: FetchId) -> bool {
        self.in_flight.remove(&fetch);
        let is_open = self.is_open(fetch);
        if is_open {
            self.due.insert(fetch);
        }
        is_open && self.ended().is_none()
    }

    /// A fetch that was polled is not in flight after all, and is not to be started before it is given back.
    pub(crate) fn set_aside(&mut self, fetch: FetchId) {
        self.in_flight.remove(&fetch);
    }

    fn failed(&mut self, fetch: FetchId, role: Role, setback: Setback, now: Instant) {
        let retries = &self.rules.retries;
        let attempts = self.attempts.entry(fetch).or_default();
        match attempts.failed(setback, retries.of(role), retries, (now, &mut self.jitter)) {
            Some(delay) => self.again.push(Reverse((now + delay, fetch))),
            None => {
                self.stopped.get_or_insert((fetch, setback.failure));
            }
        }
    }

    /// Takes back a fetch that was done: its file turned out to be another version.
    pub(crate) fn void(&mut self, fetch: FetchId) {
        if !self.done.clear(fetch.0) {
            return;
        }
        self.left += 1;
        self.first = self.first.min(fetch.0);
        // One that is still ahead comes in its turn.
        if fetch.0 < self.next {
            self.due.insert(fetch);
        }
    }

    /// Attempts that were started and have not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Failed attempts at `fetch` since it last got further.
    pub(crate) fn attempts(&self, fetch: FetchId) -> u32 {
        self.attempts.get(&fetch).map_or(0, Attempts::count)
    }
}

/// A fixed row of bits; what is out of range reads as unset and can't be set.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(len: u32) -> Self {
        Self(vec![0; usize::try_from(len.div_ceil(64)).unwrap_or(0)])
    }

    fn word(&mut self, at: u32) -> Option<&mut u64> {
        usize::try_from(at / 64).ok().and_then(|word| self.0.get_mut(word))
    }

    fn get(&self, at: u32) -> bool {
        usize::try_from(at / 64)
            .ok()
            .and_then(|word| self.0.get(word))
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Whether this call changed it.
    fn set(&mut self, at: u32) -> bool {
        let mask = 1 << (at % 64);
        self.word(at).is_some_and(|word| {
            let changed = *word & mask == 0;
            *word |= mask;
            changed
        })
    }

    /// Whether this call changed it.
    fn clear(&mut self, at: u32) -> bool {
        let mask = 1 << (at % 64);
        self.word(at).is_some_and(|word| {
            let changed = *word & mask != 0;
            *word &= !mask;
            changed
        })
    }
}

#[cfg(test)]
mod tests;
