//! Every byte is looked at, what is damaged is named, and only that is fetched again.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may be as blunt as tests"
)]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use dtg_core::{ErrorKind, Event, ItemState, Remedy, Stage, Verification};
use dtg_testkit::{Origin, Request, Response};

use crate::support::{Desk, ONCE, QUICK, bytes, downloaded, id, origin, ranges, segments};

/// `video/0/000001.ts@0+1000 missing`, a line a damage; then what does not belong there.
fn found(verification: &Verification) -> Vec<String> {
    let damage = verification.damage.iter();
    let damage = damage.map(|it| format!("{}@{}+{} {}", it.file, it.offset, it.length, it.fault.as_str()));
    damage.chain(verification.extra.iter().map(|name| format!("extra {name}"))).collect()
}

fn media(desk: &Desk) -> Utf8PathBuf {
    desk.root.path().join("items/x/media")
}

fn segment(desk: &Desk, n: usize) -> Utf8PathBuf {
    media(desk).join(format!("video/0/00000{n}.ts"))
}

/// What was asked for of the origin since the last look.
fn asked(origin: &Origin) -> Vec<String> {
    let mut asked: Vec<String> = origin.requests().into_iter().map(|request| request.target).collect();
    asked.sort();
    origin.clear_requests();
    asked
}

/// Damages a completed item and checks what is found, what that does to it, and that a repair asks for no more
/// than `fetched` and leaves every byte as it was.
#[track_caller]
fn check(damage: impl FnOnce(&Desk), expected: &[&str], fetched: &[&str]) {
    let origin = origin(segments());
    let (desk, item) = downloaded(&origin);
    assert_eq!(item.state, ItemState::Completed);
    let before: Vec<Vec<u8>> = names(&desk).iter().map(|name| fs::read(name).unwrap()).collect();
    asked(&origin);
    damage(&desk);

    let verification = desk.manager.verify_item(&id("x")).unwrap();
    assert_eq!(found(&verification), expected);
    assert_eq!(asked(&origin), [""; 0], "looking fetches nothing");
    let state = desk.manager.item(&id("x")).unwrap().state;
    assert_eq!(state == ItemState::Interrupted, !verification.is_sound(), "{state}");

    desk.manager.repair_item(&id("x")).unwrap();
    let item = desk.manager.wait(&id("x")).unwrap();
    assert_eq!((item.state, item.failure), (ItemState::Completed, None));
    assert_eq!(asked(&origin), fetched);
    assert!(desk.manager.verify_item(&id("x")).unwrap().is_sound());
    let after: Vec<Vec<u8>> = names(&desk).iter().map(|name| fs::read(name).unwrap()).collect();
    assert!(before == after, "every byte is what it was");
}

fn names(desk: &Desk) -> Vec<Utf8PathBuf> {
    let playlist = media(desk).join("video/0.m3u8");
    (0..3).map(|n| segment(desk, n)).chain([playlist]).collect()
}

