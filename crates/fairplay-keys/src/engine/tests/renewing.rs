//! Renewing keys.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::world::*;
use crate::*;

#[test]
fn a_renewal_uses_a_request_of_its_own_and_what_the_caller_gives_now() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let elsewhere = LicenseSource { url: LicenseUrl::new("https://l.test/other"), ..license() };
    world.engine.renew(&asset("a"), &elsewhere, &Cancel::new()).unwrap();
    assert_eq!(world.server.urls.lock().unwrap().last().unwrap(), "https://l.test/other");
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #2"));
    assert_eq!(world.platform.how(), ["licensed skd://k1", "licensed skd://k1"]);
}

#[test]
fn a_renewal_that_fails_anywhere_leaves_the_working_key() {
    let moods = [
        Mood::Status(403, &[]),
        Mood::Status(503, &[]),
        Mood::Unreachable,
        Mood::Body(b"<html>"),
        Mood::Body(b"{}"),
        Mood::Body(b""),
        Mood::OtherLicense,
        Mood::Says(", \"persistence_duration\": 0"),
    ];
    for mood in moods {
        let world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        *world.server.always.lock().unwrap() = Some(mood.clone());
        assert!(!world.renew("a").unwrap().is_ready(), "{mood:?}");
        assert_eq!(world.answer("k1"), Ok(Answer::Stored), "{mood:?}");
        assert_eq!(world.platform.last(), "stored skd://k1 #1");
        world.check_answers();
    }
}

#[test]
fn a_store_that_fails_at_any_operation_of_a_renewal_leaves_a_working_key() {
    let ways = FAILINGS.into_iter().flat_map(|failing| [(failing, false), (failing, true)]);
    for (failing, lasting) in ways {
        for after in 0.. {
            let mut world = World::new();
            world.acquire("a", &["k1"]).unwrap();
            world.store.failing(failing);
            if lasting {
                world.store.fail_from(after)
            } else {
                world.store.fail_once(after)
            }
            let _ = world.renew("a");
            let failed = world.store.has_failed();
            world.restart();
            world.engine.recover().unwrap();
            assert_eq!(world.answer("k1"), Ok(Answer::Stored), "{failing:?} {after} operations");
            world.check_answers();
            if !failed {
                assert!(after > 3, "a renewal takes more operations");
                break;
            }
        }
    }
}

#[test]
fn two_renewals_at_the_same_time_ask_the_server_once() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let (inside, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (in_request, gate) = (Arc::clone(&inside), Arc::clone(&go));
    *world.server.while_asked.lock().unwrap() = Some(Hook(Box::new(move || {
        in_request.wait();
        gate.wait();
    })));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| world.renew("a").unwrap().is_ready());
        inside.wait();
        let second = scope.spawn(|| world.renew("a").unwrap().is_ready());
        while !world.engine.0.flights.has_followers(&uri("k1")) {
            std::thread::yield_now();
        }
        go.wait();
        assert!(first.join().unwrap() && second.join().unwrap());
    });
    assert_eq!(world.server.asked(), 2);
    world.check_answers();
}

#[test]
fn the_old_key_answers_while_a_renewal_is_under_way() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let (engine, platform) = (world.engine.clone(), Arc::clone(&world.platform));
    *world.server.while_asked.lock().unwrap() = Some(Hook(Box::new(move || {
        let request = platform.open(&uri("k1"), Intent::Play).unwrap();
        assert_eq!(engine.answer(request), Ok(Answer::Stored));
    })));
    world.renew("a").unwrap();
    assert_eq!(world.platform.how()[1], "stored skd://k1 #1");
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #2"));
}

#[test]
fn a_renewal_of_an_asset_that_is_removed_meanwhile_brings_nothing_back() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let engine = world.engine.clone();
    *world.server.while_asked.lock().unwrap() = Some(Hook(Box::new(move || {
        engine.release(&asset("a")).unwrap();
    })));
    let keys = world.renew("a").unwrap();
    assert_eq!(keys.first_error().unwrap().kind(), &KeyErrorKind::Released);
    assert_eq!(world.stored("k1"), None);
    assert_eq!(
        *world.platform.invalidated.lock().unwrap(),
        ["skd://k1 #1"],
        "the new key was not stored at all"
    );
    world.check_answers();
}

