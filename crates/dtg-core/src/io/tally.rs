//! How much of a running item is there: counted by all its threads, told as progress.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Until so much of an item is done, as one part of so many, its own sizes count less than the estimate.
const TRUST: u64 = 16;

/// Bytes and fetches of a run, counted by all its threads.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    downloaded: AtomicU64,
    /// Of those, the bytes of fetches that are done.
    kept: AtomicU64,
    /// The done ones as they are, the others as planned.
    expected: AtomicU64,
    done: AtomicU32,
    /// Fetches of which nothing was planned that are not done.
    unknown: AtomicU32,
    /// Of the fetches that were done in this run and had a planned length: that, and the real one.
    planned: AtomicU64,
    real: AtomicU64,
    /// The most bytes that were told.
    most: AtomicU64,
    /// The largest fraction that was told, in parts of 2^32.
    best: AtomicU64,
}

impl Tally {
    /// A tally where `done` fetches and `downloaded` bytes of `expected` are there already.
    pub(crate) fn new(downloaded: u64, expected: u64, done: u32) -> Self {
        Self {
            downloaded: downloaded.into(),
            kept: downloaded.into(),
            expected: expected.into(),
            done: done.into(),
            ..Self::default()
        }
    }

    /// The same, where nothing is known of the lengths of so many fetches that are to come.
    pub(crate) fn with_unknown(self, fetches: u32) -> Self {
        Self { unknown: fetches.into(), ..self }
    }

    pub(crate) fn arrived(&self, bytes: u64) {
        self.downloaded.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back bytes of an attempt that failed.
    pub(crate) fn lost(&self, bytes: u64) {
        self.downloaded.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts a done fetch, whose real length replaces the planned one.
    pub(crate) fn done(&self, planned: u64, real: u64) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.kept.fetch_add(real, Ordering::Relaxed);
        if planned == 0 {
            let less = |unknown: u32| Some(unknown.saturating_sub(1));
            // It always answers with a value.
            let _ = self.unknown.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        } else {
            self.planned.fetch_add(planned, Ordering::Relaxed);
            self.real.fetch_add(real, Ordering::Relaxed);
        }
        if real >= planned {
            self.expected.fetch_add(real - planned, Ordering::Relaxed);
        } else {
            self.expected.fetch_sub(planned - real, Ordering::Relaxed);
        }
    }

    /// Takes back a done fetch.
    pub(crate) fn undone(&self, length: u64) {
        self.done.fetch_sub(1, Ordering::Relaxed);
        self.kept.fetch_sub(length, Ordering::Relaxed);
        self.lost(length);
    }

    pub(crate) fn downloaded(&self) -> u64 {
        self.downloaded.load(Ordering::Relaxed)
    }

    /// Bytes that are there, as listeners are told: never fewer than before.
    pub(crate) fn told(&self) -> u64 {
        let now = self.downloaded();
        self.most.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// Bytes that will not be fetched again.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// All bytes, as far as can be told: what is to come is taken for as much larger or smaller than
    /// planned as what is done, and what nothing is known of for as large as a done fetch on average.
    /// Never less than what is there.
    pub(crate) fn expected(&self) -> u64 {
        let kept = self.kept();
        let expected = self.expected.load(Ordering::Relaxed);
        let rest = scaled(expected.saturating_sub(kept), self.ratio(expected));
        let (unknown, done) = (self.unknown.load(Ordering::Relaxed), self.fetches_done());
        let each = if done == 0 { self.downloaded() } else { kept / u64::from(done) };
        let guessed = each.saturating_mul(unknown.into());
        kept.saturating_add(rest).saturating_add(guessed).max(self.downloaded())
    }

    /// Real bytes to planned ones.
    fn ratio(&self, expected: u64) -> (u64, u64) {
        let trust = (expected / TRUST).max(1);
        let of = |bytes: &AtomicU64| bytes.load(Ordering::Relaxed).saturating_add(trust);
        (of(&self.real), of(&self.planned))
    }

    /// How many more bytes are expected.
    pub(crate) fn to_come(&self) -> u64 {
        self.expected().saturating_sub(self.downloaded())
    }

    pub(crate) fn fetches_done(&self) -> u32 {
        self.done.load(Ordering::Relaxed)
    }

    /// How much is there, from 0 to just under 1, never falling.
    pub(crate) fn fraction(&self) -> f64 {
        const ONE: u64 = 1 << 32;
        let parts = scaled(ONE, (self.downloaded(), self.expected().max(1))).min(ONE - 1);
        let best = self.best.fetch_max(parts, Ordering::Relaxed).max(parts);
        u32::try_from(best).map_or(1.0, f64::from) / 4_294_967_296.0
    }
}

/// `bytes` times a ratio.
fn scaled(bytes: u64, (real, planned): (u64, u64)) -> u64 {
    let scaled = u128::from(bytes) * u128::from(real) / u128::from(planned.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_and_the_bytes_never_fall_and_the_fraction_stays_below_one() {
        let tally = Tally::new(0, 100, 0);
        tally.arrived(50);
        assert!((tally.fraction() - 0.5).abs() < 1e-6);
        assert_eq!(tally.told(), 50);
        tally.lost(20);
        assert!((tally.fraction() - 0.5).abs() < 1e-6, "does not fall");
        assert_eq!((tally.told(), tally.downloaded()), (50, 30));
        tally.arrived(500);
        assert!(tally.fraction() < 1.0);
        assert_eq!(tally.expected(), 530);
    }

    #[test]
    fn real_lengths_replace_planned_ones() {
        let tally = Tally::new(0, 100, 0);
        tally.arrived(90);
        tally.done(60, 80);
        tally.done(40, 10);
        assert_eq!((tally.expected(), tally.downloaded(), tally.fetches_done()), (90, 90, 2));
    }

    #[test]
    fn what_is_to_come_is_corrected_by_what_came() {
        let tally = Tally::new(0, 16_000, 0);
        for _ in 0..8 {
            tally.arrived(500);
            tally.done(1000, 500);
        }
        // Half as large as planned so far: 4,000 are there, and a little more than 4,000 to come.
        assert!((8_300..8_400).contains(&tally.expected()), "{}", tally.expected());
    }

    #[test]
    fn fetches_of_unknown_length_weigh_as_much_as_those_that_are_done() {
        let tally = Tally::new(0, 0, 0).with_unknown(10);
        assert!(tally.fraction() < 1e-6);
        tally.arrived(100);
        tally.done(0, 100);
        assert_eq!(tally.expected(), 1000);
        assert!((tally.fraction() - 0.1).abs() < 1e-6);
    }
}
