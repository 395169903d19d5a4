//! The server over real sockets.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use camino_tempfile::Utf8TempDir;

use crate::{ErrorKind, Library, PlaybackServer, Presentation};

/// Ids and their folders; `panic` is an id that none should ask for.
struct Shelf(BTreeMap<String, Presentation>);

impl Library for Shelf {
    fn open(&self, id: &str) -> Option<Presentation> {
        assert_ne!(id, "panic", "on purpose");
        self.0.get(id).cloned()
    }

    fn ids(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

const TEXT: &str = "0123456789";

struct House {
    root: Utf8TempDir,
    server: PlaybackServer,
}

/// Longer than what is read at once.
fn big() -> Vec<u8> {
    (0..3_000_000_u32).map(|at| (at % 251) as u8).collect()
}

fn shelf(root: &Utf8TempDir) -> Arc<Shelf> {
    let folder = root.path().join("media");
    fs::create_dir_all(folder.join("video/0")).unwrap();
    fs::write(folder.join("master.m3u8"), "#EXTM3U\n").unwrap();
    fs::write(folder.join("video/0/1.ts"), TEXT).unwrap();
    fs::write(folder.join("big.mp4"), big()).unwrap();
    fs::write(folder.join("plan"), "plan").unwrap();
    fs::write(root.path().join("secret.ts"), "secret").unwrap();
    let presentation = Presentation { folder, master: "master.m3u8".into() };
    let ids = ["item", "a/b c", ".."];
    Arc::new(Shelf(ids.into_iter().map(|id| (id.to_owned(), presentation.clone())).collect()))
}

fn house() -> House {
    let root = camino_tempfile::tempdir().unwrap();
    let server = PlaybackServer::start(shelf(&root)).unwrap();
    House { root, server }
}

impl House {
    fn path(&self, relative: &str) -> String {
        let url = self.server.url_for("item", relative);
        url.strip_prefix(&format!("http://127.0.0.1:{}", self.server.port())).unwrap().to_owned()
    }

    /// Sends this request line and these header lines as they are; nothing is read.
    fn send(&self, line: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").unwrap();
        stream
    }

    /// Status line and headers in lower case, and the body.
    fn ask(&self, line: &str, headers: &str) -> (String, Vec<u8>) {
        let mut all = Vec::new();
        self.send(line, headers).read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        (String::from_utf8_lossy(&all[..end]).to_lowercase(), all[end..].to_vec())
    }

    fn get(&self, relative: &str, headers: &str) -> (String, Vec<u8>) {
        let host = format!("Host: 127.0.0.1:{}\r\n{headers}", self.server.port());
        self.ask(&format!("GET {}", self.path(relative)), &host)
    }

    /// What the segment gives: its head must have these parts, its body be this.
    #[track_caller]
    fn check(&self, headers: &str, head_parts: &[&str], expected: &str) {
        let (head, body) = self.get("video/0/1.ts", headers);
        for part in head_parts {
            assert!(head.contains(part), "no {part:?} in {head}");
        }
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }

    fn header(&self, name: &str) -> String {
        let (head, _) = self.get("video/0/1.ts", "");
        let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
    }
}

#[test]
fn an_item_plays_at_its_url() {
    let house = house();
    let mut response = ureq::get(house.server.url_for("item", "master.m3u8")).call().unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.apple.mpegurl");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.body_mut().read_to_string().unwrap(), "#EXTM3U\n");
    house.check("", &["http/1.1 200", "content-type: video/mp2t\r\n", "content-length: 10\r\n"], TEXT);
    assert!(house.get("big.mp4", "").1 == big());
}

#[test]
fn every_id_has_a_url_that_works() {
    let house = house();
    let urls = house.server.urls();
    assert_eq!(urls.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["..", "a/b c", "item"]);
    for (id, url) in urls {
        assert_eq!(ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap(), "#EXTM3U\n", "{id}");
    }
}

#[test]
fn a_url_names_loopback_and_a_token_that_each_server_has_anew() {
    let [one, two] = [house(), house()];
    let (url, prefix) =
        (one.server.url_for("item", "master.m3u8"), format!("http://127.0.0.1:{}/", one.server.port()));
    let rest = url.strip_prefix(&prefix).unwrap();
    let (token, rest) = rest.split_once('/').unwrap();
    assert_eq!((token.len(), rest), (32, "item/master.m3u8"));
    assert!(!two.server.url_for("item", "master.m3u8").contains(token));
    assert!(!format!("{:?}", one.server).contains(token));
}

#[test]
fn ranges_are_cut_out() {
    let house = house();
    let parts = ["http/1.1 206", "content-range: bytes 2-5/10\r\n", "content-length: 4\r\n", "video/mp2t"];
    house.check("Range: bytes=2-5\r\n", &parts, "2345");
    house.check("Range: bytes=7-\r\n", &["content-range: bytes 7-9/10\r\n"], "789");
    house.check("Range: bytes=-3\r\n", &["content-range: bytes 7-9/10\r\n"], "789");
    house.check("Range: bytes=10-\r\n", &["http/1.1 416", "content-range: bytes */10\r\n"], "");
    house.check("Range: bytes=0-1,4-5\r\n", &["http/1.1 200"], TEXT);
    assert!(house.get("big.mp4", "Range: bytes=1000-2500000\r\n").1 == big()[1000..=2_500_000]);
}

#[test]
fn a_range_of_another_version_is_not_continued() {
    let house = house();
    let (etag, date) = (house.header("etag"), house.header("last-modified"));
    let range = "Range: bytes=2-5\r\nIf-Range:";
    house.check(&format!("{range} {etag}\r\n"), &["http/1.1 206"], "2345");
    house.check(&format!("{range} \"other\"\r\n"), &["http/1.1 200"], TEXT);
    house.check(&format!("{range} W/{etag}\r\n"), &["http/1.1 200"], TEXT);
    house.check(&format!("{range} Mon, 01 Jan 2001 00:00:00 GMT\r\n"), &["http/1.1 200"], TEXT);
    assert!(date.ends_with("gmt"));
}

#[test]
fn a_client_that_has_it_already_is_told_so() {
    let house = house();
    let etag = house.header("etag");
    house.check(&format!("If-None-Match: {etag}\r\n"), &["http/1.1 304", "nosniff"], "");
    house.check("If-None-Match: \"other\"\r\n", &["http/1.1 200"], TEXT);
    house.check("If-Match: \"other\"\r\n", &["http/1.1 412"], "");
}

#[test]
fn head_tells_the_length_and_sends_nothing() {
    let house = house();
    let line = format!("HEAD {}", house.path("video/0/1.ts"));
    let (head, body) = house.ask(&line, &format!("Host: localhost:{}\r\n", house.server.port()));
    assert!(head.starts_with("http/1.1 200") && head.contains("content-length: 10\r\n"), "{head}");
    assert!(body.is_empty());
}

#[test]
fn other_methods_are_refused() {
    let house = house();
    let host = format!("Host: 127.0.0.1:{}\r\nContent-Length: 0\r\n", house.server.port());
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let (head, _) = house.ask(&format!("{method} {}", house.path("master.m3u8")), &host);
        assert!(
            head.starts_with("http/1.1 405") && head.contains("allow: get, head\r\n"),
            "{method}: {head}"
        );
    }
}

#[test]
fn without_the_token_nothing_is_there() {
    let house = house();
    let host = format!("Host: 127.0.0.1:{}\r\n", house.server.port());
    let right = house.path("master.m3u8");
    let wrong = format!("/{}/item/master.m3u8", "0".repeat(32));
    for target in
        ["/", "/item/master.m3u8", "/master.m3u8", &wrong, &right[..20], &right.replace("item", "other")]
    {
        let (head, body) = house.ask(&format!("GET {target}"), &host);
        assert!(head.starts_with("http/1.1 404"), "{target}: {head}");
        assert_eq!(body, b"not found\n");
        assert!(head.contains("nosniff"), "{head}");
    }
    let (head, _) = house.ask(&format!("POST {wrong}"), &host);
    assert!(head.starts_with("http/1.1 404"), "not even that there is a method: {head}");
}

#[test]
fn no_target_leads_out_of_the_folder() {
    let house = house();
    let host = format!("Host: 127.0.0.1:{}\r\n", house.server.port());
    let base = house.path("");
    for rest in [
        "../secret.ts",
        "../../secret.ts",
        "%2e%2e/secret.ts",
        "..%2fsecret.ts",
        "..%5csecret.ts",
        "video/../../secret.ts",
        "./master.m3u8",
        "video//0/1.ts",
        "video%2f0%2f1.ts",
        "master.m3u8%00.ts",
        "master.m3u8/",
        "plan",
        "",
        "%ff.ts",
        &format!("{}/secret.ts", house.root.path()),
    ] {
        let (head, body) = house.ask(&format!("GET {base}{rest}"), &host);
        assert!(head.starts_with("http/1.1 404"), "{rest}: {head} {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_request_for_another_host_is_refused() {
    let house = house();
    let port = house.server.port();
    let line = format!("GET {}", house.path("master.m3u8"));
    for headers in ["".to_owned(), "Host: evil.test\r\n".to_owned(), format!("Host: evil.test:{port}\r\n")] {
        let (head, body) = house.ask(&line, &headers);
        assert!(head.starts_with("http/1.1 403") && body == b"forbidden\n", "{headers}: {head}");
    }
}

#[test]
fn web_pages_of_other_origins_get_in_only_where_they_are_allowed() {
    let root = camino_tempfile::tempdir().unwrap();
    let builder = PlaybackServer::builder(shelf(&root)).allow_origin("https://player.example");
    let house = House { server: builder.start().unwrap(), root };
    let allowed = ["access-control-allow-origin: https://player.example\r\n", "policy: cross-origin\r\n"];
    house.check("Origin: https://player.example\r\n", &allowed, TEXT);
    for origin in ["", "Origin: https://other.example\r\n", "Origin: null\r\n"] {
        let (head, _) = house.get("video/0/1.ts", origin);
        assert!(
            !head.contains("access-control") && head.contains("policy: same-origin\r\n"),
            "{origin}: {head}"
        );
    }
}

#[test]
fn an_origin_that_no_browser_sends_is_a_typed_error() {
    let root = camino_tempfile::tempdir().unwrap();
    let error = PlaybackServer::builder(shelf(&root)).allow_origin("*").start().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Origin(_)));
    assert_eq!(error.to_string(), "`*` is not a web origin such as https://player.example");
}

#[test]
fn a_taken_port_is_a_typed_error() {
    let House { root, server } = house();
    let error = PlaybackServer::builder(shelf(&root)).port(server.port()).start().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Bind { .. }));
    assert_eq!(error.to_string(), format!("127.0.0.1, port {} cannot be listened on", server.port()));
}

