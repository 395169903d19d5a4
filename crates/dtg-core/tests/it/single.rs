//! Items that are one media file.

use std::collections::BTreeMap;

use dtg_core::{BitRate, Decoders, ErrorKind, ItemState, NewItem, Sidecar, SidecarRole, dry_run};
use dtg_testkit::{Fault, Memory, Origin, Rule};

use crate::support::{Desk, ONCE, QUICK, bytes, id, origin};

const MIB: usize = 1 << 20;

/// An MP4 of so many bytes, as far as anyone looks.
fn mp4(length: usize) -> Vec<u8> {
    let mut file = bytes(3, length);
    file.splice(0..12, *b"\0\0\0\x18ftypisom");
    file
}

fn origin_of(path: &str, file: &[u8]) -> Origin {
    origin(BTreeMap::from([(path.to_owned(), file.to_vec())]))
}

/// Adds and loads the item `x` of a path, and answers the number of its fetches.
fn load(desk: &Desk, origin: &Origin, path: &str) -> u32 {
    desk.manager.add_item(&id("x"), &origin.url(path)).expect("a new id");
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).expect("a sound file").fetches
}

/// The `Range` headers that a path was asked with, in no order.
fn ranges_asked(origin: &Origin) -> Vec<String> {
    let ranges = origin.requests().into_iter().filter_map(|it| it.header("range").map(str::to_owned));
    let mut ranges: Vec<String> = ranges.collect();
    ranges.sort();
    ranges
}

#[test]
fn a_media_file_is_downloaded_in_ranges_and_plays_as_itself() {
    let file = mp4(17 * MIB);
    let origin = origin_of("/film.mp4", &file);
    let desk = Desk::new(3, QUICK);
    assert_eq!(load(&desk, &origin, "/film.mp4?ks=secret"), 3);
    let loaded = desk.manager.item(&id("x")).unwrap();
    assert_eq!((loaded.estimated_bytes, loaded.duration), (Some(17 << 20), None));
    let item = desk.run();
    assert_eq!((item.state, item.downloaded_bytes), (ItemState::Completed, 17 << 20));
    let location = desk.manager.playback_location(&id("x")).unwrap();
    assert_eq!(location.master, "file.mp4");
    assert!(std::fs::read(location.master_path()).unwrap() == file);
    let expected = ["bytes=0-511", "bytes=0-8388607", "bytes=16777216-17825791", "bytes=8388608-16777215"];
    assert_eq!(ranges_asked(&origin), expected);
}

#[test]
fn a_media_file_goes_on_where_it_stopped() {
    let file = mp4(20 * MIB);
    let origin = origin_of("/film.mp4", &file);
    let second = "bytes=8388608-16777215";
    origin.fault(Rule::from(Fault::status(500)).when(move |it| it.header("range") == Some(second)).first(1));
    let desk = Desk::new(1, ONCE);
    load(&desk, &origin, "/film.mp4");
    assert_eq!(desk.run().state, ItemState::Interrupted);
    let desk = desk.reopened();
    assert_eq!(desk.run().state, ItemState::Completed);
    assert!(desk.file("file.mp4") == file);
    let first = ranges_asked(&origin).iter().filter(|range| *range == "bytes=0-8388607").count();
    assert_eq!(first, 1, "what is done is not fetched again");
}

#[test]
fn a_server_that_knows_no_ranges_sends_the_file_in_one_piece() {
    let file = mp4(9 * MIB);
    for fault in [Fault::IgnoreRange, Fault::NoValidator] {
        let origin = origin_of("/film.mp4", &file);
        origin.fault(fault);
        let desk = Desk::new(2, QUICK);
        assert_eq!(load(&desk, &origin, "/film.mp4"), 1);
        assert_eq!(desk.manager.item(&id("x")).unwrap().estimated_bytes, Some(9 << 20));
        assert_eq!(desk.run().state, ItemState::Completed);
        assert!(desk.file("file.mp4") == file);
    }
}

#[test]
fn a_file_whose_address_says_nothing_is_known_by_its_first_bytes() {
    let origin = origin_of("/get", b"ID3\x04 and so on");
    let desk = Desk::new(2, QUICK);
    load(&desk, &origin, "/get");
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(desk.file("file.mp3"), b"ID3\x04 and so on");
}

