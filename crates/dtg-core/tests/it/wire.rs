//! Odd bytes on the wire: what HTTP allows is understood, what it forbids is an error, and neither is ever taken
//! for media.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, HttpSettings, Item, ItemState};

use crate::raw::{Asked, Raw, Say, Then};
use crate::support::{Desk, ONCE, QUICK, builder, bytes, id};

/// The body that the second segment has.
fn body() -> Vec<u8> {
    bytes(1, 1000)
}

/// An answer of the second segment's body under this head.
fn say(head: &str) -> Say {
    Say::new(head, &body())
}

/// The same in chunks, with what stands around them.
fn chunked(head: &str, before: &str, after: &str) -> Say {
    Say::new(head, &[before.as_bytes(), &body(), after.as_bytes()].concat())
}

fn load(desk: &Desk, raw: &Raw) {
    desk.manager.add_item(&id("x"), &raw.url("/item.m3u8")).expect("a new id");
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).expect("a sound playlist");
}

/// The item's rest when the second segment is answered so, and the requests for it.
fn rest(answer: impl Fn(&Asked) -> Option<Say> + Send + Sync + 'static) -> (Desk, Item, Vec<Asked>) {
    let raw = Raw::start(answer);
    let desk = Desk::new(2, QUICK);
    load(&desk, &raw);
    let item = desk.run();
    (desk, item, raw.asked("/seg-1.ts"))
}

fn for_second(say: Say) -> impl Fn(&Asked) -> Option<Say> + Send + Sync + 'static {
    move |asked| (asked.path() == "/seg-1.ts").then(|| say.clone())
}

#[track_caller]
fn check_understood(say: Say) {
    let shown = String::from_utf8_lossy(&say.bytes).chars().take(80).collect::<String>();
    let (desk, item, asked) = rest(for_second(say));
    assert_eq!(item.state, ItemState::Completed, "{shown}: {:?}", item.failure);
    assert_eq!(desk.file("video/0/000001.ts"), body(), "{shown}");
    assert_eq!(asked.len(), 1, "{shown}");
}

#[track_caller]
fn check_refused(say: Say, expected: &str) {
    let shown = String::from_utf8_lossy(&say.bytes).chars().take(80).collect::<String>();
    let (_desk, item, asked) = rest(for_second(say));
    let code = item.failure.map(|failure| failure.code).unwrap_or_default();
    assert_eq!(format!("{} {code}", item.state), expected, "{shown}");
    assert!(item.fetches_done < 3, "{shown}");
    assert!(asked.len() <= 3, "{shown}: {} requests", asked.len());
}

const OK: &str = "HTTP/1.1 200 OK\nContent-Length: 1000\n\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n";

#[test]
fn what_http_allows_is_understood() {
    for head in [
        "HTTP/1.0 200 OK\nContent-Length: 1000\n\n",
        "HTTP/1.1 200\nContent-Length: 1000\n\n",
        "HTTP/1.1 200 \nContent-Length: 1000\n\n",
        "HTTP/1.1 200 OK\ncontent-length:1000\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 1000\nContent-Length: 1000\n\n",
        "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 1000\n\n",
        "HTTP/1.1 103 Early Hints\nLink: </a>; rel=preload\n\nHTTP/1.1 200 OK\nContent-Length: 1000\n\n",
        "HTTP/1.1 103 E\n\nHTTP/1.1 102 P\n\nHTTP/1.1 103 E\n\nHTTP/1.1 200 OK\nContent-Length: 1000\n\n",
    ] {
        check_understood(say(head));
    }
    check_understood(say("HTTP/1.0 200 OK\nContent-Length: 1000\n\n").then(Then::Close));
    check_understood(chunked(CHUNKED, "3e8;a=b;c=\"d\"\r\n", "\r\n0;last\r\nX: y\r\nZ: w\r\n\r\n"));
    check_understood(chunked(CHUNKED, "0003E8\r\n", "\r\n0\r\n\r\n"));
    let both = "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n";
    check_understood(chunked(both, "3e8\r\n", "\r\n0\r\n\r\n"));
    let many = format!("HTTP/1.1 200 OK\n{}Content-Length: 1000\n\n", "X-Y: a\n".repeat(90));
    check_understood(say(&many));
    let long = format!("HTTP/1.1 200 OK\nX: {}\nContent-Length: 1000\n\n", "a".repeat(30_000));
    check_understood(say(&long));
    let latin = [&b"HTTP/1.1 200 OK\r\nX: \xe9\r\nContent-Length: 1000\r\n\r\n"[..], &body()].concat();
    check_understood(Say { bytes: latin, then: Then::Keep });
    // What follows an answer without having been asked for belongs to nothing.
    check_understood(Say::new(OK, &[body(), b"HTTP/1.1 200 OK\r\n\r\n".to_vec()].concat()));
}

