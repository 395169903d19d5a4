//! Giving keys up.

use super::world::*;
use crate::*;

fn release(world: &World, id: &str) -> Vec<(KeyUri, Released)> {
    world.engine.release(&asset(id)).unwrap()
}

fn deliver(world: &World, key: &str) -> Result<(), KeyError> {
    world.deliver(key)
}

#[test]
fn a_released_key_is_gone_at_once_and_its_proof_waits_for_a_network() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    *world.server.always.lock().unwrap() = Some(Mood::Unreachable);
    assert_eq!(release(&world, "a"), [(uri("k1"), Released::Queued)]);
    assert_eq!(world.stored("k1"), None);
    assert_eq!(*world.platform.invalidated.lock().unwrap(), ["skd://k1 #1"]);
    assert_eq!(world.answer("k1").unwrap_err().kind(), &KeyErrorKind::Released);
    assert!(deliver(&world, "k1").is_err());
    assert_eq!(world.engine.pending_releases().unwrap().len(), 1);
    *world.server.always.lock().unwrap() = None;
    deliver(&world, "k1").unwrap();
    assert_eq!(world.server.proofs.lock().unwrap().last().unwrap(), "skd://k1 #1");
    assert_eq!(world.engine.pending_releases().unwrap(), []);
    deliver(&world, "k1").unwrap();
    assert_eq!(world.server.proofs.lock().unwrap().len(), 2);
    world.check_answers();
}

#[test]
fn a_key_that_two_assets_share_goes_with_the_last_of_them() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.acquire("b", &["k1", "k2"]).unwrap();
    assert_eq!(world.server.asked(), 2, "a stored key is shared");
    assert_eq!(release(&world, "a"), [(uri("k1"), Released::Shared)]);
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    assert_eq!(release(&world, "b"), [(uri("k1"), Released::Queued), (uri("k2"), Released::Queued)]);
    assert_eq!((world.stored("k1"), world.stored("k2")), (None, None));
}

#[test]
fn an_update_that_could_not_be_stored_outlives_an_asset_that_shares_its_key() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.acquire("b", &["k1"]).unwrap();
    world.store.fail_from(0);
    world.platform.replace("k1", Some("skd://k1 #1"), "second");
    world.store.heal();
    assert_eq!(release(&world, "a"), [(uri("k1"), Released::Shared)]);
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    assert_eq!(world.platform.last(), "stored second", "the platform takes no other any more");
}

#[test]
fn a_key_whose_removal_was_cut_off_is_not_made_unusable_while_it_is_stored() {
    for step in 0.. {
        let world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        world.store.fail_once(step);
        let is_done = world.engine.release(&asset("a")).is_ok();
        let has_failed = world.store.has_failed();
        world.store.heal();
        if world.stored("k1").is_some() {
            let _ = deliver(&world, "k1");
            assert_eq!(*world.platform.invalidated.lock().unwrap(), [""; 0], "cut off at step {step}");
        }
        if is_done && !has_failed {
            return;
        }
    }
}

#[test]
fn releasing_twice_or_an_unknown_asset_is_fine() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    assert_eq!(release(&world, "a").len(), 1);
    assert_eq!(release(&world, "a"), []);
    assert_eq!(release(&world, "unknown"), []);
}

#[test]
fn a_key_obtained_again_keeps_the_old_proof_and_both_are_delivered() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    release(&world, "a");
    world.acquire("a", &["k1"]).unwrap();
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    release(&world, "a");
    deliver(&world, "k1").unwrap();
    assert_eq!(*world.server.proofs.lock().unwrap(), ["skd://k1 #1", "skd://k1 #2"]);
    assert_eq!(world.engine.pending_releases().unwrap(), []);
}

#[test]
fn a_key_that_cannot_be_made_unusable_is_deleted_all_the_same() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    *world.platform.invalidation_fault.lock().unwrap() = Some(SystemFault::KeyInvalid);
    assert_eq!(release(&world, "a"), [(uri("k1"), Released::Gone)]);
    assert_eq!((world.stored("k1"), world.engine.pending_releases().unwrap()), (None, vec![]));
    assert!(matches!(world.engine.take_events()[..], [KeyEvent::NotInvalidated(..)]));
}

#[test]
fn an_asset_that_is_being_removed_gets_no_keys() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.engine.begin_removal(&asset("a")).unwrap();
    assert_eq!(world.acquire("a", &["k1"]).unwrap_err().kind(), &KeyErrorKind::Released);
    assert_eq!(world.renew("a").unwrap_err().kind(), &KeyErrorKind::Released);
    assert_eq!(world.engine.status(&asset("a")).unwrap(), None);
    assert_eq!(world.engine.recover().unwrap().removing, [asset("a")]);
    assert_eq!(world.stored("k1"), None, "recovery finishes it");
    world.engine.forget(&asset("a")).unwrap();
    assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
}

