//! FairPlay: downloaded and registered beside a key server; then decrypted by the stored keys, with no network.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use dtg_core::{BitRate, ContentManager, ItemId, ItemLocation};
use dtg_testkit::fairplay::TestCdm;
use fairplay_keys::{Answer, ContentKeySystem, Intent};
use local_assets::{DataStore, FairPlaySetup, LocalAssetsManager, SystemClock};
use media_entry::{MediaEntry, Platform};
use playback_server::PlaybackServer;
use tests::{ClearMedia, Protected, decrypt};
use url::Url;

/// Everything random comes from here; the same seed is the same device.
const SEED: u64 = 7;

/// The asset, registered; neither origin nor key server are there any more.
pub(crate) struct Registered {
    entry: MediaEntry,
    location: ItemLocation,
    clear: ClearMedia,
}

/// Downloads the preset `fairplay`, registers it, and stops its origin and its key server.
pub(crate) fn registered(content: &ContentManager, keys: &Utf8Path) -> Result<Registered> {
    let protected = Protected::start(SEED)?;
    let entry = protected.entry();
    let (_, assets) = device(keys)?;
    let choice = assets.preferred_downloadable_media_source(&entry)?;
    let id = ItemId::new(&entry.id)?;
    content.add_item(&id, &choice.source.url)?;
    content.load_item_metadata(&id, BitRate(300_000))?;
    content.start_item(&id)?;
    content.wait(&id)?;
    let location = content.playback_location(&id)?;
    let registration = assets.register_downloaded_asset(&location, choice.source)?;
    println!("{id}: registered, {} keys stored; stopping origin and key server", registration.keys.len());
    let clear = protected.stop()?;
    Ok(Registered { entry, location, clear })
}

impl Registered {
    /// Plays it from its local entry on an application that has been started again, and says what came of it.
    pub(crate) fn play(&self, server: &PlaybackServer, keys: &Utf8Path) -> Result<String> {
        let (system, assets) = device(keys)?;
        let engine = assets.keys().context("the manager is set up for FairPlay")?;
        let id = &self.location.id;
        let address = |file: &Utf8Path| server.url_for(id.as_str(), file.as_str());
        let local = assets.create_local_media_entry_at(&self.entry, &self.location, address);
        let [source] = local.sources.as_slice() else { anyhow::bail!("the local entry has one source") };
        let played = decrypt(&Url::parse(&source.url)?, &self.clear, &mut |key_uri| {
            let answer = engine.answer(system.open(key_uri, Intent::Play)?)?;
            ensure!(answer == Answer::Stored, "{key_uri} was answered otherwise: {answer:?}");
            Ok(system.content_key(key_uri)?)
        })?;
        Ok(format!(
            "{id}: {} stored keys decrypt {} segments, beside {} clear: {} bytes, equal to the clear media",
            played.keys.len(),
            played.encrypted,
            played.clear,
            played.bytes
        ))
    }
}

/// The device, in software, and an application that has just been started on it.
fn device(keys: &Utf8Path) -> Result<(TestCdm, LocalAssetsManager)> {
    let system = TestCdm::new(SEED, Arc::new(SystemClock::new()));
    let setup = FairPlaySetup::kaltura(Arc::new(system.clone()), DataStore::Folder(keys.to_owned()), "demo")?;
    Ok((system, LocalAssetsManager::new(Platform::desktop()).with_fair_play(setup)?))
}
