//! The session's rules, with made-up instants.

use std::time::Duration;

use super::*;

#[expect(clippy::disallowed_methods, reason = "any instant will do as time zero")]
fn zero() -> Instant {
    Instant::now()
}

fn session(total: u32, done: &[u32]) -> Session {
    Session::new(total, done.iter().copied().map(FetchId), RetryPolicy::default())
}

#[test]
fn fetches_come_in_plan_order_less_those_that_are_done() {
    let (now, mut session) = (zero(), session(5, &[0, 2, 2, 9]));
    let steps: Vec<Step> = (0..4).map(|_| session.poll(now)).collect();
    let fetch = |n| Step::Fetch(FetchId(n));
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
    assert_eq!(session.poll(now), Step::Fetch(FetchId(0)));
    session.finished(FetchId(0), Outcome::Failed(Failure::Transient), now);
    assert_eq!(session.poll(now), Step::Fetch(FetchId(1)));
    session.finished(FetchId(1), Outcome::Done, now);
    let due = now + Duration::from_millis(250);
    assert_eq!(session.poll(now), Step::Wait(Some(due)));
    assert_eq!(session.poll(due), Step::Fetch(FetchId(0)));
    session.finished(FetchId(0), Outcome::Done, due);
    assert_eq!(session.poll(due), Step::Done);
}

#[test]
fn an_item_stops_after_the_last_attempt_and_says_which_fetch_it_was() {
    let (mut now, mut session) = (zero(), session(1, &[]));
    for _ in 0..5 {
        assert_eq!(session.poll(now), Step::Fetch(FetchId(0)));
        session.finished(FetchId(0), Outcome::Failed(Failure::Transient), now);
        now += Duration::from_secs(60);
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
    session.finished(FetchId(1), Outcome::Failed(Failure::Refused), now);
    session.finished(FetchId(0), Outcome::Failed(Failure::Device), now);
    assert_eq!(session.poll(now), Step::Stop(FetchId(1), Failure::Refused));
}

#[test]
fn a_voided_fetch_is_fetched_again() {
    let (now, mut session) = (zero(), session(2, &[0]));
    session.void(FetchId(0), now);
    session.void(FetchId(0), now);
    assert_eq!(session.poll(now), Step::Fetch(FetchId(0)));
    assert_eq!(session.poll(now), Step::Fetch(FetchId(1)));
    session.finished(FetchId(1), Outcome::Done, now);
    session.finished(FetchId(0), Outcome::Done, now);
    assert_eq!(session.poll(now), Step::Done);
}
