//! One function a command; each writes its one result and says how it went.

mod download;
mod inspect;
mod items;
mod keep;
mod plan;
mod play;
mod source;
mod store;
mod verify;

use crate::args::Command;
use crate::output::{Failure, Out};

/// How a command ended whose result is written.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It did what was asked.
    Done,
    /// Ctrl-C stopped it.
    Stopped,
    /// The result itself tells of a failure.
    Failed(Failure),
}

/// Does what was asked.
///
/// An error means that no result was written.
pub(crate) fn run(command: Command, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    match command {
        Command::Download(download) => download::download(&download, out),
        Command::Resume(resume) => download::resume(&resume, out),
        Command::List(store) => items::list(&store, out),
        Command::Info(store, id) => items::info(&store, &id, out),
        Command::Remove(store, id) => items::remove(&store, &id, out),
        Command::Keep(store, id, wanted) => keep::keep(&store, &id, &wanted, out),
        Command::Verify(store, id) => verify::verify(&store, id.as_ref(), out),
        Command::Repair(repair) => verify::repair(&repair, out),
        Command::Storage(store) => keep::storage(&store, out),
        Command::Quota(store, limit) => keep::quota(&store, limit, out),
        Command::Serve(store, port) => play::serve(&store, port, out),
        Command::Inspect(inspect) => inspect::inspect(&inspect, out),
        Command::Plan(plan) => plan::plan(&plan, out),
    }
}
