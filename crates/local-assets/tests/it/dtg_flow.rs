//! The main job as an application does it: entry, source, download, registration, local entry.

use std::collections::BTreeMap;

use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, ContentManager, ItemId, ItemState, NewItem};
use dtg_testkit::{Memory, Origin};
use local_assets::{LocalAssetsManager, Protection, sidecars_of};
use media_entry::{Mechanism, MediaEntry, Platform};

const KEY: &str = "#EXT-X-KEY:METHOD=AES-128,URI=\"k.bin\"\n";

/// A presentation of two segments, with subtitles and a picture beside it.
fn site(key_line: &str) -> Memory {
    let media = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n{key_line}#EXTINF:4,\n0.ts\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n"
    );
    let files: [(&str, Vec<u8>); 7] = [
        ("/master.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=400000\nv.m3u8\n".to_vec()),
        ("/v.m3u8", media.into_bytes()),
        ("/0.ts", vec![0x47; 1880]),
        ("/1.ts", vec![0x48; 1880]),
        ("/k.bin", vec![7; 16]),
        ("/en.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n".to_vec()),
        ("/t.jpg", b"\xFF\xD8\xFFpicture".to_vec()),
    ];
    Memory::new(files.into_iter().map(|(path, body)| (path.to_owned(), body)).collect::<BTreeMap<_, _>>())
}

fn entry(origin: &Origin) -> MediaEntry {
    let text = r#"{"id": "1_abc", "name": "Film", "mediaType": "Vod", "thumbnailUrl": "ORIGIN/t.jpg",
        "sources": [{"id": "dash", "url": "ORIGIN/a.mpd"}, {"id": "hls", "url": "ORIGIN/master.m3u8"}],
        "externalSubtitles": [{"id": "c", "url": "ORIGIN/en.vtt", "language": "en", "name": "English"}]}"#;
    MediaEntry::from_json(&text.replace("ORIGIN", origin.url("/").trim_end_matches('/'))).unwrap()
}

#[track_caller]
fn check(key_line: &str, expected: Protection) {
    let origin = Origin::start(site(key_line)).unwrap();
    let root = Utf8TempDir::new().unwrap();
    let content = ContentManager::builder(root.path()).open().unwrap();
    let assets = LocalAssetsManager::new(Platform::desktop());

    let entry = entry(&origin);
    let choice = assets.preferred_downloadable_media_source(&entry).unwrap();
    assert_eq!((choice.source.id.as_str(), choice.mechanism), ("hls", Mechanism::DownloadToGo));

    let id = ItemId::new(entry.id.as_str()).unwrap();
    let item = NewItem { id: id.clone(), url: choice.source.url.clone(), sidecars: sidecars_of(&entry) };
    content.add_item_with(item).unwrap();
    content.load_item_metadata(&id, BitRate(300_000)).unwrap();
    content.start_item(&id).unwrap();
    assert_eq!(content.wait(&id).unwrap().state, ItemState::Completed);
    let location = content.playback_location(&id).unwrap();
    origin.stop();

    let registration = assets.register_downloaded_asset(&location, choice.source).unwrap();
    assert_eq!(registration.protection, expected);

    let local = assets.create_local_media_entry(&entry, &location);
    let read = |address: &str| std::fs::read(root.path().join(address)).unwrap();
    assert!(read(&local.sources[0].url).starts_with(b"#EXTM3U"));
    assert!(read(&local.external_subtitles[0].url).starts_with(b"WEBVTT"));
    assert!(read(local.thumbnail_url.as_deref().unwrap()).starts_with(b"\xFF\xD8\xFF"));
    assert!(!local.to_json().contains("http"), "{}", local.to_json());
}

#[test]
fn a_clear_entry_becomes_a_local_entry() {
    check("", Protection::Clear);
}

#[test]
fn an_aes_128_entry_becomes_a_local_entry() {
    check(KEY, Protection::KeyFiles);
}
