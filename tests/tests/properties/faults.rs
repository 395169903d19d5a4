//! Passing faults delay a download, permanent ones stop it with the right error; none makes it wrong.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dtg_core::{ContentManager, ErrorKind, ItemState};
use dtg_testkit::{Ending, Fault, RetryAfter, Rule};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use url::Url;
use xtask::tree::{Body, Tree};

use crate::chosen::{Chosen, Wire, choose, failed};
use crate::download::{Manner, completed, folder, id, open, presentation, run};
use crate::presentation::check_closed;
use crate::stage::{Show, Stage, any_tree};
use crate::wish::{Wish, any_wish};

static PASSING: LazyLock<Stage> = LazyLock::new(Stage::start);
static PERMANENT: LazyLock<Stage> = LazyLock::new(Stage::start);
static LOADING: LazyLock<Stage> = LazyLock::new(Stage::start);

/// More attempts than any script here has faults.
const STUBBORN: Manner = Manner { connections: 3, attempts: 8 };

/// A fault, the request that suffers it, and how often.
#[derive(Debug, Clone)]
struct Mishap {
    request: Index,
    fault: Fault,
    times: u64,
}

fn any_ending() -> impl Strategy<Value = Ending> {
    select(vec![Ending::Fin, Ending::Reset])
}

/// What may go wrong, or be odd, without the next attempt suffering from it.
fn passing_fault() -> impl Strategy<Value = Fault> {
    let status = select(vec![503_u16, 500, 502, 504, 429, 408, 425]).prop_map(Fault::status);
    let again_later = Just(Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(0)) });
    let cut = (0_u64..3000, any_ending()).prop_map(|(after, ending)| Fault::Cut { after, ending });
    let odd = vec![
        Fault::ChunkedNoEnd,
        Fault::IgnoreRange,
        Fault::Chunked,
        Fault::FreshEtag,
        Fault::WeakEtag,
        Fault::NoValidator,
        Fault::GzipIfAsked,
    ];
    prop_oneof![
        status,
        again_later,
        cut,
        any_ending().prop_map(Fault::NoAnswer),
        (1_i64..100).prop_map(Fault::LengthOff),
        select(odd),
    ]
}

fn any_mishap() -> impl Strategy<Value = Mishap> {
    (any::<Index>(), passing_fault(), 1_u64..=3).prop_map(|(request, fault, times)| Mishap {
        request,
        fault,
        times,
    })
}

/// Everything that is asked for: the chosen playlists, then the plan's requests.
fn urls(chosen: &Chosen) -> Vec<Url> {
    let playlists = std::iter::once(&chosen.origins.entry).chain(&chosen.origins.media);
    let playlists = playlists.map(|origin| Url::parse(&origin.url).expect("a loopback URL is one"));
    let mut urls: Vec<Url> = playlists.chain(chosen.wires().into_iter().map(|wire| wire.url)).collect();
    urls.sort();
    urls.dedup();
    urls
}

fn on(show: &Show<'_>, url: &Url, rule: impl Into<Rule>) {
    let (origin, target) = show.origin_of(url);
    origin.fault(rule.into().when(move |request| request.target == target));
}

/// Adds the item and loads its metadata, again while that fails: playlists are tried once a call.
fn load_stubbornly(manager: &ContentManager, show: &Show<'_>, wish: &Wish) -> Result<(), TestCaseError> {
    manager.add_item(&id(), &show.url()).map_err(failed)?;
    let load = || manager.load_item_metadata(&id(), wish.options.clone());
    let mut last = load();
    for _ in 0..40 {
        last = match last {
            Ok(_) => return Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Select(_)) => {
                return Err(TestCaseError::reject("nothing can be played"));
            }
            Err(_) => load(),
        };
    }
    last.map(drop).map_err(failed)
}

