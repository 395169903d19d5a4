//! Answers that are not what they say: none is ever taken for a part.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dtg_core::{BitRate, Event, ItemState};
use dtg_testkit::{Ending, Fault, Origin};

use crate::raw::{Raw, Say, Then};
use crate::support::{Desk, ONCE, QUICK, bytes, downloaded, id, origin, ranges, segments};

/// The item's rest when every answer for `/seg-1.ts` suffers `fault`, by state and code.
fn rest(fault: Fault) -> String {
    let origin = origin(segments());
    origin.fault(fault.on("/seg-1.ts"));
    let (_desk, item) = downloaded(&origin);
    let asked = origin.requests().len();
    assert!(asked <= 3 * 12 + 4, "{asked} requests");
    format!("{} {}", item.state, item.failure.map(|failure| failure.code).unwrap_or_default())
}

/// Completed, and the segment has the right bytes.
#[track_caller]
fn check_whole(fault: Fault) {
    let origin = origin(segments());
    origin.fault(fault.clone().on("/seg-1.ts"));
    let (desk, item) = downloaded(&origin);
    assert_eq!(item.state, ItemState::Completed, "{fault:?}: {:?}", item.failure);
    assert_eq!(desk.file("video/0/000001.ts"), bytes(1, 1000), "{fault:?}");
}

fn header(name: &str, value: &str) -> Fault {
    Fault::Header { name: name.to_owned(), value: value.to_owned() }
}

fn extra(name: &str, value: &str) -> Fault {
    Fault::ExtraHeader { name: name.to_owned(), value: value.to_owned() }
}

#[test]
fn a_body_that_is_cut_is_never_a_part() {
    for ending in [Ending::Fin, Ending::Reset] {
        // Without a validator there is nothing to go on with.
        let cut = || Fault::All(vec![Fault::NoValidator, Fault::Cut { after: 600, ending }]);
        assert_eq!(rest(cut()).split(' ').next(), Some("interrupted"), "{ending:?}");
        let chunked = Fault::All(vec![Fault::Chunked, cut()]);
        assert_eq!(rest(chunked), "interrupted unreachable", "{ending:?}");
        let gzip = Fault::All(vec![Fault::Gzip, Fault::Chunked, cut()]);
        assert_eq!(rest(gzip), "interrupted unreachable", "{ending:?}");
    }
    assert_eq!(rest(Fault::ChunkedNoEnd), "interrupted unreachable");
    assert_eq!(rest(Fault::LengthOff(10)).split(' ').next(), Some("interrupted"));
    assert_eq!(rest(Fault::NoAnswer(Ending::Reset)), "interrupted unreachable");
}

#[test]
fn a_body_without_a_known_end_is_refused() {
    assert_eq!(rest(Fault::CloseDelimited), "failed bad-answer");
    for encoding in ["identity", "gzip"] {
        let unframed = Fault::All(vec![Fault::CloseDelimited, extra("Transfer-Encoding", encoding)]);
        assert_ne!(rest(unframed).split(' ').next(), Some("completed"), "{encoding}");
    }
}

#[test]
fn an_answer_in_an_encoding_that_is_not_undone_is_refused() {
    for encoding in ["br", "zstd", "deflate", "aes128gcm", "gzip, br"] {
        assert_eq!(rest(extra("Content-Encoding", encoding)), "failed bad-answer", "{encoding}");
    }
}

#[test]
fn what_comes_chunked_or_compressed_is_stored_as_it_is_meant() {
    check_whole(Fault::Chunked);
    check_whole(Fault::Gzip);
    check_whole(Fault::All(vec![Fault::Gzip, Fault::Chunked]));
    check_whole(extra("Content-Encoding", "identity"));
    check_whole(extra("Content-Encoding", "Identity"));
}

#[test]
fn lengths_that_make_no_sense_do_not_hang() {
    for value in ["-1", "abc", "99999999999999999999999", "1000, 999"] {
        let rested = rest(header("Content-Length", value));
        assert!(!rested.starts_with("completed"), "{value}: {rested}");
    }
    let two = rest(extra("Content-Length", "999"));
    assert!(!two.starts_with("completed"), "two lengths: {two}");
}

