//! Commands at any moment, from any thread, in any order.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use camino_tempfile::Utf8TempDir;
use dtg_core::{
    BitRate, ContentManager, ErrorKind, Event, HttpSettings, ItemState, RequestParts, RequestRole,
};
use dtg_testkit::Fault;

use crate::support::{Desk, ONCE, QUICK, builder, bytes, id, is_cancelled, origin, segments};

#[test]
fn a_paused_item_counts_only_what_will_not_be_fetched_again() {
    let origin = origin(segments());
    let hold = origin.hold_body(500, |request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    let events = desk.manager.subscribe();
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    desk.manager.pause_item(&id).unwrap();
    let paused = desk.manager.item(&id).unwrap();
    assert_eq!((paused.state, paused.downloaded_bytes, paused.fetches_done), (ItemState::Paused, 1000, 1));
    drop(hold);
    assert_eq!(desk.run().state, ItemState::Completed);
    desk.manager.close();
    let states: Vec<ItemState> = events
        .iter()
        .filter_map(|event| if let Event::State { state, .. } = event { Some(state) } else { None })
        .collect();
    let expected = [ItemState::InProgress, ItemState::Paused, ItemState::InProgress, ItemState::Completed];
    assert_eq!(states, expected);
}

#[test]
fn pausing_an_item_that_the_last_manager_left_in_progress_leaves_it_interrupted() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    let desk = desk.reopened();
    drop(hold);
    assert_eq!(desk.manager.item(&id).unwrap().state, ItemState::Interrupted);
    desk.manager.pause_item(&id).unwrap();
    assert_eq!(desk.manager.item(&id).unwrap().state, ItemState::Interrupted);
    assert_eq!(desk.manager.resume_all().unwrap().ids, std::slice::from_ref(&id));
    assert_eq!(desk.manager.wait(&id).unwrap().state, ItemState::Completed);
}

#[test]
fn an_item_can_be_paused_and_started_at_once_many_times() {
    let origin = origin(segments());
    let desk = Desk::new(3, QUICK);
    let id = desk.load(&origin);
    for _ in 0..40 {
        match desk.manager.start_item(&id) {
            Ok(()) => desk.manager.pause_item(&id).unwrap(),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::InvalidState(_)), "{error}"),
        }
    }
    if desk.manager.item(&id).unwrap().state != ItemState::Completed {
        assert_eq!(desk.run().state, ItemState::Completed);
    }
    for n in 0..3 {
        assert_eq!(desk.file(&format!("video/0/00000{n}.ts")), bytes(n, 1000));
    }
    let item = desk.manager.item(&id).unwrap();
    assert_eq!((item.downloaded_bytes, item.fetches_done), (3000, 3));
}

#[test]
fn threads_that_start_pause_remove_and_add_one_item_leave_it_in_a_state_of_the_table() {
    let origin = origin(segments());
    let desk = Desk::new(2, QUICK);
    desk.load(&origin);
    let (manager, url) = (&desk.manager, origin.url("/item.m3u8"));
    thread::scope(|scope| {
        for turn in 0..4 {
            let url = &url;
            scope.spawn(move || {
                for n in 0..30 {
                    // Refusals are legal here; hangs, panics and mixed files are not.
                    let _ = match (n + turn) % 6 {
                        0 => manager.start_item(&id("x")),
                        1 => manager.pause_item(&id("x")),
                        2 => manager.load_item_metadata(&id("x"), BitRate(1)).map(drop),
                        3 => manager.wait(&id("x")).map(drop),
                        4 if n % 12 == 4 => manager.remove_item(&id("x")),
                        _ => manager.add_item(&id("x"), url).map(drop),
                    };
                }
            });
        }
    });
    let _ = manager.remove_item(&id("x"));
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Completed);
    for n in 0..3 {
        assert_eq!(desk.file(&format!("video/0/00000{n}.ts")), bytes(n, 1000));
    }
}

#[test]
fn removing_an_item_wakes_who_waits_for_it() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| desk.manager.wait(&id));
        desk.manager.remove_item(&id).unwrap();
        assert!(matches!(waiter.join().unwrap().unwrap_err().kind(), ErrorKind::ItemNotFound));
    });
}

#[test]
fn closing_cuts_off_a_load_and_a_wait() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/item.m3u8");
    let desk = Desk::new(1, ONCE);
    desk.manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    thread::scope(|scope| {
        let loader = scope.spawn(|| desk.manager.load_item_metadata(&id("x"), BitRate(1)));
        hold.wait_for(1);
        let waiter = scope.spawn(|| desk.manager.wait(&id("x")));
        desk.manager.close();
        assert!(is_cancelled(loader.join().unwrap()));
        assert!(is_cancelled(waiter.join().unwrap()));
    });
    let desk = desk.reopened();
    assert_eq!(desk.manager.item(&id("x")).unwrap().state, ItemState::New);
}

