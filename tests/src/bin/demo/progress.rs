//! How far the items are: bars on a terminal, a line a change elsewhere.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

use anyhow::{Context, Result, anyhow};
use dtg_core::{Event, Events, ItemId, ItemState, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows what happens until every item is completed; fails with the first that comes to rest otherwise.
pub(crate) fn follow(events: &Events, mut waiting: Vec<ItemId>) -> Result<()> {
    let bars = bars(&waiting);
    while !waiting.is_empty() {
        match events.recv().context("the manager was closed")? {
            Event::Progress(progress) => show(&bars, &progress),
            Event::State { id, state: ItemState::Completed, .. } => {
                say(&bars, &id, ItemState::Completed);
                waiting.retain(|other| *other != id);
            }
            Event::State { id, error: Some(error), state } => {
                return Err(anyhow!(error).context(format!("{id} is {state}")));
            }
            Event::State { id, state, .. } => say(&bars, &id, state),
            Event::Removed { .. } | _ => {}
        }
    }
    Ok(())
}

fn bars(ids: &[ItemId]) -> BTreeMap<ItemId, ProgressBar> {
    if !io::stderr().is_terminal() {
        return BTreeMap::new();
    }
    let all = MultiProgress::new();
    let style =
        ProgressStyle::with_template("{prefix:20} {wide_bar} {bytes:>10} of about {total_bytes:10} {msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar =
        |id: &ItemId| all.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(id.to_string()));
    ids.iter().map(|id| (id.clone(), bar(id))).collect()
}

fn show(bars: &BTreeMap<ItemId, ProgressBar>, progress: &Progress) {
    if let Some(bar) = bars.get(&progress.id) {
        bar.set_length(progress.estimated_bytes.max(progress.downloaded_bytes));
        bar.set_position(progress.downloaded_bytes);
    }
}

fn say(bars: &BTreeMap<ItemId, ProgressBar>, id: &ItemId, state: ItemState) {
    match bars.get(id) {
        None => println!("{id}: {state}"),
        Some(bar) if state == ItemState::Completed => bar.finish_with_message("completed"),
        Some(bar) => bar.set_message(state.to_string()),
    }
}
