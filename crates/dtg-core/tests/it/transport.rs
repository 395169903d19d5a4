//! One test for each kind of odd transport (rows 18 to 29 of the list of adversarial inputs), beside those that the
//! other modules have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dtg_core::{
    BitRate, ContentManager, Decoders, ErrorKind, HttpSettings, Item, ItemState, Role, SelectionOptions,
    Stage, dry_run,
};
use dtg_testkit::{Ending, Fault, Origin, Request, Response, RetryAfter, Rule};

use crate::support::{Desk, ONCE, QUICK, bytes, downloaded, id, origin, ranges, segments};

fn rest(item: &Item) -> String {
    format!("{} {}", item.state, item.failure.as_ref().map_or("", |failure| failure.code.as_str()))
}

/// What loading an item of this answer comes to, by code.
fn loads(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Result<u64, &'static str> {
    let origin = Origin::start(answer).expect("loopback has a free port");
    let options: SelectionOptions = BitRate(1).into();
    let loaded = dry_run(&origin.url("/item.m3u8"), &options, &Decoders::default());
    loaded.map(|loaded| loaded.planned.plan.fetches.len() as u64).map_err(|error| error.code())
}

/// `count` segments in files of their own.
fn many(count: usize, before_each: &str) -> BTreeMap<String, Vec<u8>> {
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n".to_owned();
    let mut files = BTreeMap::new();
    for n in 0..count {
        text.push_str(&format!("{before_each}#EXTINF:4,\ns{n}.ts\n"));
        files.insert(format!("/s{n}.ts"), bytes(n, 50));
    }
    files.insert("/item.m3u8".to_owned(), (text + "#EXT-X-ENDLIST\n").into_bytes());
    files
}

#[test]
fn row_18_redirects_end_somewhere_or_are_an_error_after_a_fixed_number() {
    let redirect = |status, location: &str| Fault::Redirect { status, location: location.to_owned() };
    let chain = Fault::RedirectChain(50);
    for fault in [Fault::RedirectLoop, chain, redirect(301, ""), redirect(301, "http://[::/")] {
        let origin = origin(segments());
        origin.fault(fault.clone().on("/seg-1.ts"));
        let (_desk, item) = downloaded(&origin);
        assert_eq!(rest(&item), "failed bad-answer", "{fault:?}");
        assert!(origin.requests().len() < 20, "{} requests", origin.requests().len());
    }
}

#[test]
fn row_19_relative_uris_and_queries_are_those_of_where_a_redirect_led() {
    let origin = Origin::start(|request: &Request| match request.path() {
        "/a/m.m3u8" => Response::redirect(302, "/b/c/m.m3u8?name=one"),
        "/b/c/m.m3u8" => Response::ok(
            "#EXTM3U\n#EXT-X-VERSION:11\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:QUERYPARAM=\"name\"\n#EXTINF:4,\n{$name}.ts\n#EXT-X-ENDLIST\n",
        ),
        "/b/c/one.ts" => Response::ok(bytes(0, 100)),
        _ => Response::status(404),
    })
    .unwrap();
    let desk = Desk::new(1, ONCE);
    desk.manager.add_item(&id("x"), &origin.url("/a/m.m3u8?name=other")).unwrap();
    desk.manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(desk.file("video/0/000000.ts"), bytes(0, 100));
}

#[test]
fn row_20_what_comes_compressed_is_stored_and_counted_as_it_is_meant() {
    let origin = origin(segments());
    origin.fault(Fault::Gzip);
    let (desk, item) = downloaded(&origin);
    assert_eq!((item.state, item.downloaded_bytes), (ItemState::Completed, 3000));
    assert!((item.completed_fraction - 1.0).abs() < f64::EPSILON);
    assert_eq!(desk.file("video/0/000001.ts"), bytes(1, 1000));
}

#[test]
fn row_20_a_bomb_is_stopped_by_a_limit() {
    let origin = origin(segments());
    origin.fault(Fault::GzipBomb(10_000_000_000).on("/seg-1.ts"));
    let root = camino_tempfile::Utf8TempDir::new().unwrap();
    let settings = HttpSettings { longest_file: 1 << 20, ..HttpSettings::default() };
    let manager = ContentManager::builder(root.path()).http(settings).retry(ONCE).open().unwrap();
    manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    manager.load_item_metadata(&id("x"), BitRate(1)).unwrap();
    manager.start_item(&id("x")).unwrap();
    let item = manager.wait(&id("x")).unwrap();
    assert_eq!((rest(&item).as_str(), item.downloaded_bytes % 1000), ("failed bad-answer", 0));
}

#[test]
fn row_21_what_is_no_playlist_is_not_taken_for_one() {
    let gzip = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3];
    assert_eq!(loads(move |_| Response::ok(gzip.to_vec())), Err("playlist"));
    assert_eq!(loads(|_| Response::ok("<!doctype html><title>Log in</title>")), Err("playlist"));
    assert_eq!(loads(|_| Response::ok("{\"error\": 1}")), Err("playlist"));
    assert_eq!(loads(|_| Response::ok("")), Err("playlist"));
    assert_eq!(loads(|_| Response::status(204)), Err("status"));
}

