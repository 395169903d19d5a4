//! The client over lookups and connections of a test's own making.

mod tls;
mod tunnel;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use dtg_testkit::{Origin, Request as Asked, Response};

use super::*;
use crate::http_settings::PrivateAddresses;
use crate::io::cancel::CancelToken;

/// Longer than any of these waits may take.
const SOON: Duration = Duration::from_millis(100);
/// No load makes soon so late.
const LATE: Duration = Duration::from_secs(5);

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// `public.test` is on a public address, every other name on a private one; both lead to this origin.
fn split(settings: HttpSettings, origin: &Origin) -> Http {
    let lookup = |host: &str| -> io::Result<Vec<IpAddr>> {
        let address = if host == "public.test" { "203.0.113.7" } else { "10.0.0.7" };
        Ok(vec![address.parse().unwrap()])
    };
    let port = origin.port();
    let dial = move |_: SocketAddr, patience: Duration| {
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)
    };
    Http::over(settings, 4, Arc::new(lookup), Arc::new(dial)).unwrap()
}

/// An origin whose `/to/X` leads to `http://X/`.
fn leading() -> Origin {
    Origin::start(|request: &Asked| match request.path().strip_prefix("/to/") {
        Some(host) => Response::redirect(302, format!("http://{host}/")),
        None => Response::ok("here"),
    })
    .unwrap()
}

/// What a request of `target` by the presentation at `home` comes to: its status or its error's code.
fn come_to(http: &Http, home: &str, target: &str) -> String {
    let (home, target) = (url(home), url(target));
    let request = Request { url: &target, ask: Ask::Whole, role: RequestRole::Playlist, home: &home };
    match http.get(&request) {
        Ok(mut answer) => {
            // To the end, so that the connection is used again.
            io::copy(&mut answer.reader(), &mut io::sink()).unwrap();
            answer.status.to_string()
        }
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn a_public_presentation_leads_to_no_private_address() {
    let origin = leading();
    let http = split(HttpSettings::default(), &origin);
    let home = "http://public.test/m.m3u8";
    assert_eq!(come_to(&http, home, home), "200");
    assert_eq!(come_to(&http, home, "http://intranet.test/"), "private-address");
    assert_eq!(come_to(&http, home, "http://127.0.0.1/"), "private-address");
    assert_eq!(come_to(&http, home, "http://[::ffff:169.254.169.254]/"), "private-address");
    assert_eq!(come_to(&http, home, "http://public.test/to/intranet.test"), "private-address");
}

#[test]
fn a_private_presentation_leads_anywhere_and_leaves_no_connection_for_a_public_one() {
    let origin = leading();
    let http = split(HttpSettings::default(), &origin);
    let home = "http://intranet.test/m.m3u8";
    for target in [home, "http://public.test/", "http://public.test/to/10.0.0.9", "http://10.0.0.9/"] {
        assert_eq!(come_to(&http, home, target), "200", "{target}");
    }
    assert_eq!(come_to(&http, "http://public.test/", home), "private-address", "over a pooled connection");
}

#[test]
fn a_public_name_that_is_given_a_private_address_later_leads_nowhere() {
    let origin = leading();
    let (is_later, dials) = (Arc::new(AtomicBool::new(false)), origin.port());
    let later = Arc::clone(&is_later);
    let lookup = move |_: &str| -> io::Result<Vec<IpAddr>> {
        let address = if later.load(Ordering::SeqCst) { "192.168.0.1" } else { "203.0.113.7" };
        Ok(vec![address.parse().unwrap()])
    };
    let dial = move |_: SocketAddr, patience: Duration| {
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], dials)), patience)
    };
    let http = Http::over(HttpSettings::default(), 4, Arc::new(lookup), Arc::new(dial)).unwrap();
    let home = "http://rebound.test/m.m3u8";
    assert_eq!(come_to(&http, home, home), "200");
    is_later.store(true, Ordering::SeqCst);
    http.names.forget();
    assert_eq!(come_to(&http, home, "http://other.test/"), "private-address");
    assert_eq!(come_to(&http, home, "http://rebound.test:81/"), "private-address");
    assert_eq!(come_to(&http, "http://other.test/", "http://other.test/"), "200", "it was never public");
}

