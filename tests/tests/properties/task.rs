//! The same of asset download tasks: however one ends, the next one ends with the same asset.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::thread;

use camino::Utf8Path;
use dtg_core::{
    AssetDownloadTask, BitRate, Cancellation, Event, ItemLocation, ItemState, KeyRequest, Languages,
    RemoteAsset, SelectionOptions,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::chosen::{Chosen, choose, failed};
use crate::download::{Manner, builder, files_below, folder, id};
use crate::presentation::check_closed;
use crate::resume::{answered, any_spot, hold};
use crate::stage::{Ask, Show, Stage, any_tree};
use crate::wish::Wish;

static SUSPENDED: LazyLock<Stage> = LazyLock::new(Stage::start);
static KILLED: LazyLock<Stage> = LazyLock::new(Stage::start);

/// A task that wishes as [`Wish::of_the_task`] does.
fn task(root: &Utf8Path, url: &str, wish: &Wish, connections: u16) -> AssetDownloadTask {
    let content = SelectionOptions {
        audio: Languages::All,
        text: Languages::All,
        ..SelectionOptions::at_least(BitRate(300_000))
    };
    let manner = Manner { connections, attempts: 1, ..Manner::PATIENT };
    // Keys are no matter here: each is there as soon as it is asked for.
    let asset = RemoteAsset::new(id(), url).with_key_loader(|_: &KeyRequest, _: &Cancellation| Ok(()));
    AssetDownloadTask::builder(asset, root.join("asset"))
        .primary(content)
        .transfers(|_| builder(root, wish, manner))
        .build()
        .expect("a sound task")
}

/// The second run: nothing is in its way, and the origin's records begin anew.
fn check_second_run(
    location: &ItemLocation,
    before: &BTreeSet<Ask>,
    show: &Show<'_>,
    chosen: &Chosen,
    in_flight: u16,
) -> Result<(), TestCaseError> {
    let made = (files_below(&location.folder_path()), location.master.as_str().to_owned());
    check_closed(&made, chosen, show)?;
    prop_assert_eq!(show.playlists_asked(), 0, "the playlists were stored with the plan");
    let asked: Vec<Ask> = show.asked().into_iter().map(|(ask, _)| ask).collect();
    let again: BTreeSet<&Ask> = asked.iter().collect();
    // A request of the first run that reaches the origin late was in flight, too.
    let late = asked.len() - again.len();
    let twice: Vec<_> = again.into_iter().filter(|ask| before.contains(ask)).collect();
    prop_assert!(late + twice.len() <= usize::from(in_flight), "asked for again: {twice:?}, and {late} late");
    Ok(())
}

proptest! {
    #[test]
    fn a_task_that_is_suspended_at_any_byte_goes_on_from_there(
        tree in any_tree(),
        spot in any_spot(),
        connections in 1_u16..=3,
    ) {
        let (show, wish) = (SUSPENDED.show(tree), Wish::of_the_task());
        let chosen = choose(&show, &wish)?;
        let (wire, after) = spot.of(&chosen, &show)?;
        let root = folder();
        let hold = hold(&show, &wire, after);
        let task = Arc::new(task(root.path(), &show.url(), &wish, connections));
        let running = thread::spawn({
            let task = Arc::clone(&task);
            move || task.run()
        });
        hold.wait_for(1);
        let events = task.subscribe();
        task.suspend();
        let rests = |event: &Event| matches!(event, Event::State { state: ItemState::Paused, .. });
        while !events.recv().as_ref().is_some_and(rests) {}
        prop_assert!(!root.path().join("asset").exists(), "half is no asset");
        let before = answered(&show);
        hold.release();
        show.clear_faults();
        show.forget_requests();
        task.resume();
        let location = running.join().expect("it does not panic").map_err(failed)?;
        check_second_run(&location, &before, &show, &chosen, connections)?;
    }
}

/// A downloading process; killed, too, where a property fails.
struct Worker(Child);

impl Worker {
    fn start(root: &Utf8Path, url: &str, connections: u16) -> Self {
        let destination = root.join("asset");
        let worker = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(["task", destination.as_str(), id().as_str(), url, &connections.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(worker.expect("the worker was built beside this test"))
    }

    fn kill(&mut self) {
        // One that has ended is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

proptest! {
    // A process for each case: an eighth of the cases that the others have.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..ProptestConfig::default() })]

    #[test]
    fn a_task_whose_process_is_killed_at_any_byte_loses_what_was_in_flight(
        tree in any_tree(),
        spot in any_spot(),
        connections in 1_u16..=3,
    ) {
        let (show, wish) = (KILLED.show(tree), Wish::of_the_task());
        let chosen = choose(&show, &wish)?;
        let (wire, after) = spot.of(&chosen, &show)?;
        let root = folder();
        let hold = hold(&show, &wire, after);
        let mut worker = Worker::start(root.path(), &show.url(), connections);
        hold.wait_for(1);
        worker.kill();
        hold.release();
        prop_assert!(!root.path().join("asset").exists(), "half is no asset");
        let before = answered(&show);
        show.clear_faults();
        show.forget_requests();
        let task = task(root.path(), &show.url(), &wish, connections);
        let location = task.run().map_err(failed)?;
        check_second_run(&location, &before, &show, &chosen, connections)?;
    }
}