#[test]
fn a_status_that_brings_no_segment_is_told_and_not_tried_again() {
    for status in ["101 S", "203 N", "204 N", "205 R", "300 M", "304 N", "305 U", "999 X"] {
        check_refused(Say::new(&format!("HTTP/1.1 {status}\nContent-Length: 0\n\n"), b""), "failed status");
    }
    let part = "HTTP/1.1 206 P\nContent-Range: bytes 0-999/2000\nContent-Length: 1000\n\n";
    check_refused(say(part), "failed bad-answer");
}

#[test]
fn a_head_that_makes_no_sense_is_tried_again_and_then_interrupts() {
    for head in [
        "HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 1000\n\n",
        "HTTP/1.1 200 OK\nX: a\0b\nContent-Length: 1000\n\n",
        "HTTP/1.1 200 OK\nContent-Length : 1000\n\n",
        "HTTP/1.1 200 OK\n: x\nContent-Length: 1000\n\n",
        "HTTP/1.1 200 OK\ngarbage\nContent-Length: 1000\n\n",
        "HTTP/1.1 200 OK\nContent-Length: +1000\n\n",
        "HTTP/2 200\nContent-Length: 1000\n\n",
        "ICY 200 OK\nContent-Length: 1000\n\n",
        "HTTP/1.1 099 X\nContent-Length: 1000\n\n",
        "garbage\n\n",
    ] {
        check_refused(say(head), "interrupted unreachable");
    }
    let endless = format!("HTTP/1.1 200 OK\n{}Content-Length: 1000\n\n", "X-Y: aaaaaaaa\n".repeat(100_000));
    check_refused(say(&endless), "interrupted unreachable");
    let long = format!("HTTP/1.1 200 OK\nX: {}\n\n", "a".repeat(10_000_000));
    check_refused(say(&long), "interrupted unreachable");
}

#[test]
fn chunks_that_make_no_sense_are_no_segment() {
    for size in ["zz", "-1", "fffffffffffffffff", "ffffffffffffffff", ""] {
        let lie = chunked(CHUNKED, &format!("{size}\r\n"), "\r\n0\r\n\r\n").then(Then::Close);
        check_refused(lie, "interrupted unreachable");
    }
}

#[test]
fn a_transfer_coding_that_is_not_undone_is_refused() {
    let coded = "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked\n\n";
    check_refused(chunked(coded, "3e8\r\n", "\r\n0\r\n\r\n"), "failed bad-answer");
}

#[test]
fn every_redirect_leads_on_from_where_it_was_given() {
    for status in [301, 302, 303, 307, 308] {
        let (desk, item, _) = rest(move |asked| match asked.path() {
            "/seg-1.ts" => {
                let head =
                    format!("HTTP/1.1 {status} M\nLocation: a/../b/./x.ts?q=1#part\nContent-Length: 4\n\n");
                Some(Say::new(&head, b"gone"))
            }
            "/b/x.ts" if asked.head.starts_with("GET /b/x.ts?q=1 HTTP/1.1\r\n") => Some(Say::ok(&body())),
            _ => None,
        });
        assert_eq!(item.state, ItemState::Completed, "{status}: {:?}", item.failure);
        assert_eq!(desk.file("video/0/000001.ts"), body());
    }
}

#[test]
fn a_redirect_to_itself_that_waits_for_its_cookie_is_followed() {
    let (desk, item, asked) = rest(|asked| match (asked.path(), asked.header("cookie")) {
        ("/seg-1.ts", Some("seen=1")) => Some(Say::ok(&body())),
        ("/seg-1.ts", _) => {
            let head =
                "HTTP/1.1 302 F\nSet-Cookie: seen=1; Path=/\nLocation: /seg-1.ts\nContent-Length: 0\n\n";
            Some(Say::new(head, b""))
        }
        _ => None,
    });
    assert_eq!((item.state, asked.len()), (ItemState::Completed, 2));
    assert_eq!(desk.file("video/0/000001.ts"), body());
}

