//! Folder against catalog: each way in which they can differ, and what comes of it. The folder wins.
#![expect(clippy::unwrap_used, reason = "helpers of tests may be as blunt as tests")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use dtg_core::{BitRate, ContentManager, ContentReader, ErrorKind, Event, Item, ItemState};
use dtg_testkit::{Memory, Origin};

use crate::support::{Desk, ONCE, QUICK, bytes, downloaded, id, origin, segments};

fn catalog(desk: &Desk) -> Utf8PathBuf {
    desk.root.path().join("catalog.redb")
}

fn folder(desk: &Desk) -> Utf8PathBuf {
    desk.root.path().join("items/x")
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(entry.path(), &to)
        } else {
            drop(fs::copy(entry.path(), to))
        }
    }
}

fn state(desk: &Desk) -> ItemState {
    desk.manager.item(&id("x")).unwrap().state
}

/// Whether the item is completed, with the right bytes, without asking for anything.
#[track_caller]
fn check_whole(desk: &Desk, origin: &Origin) {
    assert_eq!(state(desk), ItemState::Completed);
    for n in 0..3 {
        assert_eq!(desk.file(&format!("video/0/00000{n}.ts")), bytes(n, 1000));
    }
    assert_eq!(origin.requests().len(), 4, "nothing was fetched again");
}

#[test]
fn a_folder_without_a_row_gets_one_and_its_download_is_whole() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    let kept = desk.root.path().join("kept");
    copy(&folder(&desk), &kept);
    desk.manager.remove_item(&id("x")).unwrap();
    desk.manager.close();
    copy(&kept, &folder(&desk));
    check_whole(&desk.reopened(), &origin);
}

#[test]
fn a_row_without_a_folder_goes() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    desk.manager.close();
    fs::remove_dir_all(folder(&desk)).unwrap();
    let desk = desk.reopened();
    assert!(matches!(desk.manager.item(&id("x")).unwrap_err().kind(), ErrorKind::ItemNotFound));
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn a_folder_of_a_newer_generation_makes_its_row_anew() {
    let origin = origin(segments());
    let desk = Desk::new(2, QUICK);
    desk.manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    let desk = desk.reopened();
    let old = fs::read(catalog(&desk)).unwrap();
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    assert_eq!(desk.run().state, ItemState::Completed);
    desk.manager.close();
    fs::write(catalog(&desk), old).unwrap();
    check_whole(&desk.reopened(), &origin);
}

#[test]
fn a_folder_of_an_older_generation_makes_its_row_anew() {
    let origin = origin(segments());
    let desk = Desk::new(2, QUICK);
    desk.manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    let old = desk.root.path().join("old");
    copy(&folder(&desk), &old);
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    assert_eq!(desk.run().state, ItemState::Completed);
    desk.manager.close();
    fs::remove_dir_all(folder(&desk)).unwrap();
    copy(&old, &folder(&desk));
    let reader = ContentReader::open(desk.root.path()).unwrap();
    assert!(reader.playback_location(&id("x")).is_err(), "a reader is not told that it is completed");
    let desk = desk.reopened();
    let events = desk.manager.subscribe();
    assert!(desk.manager.playback_location(&id("x")).is_err());
    assert!(matches!(events.try_recv(), Some(Event::State { state: ItemState::New, .. })), "and it is told");
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn a_torn_journal_loses_only_what_was_torn() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-2.ts");
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    desk.manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    desk.manager.close();
    hold.release();
    let journal = folder(&desk).join("journal");
    let whole = fs::read(&journal).unwrap();
    let torn = whole.len() - 30;
    fs::write(&journal, [whole.get(..torn).unwrap(), b"torn"].concat()).unwrap();
    fs::remove_file(catalog(&desk)).unwrap();
    let desk = desk.reopened();
    let item = desk.manager.item(&id("x")).unwrap();
    assert!(item.state != ItemState::Completed && item.fetches_done >= 1, "{item:?}");
    let before = origin.requests().len();
    assert_eq!(desk.run().state, ItemState::Completed);
    let again = origin.requests().len() - before;
    assert_eq!(again, 3 - usize::try_from(item.fetches_done).unwrap());
}

#[test]
fn a_lost_catalog_loses_no_download() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    desk.manager.close();
    fs::remove_file(catalog(&desk)).unwrap();
    check_whole(&desk.reopened(), &origin);
}

#[test]
fn a_corrupt_catalog_is_moved_aside_and_loses_no_download() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    desk.manager.close();
    let whole = fs::read(catalog(&desk)).unwrap();
    // All of it, its head, its middle, or its second half.
    let spoiled = [
        vec![0xA5; whole.len()],
        [vec![0; 64], whole.get(64..).unwrap().to_vec()].concat(),
        whole
            .iter()
            .enumerate()
            .map(|(at, byte)| if at > 4096 && at % 3 == 0 { !byte } else { *byte })
            .collect(),
        whole.get(..whole.len() / 2).unwrap().to_vec(),
        b"short".to_vec(),
    ];
    let mut desk = desk;
    for (n, bad) in spoiled.into_iter().enumerate() {
        desk.manager.close();
        fs::write(catalog(&desk), bad).unwrap();
        desk = desk.reopened();
        check_whole(&desk, &origin);
        assert!(desk.root.path().join(format!("catalog.redb.bad-{n}")).exists(), "{n}");
    }
}