fn flip_a_bit(file: &Utf8Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_sound_item_is_sound_and_stays_completed() {
    check(|_| {}, &[], &[]);
}

#[test]
fn a_flipped_bit_is_found_and_its_part_alone_is_fetched_again() {
    check(|desk| flip_a_bit(&segment(desk, 1)), &["video/0/000001.ts@0+1000 bytes"], &["/seg-1.ts"]);
}

#[test]
fn a_truncated_file_is_found_and_fetched_again() {
    let cut =
        |desk: &Desk| fs::File::options().write(true).open(segment(desk, 2)).unwrap().set_len(999).unwrap();
    check(cut, &["video/0/000002.ts@0+1000 length"], &["/seg-2.ts"]);
}

#[test]
fn a_file_that_grew_is_found_and_fetched_again() {
    let grow = |desk: &Desk| fs::write(segment(desk, 0), [bytes(0, 1000), vec![0]].concat()).unwrap();
    check(grow, &["video/0/000000.ts@0+1000 length"], &["/seg-0.ts"]);
}

#[test]
fn a_missing_file_is_found_and_fetched_again() {
    let lose = |desk: &Desk| fs::remove_file(segment(desk, 0)).unwrap();
    check(lose, &["video/0/000000.ts@0+1000 missing"], &["/seg-0.ts"]);
}

#[test]
fn missing_folders_are_found_and_all_in_them_is_made_again() {
    check(
        |desk| fs::remove_dir_all(media(desk)).unwrap(),
        &[
            "video/0/000000.ts@0+1000 missing",
            "video/0/000001.ts@0+1000 missing",
            "video/0/000002.ts@0+1000 missing",
            "video/0.m3u8@0+141 missing",
        ],
        &["/seg-0.ts", "/seg-1.ts", "/seg-2.ts"],
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_by_a_link_is_found_and_what_it_leads_to_is_left_alone() {
    let outside = camino_tempfile::Utf8TempDir::new().unwrap();
    let target = outside.path().join("1.ts");
    fs::write(&target, bytes(1, 1000)).unwrap();
    let replace = |desk: &Desk| {
        fs::remove_file(segment(desk, 1)).unwrap();
        std::os::unix::fs::symlink(&target, segment(desk, 1)).unwrap();
    };
    check(replace, &["video/0/000001.ts@0+1000 not-a-file"], &["/seg-1.ts"]);
    assert_eq!(fs::read(&target).unwrap(), bytes(1, 1000));
}

#[cfg(unix)]
#[test]
fn a_folder_that_was_replaced_by_a_link_is_found_and_what_it_leads_to_is_left_alone() {
    let outside = camino_tempfile::Utf8TempDir::new().unwrap();
    let target = outside.path().join("0");
    let replace = |desk: &Desk| {
        fs::rename(media(desk).join("video/0"), &target).unwrap();
        std::os::unix::fs::symlink(&target, media(desk).join("video/0")).unwrap();
        flip_a_bit(&target.join("000000.ts"));
    };
    let all = [0, 1, 2].map(|n| format!("video/0/00000{n}.ts@0+1000 not-a-file"));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    check(replace, &all, &["/seg-0.ts", "/seg-1.ts", "/seg-2.ts"]);
    assert_ne!(fs::read(target.join("000000.ts")).unwrap(), bytes(0, 1000), "it is as it was left");
}

#[test]
fn a_folder_in_the_place_of_a_file_is_found_and_makes_way() {
    let replace = |desk: &Desk| {
        fs::remove_file(segment(desk, 1)).unwrap();
        fs::create_dir(segment(desk, 1)).unwrap();
        fs::write(segment(desk, 1).join("x"), "x").unwrap();
    };
    check(replace, &["video/0/000001.ts@0+1000 not-a-file"], &["/seg-1.ts"]);
}

#[test]
fn a_damaged_local_playlist_is_found_and_made_again_from_the_origins() {
    let flip = |desk: &Desk| flip_a_bit(&media(desk).join("video/0.m3u8"));
    check(flip, &["video/0.m3u8@0+141 bytes"], &[]);
}

#[test]
fn what_a_local_playlist_is_can_be_found_out_again_when_the_record_of_it_is_lost() {
    let lose = |desk: &Desk| {
        fs::remove_file(desk.root.path().join("items/x/playlists")).unwrap();
        flip_a_bit(&media(desk).join("video/0.m3u8"));
    };
    check(lose, &["video/0.m3u8@0+141 bytes"], &[]);
}

#[test]
fn what_does_not_belong_there_is_named_and_does_no_harm() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    fs::write(media(&desk).join("video/0/000003.ts"), "more").unwrap();
    fs::create_dir(media(&desk).join("other")).unwrap();
    fs::write(media(&desk).join("other/file"), "more").unwrap();
    let verification = desk.manager.verify_item(&id("x")).unwrap();
    assert_eq!(found(&verification), ["extra other", "extra video/0/000003.ts"]);
    assert_eq!((verification.sound, verification.sound_bytes), (4, 3141));
    assert_eq!(desk.manager.item(&id("x")).unwrap().state, ItemState::Completed);
    desk.manager.repair_item(&id("x")).unwrap();
    assert!(media(&desk).join("other/file").exists());
}

#[test]
fn of_a_file_of_many_parts_only_the_damaged_ones_are_fetched_again() {
    let mut files = ranges(4, 1000);
    let all = files.remove("/all.ts").unwrap();
    let list = files.remove("/item.m3u8").unwrap();
    let origin = Origin::start(move |request: &Request| {
        let body = if request.path() == "/all.ts" { all.clone() } else { list.clone() };
        Response::ok(body).header("etag", "\"one\"")
    })
    .unwrap();
    let (desk, _) = downloaded(&origin);
    origin.clear_requests();
    let file = segment(&desk, 0);
    let mut bytes = fs::read(&file).unwrap();
    (bytes[1500], bytes[3999]) = (!bytes[1500], !bytes[3999]);
    fs::write(&file, bytes).unwrap();
    let verification = desk.manager.repair_item(&id("x")).unwrap();
    let damaged = ["video/0/000000.ts@1000+1000 bytes", "video/0/000000.ts@3000+1000 bytes"];
    assert_eq!(found(&verification), damaged);
    assert_eq!(desk.manager.wait(&id("x")).unwrap().state, ItemState::Completed);
    let mut asked: Vec<Option<String>> =
        origin.requests().iter().map(|it| it.headers.get("range").map(str::to_owned)).collect();
    asked.sort();
    assert_eq!(asked, [Some("bytes=1000-1999".to_owned()), Some("bytes=3000-3999".to_owned())]);
}

#[test]
fn damage_interrupts_a_completed_item_and_is_told_and_kept_over_a_restart() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    fs::remove_file(segment(&desk, 1)).unwrap();
    let events = desk.manager.subscribe();
    desk.manager.verify_item(&id("x")).unwrap();
    desk.manager.verify_item(&id("x")).unwrap();
    let told: Vec<Event> = std::iter::from_fn(|| events.try_recv()).collect();
    let [Event::State { state: ItemState::Interrupted, error: Some(error), .. }] = &told[..] else {
        panic!("told once, with its reason: {told:?}");
    };
    assert!(matches!(error.kind(), ErrorKind::PartsDamaged { parts: 1, .. }), "{error}");
    let refused = desk.manager.playback_location(&id("x")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::NotCompleted(ItemState::Interrupted)));

    let desk = desk.reopened();
    let item = desk.manager.item(&id("x")).unwrap();
    assert_eq!((item.state, item.fetches_done, item.downloaded_bytes), (ItemState::Interrupted, 2, 2000));
    let failure = item.failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.remedy), ("parts-damaged", Remedy::Repair));
    assert_eq!(failure.stage, Some(Stage::Verify));
    assert_eq!(desk.run().state, ItemState::Completed, "a start repairs it as well");
}

