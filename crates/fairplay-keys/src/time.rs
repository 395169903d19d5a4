//! Time as keys know it: seconds, never overflowing, from a clock that is handed in.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A moment by the wall clock, in whole seconds since 1970-01-01 UTC; may be before. Its arithmetic saturates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Where the time comes from, and how it is waited for.
///
/// Wall clocks are set by people: [`Clock::now`] may jump in both directions. [`Clock::monotonic`] never goes back.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some moment of the clock's own.
    fn monotonic(&self) -> Duration;
    /// Waits for so long, or until `cancel` is cancelled.
    fn wait(&self, time: Duration, cancel: &Cancel);
}

/// Ends a long call from another thread; clones belong together.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<(Mutex<bool>, Condvar)>);

impl Timestamp {
    /// The moment so much later.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The time since another moment; nothing if that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Cancel {
    /// A call that is not cancelled yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the calls that were given this; may be called again.
    pub fn cancel(&self) {
        let (cancelled, changed) = &*self.0;
        *cancelled.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits in real time until it is cancelled, at most so long.
    pub fn wait(&self, time: Duration) {
        let (cancelled, changed) = &*self.0;
        let guard = cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(guard, time, |cancelled| !*cancelled));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arithmetic_overflows() {
        assert_eq!(Timestamp(i64::MAX).plus(Duration::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(
            Timestamp(i64::MAX).since(Timestamp(i64::MIN)),
            Duration::from_secs(i64::MAX.unsigned_abs())
        );
        assert_eq!(Timestamp(-5).plus(Duration::from_secs(7)), Timestamp(2));
    }

    #[test]
    fn a_cancelled_wait_ends_at_once() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let waits = std::thread::spawn(move || other.wait(Duration::from_secs(600)));
        cancel.cancel();
        waits.join().unwrap();
        assert!(cancel.is_cancelled());
    }
}
