//! Notices a transfer that still moves, but so slowly that it counts as broken.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};
use crate::http_settings::LowSpeed;

/// The bytes of one transfer over windows of the time that was spent waiting for them.
#[derive(Debug)]
pub(crate) struct Pace {
    floor: LowSpeed,
    /// When the wait began that is not counted yet.
    since: Option<Instant>,
    /// What the window has seen so far.
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Begins with an empty window.
    pub(crate) const fn new(floor: LowSpeed) -> Self {
        Self { floor, since: None, waited: Duration::ZERO, bytes: 0 }
    }

    /// From now on the server is waited for; what took its time before was not the server.
    #[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
    pub(crate) fn waits(&mut self) {
        if self.floor.bytes_per_second > 0 {
            self.waits_from(Instant::now());
        }
    }

    /// Counts bytes that came; an error when a whole window brought too few.
    #[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
    pub(crate) fn took(&mut self, bytes: usize) -> Result<(), Error> {
        let floor = self.floor.bytes_per_second;
        if floor == 0 || self.took_at(u64::try_from(bytes).unwrap_or(u64::MAX), Instant::now()) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unreachable(format!("fewer than {floor} bytes a second came"))))
    }

    const fn waits_from(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// Whether it is fast enough so far.
    fn took_at(&mut self, bytes: u64, now: Instant) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let waited = self.since.take().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.waited = self.waited.saturating_add(waited);
        if self.waited < self.floor.window {
            return true;
        }
        let needed = u128::from(self.floor.bytes_per_second).saturating_mul(self.waited.as_millis()) / 1000;
        let is_enough = u128::from(self.bytes) >= needed;
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: LowSpeed = LowSpeed { bytes_per_second: 100, window: Duration::from_secs(10) };

    #[expect(clippy::disallowed_methods, reason = "an instant can be made in no other way")]
    fn now() -> Instant {
        Instant::now()
    }

    /// `"3:500 12:400"`: so many bytes at so many seconds; `"3-9"`: meanwhile nobody waits for the server. Whether the
    /// last bytes still were fast enough.
    #[track_caller]
    fn check(arrivals: &str, expected: bool) {
        let start = now();
        let at = |seconds: &str| start + Duration::from_secs(seconds.parse().unwrap());
        let mut pace = Pace::new(FLOOR);
        pace.waits_from(start);
        let mut last = true;
        for step in arrivals.split_whitespace() {
            if let Some((from, to)) = step.split_once('-') {
                pace.took_at(0, at(from));
                pace.waits_from(at(to));
            } else {
                let (when, bytes) = step.split_once(':').unwrap();
                last = pace.took_at(bytes.parse().unwrap(), at(when));
                pace.waits_from(at(when));
            }
        }
        assert_eq!(last, expected, "{arrivals}");
    }

    #[test]
    fn a_window_with_too_few_bytes_is_too_slow() {
        check("3:1 9:1", true);
        check("3:1 10:998", false);
        check("3:1 10:999", true);
        check("20:1999", false);
        check("20:2000", true);
    }

    #[test]
    fn what_holds_the_bytes_back_on_this_side_does_not_count() {
        check("1-50 51:1000", true);
        check("1:500 1-50 51:400 51-90 91:100", true);
        check("1-50 60:100", false);
    }

    #[test]
    fn each_window_stands_alone() {
        check("10:100000 20:1", false);
        check("10:1000 20:1000 30:1000", true);
    }
}
