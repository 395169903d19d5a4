//! After a crash: what was begun is finished.

use super::{Engine, Released, Shared};
use crate::asset::AssetId;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::record::{AssetRecord, KeyRecord, Standing};
use crate::store::Slot;

/// What a recovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The assets whose removal was begun: once their media are gone, [`Engine::forget`] them.
    pub removing: Vec<AssetId>,
    /// Records that could not be read or finished, and why; they are as they were, and all others are done.
    pub failed: Vec<(Slot, KeyError)>,
}

impl Engine {
    /// Finishes what a crash cut off: keys that no asset wants are given up, buried keys are made unusable. May be called
    /// again at any time.
    ///
    /// # Errors
    /// The store cannot be listed. What goes wrong with one record is in the result.
    pub fn recover(&self) -> Result<Recovered, KeyError> {
        let mut slots = self.0.parts.store.list()?;
        // An asset that is given up takes its keys along, and they leave tombstones.
        slots.sort_by_key(|slot| match slot {
            Slot::Asset(_) => 0,
            Slot::Key(_) => 1,
            Slot::Release(_) => 2,
            Slot::Clock => 3,
        });
        let mut recovered = Recovered::default();
        for slot in slots {
            match self.0.recover(&slot) {
                Ok(removing) => recovered.removing.extend(removing),
                Err(error) => recovered.failed.push((slot, error)),
            }
        }
        Ok(recovered)
    }
}

impl Shared {
    /// Gives the asset, where its media are to go.
    fn recover(&self, slot: &Slot) -> Result<Option<AssetId>, KeyError> {
        match slot {
            Slot::Asset(asset) => return self.recover_asset(asset),
            Slot::Key(key_uri) => self.drop_unwanted(key_uri)?,
            Slot::Release(key_uri) => {
                self.bring_back(key_uri)?;
                self.invalidate(key_uri)?;
            }
            Slot::Clock => {}
        }
        Ok(None)
    }

    fn recover_asset(&self, asset: &AssetId) -> Result<Option<AssetId>, KeyError> {
        match self.asset(asset)?.map(|record| record.standing) {
            Some(Standing::Removing) => Ok(Some(asset.clone())),
            Some(Standing::Releasing) => {
                for (key_uri, released) in self.drop_keys_of(asset)? {
                    self.finished(&key_uri, released)?;
                }
                Ok(None)
            }
            Some(Standing::Wanted) | None => Ok(None),
        }
    }

    /// Takes assets off a key that are not wanted, or not known, or have all the keys that they need without it.
    fn drop_unwanted(&self, key_uri: &KeyUri) -> Result<(), KeyError> {
        let mut released = Released::Shared;
        {
            let _standings = self.standings();
            let record = self.read_sound::<KeyRecord>(&Slot::Key(key_uri.clone()))?;
            for asset in record.map(|(record, _)| record.assets).unwrap_or_default() {
                if !self.needs(&asset, key_uri)? {
                    released = self.drop_key(&asset, key_uri)?;
                }
            }
        }
        self.finished(key_uri, released).map(drop)
    }

    fn needs(&self, asset: &AssetId, key_uri: &KeyUri) -> Result<bool, KeyError> {
        let Some(AssetRecord { keys, standing: Standing::Wanted }) = self.asset(asset)? else {
            return Ok(false);
        };
        // The keys of an earlier plan are of use until those of the later one are there.
        Ok(keys.contains(key_uri) || !self.holds_all(asset, &keys)?)
    }
}
