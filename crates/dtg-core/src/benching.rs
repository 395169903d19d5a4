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

/// How long one thread is at work on the progress of an item whose fetches all come in pieces of `chunk` bytes:
/// counting, telling, and writing the journal. Nothing is fetched.
///
/// # Errors
/// What keeps the item from being started.
pub fn progress_cost(manager: &ContentManager, id: &ItemId, chunk: u64) -> Result<Duration, Error> {
    manager.desk().progress_cost(id, chunk)
}