#[test]
fn removing_an_item_cuts_off_its_load_and_frees_its_id() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/item.m3u8");
    let desk = Desk::new(1, ONCE);
    desk.manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    thread::scope(|scope| {
        let loader = scope.spawn(|| desk.manager.load_item_metadata(&id("x"), BitRate(1)));
        hold.wait_for(1);
        desk.manager.remove_item(&id("x")).unwrap();
        assert!(is_cancelled(loader.join().unwrap()));
    });
    drop(hold);
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn every_command_after_closing_is_cancelled() {
    let origin = origin(segments());
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    let manager = &desk.manager;
    manager.close();
    manager.close();
    assert!(is_cancelled(manager.add_item(&crate::support::id("y"), &origin.url("/item.m3u8"))));
    assert!(is_cancelled(manager.load_item_metadata(&id, BitRate(1))));
    assert!(is_cancelled(manager.start_item(&id)));
    assert!(is_cancelled(manager.start_items(&[ItemState::MetadataLoaded])));
    assert!(is_cancelled(manager.pause_item(&id)));
    assert!(is_cancelled(manager.remove_item(&id)));
    assert!(is_cancelled(manager.wait(&id)));
    assert!(is_cancelled(manager.item(&id)));
    assert!(is_cancelled(manager.items()));
    assert!(is_cancelled(manager.playback_location(&id)));
    assert!(manager.subscribe().recv().is_none());
}

#[test]
fn closing_does_not_wait_for_a_server_that_says_nothing() {
    let origin = origin(segments());
    let head = origin.hold(|request| request.path() == "/seg-0.ts");
    let body = origin.hold_body(10, |request| request.path() == "/seg-1.ts");
    let desk = Desk::new(3, QUICK);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    head.wait_for(1);
    body.wait_for(1);
    let (ended, end) = channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            desk.manager.close();
            ended.send(()).unwrap();
        });
        let in_time = end.recv_timeout(Duration::from_secs(10));
        drop((head, body));
        assert!(in_time.is_ok(), "the reader's patience is 30 s");
    });
    let desk = desk.reopened();
    let item = desk.manager.item(&id).unwrap();
    assert_eq!((item.state, item.downloaded_bytes % 1000), (ItemState::Interrupted, 0));
}

#[test]
fn a_failed_item_starts_again_with_what_it_has() {
    let origin = origin(segments());
    origin.fault(Fault::status(403).on("/seg-1.ts").first(1));
    let desk = Desk::new(1, QUICK);
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Failed);
    let item = desk.run();
    assert_eq!((item.state, item.failure), (ItemState::Completed, None));
    let mut asked: BTreeMap<String, u32> = BTreeMap::new();
    origin.requests().iter().for_each(|request| *asked.entry(request.target.clone()).or_default() += 1);
    assert_eq!(asked.get("/seg-0.ts"), Some(&1));
}

#[test]
fn events_of_an_item_that_is_removed_and_added_come_in_order() {
    let origin = origin(segments());
    let desk = Desk::new(2, QUICK);
    let events = desk.manager.subscribe();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let _ = desk.manager.add_item(&id("x"), &origin.url("/item.m3u8"));
                    let _ = desk.manager.remove_item(&id("x"));
                }
            });
        }
    });
    desk.manager.close();
    let mut is_there = false;
    for event in events.iter() {
        let added = matches!(event, Event::State { state: ItemState::New, .. });
        assert_ne!(added, is_there, "{event:?}");
        is_there = added;
    }
}

#[test]
fn an_adapter_may_ask_for_the_item_that_is_being_removed() {
    let origin = origin(segments());
    let root = Utf8TempDir::new().unwrap();
    let slot = Arc::new(OnceLock::<Weak<ContentManager>>::new());
    let (enter, entered) = channel();
    let (enter, its) = (Mutex::new(enter), Arc::clone(&slot));
    let adapter = move |parts: &mut RequestParts| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if parts.role == RequestRole::Playlist {
            return Ok(());
        }
        let _ = enter.lock().map(|enter| enter.send(()));
        let manager = its.get().and_then(Weak::upgrade).ok_or("no manager")?;
        // As long as it is in progress: somebody must stop it, and let this ask.
        while manager.item(&id("x"))?.state == ItemState::InProgress {
            thread::yield_now();
        }
        Ok(())
    };
    let http = HttpSettings { adapters: vec![Arc::new(adapter)], ..HttpSettings::default() };
    let manager = Arc::new(builder(&root, 1, QUICK).http(http).open().unwrap());
    slot.set(Arc::downgrade(&manager)).unwrap();
    manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    manager.start_item(&id("x")).unwrap();
    entered.recv().unwrap();
    let (tell, is_removed) = channel();
    let remover = Arc::clone(&manager);
    thread::spawn(move || tell.send(remover.remove_item(&id("x"))));
    is_removed.recv_timeout(Duration::from_secs(60)).expect("they wait for each other").unwrap();
}
