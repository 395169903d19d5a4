//! How fast bytes arrive, smoothed. The clock is passed in.

use std::time::{Duration, Instant};

/// About so long ago is forgotten.
const MEMORY: Duration = Duration::from_secs(5);

/// A rate over the last seconds, from how much was there when.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Speed {
    last: Option<(Instant, u64)>,
    bytes_per_second: u64,
}

impl Speed {
    /// When it was last told how much is there.
    pub(crate) fn told_at(&self) -> Option<Instant> {
        self.last.map(|(at, _)| at)
    }

    /// Takes in how much is there at `now`; what was taken back meanwhile counts as nothing.
    pub(crate) fn observe(&mut self, now: Instant, bytes: u64) {
        let Some((before, had)) = self.last.replace((now, bytes)) else { return };
        let took = now.saturating_duration_since(before).as_millis().max(1);
        let arrived = u128::from(bytes.saturating_sub(had)).saturating_mul(1000);
        let is_first = self.bytes_per_second == 0;
        let memory = if is_first { 0 } else { MEMORY.as_millis() };
        let weighted = u128::from(self.bytes_per_second).saturating_mul(memory).saturating_add(arrived);
        self.bytes_per_second = u64::try_from(weighted / memory.saturating_add(took)).unwrap_or(u64::MAX);
    }

    /// Bytes a second; 0 before two observations.
    pub(crate) const fn bytes_per_second(&self) -> u64 {
        self.bytes_per_second
    }

    /// How long `bytes` take at this speed; `None` while nothing arrives.
    pub(crate) fn time_for(&self, bytes: u64) -> Option<Duration> {
        let millis = u128::from(bytes).saturating_mul(1000).checked_div(self.bytes_per_second.into())?;
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps `milliseconds+bytes`, and the speed after them.
    #[track_caller]
    fn check(steps: &str, expected: u64) -> Speed {
        #[expect(clippy::disallowed_methods, reason = "any instant will do")]
        let (mut now, mut there, mut speed) = (Instant::now(), 0, Speed::default());
        speed.observe(now, there);
        for step in steps.split_whitespace() {
            let (millis, bytes) = step.split_once('+').unwrap();
            now += Duration::from_millis(millis.parse().unwrap());
            there += bytes.parse::<u64>().unwrap();
            speed.observe(now, there);
        }
        assert_eq!(speed.bytes_per_second(), expected, "{steps}");
        speed
    }

    #[test]
    fn an_even_flow_has_its_own_speed() {
        check("", 0);
        check("200+200", 1000);
        check("200+200 200+200 1000+1000", 1000);
    }

    #[test]
    fn a_change_shows_by_and_by() {
        check("1000+1000 1000+7000", 2000);
        check("1000+1000 1000+0", 833);
    }

    #[test]
    fn the_time_left_is_known_once_something_arrives() {
        assert_eq!(check("1000+1000", 1000).time_for(2500), Some(Duration::from_millis(2500)));
        assert_eq!(check("1000+0", 0).time_for(1), None);
    }
}
