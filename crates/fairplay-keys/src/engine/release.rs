//! Giving keys up: gone here at once, and the server is told when it can be.

use super::ledger::Change;
use super::{Engine, KeyEvent, LicenseSource, Shared, Wanted};
use crate::asset::AssetId;
use crate::certificate::Certificate;
use crate::container::Spc;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::record::{AssetRecord, KeyRecord, ReleaseRecord, ReleaseStage, Standing};
use crate::secret::{Fingerprint, PersistableKey, SecretBytes};
use crate::store::Slot;
use crate::system::Invalidation;
use crate::time::{Cancel, Timestamp};

/// What became of a key that an asset gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Released {
    /// Other assets use it still.
    Shared,
    /// It is gone; the proof for the server waits.
    Queued,
    /// It is gone, and there is no proof.
    Gone,
}

/// A proof that waits to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRelease {
    /// The key.
    pub key_uri: KeyUri,
    /// The asset that gave it up.
    pub asset: AssetId,
    /// When.
    pub since: Timestamp,
}

impl Engine {
    /// Records that an asset is being removed: from here on it gets no keys, and [`Engine::recover`] names it until it is
    /// forgotten. May be called again.
    ///
    /// # Errors
    /// The store's errors.
    pub fn begin_removal(&self, asset: &AssetId) -> Result<(), KeyError> {
        let keys = self.0.keys_of(asset)?;
        self.0.change::<AssetRecord>(&Slot::Asset(asset.clone()), |stored| {
            let keys = stored.map_or_else(|| keys.clone(), |record| record.keys.clone());
            Ok(Change::Put(AssetRecord { keys, standing: Standing::Removing }))
        })?;
        Ok(())
    }

    /// Gives up the keys of an asset; those that other assets use stay. It needs neither its media nor a network, and may
    /// be called again.
    ///
    /// # Errors
    /// The store's errors: the keys are as they were, or gone.
    pub fn release(&self, asset: &AssetId) -> Result<Vec<(KeyUri, Released)>, KeyError> {
        self.begin_removal(asset)?;
        let keys = self.0.keys_of(asset)?;
        keys.into_iter().map(|key| self.0.drop_key(asset, &key).map(|released| (key, released))).collect()
    }

    /// Forgets an asset whose keys were given up: the end of its removal. May be called again.
    ///
    /// # Errors
    /// The store's errors.
    pub fn forget(&self, asset: &AssetId) -> Result<(), KeyError> {
        self.0.change::<AssetRecord>(&Slot::Asset(asset.clone()), |stored| {
            Ok(if stored.is_some() { Change::Remove } else { Change::Keep })
        })?;
        Ok(())
    }

    /// The proofs that wait to be handed over.
    ///
    /// # Errors
    /// The store's errors.
    pub fn pending_releases(&self) -> Result<Vec<PendingRelease>, KeyError> {
        let mut pending = Vec::new();
        for slot in self.0.parts.store.list()? {
            let Slot::Release(key_uri) = &slot else { continue };
            if let Some((record, _)) = self.0.read_sound::<ReleaseRecord>(&slot)? {
                let ReleaseRecord { asset, since, .. } = record;
                pending.push(PendingRelease { key_uri: key_uri.clone(), asset, since });
            }
        }
        Ok(pending)
    }

    /// Hands the proofs of a key over to the license service, and forgets those that it took; fine when there are none.
    ///
    /// # Errors
    /// Why the service has not taken one: it waits on.
    pub fn deliver_release(
        &self,
        key_uri: &KeyUri,
        license: &LicenseSource,
        cancel: &Cancel,
    ) -> Result<(), KeyError> {
        let slot = Slot::Release(key_uri.clone());
        self.0.invalidate(key_uri)?;
        let Some((record, _)) = self.0.read_sound::<ReleaseRecord>(&slot)? else { return Ok(()) };
        for stage in record.stages {
            let ReleaseStage::Prove(proof) = stage else { continue };
            let wanted = Wanted { asset: &record.asset, key_uri, license };
            self.0.prove(&Spc::new(proof.expose()), wanted, cancel).map_err(|error| error.of(key_uri))?;
            self.0.settle(key_uri, |stage| matches!(stage, ReleaseStage::Prove(other) if *other == proof))?;
        }
        Ok(())
    }
}

