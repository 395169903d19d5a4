//! Giving keys up.

use super::world::*;
use crate::*;

fn release(world: &World, id: &str) -> Vec<(KeyUri, Released)> {
    let released = world.engine.release(&asset(id)).unwrap();
    world.engine.forget(&asset(id)).unwrap();
    released
}

fn deliver(world: &World, key: &str) -> Result<(), KeyError> {
    world.engine.deliver_release(&uri(key), &license(), &Cancel::new())
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
    assert_eq!(world.engine.recover().unwrap(), [asset("a")]);
    assert_eq!(world.stored("k1"), None, "recovery finishes it");
    world.engine.forget(&asset("a")).unwrap();
    assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
}

#[test]
fn a_crash_at_any_operation_of_a_release_is_finished_by_recovery() {
    for after in 0.. {
        let mut world = World::new();
        world.acquire("a", &["k1"]).unwrap();
        world.acquire("b", &["k1", "k2"]).unwrap();
        world.store.fail_from(after);
        let result = world.engine.release(&asset("b"));
        let failed = world.store.has_failed();
        assert_eq!(failed, result.is_err(), "after {after} operations");
        world.restart();
        let removing = world.engine.recover().unwrap();
        if removing.is_empty() {
            assert_eq!(world.answer("k2"), Ok(Answer::Stored), "nothing was begun after {after} operations");
            world.engine.release(&asset("b")).unwrap();
        }
        world.engine.forget(&asset("b")).unwrap();
        assert_eq!(world.answer("k1"), Ok(Answer::Stored), "what is shared stays after {after} operations");
        assert_eq!(world.stored("k2"), None, "after {after} operations");
        assert_eq!(*world.platform.invalidated.lock().unwrap().last().unwrap(), "skd://k2 #2");
        deliver(&world, "k2").unwrap();
        assert_eq!(world.server.proofs.lock().unwrap().last().unwrap(), "skd://k2 #2");
        assert_eq!(world.engine.pending_releases().unwrap(), []);
        if !failed {
            assert!(after > 10, "a release takes more operations");
            return;
        }
    }
}
