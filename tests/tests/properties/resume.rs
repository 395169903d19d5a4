//! However a download ends, the next run ends with the same folder and fetches again at most what was in flight.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use camino::Utf8Path;
use dtg_core::{ContentManager, ItemState};
use dtg_testkit::{Ending, Fault, Hold};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;

use crate::chosen::{Chosen, Wire, choose, failed};
use crate::download::{Manner, add, completed, folder, id, open, presentation, run};
use crate::presentation::check_closed;
use crate::stage::{Ask, Show, Stage, any_tree};
use crate::thorough;
use crate::wish::{Wish, any_wish};
use crate::worker::Worker;

static CUT: LazyLock<Stage> = LazyLock::new(Stage::start);
static STOPPED: LazyLock<Stage> = LazyLock::new(Stage::start);
static KILLED: LazyLock<Stage> = LazyLock::new(Stage::start);

/// A byte of the wire: which request, and how far into its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    request: Index,
    byte: Index,
}

pub(crate) fn any_spot() -> impl Strategy<Value = Spot> {
    any::<(Index, Index)>().prop_map(|(request, byte)| Spot { request, byte })
}

impl Spot {
    /// The request, and how many bytes go before; fewer than all.
    pub(crate) fn of(self, chosen: &Chosen, show: &Show<'_>) -> Result<(Wire, u64), TestCaseError> {
        let wires = chosen.wires();
        let at = self.request.index(wires.len().max(1));
        let wire = wires.into_iter().nth(at).ok_or_else(|| TestCaseError::reject("nothing to fetch"))?;
        let whole = show.contents().get(wire.url.as_str()).map(Vec::len);
        let length = wire.length.and_then(|length| usize::try_from(length).ok()).or(whole);
        let length = length.ok_or_else(|| failed(format!("the origin has no {}", wire.url)))?;
        Ok((wire, self.byte.index(length) as u64))
    }
}

/// Whether a request is for this wire.
fn is_for(wire: &Wire, target: &str) -> impl Fn(&dtg_testkit::Request) -> bool + Send + Sync + use<> {
    let (target, range) = (target.to_owned(), wire.ask().range);
    move |request| request.target == target && request.header("range") == range.as_deref()
}

pub(crate) fn hold(show: &Show<'_>, wire: &Wire, after: u64) -> Hold {
    let (origin, target) = show.origin_of(&wire.url);
    origin.hold_body(after, is_for(wire, &target))
}

/// What was answered to its end before the stop.
pub(crate) fn answered(show: &Show<'_>) -> BTreeSet<Ask> {
    show.asked().into_iter().filter(|(_, whole)| *whole).map(|(ask, _)| ask).collect()
}

/// The second run: nothing is in its way, and the origin's records begin anew.
fn check_second_run(
    manager: &ContentManager,
    show: &Show<'_>,
    chosen: &Chosen,
    in_flight: u16,
) -> Result<(), TestCaseError> {
    let before = answered(show);
    show.clear_faults();
    show.forget_requests();
    completed(&run(manager)?)?;
    check_closed(&presentation(manager)?, chosen, show)?;
    check_asked_again(show, &before, in_flight)
}

/// After what was asked for before, at most as many requests as were in flight are made again, and none for playlists.
pub(crate) fn check_asked_again(
    show: &Show<'_>,
    before: &BTreeSet<Ask>,
    in_flight: u16,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(show.playlists_asked(), 0, "the playlists were stored with the plan");
    let asked: Vec<Ask> = show.asked().into_iter().map(|(ask, _)| ask).collect();
    let again: BTreeSet<&Ask> = asked.iter().collect();
    // A request of the first run that reaches the origin late was in flight, too.
    let late = asked.len() - again.len();
    let twice: Vec<_> = again.into_iter().filter(|ask| before.contains(ask)).collect();
    prop_assert!(
        late + twice.len() <= usize::from(in_flight),
        "asked for again: {:?}, and {} late",
        twice,
        late
    );
    Ok(())
}

/// How the second run begins.
#[derive(Debug, Clone, Copy)]
enum Next {
    SameManager,
    NewManager,
}

fn any_next() -> impl Strategy<Value = Next> {
    select(vec![Next::SameManager, Next::NewManager])
}

