//! The scheduler's rules, with made-up instants.

use std::time::Duration;

use super::*;
use crate::retry::RetryPolicy;

#[expect(clippy::disallowed_methods, reason = "any instant will do as time zero")]
fn zero() -> Instant {
    Instant::now()
}

fn session(total: u32) -> Session {
    Session::new(total, [], RetryPolicy::default())
}

fn fetch(item: u64, fetch: u32) -> Action {
    Action::Fetch(RunKey(item), FetchId(fetch))
}

#[test]
fn the_item_started_first_goes_first_and_the_next_takes_what_is_left() {
    let (now, mut scheduler) = (zero(), Scheduler::new(4));
    scheduler.add(session(2));
    scheduler.add(session(9));
    let actions: Vec<Action> = (0..5).map(|_| scheduler.poll(now)).collect();
    assert_eq!(actions, [fetch(0, 0), fetch(0, 1), fetch(1, 0), fetch(1, 1), Action::Wait(None)]);
}

#[test]
fn a_run_ends_when_nothing_of_it_is_in_flight() {
    let (now, mut scheduler) = (zero(), Scheduler::new(4));
    let key = scheduler.add(session(2));
    scheduler.poll(now);
    scheduler.poll(now);
    assert_eq!(scheduler.finished(key, FetchId(0), Outcome::Failed(Failure::Refused), now), None);
    let stopped = End::Stopped { fetch: FetchId(0), failure: Failure::Refused, attempts: 1 };
    assert_eq!(scheduler.finished(key, FetchId(1), Outcome::Done, now), Some(stopped));
    assert_eq!(scheduler.finished(key, FetchId(1), Outcome::Done, now), None, "said once");
}

#[test]
fn an_item_in_back_off_lets_others_go_on_and_is_woken_when_due() {
    let (now, mut scheduler) = (zero(), Scheduler::new(1));
    let first = scheduler.add(session(1));
    let second = scheduler.add(session(1));
    assert_eq!(scheduler.poll(now), fetch(0, 0));
    scheduler.finished(first, FetchId(0), Outcome::Failed(Failure::Transient), now);
    assert_eq!(scheduler.poll(now), fetch(1, 0));
    assert_eq!(scheduler.finished(second, FetchId(0), Outcome::Done, now), Some(End::Done));
    let due = now + Duration::from_millis(250);
    assert_eq!(scheduler.poll(now), Action::Wait(Some(due)));
    assert_eq!(scheduler.poll(due), fetch(0, 0));
}

#[test]
fn a_removed_items_fetches_count_against_the_budget_until_they_end() {
    let (now, mut scheduler) = (zero(), Scheduler::new(1));
    let first = scheduler.add(session(3));
    scheduler.add(session(1));
    scheduler.poll(now);
    scheduler.remove(first);
    assert_eq!(scheduler.poll(now), Action::Wait(None));
    assert_eq!(scheduler.finished(first, FetchId(0), Outcome::Done, now), None);
    assert_eq!(scheduler.poll(now), fetch(1, 0));
}

#[test]
fn an_item_with_nothing_to_fetch_is_settled_when_added() {
    let mut scheduler = Scheduler::new(1);
    let key = scheduler.add(session(0));
    assert_eq!(scheduler.settle(key), Some(End::Done));
    assert_eq!(scheduler.poll(zero()), Action::Wait(None));
}
