//! Through a proxy, and through TLS.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use dtg_testkit::{Origin, Request as Asked, Response};

use super::{come_to, url};
use crate::http_settings::{HttpSettings, RootCertificates};
use crate::io::http::Http;

/// A proxy for one connection: its URL, and the head of what it was asked.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let (asked, seen) = mpsc::channel();
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        asked.send(tunnel(client)).unwrap();
    });
    (url, seen)
}

fn tunnel(mut client: TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let server = TcpStream::connect(head.split(' ').nth(1).unwrap()).unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let there = (client.try_clone().unwrap(), server.try_clone().unwrap());
    for (mut from, mut to) in [there, (server, client)] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    head
}

#[track_caller]
fn check_proxied(origin: &Origin, roots: RootCertificates) {
    let (proxy, asked) = proxy();
    let http = Http::new(HttpSettings { proxy: Some(proxy), roots, ..HttpSettings::default() }, 1).unwrap();
    let target = url(&origin.url("/a"));
    for _ in 0..2 {
        assert_eq!(http.text(&target, &target, 1 << 20).unwrap().bytes, [7; 1000]);
    }
    let head = asked.recv().unwrap();
    assert!(head.starts_with(&format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", origin.port())), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"), "{head}");
    let connections: Vec<u64> = origin.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1], "the tunnel is used again");
}

fn sevens() -> impl Fn(&Asked) -> Response {
    |_| Response::ok(vec![7; 1000])
}

fn trust_in(origin: &Origin) -> RootCertificates {
    RootCertificates::Given(vec![origin.ca_pem().unwrap().as_bytes().to_vec()])
}

#[test]
fn requests_go_through_a_proxy_by_a_tunnel_that_is_used_again() {
    check_proxied(&Origin::start(sevens()).unwrap(), RootCertificates::Platform);
    let origin = Origin::start_tls(sevens()).unwrap();
    check_proxied(&origin, trust_in(&origin));
}

#[test]
fn a_private_address_that_is_spelled_out_is_out_of_reach_through_a_proxy_too() {
    let proxy = Some("http://127.0.0.1:1".to_owned());
    let http = Http::new(HttpSettings { proxy, ..HttpSettings::default() }, 1).unwrap();
    assert_eq!(come_to(&http, "http://public.test/", "http://10.0.0.9/"), "private-address");
    assert_eq!(come_to(&http, "http://public.test/", "http://public.test/"), "unreachable");
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    for status in ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Some(format!("http://user:pass@{}", listener.local_addr().unwrap()));
        let refusing = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 4096]);
            client.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
        });
        let http = Http::new(HttpSettings { proxy, ..HttpSettings::default() }, 1).unwrap();
        let target = url("http://host.test/");
        let refused = http.text(&target, &target, 1 << 20).unwrap_err();
        assert_eq!(refused.code(), "unreachable", "{status}");
        assert!(!refused.to_string().contains("pass"), "{refused}");
        refusing.join().unwrap();
    }
}