#[test]
fn the_body_of_a_redirect_that_does_not_come_is_not_waited_for() {
    let raw = Raw::start(|asked| {
        (asked.path() == "/seg-1.ts").then(|| {
            let head = "HTTP/1.1 302 F\nLocation: /seg-0.ts\nContent-Length: 100\n\n";
            Say::new(head, b"soon").then(Then::Hang)
        })
    });
    // Whoever waits for the rest waits for as long as anybody has patience.
    let root = Utf8TempDir::new().unwrap();
    let patient = HttpSettings { read_timeout: Duration::from_secs(24 * 3600), ..HttpSettings::default() };
    let manager = builder(&root, 2, QUICK).http(patient).open().unwrap();
    manager.add_item(&id("x"), &raw.url("/item.m3u8")).unwrap();
    manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    manager.start_item(&id("x")).unwrap();
    let item = manager.wait(&id("x")).unwrap();
    assert_eq!((item.state, raw.asked("/seg-1.ts").len()), (ItemState::Completed, 1));
}

#[test]
fn an_idle_connection_that_is_closed_as_it_is_taken_is_no_failed_attempt() {
    // Each connection answers two requests, and goes without a word when the third has come.
    let raw = Raw::start(|asked| (asked.nth > 2).then(|| Say { bytes: Vec::new(), then: Then::Close }));
    let desk = Desk::new(1, ONCE);
    load(&desk, &raw);
    let item = desk.run();
    assert_eq!((item.state, item.failure), (ItemState::Completed, None));
    assert_eq!(desk.file("video/0/000001.ts"), body());
    // On a fresh connection it is a failure like any other.
    let raw = Raw::start(|asked| {
        (asked.path() == "/seg-1.ts").then(|| Say { bytes: Vec::new(), then: Then::Close })
    });
    let desk = Desk::new(1, ONCE);
    load(&desk, &raw);
    let item = desk.run();
    assert_eq!(
        item.failure.map(|failure| (failure.code, failure.attempts)),
        Some(("unreachable".to_owned(), 1))
    );
    assert_eq!(raw.asked("/seg-1.ts").len(), 2, "once over an idle connection, once over a new one");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the pause is a time")]
fn a_host_that_asks_for_a_pause_gets_no_request_at_all_meanwhile() {
    let asked = std::sync::Arc::new(Mutex::new(Vec::<Instant>::new()));
    let times = std::sync::Arc::clone(&asked);
    let raw = Raw::start(move |asked| {
        if !asked.path().starts_with("/seg-") {
            return None;
        }
        let mut times = times.lock().unwrap();
        times.push(Instant::now());
        let busy = "HTTP/1.1 429 Too Many\nRetry-After: 1\nContent-Length: 0\n\n";
        (times.len() == 1).then(|| Say::new(busy, b""))
    });
    let desk = Desk::new(1, QUICK);
    load(&desk, &raw);
    assert_eq!(desk.run().state, ItemState::Completed);
    let times = asked.lock().unwrap();
    assert_eq!(times.len(), 4);
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{:?}", times[1] - times[0]);
}

#[test]
fn a_pause_that_is_too_long_is_not_waited_for() {
    for asked in ["99999999999999999999999", "86400", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let head = format!("HTTP/1.1 429 T\nRetry-After: {asked}\nContent-Length: 0\n\n");
        let (_desk, item, asked) = rest(for_second(Say::new(&head, b"")));
        assert_eq!((item.state, asked.len()), (ItemState::Interrupted, 1));
    }
    for asked in ["-1", "0", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", "0.5", ""] {
        let head = format!("HTTP/1.1 503 T\nRetry-After: {asked}\nContent-Length: 0\n\n");
        let (_desk, item, asked) = rest(for_second(Say::new(&head, b"")));
        assert_eq!((item.state, asked.len()), (ItemState::Interrupted, 3));
    }
}

#[test]
fn a_byte_at_each_attempt_is_no_progress() {
    let (desk, item, asked) = rest(|asked| {
        (asked.path() == "/seg-1.ts").then(|| {
            let range = asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
            let first = range.map_or(0, |first| first.parse().unwrap());
            let head = match first {
                0 => "HTTP/1.1 200 OK\nETag: \"1\"\nContent-Length: 1000\n\n".to_owned(),
                _ => format!(
                    "HTTP/1.1 206 P\nETag: \"1\"\nContent-Range: bytes {first}-999/1000\nContent-Length: {}\n\n",
                    1000 - first
                ),
            };
            Say::new(&head, &body()[first..=first]).then(Then::Close)
        })
    });
    assert_eq!((item.state, asked.len()), (ItemState::Interrupted, 3));
    assert_eq!(asked.last().unwrap().header("range"), Some("bytes=2-"), "what came is kept");
    drop(desk);
}
