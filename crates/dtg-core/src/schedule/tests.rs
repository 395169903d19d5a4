//! The scheduler's rules, with made-up instants.

use std::time::Duration;

use super::*;
use crate::resource::Role;
use crate::retry::{RetryPolicy, Setback};
use crate::session::Rules;

#[expect(clippy::disallowed_methods, reason = "any instant will do as time zero")]
fn zero() -> Instant {
    Instant::now()
}

const AT_ONCE: RetryPolicy =
    RetryPolicy { max_attempts: 5, first_delay: Duration::ZERO, max_delay: Duration::ZERO };

fn session(total: u32) -> Session {
    Session::new(total, [], Rules { retries: AT_ONCE.into(), run_ahead: 256, seed: 7 })
}

/// A scheduler without caps for hosts.
fn of(connections: u32) -> Scheduler {
    Scheduler::new(Limits { connections, per_host: u32::MAX })
}

fn refused() -> Outcome {
    Outcome::Failed(Role::Segment, Failure::Refused.into())
}

/// A failure after which the server wants to be left alone for so many seconds.
fn failed_for(seconds: u64) -> Outcome {
    let retry_after = Some(Duration::from_secs(seconds));
    Outcome::Failed(Role::Segment, Setback { retry_after, ..Failure::Transient.into() })
}

/// What is started until nothing is, as `item.fetch`.
fn started(scheduler: &mut Scheduler, now: Instant) -> String {
    let next = || match scheduler.poll(now) {
        Action::Fetch(key, fetch) => Some(format!("{}.{}", key.0, fetch.0)),
        Action::Wait(_) => None,
    };
    std::iter::from_fn(next).collect::<Vec<_>>().join(" ")
}

fn fetch(item: u64, fetch: u32) -> Action {
    Action::Fetch(RunKey(item), FetchId(fetch))
}

#[test]
fn the_item_started_first_goes_first_and_the_next_takes_what_is_left() {
    let (now, mut scheduler) = (zero(), of(4));
    scheduler.add(session(2), 0);
    scheduler.add(session(9), 0);
    let actions: Vec<Action> = (0..5).map(|_| scheduler.poll(now)).collect();
    assert_eq!(actions, [fetch(0, 0), fetch(0, 1), fetch(1, 0), fetch(1, 1), Action::Wait(None)]);
}

#[test]
fn a_run_ends_when_nothing_of_it_is_in_flight() {
    let (now, mut scheduler) = (zero(), of(4));
    let key = scheduler.add(session(2), 0);
    scheduler.poll(now);
    scheduler.poll(now);
    assert_eq!(scheduler.finished(key, FetchId(0), refused(), now), None);
    let stopped = End::Stopped { fetch: FetchId(0), failure: Failure::Refused, attempts: 1 };
    assert_eq!(scheduler.finished(key, FetchId(1), Outcome::Done, now), Some(stopped));
    assert_eq!(scheduler.finished(key, FetchId(1), Outcome::Done, now), None, "said once");
}

#[test]
fn an_item_in_back_off_lets_others_go_on_and_is_woken_when_due() {
    let (now, mut scheduler) = (zero(), of(1));
    let first = scheduler.add(session(1), 0);
    let second = scheduler.add(session(1), 0);
    assert_eq!(scheduler.poll(now), fetch(0, 0));
    scheduler.finished(first, FetchId(0), failed_for(3), now);
    assert_eq!(scheduler.poll(now), fetch(1, 0));
    assert_eq!(scheduler.finished(second, FetchId(0), Outcome::Done, now), Some(End::Done));
    let due = now + Duration::from_secs(3);
    assert_eq!(scheduler.poll(now), Action::Wait(Some(due)));
    assert_eq!(scheduler.poll(due), fetch(0, 0));
}

#[test]
fn a_removed_items_fetches_count_against_the_budget_until_they_end() {
    let (now, mut scheduler) = (zero(), of(1));
    let first = scheduler.add(session(3), 0);
    scheduler.add(session(1), 0);
    scheduler.poll(now);
    scheduler.remove(first);
    assert_eq!(scheduler.poll(now), Action::Wait(None));
    assert_eq!(scheduler.finished(first, FetchId(0), Outcome::Done, now), None);
    assert_eq!(scheduler.poll(now), fetch(1, 0));
}

