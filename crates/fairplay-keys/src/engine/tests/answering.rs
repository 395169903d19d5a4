//! Answering the platform.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::super::guarded::{Ended, guard};
use super::world::*;
use crate::*;

const SECOND: Duration = Duration::from_secs(1);

fn kind(result: Result<Answer, KeyError>) -> KeyErrorKind {
    result.unwrap_err().kind().clone()
}

#[test]
fn a_stored_key_answers_without_a_network() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    *world.server.always.lock().unwrap() = Some(Mood::Unreachable);
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    assert_eq!(world.platform.last(), "stored skd://k1 #1");
    assert_eq!(world.server.asked(), 1);
    world.check_answers();
}

#[test]
fn every_key_of_an_asset_answers_not_only_the_first() {
    let world = World::new();
    world.acquire("a", &["k1", "k2", "k3"]).unwrap();
    for key in ["k3", "k2", "k1"] {
        assert_eq!(world.answer(key), Ok(Answer::Stored));
    }
}

#[test]
fn a_key_that_is_not_stored_is_answered_with_an_error_at_once() {
    let world = World::new();
    assert_eq!(kind(world.answer("unknown")), KeyErrorKind::NotStored);
    assert_eq!(world.platform.last(), "failed: the key is not stored");
    world.check_answers();
}

#[test]
fn an_expired_key_is_answered_with_expired_at_once_without_a_network() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY + SECOND);
    let expired = KeyErrorKind::Expired { phase: Phase::Storage, not_after: Some(NOW.plus(DAY)) };
    assert_eq!(kind(world.answer("k1")), expired);
    assert_eq!(world.server.asked(), 1);
    world.check_answers();
}

#[test]
fn an_expired_key_is_renewed_and_answers_where_there_is_a_network() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY + SECOND);
    assert_eq!(world.answer_online("k1", DAY), Ok(Answer::Renewed));
    assert_eq!(world.platform.last(), "stored skd://k1 #2");
    world.check_answers();
}

#[test]
fn an_expired_key_whose_renewal_fails_is_answered_with_that_error() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY + SECOND);
    world.server.then([Mood::Status(403, &[])]);
    assert_eq!(kind(world.answer_online("k1", DAY)), KeyErrorKind::Status { status: 403, retry_after: None });
    assert_eq!(world.platform.last(), "failed: HTTP status 403");
    world.check_answers();
}

#[test]
fn a_server_that_hangs_is_answered_for_at_the_deadline() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY + SECOND);
    world.server.then([Mood::Hangs, Mood::Hangs]);
    for (at, key) in ["k1", "not stored"].into_iter().enumerate() {
        assert_eq!(kind(world.answer_online(key, Duration::from_millis(30))), KeyErrorKind::Deadline);
        world.wait_for_stragglers();
        let late =
            world.platform.how().iter().filter(|how| *how == "failed: no answer by the deadline").count();
        assert_eq!(late, at + 1);
    }
    world.check_answers();
}

/// Tokens that come when they are let go, whatever is cancelled meanwhile; or a panic.
#[derive(Debug)]
enum Stubborn {
    Hangs(Cancel),
    Panics,
}

impl TokenSource for Stubborn {
    fn token(&self, _: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        match self {
            Self::Hangs(until) => until.wait(Duration::from_secs(600)),
            Self::Panics => panic!("a token source of the application's"),
        }
        Ok(None)
    }
}

fn answer_with(world: &World, tokens: Stubborn, deadline: Duration) -> Result<Answer, KeyError> {
    let license = LicenseSource { tokens: Arc::new(tokens), ..license() };
    let request = world.platform.open(&uri("k1"), Intent::Play).unwrap();
    world.engine.answer_online(request, Online { asset: &asset("a"), license: &license, deadline })
}

#[test]
fn a_token_source_that_hangs_and_hears_nothing_does_not_outlast_the_deadline() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    for is_stored in [false, true] {
        let go = Cancel::new();
        let answer = answer_with(&world, Stubborn::Hangs(go.clone()), Duration::from_millis(20));
        assert_eq!(kind(answer), KeyErrorKind::Deadline);
        assert!(world.platform.how().contains(&"failed: no answer by the deadline".to_owned()));
        if is_stored {
            assert!(world.renew("a").unwrap().is_ready(), "others are not held up");
        }
        go.cancel();
        world.check_answers();
        world.acquire("a", &["k1"]).unwrap();
        world.clock.advance(DAY + SECOND);
    }
}