#[test]
fn an_asset_that_is_removed_while_its_first_key_is_asked_for_gets_none() {
    let world = World::new();
    let engine = world.engine.clone();
    *world.server.while_asked.lock().unwrap() = Some(Hook(Box::new(move || {
        engine.release(&asset("a")).unwrap();
    })));
    let keys = world.acquire("a", &["k1"]).unwrap();
    assert_eq!(keys.first_error().unwrap().kind(), &KeyErrorKind::Released);
    assert_eq!(world.stored("k1"), None);
    assert_eq!(world.engine.status(&asset("a")).unwrap(), None);
    world.check_answers();
}

#[test]
fn an_update_during_a_renewal_gives_way_to_the_newer_license() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let platform = Arc::clone(&world.platform);
    let hook = Hook(Box::new(move || platform.replace("k1", Some("skd://k1 #1"), "skd://k1 #1'")));
    *world.server.while_asked.lock().unwrap() = Some(hook);
    world.renew("a").unwrap();
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #2"));
    world.platform.replace("k1", Some("skd://k1 #1'"), "late");
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #2"));
}

#[test]
fn only_keys_in_their_renewal_window_are_due_and_the_most_urgent_first() {
    let world = World::new().with_terms(Limit::Within(DAY * 30), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.clock.advance(DAY);
    world.acquire("b", &["k2"]).unwrap();
    assert_eq!(world.engine.due(world.clock.now()).unwrap(), []);
    assert_eq!(world.engine.due(NOW.plus(DAY * 27)).unwrap().len(), 1, "planning ahead");
    world.clock.advance(DAY * 28);
    let due: Vec<KeyUri> =
        world.engine.due(world.clock.now()).unwrap().into_iter().map(|key| key.key_uri).collect();
    assert_eq!(due, [uri("k1"), uri("k2")]);
    world.renew("a").unwrap();
    assert_eq!(world.engine.due(world.clock.now()).unwrap()[0].assets, [asset("b")]);
}

#[test]
fn renewing_an_asset_without_keys_says_so() {
    let world = World::new();
    assert_eq!(world.renew("a").unwrap_err().kind(), &KeyErrorKind::NotStored);
}

#[test]
fn the_server_says_what_is_left_of_a_key_where_nobody_else_knows() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    *world.platform.updates.lock().unwrap() = true;
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    let ask = || world.engine.ask_expiration(&asset("a"), &uri("k1"), &license(), &Cancel::new());
    world.server.then([Mood::Body(b"")]);
    assert_eq!(ask().unwrap().phase, Phase::Unknown, "it doesn't say");
    world.clock.advance(DAY);
    world.server.then([Mood::Body(b"{\"persistence_duration\": 3600}")]);
    let info = ask().unwrap();
    assert_eq!(
        (info.phase, info.remaining),
        (Phase::Playback { since: NOW }, Some(Duration::from_secs(3600)))
    );
    assert_eq!(*world.server.proofs.lock().unwrap(), ["skd://k1 #1'", "skd://k1 #1'"]);
    world.server.then([Mood::Body(b"{\"persistence_duration\": 9}")]);
    assert_eq!(ask().unwrap().remaining, info.remaining, "what is known stays");
    world.server.then([Mood::Status(403, &[])]);
    assert!(matches!(ask().unwrap_err().kind(), KeyErrorKind::Status { status: 403, .. }));
    world.clock.advance(Duration::from_secs(3601));
    assert!(matches!(world.answer("k1").unwrap_err().kind(), KeyErrorKind::Expired { .. }));
    assert_eq!(world.engine.due(NOW).unwrap().len(), 1, "so it can be planned");
}

#[test]
fn what_a_license_states_is_not_overruled_by_an_answer_about_it() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1"]).unwrap();
    world.server.then([Mood::Body(b"{\"persistence_duration\": 1}")]);
    let info = world.engine.ask_expiration(&asset("a"), &uri("k1"), &license(), &Cancel::new()).unwrap();
    assert_eq!(info.remaining, Some(DAY));
}
