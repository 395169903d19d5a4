//! Removing an asset: a tombstone, its keys, its media, and the tombstone again.

use dtg_core::{AssetDownloadTask, ContentManager, ItemId};
use fairplay_keys::{AssetId, KeyError, KeyUri, Released, Slot};

use crate::download::Downloads;
use crate::error::{Error, ErrorKind};
use crate::fair_play::{FairPlay, asset_of};

/// What was removed of an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Its keys, and what became of them.
    pub keys: Vec<(KeyUri, Released)>,
}

/// What a recovery did.
#[derive(Debug, Default)]
pub struct Recovery {
    /// The assets whose removal was finished.
    pub removed: Vec<ItemId>,
    /// Those whose removal failed again, each error with its asset: they are tried again with the next recovery.
    pub failed: Vec<Error>,
    /// Records of the key store that could not be read or finished, and why; they are as they were.
    pub unfinished: Vec<(Slot, KeyError)>,
}

/// Each step may be done again; what was begun is known by the tombstone.
pub(crate) fn remove(
    fair_play: Option<&FairPlay>,
    id: &ItemId,
    remove_media: impl FnOnce() -> Result<(), dtg_core::Error>,
) -> Result<Removed, Error> {
    let remove_media = || remove_media().map_err(ErrorKind::Media);
    let fault = |kind| Error::new(id.clone(), kind);
    let Some(fair_play) = fair_play else {
        remove_media().map_err(fault)?;
        return Ok(Removed::default());
    };
    let (engine, asset) = (&fair_play.engine, asset_of(id));
    engine.begin_removal(&asset).map_err(|error| fault(error.into()))?;
    let keys = engine.release(&asset).map_err(|error| fault(error.into()))?;
    remove_media().map_err(fault)?;
    engine.forget(&asset).map_err(|error| fault(error.into()))?;
    Ok(Removed { keys })
}

/// Finishes removals that were cut off; one that fails holds up no other.
pub(crate) fn recover(
    fair_play: Option<&FairPlay>,
    remove_media: impl Fn(&ItemId) -> Result<(), dtg_core::Error>,
) -> Result<Recovery, Error> {
    let Some(fair_play) = fair_play else { return Ok(Recovery::default()) };
    let found = fair_play.engine.recover().map_err(|error| Error::of_all(error.into()))?;
    let mut recovery = Recovery { unfinished: found.failed, ..Recovery::default() };
    for id in found.removing.into_iter().filter_map(item_of) {
        match remove(Some(fair_play), &id, || remove_media(&id)) {
            Ok(_) => recovery.removed.push(id),
            Err(error) => recovery.failed.push(error),
        }
    }
    Ok(recovery)
}

/// Assets of another origin than items have no media here.
fn item_of(asset: AssetId) -> Option<ItemId> {
    ItemId::new(asset.as_str()).ok()
}

/// Removes what either mechanism made.
pub(crate) fn remove_download(of: &Downloads<'_>, id: &ItemId) -> Result<(), dtg_core::Error> {
    remove_item(of.content, id)?;
    AssetDownloadTask::remove_at(id, of.assets.join(id.file_name()))
}

/// Removes an item; one that isn't there is removed.
pub(crate) fn remove_item(content: &ContentManager, id: &ItemId) -> Result<(), dtg_core::Error> {
    match content.remove_item(id) {
        Err(error) if matches!(error.kind(), dtg_core::ErrorKind::ItemNotFound) => Ok(()),
        removed => removed.map(drop),
    }
}
