//! What the benches reach of the inside; no part of the API.

use std::time::Duration;

use crate::error::Error;
use crate::io::codec;
use crate::io::folder::ItemRecord;
use crate::item::ItemId;
use crate::manager::ContentManager;
use crate::options::SelectionOptions;
use crate::storage::Keep;

/// The record of an item's folder: the rest of the folder may be that of another item.
#[must_use]
pub fn item_record(id: &ItemId, url: &str, order: u64, generation: u64) -> Vec<u8> {
    codec::encode(&ItemRecord {
        id: id.clone(),
        url: url.to_owned(),
        order,
        sidecars: Vec::new(),
        options: (generation > 0).then(SelectionOptions::default),
        available_tracks: Vec::new(),
        selected_tracks: Vec::new(),
        generation: Some(generation),
        requirements: None,
        keep: Keep::default(),
    })
}

/// How far one thread's work on the progress of an item takes its `clock`: counting, telling, and writing the journal.
/// All its fetches come in pieces of `chunk` bytes; nothing is fetched.
///
/// # Errors
/// What keeps the item from being started.
pub fn progress_cost(
    manager: &ContentManager,
    id: &ItemId,
    chunk: u64,
    clock: impl Fn() -> Duration,
) -> Result<Duration, Error> {
    manager.desk().progress_cost(id, chunk, clock)
}
