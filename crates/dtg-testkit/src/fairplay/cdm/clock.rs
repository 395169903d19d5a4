//! A clock that a test sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fairplay_keys::{Cancel, Clock, Timestamp};

/// A clock that stands still until it is told otherwise; clones are the same clock.
///
/// Waiting takes no time: it moves the clock on.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<(Timestamp, Duration)>>);

impl TestClock {
    /// A clock that shows this, in seconds since 1970.
    #[must_use]
    pub fn at(seconds: i64) -> Self {
        Self(Arc::new(Mutex::new((Timestamp(seconds), Duration::ZERO))))
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *both = (both.0.plus(time), both.1.saturating_add(time));
    }

    /// Sets the wall clock, as a user does: time does not pass.
    pub fn set(&self, seconds: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = Timestamp(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn wait(&self, time: Duration, cancel: &Cancel) {
        if !cancel.is_cancelled() {
            self.advance(time);
        }
    }
}