impl Shared {
    /// Takes the asset off a key; the last asset's key goes. The tombstone comes first, so that a crash anywhere leaves
    /// something that [`Engine::recover`] finishes.
    pub(super) fn drop_key(&self, asset: &AssetId, key_uri: &KeyUri) -> Result<Released, KeyError> {
        let mut buried: Option<Fingerprint> = None;
        let mut released = Released::Gone;
        self.change_key(key_uri, |stored| {
            if let Some(old) = buried.take() {
                self.settle(key_uri, |stage| is_key(stage, old))?;
            }
            let Some(record) = stored.filter(|record| record.assets.contains(asset)) else {
                released = if stored.is_some() { Released::Shared } else { Released::Gone };
                return Ok(Change::Keep);
            };
            let mut record = record.clone();
            record.assets.remove(asset);
            if !record.assets.is_empty() {
                released = Released::Shared;
                return Ok(Change::Put(record));
            }
            released = Released::Queued;
            buried = Some(record.key.fingerprint());
            self.bury(asset, key_uri, record)?;
            Ok(Change::Remove)
        })?;
        if released != Released::Shared {
            self.drop_update_of(key_uri);
        }
        match released {
            Released::Queued => self.invalidate(key_uri),
            Released::Shared | Released::Gone => Ok(released),
        }
    }

    fn bury(&self, asset: &AssetId, key_uri: &KeyUri, record: KeyRecord) -> Result<(), KeyError> {
        let since = self.moment().at;
        let KeyRecord { key, certificate, .. } = record;
        let key = self.unsaved_update_of(key_uri).unwrap_or(key);
        self.change::<ReleaseRecord>(&Slot::Release(key_uri.clone()), |stored| {
            let mut stages = stored.map(|record| record.stages.clone()).unwrap_or_default();
            stages.push(ReleaseStage::Invalidate { key: key.clone(), certificate: certificate.clone() });
            Ok(Change::Put(ReleaseRecord { asset: asset.clone(), since, stages }))
        })?;
        Ok(())
    }

    /// Has the platform make buried keys unusable; the proofs take their place.
    pub(super) fn invalidate(&self, key_uri: &KeyUri) -> Result<Released, KeyError> {
        let slot = Slot::Release(key_uri.clone());
        let Some((record, _)) = self.read_sound::<ReleaseRecord>(&slot)? else { return Ok(Released::Gone) };
        // A key whose removal was cut off is still stored, and may be wanted again.
        let kept = self.sound_key(key_uri)?.map(|record| record.key.fingerprint());
        let mut released = Released::Queued;
        for stage in record.stages {
            let ReleaseStage::Invalidate { key, certificate } = stage else { continue };
            if kept == Some(key.fingerprint()) {
                continue;
            }
            let proof = self.proof_of(key_uri, &key, certificate.as_deref());
            if proof.is_none() {
                released = Released::Gone;
            }
            self.replace_stage(key_uri, key.fingerprint(), proof)?;
        }
        Ok(released)
    }

    fn proof_of(
        &self,
        key_uri: &KeyUri,
        key: &PersistableKey,
        certificate: Option<&[u8]>,
    ) -> Option<SecretBytes> {
        if self.parts.system.capabilities().invalidation == Invalidation::Unknown {
            return None;
        }
        let certificate = Certificate::from_bytes(certificate?).ok()?;
        match self.parts.system.invalidate(key, &certificate, None) {
            Ok(proof) => Some(SecretBytes::new(proof.expose())),
            Err(error) => {
                self.event(KeyEvent::NotInvalidated(key_uri.clone(), error));
                None
            }
        }
    }

    fn replace_stage(
        &self,
        key_uri: &KeyUri,
        key: Fingerprint,
        proof: Option<SecretBytes>,
    ) -> Result<(), KeyError> {
        self.change_stages(key_uri, |stages| {
            let proof = proof.clone().map(ReleaseStage::Prove);
            let replaced = |stage| if is_key(&stage, key) { proof.clone() } else { Some(stage) };
            stages.into_iter().filter_map(replaced).collect()
        })
    }

    /// Forgets the stages that are done with.
    pub(super) fn settle(
        &self,
        key_uri: &KeyUri,
        is_done: impl Fn(&ReleaseStage) -> bool,
    ) -> Result<(), KeyError> {
        self.change_stages(key_uri, |stages| stages.into_iter().filter(|stage| !is_done(stage)).collect())
    }

    fn change_stages(
        &self,
        key_uri: &KeyUri,
        change: impl Fn(Vec<ReleaseStage>) -> Vec<ReleaseStage>,
    ) -> Result<(), KeyError> {
        self.change::<ReleaseRecord>(&Slot::Release(key_uri.clone()), |stored| {
            let Some(record) = stored else { return Ok(Change::Keep) };
            let stages = change(record.stages.clone());
            let remains = !stages.is_empty();
            Ok(if remains { Change::Put(ReleaseRecord { stages, ..record.clone() }) } else { Change::Remove })
        })?;
        Ok(())
    }

    pub(super) fn is_wanted(&self, asset: &AssetId) -> Result<bool, KeyError> {
        Ok(self.asset(asset)?.is_some_and(|record| record.standing == Standing::Wanted))
    }
}

pub(super) fn is_key(stage: &ReleaseStage, of: Fingerprint) -> bool {
    matches!(stage, ReleaseStage::Invalidate { key, .. } if key.fingerprint() == of)
}
