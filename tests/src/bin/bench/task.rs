//! An asset download task, in a process of its own, beside `dtg download`, which uses a manager.

use anyhow::{Result, ensure};
use camino::Utf8Path;
use dtg_core::{AssetDownloadTask, ItemId, RemoteAsset};

use crate::measure::{Measured, median};

/// The first word of its command line.
pub(crate) const WORD: &str = "task";

/// The words behind [`WORD`]: connections, the URL, the destination.
pub(crate) fn asked(given: &[String]) -> Option<[&str; 3]> {
    match given {
        [word, connections, url, destination] if word == WORD => Some([connections, url, destination]),
        _ => None,
    }
}

pub(crate) fn run([connections, url, destination]: [&str; 3]) -> Result<()> {
    let connections = connections.parse()?;
    let task = AssetDownloadTask::builder(RemoteAsset::new(ItemId::new("bench")?, url), destination);
    let location = task.transfers(|it| it.connections(connections)).build()?.run()?;
    ensure!(Utf8Path::new(destination).exists(), "{location:?}");
    Ok(())
}

/// What a task takes beside a manager.
pub(crate) fn compared(task: &[Measured], manager: &[Measured]) -> String {
    let of = |runs: &[Measured], figure: fn(&Measured) -> f64| median(runs.iter().map(figure).collect());
    let (wall, theirs) = (of(task, Measured::wall_seconds), of(manager, Measured::wall_seconds));
    let (cpu, their_cpu) = (of(task, Measured::cpu_seconds), of(manager, Measured::cpu_seconds));
    format!(
        "{wall:.2} s beside {theirs:.2} s: **{:.2}**, CPU {cpu:.2} s beside {their_cpu:.2} s: **{:.2}**",
        wall / theirs,
        cpu / their_cpu
    )
}