proptest! {
    #[test]
    fn a_download_completes_under_any_passing_faults(
        tree in any_tree(),
        wish in any_wish(),
        mishaps in prop::collection::vec(any_mishap(), 1..=6),
    ) {
        let show = PASSING.show(tree);
        let chosen = choose(&show, &wish)?;
        let urls = urls(&chosen);
        // One a URL: two lies at once may make a truth.
        let script: BTreeMap<usize, &Mishap> =
            mishaps.iter().map(|mishap| (mishap.request.index(urls.len()), mishap)).collect();
        for (at, mishap) in script {
            on(&show, &urls[at], mishap.fault.clone().first(mishap.times));
        }
        let root = folder();
        let manager = open(root.path(), &wish, STUBBORN);
        load_stubbornly(&manager, &show, &wish)?;
        completed(&run(&manager)?)?;
        check_closed(&presentation(&manager)?, &chosen, &show)?;
    }
}

/// A fault that no further attempt gets past.
#[derive(Debug, Clone)]
enum Permanent {
    Fault(Fault),
    /// A key file of another length.
    KeyOf(u64),
    /// A file that ends before the playlist's last range of it does.
    Shorter,
}

/// How an item stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stop {
    state: ItemState,
    code: &'static str,
    status: Option<u16>,
}

const fn refused(code: &'static str) -> Stop {
    Stop { state: ItemState::Failed, code, status: None }
}

const fn interrupted(code: &'static str) -> Stop {
    Stop { state: ItemState::Interrupted, code, status: None }
}

/// A 206 that says it is for other bytes.
fn content_range(value: &str) -> Fault {
    Fault::Header { name: "Content-Range".to_owned(), value: value.to_owned() }
}

fn permanent_fault() -> impl Strategy<Value = Permanent> {
    let refusal = select(vec![404_u16, 403, 401, 410, 451]).prop_map(Fault::status);
    let trouble = select(vec![500_u16, 503, 429]).prop_map(Fault::status);
    let file_url = Fault::Redirect { status: 302, location: "file:///etc/passwd".to_owned() };
    let fault = prop_oneof![
        refusal,
        trouble,
        any_ending().prop_map(Fault::NoAnswer),
        any_ending().prop_map(|ending| Fault::Cut { after: 0, ending }),
        select(vec!["bytes 7777777-7777778/9999999", "bytes */9999999", "octets 0-0/1"])
            .prop_map(content_range),
        select(vec![Fault::Html, Fault::Empty, Fault::RedirectLoop, file_url]),
        select(vec![Fault::CloseDelimited, Fault::Multipart, Fault::RangeNotSatisfiable]),
    ];
    prop_oneof![
        8 => fault.prop_map(Permanent::Fault),
        1 => select(vec![15_u64, 17, 32]).prop_map(Permanent::KeyOf),
        1 => Just(Permanent::Shorter),
    ]
}

/// How a fault stops the download; `None` where it means nothing to this request.
fn stop_of(fault: &Fault, wire: &Wire) -> Option<Stop> {
    let range = wire.is_range();
    match fault {
        Fault::Status { status, .. } if matches!(status, 429 | 500..) => {
            Some(Stop { status: Some(*status), ..interrupted("status") })
        }
        Fault::Status { status, .. } => Some(Stop { status: Some(*status), ..refused("status") }),
        Fault::NoAnswer(_) | Fault::Cut { .. } => Some(interrupted("unreachable")),
        Fault::Html | Fault::Empty | Fault::RedirectLoop => Some(refused("bad-answer")),
        Fault::Redirect { .. } => Some(refused("scheme-not-allowed")),
        Fault::Header { .. } | Fault::Multipart | Fault::RangeNotSatisfiable => {
            range.then_some(refused("bad-answer"))
        }
        Fault::CloseDelimited => (!range).then_some(refused("bad-answer")),
        _ => None,
    }
}

/// Sets the fault up; answers how the download has to stop.
fn set_up(show: &Show<'_>, wire: &Wire, permanent: &Permanent) -> Option<Stop> {
    match permanent {
        Permanent::Fault(fault) => {
            let stop = stop_of(fault, wire)?;
            on(show, &wire.url, fault.clone());
            Some(stop)
        }
        Permanent::KeyOf(_) | Permanent::Shorter => Some(refused("bad-answer")),
    }
}

/// The tree with the file at this URL of another length.
fn with_length(show: &Show<'_>, url: &Url, length: u64) -> Tree {
    let mut tree = Tree::clone(&show.tree);
    let file = tree.files.iter_mut().find(|file| show.hosts.url(&file.location) == url.as_str());
    if let Some(file) = file {
        file.body = Body::Noise(length);
    }
    tree
}