#[test]
fn a_playlist_under_the_name_of_a_media_file_is_a_playlist() {
    let mut files = crate::support::segments();
    let list = files.remove("/item.m3u8").unwrap();
    files.insert("/list.mp4".to_owned(), list);
    let origin = origin(files);
    let desk = Desk::new(2, QUICK);
    assert_eq!(load(&desk, &origin, "/list.mp4"), 3);
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn sidecars_come_beside_a_media_file() {
    let files = [("/a.mp3", b"ID3 sound".to_vec()), ("/en.vtt", b"WEBVTT\n".to_vec())];
    let origin = Origin::start(files.into_iter().collect::<Memory>()).unwrap();
    let sidecar = Sidecar {
        role: SidecarRole::Subtitle,
        url: origin.url("/en.vtt"),
        language: None,
        name: None,
        mime_type: None,
    };
    let desk = Desk::new(2, QUICK);
    let item = NewItem { id: id("x"), url: origin.url("/a.mp3"), sidecars: vec![sidecar] };
    desk.manager.add_item_with(item).unwrap();
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(desk.file("subtitle/0.vtt"), b"WEBVTT\n");
    assert_eq!(desk.manager.playback_location(&id("x")).unwrap().sidecars.len(), 1);
}

#[track_caller]
fn check_refused(path: &str, content: &[u8], expected: fn(&ErrorKind) -> bool) {
    let origin = origin_of(path, content);
    let refused = dry_run(&origin.url(path), &BitRate(1).into(), &Decoders::default());
    let refused = refused.expect_err("it is refused");
    assert!(expected(refused.kind()), "{refused}");
    assert_eq!(refused.url(), Some(origin.url(path).as_str()));
}

#[test]
fn a_page_or_json_is_no_media_file() {
    let not_a_playlist = |kind: &ErrorKind| matches!(kind, ErrorKind::Playlist(_));
    check_refused("/film.mp4", b"<!doctype html><p>no", not_a_playlist);
    check_refused("/film.mp4", b"{\"error\": \"no\"}", not_a_playlist);
    check_refused("/film", b"sorry", not_a_playlist);
}

#[test]
fn widevine_classic_is_refused_with_its_reason() {
    check_refused("/film.wvm", b"\0\0\x01\xBA media", |kind| matches!(kind, ErrorKind::WidevineClassic));
}

#[test]
fn a_file_that_changed_its_length_after_it_was_planned_is_refused_and_not_cut() {
    for grown in [28 * MIB, 12 * MIB] {
        let (planned, later) = (mp4(20 * MIB), mp4(grown));
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let site =
            move |_: &dtg_testkit::Request| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 => dtg_testkit::Response::ok(planned.clone()).etag("\"v1\""),
                _ => dtg_testkit::Response::ok(later.clone()).etag("\"v2\""),
            };
        let origin = Origin::start(site).unwrap();
        let desk = Desk::new(2, ONCE);
        load(&desk, &origin, "/film.mp4");
        let item = desk.run();
        assert_eq!(item.state, ItemState::Failed, "{grown}");
        assert_eq!(item.failure.unwrap().code, "another-encode");
    }
}

#[test]
fn a_damaged_range_of_a_media_file_is_found_and_alone_fetched_again() {
    for (path, name) in [("/film.mp4", "file.mp4"), ("/song.mp3", "file.mp3")] {
        let mut file = mp4(20 * MIB);
        if name == "file.mp3" {
            file.splice(0..12, *b"ID3\x04\0\0\0\0\0\0\0\0");
        }
        let origin = origin_of(path, &file);
        let desk = Desk::new(3, QUICK);
        load(&desk, &origin, path);
        assert_eq!(desk.run().state, ItemState::Completed);
        let local = desk.manager.playback_location(&id("x")).unwrap().master_path();
        assert_eq!(local.file_name(), Some(name));
        assert!(desk.manager.verify_item(&id("x")).unwrap().is_sound());
        let mut damaged = file.clone();
        if let Some(byte) = damaged.get_mut(9 * MIB) {
            *byte ^= 1;
        }
        std::fs::write(&local, &damaged).unwrap();
        origin.clear_requests();
        let found = desk.manager.repair_item(&id("x")).unwrap();
        let damage: Vec<_> = found.damage.iter().map(|it| (it.file.as_str(), it.offset, it.length)).collect();
        assert_eq!(damage, [(name, 8 << 20, 8 << 20)]);
        assert_eq!(desk.manager.wait(&id("x")).unwrap().state, ItemState::Completed);
        assert_eq!(ranges_asked(&origin), ["bytes=8388608-16777215"]);
        assert!(desk.file(name) == file);
    }
}