#[test]
fn a_library_that_panics_has_nothing_and_the_server_lives_on() {
    let house = house();
    let url = house.server.url_for("panic", "master.m3u8");
    assert!(matches!(ureq::get(url).call(), Err(ureq::Error::StatusCode(404))));
    house.check("", &["http/1.1 200"], TEXT);
}

#[test]
fn what_leaves_the_library_is_no_longer_served() {
    let house = house();
    fs::remove_file(house.root.path().join("media/video/0/1.ts")).unwrap();
    house.check("", &["http/1.1 404"], "not found\n");
}

#[test]
fn stopping_breaks_off_what_is_open_and_frees_the_port() {
    let house = house();
    fs::write(house.root.path().join("media/big.mp4"), vec![0; 64 << 20]).unwrap();
    let host = format!("Host: 127.0.0.1:{}\r\n", house.server.port());
    let idle = TcpStream::connect(("127.0.0.1", house.server.port())).unwrap();
    let mut reading = house.send(&format!("GET {}", house.path("big.mp4")), &host);
    reading.read_exact(&mut [0; 1000]).unwrap();
    house.server.stop();
    let mut rest = Vec::new();
    let _ = reading.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20, "the body was broken off");
    assert!(TcpStream::connect(("127.0.0.1", house.server.port())).is_err());
    house.server.stop();
    drop(idle);
}

#[test]
fn dropping_stops_it() {
    let House { server, .. } = house();
    let port = server.port();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
