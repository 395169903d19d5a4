//! One item's fetches as a state machine without I/O.
//!
//! Fetches are started in the plan's order, so that what is downloaded first plays first. Memory is
//! one bit a fetch, and a few words for each one that failed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

use crate::plan::FetchId;
use crate::retry::{Failure, RetryPolicy, Verdict};

/// A policy may ask for more than an [`Instant`] can hold.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How one attempt at a fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its bytes are in the file and its record is in the journal.
    Done,
    /// The attempt failed.
    Failed(Failure),
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

/// Decides which fetch is started when; never fetches.
#[derive(Debug)]
pub(crate) struct Session {
    done: Bits,
    total: u32,
    left: u32,
    next: u32,
    in_flight: u32,
    again: BinaryHeap<Reverse<(Instant, FetchId)>>,
    attempts: BTreeMap<FetchId, u32>,
    policy: RetryPolicy,
    stopped: Option<(FetchId, Failure)>,
}

impl Session {
    /// A session over fetches `0..total`, less those that are done.
    pub(crate) fn new(total: u32, done: impl IntoIterator<Item = FetchId>, policy: RetryPolicy) -> Self {
        let mut bits = Bits::new(total);
        let already = done.into_iter().filter(|fetch| fetch.0 < total && bits.set(fetch.0)).count();
        let left = total.saturating_sub(u32::try_from(already).unwrap_or(u32::MAX));
        Self {
            done: bits,
            total,
            left,
            next: 0,
            in_flight: 0,
            again: BinaryHeap::new(),
            attempts: BTreeMap::new(),
            policy,
            stopped: None,
        }
    }

    /// The next thing to do at `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Step {
        if let Some(end) = self.ended() {
            return end;
        }
        match self.take(now) {
            Some(fetch) => {
                self.in_flight += 1;
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

    fn take(&mut self, now: Instant) -> Option<FetchId> {
        if self.again.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            return self.again.pop().map(|Reverse((_, fetch))| fetch);
        }
        while self.next < self.total {
            let fetch = self.next;
            self.next += 1;
            if !self.done.get(fetch) {
                return Some(FetchId(fetch));
            }
        }
        None
    }

    /// Reports how the attempt at `fetch` ended.
    pub(crate) fn finished(&mut self, fetch: FetchId, outcome: Outcome, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match outcome {
            Outcome::Done => {
                self.attempts.remove(&fetch);
                if self.done.set(fetch.0) {
                    self.left = self.left.saturating_sub(1);
                }
            }
            Outcome::Failed(failure) => self.failed(fetch, failure, now),
        }
    }

    fn failed(&mut self, fetch: FetchId, failure: Failure, now: Instant) {
        let attempt = self.attempts.entry(fetch).or_insert(0);
        *attempt += 1;
        match self.policy.after(*attempt, failure) {
            Verdict::RetryAfter(delay) => self.again.push(Reverse((now + delay.min(LONGEST_DELAY), fetch))),
            Verdict::GiveUp => {
                self.stopped.get_or_insert((fetch, failure));
            }
        }
    }

    /// Takes back a fetch that was done: its file turned out to be another version. Whether it was done.
    pub(crate) fn void(&mut self, fetch: FetchId, now: Instant) -> bool {
        let was_done = self.done.clear(fetch.0);
        if was_done {
            self.left += 1;
        }
        // One that is still ahead comes in its turn.
        if was_done && fetch.0 < self.next {
            self.again.push(Reverse((now, fetch)));
        }
        was_done
    }

    /// Attempts that were started and have not ended.
    pub(crate) const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Failed attempts at `fetch` since it was last done.
    pub(crate) fn attempts(&self, fetch: FetchId) -> u32 {
        self.attempts.get(&fetch).copied().unwrap_or(0)
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
