//! One call from an entry to a registered download: which mechanism it runs, on which platform, by which policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino_tempfile::Utf8TempDir;
use dtg_core::{ContentManager, ItemId, ItemState, SelectionOptions, Variants};
use dtg_testkit::fairplay::Protocol;
use dtg_testkit::{Fault, Memory, Origin, Rule};
use fairplay_keys::MemoryStore;
use local_assets::{
    DataStore, DownloadError, Downloaded, Downloads, ErrorKind, LocalAssetsManager, Protection,
};
use media_entry::{KalturaRequest, Mechanism, MediaEntry, MediaFormat, MediaSource, Platform, Policy};

use crate::world::{World, movie, remote};

/// FairPlay HLS, the same in clear, and a file.
fn origin() -> Origin {
    let mut files: BTreeMap<String, Vec<u8>> =
        movie().into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
    let clear = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXT-X-ENDLIST\n";
    files.insert("/clear.m3u8".to_owned(), clear.as_bytes().to_vec());
    files.insert("/0.ts".to_owned(), vec![0x47; 1880]);
    files.insert("/poster.jpg".to_owned(), b"a picture".to_vec());
    files.insert("/film.mp4".to_owned(), b"\0\0\0\x18ftypisom and so on".to_vec());
    Origin::start(Memory::new(files)).unwrap()
}

/// An entry of these sources: `fps`, `hls`, `mp4`.
fn entry(world: &World, origin: &Origin, sources: &str) -> MediaEntry {
    let source = |name: &str| match name {
        "fps" => MediaSource { id: "fps".into(), ..world.source(&origin.url("/master.m3u8")) },
        "hls" => MediaSource::new("hls", origin.url("/clear.m3u8")),
        _ => MediaSource::new("mp4", origin.url("/film.mp4")),
    };
    MediaEntry { sources: sources.split('+').map(source).collect(), ..MediaEntry::new("movie/1") }
}

/// Folders and a manager for downloads.
struct Shelf {
    root: Utf8TempDir,
    content: ContentManager,
    options: SelectionOptions,
}

impl Shelf {
    fn new() -> Self {
        let root = Utf8TempDir::new().unwrap();
        let content = ContentManager::open(root.path().join("content")).unwrap();
        Self { root, content, options: SelectionOptions::default() }
    }

    fn assets(&self) -> camino::Utf8PathBuf {
        self.root.path().join("assets")
    }

    fn download(&self, assets: &LocalAssetsManager, entry: &MediaEntry) -> Result<Downloaded, DownloadError> {
        let folder = self.assets();
        let to =
            Downloads { content: &self.content, assets: &folder, options: &self.options, transfers: None };
        assets.download(entry, &to)
    }
}

fn manager(world: &World, name: &str, policy: Policy) -> LocalAssetsManager {
    let platform = match name.strip_prefix("ios") {
        Some(version) => {
            let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
            Platform::ios(major.parse().unwrap(), minor.parse().unwrap())
        }
        None => Platform::desktop(),
    };
    let assets = LocalAssetsManager::new(platform).with_policy(policy);
    if name == "desktop" {
        return assets;
    }
    assets.with_fair_play(world.setup(DataStore::Given(Arc::new(MemoryStore::default())))).unwrap()
}

/// What `download` did: the mechanism, by where the asset lies, and the source; `-` where it refused.
fn outcome(assets: &LocalAssetsManager, entry: &MediaEntry) -> String {
    let shelf = Shelf::new();
    match shelf.download(assets, entry) {
        Ok(made) => {
            let by_task = made.location.root.starts_with(shelf.assets());
            assert_eq!(by_task, made.mechanism == Mechanism::AssetDownloadTask);
            assert_eq!(shelf.content.items().unwrap().is_empty(), by_task, "by one of them only");
            assert!(made.location.master_path().exists());
            let expected = if made.source == "fps" { Protection::FairPlay } else { Protection::Clear };
            assert_eq!(made.registration.protection, expected);
            format!("{}/{}", made.source, if by_task { "task" } else { "dtg" })
        }
        Err(DownloadError::NoSource(_)) => "-".to_owned(),
        Err(other) => other.to_string(),
    }
}

const ENTRIES: [&str; 4] = ["fps", "fps+hls", "mp4", "fps+mp4"];

