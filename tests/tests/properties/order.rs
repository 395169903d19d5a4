//! What is downloaded first plays first: the playable part is as large as what is there, less what is in flight.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dtg_core::{ContentManager, ItemState};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use xtask::truth;

use crate::chosen::{Chosen, Wire, choose, failed};
use crate::download::{Manner, add, folder, id, open};
use crate::facts::{self, Reference, Role};
use crate::stage::{Ask, Show, Stage, any_tree};
use crate::thorough;
use crate::wish::any_wish;

static PLANNED: LazyLock<Stage> = LazyLock::new(Stage::start);
static REAL: LazyLock<Stage> = LazyLock::new(Stage::start);
static STUCK: LazyLock<Stage> = LazyLock::new(Stage::start);

/// Plans count media time in these.
const TICK: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Which requests each segment of each track needs, and from when.
struct Schedule {
    wires: Vec<Wire>,
    segments: Vec<Needs>,
    /// What the multivariant playlist itself names, which is needed from the start.
    named_at_top: Vec<String>,
}

/// A segment of any track.
struct Needs {
    begin: Duration,
    /// What its lines lead to.
    requests: BTreeSet<usize>,
    /// Declared missing: there is nothing to play, whatever its lines lead to.
    is_gap: bool,
}

impl Schedule {
    fn new(chosen: &Chosen, show: &Show<'_>) -> Result<Self, TestCaseError> {
        let wires = chosen.wires();
        let origins = match chosen.origins.media.as_slice() {
            [] => std::slice::from_ref(&chosen.origins.entry),
            media => media,
        };
        let mut segments = Vec::new();
        for origin in origins {
            let playlist = show.playlist_at(&origin.url).ok_or_else(|| failed("no such playlist"))?;
            let references = facts::of_tree(&show.tree, show.hosts, playlist).references;
            let mut begin = Duration::ZERO;
            for (segment, references) in truth::segments(&show.tree, show.hosts, playlist).zip(references) {
                let leads = references.iter().filter(|it| it.role != Role::Gap);
                let requests = leads.flat_map(|it| bringing(&wires, it)).collect();
                segments.push(Needs { begin, requests, is_gap: segment.gap });
                begin += Duration::from_nanos(segment.duration_ns);
            }
        }
        let top = truth::multivariant(&show.tree, show.hosts);
        let keys = top.iter().flat_map(|top| top.session_keys.iter().filter_map(|key| key.url.clone()));
        let data = top.iter().flat_map(|top| top.session_data.iter().filter_map(|data| data.url.clone()));
        Ok(Self { wires, segments, named_at_top: keys.chain(data).collect() })
    }

    /// When a request is first needed.
    fn begin_of(&self, wire: usize) -> Duration {
        let at_top = self
            .wires
            .get(wire)
            .is_some_and(|wire| self.named_at_top.iter().any(|url| url == wire.url.as_str()));
        let segments = self.segments.iter().filter(|segment| segment.requests.contains(&wire) && !at_top);
        segments.map(|segment| segment.begin).min().unwrap_or_default()
    }

    /// How far all tracks play with these requests done.
    fn playable(&self, done: &BTreeSet<usize>) -> Duration {
        let missing = self.segments.iter().filter(|it| !it.is_gap && !it.requests.is_subset(done));
        missing.map(|segment| segment.begin).min().unwrap_or(Duration::MAX)
    }

    /// Those of `done` that are of no use yet: they are first needed behind what can be played.
    fn ahead(&self, done: &BTreeSet<usize>) -> Vec<usize> {
        let playable = self.playable(done).saturating_add(TICK);
        done.iter().copied().filter(|wire| self.begin_of(*wire) > playable).collect()
    }

    fn find(&self, ask: &Ask) -> Result<usize, TestCaseError> {
        let found = self.wires.iter().position(|wire| wire.ask() == *ask);
        found.ok_or_else(|| failed(format!("not planned: {ask:?}")))
    }
}

/// Bytes by request; a file that comes in one piece is as long as it is.
fn lengths(schedule: &Schedule, show: &Show<'_>) -> Vec<u64> {
    let contents = show.contents();
    let whole = |wire: &Wire| contents.get(wire.url.as_str()).map_or(0, |bytes| bytes.len() as u64);
    schedule.wires.iter().map(|wire| wire.length.unwrap_or_else(|| whole(wire))).collect()
}

/// Waits until so many requests of the item are done.
#[expect(clippy::disallowed_methods, reason = "patience is measured by the clock")]
fn await_done(manager: &ContentManager, count: usize) -> Result<(), TestCaseError> {
    let start = Instant::now();
    loop {
        let item = manager.item(&id()).map_err(failed)?;
        if item.fetches_done as usize == count {
            return Ok(());
        }
        if start.elapsed() > PATIENCE || item.state != ItemState::InProgress {
            return Err(failed(format!("{} with {} of {count} done", item.state, item.fetches_done)));
        }
        thread::yield_now();
    }
}

