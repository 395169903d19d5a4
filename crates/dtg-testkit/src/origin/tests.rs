//! The origin over real sockets.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::{
    Body, Ending, Fault, Files, Memory, Origin, Request, RequestRecord, Response, RetryAfter, Rule, Signed,
    rules,
};

#[cfg(feature = "tls")]
mod tls;

const TEXT: &[u8] = b"0123456789";

fn origin() -> Origin {
    let files = BTreeMap::from([
        ("/a.ts".to_owned(), TEXT.to_vec()),
        ("/b c.m3u8".to_owned(), b"#EXTM3U\n".to_vec()),
        ("/q?n=1".to_owned(), b"one".to_vec()),
        ("/q?n=2".to_owned(), b"two".to_vec()),
        ("/big".to_owned(), big()),
    ]);
    Origin::start(Memory::new(files)).unwrap()
}

/// Longer than what is written at once.
fn big() -> Vec<u8> {
    (0..1_000_000_u32).map(|at| (at % 251) as u8).collect()
}

fn misbehaving(fault: &str) -> Origin {
    let origin = origin();
    rules(fault).unwrap().into_iter().for_each(|rule| origin.fault(rule));
    origin
}

fn connect(origin: &Origin) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", origin.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends a GET with these header lines; nothing is read.
fn send(origin: &Origin, target: &str, headers: &str) -> TcpStream {
    let mut stream = connect(origin);
    write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").unwrap();
    stream
}

/// Everything the origin sends back until the connection ends, and whether that was in order.
fn rest(mut stream: TcpStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    let ended = stream.read_to_end(&mut all);
    (all, ended.is_ok())
}

/// Head and body of a response as it was on the wire.
fn get(origin: &Origin, target: &str, headers: &str) -> (String, Vec<u8>) {
    let (all, in_order) = rest(send(origin, target, headers));
    assert!(in_order, "{}", String::from_utf8_lossy(&all));
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    (String::from_utf8(all[..end].to_vec()).unwrap(), all[end..].to_vec())
}

/// What `/a.ts` gives: its head must have these parts, its body be this.
#[track_caller]
fn check(origin: &Origin, headers: &str, head_parts: &[&str], expected: &[u8]) {
    let (head, body) = get(origin, "/a.ts", headers);
    for part in head_parts {
        assert!(head.contains(part), "no {part:?} in {head}");
    }
    assert_eq!(String::from_utf8_lossy(&body), String::from_utf8_lossy(expected));
}

/// The records, once the origin has noted that the last response was broken off or ended.
fn stopped(origin: &Origin) -> Vec<RequestRecord> {
    origin.stop();
    origin.requests()
}

/// Waits for what another thread will have done soon.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a test that cannot pass has to end")]
fn eventually(happened: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(20), "it did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn a_file_comes_with_its_length_type_and_tag() {
    let origin = origin();
    let tag = crate::origin::site::etag_of(TEXT);
    let parts = ["200 OK\r\n", "Content-Length: 10\r\n", "video/mp2t\r\n", &tag, "Accept-Ranges: bytes\r\n"];
    check(&origin, "", &parts, TEXT);
    assert!(get(&origin, "/none", "").0.starts_with("HTTP/1.1 404 Not Found\r\n"));
}

#[test]
fn targets_are_found_as_written_with_their_query_or_decoded() {
    let origin = origin();
    assert_eq!(get(&origin, "/b%20c.m3u8?x=1", "").1, b"#EXTM3U\n");
    assert_eq!(get(&origin, "/q?n=1", "").1, b"one");
    assert_eq!(get(&origin, "/q?n=2", "").1, b"two");
}

#[test]
fn a_range_is_cut_out_of_the_file() {
    let origin = origin();
    let parts = ["206 Partial Content\r\n", "Content-Range: bytes 2-5/10\r\n", "Content-Length: 4\r\n"];
    check(&origin, "Range: bytes=2-5\r\n", &parts, b"2345");
    check(&origin, "Range: bytes=2-5\r\nIf-Range: \"old\"\r\n", &["200 OK\r\n"], TEXT);
    let parts = ["416 Range Not Satisfiable\r\n", "Content-Range: bytes */10\r\n"];
    check(&origin, "Range: bytes=10-\r\n", &parts, b"416 Range Not Satisfiable\n");
}