/// Cuts a release or a removal of `b` off after any number of operations, in both ways; `finish` says what recovery has to make of it.
fn cut_off(give_up: impl Fn(&World) -> Result<(), KeyError>, is_removal: bool) {
    for failing in FAILINGS {
        for after in 0.. {
            let mut world = World::new();
            world.acquire("a", &["k1"]).unwrap();
            world.acquire("b", &["k1", "k2"]).unwrap();
            world.store.failing(failing);
            world.store.fail_from(after);
            let result = give_up(&world);
            let failed = world.store.has_failed();
            assert_eq!(failed, result.is_err(), "{failing:?} {after} operations");
            world.restart();
            let recovered = world.engine.recover().unwrap();
            assert_eq!(recovered.failed, []);
            let expected: &[AssetId] = if is_removal { &[asset("b")] } else { &[] };
            let begun = world.engine.status(&asset("b")).unwrap().is_none();
            assert!(begun || recovered.removing.is_empty());
            if begun && failed {
                assert_eq!(recovered.removing, expected, "{failing:?} {after} operations");
            }
            if !begun {
                assert_eq!(
                    world.answer("k2"),
                    Ok(Answer::Stored),
                    "nothing was begun after {after} operations"
                );
                give_up(&world).unwrap();
            }
            world.engine.forget(&asset("b")).unwrap();
            assert_eq!(
                world.answer("k1"),
                Ok(Answer::Stored),
                "what is shared stays after {after} operations"
            );
            assert_eq!(world.stored("k2"), None, "{failing:?} {after} operations");
            assert_eq!(*world.platform.invalidated.lock().unwrap().last().unwrap(), "skd://k2 #2");
            assert_eq!(world.engine.pending_releases().unwrap().len(), 1, "{failing:?} {after} operations");
            deliver(&world, "k2").unwrap();
            assert_eq!(world.server.proofs.lock().unwrap().last().unwrap(), "skd://k2 #2");
            assert_eq!(world.engine.pending_releases().unwrap(), []);
            assert!(world.acquire("b", &["k1", "k2"]).unwrap().is_ready(), "it may be wanted again");
            if !failed {
                assert!(after > 10, "it takes more operations");
                break;
            }
        }
    }
}

#[test]
fn a_crash_at_any_operation_of_a_release_is_finished_by_recovery_and_is_no_removal() {
    cut_off(|world| world.engine.release(&asset("b")).map(drop), false);
}

#[test]
fn a_crash_at_any_operation_of_a_removal_is_finished_by_recovery_which_names_the_asset() {
    let remove = |world: &World| {
        world.engine.begin_removal(&asset("b"))?;
        world.engine.release(&asset("b")).map(drop)
    };
    cut_off(remove, true);
}

#[test]
fn a_release_whose_word_is_lost_anywhere_may_be_said_again_and_buries_once() {
    for after in 0.. {
        let world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        world.store.failing(Failing::After);
        world.store.fail_once(after);
        let result = world.engine.release(&asset("a"));
        let failed = world.store.has_failed();
        world.store.heal();
        if result.is_err() {
            world.engine.release(&asset("a")).unwrap();
        }
        assert_eq!(world.engine.pending_releases().unwrap().len(), 1, "after {after} operations");
        deliver(&world, "k1").unwrap();
        assert_eq!(*world.server.proofs.lock().unwrap(), ["skd://k1 #1"]);
        if !failed {
            return;
        }
    }
}

#[test]
fn a_passing_fault_of_the_device_keeps_the_tombstone_and_the_delivery_tries_again() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let fault = SystemFault::Other { code: -1, message: "busy".to_owned() };
    *world.platform.invalidation_fault.lock().unwrap() = Some(fault.clone());
    assert_eq!(release(&world, "a"), [(uri("k1"), Released::Queued)]);
    assert!(matches!(world.engine.take_events()[..], [KeyEvent::InvalidationWaits(..)]));
    assert_eq!(world.stored("k1"), None);
    assert_eq!(deliver(&world, "k1").unwrap_err().kind(), &KeyErrorKind::System(fault));
    assert_eq!(world.engine.pending_releases().unwrap().len(), 1);
    *world.platform.invalidation_fault.lock().unwrap() = None;
    deliver(&world, "k1").unwrap();
    assert_eq!(*world.server.proofs.lock().unwrap(), ["skd://k1 #1"]);
    assert_eq!(world.engine.pending_releases().unwrap(), []);
}

#[test]
fn a_proof_is_taken_when_the_service_says_so_in_its_own_words() {
    let check = |mood: Mood, taken: bool| {
        let world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        release(&world, "a");
        world.server.then([mood]);
        assert_eq!(deliver(&world, "k1").is_ok(), taken);
        assert_eq!(world.engine.pending_releases().unwrap().is_empty(), taken);
    };
    check(Mood::Body(b""), true);
    check(Mood::Body(b"{\"status\": \"ok\"}"), true);
    check(Mood::Body(b"{\"code\": 0, \"message\": \"done\"}"), true);
    check(Mood::Body(b"{\"code\": 1006, \"message\": \"unknown key\"}"), false);
    check(Mood::Body(b"<html>sign in to this network</html>"), false);
    check(Mood::Status(404, &[]), false);
}

