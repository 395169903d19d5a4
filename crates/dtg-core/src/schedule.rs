//! Which item's fetch is started next, across all items. No I/O.
//!
//! Items share one connection budget and a cap for each host. Among items that have work, the one of
//! the highest priority goes first, and of equal ones the one that was started first; a higher one takes
//! slots from lower ones, whose attempts are told to yield. Every call is O(log n) in the items that
//! run, beyond what it changes.

mod slots;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Instant;

use crate::plan::FetchId;
use crate::retry::Failure;
use crate::session::{Outcome, Session, Step};
use slots::Slots;

/// A running item's place in the queue: later starts have larger keys, and no key is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunKey(pub(crate) u64);

/// An attempt at a fetch of an item.
pub(crate) type Flight = (RunKey, FetchId);

/// How wanted an item is: the least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    priority: Reverse<i32>,
    key: RunKey,
}

/// What the driver is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start this fetch of this item.
    Fetch(RunKey, FetchId),
    /// Nothing to start before this instant (`None`: before something changes).
    Wait(Option<Instant>),
}

/// Whether a fetch gets one of its host's slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It does.
    Granted,
    /// It comes again when one is free; this attempt is to be told to yield one.
    Full(Option<Flight>),
}

/// How many fetches may be in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// In all.
    pub(crate) connections: u32,
    /// To one host.
    pub(crate) per_host: u32,
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

/// Why an item has nothing in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A failed request comes again then, and no other one can go on before.
    BackOff(Instant),
    /// Other items have all slots.
    Turn,
}

#[derive(Debug)]
struct Entry {
    session: Session,
    rank: Rank,
}

/// Shares connections among items.
#[derive(Debug)]
pub(crate) struct Scheduler {
    entries: BTreeMap<RunKey, Entry>,
    ready: BTreeSet<Rank>,
    waiting: BinaryHeap<Reverse<(Instant, RunKey)>>,
    slots: Slots,
    next_key: u64,
}

