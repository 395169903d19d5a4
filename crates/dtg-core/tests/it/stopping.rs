//! Whatever an item waits for, its caller has control back within 100 ms, and the item goes on later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use dtg_core::{BitRate, ErrorKind, ItemState, RetryPolicy};

use crate::raw::{Raw, Say, Then};
use crate::support::{Desk, QUICK, bytes, id, is_cancelled};

const SOON: Duration = Duration::from_millis(100);
/// No load makes soon so late.
const LATE: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(3600);
/// What a host may ask for.
const PAUSE: &str = "a pause";
/// Waits for ever between two attempts.
const PATIENT: RetryPolicy = RetryPolicy { max_attempts: 5, first_delay: HOUR, max_delay: HOUR };

/// A server that answers a path so while it is ill, and soundly afterwards; it says when it has done so.
fn ill(path: &'static str, say: Say) -> (Raw, Arc<AtomicBool>, std::sync::mpsc::Receiver<()>) {
    let is_ill = Arc::new(AtomicBool::new(true));
    let (told, reached) = channel();
    let (switch, told) = (Arc::clone(&is_ill), std::sync::Mutex::new(told));
    let raw = Raw::start(move |asked| {
        let suffers = asked.path() == path && switch.load(Ordering::SeqCst);
        suffers.then(|| {
            let _ = told.lock().map(|told| told.send(()));
            say.clone()
        })
    });
    (raw, is_ill, reached)
}

/// How long a call takes, and its answer.
#[expect(clippy::disallowed_methods, reason = "soon is a time")]
pub(crate) fn timed<T>(call: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let answer = call();
    (start.elapsed(), answer)
}

/// Control is back soon: measured again where it was not, since others use this machine's disk and processors too.
/// What waits for the server instead is late each time.
#[track_caller]
fn check_soon(what: &str, mut case: impl FnMut() -> Duration) {
    let mut all = Vec::new();
    while all.len() < 40 && all.last().is_none_or(|took| (SOON..LATE).contains(took)) {
        all.push(case());
    }
    assert!(all.last().is_some_and(|took| *took < SOON), "{what}: {all:?}");
}

/// What an item may be waiting for.
fn waits() -> Vec<(&'static str, Say)> {
    let hang = |head: &str, body: &[u8]| Say::new(head, body).then(Then::Hang);
    vec![
        ("a head", hang("", b"")),
        ("the rest of a head", hang("HTTP/1.1 200 OK\nContent-Le", b"")),
        ("a body", hang("HTTP/1.1 200 OK\nContent-Length: 1000\n\n", b"")),
        ("the rest of a body", hang("HTTP/1.1 200 OK\nETag: \"1\"\nContent-Length: 1000\n\n", &[7; 500])),
        ("a chunk", hang("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"3e8\r\n")),
        ("the end mark", hang("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"3\r\nabc\r\n")),
        ("the body of a redirect", hang("HTTP/1.1 302 F\nLocation: /\nContent-Length: 9\n\n", b"")),
        ("another attempt", Say::new("HTTP/1.1 503 S\nContent-Length: 0\n\n", b"")),
        (PAUSE, Say::new("HTTP/1.1 429 S\nRetry-After: 60\nContent-Length: 0\n\n", b"")),
    ]
}

#[test]
fn pausing_gives_control_back_at_once_and_the_item_goes_on_later() {
    for (what, say) in waits() {
        check_soon(what, || {
            let (raw, is_ill, reached) = ill("/seg-1.ts", say.clone());
            let desk = Desk::new(1, PATIENT);
            desk.manager.add_item(&id("x"), &raw.url("/item.m3u8")).unwrap();
            desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
            desk.manager.start_item(&id("x")).unwrap();
            reached.recv().unwrap();
            let took = thread::scope(|scope| {
                let waiter = scope.spawn(|| desk.manager.wait(&id("x")));
                let (took, paused) = timed(|| desk.manager.pause_item(&id("x")));
                paused.unwrap();
                assert_eq!(waiter.join().unwrap().unwrap().state, ItemState::Paused, "{what}");
                took
            });
            is_ill.store(false, Ordering::SeqCst);
            // A host that asked for a pause has it, also from the next run.
            if what != PAUSE {
                let item = desk.run();
                assert_eq!(item.state, ItemState::Completed, "{what}: {:?}", item.failure);
                assert_eq!(desk.file("video/0/000001.ts"), bytes(1, 1000), "{what}");
            }
            took
        });
    }
}

#[test]
fn removing_and_closing_give_control_back_at_once_and_the_thread_is_free_for_others() {
    for (what, say) in waits() {
        check_soon(what, || {
            let (raw, _ill, reached) = ill("/seg-1.ts", say.clone());
            let desk = Desk::new(1, PATIENT);
            for name in ["x", "y"] {
                desk.manager.add_item(&id(name), &raw.url("/item.m3u8")).unwrap();
                desk.manager.load_item_metadata(&id(name), BitRate(1)).unwrap();
            }
            desk.manager.start_item(&id("x")).unwrap();
            reached.recv().unwrap();
            let (removing, removed) = timed(|| desk.manager.remove_item(&id("x")));
            removed.unwrap();
            if what != PAUSE {
                desk.manager.start_item(&id("y")).unwrap();
                reached.recv().unwrap();
            }
            removing.max(timed(|| desk.manager.close()).0)
        });
    }
}

#[test]
fn a_load_of_metadata_is_left_at_once_when_its_item_is_removed_or_the_manager_closed() {
    for is_closed in [false, true] {
        for (what, say) in waits() {
            check_soon(what, || {
                let (raw, _ill, reached) = ill("/item.m3u8", say.clone());
                let desk = Desk::new(1, PATIENT);
                desk.manager.add_item(&id("x"), &raw.url("/item.m3u8")).unwrap();
                thread::scope(|scope| {
                    let loader = scope.spawn(|| desk.manager.load_item_metadata(&id("x"), BitRate(1)));
                    reached.recv().unwrap();
                    let (took, refused) = timed(|| {
                        match is_closed {
                            true => desk.manager.close(),
                            false => desk.manager.remove_item(&id("x")).unwrap(),
                        }
                        loader.join().unwrap()
                    });
                    // Its own answer may have been an error just before.
                    let is_an_end = refused.as_ref().is_err_and(|error| {
                        matches!(error.kind(), ErrorKind::Status(_) | ErrorKind::ItemNotFound)
                    });
                    assert!(is_an_end || is_cancelled(refused), "{what}");
                    took
                })
            });
        }
    }
}

#[test]
fn a_limited_rate_does_not_hold_up_a_pause() {
    check_soon("the bytes' turn", || {
        let raw = Raw::start(|asked| (asked.path() == "/seg-0.ts").then(|| Say::ok(&[7; 4_000_000])));
        let desk = Desk::new(1, QUICK);
        desk.manager.set_rate_limit(std::num::NonZeroU64::new(1000));
        desk.manager.add_item(&id("x"), &raw.url("/item.m3u8")).unwrap();
        desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
        let events = desk.manager.subscribe();
        desk.manager.start_item(&id("x")).unwrap();
        assert!(events.iter().any(|event| matches!(event, dtg_core::Event::Progress(_))));
        let (took, paused) = timed(|| desk.manager.pause_item(&id("x")));
        paused.unwrap();
        took
    });
}
