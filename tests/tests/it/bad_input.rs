//! Bad input gets a typed error that names the item and where, and loses nothing.

use std::net::TcpListener;

use dtg_core::{BitRate, ContentManager, Error, ErrorKind, ItemState, PlanError};

use crate::support::{Tiny, folder, id, origin_of};

const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS=\"avc1.64001f\"\nvideo.m3u8\n";
const TINY: Tiny = Tiny { segments: 3, bytes: 1000 };

/// The error of loading `url`'s metadata; the item must still be new, and remember why.
#[track_caller]
fn refused(url: &str) -> Error {
    let root = folder();
    let manager = ContentManager::open(root.path()).unwrap();
    manager.add_item(&id("x"), url).unwrap();
    let error = manager.load_item_metadata(&id("x"), BitRate(300_000)).unwrap_err();
    let item = manager.item(&id("x")).unwrap();
    assert_eq!(item.state, ItemState::New);
    assert_eq!(item.failure.unwrap().message, error.to_string());
    assert_eq!(error.item(), Some(&id("x")));
    error
}

#[test]
fn an_unreachable_host_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refused(&format!("http://127.0.0.1:{port}/master.m3u8?token=secret"));
    assert!(matches!(error.kind(), ErrorKind::Unreachable(_)), "{error}");
    let said =
        format!("item `x`, http://127.0.0.1:{port}/master.m3u8: the connection was refused after 5 attempts");
    assert_eq!(error.to_string(), said);
}

#[test]
fn a_status_is_told() {
    let origin = origin_of(&[]);
    let error = refused(&origin.url("/none.m3u8"));
    assert!(matches!(error.kind(), ErrorKind::Status(404)), "{error}");
    assert_eq!(error.url(), Some(origin.url("/none.m3u8").as_str()));
}

#[test]
fn a_chosen_playlist_that_is_missing_is_an_error_and_not_a_track_less() {
    let origin = origin_of(&[("/master.m3u8", MASTER)]);
    let error = refused(&origin.url("/master.m3u8"));
    assert!(matches!(error.kind(), ErrorKind::Status(404)), "{error}");
    assert_eq!(error.url(), Some(origin.url("/video.m3u8").as_str()));
}

#[test]
fn a_page_of_html_is_not_a_playlist() {
    let origin = origin_of(&[("/master.m3u8", "<!DOCTYPE html><html><body>Sign in</body></html>")]);
    let error = refused(&origin.url("/master.m3u8"));
    assert!(matches!(error.kind(), ErrorKind::Playlist(_)), "{error}");
}

#[test]
fn a_live_playlist_is_refused() {
    let live = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n";
    let origin = origin_of(&[("/master.m3u8", MASTER), ("/video.m3u8", live)]);
    let error = refused(&origin.url("/master.m3u8"));
    assert!(matches!(error.kind(), ErrorKind::Plan(PlanError::Live { .. })), "{error}");
}

#[test]
fn an_unknown_id_is_named() {
    let root = folder();
    let manager = ContentManager::open(root.path()).unwrap();
    let unknown = id("nobody");
    let errors = [
        manager.start_item(&unknown).unwrap_err(),
        manager.pause_item(&unknown).unwrap_err(),
        manager.remove_item(&unknown).unwrap_err(),
        manager.item(&unknown).unwrap_err(),
        manager.playback_location(&unknown).unwrap_err(),
        manager.load_item_metadata(&unknown, BitRate(1)).unwrap_err(),
        manager.wait(&unknown).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "item `nobody`: no such item");
    }
}

#[test]
fn a_second_add_of_an_id_changes_nothing() {
    let root = folder();
    let manager = ContentManager::open(root.path()).unwrap();
    manager.add_item(&id("x"), "http://127.0.0.1:1/first.m3u8").unwrap();
    let error = manager.add_item(&id("x"), "http://127.0.0.1:1/second.m3u8").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ItemExists(ItemState::New)), "{error}");
    assert!(manager.item(&id("x")).unwrap().url.ends_with("first.m3u8"));
}

#[test]
fn a_start_in_a_wrong_state_is_refused() {
    let (root, origin) = (folder(), TINY.origin());
    let manager = ContentManager::open(root.path()).unwrap();
    manager.add_item(&id("x"), &origin.url("/master.m3u8")).unwrap();
    let error = manager.start_item(&id("x")).unwrap_err();
    assert_eq!(error.to_string(), "item `x`: it can't be started: it is new");
    let error = manager.playback_location(&id("x")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotCompleted(ItemState::New)), "{error}");
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let root = folder();
    let _first = ContentManager::open(root.path()).unwrap();
    let error = ContentManager::open(root.path()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Locked(pid) if *pid == std::process::id()), "{error}");
}

#[test]
fn what_is_not_http_is_not_added() {
    let root = folder();
    let manager = ContentManager::open(root.path()).unwrap();
    for url in ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "not a url"] {
        assert!(manager.add_item(&id("x"), url).is_err(), "{url}");
    }
    assert!(manager.items().unwrap().is_empty());
}

#[test]
fn a_segment_that_is_missing_fails_the_item_which_keeps_the_rest_and_the_reason() {
    let mut files = TINY.files();
    files.remove("/seg-1.ts");
    let origin = dtg_testkit::Origin::start(dtg_testkit::Memory::new(files)).unwrap();
    let root = folder();
    {
        let manager = ContentManager::open(root.path()).unwrap();
        manager.add_item(&id("x"), &origin.url("/master.m3u8")).unwrap();
        manager.load_item_metadata(&id("x"), BitRate(300_000)).unwrap();
        manager.start_item(&id("x")).unwrap();
        let item = manager.wait(&id("x")).unwrap();
        assert_eq!(item.state, ItemState::Failed);
    }
    let manager = ContentManager::open(root.path()).unwrap();
    let item = manager.item(&id("x")).unwrap();
    let failure = item.failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.status), ("status", Some(404)));
    let said = format!("item `x`, {}: HTTP status 404", origin.url("/seg-1.ts"));
    assert_eq!(failure.message, said, "the token is not shown");
    assert_eq!(item.state, ItemState::Failed);
    assert!(item.fetches_done > 0, "what came is kept");
}

#[test]
fn a_page_instead_of_a_segment_is_never_stored_as_one() {
    let mut files = TINY.files();
    files.remove("/seg-1.ts");
    files.insert("/seg-1.ts".to_owned(), Vec::new());
    let origin = dtg_testkit::Origin::start(dtg_testkit::Memory::new(files)).unwrap();
    let root = folder();
    let manager = ContentManager::open(root.path()).unwrap();
    manager.add_item(&id("x"), &origin.url("/master.m3u8")).unwrap();
    manager.load_item_metadata(&id("x"), BitRate(300_000)).unwrap();
    manager.start_item(&id("x")).unwrap();
    let item = manager.wait(&id("x")).unwrap();
    assert_eq!(item.state, ItemState::Failed, "an empty segment is a hole");
}
