//! What came before a break is not fetched again, and never mixed with another version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dtg_core::{Item, ItemState};
use dtg_testkit::{Ending, Fault, Memory, Origin, Request, Response};

use crate::support::{Desk, QUICK, bytes, downloaded, id, origin, ranges, segments};

const FILE: &str = "/all.ts";

fn cut(after: u64) -> Fault {
    Fault::Cut { after, ending: Ending::Fin }
}

/// The Range headers of the requests for a path; `-` for none.
fn asked(origin: &Origin, path: &str) -> Vec<String> {
    let of_path = origin.requests().into_iter().filter(|request| request.path() == path);
    of_path.map(|request| request.header("range").unwrap_or("-").to_owned()).collect()
}

#[track_caller]
fn check_completed(desk: &Desk, item: &Item, name: &str, expected: &[u8]) {
    assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
    assert!(desk.file(name) == expected, "{name} has other bytes");
}

#[test]
fn a_segment_that_breaks_off_goes_on_where_it_stopped() {
    let origin = origin(segments());
    origin.fault(cut(600).on("/seg-1.ts").first(1));
    let (desk, item) = downloaded(&origin);
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 1000));
    assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "bytes=600-"]);
    assert_eq!(item.downloaded_bytes, 3000);
}

#[test]
fn a_part_of_a_file_that_breaks_off_goes_on_where_it_stopped() {
    let origin = origin(ranges(2, 1000));
    let desk = Desk::new(1, QUICK);
    origin.script(|request, nth| (request.path() == FILE && nth == 2).then(|| cut(600)));
    desk.load(&origin);
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000000.ts", &bytes(7, 2000));
    let mut ranges = asked(&origin, FILE);
    ranges.sort();
    assert_eq!(ranges, ["bytes=0-999", "bytes=1000-1999", "bytes=1600-1999"]);
}

#[test]
fn attempts_are_counted_since_the_last_progress() {
    let mut files = segments();
    files.insert("/seg-1.ts".to_owned(), bytes(1, 64_000));
    let origin = origin(files);
    // Each attempt brings more than the least that a window must; three attempts in all would not do.
    origin.fault(cut(7000).on("/seg-1.ts").first(8));
    let (desk, item) = downloaded(&origin);
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 64_000));
    assert_eq!(asked(&origin, "/seg-1.ts").len(), 9);
}

/// A desk that was closed after at least 600 bytes of the second segment had come, and opened again.
fn reopened_in_between(origin: &Origin) -> Desk {
    let hold = origin.hold_body(600, |request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, QUICK);
    let id = desk.load(origin);
    desk.manager.start_item(&id).expect("it can be started");
    hold.wait_for(1);
    while desk.manager.item(&id).expect("it is there").downloaded_bytes < 1600 {
        std::thread::yield_now();
    }
    desk.reopened()
}

#[test]
fn a_segment_goes_on_where_it_stopped_after_the_manager_was_closed() {
    let origin = origin(segments());
    let desk = reopened_in_between(&origin);
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 1000));
    assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "bytes=600-"]);
    assert_eq!((item.downloaded_bytes, item.fetches_done), (3000, 3));
}

#[test]
fn bytes_that_are_not_what_they_were_are_not_gone_on_with() {
    let origin = origin(segments());
    let desk = reopened_in_between(&origin);
    let folder = std::fs::read_dir(desk.root.path().join("items")).unwrap().next().unwrap().unwrap().path();
    let file = folder.join("media/video/0/000001.ts");
    let mut damaged = std::fs::read(&file).unwrap();
    damaged[0] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 1000));
    assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "-"]);
    assert_eq!(item.downloaded_bytes, 3000);
}

