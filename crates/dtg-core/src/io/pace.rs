//! Notices a transfer that still moves, but so slowly that it counts as broken.

use std::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::http_settings::LowSpeed;

/// The bytes of one transfer over windows of time.
#[derive(Debug)]
pub(crate) struct Pace {
    floor: LowSpeed,
    since: Instant,
    bytes: u64,
}

impl Pace {
    /// Begins with an empty window.
    #[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
    pub(crate) fn start(floor: LowSpeed) -> Self {
        Self::start_at(floor, Instant::now())
    }

    const fn start_at(floor: LowSpeed, now: Instant) -> Self {
        Self { floor, since: now, bytes: 0 }
    }

    /// Counts bytes that came; an error when a whole window brought too few.
    #[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
    pub(crate) fn took(&mut self, bytes: usize) -> Result<(), Error> {
        if self.floor.bytes_per_second == 0 {
            return Ok(());
        }
        match self.took_at(u64::try_from(bytes).unwrap_or(u64::MAX), Instant::now()) {
            true => Ok(()),
            false => {
                let floor = self.floor.bytes_per_second;
                Err(Error::new(ErrorKind::Unreachable(format!("fewer than {floor} bytes a second came"))))
            }
        }
    }

    /// Begins anew: it was not the server who took the time.
    #[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
    pub(crate) fn forget(&mut self) {
        (self.since, self.bytes) = (Instant::now(), 0);
    }

    /// Whether it is fast enough so far.
    fn took_at(&mut self, bytes: u64, now: Instant) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < self.floor.window {
            return true;
        }
        let needed = u128::from(self.floor.bytes_per_second).saturating_mul(elapsed.as_millis()) / 1000;
        let is_enough = u128::from(self.bytes) >= needed;
        (self.since, self.bytes) = (now, 0);
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FLOOR: LowSpeed = LowSpeed { bytes_per_second: 100, window: Duration::from_secs(10) };

    #[expect(clippy::disallowed_methods, reason = "an instant can be made in no other way")]
    fn now() -> Instant {
        Instant::now()
    }

    /// `"3:500 12:400"`: so many bytes at so many seconds; whether the last of them still were fast enough.
    #[track_caller]
    fn check(arrivals: &str, expected: bool) {
        let start = now();
        let mut pace = Pace::start_at(FLOOR, start);
        let mut last = true;
        for arrival in arrivals.split_whitespace() {
            let (at, bytes) = arrival.split_once(':').unwrap();
            last = pace.took_at(bytes.parse().unwrap(), start + Duration::from_secs(at.parse().unwrap()));
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
    fn each_window_stands_alone() {
        check("10:100000 20:1", false);
        check("10:1000 20:1000 30:1000", true);
    }
}
