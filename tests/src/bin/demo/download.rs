//! One entry's way: source, item, registration, local entry, playback.

use anyhow::{Context, Result, ensure};
use dtg_core::{BitRate, ContentManager, ItemId, NewItem};
use local_assets::{LocalAssetsManager, sidecars_of};
use media_entry::{Mechanism, MediaEntry, Platform};
use playback_server::PlaybackServer;
use tests::Played;
use url::Url;

const PREFERRED_VIDEO: BitRate = BitRate(300_000);

/// An entry that is to be downloaded, or was.
pub(crate) struct Job {
    pub(crate) id: ItemId,
    entry: MediaEntry,
    source_url: String,
    mechanism: Mechanism,
}

/// What came of a job.
pub(crate) struct Outcome {
    pub(crate) id: ItemId,
    pub(crate) mechanism: Mechanism,
    pub(crate) url: String,
    pub(crate) played: Result<Played>,
}

impl Job {
    /// Picks the source, adds the item with its sidecars, and loads its metadata.
    pub(crate) fn add(content: &ContentManager, entry: MediaEntry) -> Result<Self> {
        let choice = assets().preferred_downloadable_media_source(&entry)?;
        let (url, mechanism) = (choice.source.url.clone(), choice.mechanism);
        let id = ItemId::new(&entry.id)?;
        let sidecars = sidecars_of(&entry);
        content.add_item_with(NewItem { id: id.clone(), url: url.clone(), sidecars })?;
        content.load_item_metadata(&id, PREFERRED_VIDEO)?;
        Ok(Self { id, entry, source_url: url, mechanism })
    }

    /// Registers the asset, and plays it from the server.
    pub(crate) fn play(&self, content: &ContentManager, server: &PlaybackServer) -> Outcome {
        let url = content
            .playback_location(&self.id)
            .map(|it| server.url_for(self.id.as_str(), it.master.as_str()));
        let played = self.register_and_play(content, server);
        Outcome { id: self.id.clone(), mechanism: self.mechanism, url: url.unwrap_or_default(), played }
    }

    fn register_and_play(&self, content: &ContentManager, server: &PlaybackServer) -> Result<Played> {
        let location = content.playback_location(&self.id)?;
        let source = self.entry.sources.iter().find(|source| source.url == self.source_url);
        assets().register_downloaded_asset(&location, source.context("the source is the entry's")?)?;
        let address = |file: &camino::Utf8Path| server.url_for(self.id.as_str(), file.as_str());
        let local = assets().create_local_media_entry_at(&self.entry, &location, address);
        let folder = server.url_for(self.id.as_str(), "");
        ensure!(!local.to_json().contains(self.origin()), "the local entry leads to the origin");
        let [source] = local.sources.as_slice() else { anyhow::bail!("the local entry has one source") };
        tests::play(&Url::parse(&source.url)?, &folder, &Url::parse(&self.source_url)?, &location)
    }

    /// Scheme, host and port of where the item came from.
    fn origin(&self) -> &str {
        let end = self.source_url.match_indices('/').nth(2).map(|(at, _)| at);
        end.and_then(|end| self.source_url.get(..end)).unwrap_or(&self.source_url)
    }
}

fn assets() -> LocalAssetsManager {
    LocalAssetsManager::new(Platform::desktop())
}