#[test]
fn a_segment_that_changed_before_it_goes_on_comes_from_the_new_version_only() {
    let is_new = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_new);
    let files = segments();
    let origin = Origin::start(move |request: &Request| match request.path() {
        "/seg-1.ts" if is_new.load(Ordering::SeqCst) => Response::ok(bytes(9, 1000)).etag("new"),
        path => files.get(path).map_or(Response::status(404), |file| Response::ok(file.clone()).etag("old")),
    })
    .unwrap();
    let desk = reopened_in_between(&origin);
    switch.store(true, Ordering::SeqCst);
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(9, 1000));
    assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "bytes=600-"], "the answer to If-Range is the new file");
}

#[test]
fn a_rest_that_is_refused_is_probed_again_from_the_start() {
    let origin = origin(segments());
    origin.script(|request, nth| match (request.path(), nth) {
        ("/seg-1.ts", 1) => Some(cut(600)),
        ("/seg-1.ts", 2) => Some(Fault::RangeNotSatisfiable),
        _ => None,
    });
    let (desk, item) = downloaded(&origin);
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 1000));
    assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "bytes=600-", "-"]);
}

#[test]
fn without_a_strong_validator_a_segment_begins_anew() {
    for weak in [Fault::NoValidator, Fault::WeakEtag] {
        let origin = origin(segments());
        origin.fault(weak.on("/seg-1.ts"));
        origin.fault(cut(600).on("/seg-1.ts").first(1));
        let (desk, item) = downloaded(&origin);
        check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 1000));
        assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "-"]);
    }
}

#[test]
fn a_compressed_body_is_never_gone_on_with() {
    let origin = origin(segments());
    origin.fault(Fault::Gzip.on("/seg-1.ts"));
    origin.fault(cut(600).on("/seg-1.ts").first(1));
    let (desk, item) = downloaded(&origin);
    check_completed(&desk, &item, "video/0/000001.ts", &bytes(1, 1000));
    assert_eq!(asked(&origin, "/seg-1.ts"), ["-", "-"]);
}

#[test]
fn a_server_that_knows_no_ranges_sends_the_file_once() {
    for validator in [None, Some(Fault::NoValidator)] {
        let origin = origin(ranges(32, 1000));
        origin.fault(Fault::IgnoreRange.on(FILE));
        validator.into_iter().for_each(|fault| origin.fault(fault.on(FILE)));
        let desk = Desk::new(1, QUICK);
        desk.load(&origin);
        let item = desk.run();
        check_completed(&desk, &item, "video/0/000000.ts", &bytes(7, 32_000));
        assert_eq!(asked(&origin, FILE).len(), 1);
        assert_eq!((item.downloaded_bytes, item.fetches_done), (32_000, 32));
    }
}

#[test]
fn of_many_requests_at_once_one_goes_on_where_the_server_knows_no_ranges() {
    let origin = origin(ranges(32, 1000));
    origin.fault(Fault::All(vec![Fault::IgnoreRange, Fault::NoValidator]).on(FILE));
    let desk = Desk::new(8, QUICK);
    desk.load(&origin);
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000000.ts", &bytes(7, 32_000));
    assert!(asked(&origin, FILE).len() <= 8, "{:?}", asked(&origin, FILE));
    assert_eq!((item.downloaded_bytes, item.fetches_done), (32_000, 32));
}

#[test]
fn without_a_strong_validator_the_parts_of_a_file_come_by_one_request() {
    for weak in [Fault::NoValidator, Fault::WeakEtag] {
        let origin = origin(ranges(4, 1000));
        origin.fault(weak.on(FILE));
        let desk = Desk::new(1, QUICK);
        desk.load(&origin);
        let item = desk.run();
        check_completed(&desk, &item, "video/0/000000.ts", &bytes(7, 4000));
        assert_eq!(asked(&origin, FILE), ["bytes=0-999", "bytes=0-3999"]);
    }
}

