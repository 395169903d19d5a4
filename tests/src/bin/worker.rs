//! A downloading process for tests that kill it: `worker ROOT ID URL [CONNECTIONS [RESERVE]]`.
//!
//! Adds the item if it is new, loads its metadata if need be, starts it, and prints the state it comes
//! to rest in, and why.

use std::env;
use std::num::NonZeroU16;

use anyhow::{Context, Result};
use dtg_core::{BitRate, ContentManager, ItemId, ItemState, Requirements};

#[expect(clippy::print_stdout, reason = "the test that started it reads its output")]
fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let word = |n: usize| words.get(n).map(String::as_str);
    let (root, id, url) = (word(0).context("ROOT")?, word(1).context("ID")?, word(2).context("URL")?);
    let connections: NonZeroU16 = word(3).unwrap_or("2").parse()?;
    let reserve_bytes: u64 = word(4).unwrap_or("0").parse()?;
    let id = ItemId::new(id)?;
    let manager = ContentManager::builder(root)
        .connections(connections)
        .requirements(Requirements { reserve_bytes })
        .open()?;
    let item = manager.item(&id).or_else(|_| manager.add_item(&id, url))?;
    if item.state == ItemState::New {
        manager.load_item_metadata(&id, BitRate(300_000))?;
    }
    manager.start_item(&id)?;
    let item = manager.wait(&id)?;
    let failure = item.failure.map_or_else(|| "-".to_owned(), |failure| failure.code);
    println!("{} {failure} {}/{}", item.state, item.fetches_done, item.fetches);
    Ok(())
}