#[test]
fn private_addresses_can_be_allowed() {
    let origin = leading();
    let allowed = HttpSettings { private_addresses: PrivateAddresses::Allowed, ..HttpSettings::default() };
    let http = split(allowed, &origin);
    assert_eq!(come_to(&http, "http://public.test/", "http://127.0.0.1/"), "200");
    assert_eq!(come_to(&http, "http://public.test/", "http://public.test/to/intranet.test"), "200");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for proxy in ["", "proxy.test:3128", "ftp://proxy.test", "socks5://proxy.test:1080"] {
        let settings = HttpSettings { proxy: Some(proxy.to_owned()), ..HttpSettings::default() };
        assert_eq!(Http::new(settings, 1).unwrap_err().code(), "setting", "{proxy}");
    }
    for pem in [&b""[..], b"not a certificate"] {
        let roots = RootCertificates::Given(vec![pem.to_vec()]);
        assert_eq!(
            Http::new(HttpSettings { roots, ..HttpSettings::default() }, 1).unwrap_err().code(),
            "setting"
        );
    }
}

/// Blocks until its sender is gone; says that it was reached.
fn stuck(reached: Sender<()>, gate: Receiver<()>) -> impl Fn() + Send + Sync {
    let parts = Mutex::new((reached, gate));
    move || {
        let parts = parts.lock().unwrap();
        parts.0.send(()).unwrap();
        let _ = parts.1.recv();
    }
}

/// Starts a request under a token, cancels it once `reached` says so, and expects it back soon: measured again where
/// it was not, since others use this machine too.
#[track_caller]
fn check_cancel(http: &Http, target: &str, mut reached: impl FnMut()) {
    let mut all = Vec::new();
    while all.len() < 40 && all.last().is_none_or(|took| (SOON..LATE).contains(took)) {
        all.push(time_to_cancel(http, target, &mut reached));
    }
    assert!(all.last().is_some_and(|took| *took < SOON), "{all:?}");
}

#[expect(clippy::disallowed_methods, reason = "soon is a time")]
fn time_to_cancel(http: &Http, target: &str, reached: &mut impl FnMut()) -> Duration {
    let token = CancelToken::default();
    let caller = {
        let (http, token, target) = (http.clone(), token.clone(), url(target));
        thread::spawn(move || {
            let _entered = token.enter();
            http.text(&target, &target, 1 << 20).map(drop).map_err(|error| error.code())
        })
    };
    reached();
    let cancelled = Instant::now();
    token.cancel();
    assert_eq!(caller.join().unwrap(), Err("cancelled"));
    cancelled.elapsed()
}

#[test]
fn a_name_lookup_that_hangs_is_left_behind_within_100_ms() {
    let ((at, reached), (release, gate)) = (mpsc::channel(), mpsc::channel());
    let hang = stuck(at, gate);
    let lookup = move |_: &str| -> io::Result<Vec<IpAddr>> {
        hang();
        Err(io::ErrorKind::NotFound.into())
    };
    let http = Http::over(HttpSettings::default(), 1, Arc::new(lookup), Arc::new(system_dial)).unwrap();
    check_cancel(&http, "http://hanging.test/", || reached.recv().unwrap());
    drop(release);
}

#[test]
fn a_host_that_drops_every_packet_is_left_behind_within_100_ms() {
    let ((at, reached), (release, gate)) = (mpsc::channel(), mpsc::channel());
    let hang = stuck(at, gate);
    let dial = move |_: SocketAddr, _: Duration| -> io::Result<TcpStream> {
        hang();
        Err(io::ErrorKind::TimedOut.into())
    };
    let http = Http::over(HttpSettings::default(), 1, Arc::new(system_lookup), Arc::new(dial)).unwrap();
    check_cancel(&http, "http://127.0.0.1/", || reached.recv().unwrap());
    drop(release);
}

