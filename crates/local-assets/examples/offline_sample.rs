//! The offline sample: a list of entries is downloaded by DownloadToGo, one of them is paused and goes on, all are
//! registered, and what plays with the origin gone is counted.
//!
//! `cargo run --package local-assets --example offline_sample` needs no network: the committed media are served on loopback.

#![expect(clippy::print_stdout, reason = "a sample says what it does")]

use std::error::Error;
use std::fs;

use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, ContentManager, Event, ItemId, ItemLocation, ItemState, NewItem};
use dtg_testkit::{Fault, Files, Origin};
use hls_parse::{ParseOptions, Playlist, parse};
use local_assets::{LocalAssetsManager, sidecars_of};
use media_entry::{MediaEntry, Platform};

/// The list of entries: PlayKit JSON, as a backend would send it.
const ENTRIES: [&str; 3] = [
    include_str!("../../../fixtures/media/ts/entry.json"),
    include_str!("../../../fixtures/media/fmp4/entry.json"),
    include_str!("../../../fixtures/media/aes/entry.json"),
];
const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/media");

fn main() -> Result<(), Box<dyn Error>> {
    let origin = Origin::start(Files::new(MEDIA)?)?;
    origin.fault("rate=400000".parse::<Fault>()?); // slow enough for a pause
    let address = origin.url("");
    let address = address.trim_end_matches('/');
    let entries = ENTRIES.map(|text| MediaEntry::from_json(&text.replace("{origin}", address)));
    let entries: Vec<MediaEntry> = entries.into_iter().collect::<Result<_, _>>()?;

    let root = Utf8TempDir::new()?;
    let content = ContentManager::open(root.path())?;
    let assets = LocalAssetsManager::new(Platform::desktop());
    for entry in &entries {
        add(&assets, &content, entry)?;
    }
    download(&content, &entries)?;
    origin.stop();
    println!("the origin is gone");

    for entry in &entries {
        let location = content.playback_location(&ItemId::new(&*entry.id)?)?;
        let source = assets.preferred_downloadable_media_source(entry)?.source;
        let registration = assets.register_downloaded_asset(&location, source)?;
        let local = assets.create_local_media_entry(entry, &location);
        let url = local.sources.first().map(|it| it.url.as_str()).unwrap_or_default();
        let (segments, bytes) = play(&location)?;
        println!(
            "`{}` is registered ({:?}), plays from {url}: {segments} segments, {bytes} bytes",
            entry.id, registration.protection
        );
    }
    for entry in &entries {
        content.remove_item(&ItemId::new(&*entry.id)?)?;
    }
    println!("all removed: {} items are left", content.items()?.len());
    Ok(())
}

/// Picks the source, adds the item, and loads its metadata.
fn add(
    assets: &LocalAssetsManager,
    content: &ContentManager,
    entry: &MediaEntry,
) -> Result<(), Box<dyn Error>> {
    let choice = assets.preferred_downloadable_media_source(entry)?;
    println!("`{}` by source `{}`: {}", entry.id, choice.source.id, choice.reason);
    let id = ItemId::new(&*entry.id)?;
    content.add_item_with(NewItem {
        id: id.clone(),
        url: choice.source.url.clone(),
        sidecars: sidecars_of(entry),
    })?;
    let item = content.load_item_metadata(&id, BitRate(300_000))?;
    println!("  about {} bytes in {} requests", item.estimated_bytes.unwrap_or(0), item.fetches);
    Ok(())
}

/// Starts all; pauses the first one when it has begun, and lets it go on when the others are complete.
fn download(content: &ContentManager, entries: &[MediaEntry]) -> Result<(), Box<dyn Error>> {
    let events = content.subscribe();
    let ids = entries.iter().map(|entry| ItemId::new(&*entry.id)).collect::<Result<Vec<_>, _>>()?;
    let (first, others) = ids.split_first().ok_or("the list is not empty")?;
    content.start_item(first)?;
    while !events
        .recv()
        .is_some_and(|event| matches!(event, Event::Progress(progress) if progress.downloaded_bytes > 0))
    {
    }
    content.pause_item(first)?;
    println!(
        "`{first}` is {} at {:.0} %",
        content.item(first)?.state,
        content.item(first)?.completed_fraction * 100.0
    );
    for id in others {
        content.start_item(id)?;
    }
    for id in others.iter().chain([first]) {
        if id == first {
            content.start_item(first)?;
        }
        let item = content.wait(id)?;
        println!("`{id}` is {}: {} bytes", item.state, item.downloaded_bytes);
        if item.state != ItemState::Completed {
            return Err(format!("{:?}", item.failure).into());
        }
    }
    Ok(())
}

/// Reads all that a player would: every segment of every playlist that the local one leads to.
fn play(location: &ItemLocation) -> Result<(usize, u64), Box<dyn Error>> {
    let text = fs::read(location.master_path())?;
    let Playlist::Multivariant(master) = parse(&text, &ParseOptions::default())?.playlist else {
        return Err("a multivariant playlist".into());
    };
    let renditions = master.renditions.iter().filter_map(|it| it.uri.as_ref());
    let (mut segments, mut bytes) = (0, 0);
    for uri in master.variants.iter().map(|it| &it.uri).chain(renditions) {
        let file = location.folder_path().join(uri.as_str());
        let text = fs::read(&file)?;
        let Playlist::Media(media) = parse(&text, &ParseOptions::default())?.playlist else { continue };
        for segment in &media.segments {
            let length = fs::metadata(file.with_file_name("").join(segment.uri.as_str()))?.len();
            bytes += segment.byte_range.map_or(length, |range| range.length);
            segments += 1;
        }
    }
    Ok((segments, bytes))
}
