//! The preset `fairplay`, its key server, and what a player makes of it with the stored keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use dtg_testkit::fairplay::{ContentKey, Grant, KeyServer, Policy, Protocol, cbcs};
use fairplay_keys::KeyUri;
use hls_parse::{KeyMethod, MediaPlaylist, Multivariant, ParseOptions, Playlist, Segment};
use media_entry::{DrmParams, MediaEntry, MediaSource};
use ureq::Agent;
use url::Url;
use xtask::presets::Preset;
use xtask::tree::{Body, Tree};
use xtask::write::Origins;

use crate::media_folder;

/// What key servers say of the keys: 30 days in storage, a day from the first playback.
pub const GRANT: Grant = Grant::Dual { storage: 2_592_000, playback: 86_400 };

/// An origin that serves the preset, and a key server that knows its keys.
#[derive(Debug)]
pub struct Protected {
    tree: Arc<Tree>,
    origins: Origins,
    /// The key server.
    pub keys: KeyServer,
}

/// The media of the preset as it was before it was encrypted: segments by media playlist.
#[derive(Debug)]
pub struct ClearMedia(BTreeMap<String, Vec<Arc<[u8]>>>);

/// What was decrypted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decrypted {
    /// The keys that it took.
    pub keys: BTreeSet<KeyUri>,
    /// Segments that were encrypted, and equal the clear media once they are decrypted.
    pub encrypted: u32,
    /// Segments that never were encrypted.
    pub clear: u32,
    /// Bytes of all those.
    pub bytes: u64,
}

impl Protected {
    /// Starts both; `seed` makes the key server's random numbers.
    ///
    /// # Errors
    /// When the repository lacks media, or the system has no port left.
    pub fn start(seed: u64) -> Result<Self> {
        let tree = Arc::new(Preset::Fairplay.tree(&media_folder())?);
        let origins = Origins::start(Arc::clone(&tree))?;
        let keys = KeyServer::start(seed)?;
        keys.set_policy(Policy::granting(GRANT));
        tree.content_keys.iter().for_each(|it| keys.add_content(it.content_id.as_str(), it.key));
        Ok(Self { tree, origins, keys })
    }

    /// The entry: one source, under FairPlay by Kaltura's protocol.
    #[must_use]
    pub fn entry(&self) -> MediaEntry {
        let license = self.keys.license_url(&Protocol::KALTURA);
        let drm = vec![DrmParams::fair_play(license, self.keys.certificate())];
        let source = MediaSource { drm, ..MediaSource::new("hls", self.origins.entry()) };
        MediaEntry { sources: vec![source], ..MediaEntry::new("fairplay") }
    }

    /// Stops the origin and the key server: from here on there is no network.
    ///
    /// # Errors
    /// When the repository lacks media.
    pub fn stop(self) -> Result<ClearMedia> {
        self.keys.origin().stop();
        drop(self.origins);
        let clear = Preset::VodFmp4.tree(&media_folder())?;
        let mut media = BTreeMap::new();
        for playlist in &self.tree.playlists {
            let same = clear.playlists.iter().find(|it| it.location == playlist.location);
            let same = same.context("the clear media has the same playlists")?;
            let bytes =
                same.segments.iter().map(|segment| match clear.file(segment.uri.to).map(|it| &it.body) {
                    Some(Body::Stored(bytes)) => Ok(Arc::clone(bytes)),
                    Some(Body::Noise(_) | Body::Missing) | None => bail!("the clear media has all its files"),
                });
            media.insert(playlist.location.path().to_owned(), bytes.collect::<Result<_>>()?);
        }
        Ok(ClearMedia(media))
    }
}

/// Plays the presentation at `local` as a player does: it asks for the content key of each key URI, decrypts, and holds
/// every segment against the clear one.
///
/// # Errors
/// At the first segment that differs, and the first key that is not to be had.
pub fn decrypt(
    local: &Url,
    clear: &ClearMedia,
    content_key: &mut dyn FnMut(&KeyUri) -> Result<ContentKey>,
) -> Result<Decrypted> {
    let agent: Agent = Agent::config_builder().proxy(None).max_redirects(0).build().into();
    let mut player = Player { agent, clear, content_key, decrypted: Decrypted::default() };
    let text = player.fetch(local)?;
    let Playlist::Multivariant(master) = read(&text)? else { bail!("{local} is no multivariant playlist") };
    for (uri, original) in media_playlists(&master) {
        let url = hls_parse::resolve(local, uri)?;
        player.media(&url, original).with_context(|| url.path().to_owned())?;
    }
    Ok(player.decrypted)
}

/// Local media playlists, and where the presentation has them.
fn media_playlists<'a>(master: &'a Multivariant<'_>) -> Vec<(&'a str, &'static str)> {
    let variants = master.variants.iter().map(|it| (it.uri.as_str(), "/video-90p.m3u8"));
    let sound = master.renditions.iter().filter_map(|it| it.uri.as_ref());
    variants.chain(sound.map(|uri| (uri.as_str(), "/audio.m3u8"))).collect()
}

struct Player<'a> {
    agent: Agent,
    clear: &'a ClearMedia,
    content_key: &'a mut dyn FnMut(&KeyUri) -> Result<ContentKey>,
    decrypted: Decrypted,
}

impl Player<'_> {
    fn media(&mut self, url: &Url, original: &str) -> Result<()> {
        let text = self.fetch(url)?;
        let Playlist::Media(playlist) = read(&text)? else { bail!("no media playlist") };
        let clear = self.clear.0.get(original).context("there is no such clear playlist")?;
        ensure!(playlist.segments.len() == clear.len(), "another number of segments");
        for (segment, clear) in playlist.segments.iter().zip(clear) {
            let number = segment.media_sequence;
            let bytes = self.segment(&playlist, segment, url).with_context(|| format!("segment {number}"))?;
            ensure!(bytes == **clear, "segment {number} is not the clear one");
            self.decrypted.bytes += u64::try_from(bytes.len())?;
        }
        Ok(())
    }

    /// The bytes of a segment, in clear.
    fn segment(
        &mut self,
        playlist: &MediaPlaylist<'_>,
        segment: &Segment<'_>,
        base: &Url,
    ) -> Result<Vec<u8>> {
        let bytes = self.fetch(&hls_parse::resolve(base, segment.uri.as_str())?)?;
        let is_fair_play = |it: &&hls_parse::Key<'_>| it.key_format == fairplay_keys::KEY_FORMAT;
        let Some(key) = playlist.keys_of(segment).iter().find(is_fair_play) else {
            self.decrypted.clear += 1;
            return Ok(bytes);
        };
        ensure!(key.method == KeyMethod::SampleAes, "METHOD is {}", key.method.as_str());
        let key_uri = KeyUri::new(key.uri.as_ref().context("a key without a URI")?.as_str())?;
        let map = playlist.map_of(segment).context("no EXT-X-MAP")?;
        let init = self.fetch(&hls_parse::resolve(base, map.uri.as_str())?)?;
        let content_key = (self.content_key)(&key_uri)?;
        let clear = cbcs::decrypt_segment(&init, &bytes, content_key.key)?;
        self.decrypted.keys.insert(key_uri);
        self.decrypted.encrypted += 1;
        Ok(clear)
    }

    fn fetch(&self, url: &Url) -> Result<Vec<u8>> {
        let mut response =
            self.agent.get(url.as_str()).call().with_context(|| format!("GET {}", url.path()))?;
        Ok(response.body_mut().read_to_vec()?)
    }
}

fn read(text: &[u8]) -> Result<Playlist<'_>> {
    Ok(hls_parse::parse(text, &ParseOptions::default())?.playlist)
}