/// A client of hosts with these addresses, of which the first drops every packet and the others are the origin's; what
/// it dials is listed.
fn half_dead(
    addresses: &'static [&'static str],
    origin: &Origin,
) -> (Http, Arc<Mutex<Vec<String>>>, Sender<()>) {
    let (release, gate) = mpsc::channel::<()>();
    let (gate, port, dialled) = (Mutex::new(gate), origin.port(), Arc::<Mutex<Vec<String>>>::default());
    let lookup = move |_: &str| Ok(addresses.iter().map(|address| address.parse().unwrap()).collect());
    let (dead, list): (IpAddr, _) = (addresses[0].parse().unwrap(), Arc::clone(&dialled));
    let dial = move |address: SocketAddr, patience: Duration| {
        list.lock().unwrap().push(address.ip().to_string());
        if address.ip() == dead {
            let _ = gate.lock().unwrap().recv();
            return Err(io::ErrorKind::TimedOut.into());
        }
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)
    };
    let http = Http::over(HttpSettings::default(), 1, Arc::new(lookup), Arc::new(dial)).unwrap();
    (http, dialled, release)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "seconds are a time")]
fn a_dead_address_holds_up_nobody_who_has_a_living_one_and_is_not_tried_first_again() {
    let origin = Origin::start(|_: &Asked| Response::ok("here")).unwrap();
    // So that each request needs a connection.
    origin.fault(dtg_testkit::Fault::CloseDelimited);
    for addresses in [&["203.0.113.1", "203.0.113.2"][..], &["2001:4860::1", "203.0.113.2"]] {
        let (http, dialled, release) = half_dead(addresses, &origin);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(come_to(&http, "http://host.test/", "http://host.test/"), "200");
        }
        // A time-out of ten seconds, shared by two addresses, would be five.
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        let (dead, living) = (addresses[0], addresses[1]);
        assert_eq!(*dialled.lock().unwrap(), [dead, living, living, living]);
        drop(release);
    }
}

#[test]
fn an_address_of_ipv6_alone_is_connected_to() {
    let origin = Origin::start(|_: &Asked| Response::ok("here")).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (list, port) = (Arc::clone(&seen), origin.port());
    let dial = move |address: SocketAddr, patience: Duration| {
        list.lock().unwrap().push(address.to_string());
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)
    };
    let lookup = |_: &str| Ok(vec!["2001:4860::7".parse().unwrap()]);
    let http = Http::over(HttpSettings::default(), 1, Arc::new(lookup), Arc::new(dial)).unwrap();
    for url in ["http://six.test:81/", "http://[2001:4860::8]/"] {
        assert_eq!(come_to(&http, url, url), "200");
    }
    assert_eq!(*seen.lock().unwrap(), ["[2001:4860::7]:81", "[2001:4860::8]:80"]);
}

/// A listener that accepts and then says nothing; the sender tells when it has accepted.
fn mute() -> (SocketAddr, Receiver<TcpStream>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (accepted, sockets) = mpsc::channel();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            if accepted.send(socket).is_err() {
                return;
            }
        }
    });
    (address, sockets)
}

