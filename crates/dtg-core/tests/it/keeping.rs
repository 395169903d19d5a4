//! What stays and what goes: pins, expiry, the quota, exact figures, and roots that move.
#![expect(clippy::unwrap_used, reason = "helpers of tests may be as blunt as tests")]

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;
use dtg_core::{BitRate, ContentManager, ContentReader, ErrorKind, Event, ItemId, ItemState};
use dtg_testkit::Origin;

use crate::support::{Desk, ONCE, QUICK, bytes, downloaded, id, origin, segments};

/// After whatever happens in these tests.
const LATER: u64 = 20_000_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn add(desk: &Desk, origin: &Origin, name: &str) -> ItemId {
    let id = id(name);
    desk.manager.add_item(&id, &origin.url("/item.m3u8")).unwrap();
    desk.manager.load_item_metadata(&id, BitRate(1)).unwrap();
    id
}

/// Downloads items of 3,000 bytes of media each; played a second apart, the first one first.
fn shelf(origin: &Origin, names: &[&str]) -> Desk {
    let desk = Desk::new(2, QUICK);
    for name in names {
        let id = add(&desk, origin, name);
        desk.manager.start_item(&id).unwrap();
        assert_eq!(desk.manager.wait(&id).unwrap().state, ItemState::Completed);
    }
    for (n, name) in (0..).zip(names) {
        desk.manager.set_played(&id(name), at(LATER + n)).unwrap();
    }
    desk
}

fn names(ids: &[ItemId]) -> Vec<&str> {
    ids.iter().map(ItemId::as_str).collect()
}

fn there(desk: &Desk) -> Vec<String> {
    desk.manager.items().unwrap().into_iter().map(|item| item.id.to_string()).collect()
}

#[test]
fn a_quota_removes_the_least_recently_played_at_once_and_tells_of_it() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a", "b", "c"]);
    desk.manager.set_played(&id("a"), at(LATER + 9)).unwrap();
    let events = desk.manager.subscribe();
    assert_eq!(names(&desk.manager.set_quota(Some(6000)).unwrap()), ["b"]);
    assert!(matches!(events.try_recv(), Some(Event::Removed { id }) if id.as_str() == "b"));
    assert_eq!(there(&desk), ["a", "c"]);
    assert!(!desk.root.path().join("items/b").exists());
    assert_eq!(desk.manager.set_quota(None).unwrap(), []);
}

#[test]
fn what_has_expired_goes_first_and_what_is_pinned_never() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a", "b", "c", "d"]);
    assert!(desk.manager.pin_item(&id("a")).unwrap().pinned);
    assert_eq!(desk.manager.set_expiry(&id("d"), Some(at(9))).unwrap().expires_at, Some(at(9)));
    assert_eq!(desk.manager.playback_location(&id("d")).unwrap().id, id("d"), "it plays all the same");
    assert_eq!(names(&desk.manager.set_quota(Some(6000)).unwrap()), ["d", "b"]);
    assert_eq!(names(&desk.manager.set_quota(Some(0)).unwrap()), ["c"]);
    assert_eq!(there(&desk), ["a"]);
    assert!(!desk.manager.unpin_item(&id("a")).unwrap().pinned);
    assert_eq!(names(&desk.manager.set_quota(Some(0)).unwrap()), ["a"]);
}

#[test]
fn a_start_makes_room_under_the_quota_or_is_refused_and_changes_nothing() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a", "b"]);
    desk.manager.pin_item(&id("a")).unwrap();
    assert_eq!(desk.manager.set_quota(Some(6000)).unwrap(), []);
    // Nothing says how long its segments are: it is at the end that it turns out to be too much.
    let new = add(&desk, &origin, "new");
    desk.manager.start_item(&new).unwrap();
    assert_eq!(desk.manager.wait(&new).unwrap().state, ItemState::Completed);
    while there(&desk) != ["a", "new"] {
        std::thread::yield_now();
    }
    let refused = {
        desk.manager.pin_item(&new).unwrap();
        fs::remove_file(desk.root.path().join("items/new/media/video/0/000001.ts")).unwrap();
        desk.manager.set_quota(Some(5000)).unwrap();
        desk.manager.repair_item(&new).unwrap_err()
    };
    assert!(matches!(refused.kind(), ErrorKind::OverQuota { quota: 5000, .. }), "{refused}");
    assert_eq!(refused.item(), Some(&new));
    assert_eq!(there(&desk), ["a", "new"]);
    assert_eq!(desk.manager.item(&new).unwrap().state, ItemState::Interrupted);
    desk.manager.set_quota(None).unwrap();
    desk.manager.start_item(&new).unwrap();
    assert_eq!(desk.manager.wait(&new).unwrap().state, ItemState::Completed);
}

