//! A downloading process for tests that kill it: `worker ROOT ID URL [CONNECTIONS [RESERVE]]`, or
//! `worker task DESTINATION ID URL CONNECTIONS`.
//!
//! The first adds the item if it is new, loads its metadata if need be, starts it, and prints the state it comes
//! to rest in, and why. The second runs an asset download task, all languages and at least 300 kb/s.

use std::env;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use dtg_core::{
    AssetDownloadTask, BitRate, Cancellation, ContentManager, ItemId, ItemState, KeyRequest, Languages,
    RemoteAsset, Requirements, SelectionOptions,
};

#[expect(clippy::print_stdout, reason = "the test that started it reads its output")]
fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [word, destination, id, url, connections] = words.as_slice()
        && let "task" | "augment" | "keys" = word.as_str()
    {
        return task(word, destination, RemoteAsset::new(ItemId::new(id)?, url), connections.parse()?);
    }
    let word = |n: usize| words.get(n).map(String::as_str);
    let (root, id, url) = (word(0).context("ROOT")?, word(1).context("ID")?, word(2).context("URL")?);
    let connections: NonZeroU16 = word(3).unwrap_or("2").parse()?;
    let reserve_bytes: u64 = word(4).unwrap_or("0").parse()?;
    let id = ItemId::new(id)?;
    let manager = ContentManager::builder(root)
        .connections(connections)
        .requirements(Requirements { reserve_bytes, ..Requirements::default() })
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

/// As the word says: an asset, what was not taken of one, or an asset of which all keys but the first never come.
#[expect(clippy::print_stdout, reason = "the test that started it reads its output")]
fn task(word: &str, destination: &str, asset: RemoteAsset, connections: NonZeroU16) -> Result<()> {
    let content = SelectionOptions {
        audio: Languages::All,
        text: Languages::All,
        ..SelectionOptions::at_least(BitRate(300_000))
    };
    let (is_stuck, asked) = (word == "keys", AtomicU32::new(0));
    let loader = move |_: &KeyRequest, cancellation: &Cancellation| {
        if is_stuck && asked.fetch_add(1, Ordering::SeqCst) > 0 {
            println!("a key");
            while cancellation.pause(Duration::from_secs(3600)) {}
        }
        Ok(())
    };
    let requirements = Requirements { reserve_bytes: 0, ..Requirements::default() };
    let task = AssetDownloadTask::builder(asset.with_key_loader(loader), destination)
        .primary(content.clone())
        .transfers(|it| it.connections(connections).requirements(requirements))
        .build()?;
    if word == "augment" {
        task.augment(&[content.into()])?
    } else {
        task.run()?
    };
    Ok(())
}
