//! The rules of trying again, with made-up instants.

use proptest::prelude::*;

use super::*;

const POLICY: RetryPolicy =
    RetryPolicy { max_attempts: 4, first_delay: Duration::from_secs(1), max_delay: Duration::from_secs(3) };

#[expect(clippy::disallowed_methods, reason = "any instant will do as time zero")]
fn zero() -> Instant {
    Instant::now()
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn limits() -> RetryPolicies {
    RetryPolicies { longest_retry_after: secs(100), patience: secs(200), ..POLICY.into() }
}

/// Attempts that end at these seconds; the answer to each is whether there is another.
#[track_caller]
fn check(attempts: &[(u64, Setback)], expected: &[bool]) {
    let (zero, mut jitter, mut counted) = (zero(), Jitter::new(1), Attempts::default());
    let tried_again: Vec<bool> = attempts
        .iter()
        .map(|(at, setback)| {
            counted.failed(*setback, &POLICY, &limits(), (zero + secs(*at), &mut jitter)).is_some()
        })
        .collect();
    assert_eq!(tried_again, expected, "{attempts:?}");
}

fn asking(retry_after: u64) -> Setback {
    Setback { retry_after: Some(secs(retry_after)), ..Failure::Transient.into() }
}

#[test]
fn the_longest_delay_doubles_up_to_the_limit_and_then_it_ends() {
    let seen = [1, 2, 3, 4].map(|attempt| POLICY.after(attempt, Failure::Transient));
    let within = |count| Verdict::RetryWithin(secs(count));
    assert_eq!(seen, [within(1), within(2), within(3), Verdict::GiveUp]);
}

#[test]
fn statuses_that_pass_are_retried_and_others_are_not() {
    let sorted = |failure| move |status| Failure::from_status(status) == failure;
    assert!([408, 425, 429, 500, 502, 503, 504, 599].into_iter().all(sorted(Failure::Transient)));
    assert!([401, 403, 410].into_iter().all(sorted(Failure::Expired)));
    assert!([301, 400, 404, 416, 451, 600].into_iter().all(sorted(Failure::Refused)));
}

#[test]
fn only_what_may_pass_is_tried_again() {
    for failure in [Failure::Device, Failure::Expired, Failure::Refused] {
        assert_eq!(POLICY.after(1, failure), Verdict::GiveUp, "{failure:?}");
    }
}

#[test]
fn attempts_count_since_the_last_progress() {
    let stuck = Setback::from(Failure::Transient);
    let further = Setback { progressed: true, ..stuck };
    check(&[(0, stuck), (1, stuck), (2, stuck), (3, stuck)], &[true, true, true, false]);
    check(&[(0, stuck), (1, stuck), (2, stuck), (3, further), (4, stuck)], &[true; 5]);
}

#[test]
fn a_request_is_given_up_when_it_got_no_further_for_too_long() {
    let stuck = Setback::from(Failure::Transient);
    check(&[(0, stuck), (200, stuck)], &[true, true]);
    check(&[(0, stuck), (201, stuck)], &[true, false]);
    check(&[(0, stuck), (201, Setback { progressed: true, ..stuck })], &[true, true]);
    check(&[(0, stuck), (150, asking(60))], &[true, false]);
}

#[test]
fn a_server_that_asks_for_too_long_a_wait_ends_the_trying() {
    check(&[(0, asking(100))], &[true]);
    check(&[(0, asking(101))], &[false]);
    check(&[(0, asking(u64::MAX))], &[false]);
}

#[test]
fn each_kind_of_resource_has_its_policy() {
    let once = |max_attempts| RetryPolicy { max_attempts, ..POLICY };
    let policies = RetryPolicies { segment: once(1), map: once(2), key: once(3), ..limits() };
    let attempts = |role| policies.of(role).max_attempts;
    assert_eq!([Role::Segment, Role::Map, Role::Key, Role::Subtitle].map(attempts), [1, 2, 3, 1]);
}

proptest! {
    #[test]
    fn a_delay_is_never_shorter_than_asked_for_nor_longer_than_the_policy_adds(
        seed in any::<u64>(),
        asked in 0_u64..=100,
        first in any::<Duration>(),
        longest in any::<Duration>(),
    ) {
        let policy = RetryPolicy { max_attempts: 2, first_delay: first, max_delay: longest };
        let mut jitter = Jitter::new(seed);
        let delay = Attempts::default().failed(asking(asked), &policy, &limits(), (zero(), &mut jitter));
        let delay = delay.expect("the first attempt of two");
        prop_assert!(delay >= secs(asked));
        prop_assert!(delay <= secs(asked).saturating_add(first.min(longest)));
    }

    #[test]
    fn delays_are_spread_over_all_that_the_policy_allows(seed in any::<u64>()) {
        let mut jitter = Jitter::new(seed);
        let delays: Vec<Duration> = (0..200).map(|_| jitter.below(secs(100))).collect();
        for quarter in 0..4 {
            let within = secs(25 * quarter)..secs(25 * (quarter + 1));
            prop_assert!(delays.iter().any(|delay| within.contains(delay)), "none in {:?}", within);
        }
        let mut same = Jitter::new(seed);
        prop_assert_eq!(delays.first(), Some(&same.below(secs(100))));
    }
}
