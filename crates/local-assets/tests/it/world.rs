//! A downloaded FairPlay asset, a key server, and a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, ContentManager, ItemId, ItemLocation, ItemState, RemoteAsset};
use dtg_testkit::fairplay::{ContentKey, KeyServer, Protocol, TestCdm, TestClock};
use dtg_testkit::{Memory, Origin};
use fairplay_keys::{
    AdaptedProvider, Answer, ContentKeySystem, EnginePolicy, Intent, KeyError, KeyUri, NoToken,
    TemplateProvider,
};
use local_assets::{
    DataStore, FairPlaySetup, HttpsTransport, KalturaLicenseAdapter, LocalAssetsManager, TransportSettings,
};
use media_entry::{DrmParams, MediaSource, Platform};

pub(crate) const NOW: i64 = 1_800_000_000;

/// A key server that knows three keys, a device, and a folder for media and keys.
pub(crate) struct World {
    pub(crate) server: KeyServer,
    pub(crate) clock: TestClock,
    pub(crate) device: TestCdm,
    pub(crate) root: Utf8TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = KeyServer::start(1).unwrap();
        for id in ["movie-1", "audio-1", "uhd-1"] {
            server.add_content(id, ContentKey::derived(id.as_bytes()));
        }
        let clock = TestClock::at(NOW);
        let device = TestCdm::new(7, Arc::new(clock.clone()));
        Self { server, clock, device, root: Utf8TempDir::new().unwrap() }
    }

    pub(crate) fn folder(&self) -> DataStore {
        DataStore::Folder(self.root.path().join("keys"))
    }

    pub(crate) fn setup(&self, store: DataStore) -> FairPlaySetup {
        let adapter = KalturaLicenseAdapter {
            session_id: Some("s-1".to_owned()),
            client_tag: "dtg/test".to_owned(),
            referrer: "app".to_owned(),
        };
        FairPlaySetup {
            system: Arc::new(self.device.clone()),
            store,
            provider: Arc::new(AdaptedProvider { provider: TemplateProvider::kaltura(), adapter }),
            tokens: Arc::new(NoToken),
            transport: Arc::new(HttpsTransport::new(TransportSettings::default()).unwrap()),
            clock: Arc::new(self.clock.clone()),
            policy: EnginePolicy::default(),
        }
    }

    pub(crate) fn assets(&self, store: DataStore) -> LocalAssetsManager {
        LocalAssetsManager::new(Platform::desktop()).with_fair_play(self.setup(store)).unwrap()
    }

    /// The source with license address and certificate.
    pub(crate) fn source(&self, url: &str) -> MediaSource {
        let license = self.server.license_url(&Protocol::KALTURA);
        let drm = DrmParams::fair_play(license, self.server.certificate());
        MediaSource { drm: vec![drm], ..MediaSource::new("hls", url) }
    }

    pub(crate) fn content(&self) -> ContentManager {
        ContentManager::builder(self.root.path().join("media")).open().unwrap()
    }

    /// A downloaded presentation whose origin is gone.
    pub(crate) fn download(
        &self,
        content: &ContentManager,
        id: &str,
        site: &[(&str, String)],
    ) -> ItemLocation {
        let files: BTreeMap<String, Vec<u8>> = site
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes()))
            .chain([("/0.ts".to_owned(), vec![0x47; 1880])])
            .collect();
        let origin = Origin::start(Memory::new(files)).unwrap();
        let id = ItemId::new(id).unwrap();
        content.add_item(&id, &origin.url("/master.m3u8")).unwrap();
        content.load_item_metadata(&id, BitRate(300_000)).unwrap();
        content.start_item(&id).unwrap();
        assert_eq!(content.wait(&id).unwrap().state, ItemState::Completed);
        content.playback_location(&id).unwrap()
    }

    /// Plays by what is stored: whether the key that comes out is the content's.
    pub(crate) fn plays(&self, assets: &LocalAssetsManager, id: &str) -> Result<Answer, KeyError> {
        let key_uri = KeyUri::new(format!("skd://{id}")).unwrap();
        let request = self.device.open(&key_uri, Intent::Play).unwrap();
        let answer = assets.keys().unwrap().answer(request)?;
        let key = self.device.content_key(&key_uri).unwrap();
        assert!(key.key == ContentKey::derived(id.as_bytes()).key, "the content's own key comes out");
        Ok(answer)
    }

    /// Every request of the device has one answer.
    pub(crate) fn check_answers(&self) {
        for request in self.device.requests() {
            assert_eq!(request.answers.len(), 1, "{request:?}");
        }
    }
}

/// `"movie-1"` as the attributes of a key line.
pub(crate) fn key(id: &str) -> String {
    format!(
        "METHOD=SAMPLE-AES,URI=\"skd://{id}\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\""
    )
}

/// A presentation with these session keys, pictures under the second keys, and sound under the third.
pub(crate) fn site(session: &[&str], video: &[&str], audio: &[&str]) -> Vec<(&'static str, String)> {
    let session: String = session.iter().map(|id| format!("#EXT-X-SESSION-KEY:{}\n", key(id))).collect();
    let media = |keys: &[&str]| {
        let segment = |id: &&str| format!("#EXT-X-KEY:{}\n#EXTINF:4,\n0.ts\n", key(id));
        let segments: String = if keys.is_empty() {
            "#EXTINF:4,\n0.ts\n".to_owned()
        } else {
            keys.iter().map(segment).collect()
        };
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{segments}#EXT-X-ENDLIST\n")
    };
    let master = format!(
        "#EXTM3U\n{session}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",DEFAULT=YES,URI=\"a.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=400000,AUDIO=\"a\"\nv.m3u8\n"
    );
    vec![("/master.m3u8", master), ("/v.m3u8", media(video)), ("/a.m3u8", media(audio))]
}

pub(crate) fn movie() -> Vec<(&'static str, String)> {
    site(&["movie-1"], &["movie-1"], &["movie-1"])
}

/// A presentation that is downloaded and not yet registered, with keys kept in a folder.
pub(crate) struct Downloaded {
    pub(crate) world: World,
    pub(crate) content: ContentManager,
    pub(crate) location: ItemLocation,
    pub(crate) assets: LocalAssetsManager,
}

pub(crate) fn downloaded(site: &[(&str, String)]) -> Downloaded {
    let world = World::new();
    let content = world.content();
    let location = world.download(&content, "1_abc", site);
    let assets = world.assets(world.folder());
    Downloaded { world, content, location, assets }
}

/// What is at the source's address.
pub(crate) fn remote(source: &MediaSource) -> RemoteAsset {
    RemoteAsset::new(ItemId::new("1_abc").unwrap(), source.url.as_str())
}