#[test]
fn row_21_a_page_an_empty_answer_or_a_message_is_no_segment() {
    for fault in [
        Fault::Html,
        Fault::Empty,
        Fault::status(204),
        Fault::Header { name: "Content-Type".to_owned(), value: "application/json".to_owned() },
    ] {
        let origin = origin(segments());
        origin.fault(fault.clone().on("/seg-1.ts"));
        let (_desk, item) = downloaded(&origin);
        assert_eq!(item.state, ItemState::Failed, "{fault:?}");
        assert!(item.fetches_done < 3, "{fault:?}");
    }
}

#[test]
fn row_22_a_body_that_is_cut_is_gone_on_with_or_interrupts_and_the_rest_is_kept() {
    let cut = |after| Fault::Cut { after, ending: Ending::Reset };
    let origin = origin(segments());
    origin.fault(cut(600).on("/seg-1.ts").first(1));
    let (desk, item) = downloaded(&origin);
    assert_eq!(item.state, ItemState::Completed);
    assert_eq!(desk.file("video/0/000001.ts"), bytes(1, 1000));
    for fault in [Fault::All(vec![Fault::NoValidator, cut(600)]), Fault::ChunkedNoEnd] {
        let origin = crate::support::origin(segments());
        origin.fault(fault.on("/seg-1.ts"));
        let (_desk, item) = downloaded(&origin);
        assert_eq!((item.state, item.fetches_done), (ItemState::Interrupted, 2));
    }
}

#[test]
fn row_23_a_length_that_is_not_the_bodys_is_never_believed() {
    for fault in [Fault::LengthOff(10), Fault::All(vec![Fault::NoValidator, Fault::LengthOff(10)])] {
        let origin = origin(segments());
        origin.fault(fault.on("/seg-1.ts"));
        let (_desk, item) = downloaded(&origin);
        assert_eq!((item.state, item.fetches_done), (ItemState::Interrupted, 2));
    }
    // Ten bytes too few are a whole body as far as HTTP can tell; that a playlist's range knows better.
    let origin = origin(ranges(1, 1000));
    origin.fault(Fault::LengthOff(-10).on("/all.ts"));
    let (_desk, item) = downloaded(&origin);
    assert_eq!((item.state, item.fetches_done), (ItemState::Interrupted, 0));
}

#[test]
fn row_24_a_range_is_never_stored_from_an_answer_for_another_one() {
    for fault in [Fault::OtherRange(10), Fault::OtherRange(-10), Fault::Multipart, Fault::RangeNotSatisfiable]
    {
        let origin = origin(ranges(4, 1000));
        origin.fault(Rule::from(fault.clone()).when(|it| it.header("range") == Some("bytes=1000-1999")));
        let (_desk, item) = downloaded(&origin);
        assert_eq!(rest(&item), "failed bad-answer", "{fault:?}");
    }
    let origin = origin(ranges(4, 1000));
    origin.fault(Fault::IgnoreRange.on("/all.ts"));
    let (desk, item) = downloaded(&origin);
    assert_eq!((item.state, item.downloaded_bytes), (ItemState::Completed, 4000));
    assert_eq!(desk.file("video/0/000000.ts"), bytes(7, 4000), "the whole file, not four of it");
}

#[test]
fn row_25_a_file_that_changed_begins_anew() {
    for change in [Fault::FreshEtag, Fault::Grow(10)] {
        let origin = origin(segments());
        origin.script(move |request, nth| match (request.path(), nth) {
            ("/seg-1.ts", 1) => {
                Some(Fault::All(vec![change.clone(), Fault::Cut { after: 600, ending: Ending::Fin }]))
            }
            ("/seg-1.ts", 2) => Some(change.clone()),
            _ => None,
        });
        let (desk, item) = downloaded(&origin);
        assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
        let file = desk.file("video/0/000001.ts");
        assert_eq!(item.downloaded_bytes, 2000 + file.len() as u64);
        assert_eq!(file[..1000], bytes(1, 1000));
    }
}

#[test]
fn row_26_a_refusal_among_a_hundred_fails_the_item_with_its_role_and_status() {
    for status in [404, 403] {
        let origin = origin(many(100, ""));
        origin.fault(Fault::status(status).on("/s50.ts"));
        let (desk, item) = downloaded(&origin);
        let failure = item.failure.clone().unwrap();
        assert_eq!((item.state, failure.status), (ItemState::Failed, Some(status)));
        assert_eq!(failure.stage, Some(Stage::Fetch(Role::Segment)));
        origin.clear_faults();
        origin.clear_requests();
        assert_eq!(desk.run().state, ItemState::Completed);
        let again = origin.requests().len();
        assert_eq!(u32::try_from(again).unwrap(), 100 - item.fetches_done, "only what is missing");
    }
}

