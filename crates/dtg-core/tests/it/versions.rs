//! All parts of a file come from one version of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dtg_core::{Event, ItemState, RetryPolicy};
use dtg_testkit::{Fault, Origin, Request, Response, at_random};

use crate::support::{Desk, QUICK, bytes, origin, ranges};

/// An origin whose `/all.ts` becomes another file, with another tag, when the switch is thrown.
fn changing(count: usize, each: usize) -> (Origin, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    let is_new = Arc::clone(&switch);
    let files = ranges(count, each);
    let origin =
        Origin::start(move |request: &Request| match (request.path(), is_new.load(Ordering::SeqCst)) {
            ("/all.ts", false) => Response::ok(bytes(7, count * each)).etag("old"),
            ("/all.ts", true) => Response::ok(bytes(8, count * each)).etag("new"),
            (path, _) => files.get(path).map_or(Response::status(404), |file| Response::ok(file.clone())),
        });
    (origin.expect("loopback has a free port"), switch)
}

fn is_range(request: &Request, first: usize) -> bool {
    request.header("range").is_some_and(|range| range.starts_with(&format!("bytes={first}-")))
}

#[test]
fn a_part_of_the_old_version_that_ends_after_the_change_is_fetched_again() {
    let (origin, switch) = changing(4, 1000);
    // The first part's answer has begun with the old version, and waits.
    let old = origin.hold_body(500, |request| is_range(request, 0));
    let second = origin.hold(|request| is_range(request, 1000));
    let desk = Desk::new(2, QUICK);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    old.wait_for(1);
    second.wait_for(1);
    switch.store(true, Ordering::SeqCst);
    // The last part comes with the new version while the first is still under way.
    let last = origin.hold(|request| is_range(request, 3000));
    drop(second);
    last.wait_for(1);
    drop(old);
    drop(last);
    let item = desk.manager.wait(&id).unwrap();
    assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
    let file = desk.file("video/0/000000.ts");
    assert!(file == bytes(8, 4000), "parts of two versions");
    assert_eq!((item.downloaded_bytes, item.fetches_done), (4000, 4));
}

#[test]
fn after_a_change_between_two_runs_the_whole_file_comes_from_the_new_version() {
    let (origin, switch) = changing(4, 1000);
    let hold = origin.hold(|request| is_range(request, 2000));
    let desk = Desk::new(1, QUICK);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    let desk = desk.reopened();
    drop(hold);
    switch.store(true, Ordering::SeqCst);
    let events = desk.manager.subscribe();
    let item = desk.run();
    assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
    let told = std::iter::from_fn(|| events.try_recv());
    let lost: Vec<_> = told
        .filter_map(|event| {
            if let Event::StartedOver { url, fetches, .. } = event { Some((url, fetches)) } else { None }
        })
        .collect();
    assert_eq!(lost, [(origin.url("/all.ts"), 2)], "two finished parts were of the old version");
    assert_eq!(desk.file("video/0/000000.ts"), bytes(8, 4000));
    assert_eq!((item.downloaded_bytes, item.fetches_done), (4000, 4));
    let desk = desk.reopened();
    assert_eq!(desk.manager.item(&id).unwrap().state, ItemState::Completed);
}

#[test]
fn a_file_that_is_another_at_each_request_comes_in_one_piece() {
    for connections in [1, 2, 8] {
        let origin = origin(ranges(32, 100));
        origin.fault(Fault::FreshEtag.on("/all.ts"));
        let desk = Desk::new(connections, QUICK);
        desk.load(&origin);
        let item = desk.run();
        assert_eq!((item.state, item.failure), (ItemState::Completed, None), "{connections} connections");
        assert_eq!((item.downloaded_bytes, item.fetches_done), (3200, 32));
        assert_eq!(desk.file("video/0/000000.ts"), bytes(7, 3200));
        let asked = origin.requests().len();
        assert!(asked < 200, "{asked} requests over {connections} connections");
    }
}

#[test]
fn a_file_that_is_started_over_while_others_of_its_parts_end_counts_each_part_once() {
    for seed in 0..40 {
        let origin = origin(ranges(32, 100));
        let script = at_random(seed, 12, vec![Fault::FreshEtag]);
        // Another version now and then, until the script has had its say.
        origin.script(move |request, nth| if nth < 60 { script(request, nth) } else { None });
        let desk = Desk::new(8, RetryPolicy { max_attempts: 100, ..QUICK });
        desk.load(&origin);
        let item = desk.run();
        assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
        assert_eq!((item.downloaded_bytes, item.fetches_done), (3200, 32), "seed {seed}");
    }
}

#[test]
fn a_part_of_the_old_version_never_lands_in_a_file_that_came_in_one_piece() {
    let is_new = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_new);
    let mut files = ranges(2, 1000);
    let list = String::from_utf8(files["/item.m3u8"].clone()).unwrap();
    let list = list.replace("#EXT-X-ENDLIST", "#EXTINF:30,\nlast.ts\n#EXT-X-ENDLIST");
    files.insert("/item.m3u8".to_owned(), list.into_bytes());
    let origin =
        Origin::start(move |request: &Request| match (request.path(), is_new.load(Ordering::SeqCst)) {
            ("/all.ts", false) => Response::ok(bytes(7, 2000)).etag("old"),
            ("/all.ts", true) => Response::ok(bytes(8, 2000)).etag("new"),
            ("/last.ts", _) => Response::ok(bytes(9, 10)),
            (path, _) => files.get(path).map_or(Response::status(404), |file| Response::ok(file.clone())),
        })
        .unwrap();
    // The first part's answer has begun with the old version, and waits.
    let old = origin.hold_body(500, |request| is_range(request, 0));
    let second = origin.hold(|request| is_range(request, 1000));
    let last = origin.hold(|request| request.path() == "/last.ts");
    let desk = Desk::new(2, RetryPolicy { first_delay: Duration::ZERO, ..QUICK });
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    old.wait_for(1);
    second.wait_for(1);
    // From now on there is another file, from a server that knows no ranges.
    switch.store(true, Ordering::SeqCst);
    origin.fault(Fault::IgnoreRange.on("/all.ts"));
    drop(second);
    // Whatever could be had of the new file beside the old part has come by now.
    last.wait_for(1);
    drop((old, last));
    let item = desk.manager.wait(&id).unwrap();
    assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
    assert!(desk.file("video/0/000000.ts") == bytes(8, 2000), "parts of two versions");
    assert_eq!((item.downloaded_bytes, item.fetches_done), (2010, 3));
}