#[test]
fn a_platform_that_hangs_does_not_outlast_the_deadline() {
    let world = World::new();
    let go = Cancel::new();
    let until = go.clone();
    *world.platform.while_spc.lock().unwrap() = Some(Hook(Box::new(move || until.wait(DAY))));
    assert_eq!(kind(world.answer_online("k1", Duration::from_millis(20))), KeyErrorKind::Deadline);
    go.cancel();
    world.check_answers();
    assert_eq!(world.platform.how(), ["failed: no answer by the deadline"]);
    assert_eq!(world.server.asked(), 0, "nothing is asked for a request that is over");
}

#[test]
fn a_request_that_is_over_while_the_platform_is_at_it_has_its_answer_when_that_comes_back() {
    let world = World::new();
    let (mut request, watch) = guard(world.platform.open(&uri("k1"), Intent::Play).unwrap());
    let late = KeyError::from(KeyErrorKind::Deadline);
    let (error, platform) = (late.clone(), Arc::clone(&world.platform));
    *world.platform.while_spc.lock().unwrap() = Some(Hook(Box::new(move || {
        assert_eq!(watch.end(&error), Ended::InTime);
        assert_eq!(platform.how(), [""; 0], "the platform is busy with it");
    })));
    let content_id = ContentId::new(*b"id").unwrap();
    assert_eq!(request.spc(&license().certificate, &content_id), Err(late.clone()));
    assert_eq!(world.platform.how(), ["failed: no answer by the deadline"]);
    assert_eq!(Box::new(request).answer_stored(&PersistableKey::new(*b"key")), Err(late));
    world.check_answers();
}

#[test]
fn a_request_that_was_answered_has_no_second_answer_by_the_deadline() {
    let world = World::new();
    let (request, watch) = guard(world.platform.open(&uri("k1"), Intent::Play).unwrap());
    Box::new(request).answer_stored(&PersistableKey::new(*b"key")).unwrap();
    assert_eq!(watch.end(&KeyErrorKind::Deadline.into()), Ended::TooLate);
    world.check_answers();
}

#[test]
fn a_request_that_nobody_answers_any_more_fails_as_abandoned() {
    let world = World::new();
    let (request, watch) = guard(world.platform.open(&uri("k1"), Intent::Play).unwrap());
    drop(request);
    assert_eq!(world.platform.how(), ["abandoned"]);
    assert_eq!(watch.end(&KeyErrorKind::Deadline.into()), Ended::TooLate);
    world.check_answers();
}

#[test]
fn an_engine_that_is_dropped_in_the_middle_of_an_exchange_answers_once_and_leaves_nothing_half_done() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY + SECOND);
    let World { platform, server, store, clock, engine } = world;
    let go = Cancel::new();
    let license = LicenseSource { tokens: Arc::new(Stubborn::Hangs(go.clone())), ..license() };
    let tokens = Arc::downgrade(&license.tokens);
    let deadline = Duration::from_millis(20);
    let request = platform.open(&uri("k1"), Intent::Play).unwrap();
    let answer = engine.answer_online(request, Online { asset: &asset("a"), license: &license, deadline });
    assert_eq!(kind(answer), KeyErrorKind::Deadline);
    drop((engine, license));
    go.cancel();
    while tokens.strong_count() > 0 {
        std::thread::yield_now();
    }
    let world = World { engine: World::new().engine, platform, server, store, clock };
    world.check_answers();
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #1"));
}

#[test]
fn a_token_source_that_panics_is_answered_for_at_once() {
    let world = World::new();
    assert_eq!(kind(answer_with(&world, Stubborn::Panics, DAY)), KeyErrorKind::Panicked);
    assert_eq!(world.platform.last(), "failed: a part of the application's panicked");
    world.check_answers();
}

#[test]
fn an_asset_that_is_given_up_while_it_asks_leaves_the_key_to_who_waits_for_it_too() {
    let world = World::new();
    let engine = world.engine.clone();
    let (inside, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (in_request, gate) = (Arc::clone(&inside), Arc::clone(&go));
    *world.server.while_asked.lock().unwrap() = Some(Hook(Box::new(move || {
        engine.release(&asset("a")).unwrap();
        in_request.wait();
        gate.wait();
    })));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| world.acquire("a", &["k1"]).unwrap());
        inside.wait();
        let second = scope.spawn(|| world.acquire("b", &["k1"]).unwrap());
        while !world.engine.0.flights.has_followers(&uri("k1")) {
            std::thread::yield_now();
        }
        go.wait();
        assert_eq!(first.join().unwrap().first_error().unwrap().kind(), &KeyErrorKind::Released);
        assert!(second.join().unwrap().is_ready());
    });
    world.check_answers();
}

