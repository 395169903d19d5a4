//! The session's rules, with made-up instants.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::retry::RetryPolicy;

#[expect(clippy::disallowed_methods, reason = "any instant will do as time zero")]
fn zero() -> Instant {
    Instant::now()
}

const AT_ONCE: RetryPolicy =
    RetryPolicy { max_attempts: 5, first_delay: Duration::ZERO, max_delay: Duration::ZERO };

fn rules(run_ahead: u32) -> Rules {
    Rules { retries: AT_ONCE.into(), run_ahead, seed: 7 }
}

fn session(total: u32, done: &[u32]) -> Session {
    Session::new(total, done.iter().copied().map(FetchId), rules(256))
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed(Role::Segment, failure.into())
}

/// A failure after which the server wants to be left alone for so many seconds.
fn failed_for(seconds: u64) -> Outcome {
    let retry_after = Some(Duration::from_secs(seconds));
    Outcome::Failed(Role::Segment, Setback { retry_after, ..Failure::Transient.into() })
}

fn fetch(n: u32) -> Step {
    Step::Fetch(FetchId(n))
}

#[test]
fn fetches_come_in_plan_order_less_those_that_are_done() {
    let (now, mut session) = (zero(), session(5, &[0, 2, 2, 9]));
    let steps: Vec<Step> = (0..4).map(|_| session.poll(now)).collect();
    assert_eq!(steps, [fetch(1), fetch(3), fetch(4), Step::Wait(None)]);
    for n in [3, 1, 4] {
        session.finished(FetchId(n), Outcome::Done, now);
    }
    assert_eq!(session.poll(now), Step::Done);
}

#[test]
fn a_session_whose_fetches_are_all_done_is_done_at_once() {
    assert_eq!(session(2, &[0, 1]).poll(zero()), Step::Done);
    assert_eq!(session(0, &[]).poll(zero()), Step::Done);
}

#[test]
fn a_failed_fetch_waits_its_turn_and_does_not_hold_up_the_next() {
    let (now, mut session) = (zero(), session(2, &[]));
    assert_eq!(session.poll(now), fetch(0));
    session.finished(FetchId(0), failed_for(3), now);
    assert_eq!(session.poll(now), fetch(1));
    session.finished(FetchId(1), Outcome::Done, now);
    let due = now + Duration::from_secs(3);
    assert_eq!(session.poll(now), Step::Wait(Some(due)));
    assert_eq!(session.poll(due), fetch(0));
    session.finished(FetchId(0), Outcome::Done, due);
    assert_eq!(session.poll(due), Step::Done);
}

