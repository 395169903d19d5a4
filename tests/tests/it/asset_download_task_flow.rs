//! The seed's second diagram, line by line: the application owns the task, and FairPlay keys come during the download.

use std::sync::Arc;

use dtg_core::{AssetDownloadTask, RemoteAsset};
use dtg_testkit::fairplay::{ContentKey, KeyServer, Protocol, TestCdm};
use fairplay_keys::{Answer, ContentKeySystem as _, Intent, KeyUri};
use local_assets::{DataStore, FairPlaySetup, LocalAssetsManager, SystemClock};
use media_entry::{DrmParams, Mechanism, MediaEntry, MediaSource, Platform};

use crate::support::{folder, id, origin_of};

const KEY: &str = "METHOD=SAMPLE-AES,URI=\"skd://movie-1\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"";

#[test]
fn a_fair_play_asset_is_downloaded_with_its_keys_by_the_applications_own_task() {
    let media =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:{KEY}\n#EXTINF:4,\n0.ts\n#EXT-X-ENDLIST\n");
    let master = format!("#EXTM3U\n#EXT-X-SESSION-KEY:{KEY}\n#EXT-X-STREAM-INF:BANDWIDTH=400000\nv.m3u8\n");
    let origin = origin_of(&[("/master.m3u8", &master), ("/v.m3u8", &media), ("/0.ts", "Gsegment")]);
    let key_server = KeyServer::start(1).unwrap();
    key_server.add_content("movie-1", ContentKey::derived(b"movie-1"));
    let drm = DrmParams::fair_play(key_server.license_url(&Protocol::KALTURA), key_server.certificate());
    let source = MediaSource { drm: vec![drm], ..MediaSource::new("hls", origin.url("/master.m3u8")) };
    let entry = MediaEntry { sources: vec![source], ..MediaEntry::new("1_abc") };

    let root = folder();
    let device = TestCdm::new(7, Arc::new(SystemClock::new()));
    let keys = DataStore::Folder(root.path().join("keys"));
    let setup = FairPlaySetup::kaltura(Arc::new(device.clone()), keys, "tests").unwrap();
    let assets = LocalAssetsManager::new(Platform::ios(10, 2)).with_fair_play(setup).unwrap();

    // App->LAM: mediaSource = getPreferredDownloadableMediaSource(for: entry)
    let choice = assets.preferred_downloadable_media_source(&entry).unwrap();
    assert_eq!(choice.mechanism, Mechanism::AssetDownloadTask);
    let media_source = choice.source;
    // App->AVURLAsset: avAsset = init(mediaSource.contentUrl)
    let asset = RemoteAsset::new(id(&entry.id), media_source.url.as_str());
    // App->LAM: prepareForDownload(asset: avAsset, mediaSource: mediaSource)
    let asset = assets.prepare_for_download(asset, media_source).unwrap();
    assert!(asset.has_key_loader());

    // note over App: Create and start an AVAssetDownloadTask
    let task = AssetDownloadTask::builder(asset, root.path().join("films/movie")).build().unwrap();
    let location = task.run().unwrap();
    let progress = task.progress();
    assert_eq!((progress.keys, progress.keys_needed), (1, 1));
    origin.stop();
    key_server.origin().stop();

    // Playback: the download location as it was saved, and createLocalMediaEntry(for:localURL:)
    let local = assets.create_local_media_entry(&entry, &location);
    assert_eq!(local.sources.len(), 1);
    assert!(location.root.join(&local.sources.first().unwrap().url).exists());
    let key_uri = KeyUri::new("skd://movie-1").unwrap();
    let request = device.open(&key_uri, Intent::Play).unwrap();
    assert_eq!(assets.keys().unwrap().answer(request).unwrap(), Answer::Stored);
    assert!(device.content_key(&key_uri).unwrap().key == ContentKey::derived(b"movie-1").key);
}