impl Scheduler {
    /// A scheduler of no items.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            waiting: BinaryHeap::new(),
            slots: Slots::new(limits),
            next_key: 0,
        }
    }

    /// Takes an item in, behind those of its priority that are there.
    pub(crate) fn add(&mut self, session: Session, priority: i32) -> RunKey {
        let key = RunKey(self.next_key);
        self.next_key += 1;
        let rank = Rank { priority: Reverse(priority), key };
        self.entries.insert(key, Entry { session, rank });
        self.ready.insert(rank);
        key
    }

    /// Drops an item; its fetches in flight still count until they end.
    pub(crate) fn remove(&mut self, key: RunKey) -> Option<Session> {
        let entry = self.entries.remove(&key)?;
        self.ready.remove(&entry.rank);
        self.slots.abandon(key);
        Some(entry.session)
    }

    /// Makes an item more or less wanted.
    pub(crate) fn set_priority(&mut self, key: RunKey, priority: i32) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let rank = Rank { priority: Reverse(priority), key };
        if self.ready.remove(&entry.rank) {
            self.ready.insert(rank);
        }
        self.slots.rerank(entry.rank, rank);
        entry.rank = rank;
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.slots.limits()
    }

    /// Makes the budget or the hosts' cap another; what is in flight beyond it may end.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        for (rank, fetch) in self.slots.set_limits(limits) {
            self.give_back(rank, fetch);
        }
    }

    /// Whether it can be started.
    fn give_back(&mut self, rank: Rank, fetch: FetchId) -> bool {
        let Some(entry) = self.entries.get_mut(&rank.key) else { return false };
        self.ready.insert(entry.rank);
        entry.session.give_back(fetch)
    }

    /// The next thing to do at `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Action {
        if self.slots.are_taken() {
            return Action::Wait(None);
        }
        while let Some(rank) = self.top(now) {
            let step = self.entries.get_mut(&rank.key).map(|entry| entry.session.poll(now));
            if let Some(Step::Fetch(fetch)) = step {
                self.slots.take(rank, fetch);
                return Action::Fetch(rank.key, fetch);
            }
            self.rest(rank, step);
        }
        Action::Wait(self.next_due())
    }

    /// The most wanted item that may have a fetch to start.
    fn top(&mut self, now: Instant) -> Option<Rank> {
        self.wake(now);
        while let Some(rank) = self.ready.first().copied() {
            let Some(entry) = self.entries.get_mut(&rank.key) else {
                self.ready.remove(&rank);
                continue;
            };
            if entry.session.backlog(now) > 0 {
                return Some(rank);
            }
            let step = entry.session.poll(now);
            self.rest(rank, Some(step));
        }
        self.left_over(now)
    }

    /// The most wanted item that has a fetch waiting for a host which has room: whoever was to take that slot did not.
    fn left_over(&mut self, now: Instant) -> Option<Rank> {
        while let Some((rank, fetch)) = self.slots.next_anywhere() {
            if self.give_back(rank, fetch) {
                return self.top(now);
            }
        }
        None
    }

    /// An item has nothing to start now.
    fn rest(&mut self, rank: Rank, step: Option<Step>) {
        self.ready.remove(&rank);
        if let Some(Step::Wait(Some(due))) = step {
            self.waiting.push(Reverse((due, rank.key)));
        }
    }

    fn wake(&mut self, now: Instant) {
        while self.waiting.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            let Some(Reverse((_, key))) = self.waiting.pop() else { return };
            self.ready.extend(self.entries.get(&key).map(|entry| entry.rank));
        }
    }

    /// Why an item has nothing in flight; `None` when it has, or will have at once.
    pub(crate) fn standing(&self, key: RunKey) -> Option<Standing> {
        let entry = self.entries.get(&key).filter(|entry| entry.session.in_flight() == 0)?;
        if self.ready.contains(&entry.rank) {
            return self.slots.are_taken().then_some(Standing::Turn);
        }
        let dues = self.waiting.iter().filter(|Reverse((_, waiting))| *waiting == key);
        dues.map(|Reverse((due, _))| *due).min().map(Standing::BackOff)
    }

    /// When the next item's back-off ends.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse((due, _))| *due)
    }

    /// Whether a slot is free, and an item may have a fetch for it.
    pub(crate) fn is_hungry(&mut self, now: Instant) -> bool {
        !self.slots.are_taken() && self.top(now).is_some()
    }

    /// Whether a fetch must [`claim`](Self::claim) a slot of its host.
    pub(crate) const fn caps_hosts(&self) -> bool {
        self.slots.caps_hosts()
    }

    /// Asks for a slot of the host that a fetch goes to; one that gets none is not in flight any more.
    pub(crate) fn claim(&mut self, (key, fetch): Flight, host: &str) -> Claim {
        let Some(entry) = self.entries.get_mut(&key) else { return Claim::Granted };
        let claim = self.slots.claim((entry.rank, fetch), host);
        if claim != Claim::Granted {
            entry.session.set_aside(fetch);
            self.ready.insert(entry.rank);
        }
        claim
    }

    /// An attempt that is to be told to yield its slot, since a more wanted item has use for it.
    pub(crate) fn preempt(&mut self, now: Instant) -> Option<Flight> {
        if !self.slots.are_taken() {
            return None;
        }
        let rank = self.top(now)?;
        let backlog = self.entries.get_mut(&rank.key).map_or(0, |entry| entry.session.backlog(now));
        self.slots.yield_to(rank, backlog)
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
        let host = self.slots.free((key, fetch));
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.session.finished(fetch, outcome, now);
            self.ready.insert(entry.rank);
        }
        let end = self.settle(key);
        // Only now: what waits may be of the item that has just ended.
        if let Some(host) = host {
            self.hand_on(&host);
        }
        end
    }

    /// Gives a host's free slot to the most wanted fetch that waits for it and can still be started.
    fn hand_on(&mut self, host: &str) {
        while let Some((rank, fetch)) = self.slots.next_at(host) {
            if self.give_back(rank, fetch) {
                return;
            }
        }
    }

    /// A fetch of an item was brought by the attempt at another one.
    pub(crate) fn passed(&mut self, key: RunKey, fetch: FetchId) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.session.passed(fetch);
        }
    }

    /// Whether an item's fetch is done.
    pub(crate) fn is_done(&self, key: RunKey, fetch: FetchId) -> bool {
        self.entries.get(&key).is_some_and(|entry| entry.session.is_done(fetch))
    }

    /// The item's parked fetches are in turn again.
    pub(crate) fn release(&mut self, key: RunKey) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.session.release();
            self.ready.insert(entry.rank);
        }
    }

    /// Takes back those fetches of an item that were done.
    pub(crate) fn void(&mut self, key: RunKey, fetches: Vec<FetchId>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        self.ready.insert(entry.rank);
        fetches.into_iter().for_each(|fetch| entry.session.void(fetch));
    }

    /// Whether an item's run has ended; see [`Scheduler::finished`].
    pub(crate) fn settle(&mut self, key: RunKey) -> Option<End> {
        let session = &self.entries.get(&key)?.session;
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
