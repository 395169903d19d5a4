//! Whether a license is asked for again, when, and with which token: a state machine without I/O.

use std::time::Duration;

use super::EnginePolicy;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::provider::Freshness;

/// The attempts at one license.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    policy: EnginePolicy,
    made: u32,
    refreshed: bool,
    /// Spreads the waits of keys that failed together.
    scatter: u64,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask again with a new SPC.
    Again { after: Duration, token: Freshness },
    /// Report the failure.
    GiveUp,
}

impl Attempts {
    pub(super) const fn new(policy: EnginePolicy, scatter: u64) -> Self {
        Self { policy, made: 0, refreshed: false, scatter }
    }

    pub(super) const fn made(&self) -> u32 {
        self.made
    }

    /// After a refused token (401), once, with a fresh one, at once; after what may pass, later; else never.
    pub(super) fn failed(&mut self, error: &KeyError) -> Next {
        self.made = self.made.saturating_add(1);
        let token_refused = matches!(error.kind(), KeyErrorKind::Status { status: 401, .. });
        if token_refused && !self.refreshed {
            self.refreshed = true;
            return Next::Again { after: Duration::ZERO, token: Freshness::Renewed };
        }
        if !error.is_retryable() || self.made >= self.policy.max_attempts {
            return Next::GiveUp;
        }
        match error.retry_after() {
            Some(asked) if asked > self.policy.max_delay => Next::GiveUp,
            asked => {
                Next::Again { after: self.delay().max(asked.unwrap_or_default()), token: Freshness::Any }
            }
        }
    }

    /// Doubled each time, and up to a half more.
    fn delay(&self) -> Duration {
        let doublings = self.made.saturating_sub(1).min(20);
        let delay = self.policy.first_delay.saturating_mul(1 << doublings).min(self.policy.max_delay);
        let more = u32::try_from(self.scatter.rotate_left(self.made) % 500).unwrap_or(0);
        delay.saturating_add(delay.saturating_mul(more) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::TransportError;

    fn status(status: u16, retry_after: Option<u64>) -> KeyError {
        KeyErrorKind::Status { status, retry_after: retry_after.map(Duration::from_secs) }.into()
    }

    fn attempts() -> Attempts {
        Attempts::new(EnginePolicy::default(), 0)
    }

    #[test]
    fn weather_is_waited_out_longer_each_time_and_not_for_ever() {
        let mut attempts = attempts();
        let again = |seconds| Next::Again { after: Duration::from_secs(seconds), token: Freshness::Any };
        let weather = KeyError::from(TransportError::TimedOut);
        let next: Vec<Next> = (0..4).map(|_| attempts.failed(&weather)).collect();
        assert_eq!(next, [again(1), again(2), again(4), Next::GiveUp]);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it_unless_it_is_too_long() {
        let again = |seconds| Next::Again { after: Duration::from_secs(seconds), token: Freshness::Any };
        assert_eq!(attempts().failed(&status(429, Some(17))), again(17));
        assert_eq!(attempts().failed(&status(503, Some(0))), again(1));
        assert_eq!(attempts().failed(&status(503, Some(3600))), Next::GiveUp);
    }

    #[test]
    fn a_refused_token_is_renewed_once_and_a_refusal_is_never_asked_again() {
        let mut attempts = attempts();
        let fresh = Next::Again { after: Duration::ZERO, token: Freshness::Renewed };
        assert_eq!(attempts.failed(&status(401, None)), fresh);
        assert_eq!(attempts.failed(&status(401, None)), Next::GiveUp);
        for refusal in [
            status(403, None),
            KeyErrorKind::ServerRejected { code: None, message: String::new() }.into(),
            KeyErrorKind::Cancelled.into(),
        ] {
            assert_eq!(self::attempts().failed(&refusal), Next::GiveUp);
        }
    }

    #[test]
    fn waits_differ_from_key_to_key() {
        let wait = |scatter| Attempts::new(EnginePolicy::default(), scatter).failed(&status(503, None));
        assert_ne!(wait(1), wait(2));
    }
}
