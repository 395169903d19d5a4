//! Which item's fetch is started next, across all items. No I/O.
//!
//! One connection budget is shared by all items; among items that have work, the one that was
//! started first goes first. Every call is O(log n) in the number of running items.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Instant;

use crate::plan::FetchId;
use crate::retry::Failure;
use crate::session::{Outcome, Session, Step};

/// A running item's place in the queue: later starts have larger keys, and no key is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunKey(pub(crate) u64);

/// What the driver is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start this fetch of this item.
    Fetch(RunKey, FetchId),
    /// Nothing to start before this instant (`None`: before something changes).
    Wait(Option<Instant>),
}

/// How an item's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Every fetch is done.
    Done,
    /// This fetch stopped it, after so many failed attempts.
    Stopped {
        /// The fetch.
        fetch: FetchId,
        /// Why, as far as retrying is concerned.
        failure: Failure,
        /// Failed attempts at it.
        attempts: u32,
    },
}

/// Shares connections among items.
#[derive(Debug)]
pub(crate) struct Scheduler {
    budget: u32,
    in_flight: u32,
    sessions: BTreeMap<RunKey, Session>,
    ready: BTreeSet<RunKey>,
    waiting: BinaryHeap<Reverse<(Instant, RunKey)>>,
    next_key: u64,
}

impl Scheduler {
    /// A scheduler that never has more than `budget` fetches in flight.
    pub(crate) const fn new(budget: u32) -> Self {
        Self {
            budget,
            in_flight: 0,
            sessions: BTreeMap::new(),
            ready: BTreeSet::new(),
            waiting: BinaryHeap::new(),
            next_key: 0,
        }
    }

    /// Takes an item in, behind those that are there.
    pub(crate) fn add(&mut self, session: Session) -> RunKey {
        let key = RunKey(self.next_key);
        self.next_key += 1;
        self.sessions.insert(key, session);
        self.ready.insert(key);
        key
    }

    /// Drops an item; its fetches in flight still count until they end.
    pub(crate) fn remove(&mut self, key: RunKey) -> Option<Session> {
        self.ready.remove(&key);
        self.sessions.remove(&key)
    }

    /// The next thing to do at `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Action {
        if self.in_flight >= self.budget {
            return Action::Wait(None);
        }
        self.wake(now);
        while let Some(key) = self.ready.first().copied() {
            match self.sessions.get_mut(&key).map(|session| session.poll(now)) {
                Some(Step::Fetch(fetch)) => {
                    self.in_flight += 1;
                    return Action::Fetch(key, fetch);
                }
                Some(Step::Wait(Some(due))) => {
                    self.waiting.push(Reverse((due, key)));
                    self.ready.remove(&key);
                }
                Some(Step::Wait(None) | Step::Done | Step::Stop(..)) | None => {
                    self.ready.remove(&key);
                }
            }
        }
        Action::Wait(self.waiting.peek().map(|Reverse((due, _))| *due))
    }

    fn wake(&mut self, now: Instant) {
        while self.waiting.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            let Some(Reverse((_, key))) = self.waiting.pop() else { return };
            if self.sessions.contains_key(&key) {
                self.ready.insert(key);
            }
        }
    }

    /// Reports how an attempt ended. The answer is given once an item: when its run has ended and
    /// nothing of it is in flight any more; the item is then gone from here.
    pub(crate) fn finished(
        &mut self,
        key: RunKey,
        fetch: FetchId,
        outcome: Outcome,
        now: Instant,
    ) -> Option<End> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let session = self.sessions.get_mut(&key)?;
        session.finished(fetch, outcome, now);
        self.ready.insert(key);
        self.settle(key)
    }

    /// Takes back fetches of an item; answers those that were done.
    pub(crate) fn void(&mut self, key: RunKey, fetches: Vec<FetchId>, now: Instant) -> Vec<FetchId> {
        let Some(session) = self.sessions.get_mut(&key) else { return Vec::new() };
        self.ready.insert(key);
        fetches.into_iter().filter(|fetch| session.void(*fetch, now)).collect()
    }

    /// Whether an item's run has ended; see [`Scheduler::finished`].
    pub(crate) fn settle(&mut self, key: RunKey) -> Option<End> {
        let session = self.sessions.get(&key)?;
        let step = session.ended().filter(|_| session.in_flight() == 0)?;
        let end = match step {
            Step::Stop(fetch, failure) => End::Stopped { fetch, failure, attempts: session.attempts(fetch) },
            Step::Done | Step::Fetch(_) | Step::Wait(_) => End::Done,
        };
        self.remove(key);
        Some(end)
    }
}

#[cfg(test)]
mod tests;
