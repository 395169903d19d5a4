//! The same of asset download tasks: however one ends, the next one ends with the same asset.

use std::collections::BTreeSet;
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
use crate::resume::{answered, any_spot, check_asked_again, hold};
use crate::stage::{Ask, Show, Stage, any_tree};
use crate::wish::Wish;
use crate::worker::Worker;

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
    check_asked_again(show, before, in_flight)
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
        let mut worker = Worker::task("task", &root.path().join("asset"), &show.url(), connections);
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