#[test]
fn an_item_stops_after_the_last_attempt_and_says_which_fetch_it_was() {
    let (now, mut session) = (zero(), session(1, &[]));
    for _ in 0..5 {
        assert_eq!(session.poll(now), fetch(0));
        session.finished(FetchId(0), failed(Failure::Transient), now);
    }
    assert_eq!(session.poll(now), Step::Stop(FetchId(0), Failure::Transient));
    assert_eq!(session.attempts(FetchId(0)), 5);
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn the_first_fault_that_stops_an_item_is_the_one_reported() {
    let (now, mut session) = (zero(), session(2, &[]));
    session.poll(now);
    session.poll(now);
    session.finished(FetchId(1), failed(Failure::Refused), now);
    session.finished(FetchId(0), failed(Failure::Device), now);
    assert_eq!(session.poll(now), Step::Stop(FetchId(1), Failure::Refused));
}

#[test]
fn a_voided_fetch_is_fetched_again_before_those_behind_it() {
    let (now, mut session) = (zero(), session(3, &[0]));
    assert_eq!(session.poll(now), fetch(1));
    session.void(FetchId(0));
    session.void(FetchId(0));
    assert_eq!(session.poll(now), fetch(0));
    assert_eq!(session.poll(now), fetch(2));
    for n in [0, 1, 2] {
        session.finished(FetchId(n), Outcome::Done, now);
    }
    assert_eq!(session.poll(now), Step::Done);
}

#[test]
fn a_fetch_that_yielded_is_the_next_in_turn_and_counts_no_attempt() {
    let (now, mut session) = (zero(), session(3, &[]));
    assert_eq!([session.poll(now), session.poll(now)], [fetch(0), fetch(1)]);
    session.finished(FetchId(0), Outcome::Yielded, now);
    assert_eq!([session.poll(now), session.poll(now)], [fetch(0), fetch(2)]);
    assert_eq!(session.attempts(FetchId(0)), 0);
}

#[test]
fn a_fetch_that_is_stuck_lets_others_run_ahead_only_so_far() {
    let now = zero();
    let mut session = Session::new(10, [FetchId(0)], rules(3));
    assert_eq!([1, 2, 3].map(|_| session.poll(now)), [1, 2, 3].map(fetch), "1 is the first undone");
    session.finished(FetchId(2), Outcome::Done, now);
    session.finished(FetchId(3), Outcome::Done, now);
    assert_eq!(session.poll(now), Step::Wait(None));
    assert_eq!(session.backlog(now), 0);
    session.finished(FetchId(1), Outcome::Done, now);
    assert_eq!(session.backlog(now), 3);
    assert_eq!([4, 5, 6].map(|_| session.poll(now)), [4, 5, 6].map(fetch));
    assert_eq!(session.poll(now), Step::Wait(None));
}

/// What may happen to a session between two polls.
#[derive(Debug, Clone)]
enum Turn {
    Poll,
    /// The attempt in this place among those in flight ends.
    End(prop::sample::Index, Outcome),
    Void(prop::sample::Index),
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Done),
        1 => Just(failed(Failure::Transient)),
        1 => Just(failed_for(1)),
        1 => Just(Outcome::Yielded),
    ];
    prop_oneof![
        4 => Just(Turn::Poll),
        4 => (any::<prop::sample::Index>(), outcome).prop_map(|(at, outcome)| Turn::End(at, outcome)),
        1 => any::<prop::sample::Index>().prop_map(Turn::Void),
    ]
}

proptest! {
    #[test]
    fn every_fetch_comes_until_it_is_done_never_twice_at_once_and_never_too_far_ahead(
        total in 1_u32..40,
        run_ahead in 1_u32..10,
        turns in prop::collection::vec(any_turn(), 0..200),
        last in any::<prop::sample::Index>(),
    ) {
        let mut now = zero();
        let endless = RetryPolicy { max_attempts: u32::MAX, ..AT_ONCE };
        let mut session = Session::new(total, [], Rules { retries: endless.into(), ..rules(run_ahead) });
        let (mut flying, mut done) = (Vec::<u32>::new(), BTreeSet::<u32>::new());
        // Whatever happened, then everything succeeds.
        let finale = std::iter::repeat_n([Turn::Poll, Turn::End(last, Outcome::Done)], 100);
        for turn in turns.into_iter().chain(finale.flatten()) {
            now += Duration::from_millis(100);
            match turn {
                Turn::Poll => if let Step::Fetch(fetch) = session.poll(now) {
                    let first = (0..total).find(|n| !done.contains(n)).unwrap_or(total);
                    prop_assert!(!flying.contains(&fetch.0) && !done.contains(&fetch.0), "{:?} again", fetch);
                    prop_assert!(fetch.0 < first + run_ahead, "{:?} is too far ahead of {}", fetch, first);
                    flying.push(fetch.0);
                },
                Turn::End(at, outcome) if !flying.is_empty() => {
                    let fetch = flying.remove(at.index(flying.len()));
                    session.finished(FetchId(fetch), outcome, now);
                    if outcome == Outcome::Done {
                        done.insert(fetch);
                    }
                }
                Turn::Void(at) if !done.is_empty() => {
                    let fetch = *done.iter().nth(at.index(done.len())).expect("within");
                    done.remove(&fetch);
                    session.void(FetchId(fetch));
                }
                Turn::End(..) | Turn::Void(_) => {}
            }
        }
        prop_assert_eq!(session.poll(now), Step::Done);
    }
}
