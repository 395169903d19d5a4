//! The HLS catalog: a FairPlay film is downloaded by an asset download task to a place of the application's choosing,
//! its keys are obtained meanwhile, it is suspended and resumed, and it plays with origin and key server gone.
//!
//! `cargo run --package local-assets --example hls_catalog` needs no network: the film is the committed media, encrypted
//! here and served on loopback; what decrypts is the test kit's content key system.

#![expect(clippy::print_stdout, reason = "a sample says what it does")]

mod catalog; // origin and key server

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::thread;

use camino_tempfile::Utf8TempDir;
use dtg_core::{AssetDownloadTask, DownloadedAsset, Event, Events, ItemLocation, ItemState};
use dtg_testkit::fairplay::{TestCdm, cbcs};
use fairplay_keys::{Answer, ContentKeySystem as _, Engine, Intent, KeyUri};
use hls_parse::{MediaPlaylist, ParseOptions, Playlist, parse};
use local_assets::{DataStore, FairPlaySetup, LocalAssetsManager, SystemClock};
use media_entry::Platform;

use catalog::{Catalog, Clear};

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::start()?;
    let root = Utf8TempDir::new()?;
    let device = TestCdm::new(7, Arc::new(SystemClock::new()));
    let keys = DataStore::Folder(root.path().join("keys"));
    let setup = FairPlaySetup::kaltura(Arc::new(device.clone()), keys, "hls-catalog")?;
    // Here only an asset download task can keep FairPlay keys.
    let assets = LocalAssetsManager::new(Platform::ios(10, 2)).with_fair_play(setup)?;

    let entry = catalog.entry();
    let choice = assets.preferred_downloadable_media_source(&entry)?;
    println!("`{}`: {}; by an {}", entry.id, choice.reason, choice.mechanism);
    let (asset, source) = assets.prepare_entry_for_download(&entry)?;
    let destination = root.path().join("films/counter");
    let task = AssetDownloadTask::builder(asset, &destination).title("Counter").build()?;
    let location = download(&task)?;
    let registration = assets.register_downloaded_asset(&location, source)?;
    println!("registered: {:?}", registration.protection);
    let clear = catalog.stop();
    println!("origin and key server are gone");

    let saved = DownloadedAsset::open(&destination)?.ok_or("it was saved")?;
    let local = assets.create_local_media_entry(&entry, &saved.location);
    let url = local.sources.first().map(|it| it.url.as_str()).unwrap_or_default();
    let seconds = saved.duration.unwrap_or_default().as_secs_f32();
    println!("`{}` plays from {url} in {destination}, for {seconds} s", saved.title);
    let engine = assets.keys().ok_or("it was set up for FairPlay")?;
    let segments = play(&saved.location, &device, engine, &clear)?;
    println!("{segments} segments were decrypted by stored keys, and are the clear ones");
    Ok(())
}

/// Runs the task on a thread of its own; suspends it at the first bytes, lets it go on, and tells how far it is.
fn download(task: &AssetDownloadTask) -> Result<ItemLocation, Box<dyn Error>> {
    let events = task.subscribe();
    thread::scope(|scope| {
        let running = scope.spawn(|| task.run());
        wait_for_bytes(&events);
        task.suspend();
        println!("suspended: {} bytes", task.progress().downloaded_bytes);
        task.resume();
        let location = running.join().map_err(|_| "the task panicked")??;
        let progress = task.progress();
        for range in &progress.loaded {
            println!("loaded: {} s to {} s", range.start.as_secs_f32(), range.end.as_secs_f32());
        }
        println!(
            "{} bytes, {} of {} keys, at {}",
            progress.downloaded_bytes, progress.keys, progress.keys_needed, location.root
        );
        Ok(location)
    })
}

/// Waits until something was downloaded, or the task has ended without.
fn wait_for_bytes(events: &Events) {
    let is_awaited = |event: &Event| match event {
        Event::Progress(progress) => progress.downloaded_bytes > 0,
        Event::State { state, .. } => !matches!(state, ItemState::InProgress | ItemState::Paused),
        Event::Removed { .. } | _ => false,
    };
    while events.recv().is_some_and(|event| !is_awaited(&event)) {}
}

/// Decrypts every segment by the stored keys, as a player would; how many there are.
fn play(
    location: &ItemLocation,
    device: &TestCdm,
    engine: &Engine,
    clear: &Clear,
) -> Result<usize, Box<dyn Error>> {
    let text = fs::read(location.master_path())?;
    let Playlist::Multivariant(master) = parse(&text, &ParseOptions::default())?.playlist else {
        return Err("a multivariant playlist".into());
    };
    let renditions = master.renditions.iter().filter_map(|it| it.uri.as_ref());
    let playlists = master.variants.iter().map(|it| &it.uri).chain(renditions);
    let mut count = 0;
    for (uri, clear) in playlists.zip(clear) {
        let file = location.folder_path().join(uri.as_str());
        let text = fs::read(&file)?;
        let Playlist::Media(media) = parse(&text, &ParseOptions::default())?.playlist else { continue };
        let init = fs::read(file.with_file_name("").join(map_of(&media)?))?;
        for (segment, clear) in media.segments.iter().zip(clear) {
            let key = media.keys_of(segment).iter().find_map(|key| key.uri.as_ref()).ok_or("a key")?;
            let key_uri = KeyUri::new(key.as_str())?;
            let answer = engine.answer(device.open(&key_uri, Intent::Play)?)?;
            assert_eq!(answer, Answer::Stored, "nobody is there to be asked");
            let encrypted = fs::read(file.with_file_name("").join(segment.uri.as_str()))?;
            let decrypted = cbcs::decrypt_segment(&init, &encrypted, device.content_key(&key_uri)?.key)?;
            assert!(
                decrypted == *clear && encrypted != *clear,
                "segment {} is the clear one",
                segment.media_sequence
            );
            count += 1;
        }
    }
    Ok(count)
}

fn map_of<'a>(media: &'a MediaPlaylist<'_>) -> Result<&'a str, Box<dyn Error>> {
    Ok(media.maps.first().ok_or("an initialization section")?.uri.as_str())
}