const SEED_GATES: &str = "
    ios8      -         hls/dtg   mp4/dtg  mp4/dtg
    ios9      -         hls/dtg   mp4/dtg  mp4/dtg
    ios10.0   fps/task  fps/task  mp4/dtg  fps/task
    ios10.2   fps/task  fps/task  mp4/dtg  fps/task
    ios10.3   fps/dtg   fps/dtg   mp4/dtg  fps/dtg
    ios11     fps/dtg   fps/dtg   mp4/dtg  fps/dtg
    with-keys fps/dtg   fps/dtg   mp4/dtg  fps/dtg
    desktop   -         hls/dtg   mp4/dtg  mp4/dtg
";

const RECOMMENDED_ONLY: &str = "
    ios8      -         hls/dtg   mp4/dtg  mp4/dtg
    ios9      -         hls/dtg   mp4/dtg  mp4/dtg
    ios10.0   -         hls/dtg   mp4/dtg  mp4/dtg
    ios10.2   -         hls/dtg   mp4/dtg  mp4/dtg
    ios10.3   fps/dtg   fps/dtg   mp4/dtg  fps/dtg
    ios11     fps/dtg   fps/dtg   mp4/dtg  fps/dtg
    with-keys fps/dtg   fps/dtg   mp4/dtg  fps/dtg
    desktop   -         hls/dtg   mp4/dtg  mp4/dtg
";

#[test]
fn download_runs_the_mechanism_that_was_chosen() {
    let (world, origin) = (World::new(), origin());
    for (table, policy) in [(SEED_GATES, Policy::SeedGates), (RECOMMENDED_ONLY, Policy::RecommendedOnly)] {
        for line in table.trim().lines() {
            let row: Vec<&str> = line.split_whitespace().collect();
            let assets = manager(&world, row[0], policy);
            let found = ENTRIES.map(|sources| outcome(&assets, &entry(&world, &origin, sources)));
            assert_eq!(found, row[1..], "{} {policy:?}", row[0]);
        }
    }
}

#[test]
fn the_same_call_goes_on_with_what_an_earlier_one_left() {
    let (world, origin) = (World::new(), origin());
    for platform in ["ios10.2", "ios11"] {
        let (shelf, assets) = (Shelf::new(), manager(&world, platform, Policy::SeedGates));
        let entry = entry(&world, &origin, "fps");
        origin.fault(Rule::from(Fault::status(404)).on("/0.ts").first(1));
        let error = shelf.download(&assets, &entry).unwrap_err();
        let by_item = matches!(&error, DownloadError::Rests { state: ItemState::Failed, failure: Some(it), .. } if it.status == Some(404));
        let by_task = matches!(&error, DownloadError::Download(it) if it.code() == "status");
        assert_eq!((by_item, by_task), (platform == "ios11", platform == "ios10.2"), "{error}");
        let made = shelf.download(&assets, &entry).unwrap();
        origin.clear_requests();
        assert_eq!(shelf.download(&assets, &entry).unwrap(), made);
        assert!(origin.requests().is_empty(), "what is complete is only registered again");
    }
}

#[test]
fn widevine_classic_is_refused_with_its_reason() {
    let source =
        MediaSource { source_type: Some(MediaFormat::Wvm), ..MediaSource::new("w", "https://h.test/a") };
    let entry = MediaEntry { sources: vec![source], ..MediaEntry::new("1_abc") };
    let assets = LocalAssetsManager::new(Platform::desktop().with_widevine_classic());
    let error = Shelf::new().download(&assets, &entry).unwrap_err();
    assert!(
        matches!(error, DownloadError::WidevineClassic(_)) && error.to_string().contains("wvm"),
        "{error}"
    );
}

#[test]
fn fair_play_is_prepared_only_where_its_keys_can_be_kept_and_others_need_nothing() {
    let world = World::new();
    let fair_play = world.source("https://h.test/a.m3u8");
    let clear = MediaSource::new("s", "https://h.test/a.m3u8");
    for (platform, kept) in [("ios9", false), ("ios10.2", true), ("ios11", true), ("with-keys", true)] {
        let assets = manager(&world, platform, Policy::SeedGates);
        assert!(!assets.prepare_for_download(remote(&clear), &clear).unwrap().has_key_loader());
        match assets.prepare_for_download(remote(&fair_play), &fair_play) {
            Ok(asset) => assert!(kept && asset.has_key_loader(), "{platform}"),
            Err(error) => {
                assert!(!kept && matches!(error.kind(), ErrorKind::NoSource(_)), "{platform}: {error}")
            }
        }
    }
}