#[test]
fn a_file_in_one_piece_that_breaks_off_begins_anew_without_a_validator_and_goes_on_with_one() {
    let run = |validator: Option<Fault>| {
        let origin = origin(ranges(4, 1000));
        origin.fault(Fault::IgnoreRange.on(FILE));
        validator.into_iter().for_each(|fault| origin.fault(fault.on(FILE)));
        origin.fault(cut(2500).on(FILE).first(1));
        let desk = Desk::new(1, QUICK);
        desk.load(&origin);
        let item = desk.run();
        check_completed(&desk, &item, "video/0/000000.ts", &bytes(7, 4000));
        assert_eq!((item.downloaded_bytes, item.fetches_done), (4000, 4));
        asked(&origin, FILE)
    };
    assert_eq!(run(Some(Fault::NoValidator)), ["bytes=0-999", "bytes=0-3999"]);
    assert_eq!(run(None), ["bytes=0-999", "bytes=2000-3999"]);
}

#[test]
fn half_a_file_without_a_validator_is_nothing_to_the_next_manager() {
    let is_new = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_new);
    let files = ranges(4, 1000);
    let origin = Origin::start(move |request: &Request| match request.path() {
        FILE => Response::ok(bytes(if is_new.load(Ordering::SeqCst) { 8 } else { 7 }, 4000)),
        path => files.get(path).map_or(Response::status(404), |file| Response::ok(file.clone())),
    })
    .unwrap();
    let hold = origin.hold_body(2500, |request| request.path() == FILE);
    let desk = Desk::new(1, QUICK);
    let x = desk.load(&origin);
    desk.manager.start_item(&x).unwrap();
    hold.wait_for(1);
    while desk.manager.item(&x).unwrap().fetches_done < 2 {
        std::thread::yield_now();
    }
    let desk = desk.reopened();
    drop(hold);
    switch.store(true, Ordering::SeqCst);
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000000.ts", &bytes(8, 4000));
    assert_eq!((item.downloaded_bytes, item.fetches_done), (4000, 4));
}

#[test]
fn a_settled_date_of_change_is_as_good_as_a_strong_etag() {
    let files: BTreeMap<String, Vec<u8>> = ranges(4, 1000);
    let origin = Origin::start(move |request: &Request| {
        let file = files.get(request.path());
        file.map_or(Response::status(404), |file| {
            Response::ok(file.clone())
                .last_modified("Sun, 06 Nov 1994 08:49:37 GMT")
                .header("Date", "Sun, 06 Nov 1994 09:49:37 GMT")
        })
    })
    .unwrap();
    let desk = Desk::new(1, QUICK);
    desk.load(&origin);
    let item = desk.run();
    check_completed(&desk, &item, "video/0/000000.ts", &bytes(7, 4000));
    assert_eq!(
        asked(&origin, FILE),
        ["bytes=0-999", "bytes=1000-1999", "bytes=2000-2999", "bytes=3000-3999"]
    );
    let conditions: Vec<bool> = origin
        .requests()
        .iter()
        .filter(|it| it.path() == FILE)
        .map(|it| it.header("if-range").is_some())
        .collect();
    assert_eq!(conditions, [false, true, true, true]);
}

#[test]
fn items_with_and_without_validators_share_their_connections() {
    let mut files = ranges(16, 500);
    files.extend(segments().into_iter().filter(|(path, _)| path != "/item.m3u8"));
    let list = String::from_utf8(segments()["/item.m3u8"].clone()).unwrap();
    files.insert("/other.m3u8".to_owned(), list.into_bytes());
    let origin = Origin::start(Memory::new(files)).unwrap();
    origin.fault(Fault::NoValidator.on(FILE));
    let desk = Desk::new(4, QUICK);
    desk.load(&origin);
    desk.manager.add_item(&id("y"), &origin.url("/other.m3u8")).unwrap();
    desk.manager.load_item_metadata(&id("y"), dtg_core::BitRate(1)).unwrap();
    desk.manager.start_item(&id("x")).unwrap();
    desk.manager.start_item(&id("y")).unwrap();
    for item in ["x", "y"] {
        assert_eq!(desk.manager.wait(&id(item)).unwrap().state, ItemState::Completed);
    }
    assert_eq!(desk.file("video/0/000000.ts"), bytes(7, 8000));
}
