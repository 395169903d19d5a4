//! Killed during any write, or without power from then on: the next run ends with the same folder.
//!
//! The disk is in memory, where a kill is a value: what was written stays as it is, what was not never comes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use camino::Utf8Path;
use dtg_core::{ContentManager, ItemState, MemoryDisk, Survival, SyncPolicy};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;

use crate::chosen::{choose, failed};
use crate::download::{Files, Manner, builder, completed, id};
use crate::presentation::check_closed;
use crate::stage::{Ask, Show, Stage, any_tree};
use crate::thorough;
use crate::wish::{Wish, any_wish};

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);

const ROOT: &str = "/store";

/// A run on a disk in memory, as far as it gets.
struct Run<'r> {
    show: &'r Show<'r>,
    wish: &'r Wish,
    connections: u16,
    /// Bytes that may wait to be durable.
    batch: u64,
}

impl Run<'_> {
    fn open(&self, disk: &MemoryDisk) -> Result<ContentManager, TestCaseError> {
        let manner = Manner { connections: self.connections, attempts: 1, ..Manner::PATIENT };
        let sync = SyncPolicy { bytes: self.batch, backlog: self.batch, ..SyncPolicy::default() };
        builder(Utf8Path::new(ROOT), self.wish, manner).sync(sync).disk(disk).open().map_err(failed)
    }

    /// Goes on with the item from whatever there is of it, to its end.
    fn go(&self, disk: &MemoryDisk) -> Result<(), TestCaseError> {
        let manager = self.open(disk)?;
        if manager.item(&id()).is_err() {
            manager.add_item(&id(), &self.show.url()).map_err(failed)?;
        }
        if manager.item(&id()).map_err(failed)?.state == ItemState::New {
            manager.load_item_metadata(&id(), self.wish.options.clone()).map_err(failed)?;
        }
        if manager.item(&id()).map_err(failed)?.state != ItemState::Completed {
            manager.start_item(&id()).map_err(failed)?;
        }
        completed(&manager.wait(&id()).map_err(failed)?)
    }

    fn presentation(&self, disk: &MemoryDisk) -> Result<(Files, String), TestCaseError> {
        let location = self.open(disk)?.playback_location(&id()).map_err(failed)?;
        Ok((disk.files_below(&location.folder_path()), location.master.into_string()))
    }

    /// What was asked for and answered to its end, playlists apart.
    fn answered(&self) -> BTreeSet<Ask> {
        self.show.asked().into_iter().filter(|(_, whole)| *whole).map(|(ask, _)| ask).collect()
    }
}

/// A kill leaves all that was written; without power some of it may be lost.
fn any_survival() -> impl Strategy<Value = Survival> {
    prop_oneof![3 => Just(Survival::Everything), 1 => any::<u64>().prop_map(Survival::Some)]
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_download_that_is_killed_during_any_write_ends_with_the_same_folder(
        tree in any_tree(),
        wish in any_wish(),
        at in any::<Index>(),
        survival in any_survival(),
        connections in 1_u16..=3,
        batch in select(vec![1_u64, 2000, 1 << 20]),
    ) {
        let show = STAGE.show(tree);
        let chosen = choose(&show, &wish)?;
        let run = Run { show: &show, wish: &wish, connections, batch };
        let disk = MemoryDisk::default();
        run.go(&disk)?;
        let operations = usize::try_from(disk.operations()).map_err(failed)?;
        let undisturbed = run.presentation(&disk)?;
        check_closed(&undisturbed, &chosen, &show)?;

        let disk = MemoryDisk::default();
        disk.cut_power_at(at.index(operations) as u64 + 1);
        show.forget_requests();
        // It may be completed already, and the kill come while it is closed.
        let _ = run.go(&disk);
        let before = run.answered();
        let left = disk.after_power_cut(survival);
        {
            let manager = run.open(&left)?;
            if manager.playback_location(&id()).is_ok() {
                drop(manager);
                prop_assert_eq!(&run.presentation(&left)?, &undisturbed, "half is not a presentation");
            }
        }
        show.forget_requests();
        run.go(&left)?;
        prop_assert_eq!(&run.presentation(&left)?, &undisturbed);
        // Each connection may have had one answer that was not recorded yet, and one more by when it noticed.
        let twice = run.answered().intersection(&before).count();
        let in_flight = 2 * usize::from(connections);
        prop_assert!(survival != Survival::Everything || twice <= in_flight, "{} again of {:?}", twice, before);
    }
}