#[test]
fn either_mechanism_takes_the_same_tracks_and_sidecars() {
    let (world, origin) = (World::new(), origin());
    let entry =
        MediaEntry { thumbnail_url: Some(origin.url("/poster.jpg")), ..entry(&world, &origin, "fps") };
    let options = SelectionOptions { variants: Variants::All, ..SelectionOptions::default() };
    let shown = |platform: &str| {
        let shelf = Shelf { options: options.clone(), ..Shelf::new() };
        let downloaded = shelf.download(&manager(&world, platform, Policy::SeedGates), &entry).unwrap();
        let location = downloaded.location;
        let master = std::fs::read_to_string(location.master_path()).unwrap();
        let sidecars: Vec<_> = location.sidecars.iter().map(|it| it.file.to_string()).collect();
        (downloaded.mechanism, master, sidecars)
    };
    let (by_item, by_task) = (shown("ios11"), shown("ios10.2"));
    assert_eq!((by_item.0, by_task.0), (Mechanism::DownloadToGo, Mechanism::AssetDownloadTask));
    assert_eq!((by_item.1, &by_item.2), (by_task.1, &by_task.2));
    assert_eq!(by_item.2, ["thumbnail/0.jpg"]);
}

#[test]
fn what_either_mechanism_downloaded_is_removed_with_its_keys_finished_or_not() {
    for platform in ["ios10.2", "ios11"] {
        let (world, origin, shelf) = (World::new(), origin(), Shelf::new());
        let (assets, entry) = (manager(&world, platform, Policy::SeedGates), entry(&world, &origin, "fps"));
        let id = ItemId::new(entry.id.as_str()).unwrap();
        let folder = shelf.assets();
        let to =
            Downloads { content: &shelf.content, assets: &folder, options: &shelf.options, transfers: None };
        let is_gone = || {
            shelf.content.items().unwrap().is_empty()
                && std::fs::read_dir(&folder).map_or(0, Iterator::count) == 0
                && assets.license_expiration_info(&id).unwrap().is_none()
        };
        assets.download(&entry, &to).unwrap();
        assert!(!is_gone());
        assert_eq!(assets.remove_download(&id, &to).unwrap().keys.len(), 1, "{platform}: its key went, too");
        assert!(is_gone(), "{platform}");
        origin.fault(Rule::from(Fault::status(404)).first(1).on("/0.ts"));
        let _ = assets.download(&entry, &to);
        assets.remove_download(&id, &to).unwrap();
        assert!(is_gone(), "{platform}, whatever was there of it");
    }
}

#[test]
fn what_kalturas_backend_answers_is_downloaded_in_one_call() {
    let (world, origin) = (World::new(), origin());
    let license = world.server.license_url(&Protocol::KALTURA);
    let certificate = STANDARD.encode(world.server.certificate());
    let answer = format!(
        r#"{{"objectType":"KalturaPlaybackContext","sources":[
            {{"deliveryProfileId":1,"format":"mpegdash","url":"{dash}","flavorIds":"1_a","drm":[]}},
            {{"deliveryProfileId":2,"format":"applehttp","url":"{hls}","flavorIds":"1_a,1_b","drm":[
                {{"scheme":"fairplay.FAIRPLAY","licenseURL":"{license}","certificate":"{certificate}"}}]}},
            {{"deliveryProfileId":3,"format":"url","url":"{file}","flavorIds":"1_a","drm":[]}}],
            "playbackCaptions":[],"flavorAssets":[],"actions":[],"messages":[]}}"#,
        dash = origin.url("/manifest.mpd"),
        hls = origin.url("/master.m3u8"),
        file = origin.url("/film.mp4"),
    );
    let entry = MediaEntry::from_kaltura(&answer, &KalturaRequest::new("1_abc")).unwrap();
    for (platform, source, protection) in [
        ("ios11", "1_abc_2", Protection::FairPlay),
        ("ios10.2", "1_abc_2", Protection::FairPlay),
        ("ios9", "1_abc_3", Protection::Clear),
    ] {
        let shelf = Shelf::new();
        let made = shelf.download(&manager(&world, platform, Policy::SeedGates), &entry).unwrap();
        assert_eq!((made.source.as_str(), made.registration.protection), (source, protection), "{platform}");
        assert!(made.location.master_path().exists());
    }
}
