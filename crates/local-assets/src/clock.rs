//! The clock of this machine.

use std::time::{Duration, Instant, SystemTime};

use fairplay_keys::{Cancel, Clock, Timestamp};

/// The clock of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that others are handed")]
impl SystemClock {
    /// The clock of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    fn wall() -> SystemTime {
        SystemTime::now()
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        match Self::wall().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Timestamp(seconds(after)),
            Err(before) => Timestamp(-seconds(before.duration())),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn wait(&self, time: Duration, cancel: &Cancel) {
        cancel.wait(time);
    }
}
