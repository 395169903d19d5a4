//! Removing an asset: a tombstone, its keys, its media, and the tombstone again.

use dtg_core::{ContentManager, ItemId};
use fairplay_keys::{AssetId, KeyUri, Released};

use crate::error::{Error, ErrorKind};
use crate::fair_play::{FairPlay, asset_of};

/// What was removed of an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Its keys, and what became of them.
    pub keys: Vec<(KeyUri, Released)>,
}

/// Each step may be done again; what was begun is known by the tombstone.
pub(crate) fn remove(
    fair_play: Option<&FairPlay>,
    content: &ContentManager,
    id: &ItemId,
) -> Result<Removed, Error> {
    let fault = |kind| Error::new(id.clone(), kind);
    let Some(fair_play) = fair_play else {
        remove_media(content, id).map_err(fault)?;
        return Ok(Removed::default());
    };
    let (engine, asset) = (&fair_play.engine, asset_of(id));
    // Without a key store there are no keys, nor a place for a tombstone.
    let keys = match engine.release(&asset) {
        Err(error) if is_no_store(&error) => Vec::new(),
        released => released.map_err(|error| fault(error.into()))?,
    };
    remove_media(content, id).map_err(fault)?;
    engine.forget(&asset).map_err(|error| fault(error.into()))?;
    Ok(Removed { keys })
}

/// Finishes removals that were cut off.
pub(crate) fn recover(fair_play: Option<&FairPlay>, content: &ContentManager) -> Result<Vec<ItemId>, Error> {
    let Some(fair_play) = fair_play else { return Ok(Vec::new()) };
    let removing = fair_play.engine.recover().map_err(|error| Error::of_all(error.into()))?;
    removing
        .into_iter()
        .filter_map(item_of)
        .map(|id| remove(Some(fair_play), content, &id).map(|_| id))
        .collect()
}

/// Assets of another origin than items have no media here.
fn item_of(asset: AssetId) -> Option<ItemId> {
    ItemId::new(asset.as_str()).ok()
}

fn remove_media(content: &ContentManager, id: &ItemId) -> Result<(), ErrorKind> {
    match content.remove_item(id) {
        Err(error) if !matches!(error.kind(), dtg_core::ErrorKind::ItemNotFound) => {
            Err(ErrorKind::Media(error))
        }
        _ => Ok(()),
    }
}

fn is_no_store(error: &fairplay_keys::KeyError) -> bool {
    use fairplay_keys::{KeyErrorKind, StoreError};
    matches!(error.kind(), KeyErrorKind::Store(StoreError::NoStore))
}
