//! Passing faults delay a download, permanent ones stop it with the right error; none makes it wrong.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dtg_core::{ContentManager, ErrorKind, ItemState};
use dtg_testkit::{Ending, Fault, RetryAfter, Rule, at_random};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use url::Url;
use xtask::tree::{Body, Tree};

use crate::chosen::{Chosen, Wire, choose, failed};
use crate::download::{Manner, completed, folder, id, open, presentation, run};
use crate::presentation::check_closed;
use crate::stage::{Ask, Show, Stage, any_tree};
use crate::thorough;
use crate::wish::{Wish, any_wish};

static PASSING: LazyLock<Stage> = LazyLock::new(Stage::start);
static RANDOM: LazyLock<Stage> = LazyLock::new(Stage::start);
static ODD: LazyLock<Stage> = LazyLock::new(Stage::start);
static PERMANENT: LazyLock<Stage> = LazyLock::new(Stage::start);
static LOADING: LazyLock<Stage> = LazyLock::new(Stage::start);

/// More attempts than any script here has faults.
const STUBBORN: Manner = Manner { attempts: 8, ..Manner::PATIENT };

/// The longest row of faults that one request gets.
const MOST_FAULTS: usize = 6;

/// What requests suffer, one fault each time one is made.
#[derive(Debug, Clone)]
struct Mishap {
    victims: Victims,
    faults: Vec<Fault>,
}

/// Whom a mishap is for. All is the simplest: whom it is for does not change as a tree shrinks.
#[derive(Debug, Clone, Copy)]
enum Victims {
    All,
    One(Index),
}

impl Victims {
    fn among<'a>(self, asks: &[&'a Ask]) -> Vec<&'a Ask> {
        match self {
            Self::All => asks.to_vec(),
            Self::One(index) => asks.get(index.index(asks.len().max(1))).copied().into_iter().collect(),
        }
    }
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

/// What goes wrong however long the answer is, and may go right the next time.
fn sure_failure() -> impl Strategy<Value = Fault> {
    let status = select(vec![503_u16, 500, 502, 504, 429, 408, 425]).prop_map(Fault::status);
    prop_oneof![
        status,
        any_ending().prop_map(Fault::NoAnswer),
        any_ending().prop_map(|ending| Fault::Cut { after: 0, ending }),
    ]
}

fn any_mishap() -> impl Strategy<Value = Mishap> {
    let faults = prop::collection::vec(passing_fault(), 1..=4);
    let victims = prop_oneof![1 => Just(Victims::All), 15 => any::<Index>().prop_map(Victims::One)];
    (victims, faults).prop_map(|(victims, faults)| Mishap { victims, faults })
}

fn any_mishaps() -> impl Strategy<Value = Vec<Mishap>> {
    prop::collection::vec(any_mishap(), 0..=6)
}

/// Everything that is asked for: the chosen playlists, then the plan's requests.
fn asks(chosen: &Chosen) -> Vec<Ask> {
    let playlists = std::iter::once(&chosen.origins.entry).chain(&chosen.origins.media);
    let playlists = playlists.map(|origin| Ask { url: origin.url.clone(), range: None });
    let mut asks: Vec<Ask> = playlists.chain(chosen.wires().iter().map(Wire::ask)).collect();
    asks.sort();
    asks.dedup();
    asks
}

/// For all requests of a URL.
fn on(show: &Show<'_>, url: &Url, rule: Rule) {
    let (origin, target) = show.origin_of(url);
    origin.fault(rule.when(move |request| request.target == target));
}

/// Lets the first requests that ask for this suffer these, one each: two lies at once may make a truth.
///
/// Which requests of a URL come first may differ from run to run; those for the same bytes are told apart by
/// nothing, so that a failure happens again, and shrinks.
fn in_turn(show: &Show<'_>, ask: &Ask, faults: &[Fault]) {
    let url = Url::parse(&ask.url).expect("a loopback URL is one");
    let (origin, target) = show.origin_of(&url);
    for (skip, fault) in (0_u64..).zip(faults.iter().take(MOST_FAULTS)) {
        let (target, range) = (target.clone(), ask.range.clone());
        let rule = Rule::from(fault.clone()).skip(skip).first(1);
        origin.fault(
            rule.when(move |request| request.target == target && request.header("range") == range.as_deref()),
        );
    }
}