/// The request to suffer: one that the fault means something to, where there is one.
fn victim(chosen: &Chosen, permanent: &Permanent, request: Index) -> Result<Wire, TestCaseError> {
    let suits = |wire: &Wire| match permanent {
        Permanent::Fault(fault) => stop_of(fault, wire).is_some(),
        Permanent::KeyOf(_) => wire.file.starts_with("key/"),
        Permanent::Shorter => wire.is_range(),
    };
    let wires: Vec<Wire> = chosen.wires().into_iter().filter(suits).collect();
    let at = request.index(wires.len().max(1));
    wires.into_iter().nth(at).ok_or_else(|| TestCaseError::reject("nobody to suffer"))
}

/// The item stopped so, and nobody takes it for complete: not now, and not after a restart.
fn check_stopped(manager: &ContentManager, stop: Stop) -> Result<(), TestCaseError> {
    let item = manager.item(&id()).map_err(failed)?;
    let failure = item.failure.ok_or_else(|| failed(format!("{} without a reason", item.state)))?;
    prop_assert_eq!(item.state, stop.state, "{}", failure.message);
    prop_assert_eq!((failure.code.as_str(), failure.status), (stop.code, stop.status), "{}", failure.message);
    prop_assert!(item.completed_fraction < 1.0, "{}", item.completed_fraction);
    prop_assert!(manager.playback_location(&id()).is_err(), "it is said to be there");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_local_rejects: 1 << 20, max_global_rejects: 1 << 14, ..ProptestConfig::default() })]

    #[test]
    fn a_permanent_fault_stops_the_download_with_its_own_error(
        tree in any_tree(),
        wish in any_wish(),
        request in any::<Index>(),
        permanent in permanent_fault(),
    ) {
        let show = PERMANENT.show(tree);
        let chosen = choose(&show, &wish)?;
        let wire = victim(&chosen, &permanent, request)?;
        let show = match &permanent {
            Permanent::Fault(_) => show,
            Permanent::KeyOf(length) => PERMANENT.show(with_length(&show, &wire.url, *length)),
            Permanent::Shorter => {
                let end = wire.start + wire.length.unwrap_or(0);
                PERMANENT.show(with_length(&show, &wire.url, end - 1))
            }
        };
        let root = folder();
        let manager = open(root.path(), &wish, Manner::PATIENT);
        crate::download::add(&manager, &show.url(), &wish)?;
        let stop = set_up(&show, &wire, &permanent).ok_or_else(|| failed("a victim suffers"))?;
        run(&manager)?;
        check_stopped(&manager, stop)?;
        drop(manager);
        check_stopped(&open(root.path(), &wish, Manner::PATIENT), stop)?;
    }

    #[test]
    fn a_playlist_that_never_comes_right_leaves_the_item_new(
        tree in any_tree(),
        wish in any_wish(),
        playlist in any::<Index>(),
        fault in select(vec![
            Fault::status(404),
            Fault::status(503),
            Fault::Html,
            Fault::Empty,
            Fault::RedirectLoop,
            Fault::Cut { after: 10, ending: Ending::Fin },
            Fault::LengthOff(5),
            Fault::ChunkedNoEnd,
            Fault::NoAnswer(Ending::Reset),
        ]),
    ) {
        let show = LOADING.show(tree);
        let chosen = choose(&show, &wish)?;
        let playlists: Vec<_> = std::iter::once(&chosen.origins.entry).chain(&chosen.origins.media).collect();
        let url = Url::parse(&playlists[playlist.index(playlists.len())].url).unwrap();
        on(&show, &url, fault);
        let root = folder();
        let manager = open(root.path(), &wish, Manner::PATIENT);
        manager.add_item(&id(), &show.url()).map_err(failed)?;
        let loaded = manager.load_item_metadata(&id(), wish.options);
        prop_assert!(loaded.is_err(), "{:?}", loaded);
        let item = manager.item(&id()).map_err(failed)?;
        prop_assert_eq!(item.state, ItemState::New);
        prop_assert!(item.failure.is_some());
        prop_assert!(manager.start_item(&id()).is_err());
    }
}