#[test]
fn a_running_or_new_item_is_not_verified() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, ONCE);
    desk.manager.add_item(&id("new"), &origin.url("/item.m3u8")).unwrap();
    desk.load(&origin);
    desk.manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    for id in [id("new"), id("x")] {
        let refused = desk.manager.verify_item(&id).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::InvalidState(_)), "{refused}");
        let refused = desk.manager.repair_item(&id).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::InvalidState(_)), "{refused}");
    }
}

#[test]
fn of_a_paused_item_what_is_done_is_verified_and_the_rest_is_not_missed() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-2.ts");
    let desk = Desk::new(1, QUICK);
    desk.load(&origin);
    desk.manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    desk.manager.pause_item(&id("x")).unwrap();
    flip_a_bit(&segment(&desk, 0));
    let verification = desk.manager.verify_item(&id("x")).unwrap();
    assert_eq!(found(&verification), ["video/0/000000.ts@0+1000 bytes"]);
    let item = desk.manager.item(&id("x")).unwrap();
    assert_eq!((item.state, item.fetches_done), (ItemState::Paused, 1));
    drop(hold);
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(desk.file("video/0/000000.ts"), bytes(0, 1000));
}

#[test]
fn a_lost_or_damaged_plan_is_made_again_and_nothing_is_fetched() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    let plan = desk.root.path().join("items/x/plan");
    asked(&origin);
    for damage in [fs::remove_file::<&Utf8Path>, |plan| fs::write(plan, b"nonsense")] {
        damage(&plan).unwrap();
        let refused = desk.manager.verify_item(&id("x")).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Damaged(_) | ErrorKind::Store(_)), "{refused}");
        assert!(desk.manager.repair_item(&id("x")).unwrap().is_sound());
        assert_eq!(desk.manager.item(&id("x")).unwrap().state, ItemState::Completed);
    }
    assert_eq!(asked(&origin), [""; 0]);
}

