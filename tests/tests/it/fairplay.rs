//! A FairPlay asset is downloaded and registered; then, with no network, the stored keys decrypt it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use camino::Utf8Path;
use dtg_core::{BitRate, ContentManager, ItemLocation, ItemState};
use dtg_testkit::fairplay::{TestCdm, TestClock};
use fairplay_keys::{Answer, ContentKeySystem, Intent, KeyErrorKind, KeyUri};
use local_assets::{DataStore, FairPlaySetup, LocalAssetsManager};
use media_entry::Platform;
use playback_server::PlaybackServer;
use tests::{ClearMedia, Decrypted, Protected, Shelf, decrypt};
use url::Url;

use crate::support::{folder, id};

const NOW: i64 = 1_800_000_000;

/// A device, and the application on it.
struct Device {
    cdm: TestCdm,
    assets: LocalAssetsManager,
}

/// The application starts on the device of this seed.
fn device(seed: u64, clock: &TestClock, keys: &Utf8Path) -> Device {
    let cdm = TestCdm::new(seed, Arc::new(clock.clone()));
    let setup = FairPlaySetup::kaltura(Arc::new(cdm.clone()), DataStore::Folder(keys.to_owned()), "app");
    let setup = FairPlaySetup { clock: Arc::new(clock.clone()), ..setup.unwrap() };
    let assets = LocalAssetsManager::new(Platform::desktop()).with_fair_play(setup).unwrap();
    Device { cdm, assets }
}

/// Downloads the presentation and registers it; what comes back has no network.
fn registered(root: &Utf8Path, device: &Device) -> (Arc<ContentManager>, ItemLocation, ClearMedia) {
    let protected = Protected::start(1).unwrap();
    let entry = protected.entry();
    let choice = device.assets.preferred_downloadable_media_source(&entry).unwrap();
    let content = ContentManager::open(root.join("media")).unwrap();
    let id = id(&entry.id);
    content.add_item(&id, &choice.source.url).unwrap();
    content.load_item_metadata(&id, BitRate(300_000)).unwrap();
    content.start_item(&id).unwrap();
    assert_eq!(content.wait(&id).unwrap().state, ItemState::Completed);
    let location = content.playback_location(&id).unwrap();
    let registration = device.assets.register_downloaded_asset(&location, choice.source).unwrap();
    assert_eq!((registration.keys.len(), registration.warnings), (2, vec![]));
    assert_eq!(protected.keys.granted(), 2);
    (Arc::new(content), location, protected.stop().unwrap())
}

/// Plays it whole from a playback server, each key as the device gives it.
fn play(
    content: &Arc<ContentManager>,
    location: &ItemLocation,
    clear: &ClearMedia,
    device: &Device,
) -> Result<Decrypted> {
    let server = PlaybackServer::start(Arc::new(Shelf(Arc::clone(content)))).unwrap();
    let url = server.url_for(location.id.as_str(), location.master.as_str());
    decrypt(&Url::parse(&url).unwrap(), clear, &mut |key_uri: &KeyUri| {
        let request = device.cdm.open(key_uri, Intent::Play)?;
        assert_eq!(device.assets.keys().unwrap().answer(request)?, Answer::Stored);
        Ok(device.cdm.content_key(key_uri)?)
    })
}

#[test]
fn with_no_network_the_stored_keys_decrypt_every_segment_to_the_clear_bytes() {
    let (root, clock) = (folder(), TestClock::at(NOW));
    let keys = root.path().join("keys");
    let first = device(7, &clock, &keys);
    let (content, location, clear) = registered(root.path(), &first);
    drop(first);
    // The application starts again, on the same device.
    let again = device(7, &clock, &keys);
    let played = play(&content, &location, &clear, &again).unwrap();
    assert_eq!((played.keys.len(), played.encrypted, played.clear), (2, 11, 1));
    assert!(again.cdm.requests().iter().all(|request| request.answers.len() == 1));
    assert_eq!(again.assets.license_expiration_info(&location.id).unwrap().unwrap().keys.len(), 2);
}

#[test]
fn playback_begins_a_window_of_its_own_and_ends_with_it() {
    let (root, clock) = (folder(), TestClock::at(NOW));
    let device = device(7, &clock, &root.path().join("keys"));
    let (content, location, clear) = registered(root.path(), &device);
    clock.advance(Duration::from_secs(29 * 86_400));
    // The platform has replaced the keys meanwhile: the new ones are those that are stored.
    for _ in 0..2 {
        assert_eq!(play(&content, &location, &clear, &device).unwrap().encrypted, 11);
        clock.advance(Duration::from_secs(40_000));
    }
    clock.advance(Duration::from_secs(40_000));
    let error = play(&content, &location, &clear, &device).unwrap_err();
    let error = error.chain().find_map(|cause| cause.downcast_ref::<fairplay_keys::KeyError>()).unwrap();
    assert!(matches!(error.kind(), KeyErrorKind::Expired { .. }), "{error}");
}

#[test]
fn on_another_device_the_same_files_do_not_play() {
    let (root, clock) = (folder(), TestClock::at(NOW));
    let keys = root.path().join("keys");
    let first = device(7, &clock, &keys);
    let (content, location, clear) = registered(root.path(), &first);
    drop(first);
    let other = device(8, &clock, &keys);
    let error = play(&content, &location, &clear, &other).unwrap_err();
    assert!(format!("{error:#}").ends_with("the stored key is not valid"), "{error:#}");
}