#[test]
fn an_item_with_nothing_to_fetch_is_settled_when_added() {
    let mut scheduler = of(1);
    let key = scheduler.add(session(0), 0);
    assert_eq!(scheduler.settle(key), Some(End::Done));
    assert_eq!(scheduler.poll(zero()), Action::Wait(None));
}

#[test]
fn a_more_wanted_item_goes_first_and_of_equal_ones_the_one_started_first() {
    let (now, mut scheduler) = (zero(), of(6));
    for priority in [0, -1, 5, 0] {
        scheduler.add(session(2), priority);
    }
    assert_eq!(started(&mut scheduler, now), "2.0 2.1 0.0 0.1 3.0 3.1");
}

/// Those that are told to yield, as `item.fetch`.
fn told(scheduler: &mut Scheduler, now: Instant) -> String {
    let flights = std::iter::from_fn(|| scheduler.preempt(now));
    flights.map(|(key, fetch)| format!("{}.{}", key.0, fetch.0)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_more_wanted_item_takes_the_slots_that_it_has_use_for_from_the_least_wanted() {
    let (now, mut scheduler) = (zero(), of(4));
    let (low, lower) = (scheduler.add(session(2), 0), scheduler.add(session(9), -1));
    assert_eq!(started(&mut scheduler, now), "0.0 0.1 1.0 1.1");
    scheduler.add(session(3), 7);
    assert_eq!(told(&mut scheduler, now), "1.1 1.0 0.1");
    assert_eq!(told(&mut scheduler, now), "", "told once");
    for (key, n) in [(lower, 1), (lower, 0), (low, 1)] {
        scheduler.finished(key, FetchId(n), Outcome::Yielded, now);
    }
    assert_eq!(started(&mut scheduler, now), "2.0 2.1 2.2");
    scheduler.finished(low, FetchId(0), Outcome::Done, now);
    assert_eq!(started(&mut scheduler, now), "0.1", "what yielded comes again");
}

#[test]
fn equals_and_less_wanted_items_take_no_slots() {
    let (now, mut scheduler) = (zero(), of(1));
    scheduler.add(session(2), 3);
    assert_eq!(started(&mut scheduler, now), "0.0");
    scheduler.add(session(2), 3);
    scheduler.add(session(2), 2);
    assert_eq!(told(&mut scheduler, now), "");
}

#[test]
fn a_priority_can_be_changed_while_the_item_runs() {
    let (now, mut scheduler) = (zero(), of(2));
    let first = scheduler.add(session(9), 0);
    let second = scheduler.add(session(9), 0);
    assert_eq!(started(&mut scheduler, now), "0.0 0.1");
    scheduler.set_priority(second, 1);
    assert_eq!(told(&mut scheduler, now), "0.1 0.0");
    scheduler.finished(first, FetchId(1), Outcome::Yielded, now);
    assert_eq!(started(&mut scheduler, now), "1.0");
    scheduler.set_priority(first, 2);
    assert_eq!(told(&mut scheduler, now), "1.0");
}

#[test]
fn the_budget_can_be_changed_while_items_run() {
    let (now, mut scheduler) = (zero(), of(1));
    let key = scheduler.add(session(9), 0);
    assert_eq!(started(&mut scheduler, now), "0.0");
    scheduler.set_limits(Limits { connections: 3, per_host: u32::MAX });
    assert_eq!(started(&mut scheduler, now), "0.1 0.2");
    scheduler.set_limits(Limits { connections: 2, per_host: u32::MAX });
    scheduler.finished(key, FetchId(0), Outcome::Done, now);
    assert_eq!(started(&mut scheduler, now), "");
    scheduler.finished(key, FetchId(1), Outcome::Done, now);
    assert_eq!(started(&mut scheduler, now), "0.3");
}

#[test]
fn a_full_host_does_not_hold_up_what_goes_to_another() {
    let now = zero();
    let mut scheduler = Scheduler::new(Limits { connections: 4, per_host: 1 });
    let key = scheduler.add(session(4), 0);
    let host = |fetch: FetchId| if fetch.0 < 3 { "a" } else { "b" };
    let mut granted = Vec::new();
    while let Action::Fetch(key, fetch) = scheduler.poll(now) {
        if scheduler.claim((key, fetch), host(fetch)) == Claim::Granted {
            granted.push(fetch.0);
        }
    }
    assert_eq!(granted, [0, 3]);
    scheduler.finished(key, FetchId(0), Outcome::Done, now);
    assert_eq!(scheduler.poll(now), fetch(0, 1));
    assert_eq!(scheduler.claim((key, FetchId(1)), "a"), Claim::Granted);
    scheduler.set_limits(Limits { connections: 4, per_host: 4 });
    assert_eq!(started(&mut scheduler, now), "0.2");
}

#[test]
fn a_more_wanted_item_takes_its_hosts_slot_too() {
    let now = zero();
    let mut scheduler = Scheduler::new(Limits { connections: 4, per_host: 1 });
    let low = scheduler.add(session(1), 0);
    assert_eq!(scheduler.poll(now), fetch(0, 0));
    assert_eq!(scheduler.claim((low, FetchId(0)), "a"), Claim::Granted);
    let high = scheduler.add(session(1), 1);
    assert_eq!(scheduler.poll(now), fetch(1, 0));
    assert_eq!(scheduler.claim((high, FetchId(0)), "a"), Claim::Full(Some((low, FetchId(0)))));
    scheduler.finished(low, FetchId(0), Outcome::Yielded, now);
    assert_eq!(scheduler.poll(now), fetch(1, 0));
    assert_eq!(scheduler.claim((high, FetchId(0)), "a"), Claim::Granted);
}

/// Two items wait for one slot of their host, which the first one has.
fn two_at_one_host(now: Instant) -> (Scheduler, RunKey, RunKey) {
    let mut scheduler = Scheduler::new(Limits { connections: 4, per_host: 1 });
    let (first, second) = (scheduler.add(session(3), 0), scheduler.add(session(1), 0));
    while let Action::Fetch(key, fetch) = scheduler.poll(now) {
        let claim = scheduler.claim((key, fetch), "a");
        assert_eq!(claim == Claim::Granted, (key, fetch.0) == (first, 0), "{key:?} {fetch:?}");
    }
    (scheduler, first, second)
}

#[test]
fn a_host_slot_of_an_item_that_fails_goes_to_the_next_item() {
    let now = zero();
    let (mut scheduler, first, second) = two_at_one_host(now);
    assert!(scheduler.finished(first, FetchId(0), refused(), now).is_some());
    assert_eq!(scheduler.poll(now), fetch(second.0, 0));
}

#[test]
fn a_host_slot_that_was_given_to_an_item_that_is_removed_goes_to_the_next_item() {
    let now = zero();
    let (mut scheduler, first, second) = two_at_one_host(now);
    assert_eq!(scheduler.finished(first, FetchId(0), Outcome::Done, now), None);
    scheduler.remove(first);
    assert!(scheduler.is_hungry(now));
    assert_eq!(scheduler.poll(now), fetch(second.0, 0));
}

#[test]
fn a_host_slot_whose_fetch_was_brought_by_another_one_is_not_lost() {
    let now = zero();
    let (mut scheduler, first, second) = two_at_one_host(now);
    assert_eq!(scheduler.finished(first, FetchId(0), Outcome::Done, now), None);
    scheduler.passed(first, FetchId(1));
    scheduler.passed(first, FetchId(2));
    assert_eq!(scheduler.poll(now), fetch(second.0, 0));
}

#[test]
fn a_host_slot_goes_to_who_waited_for_it_before_a_less_wanted_item() {
    let now = zero();
    let mut scheduler = Scheduler::new(Limits { connections: 2, per_host: 1 });
    let (high, low) = (scheduler.add(session(2), 1), scheduler.add(session(5), 0));
    let mut granted = Vec::new();
    while let Action::Fetch(key, fetch) = scheduler.poll(now) {
        let host = if key == high { "a" } else { "b" };
        if scheduler.claim((key, fetch), host) == Claim::Granted {
            granted.push((key, fetch.0));
        }
    }
    assert_eq!(granted, [(high, 0), (low, 0)]);
    scheduler.finished(high, FetchId(0), Outcome::Done, now);
    assert_eq!(scheduler.poll(now), fetch(high.0, 1));
}