#[test]
fn a_key_that_was_played_outlives_the_stated_time_where_only_the_platform_knows_the_rest() {
    let world = World::new();
    world.server.then([Mood::Says(", \"persistence_duration\": 86400")]);
    world.acquire("a", &["k1"]).unwrap();
    *world.platform.updates.lock().unwrap() = true;
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    world.clock.advance(DAY + SECOND);
    assert_eq!(world.answer("k1"), Ok(Answer::Stored), "the platform decides");
    let status = world.engine.status(&asset("a")).unwrap().unwrap();
    assert_eq!(status.expiration().unwrap().phase, Phase::Unknown);
}

#[test]
fn a_key_that_is_not_stored_is_streamed_where_there_is_a_network_and_not_kept() {
    let world = World::new();
    assert_eq!(world.answer_online("k1", DAY), Ok(Answer::Streamed));
    assert_eq!((world.platform.last().as_str(), world.stored("k1")), ("licensed skd://k1", None));
    world.check_answers();
}

#[test]
fn a_request_that_takes_no_stored_key_is_streamed_or_refused() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    *world.platform.no_persistence_for_requests.lock().unwrap() = true;
    assert_eq!(kind(world.answer("k1")), SystemFault::PersistenceUnsupported.into());
    assert_eq!(world.answer_online("k1", DAY), Ok(Answer::Streamed));
    world.check_answers();
}

#[test]
fn a_key_that_the_system_gave_up_is_renewed_for_the_next_request() {
    for code in [-42799, -42800, -42803] {
        let world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        let fault = SystemFault::from_code(code, "");
        *world.platform.stored_fault.lock().unwrap() = Some(fault.clone());
        let offline = world.answer("k1").unwrap_err();
        assert_eq!(offline.kind(), &fault.clone().into());
        assert!(matches!(offline.user_action(), UserAction::GoOnline | UserAction::Renew));
        assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #1"), "nothing is thrown away");
        assert_eq!(world.answer_online("k1", DAY), Ok(Answer::AskAgain));
        *world.platform.stored_fault.lock().unwrap() = None;
        assert_eq!(world.answer("k1"), Ok(Answer::Stored));
        assert_eq!(world.platform.last(), "stored skd://k1 #2");
        world.check_answers();
    }
}

#[test]
fn the_first_playback_starts_the_playback_window_once() {
    let world = World::new().with_terms(Limit::Within(DAY * 30), Limit::Within(DAY));
    world.acquire("a", &["k1"]).unwrap();
    let info = || world.engine.status(&asset("a")).unwrap().unwrap().expiration().unwrap();
    assert_eq!(info().phase, Phase::Storage);
    world.clock.advance(SECOND);
    world.answer("k1").unwrap();
    let since = NOW.plus(SECOND);
    assert_eq!((info().phase, info().not_after), (Phase::Playback { since }, Some(since.plus(DAY))));
    world.clock.advance(SECOND);
    world.answer("k1").unwrap();
    assert_eq!(info().phase, Phase::Playback { since });
    world.clock.advance(DAY);
    assert!(matches!(kind(world.answer("k1")), KeyErrorKind::Expired { phase: Phase::Playback { .. }, .. }));
}

#[test]
fn a_key_that_the_platform_replaces_at_its_first_playback_replaces_the_stored_one() {
    let world = World::new().with_terms(Limit::Within(DAY * 30), Limit::Within(DAY));
    *world.platform.updates.lock().unwrap() = true;
    world.acquire("a", &["k1"]).unwrap();
    world.answer("k1").unwrap();
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #1'"));
    world.answer("k1").unwrap();
    assert_eq!(world.platform.last(), "stored skd://k1 #1'");
    assert_eq!(world.engine.take_events(), [KeyEvent::Updated(uri("k1"))]);
}

#[test]
fn an_update_comes_twice_out_of_order_or_for_an_unknown_key_without_harm() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.platform.replace("k1", Some("skd://k1 #1"), "second");
    world.platform.replace("k1", Some("skd://k1 #1"), "second");
    world.platform.replace("k1", Some("skd://k1 #1"), "late");
    world.platform.replace("unknown", None, "x");
    assert_eq!(world.stored("k1").as_deref(), Some("second"));
    assert_eq!(world.stored("unknown"), None);
    let events = [
        KeyEvent::Updated(uri("k1")),
        KeyEvent::OutdatedUpdate(uri("k1")),
        KeyEvent::UnknownKeyUpdated(uri("unknown")),
    ];
    assert_eq!(world.engine.take_events(), events);
}

