//! Tries one piece of work again, by a policy, on the thread that asked for it.

use std::time::Instant;

use super::cancel::CancelToken;
use super::chance::any_seed;
use crate::error::Error;
use crate::retry::{Attempts, Jitter, RetryPolicies, Setback};

/// The answer of `work`, which is done by the policy for playlists until it succeeds. Between two tries
/// the thread waits, unless the token is cancelled.
#[expect(clippy::disallowed_methods, reason = "waits are measured by the clock, here at the edge")]
pub(crate) fn again<T>(
    retries: &RetryPolicies,
    token: &CancelToken,
    work: impl Fn() -> Result<T, Error>,
) -> Result<T, Error> {
    let (mut attempts, mut jitter) = (Attempts::default(), Jitter::new(any_seed()));
    loop {
        let error = match work() {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let setback =
            Setback { failure: error.failure(), retry_after: error.retry_after(), progressed: false };
        let delay = attempts.failed(setback, &retries.playlist, retries, (Instant::now(), &mut jitter));
        match delay {
            Some(delay) if token.pause(delay) => {}
            _ => return Err(error.after(attempts.count())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::error::ErrorKind;
    use crate::retry::RetryPolicy;

    /// How often work is done that fails so many times with this status.
    fn tries(status: u16, failures: u32, policy: RetryPolicy) -> (u32, bool) {
        let count = Cell::new(0);
        let done = again(&policy.into(), &CancelToken::default(), || {
            count.set(count.get() + 1);
            if count.get() <= failures { Err(Error::new(ErrorKind::Status(status))) } else { Ok(()) }
        });
        (count.get(), done.is_ok())
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        let at_once = RetryPolicy { max_attempts: 3, first_delay: Duration::ZERO, max_delay: Duration::ZERO };
        assert_eq!(tries(503, 2, at_once), (3, true));
        assert_eq!(tries(503, 3, at_once), (3, false));
        assert_eq!(tries(404, 1, at_once), (1, false));
    }

    #[test]
    fn cancelling_ends_the_wait_between_two_tries() {
        let hour = Duration::from_secs(3600);
        let slow = RetryPolicy { max_attempts: 9, first_delay: hour, max_delay: hour };
        let token = CancelToken::default();
        let waiter = {
            let token = token.clone();
            thread::spawn(move || {
                again(&slow.into(), &token, || Err::<(), _>(Error::new(ErrorKind::Status(503))))
            })
        };
        token.cancel();
        assert!(waiter.join().unwrap().is_err());
    }
}