/// The requests that bring these bytes.
fn bringing<'w>(wires: &'w [Wire], reference: &'w Reference) -> impl Iterator<Item = usize> + 'w {
    let overlaps = move |wire: &Wire| match (wire.length, reference.range) {
        (None, _) | (_, None) => true,
        (Some(length), Some((offset, wanted))) => {
            wire.start < offset + wanted && offset < wire.start + length
        }
    };
    let all = wires.iter().enumerate();
    all.filter(move |(_, wire)| wire.url.as_str() == reference.uri && overlaps(wire))
        .map(|(number, _)| number)
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_plan_fetches_nothing_before_what_is_played_earlier(tree in any_tree(), wish in any_wish()) {
        let show = PLANNED.show(tree);
        let schedule = Schedule::new(&choose(&show, &wish)?, &show)?;
        for count in 0..=schedule.wires.len() {
            let done: BTreeSet<usize> = (0..count).collect();
            prop_assert_eq!(schedule.ahead(&done), Vec::<usize>::new(), "after {} requests", count);
        }
        let all: BTreeSet<usize> = (0..schedule.wires.len()).collect();
        prop_assert_eq!(schedule.playable(&all), Duration::MAX, "the plan brings everything");
    }

    #[test]
    fn a_download_is_ahead_of_what_plays_by_no_more_than_it_has_in_flight(
        tree in any_tree(),
        wish in any_wish(),
        stop in any::<Index>(),
        connections in 1_u16..=3,
    ) {
        let show = REAL.show(tree);
        let chosen = choose(&show, &wish)?;
        let schedule = Schedule::new(&chosen, &show)?;
        let total = schedule.wires.len();
        prop_assume!(total > 0);
        let stop = stop.index(total);
        let in_flight = usize::from(connections).min(total - stop);
        let root = folder();
        let manager = open(root.path(), &wish, Manner { connections, attempts: 1, ..Manner::PATIENT });
        add(&manager, &show.url(), &wish)?;
        // The first `stop` requests are answered; the others come and wait.
        let came: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let (held, waits) = channel();
        let holds: Vec<_> = show.origins().iter().map(|origin| {
            let (came, held, base) = (Arc::clone(&came), held.clone(), origin.url(""));
            origin.hold(move |request| {
                let mut came = came.lock().unwrap_or_else(PoisonError::into_inner);
                let url = format!("{}{}", base.trim_end_matches('/'), request.target);
                came.push(Ask { url, range: request.header("range").map(str::to_owned) });
                let waits = came.len() > stop;
                if waits {
                    // Nobody listens any more once the case is over.
                    let _ = held.send(());
                }
                waits
            })
        }).collect();
        manager.start_item(&id()).map_err(failed)?;
        for _ in 0..in_flight {
            waits.recv_timeout(PATIENCE).map_err(failed)?;
        }
        let came: Vec<usize> = {
            let came = came.lock().unwrap_or_else(PoisonError::into_inner);
            came.iter().map(|ask| schedule.find(ask)).collect::<Result<_, _>>()?
        };
        // What is in flight is the window: with it, all that is there can be played.
        let begun: BTreeSet<usize> = came.iter().copied().collect();
        prop_assert_eq!(&begun, &(0..stop + in_flight).collect(), "begun in the plan's order");
        prop_assert_eq!(schedule.ahead(&begun), Vec::<usize>::new(), "of no use yet");
        drop(manager);
        drop(holds);
    }
    /// After any fraction f of the bytes, the playable prefix is at least f less the window: the requests
    /// from the first one that is not done on, no more than an item may be ahead of it.
    #[test]
    fn while_one_request_is_stuck_what_is_downloaded_is_ahead_of_what_plays_by_the_window_at_most(
        tree in any_tree(),
        wish in any_wish(),
        stuck in any::<Index>(),
        connections in 2_u16..=3,
        run_ahead in 1_u32..=6,
    ) {
        let show = STUCK.show(tree);
        let chosen = choose(&show, &wish)?;
        let schedule = Schedule::new(&chosen, &show)?;
        let total = schedule.wires.len();
        prop_assume!(total > 0);
        let stuck = stuck.index(total);
        let root = folder();
        let manager = open(root.path(), &wish, Manner { connections, attempts: 1, run_ahead });
        add(&manager, &show.url(), &wish)?;
        let victim = schedule.wires[stuck].ask();
        let holds: Vec<_> = show.origins().iter().map(|origin| {
            let (victim, base) = (victim.clone(), origin.url(""));
            origin.hold(move |request| {
                let url = format!("{}{}", base.trim_end_matches('/'), request.target);
                victim == Ask { url, range: request.header("range").map(str::to_owned) }
            })
        }).collect();
        show.forget_requests();
        manager.start_item(&id()).map_err(failed)?;
        // All that may be begun beside the one that is stuck comes, and no more.
        let fetches = chosen.planned.plan.fetches.len();
        let places = fetches.min(schedule.wires[stuck].place + run_ahead as usize);
        await_done(&manager, places - 1)?;
        let begun = schedule.wires.iter().filter(|wire| wire.place < places).count();
        let done: BTreeSet<usize> = (0..begun).filter(|wire| *wire != stuck).collect();
        let lengths = lengths(&schedule, &show);
        let bytes = |wires: &mut dyn Iterator<Item = usize>| wires.map(|wire| lengths[wire]).sum::<u64>();
        let downloaded = bytes(&mut done.iter().copied());
        // Both sides are parts of the same whole, by which nothing need be divided.
        let window = bytes(&mut (stuck..begun));
        let playable = schedule.playable(&done).saturating_add(TICK);
        let prefix = bytes(&mut (0..total).filter(|wire| schedule.begin_of(*wire) < playable));
        prop_assert!(prefix + window >= downloaded, "{} + {} of {}", prefix, window, downloaded);
        drop(manager);
        drop(holds);
        let asked = show.asked().len();
        prop_assert!(asked <= begun, "{} requests, {} may be begun", asked, begun);
    }
}