#[test]
fn a_tls_handshake_and_a_proxy_that_say_nothing_are_left_behind_within_100_ms() {
    let (address, accepted) = mute();
    let http = Http::new(HttpSettings::default(), 1).unwrap();
    let mut kept = Vec::new();
    check_cancel(&http, &format!("https://{address}/"), || kept.push(accepted.recv().unwrap()));
    let proxy = Some(format!("http://{address}"));
    let http = Http::new(HttpSettings { proxy, ..HttpSettings::default() }, 1).unwrap();
    for target in ["http://host.test/", "https://host.test/"] {
        check_cancel(&http, target, || kept.push(accepted.recv().unwrap()));
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_is_given_up_in_time() {
    use dtg_testkit::Fault;
    let origin = Origin::start(|_: &Asked| Response::ok("here")).unwrap();
    origin.fault(Fault::Drip(Duration::from_millis(20)));
    let read_timeout = Duration::from_millis(200);
    let http = Http::new(HttpSettings { read_timeout, ..HttpSettings::default() }, 1).unwrap();
    let target = url(&origin.url("/"));
    assert_eq!(http.text(&target, &target, 1 << 20).unwrap_err().code(), "unreachable");
}

#[test]
fn waits_for_a_head_and_for_a_body_end_within_100_ms_and_the_client_stays_usable() {
    let origin = Origin::start(|_: &Asked| Response::ok(vec![7; 1000])).unwrap();
    let http = Http::new(HttpSettings::default(), 1).unwrap();
    let head = origin.hold(|request| request.path() == "/head");
    check_cancel(&http, &origin.url("/head"), || head.wait_for(1));
    let body = origin.hold_body(500, |request| request.path() == "/body");
    check_cancel(&http, &origin.url("/body"), || body.wait_for(1));
    let target = url(&origin.url("/free"));
    assert_eq!(http.text(&target, &target, 1 << 20).unwrap().bytes, [7; 1000]);
}

#[test]
fn a_playlist_that_comes_compressed_is_decoded_and_a_bomb_is_stopped_by_the_limit() {
    use dtg_testkit::Fault;
    let origin = Origin::start(|_: &Asked| Response::ok(vec![b'#'; 5000])).unwrap();
    origin.fault(Fault::GzipIfAsked.on("/asked"));
    origin.fault(Fault::GzipBomb(10_000_000_000).on("/bomb"));
    let http = Http::new(HttpSettings::default(), 1).unwrap();
    let text = |path: &str| {
        let target = url(&origin.url(path));
        http.text(&target, &target, 1 << 20).map(|text| text.bytes.len()).map_err(|error| error.code())
    };
    assert_eq!(text("/asked"), Ok(5000));
    let asked = origin.requests();
    assert!(asked[0].header("accept-encoding").is_some_and(|it| it == "gzip"));
    assert_eq!(text("/bomb"), Err("too-large"));
}

#[test]
fn a_body_that_ends_with_its_connection_is_whole_after_a_fin_and_cut_after_a_reset() {
    use dtg_testkit::{Ending, Fault};
    let origin = Origin::start(|_: &Asked| Response::ok(vec![b'#'; 5000])).unwrap();
    origin.fault(Fault::CloseDelimited);
    let cut = Fault::Cut { after: 3000, ending: Ending::Reset };
    origin.fault(cut.on("/cut"));
    let http = Http::new(HttpSettings::default(), 1).unwrap();
    let text = |path: &str| {
        let target = url(&origin.url(path));
        http.text(&target, &target, 1 << 20).map(|text| text.bytes.len()).map_err(|error| error.code())
    };
    assert_eq!(text("/whole"), Ok(5000));
    assert_eq!(text("/cut"), Err("unreachable"));
}

#[test]
fn a_playlist_that_never_ends_is_stopped_by_the_limit_and_a_dripping_one_by_its_pace() {
    use dtg_testkit::Fault;
    let origin = Origin::start(|_: &Asked| Response::ok(vec![b'#'; 5000])).unwrap();
    origin.fault(Fault::Endless.on("/endless"));
    origin.fault(Fault::Drip(Duration::from_millis(1)).on("/drip"));
    let low_speed =
        crate::http_settings::LowSpeed { bytes_per_second: 1_000_000, window: Duration::from_millis(20) };
    let http = Http::new(HttpSettings { low_speed, ..HttpSettings::default() }, 1).unwrap();
    let text = |path: &str| {
        let target = url(&origin.url(path));
        http.text(&target, &target, 1 << 20).map(drop).map_err(|error| error.code())
    };
    assert_eq!(text("/drip"), Err("unreachable"));
    let http = Http::new(HttpSettings::default(), 1).unwrap();
    let target = url(&origin.url("/endless"));
    assert_eq!(http.text(&target, &target, 1 << 20).unwrap_err().code(), "too-large");
}