/// Sets all mishaps up; those that fall on one request one behind the other. The `spared` URL gets none.
fn play(show: &Show<'_>, asks: &[Ask], mishaps: &[Mishap], spared: Option<&Url>) {
    let mut scripts: BTreeMap<&Ask, Vec<Fault>> = BTreeMap::new();
    let asks: Vec<&Ask> =
        asks.iter().filter(|ask| spared.is_none_or(|url| url.as_str() != ask.url)).collect();
    for mishap in mishaps {
        for ask in mishap.victims.among(&asks) {
            scripts.entry(ask).or_default().extend(mishap.faults.clone());
        }
    }
    for (ask, faults) in scripts {
        in_turn(show, ask, &faults);
    }
}

/// Adds the item and loads its metadata, again while that fails.
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

// What goes wrong is made simple first: once each request suffers the same, the tree can lose all that it has to do with.
proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_download_completes_under_any_passing_faults(
        mishaps in any_mishaps(),
        tree in any_tree(),
        wish in any_wish(),
    ) {
        let show = PASSING.show(tree);
        let chosen = choose(&show, &wish)?;
        play(&show, &asks(&chosen), &mishaps, None);
        let root = folder();
        let manager = open(root.path(), &wish, STUBBORN);
        load_stubbornly(&manager, &show, &wish)?;
        completed(&run(&manager)?)?;
        check_closed(&presentation(&manager)?, &chosen, &show)?;
    }

    #[test]
    fn a_download_completes_under_faults_at_random_that_pass(
        one_in in 1_u32..=3,
        faults in prop::collection::vec(passing_fault(), 1..=5),
        seed in any::<u64>(),
        tree in any_tree(),
        wish in any_wish(),
    ) {
        let show = RANDOM.show(tree);
        let chosen = choose(&show, &wish)?;
        for origin in show.origins() {
            let thrown = at_random(seed, one_in, faults.clone());
            origin.script(move |request, nth| thrown(request, nth).filter(|_| nth <= MOST_FAULTS as u64));
        }
        let root = folder();
        let manager = open(root.path(), &wish, STUBBORN);
        load_stubbornly(&manager, &show, &wish)?;
        completed(&run(&manager)?)?;
        check_closed(&presentation(&manager)?, &chosen, &show)?;
    }
}

/// What a server may be like all the time: it knows no ranges, its files no strong versions, their lengths come late.
fn any_oddity() -> impl Strategy<Value = Fault> {
    let single =
        vec![Fault::IgnoreRange, Fault::WeakEtag, Fault::NoValidator, Fault::Chunked, Fault::GzipIfAsked];
    let pairs = vec![Fault::WeakEtag, Fault::NoValidator, Fault::Chunked];
    prop_oneof![select(single), select(pairs).prop_map(|oddity| Fault::All(vec![Fault::IgnoreRange, oddity])),]
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_download_completes_from_a_server_that_is_always_odd(
        oddity in any_oddity(),
        tree in any_tree(),
        wish in any_wish(),
    ) {
        let show = ODD.show(tree);
        let chosen = choose(&show, &wish)?;
        for origin in show.origins() {
            origin.fault(oddity.clone());
        }
        let root = folder();
        let manager = open(root.path(), &wish, Manner::PATIENT);
        crate::download::add(&manager, &show.url(), &wish)?;
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

/// Sets the fault up behind those that come before it; answers how the download has to stop.
fn set_up(show: &Show<'_>, wire: &Wire, before: &[Fault], permanent: &Permanent) -> Option<Stop> {
    match permanent {
        Permanent::Fault(fault) => {
            let stop = stop_of(fault, wire)?;
            on(show, &wire.url, Rule::from(fault.clone()).skip(before.len() as u64));
            for (skip, fault) in (0_u64..).zip(before) {
                on(show, &wire.url, Rule::from(fault.clone()).skip(skip).first(1));
            }
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
    #![proptest_config(ProptestConfig { max_local_rejects: 1 << 20, max_global_rejects: 1 << 14, ..thorough() })]

    #[test]
    fn a_permanent_fault_stops_the_download_with_its_own_error(
        tree in any_tree(),
        wish in any_wish(),
        request in any::<Index>(),
        before in prop::collection::vec(sure_failure(), 0..=3),
        permanent in permanent_fault(),
        mishaps in any_mishaps(),
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
        let manager = open(root.path(), &wish, STUBBORN);
        crate::download::add(&manager, &show.url(), &wish)?;
        let stop = set_up(&show, &wire, &before, &permanent).ok_or_else(|| failed("a victim suffers"))?;
        // What else goes wrong passes, and is not what it stops for.
        play(&show, &asks(&chosen), &mishaps, Some(&wire.url));
        run(&manager)?;
        check_stopped(&manager, stop)?;
        drop(manager);
        check_stopped(&open(root.path(), &wish, STUBBORN), stop)?;
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
        on(&show, &url, fault.into());
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
