//! The seed's first diagram, line by line: an entry is downloaded by DownloadToGo, registered, and played with no network.

use std::sync::Arc;

use dtg_core::{BitRate, ContentManager, Event, ItemState};
use local_assets::LocalAssetsManager;
use media_entry::{Mechanism, Platform};
use playback_server::PlaybackServer;
use tests::Shelf;

use crate::support::{entry_of, fixtures, folder, id};

#[test]
fn an_entry_is_downloaded_registered_and_played_with_no_network() {
    let (origin, root) = (fixtures(), folder());
    let entry = entry_of("ts", &origin);
    let assets = LocalAssetsManager::new(Platform::ios(11, 0));
    let content = ContentManager::open(root.path()).unwrap();
    let events = content.subscribe();
    let id = id(&entry.id);

    // App->LAM: mediaSource = getPreferredDownloadableMediaSource(for: entry)
    let choice = assets.preferred_downloadable_media_source(&entry).unwrap();
    assert_eq!((choice.source.id.as_str(), choice.mechanism), ("ts-hls", Mechanism::DownloadToGo));
    let media_source = choice.source;

    // App->CM: addItem(id: entry.id, url: mediaSource.contentUrl)
    content.add_item(&id, &media_source.url).unwrap();
    // App->CM: loadItemMetadata(id: entry.id, preferredVideoBitrate: 300000)
    content.load_item_metadata(&id, BitRate(300_000)).unwrap();
    // App->CM: startItem(id: entry.id)
    content.start_item(&id).unwrap();

    // ... Downloading ...
    // CM-->App: finished
    while let Some(event) = events.recv() {
        assert!(!matches!(&event, Event::State { error: Some(_), .. }), "{event:?}");
        if matches!(&event, Event::State { state: ItemState::Completed, .. }) {
            break;
        }
    }
    origin.stop();
    // App->CM: playbackUrl = itemPlaybackUrl(id: entry.id)
    let location = content.playback_location(&id).unwrap();
    // App->LAM: registerDownloadedAsset(location:playbackUrl, mediaSource: mediaSource)
    // LAM-->App: done
    assets.register_downloaded_asset(&location, media_source).unwrap();

    // Playback: createLocalMediaEntry(for:localURL:)
    let local = assets.create_local_media_entry(&entry, &location);
    assert_eq!(local.sources.len(), 1);
    assert_eq!((&local.name, &local.metadata), (&entry.name, &entry.metadata));

    let server = PlaybackServer::start(Arc::new(Shelf(Arc::new(content)))).unwrap();
    let url = server.url_for(location.id.as_str(), location.master.as_str());
    let master = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(master.contains("AUDIO=\"aac\"") && master.contains("video/0.m3u8"), "{master}");
    assert!(!master.contains("http") && !master.contains("I-FRAME"), "nothing leads online: {master}");
}