#[test]
fn row_26_a_busy_server_is_asked_again_so_often_and_no_more() {
    let busy = Fault::Status { status: 429, retry_after: Some(RetryAfter::Seconds(0)) };
    for fault in [Fault::status(500), busy] {
        let origin = origin(many(100, ""));
        origin.fault(fault.clone().on("/s50.ts").first(2));
        let (_desk, item) = downloaded(&origin);
        assert_eq!(item.state, ItemState::Completed);
        origin.fault(fault.on("/s51.ts"));
        let (_desk, item) = downloaded(&origin);
        assert_eq!(rest(&item), "interrupted status");
        let asked = origin.requests().iter().filter(|request| request.path() == "/s51.ts").count();
        assert_eq!(asked, 1 + 3);
    }
}

#[test]
fn row_27_a_line_of_fifty_million_bytes_is_an_error() {
    let text = ["#EXTM3U\n#".to_owned(), "x".repeat(50_000_000)].concat();
    assert_eq!(loads(move |_| Response::ok(text.clone())), Err("playlist"));
}

#[test]
fn row_28_a_key_that_is_named_a_hundred_thousand_times_is_fetched_once_and_commands_answer_meanwhile() {
    let mut files = many(100_000, "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n");
    files.insert("/key".to_owned(), vec![7; 16]);
    let origin = origin(files);
    let held = origin.hold(|request| ["/key", "/s9.ts"].contains(&request.path()));
    let desk = Desk::new(2, QUICK);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    held.wait_for(2);
    desk.manager.pause_item(&id).unwrap();
    let keys = origin.requests().iter().filter(|request| request.path() == "/key").count();
    assert_eq!(keys, 1);
    assert_eq!(desk.manager.item(&id).unwrap().fetches, 100_001);
}

#[test]
fn row_28_of_a_hundred_thousand_variants_the_chosen_one_alone_is_fetched() {
    const VARIANTS: usize = 100_000;
    let mut text = "#EXTM3U\n".to_owned();
    for n in 0..VARIANTS {
        // In no order: the least that is enough stands anywhere.
        let rate = 300_000 + (n * 7919) % VARIANTS;
        text.push_str(&format!(
            "#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION=640x360,CODECS=\"avc1.42c01e\",AUDIO=\"a{n}\"\nv{rate}.m3u8\n"
        ));
        text.push_str(&format!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a{n}\",NAME=\"n\",URI=\"a{rate}.m3u8\"\n"
        ));
    }
    let mut files = segments();
    let list = files.get("/item.m3u8").cloned().unwrap();
    files.insert("/item.m3u8".to_owned(), text.into_bytes());
    files.insert("/v350000.m3u8".to_owned(), list.clone());
    files.insert("/a350000.m3u8".to_owned(), list);
    let origin = origin(files);
    let desk = Desk::new(2, QUICK);
    desk.manager.add_item(&id("x"), &origin.url("/item.m3u8")).unwrap();
    let item = desk.manager.load_item_metadata(&id("x"), BitRate(350_000)).unwrap();
    assert_eq!(item.selected_tracks.len(), 1, "{:?}", item.selected_tracks);
    let asked: Vec<_> = origin.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.contains(&"/v350000.m3u8".to_owned()) && asked.contains(&"/a350000.m3u8".to_owned()));
    assert_eq!(desk.run().state, ItemState::Completed);
    // What was left out is not in what plays.
    let local = String::from_utf8(desk.file("master.m3u8")).unwrap();
    assert_eq!((local.matches("STREAM-INF").count(), local.matches("TYPE=AUDIO").count()), (1, 1));
}

#[test]
fn row_29_the_plan_is_made_of_what_was_loaded_and_not_of_what_the_playlist_is_by_now() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let files = segments();
    let origin = Origin::start(move |request: &Request| match request.path() {
        "/item.m3u8" if count.fetch_add(1, Ordering::SeqCst) > 0 => Response::status(404),
        path => files.get(path).map_or(Response::status(404), |file| Response::ok(file.clone())),
    })
    .unwrap();
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    let desk = desk.reopened();
    assert_eq!(desk.run().state, ItemState::Completed);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let list = String::from_utf8(desk.file("video/0.m3u8")).unwrap();
    assert_eq!(list.matches("#EXTINF").count(), 3);
}

#[test]
fn byte_ranges_of_one_file_come_once_and_the_fraction_reaches_one() {
    let origin = origin(ranges(8, 500));
    let (desk, item) = downloaded(&origin);
    assert!((item.completed_fraction - 1.0).abs() < f64::EPSILON);
    assert_eq!((item.downloaded_bytes, item.estimated_bytes), (4000, Some(4000)));
    let sent: u64 =
        origin.requests().iter().filter(|it| it.path() == "/all.ts").map(|request| request.body_sent).sum();
    assert_eq!(sent, 4000);
    assert_eq!(desk.file("video/0/000000.ts"), bytes(7, 4000));
}

#[test]
fn a_playlist_of_another_kind_under_a_variant_is_refused() {
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nagain.m3u8\n";
    let origin = Origin::start(move |_: &Request| Response::ok(master)).unwrap();
    let options: SelectionOptions = BitRate(1).into();
    let refused = dry_run(&origin.url("/m.m3u8"), &options, &Decoders::default()).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::NestedMultivariant), "{refused}");
    assert_eq!(origin.requests().len(), 2);
}