#[test]
fn statuses_without_a_part_are_refused() {
    assert_eq!(rest(Fault::Empty), "failed bad-answer");
    assert_eq!(rest(Fault::Html), "failed bad-answer");
    assert_eq!(rest(header("Content-Type", "application/json; charset=utf-8")), "failed bad-answer");
    for status in [204, 404, 410] {
        assert_eq!(rest(Fault::status(status)), "failed status", "{status}");
    }
    assert_eq!(rest(Fault::status(503)), "interrupted status");
}

#[test]
fn redirects_are_followed_within_http_and_within_limits() {
    check_whole(Fault::RedirectChain(5));
    let to = |location: &str| Fault::Redirect { status: 302, location: location.to_owned() };
    for location in ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"] {
        assert_eq!(rest(to(location)), "failed scheme-not-allowed", "{location}");
    }
    for fault in [Fault::RedirectLoop, Fault::RedirectChain(50), to(""), to("http://[::/?t=secret")] {
        assert_eq!(rest(fault.clone()), "failed bad-answer", "{fault:?}");
    }
}

#[test]
fn no_message_shows_where_a_redirect_leads_with_its_token() {
    for location in ["http://[::/?t=secret", "secret://x/", "file:///x?secret", "http://127.0.0.1:1/?secret"]
    {
        let origin = origin(segments());
        origin.fault(Fault::Redirect { status: 302, location: location.to_owned() }.on("/seg-1.ts"));
        let (_desk, item) = downloaded(&origin);
        let message = item.failure.unwrap().message;
        assert!(!message.contains("?t=") && !message.contains("?secret"), "{message}");
    }
}

/// The rest of an item whose ranges all suffer `fault`.
fn ranged(fault: Fault) -> (Desk, String) {
    let origin = origin(ranges(4, 1000));
    origin.fault(fault.on("/all.ts"));
    let (desk, item) = downloaded(&origin);
    assert!(origin.requests().len() < 100);
    let code = item.failure.map(|failure| failure.code).unwrap_or_default();
    (desk, format!("{} {code}", item.state))
}

#[test]
fn a_range_is_the_range_that_was_asked_for() {
    assert_eq!(ranged(Fault::OtherRange(10)).1, "failed bad-answer");
    assert_eq!(ranged(Fault::Multipart).1, "failed bad-answer");
    assert!(ranged(Fault::RangeNotSatisfiable).1.starts_with("failed "));
    let encoded = extra("Content-Encoding", "br");
    assert_eq!(ranged(encoded).1, "failed bad-answer");
}

#[test]
fn a_server_that_knows_no_ranges_gives_the_same_file() {
    for fault in
        [Fault::IgnoreRange, Fault::All(vec![Fault::IgnoreRange, Fault::Chunked, Fault::NoValidator])]
    {
        let (desk, rested) = ranged(fault);
        assert_eq!(rested, "completed ");
        assert_eq!(desk.file("video/0/000000.ts"), bytes(7, 4000));
    }
}

#[test]
fn the_end_of_a_whole_file_that_nobody_needs_is_not_waited_for() {
    let mut files = ranges(2, 1000);
    files.insert("/all.ts".to_owned(), bytes(7, 5000));
    let origin = origin(files);
    origin.fault(Fault::IgnoreRange.on("/all.ts"));
    let _rest = origin.hold_body(2000, |request| request.path() == "/all.ts");
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn a_retry_that_brings_a_shorter_file_leaves_nothing_of_the_longer_one() {
    let asked = AtomicUsize::new(0);
    let origin = Origin::start(move |request: &dtg_testkit::Request| {
        let files = segments();
        let Some(body) = files.get(request.path()) else { return dtg_testkit::Response::status(404) };
        let short = request.path() == "/seg-1.ts" && asked.fetch_add(1, Ordering::Relaxed) > 0;
        dtg_testkit::Response::ok(if short { b"short".to_vec() } else { body.clone() })
    })
    .unwrap();
    origin.fault(Fault::Cut { after: 600, ending: Ending::Fin }.on("/seg-1.ts").first(1));
    let desk = Desk::new(1, QUICK);
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(desk.file("video/0/000001.ts"), b"short");
}

#[test]
fn connections_are_used_again_after_whole_answers() {
    let origin = origin(segments());
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Completed);
    let connections: std::collections::BTreeSet<u64> =
        origin.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 1);
}