#[test]
fn each_proof_knows_the_service_that_its_license_came_from() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    let other = LicenseSource { url: LicenseUrl::new("https://other.test/fps"), ..license() };
    world.engine.acquire(&asset("b"), &plan(&["k2"]), &other, &Cancel::new()).unwrap();
    release(&world, "a");
    release(&world, "b");
    let pending = world.engine.pending_releases().unwrap();
    let services: Vec<_> = pending.iter().map(|it| it.service.as_ref().unwrap().expose()).collect();
    assert_eq!(services, ["https://l.test/fps?token=canary", "https://other.test/fps"]);
    assert!(!format!("{pending:?}").contains("canary"));
    let of = |url: &LicenseUrl| LicenseService { url: url.clone(), ..license().service() };
    world.server.then([Mood::Status(403, &[])]);
    let results: Vec<_> = pending
        .iter()
        .map(|it| world.engine.deliver_release(it, &of(it.service.as_ref().unwrap()), &Cancel::new()).is_ok())
        .collect();
    assert_eq!(results, [false, true], "a refusal of one holds up no other");
    assert_eq!(world.server.urls.lock().unwrap().last().unwrap(), "https://other.test/fps");
    assert!(world.engine.deliver_release(&pending[1], &license().service(), &Cancel::new()).is_ok(), "again");
    assert_eq!(world.server.proofs.lock().unwrap().len(), 2);
}

#[test]
fn keys_of_an_earlier_plan_are_given_up_once_a_later_one_is_there_however_often_that_failed() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.server.then([Mood::Status(403, &[]), Mood::Status(403, &[])]);
    for _ in 0..2 {
        assert!(!world.acquire("a", &["k2"]).unwrap().is_ready());
        assert_eq!(world.engine.recover().unwrap(), Recovered::default());
        assert_eq!(world.answer("k1"), Ok(Answer::Stored), "until then it may be of use");
    }
    assert!(world.acquire("a", &["k2"]).unwrap().is_ready());
    assert_eq!(world.stored("k1"), None);
    assert_eq!(world.engine.pending_releases().unwrap().len(), 1);
}

#[test]
fn recovery_gives_up_what_a_crash_left_of_an_earlier_plan() {
    for after in 0.. {
        let mut world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        world.store.fail_from(after);
        let _ = world.acquire("a", &["k2"]);
        let failed = world.store.has_failed();
        world.restart();
        assert_eq!(world.engine.recover().unwrap(), Recovered::default());
        let stored = (world.stored("k1").is_some(), world.stored("k2").is_some());
        assert!(stored.0 != stored.1, "{stored:?} after {after} operations");
        if !failed {
            return;
        }
    }
}

#[test]
fn a_record_that_cannot_be_read_keeps_no_other_from_being_finished() {
    let world = World::new();
    for (id, key) in [("a", "k1"), ("b", "k2"), ("c", "k3")] {
        world.acquire(id, &[key]).unwrap();
    }
    let later = SecretBytes::new(*b"\xff\x01");
    for slot in [Slot::Key(uri("k1")), Slot::Asset(asset("c"))] {
        let Stored { generation, .. } = world.store.get(&slot).unwrap().unwrap();
        world.store.put(&slot, &later, generation).unwrap();
    }
    world.store.put(&Slot::Release(uri("k9")), &later, Generation::ABSENT).unwrap();
    world.engine.begin_removal(&asset("b")).unwrap();
    let recovered = world.engine.recover().unwrap();
    assert_eq!(recovered.removing, [asset("b")]);
    assert_eq!(world.stored("k2"), None);
    assert!(world.stored("k3").is_some(), "whether somebody wants it is not known");
    assert_eq!(recovered.failed.len(), 4, "{:?}", recovered.failed);
    assert!(recovered.failed.iter().all(|(_, error)| matches!(error.kind(), KeyErrorKind::Record(_))));
    drop(world.engine.take_events());
    assert_eq!(world.engine.pending_releases().unwrap().len(), 1);
    assert!(matches!(&world.engine.take_events()[..], [KeyEvent::Unreadable(Slot::Release(_), _)]));
    assert_eq!(world.engine.due(NOW).unwrap(), []);
    assert!(matches!(&world.engine.take_events()[..], [KeyEvent::Unreadable(Slot::Key(_), _)]));
    assert_eq!(world.engine.release(&asset("d")), Ok(vec![]));
}

#[test]
fn without_a_store_there_is_nothing_to_give_up() {
    let world = World::new();
    let engine = Engine::new(EngineParts {
        system: world.platform.clone(),
        store: std::sync::Arc::new(NoStore),
        transport: world.server.clone(),
        clock: world.clock,
        policy: EnginePolicy::default(),
    });
    assert_eq!(engine.begin_removal(&asset("a")), Ok(()));
    assert_eq!(engine.release(&asset("a")), Ok(vec![]));
    assert_eq!(engine.forget(&asset("a")), Ok(()));
}