fn next(manager: ContentManager, root: &Utf8Path, wish: &Wish, manner: Manner, how: Next) -> ContentManager {
    match how {
        Next::SameManager => manager,
        Next::NewManager => {
            drop(manager);
            open(root, wish, manner)
        }
    }
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_connection_that_is_cut_at_any_byte_costs_what_was_in_flight(
        tree in any_tree(),
        wish in any_wish(),
        spot in any_spot(),
        ending in select(vec![Ending::Fin, Ending::Reset]),
        connections in 1_u16..=3,
        how in any_next(),
    ) {
        let show = CUT.show(tree);
        let chosen = choose(&show, &wish)?;
        let (wire, after) = spot.of(&chosen, &show)?;
        let (origin, target) = show.origin_of(&wire.url);
        origin.fault(dtg_testkit::Rule::from(Fault::Cut { after, ending }).when(is_for(&wire, &target)));
        let (root, manner) = (folder(), Manner { connections, attempts: 1, ..Manner::PATIENT });
        let manager = open(root.path(), &wish, manner);
        add(&manager, &show.url(), &wish)?;
        let item = run(&manager)?;
        prop_assert_eq!(item.state, ItemState::Interrupted, "{:?}", item.failure);
        let manager = next(manager, root.path(), &wish, manner, how);
        check_second_run(&manager, &show, &chosen, connections)?;
    }

    #[test]
    fn a_download_that_is_stopped_at_any_byte_goes_on_from_there(
        tree in any_tree(),
        wish in any_wish(),
        spot in any_spot(),
        connections in 1_u16..=3,
        how in any_next(),
    ) {
        let show = STOPPED.show(tree);
        let chosen = choose(&show, &wish)?;
        let (wire, after) = spot.of(&chosen, &show)?;
        let (root, manner) = (folder(), Manner { connections, attempts: 1, ..Manner::PATIENT });
        let manager = open(root.path(), &wish, manner);
        add(&manager, &show.url(), &wish)?;
        let hold = hold(&show, &wire, after);
        manager.start_item(&id()).map_err(failed)?;
        hold.wait_for(1);
        if matches!(how, Next::SameManager) {
            manager.pause_item(&id()).map_err(failed)?;
        }
        let manager = next(manager, root.path(), &wish, manner, how);
        hold.release();
        check_second_run(&manager, &show, &chosen, connections)?;
    }
}

proptest! {
    // A process for each case: an eighth of the cases that the others have.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..thorough() })]

    #[test]
    fn a_process_that_is_killed_at_any_byte_loses_what_was_in_flight(
        tree in any_tree(),
        spot in any_spot(),
        connections in 1_u16..=3,
    ) {
        let (show, wish) = (KILLED.show(tree), Wish::of_the_worker());
        let chosen = choose(&show, &wish)?;
        let (wire, after) = spot.of(&chosen, &show)?;
        let root = folder();
        let hold = hold(&show, &wire, after);
        let mut worker = Worker::start(&[root.path().as_str(), id().as_str(), &show.url(), &connections.to_string()]);
        hold.wait_for(1);
        worker.kill();
        hold.release();
        let manager = open(root.path(), &wish, Manner { connections, attempts: 1, ..Manner::PATIENT });
        prop_assert!(manager.playback_location(&id()).is_err(), "half is not a presentation");
        check_second_run(&manager, &show, &chosen, connections)?;
    }
}

#[cfg(target_os = "linux")]
mod broken_file {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    static BROKEN: LazyLock<Stage> = LazyLock::new(Stage::start);

    proptest! {
        #![proptest_config(thorough())]

        #[test]
        fn a_file_that_could_not_be_written_is_fetched_when_it_can_be(
            tree in any_tree(),
            wish in any_wish(),
            spot in any_spot(),
            connections in 1_u16..=3,
            how in any_next(),
        ) {
            let show = BROKEN.show(tree);
            let chosen = choose(&show, &wish)?;
            let (wire, _) = spot.of(&chosen, &show)?;
            let (root, manner) = (folder(), Manner { connections, attempts: 1, ..Manner::PATIENT });
            let manager = open(root.path(), &wish, manner);
            add(&manager, &show.url(), &wish)?;
            let file = root.path().join("items/item/media").join(&wire.file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            // A pipe is opened like a file, and takes no bytes at an offset.
            mknodat(CWD, file.as_str(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            let item = run(&manager)?;
            let failure = item.failure.ok_or_else(|| failed("no reason"))?;
            prop_assert_eq!((item.state, failure.code.as_str()), (ItemState::Interrupted, "store"), "{}", failure.message);
            // What is left there is as long as it should be, and is nothing: a hole.
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, vec![0; show.contents()[wire.url.as_str()].len()]).unwrap();
            let manager = next(manager, root.path(), &wish, manner, how);
            check_second_run(&manager, &show, &chosen, connections)?;
        }
    }
}
