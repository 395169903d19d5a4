//! How fast bytes may come, over all items: a token bucket. No clock, no waiting.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// The bucket holds what this much time brings ...
const BURST: Duration = Duration::from_millis(250);
/// ... but at least this many bytes.
const LEAST_BURST: u64 = 16 << 10;
/// Longer waits are told in pieces.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A place in the row of those who wait: the number of the last byte that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn(u64);

/// Counts what was taken against what the rate has allowed so far.
///
/// Bytes are taken first and waited for afterwards, by whoever took them: they have arrived by then.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// Bytes a second; `None`: no limit.
    rate: Option<NonZeroU64>,
    /// Bytes that were taken since the beginning.
    taken: u64,
    /// Bytes that were allowed since the beginning, in billionths: ahead of `taken` by one burst at the most.
    allowed: u128,
    /// Up to when `allowed` is counted.
    until: Option<Instant>,
}

const BILLION: u128 = 1_000_000_000;

impl Bucket {
    pub(crate) const fn new(rate: Option<NonZeroU64>) -> Self {
        Self { rate, taken: 0, allowed: 0, until: None }
    }

    /// Changes the rate from `now` on, also for those who wait.
    pub(crate) fn set_rate(&mut self, rate: Option<NonZeroU64>, now: Instant) {
        self.fill(now);
        self.rate = rate;
    }

    /// Takes bytes; the answer is what to [`wait`](Self::wait) for.
    pub(crate) fn take(&mut self, bytes: u64, now: Instant) -> Turn {
        self.fill(now);
        self.taken = self.taken.saturating_add(bytes);
        Turn(self.taken)
    }

    /// How long to wait, as things are at `now`; zero when it is one's turn.
    pub(crate) fn wait(&mut self, turn: Turn, now: Instant) -> Duration {
        self.fill(now);
        let Some(rate) = self.rate else { return Duration::ZERO };
        let missing = u128::from(turn.0).saturating_mul(BILLION).saturating_sub(self.allowed);
        let nanos = missing.div_ceil(u128::from(rate.get()));
        u64::try_from(nanos).map_or(LONGEST_WAIT, Duration::from_nanos).min(LONGEST_WAIT)
    }

    /// Allows what the time until `now` brings. The first bucket is full.
    fn fill(&mut self, now: Instant) {
        let taken = u128::from(self.taken).saturating_mul(BILLION);
        let Some(rate) = self.rate else {
            // Nobody waits, and nothing is saved up.
            (self.allowed, self.until) = (taken, Some(now));
            return;
        };
        let brought = |time: Duration| u128::from(rate.get()).saturating_mul(time.as_nanos());
        let burst = brought(BURST).max(u128::from(LEAST_BURST).saturating_mul(BILLION));
        let until = self.until.unwrap_or(now).max(now);
        let gained = self.until.map_or(burst, |before| brought(now.saturating_duration_since(before)));
        self.allowed = self.allowed.saturating_add(gained).min(taken.saturating_add(burst));
        self.until = Some(until);
    }
}

#[cfg(test)]
mod tests;
