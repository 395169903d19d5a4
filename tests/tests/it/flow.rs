//! The seed's first diagram, line by line: an entry is downloaded, registered and played with no network.

use std::sync::Arc;

use dtg_core::{BitRate, ContentManager, Event, ItemState, NewItem};
use local_assets::{LocalAssetsManager, sidecars_of};
use media_entry::{Mechanism, Platform};
use playback_server::PlaybackServer;
use tests::Shelf;

use crate::support::{entry_of, fixtures, folder, id};

#[test]
fn an_entry_is_downloaded_registered_and_played_with_no_network() {
    let origin = fixtures();
    let entry = entry_of("ts", &origin);
    let root = folder();
    let assets = LocalAssetsManager::new(Platform::ios(11, 0));
    let content = ContentManager::open(root.path()).unwrap();
    let events = content.subscribe();

    let choice = assets.preferred_downloadable_media_source(&entry).unwrap();
    assert_eq!((choice.source.id.as_str(), choice.mechanism), ("ts-hls", Mechanism::DownloadToGo));
    let (id, url) = (id(&entry.id), choice.source.url.clone());
    content.add_item_with(NewItem { id: id.clone(), url, sidecars: sidecars_of(&entry) }).unwrap();
    content.load_item_metadata(&id, BitRate(300_000)).unwrap();
    content.start_item(&id).unwrap();
    while let Some(event) = events.recv() {
        if matches!(&event, Event::State { state: ItemState::Completed, .. }) {
            break;
        }
        assert!(!matches!(&event, Event::State { error: Some(_), .. }), "{event:?}");
    }
    let location = content.playback_location(&id).unwrap();
    origin.stop();

    assets.register_downloaded_asset(&location, choice.source).unwrap();
    let local = assets.create_local_media_entry(&entry, &location);
    assert_eq!(local.sources.len(), 1);
    assert_eq!((&local.name, &local.metadata), (&entry.name, &entry.metadata));

    let server = PlaybackServer::start(Arc::new(Shelf(Arc::new(content)))).unwrap();
    let url = server.url_for(location.id.as_str(), location.master.as_str());
    let master = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(master.contains("AUDIO=\"aac\"") && master.contains("video/0.m3u8"), "{master}");
    assert!(!master.contains("http") && !master.contains("I-FRAME"), "nothing leads online: {master}");
}
