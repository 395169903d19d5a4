//! After a crash: what was begun is finished.

use super::release::is_key;
use super::{Engine, Shared};
use crate::asset::AssetId;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::record::{KeyRecord, ReleaseRecord, ReleaseStage, Standing};
use crate::store::Slot;

impl Engine {
    /// Finishes what a crash cut off: keys that no asset wants are given up, buried keys are made unusable. May be called
    /// again at any time.
    ///
    /// Gives the assets whose removal was begun: once their media is gone, [`Engine::forget`] them.
    ///
    /// # Errors
    /// The store's errors.
    pub fn recover(&self) -> Result<Vec<AssetId>, KeyError> {
        let mut removing = Vec::new();
        let slots = self.0.parts.store.list()?;
        for slot in &slots {
            let Slot::Asset(asset) = slot else { continue };
            if self.0.asset(asset)?.is_some_and(|record| record.standing == Standing::Removing) {
                removing.push(asset.clone());
            }
        }
        for slot in slots {
            match slot {
                Slot::Key(key_uri) => self.0.drop_unwanted(&key_uri)?,
                Slot::Release(key_uri) => self.0.finish_release(&key_uri)?,
                Slot::Asset(_) | Slot::Clock => {}
            }
        }
        Ok(removing)
    }
}

impl Shared {
    /// Takes assets off a key that are not wanted, or not known.
    fn drop_unwanted(&self, key_uri: &KeyUri) -> Result<(), KeyError> {
        let Some((record, _)) = self.read_sound::<KeyRecord>(&Slot::Key(key_uri.clone()))? else {
            return Ok(());
        };
        for asset in &record.assets {
            if !self.is_wanted(asset)? {
                self.drop_key(asset, key_uri)?;
            }
        }
        Ok(())
    }

    /// A buried key that is stored still, and wanted, comes back; any other is made unusable.
    fn finish_release(&self, key_uri: &KeyUri) -> Result<(), KeyError> {
        if let Some((record, _)) = self.read_sound::<KeyRecord>(&Slot::Key(key_uri.clone()))? {
            let stored = record.key.fingerprint();
            self.settle(key_uri, |stage| is_key(stage, stored))?;
        }
        let slot = Slot::Release(key_uri.clone());
        let has_keys = self.read_sound::<ReleaseRecord>(&slot)?.is_some_and(|(record, _)| {
            record.stages.iter().any(|stage| matches!(stage, ReleaseStage::Invalidate { .. }))
        });
        if has_keys {
            self.invalidate(key_uri)?;
        }
        Ok(())
    }
}