#[test]
fn bytes_of_a_failed_attempt_do_not_count_and_the_fraction_does_not_fall() {
    let origin = origin(segments());
    let cut = Fault::Cut { after: 600, ending: Ending::Fin };
    origin.fault(Fault::All(vec![Fault::NoValidator, cut]).on("/seg-2.ts"));
    let desk = Desk::new(1, QUICK);
    desk.load(&origin);
    let events = desk.manager.subscribe();
    let item = desk.run();
    assert_eq!((item.state, item.downloaded_bytes, item.fetches_done), (ItemState::Interrupted, 2000, 2));
    desk.manager.close();
    let fractions: Vec<f64> = events
        .iter()
        .filter_map(
            |event| if let Event::Progress(progress) = event { Some(progress.fraction) } else { None },
        )
        .collect();
    assert!(fractions.is_sorted(), "{fractions:?}");
}

#[test]
fn a_key_of_the_wrong_length_fails_the_item_and_counts_for_nothing() {
    let mut files = segments();
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"key?s=secret\"\n\
                #EXTINF:4,\nseg-0.ts\n#EXT-X-ENDLIST\n";
    files.insert("/item.m3u8".to_owned(), list.as_bytes().to_vec());
    files.insert("/key".to_owned(), vec![0xAB; 500]);
    let (_desk, item) = {
        let origin = origin(files);
        let hold = origin.hold(|request| request.path() == "/seg-0.ts");
        let desk = Desk::new(1, ONCE);
        desk.load(&origin);
        desk.manager.start_item(&id("x")).unwrap();
        hold.release();
        let item = desk.manager.wait(&id("x")).unwrap();
        (desk, item)
    };
    assert_eq!(item.state, ItemState::Failed);
    assert!([0, 1000].contains(&item.downloaded_bytes), "{}", item.downloaded_bytes);
    assert!(!item.failure.unwrap().message.contains("secret"));
}

#[test]
fn a_policy_of_endless_delays_is_bounded() {
    let origin = origin(segments());
    origin.fault(Fault::status(503).on("/seg-0.ts").first(1));
    let endless =
        dtg_core::RetryPolicy { max_attempts: 2, first_delay: Duration::MAX, max_delay: Duration::MAX };
    let desk = Desk::new(1, endless);
    let id = desk.load(&origin);
    let hold = origin.hold(|request| request.path() == "/seg-2.ts");
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    hold.release();
    desk.manager.pause_item(&id).unwrap();
    assert_eq!(desk.manager.item(&id).unwrap().state, ItemState::Paused);
}

#[test]
fn a_key_that_is_too_long_is_not_read() {
    const LIST: &[u8] = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n\
        #EXTINF:4,\nseg-0.ts\n#EXT-X-ENDLIST\n";
    // Whoever waits for the rest waits for half a minute.
    for head in ["Content-Length: 1000000000\n\n", "Transfer-Encoding: chunked\n\n"] {
        let key =
            Say::new(&format!("HTTP/1.1 200 OK\n{head}"), b"11\r\n0123456789abcdefg\r\n").then(Then::Hang);
        let raw = Raw::start(move |asked| match asked.path() {
            "/item.m3u8" => Some(Say::ok(LIST)),
            "/key" => Some(key.clone()),
            _ => None,
        });
        let desk = Desk::new(1, QUICK);
        desk.manager.add_item(&id("x"), &raw.url("/item.m3u8")).unwrap();
        desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
        let item = desk.run();
        assert_eq!(item.state, ItemState::Failed, "{head}");
        assert_eq!(item.failure.map(|failure| failure.code).as_deref(), Some("bad-answer"), "{head}");
        assert_eq!(raw.asked("/key").len(), 1, "{head}");
    }
}