#[test]
fn a_kept_playlist_of_the_origin_that_is_not_what_came_leads_nowhere_until_a_repair_fetches_it() {
    let origin = origin(segments());
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    flip_a_bit(&desk.root.path().join("items/x/origin/0"));
    asked(&origin);
    let refused = desk.manager.start_item(&id("x")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Damaged(_)), "{refused}");
    assert_eq!(found(&desk.manager.verify_item(&id("x")).unwrap()), ["../origin/0@0+107 bytes"]);
    assert_eq!(asked(&origin), [""; 0]);
    desk.manager.repair_item(&id("x")).unwrap();
    assert_eq!(desk.manager.wait(&id("x")).unwrap().state, ItemState::Completed);
    assert_eq!(asked(&origin), ["/item.m3u8", "/seg-0.ts", "/seg-1.ts", "/seg-2.ts"]);
}

#[test]
fn a_completed_item_plays_on_without_its_kept_playlists_and_a_repair_fetches_nothing_but_them() {
    let origin = origin(segments());
    let (desk, _) = downloaded(&origin);
    let kept = desk.root.path().join("items/x/origin");
    let playlist = fs::read(kept.join("0")).unwrap();
    let check = |named: &str, lose: fn(&Utf8Path)| {
        asked(&origin);
        lose(&kept);
        assert_eq!(found(&desk.manager.verify_item(&id("x")).unwrap()), [named]);
        assert!(desk.manager.playback_location(&id("x")).is_ok(), "{named}");
        assert!(desk.manager.repair_item(&id("x")).unwrap().is_sound(), "{named}");
        assert_eq!(asked(&origin), ["/item.m3u8"], "{named}");
        assert_eq!(fs::read(kept.join("0")).unwrap(), playlist, "{named}");
    };
    check("../origin/0@0+107 bytes", |kept| flip_a_bit(&kept.join("0")));
    check("../origin/0@0+107 missing", |kept| fs::remove_file(kept.join("0")).unwrap());
    check("../origin/index@0+0 missing", |kept| fs::remove_file(kept.join("index")).unwrap());
    check("../origin/index@0+0 bytes", |kept| fs::write(kept.join("index"), "nonsense").unwrap());
    // Also together with the plan that was made of them.
    fs::remove_file(kept.join("0")).unwrap();
    fs::write(desk.root.path().join("items/x/plan"), "nonsense").unwrap();
    assert!(desk.manager.repair_item(&id("x")).unwrap().is_sound());
    assert_eq!(desk.manager.item(&id("x")).unwrap().state, ItemState::Completed);
}

#[test]
fn another_playlist_at_the_same_address_is_not_taken_for_the_one_that_was_kept() {
    let is_other = Arc::new(AtomicBool::new(false));
    let (files, switch) = (segments(), Arc::clone(&is_other));
    let origin = Origin::start(move |request: &Request| {
        let bytes = files.get(request.path()).cloned().unwrap_or_default();
        let is_cut = switch.load(Ordering::Relaxed) && request.path() == "/item.m3u8";
        Response::ok(if is_cut {
            String::from_utf8(bytes).unwrap().replace("seg-1", "seg-0").into()
        } else {
            bytes
        })
    });
    let origin = origin.unwrap();
    let (desk, _) = downloaded(&origin);
    let kept = desk.root.path().join("items/x/origin/0");
    flip_a_bit(&kept);
    let damaged = fs::read(&kept).unwrap();
    is_other.store(true, Ordering::Relaxed);
    let refused = desk.manager.repair_item(&id("x")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Damaged(_)), "{refused}");
    assert_eq!(fs::read(&kept).unwrap(), damaged, "it stays as it is");
    assert!(desk.manager.playback_location(&id("x")).is_ok());
}