/// One byte in a hundred is another one: page after page of a catalog that redb itself would trust.
#[test]
fn no_damage_to_a_catalog_is_too_odd_to_be_moved_aside() {
    let origin = origin(segments());
    let (mut desk, _) = downloaded(&origin);
    desk.manager.close();
    let whole = fs::read(catalog(&desk)).unwrap();
    for seed in 1..40_u64 {
        desk.manager.close();
        let mut state = seed;
        let spoiled = whole.iter().map(|byte| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [.., high, kind] = state.to_le_bytes();
            if kind < 3 { byte ^ high } else { *byte }
        });
        fs::write(catalog(&desk), spoiled.collect::<Vec<u8>>()).unwrap();
        desk = desk.reopened();
        check_whole(&desk, &origin);
        assert_eq!(desk.manager.items_by_state(ItemState::Completed).unwrap().len(), 1, "seed {seed}");
    }
}

#[test]
fn a_damaged_or_lost_record_of_a_folder_is_made_anew_from_its_row() {
    let origin = origin(segments());
    let (mut desk, _) = downloaded(&origin);
    for damage in [fs::remove_file::<Utf8PathBuf>, |record| fs::write(record, b"nonsense")] {
        desk.manager.close();
        damage(folder(&desk).join("item")).unwrap();
        desk = desk.reopened();
        check_whole(&desk, &origin);
    }
    desk.manager.close();
    fs::remove_file(catalog(&desk)).unwrap();
    check_whole(&desk.reopened(), &origin);
}

#[test]
fn the_address_in_the_folder_is_the_true_one() {
    let origin = origin(segments());
    let other = Origin::start(Memory::new(segments())).unwrap();
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    let desk = desk.reopened();
    let old = fs::read(catalog(&desk)).unwrap();
    desk.manager.set_url(&id("x"), &other.url("/item.m3u8")).unwrap();
    desk.manager.close();
    fs::write(catalog(&desk), old).unwrap();
    let desk = desk.reopened();
    assert_eq!(desk.manager.item(&id("x")).unwrap().url, other.url("/item.m3u8"));
    origin.clear_requests();
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(origin.requests().len(), 0);
}

#[test]
fn a_listing_shows_what_the_folders_say_before_any_item_is_asked_for() {
    let origin = origin(segments());
    let other = Origin::start(Memory::new(segments())).unwrap();
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    let desk = desk.reopened();
    let old = fs::read(catalog(&desk)).unwrap();
    desk.manager.set_url(&id("x"), &other.url("/item.m3u8")).unwrap();
    desk.manager.pin_item(&id("x")).unwrap();
    desk.manager.close();
    fs::write(catalog(&desk), &old).unwrap();
    let is_right = |items: &[Item]| {
        let [item] = items else { panic!("{items:?}") };
        assert_eq!((item.url.as_str(), item.pinned), (other.url("/item.m3u8").as_str(), true));
    };
    is_right(&ContentReader::open(desk.root.path()).unwrap().items().unwrap());
    let mut desk = desk.reopened();
    is_right(&desk.manager.items().unwrap());
    desk.manager.close();
    fs::write(catalog(&desk), &old).unwrap();
    desk = desk.reopened();
    is_right(&desk.manager.items_by_state(ItemState::MetadataLoaded).unwrap());
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_an_item_folder_is_not_followed() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    desk.manager.close();
    let outside = camino_tempfile::Utf8TempDir::new().unwrap();
    let target = outside.path().join("x");
    fs::rename(folder(&desk), &target).unwrap();
    std::os::unix::fs::symlink(&target, folder(&desk)).unwrap();
    let before = fs::read(target.join("journal")).unwrap();
    let desk = desk.reopened();
    assert!(desk.manager.playback_location(&id("x")).is_err());
    assert!(desk.manager.verify_item(&id("x")).is_err());
    desk.manager.close();
    fs::remove_file(catalog(&desk)).unwrap();
    let desk = desk.reopened();
    assert!(
        matches!(desk.manager.item(&id("x")).unwrap_err().kind(), ErrorKind::ItemNotFound),
        "nor taken in"
    );
    assert_eq!(fs::read(target.join("journal")).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn removing_an_item_removes_the_links_in_it_and_not_what_they_lead_to() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    let outside = camino_tempfile::Utf8TempDir::new().unwrap();
    fs::write(outside.path().join("mine"), "mine").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder(&desk).join("media/link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("mine"), folder(&desk).join("media/file.ts")).unwrap();
    desk.manager.remove_item(&id("x")).unwrap();
    let trash = desk.root.path().join("trash");
    while trash.read_dir_utf8().unwrap().next().is_some() {
        std::thread::yield_now();
    }
    assert_eq!(fs::read(outside.path().join("mine")).unwrap(), b"mine");
}

#[test]
fn what_was_not_deleted_is_deleted_at_the_next_start() {
    let root = camino_tempfile::Utf8TempDir::new().unwrap();
    drop(ContentManager::open(root.path()).unwrap());
    let left = root.path().join("trash/0-x/media/video/0");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("000000.ts"), "left").unwrap();
    let _manager = ContentManager::open(root.path()).unwrap();
    while root.path().join("trash").read_dir_utf8().unwrap().next().is_some() {
        std::thread::yield_now();
    }
}
