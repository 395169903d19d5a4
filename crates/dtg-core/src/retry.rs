//! When a failed request is worth another try: the one place that decides.

use std::time::Duration;

/// Why an attempt failed, as far as retrying is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Timeout, reset, cut, 408, 425, 429 or 5xx: the same request may yet succeed.
    Transient,
    /// The server's answer will not change by asking again: another 4xx, a page instead of a segment.
    Refused,
    /// This device can't take it now: the disk is full or broken, or there is no permission.
    Device,
}

impl Failure {
    /// Sorts an HTTP status that is not the one asked for.
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            408 | 425 | 429 | 500..=599 => Self::Transient,
            _ => Self::Refused,
        }
    }
}

/// How often, and how far apart, one request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries without progress before giving up, the first one included.
    pub max_attempts: u32,
    /// Delay after the first failure; each further one doubles it.
    pub first_delay: Duration,
    /// No delay is longer than this.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, 250 ms after the first and at most 15 s apart.
    fn default() -> Self {
        Self { max_attempts: 5, first_delay: Duration::from_millis(250), max_delay: Duration::from_secs(15) }
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this long.
    RetryAfter(Duration),
    /// Stop, and report.
    GiveUp,
}

impl RetryPolicy {
    /// The verdict after failed attempt number `attempt`, counted from 1 since the last progress.
    #[must_use]
    pub fn after(&self, attempt: u32, failure: Failure) -> Verdict {
        if failure != Failure::Transient || attempt >= self.max_attempts {
            return Verdict::GiveUp;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        Verdict::RetryAfter(self.first_delay.saturating_mul(doubled).min(self.max_delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        max_attempts: 4,
        first_delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(3),
    };

    #[test]
    fn delays_double_up_to_the_limit_then_stop() {
        let seen = [1, 2, 3, 4].map(|attempt| POLICY.after(attempt, Failure::Transient));
        let after = |secs| Verdict::RetryAfter(Duration::from_secs(secs));
        assert_eq!(seen, [after(1), after(2), after(3), Verdict::GiveUp]);
    }

    #[test]
    fn statuses_that_pass_are_retried_and_others_are_not() {
        let retried = |status| Failure::from_status(status) == Failure::Transient;
        assert!([408, 425, 429, 500, 502, 503, 504, 599].into_iter().all(retried));
        assert!(![301, 400, 401, 403, 404, 410, 416, 600].into_iter().any(retried));
    }

    #[test]
    fn a_full_disk_is_never_retried() {
        assert_eq!(POLICY.after(1, Failure::Device), Verdict::GiveUp);
    }
}
