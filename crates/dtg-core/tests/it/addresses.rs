//! Addresses that run out, and fresh ones.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, ErrorKind, FreshUrl, HttpSettings, ItemState, Remedy, Role, Stage};
use dtg_testkit::{Memory, Origin, Signed};

use crate::support::{Desk, ONCE, builder, bytes, id, segments};

type Answer = Result<Option<String>, Box<dyn Error + Send + Sync>>;

/// An origin of [`segments`] behind signatures, and who signs.
fn signed() -> (Arc<Origin>, Signed<Memory>) {
    let site = Signed::new(Memory::new(segments()));
    (Arc::new(Origin::start(site.clone()).expect("loopback has a free port")), site)
}

/// How often each path was answered with its file.
fn answered(origin: &Origin) -> BTreeMap<String, u32> {
    let mut paths = BTreeMap::new();
    for request in origin.requests().iter().filter(|request| request.status == Some(200)) {
        let path = request.path().splitn(3, '/').nth(2).unwrap_or_default().to_owned();
        *paths.entry(path).or_default() += 1;
    }
    paths
}

/// Adds the item `x` of a path and loads its metadata.
fn load(desk: &Desk, origin: &Origin, path: &str) {
    desk.manager.add_item(&id("x"), &origin.url(path)).expect("a new id");
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).expect("a sound playlist");
}

#[track_caller]
fn check_whole(desk: &Desk) {
    for n in 0..3 {
        assert_eq!(desk.file(&format!("video/0/00000{n}.ts")), bytes(n, 1000));
    }
}

#[test]
fn a_download_goes_on_through_addresses_that_run_out_and_fetches_nothing_twice() {
    let (origin, site) = signed();
    // Each is good for the playlist and one segment.
    let (signer, at) = (site.clone(), Arc::clone(&origin));
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let desk = Desk::refreshing(move |_: &FreshUrl| -> Answer {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Some(at.url(&signer.sign_for_requests("/item.m3u8", 2))))
    });
    load(&desk, &origin, &site.sign_for_requests("/item.m3u8", 2));
    let item = desk.run();
    assert_eq!((item.state, item.failure), (ItemState::Completed, None));
    check_whole(&desk);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let answered = answered(&origin);
    assert!((0..3).all(|n| answered.get(&format!("seg-{n}.ts")) == Some(&1)), "{answered:?}");
}

#[test]
fn an_address_that_ran_out_before_the_playlist_was_loaded_is_asked_for_too() {
    let (origin, site) = signed();
    let (signer, at) = (site.clone(), Arc::clone(&origin));
    let desk =
        Desk::refreshing(move |_: &FreshUrl| -> Answer { Ok(Some(at.url(&signer.sign("/item.m3u8")))) });
    let old = site.sign("/item.m3u8");
    site.expire_all();
    load(&desk, &origin, &old);
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn a_fresh_address_that_is_refused_too_is_asked_for_once_and_fails_the_item() {
    let (origin, site) = signed();
    let at = Arc::clone(&origin);
    let asked = Arc::new(AtomicU32::new(0));
    let (count, signer) = (Arc::clone(&asked), site.clone());
    let desk = Desk::refreshing(move |_: &FreshUrl| -> Answer {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Some(at.url(&signer.sign_for_requests("/item.m3u8", 1))))
    });
    load(&desk, &origin, &site.sign_for_requests("/item.m3u8", 1));
    let item = desk.run();
    assert_eq!((item.state, asked.load(Ordering::SeqCst)), (ItemState::Failed, 1));
    assert_eq!(item.failure.map(|it| (it.status, it.remedy)), Some((Some(403), Remedy::FreshUrl)));
}

#[test]
fn a_hook_that_panics_or_knows_nothing_fails_the_item_and_nothing_else() {
    for knows_nothing in [true, false] {
        let (origin, site) = signed();
        let desk = Desk::refreshing(move |_: &FreshUrl| -> Answer {
            assert!(knows_nothing, "it panics");
            Ok(None)
        });
        load(&desk, &origin, &site.sign_for_requests("/item.m3u8", 2));
        let item = desk.run();
        let code = item.failure.map(|failure| failure.code);
        let expected = if knows_nothing { "status" } else { "callback" };
        assert_eq!((item.state, code.as_deref()), (ItemState::Failed, Some(expected)));
        desk.manager.set_url(&id("x"), &origin.url(&site.sign("/item.m3u8"))).unwrap();
        assert_eq!(desk.run().state, ItemState::Completed);
    }
}

#[test]
fn without_a_hook_the_item_fails_with_its_cause_and_set_url_lets_it_go_on() {
    let (origin, site) = signed();
    let desk = Desk::new(1, ONCE);
    load(&desk, &origin, &site.sign_for_requests("/item.m3u8", 2));
    assert_eq!(desk.run().state, ItemState::Failed);
    let desk = desk.reopened();
    let failure = desk.manager.item(&id("x")).unwrap().failure.unwrap();
    assert_eq!((failure.status, failure.attempts), (Some(403), 1));
    assert_eq!((failure.stage, failure.remedy), (Some(Stage::Fetch(Role::Segment)), Remedy::FreshUrl));
    assert!(failure.url.unwrap().ends_with("/seg-1.ts"));
    let moved = desk.manager.set_url(&id("x"), &origin.url(&site.sign("/item.m3u8"))).unwrap();
    assert_eq!((moved.state, moved.fetches_done), (ItemState::Failed, 1));
    assert_eq!(desk.run().state, ItemState::Completed);
    check_whole(&desk);
    assert_eq!(answered(&origin).get("seg-0.ts"), Some(&1));
}