#[test]
fn how_long_items_are_wanted_and_the_quota_are_kept_over_a_restart() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a"]);
    desk.manager.pin_item(&id("a")).unwrap();
    desk.manager.set_expiry(&id("a"), Some(at(5))).unwrap();
    desk.manager.set_played(&id("a"), at(7)).unwrap();
    desk.manager.set_quota(Some(9000)).unwrap();
    let desk = desk.reopened();
    let item = desk.manager.item(&id("a")).unwrap();
    assert_eq!((item.pinned, item.expires_at, item.played_at), (true, Some(at(5)), Some(at(7))));
    assert_eq!(desk.manager.quota().unwrap(), Some(9000));
    desk.manager.set_expiry(&id("a"), None).unwrap();
    assert_eq!(desk.manager.item(&id("a")).unwrap().expires_at, None);
}

#[test]
fn a_lost_catalog_does_not_lose_what_is_pinned() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a", "b"]);
    desk.manager.pin_item(&id("a")).unwrap();
    desk.manager.set_expiry(&id("b"), Some(at(5))).unwrap();
    desk.manager.close();
    fs::remove_file(desk.root.path().join("catalog.redb")).unwrap();
    let desk = desk.reopened();
    assert_eq!(names(&desk.manager.set_quota(Some(0)).unwrap()), ["b"]);
    assert!(desk.manager.item(&id("a")).unwrap().pinned);
}

/// Lengths of all files below a folder.
fn lengths(folder: &Utf8Path) -> u64 {
    let entries = folder.read_dir_utf8().unwrap().map(Result::unwrap);
    let length = |entry: camino::Utf8DirEntry| match entry.metadata().unwrap() {
        metadata if metadata.is_dir() => lengths(entry.path()),
        metadata => metadata.len(),
    };
    entries.map(length).sum()
}

#[test]
fn storage_is_exact_to_the_byte_and_removing_gives_back_what_it_said() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a", "b"]);
    let storage = desk.manager.storage().unwrap();
    let items: Vec<(&str, u64)> = storage.items.iter().map(|it| (it.id.as_str(), it.bytes)).collect();
    let length = |name: &str| lengths(&desk.root.path().join("items").join(name));
    assert_eq!(items, [("a", length("a")), ("b", length("b"))]);
    assert_eq!((storage.counted_bytes, storage.quota, storage.trash_bytes), (6000, None, 0));
    assert!(storage.free_bytes > 0);
    let one = desk.manager.item_storage(&id("a")).unwrap();
    assert_eq!(one, storage.items[0]);
    assert!(one.freed_bytes >= 3000, "{one:?}");
    assert_eq!(ContentReader::open(desk.root.path()).unwrap().storage().unwrap().items, storage.items);
}

#[cfg(unix)]
#[test]
fn what_another_name_shares_is_not_given_back() {
    let origin = origin(segments());
    let desk = shelf(&origin, &["a"]);
    let before = desk.manager.item_storage(&id("a")).unwrap();
    let other = desk.root.path().join("other.ts");
    fs::hard_link(desk.root.path().join("items/a/media/video/0/000000.ts"), other).unwrap();
    let after = desk.manager.item_storage(&id("a")).unwrap();
    assert_eq!(after.bytes, before.bytes);
    assert!(after.freed_bytes < before.freed_bytes, "{before:?} {after:?}");
}