#[test]
fn a_range_is_the_same_whether_it_comes_from_memory_a_file_or_a_function() {
    let folder = camino_tempfile::tempdir().unwrap();
    let path = folder.path().join("big");
    std::fs::write(&path, big()).unwrap();
    let origin = Origin::start(move |request: &Request| match request.path() {
        "/memory" => Response::ok(big()),
        "/file" => Response::ok(Body::file(&path).unwrap()),
        _ => Response::ok(Body::made(1_000_000, |offset, buffer| {
            for (at, byte) in buffer.iter_mut().enumerate() {
                *byte = ((offset + at as u64) % 251) as u8;
            }
        })),
    });
    let origin = origin.unwrap();
    for target in ["/memory", "/file", "/made"] {
        assert!(get(&origin, target, "").1 == big(), "{target}");
        let (_, part) = get(&origin, target, "Range: bytes=1000-700000\r\n");
        assert!(part == big()[1000..=700_000], "{target}");
    }
}

#[test]
fn one_connection_carries_many_requests_head_included() {
    let origin = origin();
    let mut stream = connect(&origin);
    write!(stream, "HEAD /a.ts HTTP/1.1\r\n\r\nGET /a.ts HTTP/1.1\r\n\r\n").unwrap();
    write!(stream, "POST /a.ts HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").unwrap();
    write!(stream, "GET /q?n=2 HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let (all, _) = rest(stream);
    let all = String::from_utf8(all).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 3, "{all}");
    assert_eq!((all.matches("0123456789").count(), all.matches("HTTP/1.1 405").count()), (1, 1), "{all}");
    assert!(all.ends_with("two"));
    let records = origin.requests();
    assert!(records.iter().all(|record| record.connection == 1 && record.finished), "{records:?}");
    assert_eq!(records.iter().map(|record| record.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(records[0].body_sent, 0);
}

#[test]
fn http_1_0_gets_an_end_and_no_chunks() {
    let origin = misbehaving("chunked");
    let mut stream = connect(&origin);
    write!(stream, "GET /a.ts HTTP/1.0\r\n\r\n").unwrap();
    let all = String::from_utf8(rest(stream).0).unwrap();
    assert!(all.ends_with("\r\n\r\n0123456789") && !all.contains("chunked"), "{all}");
}

#[test]
fn what_is_not_http_is_refused_and_the_origin_lives_on() {
    let origin = origin();
    for (nonsense, status) in [
        ("\x16\x03\x01 hello\n\n", "400"),
        ("GET\r\n\r\n", "400"),
        ("GET / HTTP/2.0\r\n\r\n", "505"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "413"),
    ] {
        let mut stream = connect(&origin);
        stream.write_all(nonsense.as_bytes()).unwrap();
        let all = rest(stream).0;
        let answer = String::from_utf8_lossy(&all);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{nonsense:?}: {answer}");
    }
    check(&origin, "", &["200 OK"], TEXT);
}

#[test]
fn a_folder_is_served_but_nothing_outside_it() {
    let folder = camino_tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("in"), folder.path().join("secret.ts"));
    std::fs::create_dir_all(inside.join("sub")).unwrap();
    std::fs::write(inside.join("sub/a b.m3u8"), "#EXTM3U\n").unwrap();
    std::fs::write(inside.join(".hidden"), "x").unwrap();
    std::fs::write(&outside, "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, inside.join("link.ts")).unwrap();
    let origin = Origin::start(Files::new(&inside).unwrap()).unwrap();

    let (head, body) = get(&origin, "/sub/a%20b.m3u8?x", "");
    assert!(head.contains("application/vnd.apple.mpegurl") && head.contains("ETag: \""), "{head}");
    assert_eq!(body, b"#EXTM3U\n");
    for target in [
        "/../secret.ts",
        "/%2e%2e/secret.ts",
        "/..%2fsecret.ts",
        "/sub/../../secret.ts",
        "/link.ts",
        "/.hidden",
        "/sub",
        "/",
        "//sub/a%20b.m3u8",
        "/%zz",
    ] {
        let (head, body) = get(&origin, target, "");
        assert!(head.starts_with("HTTP/1.1 404"), "{target}: {head} {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_tag_follows_the_content_of_the_file() {
    let folder = camino_tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ts"), TEXT).unwrap();
    let origin = Origin::start(Files::new(folder.path()).unwrap()).unwrap();
    let tag = |origin: &Origin| {
        let (head, _) = get(origin, "/a.ts", "");
        head.lines().find_map(|line| line.strip_prefix("ETag: ").map(str::to_owned)).unwrap()
    };
    let first = tag(&origin);
    assert_eq!(first, format!("\"{}\"", crate::origin::site::etag_of(TEXT)));
    std::fs::write(folder.path().join("a.ts"), "other, longer").unwrap();
    assert_ne!(tag(&origin), first);
}

#[test]
fn the_tag_of_a_long_file_is_its_length_and_time() {
    let folder = camino_tempfile::tempdir().unwrap();
    let long = std::fs::File::create(folder.path().join("long.ts")).unwrap();
    long.set_len(16 * 1024 * 1024 + 1).unwrap();
    let set = |seconds| long.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    let origin = Origin::start(Files::new(folder.path()).unwrap()).unwrap();
    set(1);
    let head = || get(&origin, "/long.ts", "Range: bytes=0-0\r\n").0;
    assert!(head().contains("ETag: \"1000001-3b9aca00\"\r\n"), "{}", head());
    set(2);
    assert!(head().contains("ETag: \"1000001-77359400\"\r\n"), "{}", head());
}

#[test]
fn a_path_that_is_no_folder_is_a_typed_error() {
    let error = Files::new("/no/such/folder").unwrap_err();
    assert!(matches!(error.kind(), crate::ErrorKind::Folder { .. }));
    assert_eq!(error.to_string(), "/no/such/folder is not a folder that can be read");
}

#[test]
fn requests_are_recorded_with_what_was_sent_of_them() {
    let origin = misbehaving("cut=4 on=/a.ts");
    rest(send(&origin, "/a.ts?token=1", "X-Test: yes\r\n"));
    get(&origin, "/q?n=1", "");
    let records = stopped(&origin);
    let [cut, whole] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((cut.method.as_str(), cut.target.as_str(), cut.path()), ("GET", "/a.ts?token=1", "/a.ts"));
    assert_eq!((cut.header("x-test"), cut.status), (Some("yes"), Some(200)));
    assert_eq!((cut.body_sent, cut.finished), (4, false));
    assert_eq!((whole.body_sent, whole.finished), (3, true));
    assert_ne!(cut.connection, whole.connection);
    origin.clear_requests();
    assert!(origin.requests().is_empty());
}

#[test]
fn a_held_request_waits_for_its_release() {
    let origin = origin();
    let hold = origin.hold(|request| request.path() == "/a.ts");
    let held = [send(&origin, "/a.ts", ""), send(&origin, "/a.ts", "")];
    hold.wait_for(2);
    assert_eq!(get(&origin, "/q?n=1", "").1, b"one", "others pass");
    assert_eq!(origin.requests()[0].status, None);
    hold.release();
    for stream in held {
        assert!(rest(stream).0.ends_with(TEXT));
    }
    check(&origin, "", &["200 OK"], TEXT);
}

#[test]
fn a_body_can_be_held_after_its_first_bytes() {
    let origin = origin();
    let hold = origin.hold_body(500_000, |request| request.path() == "/big");
    let mut stream = send(&origin, "/big", "");
    hold.wait_for(1);
    assert_eq!(origin.requests()[0].body_sent, 500_000);
    let mut first = vec![0; 500_000];
    stream.read_exact(&mut first).unwrap();
    drop(hold);
    let body = [first, rest(stream).0].concat();
    assert!(body.ends_with(&big()));
}

#[test]
fn a_client_that_leaves_no_longer_waits_at_the_hold() {
    let origin = origin();
    let hold = origin.hold(|_| true);
    let leaving = send(&origin, "/a.ts", "");
    hold.wait_for(1);
    drop(leaving);
    eventually(|| hold.waiting() == 0);
}

#[test]
fn stopping_ends_held_delayed_and_idle_connections() {
    let origin = misbehaving("delay=3600s on=/q*");
    let hold = origin.hold(|request| request.path() == "/a.ts");
    let idle = connect(&origin);
    let held = send(&origin, "/a.ts", "");
    let delayed = send(&origin, "/q?n=1", "");
    hold.wait_for(1);
    eventually(|| origin.requests().len() == 2);
    origin.stop();
    for stream in [idle, held, delayed] {
        assert!(rest(stream).0.is_empty());
    }
    assert!(TcpStream::connect(("127.0.0.1", origin.port())).is_err());
    assert_eq!(origin.requests().len(), 2, "records outlive the sockets");
    origin.stop();
}

#[test]
fn a_site_that_panics_costs_its_own_connection_only() {
    let origin = Origin::start(|request: &Request| match request.path() {
        "/panic" => panic!("on purpose"),
        _ => Response::ok("fine"),
    });
    let origin = origin.unwrap();
    assert!(rest(send(&origin, "/panic", "")).0.is_empty());
    assert_eq!(get(&origin, "/", "").1, b"fine");
}

#[test]
fn a_hundred_connections_are_served_at_once() {
    let origin = origin();
    let hold = origin.hold(|_| true);
    let clients: Vec<_> = (0..100).map(|_| send(&origin, "/a.ts", "")).collect();
    hold.wait_for(100);
    hold.release();
    for client in clients {
        assert!(rest(client).0.ends_with(TEXT));
    }
}

#[test]
fn a_status_comes_instead_of_the_answer_as_often_as_the_rule_says() {
    let origin = misbehaving("status=503,7 first=1");
    check(&origin, "", &["503 Service Unavailable\r\n", "Retry-After: 7\r\n"], b"503 Service Unavailable\n");
    check(&origin, "", &["200 OK\r\n"], TEXT);
}

#[test]
fn retry_after_comes_as_a_date_too() {
    #[track_caller]
    fn check(retry_after: RetryAfter, at: Duration, expected: &str) {
        assert_eq!(retry_after.value(std::time::UNIX_EPOCH + at), expected);
    }
    let noon = Duration::from_secs(784_111_777); // the date that RFC 9110 section 5.6.7 writes
    check(RetryAfter::Seconds(7), noon, "7");
    check(RetryAfter::Date(0), noon, "Sun, 06 Nov 1994 08:49:37 GMT");
    check(RetryAfter::Date(3), noon, "Sun, 06 Nov 1994 08:49:40 GMT");
    check(RetryAfter::Date(-38), noon, "Sun, 06 Nov 1994 08:48:59 GMT");
    check(RetryAfter::Date(3), noon + Duration::from_millis(1), "Sun, 06 Nov 1994 08:49:41 GMT");

    let (head, _) = get(&misbehaving("status=429,date:30"), "/a.ts", "");
    assert!(head.contains("429 Too Many Requests\r\n"), "{head}");
    let date = head.lines().find_map(|line| line.strip_prefix("Retry-After: ")).unwrap();
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ahead = date.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((0..=31).contains(&ahead), "{head}");
}

#[test]
fn a_script_decides_by_request_and_count() {
    let origin = origin();
    origin.script(|request, nth| (request.path() == "/a.ts" && nth == 2).then(|| Fault::status(500)));
    let status = |target| get(&origin, target, "").0[9..12].to_owned();
    assert_eq!(
        ["/a.ts", "/q?n=1", "/a.ts", "/q?n=1", "/a.ts"].map(status),
        ["200", "200", "500", "200", "200"]
    );
    origin.clear_faults();
    origin.fault(Rule::from(Fault::Html).when(|request| request.header("x").is_some()));
    assert!(get(&origin, "/a.ts", "X: 1\r\n").0.contains("text/html"));
    assert_eq!(get(&origin, "/a.ts", "").1, TEXT);
}

#[test]
fn a_cut_body_ends_in_order_or_with_a_reset() {
    let origin = misbehaving("cut=4; cut=0 on=/q");
    let (all, in_order) = rest(send(&origin, "/a.ts", ""));
    assert!(all.ends_with(b"\r\n\r\n0123") && in_order, "{}", String::from_utf8_lossy(&all));
    let (all, _) = rest(send(&origin, "/q?n=1", ""));
    assert!(all.ends_with(b"\r\n\r\n"), "the shorter of two cuts wins: {}", String::from_utf8_lossy(&all));

    let origin = misbehaving("cut=4,reset");
    let (_, in_order) = rest(send(&origin, "/a.ts", ""));
    assert!(!in_order);
}

#[test]
fn a_connection_can_end_without_an_answer() {
    assert_eq!(rest(send(&misbehaving("gone=fin"), "/a.ts", "")), (vec![], true));
    assert_eq!(rest(send(&misbehaving("gone=reset"), "/a.ts", "")), (vec![], false));
}

#[test]
fn lengths_lie_both_ways() {
    check(&misbehaving("length=+10"), "", &["Content-Length: 20\r\n", "Connection: close\r\n"], TEXT);
    check(&misbehaving("length=-3"), "", &["Content-Length: 7\r\n"], TEXT);
    check(&misbehaving("header=Content-Length:-1"), "", &["Content-Length: -1\r\n"], TEXT);
    let twice = ["Content-Length: 10\r\n", "Content-Length: 5\r\n"];
    check(&misbehaving("header+=Content-Length:5"), "", &twice, TEXT);
}

#[test]
fn bodies_come_in_chunks_with_and_without_an_end_or_until_the_close() {
    let chunked = ["Transfer-Encoding: chunked\r\n"];
    check(&misbehaving("chunked"), "", &chunked, b"a\r\n0123456789\r\n0\r\n\r\n");
    check(&misbehaving("unended"), "", &chunked, b"a\r\n0123456789\r\n");
    check(&misbehaving("close"), "", &["Connection: close\r\n"], TEXT);
    assert!(!get(&misbehaving("close"), "/a.ts", "").0.contains("Content-Length"));
}

#[test]
fn an_endless_body_ends_only_with_the_client() {
    let origin = misbehaving("endless");
    let mut stream = send(&origin, "/a.ts", "");
    let mut part = vec![0; 100_000];
    stream.read_exact(&mut part).unwrap();
    drop(stream);
    let records = stopped(&origin);
    assert!(records[0].body_sent > 50_000 && !records[0].finished, "{records:?}");
}

#[test]
fn ranges_are_answered_wrongly_when_told_so() {
    const RANGE: &str = "Range: bytes=2-5\r\n";
    check(&misbehaving("whole"), RANGE, &["200 OK\r\n"], TEXT);
    check(&misbehaving("shift=3"), RANGE, &["206 ", "Content-Range: bytes 5-8/10\r\n"], b"5678");
    let origin = origin();
    let lie = |value: &str| Fault::Header { name: "Content-Range".to_owned(), value: value.to_owned() };
    origin.fault(lie("bytes 7-9/10"));
    check(&origin, RANGE, &["206 ", "Content-Range: bytes 7-9/10\r\n"], b"2345");
    check(&misbehaving("shift=-9"), RANGE, &["206 ", "Content-Range: bytes 0-0/10\r\n"], b"0");
    check(&misbehaving("416"), RANGE, &["416 "], b"416 Range Not Satisfiable\n");
    check(&misbehaving("416"), "", &["200 OK\r\n"], TEXT);
    let (head, body) = get(&misbehaving("multipart"), "/a.ts", RANGE);
    assert!(head.contains("multipart/byteranges; boundary=") && !head.contains("Content-Range"), "{head}");
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("Content-Range: bytes 2-5/10\r\n\r\n2345\r\n--"), "{body}");
}

#[test]
fn validators_and_lengths_change_between_requests() {
    let tag = |origin: &Origin| {
        let (head, _) = get(origin, "/a.ts", "");
        head.lines().find_map(|line| line.strip_prefix("ETag: ").map(str::to_owned))
    };
    let origin = misbehaving("fresh-etag");
    assert_ne!(tag(&origin), tag(&origin));
    assert!(tag(&misbehaving("weak-etag")).unwrap().starts_with("W/\""));
    assert_eq!(tag(&misbehaving("no-validator")), None);
    let origin = misbehaving("grow=2");
    check(&origin, "", &["Content-Length: 10\r\n"], TEXT);
    check(&origin, "", &["Content-Length: 12\r\n"], b"0123456789++");
    check(&origin, "Range: bytes=12-\r\n", &["Content-Range: bytes 12-13/14\r\n"], b"++");
}

#[test]
fn redirects_chain_loop_and_lead_anywhere() {
    let location = |origin: &Origin, target: &str| {
        let (head, _) = get(origin, target, "");
        head.lines().find_map(|line| line.strip_prefix("Location: ").map(str::to_owned))
    };
    let origin = misbehaving("redirect=307,https://else.test:1{target}");
    assert_eq!(location(&origin, "/a.ts?x").unwrap(), "https://else.test:1/a.ts?x");
    assert_eq!(location(&misbehaving("redirect=301,"), "/a.ts"), None);
    assert_eq!(
        location(&misbehaving("redirect=302,file:///etc/passwd"), "/a.ts").unwrap(),
        "file:///etc/passwd"
    );
    assert_eq!(location(&misbehaving("loop"), "/a.ts?x").unwrap(), "/a.ts?x");

    let origin = misbehaving("hops=2");
    let mut target = "/q?n=2".to_owned();
    let mut hops = 0;
    while let Some(next) = location(&origin, &target) {
        (target, hops) = (next, hops + 1);
    }
    assert_eq!(hops, 2);
    assert_eq!(get(&origin, &target, "").1, b"two");
}

#[test]
fn pages_of_html_and_nothing_come_with_200() {
    check(&misbehaving("empty"), "", &["200 OK\r\n", "Content-Length: 0\r\n", "video/mp2t"], b"");
    let (head, body) = get(&misbehaving("html"), "/a.ts", "");
    assert!(head.contains("200 OK") && head.contains("text/html") && body.starts_with(b"<!DOCTYPE html>"));
}

#[test]
fn slow_answers_are_whole() {
    check(&misbehaving("delay=1ms+gaps=3,1ms"), "", &["200 OK\r\n"], TEXT);
    check(&misbehaving("drip=1ms"), "", &["200 OK\r\n"], TEXT);
    check(&misbehaving("rate=1000"), "", &["200 OK\r\n"], TEXT);
}

/// What comes before a wait that nobody lives to see the end of: exactly this is on the wire.
#[track_caller]
fn check_before_the_wait(fault: &str, expected: impl Fn(&[u8]) -> bool) {
    let origin = misbehaving(fault);
    let mut stream = send(&origin, "/a.ts", "");
    let mut sent = Vec::new();
    while !expected(&sent) {
        let mut next = [0];
        stream.read_exact(&mut next).unwrap();
        sent.extend(next);
    }
    eventually(|| origin.requests().len() == 1);
    origin.stop();
    let (more, _) = rest(stream);
    assert_eq!(String::from_utf8_lossy(&more), "", "{fault}: behind {}", String::from_utf8_lossy(&sent));
}

#[test]
fn waits_are_before_the_head_between_bytes_of_the_body_or_after_every_byte() {
    check_before_the_wait("delay=3600s", |sent| sent.is_empty());
    check_before_the_wait("gaps=3,3600s", |sent| sent.ends_with(b"\r\n\r\n012"));
    check_before_the_wait("drip=3600s", |sent| sent == b"H");
}

#[test]
fn rules_may_fall_on_requests_at_random_and_the_same_ones_for_the_same_seed() {
    let statuses = |seed: u64| {
        let origin = misbehaving(&format!("status=503 random={seed}/3"));
        let status = |_| get(&origin, "/a.ts", "").0[9..12].to_owned();
        (0..30).map(status).collect::<Vec<_>>()
    };
    let first = statuses(7);
    assert_eq!(first, statuses(7));
    assert_ne!(first, statuses(8));
    assert!(first.contains(&"503".to_owned()) && first.contains(&"200".to_owned()), "{first:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a rate can only be seen on a clock")]
fn a_rate_is_not_exceeded() {
    let origin = misbehaving("rate=5000000");
    let start = std::time::Instant::now();
    assert_eq!(get(&origin, "/big", "").1.len(), 1_000_000);
    assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
}

#[test]
fn gzip_can_be_undone_whether_it_was_asked_for_or_not_and_only_the_bomb_has_no_end() {
    let agent = ureq::agent();
    let read = |origin: &Origin, target: &str| {
        let mut response = agent.get(origin.url(target)).header("Accept-Encoding", "gzip").call().unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let mut bytes = Vec::new();
        flate2::read::MultiGzDecoder::new(response.body_mut().as_reader()).read_to_end(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(read(&misbehaving("gzip"), "/big"), big());
    assert_eq!(read(&misbehaving("gzip-if-asked"), "/a.ts"), TEXT);
    check(&misbehaving("gzip-if-asked"), "", &["Content-Length: 10\r\n"], TEXT);

    let origin = misbehaving("bomb=20000000");
    let mut response = agent.get(origin.url("/a.ts")).call().unwrap();
    let reader = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut reader = flate2::read::MultiGzDecoder::new(reader);
    let mut buffer = vec![1; 65536];
    let mut inflated = 0;
    while let Ok(read) = reader.read(&mut buffer)
        && read > 0
    {
        assert!(buffer[..read].iter().all(|byte| *byte == 0));
        inflated += read;
    }
    assert!(inflated >= 19_900_000, "{inflated}");
    assert!(origin.requests()[0].body_sent < 20_000);
}

#[test]
fn ureq_follows_chains_reuses_connections_and_sees_lies() {
    let agent = ureq::agent();
    let origin = misbehaving("hops=3 on=/a.ts; length=+5 on=/big");
    let body = agent.get(origin.url("/a.ts")).call().unwrap().body_mut().read_to_vec().unwrap();
    assert_eq!(body, TEXT);
    let records = origin.requests();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| record.connection == 1), "{records:?}");
    let mut lie = agent.get(origin.url("/big")).call().unwrap();
    assert!(lie.body_mut().read_to_vec().is_err());
}

#[test]
fn signed_paths_expire_and_new_ones_are_handed_out() {
    let site: Memory = [("/a/m.m3u8", "x"), ("/a/s.ts", "y")].into_iter().collect();
    let signed = Signed::new(site);
    let origin = Origin::start(signed.clone()).unwrap();
    let status = |target: &str| get(&origin, target, "").0[9..12].to_owned();

    let url = signed.sign("/a/m.m3u8");
    assert_eq!(
        [status(&url), status(&url.replace("m.m3u8", "s.ts"))],
        ["200", "200"],
        "relative URIs inherit it"
    );
    assert_eq!([status("/a/m.m3u8"), status("/signed-99/a/m.m3u8")], ["403", "403"]);
    signed.expire_all();
    assert_eq!(status(&url), "403");
    let twice = signed.sign_for_requests("/a/s.ts", 2);
    assert_eq!([status(&twice), status(&twice), status(&twice)], ["200", "200", "403"]);
    assert_eq!(status(&signed.sign_for("/a/s.ts", Duration::from_secs(3600))), "200");
    assert_eq!(status(&signed.sign_for("/a/s.ts", Duration::ZERO)), "403");
}

#[test]
fn words_are_read_as_the_faults_they_document() {
    #[track_caller]
    fn check(word: &str, expected: Fault) {
        assert_eq!(word.parse::<Fault>().unwrap(), expected);
    }
    check("status=404", Fault::status(404));
    check("status=503,2", Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(2)) });
    check("status=503,date:-60", Fault::Status { status: 503, retry_after: Some(RetryAfter::Date(-60)) });
    check("cut=9,reset", Fault::Cut { after: 9, ending: Ending::Reset });
    check("gone=bare", Fault::NoAnswer(Ending::BareFin));
    check("length=+10", Fault::LengthOff(10));
    check(
        "delay=2s+header+=A:b=c%2Bd+rate=1",
        Fault::All(vec![
            Fault::DelayHead(Duration::from_secs(2)),
            Fault::ExtraHeader { name: "A".to_owned(), value: "b=c+d".to_owned() },
            Fault::Throttle { bytes_per_second: 1 },
        ]),
    );
}

#[test]
fn a_word_that_is_none_is_named() {
    for (text, word) in [
        ("stauts=404", "stauts=404"),
        ("html on=/a fist=2", "fist=2"),
        ("delay=5", "delay=5"),
        ("status=99", "status=99"),
        ("status=503,date:soon", "status=503,date:soon"),
        ("html+", ""),
        ("cut=x", "cut=x"),
        ("html random=1", "random=1"),
    ] {
        let error = rules(text).unwrap_err();
        assert!(error.to_string().starts_with(&format!("`{word}` is not")), "{text}: {error}");
    }
    assert!(rules("").unwrap().is_empty());
    assert_eq!(rules("html; empty first=1;").unwrap().len(), 2);
}