#[test]
fn another_encode_is_refused_and_the_item_stays_as_it_is() {
    let mut files = segments();
    let list = String::from_utf8(files["/item.m3u8"].clone()).unwrap();
    files.insert("/longer.m3u8".to_owned(), list.replacen("#EXTINF:4,", "#EXTINF:5,", 1).into_bytes());
    files.insert(
        "/more.m3u8".to_owned(),
        list.replace("#EXT-X-END", "#EXTINF:4,\nseg-3.ts\n#EXT-X-END").into_bytes(),
    );
    let origin = crate::support::origin(files);
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    let before = desk.manager.item(&id).unwrap();
    for path in ["/longer.m3u8", "/more.m3u8"] {
        let refused = desk.manager.set_url(&id, &origin.url(path)).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::AnotherEncode(_)), "{refused}");
        assert_eq!(desk.manager.item(&id).unwrap(), before);
    }
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn a_new_item_and_a_completed_one_take_another_address_and_a_running_one_does_not() {
    let origin = crate::support::origin(segments());
    let desk = Desk::new(1, ONCE);
    desk.manager.add_item(&id("x"), "http://nowhere.test/item.m3u8").unwrap();
    let url = origin.url("/item.m3u8");
    assert_eq!(desk.manager.set_url(&id("x"), &url).unwrap().url, url);
    let desk = desk.reopened();
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    desk.manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    let refused = desk.manager.set_url(&id("x"), &url).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::InvalidState(_)), "{refused}");
    drop(hold);
    assert_eq!(desk.manager.wait(&id("x")).unwrap().state, ItemState::Completed);
    let other = format!("{url}?token=2");
    assert_eq!(desk.manager.set_url(&id("x"), &other).unwrap().url, other);
    check_whole(&desk);
}

#[test]
fn an_item_can_be_paused_while_its_fresh_address_is_asked_for() {
    let (origin, site) = signed();
    let (enter, entered) = channel();
    let (leave, left) = channel::<()>();
    let left = std::sync::Mutex::new(left);
    let desk = Desk::refreshing(move |_: &FreshUrl| -> Answer {
        enter.send(())?;
        let _ = left.lock().map(|left| left.recv());
        Ok(None)
    });
    load(&desk, &origin, &site.sign_for_requests("/item.m3u8", 2));
    desk.manager.start_item(&id("x")).unwrap();
    entered.recv().unwrap();
    assert_eq!(desk.manager.item(&id("x")).unwrap().state, ItemState::InProgress);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| desk.manager.wait(&id("x")));
        desk.manager.pause_item(&id("x")).unwrap();
        assert_eq!(waiter.join().unwrap().unwrap().state, ItemState::Paused);
    });
    drop(leave);
    assert_eq!(desk.manager.item(&id("x")).unwrap().state, ItemState::Paused);
}

#[test]
fn an_item_can_be_removed_while_its_fresh_address_is_taken_over() {
    let (origin, site) = signed();
    let (signer, at) = (site.clone(), Arc::clone(&origin));
    let fresh = move |_: &FreshUrl| -> Answer { Ok(Some(at.url(&signer.sign("/item.m3u8")))) };
    let root = Utf8TempDir::new().unwrap();
    let patient = HttpSettings { read_timeout: Duration::from_secs(3600), ..HttpSettings::default() };
    let manager = Arc::new(builder(&root, 2, ONCE).http(patient).refresh(fresh).open().unwrap());
    manager.add_item(&id("x"), &origin.url(&site.sign_for_requests("/item.m3u8", 2))).unwrap();
    manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    // The server says nothing to who comes with the fresh address.
    let hold = origin.hold(|request| request.path().ends_with("/item.m3u8"));
    manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    let (tell, is_removed) = channel();
    thread::spawn(move || tell.send(manager.remove_item(&id("x"))));
    is_removed.recv_timeout(Duration::from_secs(60)).expect("it waits for the server").unwrap();
}

#[test]
fn a_hook_that_never_answers_holds_up_no_removal_and_no_closing() {
    for is_closed in [false, true] {
        let (origin, site) = signed();
        let (enter, entered) = channel();
        let (_leave, left) = channel::<()>();
        let left = std::sync::Mutex::new(left);
        let desk = Desk::refreshing(move |_: &FreshUrl| -> Answer {
            enter.send(())?;
            let _ = left.lock().map(|left| left.recv());
            Ok(None)
        });
        let old = site.sign("/item.m3u8");
        site.expire_all();
        desk.manager.add_item(&id("x"), &origin.url(&old)).unwrap();
        thread::scope(|scope| {
            let loader = scope.spawn(|| desk.manager.load_item_metadata(&id("x"), BitRate(1)));
            entered.recv().unwrap();
            match is_closed {
                true => desk.manager.close(),
                false => desk.manager.remove_item(&id("x")).unwrap(),
            }
            assert!(crate::support::is_cancelled(loader.join().unwrap()));
        });
    }
}
