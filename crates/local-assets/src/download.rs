//! One call from an entry to a registered download, by whichever mechanism fits the platform.

use camino::Utf8Path;
use dtg_core::{
    AssetDownloadTask, Builder, ContentManager, InvalidItemId, ItemId, ItemLocation, ItemState, NewItem,
    RemoteAsset, SelectionOptions, StoredFailure,
};
use media_entry::{Mechanism, MediaEntry, MediaSource, NoSource, Reason};
use thiserror::Error as ThisError;

use crate::error::Error;
use crate::local_entry::sidecars_of;
use crate::manager::LocalAssetsManager;
use crate::register::Registration;

/// Where downloads go, and what they take.
#[derive(Clone, Copy)]
pub struct Downloads<'a> {
    /// Downloads by DownloadToGo.
    pub content: &'a ContentManager,
    /// Holds what asset download tasks download, each asset under [`ItemId::file_name`].
    pub assets: &'a Utf8Path,
    /// Which tracks are taken, by either mechanism.
    pub options: &'a SelectionOptions,
    /// How asset download tasks transfer, if not as a manager does by default.
    pub transfers: Option<&'a dyn Fn(Builder) -> Builder>,
}

impl std::fmt::Debug for Downloads<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Downloads")
            .field("assets", &self.assets)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// An entry that was downloaded and has all it needs to play without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// What downloaded it.
    pub mechanism: Mechanism,
    /// The id of the source that was downloaded.
    pub source: String,
    /// Where it plays from.
    pub location: ItemLocation,
    /// What it needs to play, all of which is there.
    pub registration: Registration,
}

/// Why an entry can't be downloaded, or was not to its end.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum DownloadError {
    /// No source of it can be downloaded here; it says why of each.
    #[error(transparent)]
    NoSource(#[from] NoSource),
    /// Its id can't be an item's.
    #[error(transparent)]
    Id(#[from] InvalidItemId),
    /// All that there is of it is Widevine Classic: the platform may play it, but no license server is left to ask.
    #[error(
        "entry `{0}`: Widevine Classic (wvm) can't be kept for offline use any more, so it is not downloaded"
    )]
    WidevineClassic(String),
    /// The download could not be started, or a task ended with this.
    #[error(transparent)]
    Download(#[from] dtg_core::Error),
    /// The item came to rest before it was complete: paused, interrupted or failed. The same call goes on with it.
    #[error("item `{id}` is {state}{}", said(.failure.as_ref()))]
    Rests {
        /// The item.
        id: ItemId,
        /// Its state.
        state: ItemState,
        /// Why, where anything went wrong.
        failure: Option<StoredFailure>,
    },
    /// It was downloaded, but lacks what it needs to play; or its keys can't be asked for.
    #[error(transparent)]
    Asset(#[from] Error),
}

fn said(failure: Option<&StoredFailure>) -> String {
    failure.map(|failure| format!(": {}", failure.message)).unwrap_or_default()
}

impl LocalAssetsManager {
    /// Downloads the entry by the mechanism that fits this platform, registers it, and answers where it plays from.
    /// Waits for all of it.
    ///
    /// Called again after whatever ended it, it goes on with what is there; what is complete is only registered again.
    /// An item of a [`ContentManager`] may be paused meanwhile, under the entry's id: the call then ends.
    ///
    /// # Errors
    /// [`DownloadError`]; what was downloaded stays.
    pub fn download(&self, entry: &MediaEntry, to: &Downloads<'_>) -> Result<Downloaded, DownloadError> {
        let choice = self.preferred_downloadable_media_source(entry)?;
        if choice.reason == Reason::WidevineClassic {
            return Err(DownloadError::WidevineClassic(entry.id.clone()));
        }
        let id = ItemId::new(entry.id.as_str())?;
        let location = match choice.mechanism {
            Mechanism::DownloadToGo => by_item(&id, entry, choice.source, to)?,
            Mechanism::AssetDownloadTask => {
                let asset = RemoteAsset::new(id, choice.source.url.as_str());
                by_task(self.prepare_for_download(asset, choice.source)?, entry, to)?
            }
        };
        let registration = self.register_downloaded_asset(&location, choice.source)?;
        let source = choice.source.id.clone();
        Ok(Downloaded { mechanism: choice.mechanism, source, location, registration })
    }
}

/// By DownloadToGo: adds the item, or goes on with it.
fn by_item(
    id: &ItemId,
    entry: &MediaEntry,
    source: &MediaSource,
    to: &Downloads<'_>,
) -> Result<ItemLocation, DownloadError> {
    let content = to.content;
    let mut item = match content.item(id) {
        Ok(item) => item,
        Err(error) if matches!(error.kind(), dtg_core::ErrorKind::ItemNotFound) => {
            let (id, url, sidecars) = (id.clone(), source.url.clone(), sidecars_of(entry));
            content.add_item_with(NewItem { id, url, sidecars })?
        }
        Err(error) => return Err(error.into()),
    };
    if !matches!(item.state, ItemState::Completed | ItemState::InProgress) && item.url != source.url {
        item = content.set_url(id, &source.url)?;
    }
    if item.state == ItemState::New {
        item = content.load_item_metadata(id, to.options.clone())?;
    }
    if item.state != ItemState::Completed {
        content.start_item(id)?;
        item = content.wait(id)?;
    }
    if item.state != ItemState::Completed {
        return Err(DownloadError::Rests { id: id.clone(), state: item.state, failure: item.failure });
    }
    Ok(content.playback_location(id)?)
}

/// By an asset download task, whose keys come with the media.
fn by_task(
    asset: RemoteAsset,
    entry: &MediaEntry,
    to: &Downloads<'_>,
) -> Result<ItemLocation, DownloadError> {
    let destination = to.assets.join(asset.id.file_name());
    let task = AssetDownloadTask::builder(asset, destination)
        .title(entry.name.as_deref().unwrap_or_default())
        .primary(to.options.clone())
        .sidecars(sidecars_of(entry));
    let task = match to.transfers {
        Some(transfers) => task.transfers(transfers),
        None => task,
    };
    Ok(task.build()?.run()?)
}