#[test]
fn an_update_that_cannot_be_stored_is_played_from_memory_and_stored_later() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.store.fail_from(0);
    world.platform.replace("k1", Some("skd://k1 #1"), "second");
    world.store.heal();
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #1"));
    assert!(matches!(world.engine.take_events()[..], [KeyEvent::UpdateNotStored(..)]));
    world.answer("k1").unwrap();
    assert_eq!(world.platform.last(), "stored second");
    assert_eq!(world.stored("k1").as_deref(), Some("second"));
}

#[test]
fn an_update_whose_word_was_lost_is_written_again_so_that_it_is_durable() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let generation = || world.store.inner.get(&Slot::Key(uri("k1"))).unwrap().unwrap().generation;
    world.store.failing(Failing::After);
    world.store.fail_once(1);
    world.platform.replace("k1", Some("skd://k1 #1"), "second");
    assert!(world.store.has_failed() && world.stored("k1").as_deref() == Some("second"));
    let before = generation();
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    assert!(generation() > before);
}

#[test]
fn a_store_that_fails_still_gets_the_request_answered() {
    for after in 0..20 {
        let world = World::new().with_terms(Limit::Within(DAY * 30), Limit::Within(DAY));
        *world.platform.updates.lock().unwrap() = true;
        world.acquire("a", &["k1"]).unwrap();
        world.store.fail_once(after);
        let _ = world.answer("k1");
        world.store.fail_once(after);
        let _ = world.answer_online("k1", DAY);
        world.check_answers();
    }
}

#[test]
fn a_clock_set_back_makes_no_expired_key_valid() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY * 2);
    assert!(world.answer("k1").is_err());
    world.clock.set(NOW);
    assert!(matches!(kind(world.answer("k1")), KeyErrorKind::Expired { .. }));
    let info = world.engine.status(&asset("a")).unwrap().unwrap().expiration().unwrap();
    assert_eq!(info.confidence, Confidence::RolledBack);
}

#[test]
fn a_clock_set_back_while_the_process_was_away_is_noticed() {
    let mut world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY * 2);
    assert!(world.answer("k1").is_err());
    world.clock.set(NOW);
    world.restart();
    assert!(matches!(kind(world.answer("k1")), KeyErrorKind::Expired { .. }));
}

#[test]
fn a_mark_that_cannot_be_read_for_once_is_read_again_and_not_written_over() {
    for after in 0.. {
        let mut world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
        world.acquire("a", &["k1"]).unwrap();
        world.clock.advance(DAY * 2);
        assert!(world.answer("k1").is_err());
        world.clock.set(NOW);
        world.restart();
        world.store.fail_once(after);
        let _ = world.engine.status(&asset("a"));
        let failed = world.store.has_failed();
        world.store.heal();
        for _ in 0..2 {
            let answer = world.answer("k1");
            assert!(matches!(kind(answer), KeyErrorKind::Expired { .. }), "after {after} operations");
            world.restart();
        }
        if !failed {
            return;
        }
    }
}

#[test]
fn a_clock_set_forward_shows_a_key_as_expired_and_the_platform_and_the_server_decide_online() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    let years = Duration::from_secs(10 * 365 * 86_400);
    world.clock.set(NOW.plus(years));
    let info = world.engine.status(&asset("a")).unwrap().unwrap().expiration().unwrap();
    assert!(info.is_expired() && info.confidence == Confidence::Good);
    assert!(matches!(kind(world.answer("k1")), KeyErrorKind::Expired { .. }));
    world.server.date("Fri, 15 Jan 2027 08:00:00 GMT");
    assert_eq!(world.answer_online("k1", DAY), Ok(Answer::Renewed));
    world.clock.set(NOW);
    assert_eq!(world.answer("k1"), Ok(Answer::Stored), "the wrong clock has left no mark");
    world.check_answers();
}

#[test]
fn a_server_puts_a_mark_right_that_a_wrong_clock_has_set() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.set(NOW.plus(DAY * 3650));
    assert!(world.answer("k1").is_err());
    world.clock.set(Timestamp(1_800_000_100));
    assert!(world.answer("k1").is_err());
    world.server.then([Mood::Status(503, &[]), Mood::Licenses]);
    *world.server.always.lock().unwrap() = None;
    world.server.date("Fri, 15 Jan 2027 08:01:40 GMT");
    world.renew("a").unwrap();
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
}