#[test]
fn the_root_may_be_moved_as_a_whole_and_everything_goes_on_there() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-2.ts");
    let desk = Desk::new(1, ONCE);
    let whole = add(&desk, &origin, "whole");
    let half = add(&desk, &origin, "half");
    desk.manager.start_item(&half).unwrap();
    hold.wait_for(1);
    desk.manager.pause_item(&half).unwrap();
    hold.release();
    desk.manager.start_item(&whole).unwrap();
    assert_eq!(desk.manager.wait(&whole).unwrap().state, ItemState::Completed);
    desk.manager.close();

    let other = camino_tempfile::Utf8TempDir::new().unwrap();
    let moved = other.path().join("there");
    fs::rename(desk.root.path(), &moved).unwrap();
    origin.clear_requests();
    let manager = ContentManager::open(&moved).unwrap();
    let location = manager.playback_location(&whole).unwrap();
    assert!(location.master_path().starts_with(&moved));
    assert_eq!(fs::read(location.folder_path().join("video/0/000001.ts")).unwrap(), bytes(1, 1000));
    assert!(manager.verify_item(&whole).unwrap().is_sound());
    manager.start_item(&half).unwrap();
    assert_eq!(manager.wait(&half).unwrap().state, ItemState::Completed);
    assert_eq!(origin.requests().len(), 1, "only what was missing");
    drop(manager);
    // The temporary folder is given back where it was.
    fs::rename(&moved, desk.root.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn everything_below_the_root_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    let mut folders = vec![desk.root.path().to_owned()];
    let mut seen = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
            let metadata = entry.metadata().unwrap();
            let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", entry.path());
            *seen.entry(metadata.is_dir()).or_insert(0) += 1;
            if metadata.is_dir() {
                folders.push(entry.path().to_owned());
            }
        }
    }
    assert!(seen[&true] >= 7 && seen[&false] >= 9, "{seen:?}");
}

#[test]
fn a_failure_can_be_looked_up_after_a_restart_and_start_items_tries_again() {
    let origin = origin(segments());
    origin.fault(dtg_testkit::Fault::status(404).on("/seg-1.ts").first(1));
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Failed);
    let desk = desk.reopened();
    let item = desk.manager.item(&id("x")).unwrap();
    let failure = item.failure.unwrap();
    assert_eq!((item.state, failure.code.as_str(), failure.status), (ItemState::Failed, "status", Some(404)));
    assert!(failure.url.unwrap().ends_with("/seg-1.ts"));
    let started = desk.manager.start_items(&[ItemState::Paused, ItemState::Failed]).unwrap();
    assert_eq!(names(&started.ids), ["x"]);
    assert_eq!(desk.manager.wait(&id("x")).unwrap().state, ItemState::Completed);
    assert_eq!(desk.manager.items_by_state(ItemState::Completed).unwrap().len(), 1);
    assert_eq!(desk.manager.items_by_state(ItemState::Failed).unwrap().len(), 0);
}

#[test]
fn opening_finds_what_was_in_progress_starts_nothing_and_resume_all_goes_on() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    desk.manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    let desk = desk.reopened();
    hold.release();
    origin.clear_requests();
    assert_eq!(desk.manager.items_by_state(ItemState::Interrupted).unwrap().len(), 1);
    assert_eq!(desk.manager.items_by_state(ItemState::InProgress).unwrap().len(), 0);
    assert_eq!(origin.requests().len(), 0, "opening starts nothing");
    assert_eq!(names(&desk.manager.resume_all().unwrap().ids), ["x"]);
    assert_eq!(desk.manager.wait(&id("x")).unwrap().state, ItemState::Completed);
}

#[test]
fn a_listener_that_never_listens_holds_nothing_up_and_hears_everything_once_in_order() {
    let origin = origin(segments());
    let desk = Desk::new(2, QUICK);
    let slow = desk.manager.subscribe();
    for name in ["a", "b"] {
        let id = add(&desk, &origin, name);
        desk.manager.start_item(&id).unwrap();
        assert_eq!(desk.manager.wait(&id).unwrap().state, ItemState::Completed);
    }
    desk.manager.remove_item(&id("a")).unwrap();
    desk.manager.close();
    let told = slow.iter().filter_map(|event| match event {
        Event::State { id, state, .. } => Some(format!("{id} {state}")),
        Event::Removed { id } => Some(format!("{id} removed")),
        Event::Progress(_) | _ => None,
    });
    let life =
        |name: &str| ["new", "metadata-loaded", "in-progress", "completed"].map(|it| format!("{name} {it}"));
    let expected = [life("a").to_vec(), life("b").to_vec(), vec!["a removed".to_owned()]].concat();
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
