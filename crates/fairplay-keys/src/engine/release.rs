//! Giving keys up: gone here at once, and the server is told when it can be.

use super::ledger::Change;
use super::{Engine, KeyEvent, Shared};
use crate::asset::AssetId;
use crate::certificate::Certificate;
use crate::container::Spc;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::provider::{LicenseService, LicenseUrl};
use crate::record::{AssetRecord, KeyRecord, ReleaseRecord, ReleaseStage, ReleaseStep, Standing};
use crate::secret::{Fingerprint, SecretBytes};
use crate::store::{Slot, StoreError};
use crate::system::{Invalidation, SystemFault};
use crate::time::{Cancel, Timestamp};

/// What became of a key that an asset gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Released {
    /// Other assets use it still.
    Shared,
    /// It is gone; the proof for the server waits, or the platform has to make it yet.
    Queued,
    /// It is gone, and there is no proof.
    Gone,
}

/// A proof that waits to be handed over: one for each time that a key was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRelease {
    /// The key's URI.
    pub key_uri: KeyUri,
    /// Which key it was.
    pub key: Fingerprint,
    /// The asset that gave it up.
    pub asset: AssetId,
    /// When.
    pub since: Timestamp,
    /// Where its license came from; `None` for an imported key, and for one of a store of an early version.
    pub service: Option<LicenseUrl>,
}

impl Engine {
    /// Records that an asset is being removed, its media too: from here on it gets no keys, and [`Engine::recover`] names it
    /// until it is forgotten. May be called again.
    ///
    /// # Errors
    /// The store's errors. Where there is no store there is nothing to record.
    pub fn begin_removal(&self, asset: &AssetId) -> Result<(), KeyError> {
        let _standings = self.0.standings();
        without_a_store(self.0.stand(asset, Standing::Removing).map(drop))
    }

    /// Gives up the keys of an asset; those that other assets use stay. It needs neither its media nor a network, and may
    /// be called again. The asset is forgotten with its keys, unless its removal was begun. What is cut off is finished by
    /// [`Engine::recover`]; until then the asset gets no keys.
    ///
    /// # Errors
    /// The store's errors. Where there is no store there are no keys.
    pub fn release(&self, asset: &AssetId) -> Result<Vec<(KeyUri, Released)>, KeyError> {
        let dropped = without_a_store(self.0.drop_keys_of(asset))?;
        let finish = |(key_uri, released)| {
            let released = self.0.finished(&key_uri, released)?;
            Ok((key_uri, released))
        };
        dropped.into_iter().map(finish).collect()
    }

    /// Forgets an asset whose keys were given up: the end of its removal. May be called again; an asset that is not being
    /// removed is kept.
    ///
    /// # Errors
    /// The store's errors.
    pub fn forget(&self, asset: &AssetId) -> Result<(), KeyError> {
        let _standings = self.0.standings();
        self.0.forget(asset, &[Standing::Removing, Standing::Releasing])
    }

    /// The proofs that wait to be handed over, or to be made. Records that cannot be read are left out, with an event.
    ///
    /// # Errors
    /// The store's errors.
    pub fn pending_releases(&self) -> Result<Vec<PendingRelease>, KeyError> {
        let mut pending = Vec::new();
        for slot in self.0.parts.store.list()? {
            let Slot::Release(key_uri) = &slot else { continue };
            let record = self.0.read_or_tell::<ReleaseRecord>(&slot)?.unwrap_or_default();
            pending.extend(record.stages.into_iter().map(|stage| {
                let ReleaseStage { key, asset, since, service, .. } = stage;
                PendingRelease { key_uri: key_uri.clone(), key, asset, since, service }
            }));
        }
        Ok(pending)
    }

    /// Hands a proof over to a license service, and forgets it once that has taken it, as the service's own reply rules say;
    /// fine when it was handed over before. A proof that could not be made yet is made first.
    ///
    /// # Errors
    /// Why the platform has not made it, or the service has not taken it: it waits on.
    pub fn deliver_release(
        &self,
        release: &PendingRelease,
        service: &LicenseService,
        cancel: &Cancel,
    ) -> Result<(), KeyError> {
        let PendingRelease { key_uri, key, .. } = release;
        self.0.bring_back(key_uri)?;
        let Some(stage) = self.0.stage(key_uri, *key)? else { return Ok(()) };
        let proof = match &stage.step {
            ReleaseStep::Prove(proof) => Some(proof.clone()),
            ReleaseStep::Invalidate { .. } => self.0.make_unusable(key_uri, &stage)?,
        };
        let Some(proof) = proof else { return Ok(()) };
        let sent = self.0.prove(&Spc::new(proof.expose()), (&stage.asset, key_uri), service, cancel);
        sent.map_err(|error| error.of(key_uri))?;
        self.0.change_stages(key_uri, |stages| {
            stages.retain(|stage| stage.key != *key || stage.step != ReleaseStep::Prove(proof.clone()));
        })
    }
}

/// Without a store there are no keys to give up.
fn without_a_store<T: Default>(done: Result<T, KeyError>) -> Result<T, KeyError> {
    match done {
        Err(error) if *error.kind() == KeyErrorKind::Store(StoreError::NoStore) => Ok(T::default()),
        done => done,
    }
}

/// Whether the platform will never make a proof for a key; anything else may pass.
const fn is_final(fault: &SystemFault) -> bool {
    matches!(
        fault,
        SystemFault::KeyExpired
            | SystemFault::KeyRetired
            | SystemFault::KeyInvalid
            | SystemFault::Unsupported
    )
}

impl Shared {
    /// Records how an asset stands that is not wanted any more; a removal stays one. Called with the standings held, as all
    /// here that changes who holds a key.
    fn stand(&self, asset: &AssetId, standing: Standing) -> Result<(), KeyError> {
        let held = self.keys_of(asset)?;
        self.change::<AssetRecord>(&Slot::Asset(asset.clone()), |stored| match stored {
            Some(record) if record.standing == Standing::Removing => Ok(Change::Keep),
            None if standing == Standing::Releasing && held.is_empty() => Ok(Change::Keep),
            stored => {
                let keys = stored.map_or_else(|| held.clone(), |record| record.keys.clone());
                Ok(Change::Put(AssetRecord { keys, standing }))
            }
        })?;
        Ok(())
    }

    fn forget(&self, asset: &AssetId, standings: &[Standing]) -> Result<(), KeyError> {
        self.change::<AssetRecord>(&Slot::Asset(asset.clone()), |stored| {
            let is_over = stored.is_some_and(|record| standings.contains(&record.standing));
            Ok(if is_over { Change::Remove } else { Change::Keep })
        })?;
        Ok(())
    }

    /// The keys of an asset go, and the asset with them: first its standing, last its record, so that a crash anywhere leaves
    /// what [`Engine::recover`] finishes.
    pub(super) fn drop_keys_of(&self, asset: &AssetId) -> Result<Vec<(KeyUri, Released)>, KeyError> {
        let _standings = self.standings();
        self.stand(asset, Standing::Releasing)?;
        let keys = self.keys_of(asset)?;
        let drop_key = |key: KeyUri| self.drop_key(asset, &key).map(|released| (key, released));
        let dropped = keys.into_iter().map(drop_key).collect::<Result<_, KeyError>>()?;
        self.forget(asset, &[Standing::Releasing])?;
        Ok(dropped)
    }

    /// Takes the asset off a key; the last asset's key goes, and leaves a tombstone, which comes first. What is buried has to
    /// be made unusable by [`Shared::finished`].
    pub(super) fn drop_key(&self, asset: &AssetId, key_uri: &KeyUri) -> Result<Released, KeyError> {
        let mut buried: Option<Fingerprint> = None;
        let mut released = Released::Gone;
        self.change_key(key_uri, |stored| {
            if let Some(old) = buried.take() {
                self.unbury(key_uri, old)?;
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
            buried = Some(self.bury(asset, key_uri, record)?);
            Ok(Change::Remove)
        })?;
        if released != Released::Shared {
            self.drop_update_of(key_uri);
        }
        Ok(released)
    }

    /// The end of giving a key up: what is buried is made unusable.
    pub(super) fn finished(&self, key_uri: &KeyUri, released: Released) -> Result<Released, KeyError> {
        if released == Released::Queued { self.invalidate(key_uri) } else { Ok(released) }
    }

    /// A key that is buried already, as by a try that was cut off, is not buried twice.
    fn bury(&self, asset: &AssetId, key_uri: &KeyUri, record: KeyRecord) -> Result<Fingerprint, KeyError> {
        let since = self.moment().at;
        let KeyRecord { key, certificate, service, .. } = record;
        let key = self.unsaved_update_of(key_uri).unwrap_or(key);
        let stage = ReleaseStage {
            key: key.fingerprint(),
            asset: asset.clone(),
            since,
            service,
            step: ReleaseStep::Invalidate { key, certificate },
        };
        self.change::<ReleaseRecord>(&Slot::Release(key_uri.clone()), |stored| {
            let mut record = stored.cloned().unwrap_or_default();
            record.stages.retain(|other| other.key != stage.key);
            record.stages.push(stage.clone());
            Ok(Change::Put(record))
        })?;
        Ok(stage.key)
    }

    /// Has the platform make buried keys unusable; the proofs take their place. What may pass is tried again with the delivery.
    pub(super) fn invalidate(&self, key_uri: &KeyUri) -> Result<Released, KeyError> {
        let record = self.read_sound::<ReleaseRecord>(&Slot::Release(key_uri.clone()))?;
        let mut released = Released::Gone;
        for stage in record.map(|(record, _)| record.stages).unwrap_or_default() {
            if matches!(stage.step, ReleaseStep::Prove(_)) {
                continue;
            }
            released = match self.make_unusable(key_uri, &stage) {
                Ok(None) => Released::Gone,
                Ok(Some(_)) => Released::Queued,
                Err(error) if matches!(error.kind(), KeyErrorKind::System(_)) => {
                    self.event(KeyEvent::InvalidationWaits(key_uri.clone(), error));
                    Released::Queued
                }
                Err(error) => return Err(error),
            };
        }
        Ok(released)
    }

    /// The proof of one buried key, which takes its place; `None` where there will never be one: then it is forgotten.
    fn make_unusable(&self, key_uri: &KeyUri, stage: &ReleaseStage) -> Result<Option<SecretBytes>, KeyError> {
        // A key whose removal was cut off is still stored, and may be wanted again.
        if self.sound_key(key_uri)?.is_some_and(|record| record.key.fingerprint() == stage.key) {
            return Ok(None);
        }
        let proof = self.proof_of(key_uri, &stage.step)?;
        self.change_stages(key_uri, |stages| {
            let at = stages.iter().position(|other| other == stage);
            match (&proof, at.and_then(|at| stages.get_mut(at))) {
                (Some(proof), Some(stage)) => stage.step = ReleaseStep::Prove(proof.clone()),
                (None, Some(_)) => stages.retain(|other| other != stage),
                (_, None) => {}
            }
        })?;
        Ok(proof)
    }

    fn proof_of(&self, key_uri: &KeyUri, step: &ReleaseStep) -> Result<Option<SecretBytes>, KeyError> {
        let ReleaseStep::Invalidate { key, certificate } = step else { return Ok(None) };
        if self.parts.system.capabilities().invalidation == Invalidation::Unknown {
            return Ok(None);
        }
        let certificate = certificate.as_deref().map(Certificate::from_bytes);
        let Some(Ok(certificate)) = certificate else { return Ok(None) };
        match self.parts.system.invalidate(key, &certificate, None) {
            Ok(proof) => Ok(Some(SecretBytes::new(proof.expose()))),
            Err(error) if matches!(error.kind(), KeyErrorKind::System(fault) if is_final(fault)) => {
                self.event(KeyEvent::NotInvalidated(key_uri.clone(), error));
                Ok(None)
            }
            Err(error) => Err(error.of(key_uri)),
        }
    }

    /// A buried key that is stored still, since its removal was cut off, comes back.
    pub(super) fn bring_back(&self, key_uri: &KeyUri) -> Result<(), KeyError> {
        let _standings = self.standings();
        match self.sound_key(key_uri)? {
            Some(record) => self.unbury(key_uri, record.key.fingerprint()),
            None => Ok(()),
        }
    }

    fn unbury(&self, key_uri: &KeyUri, key: Fingerprint) -> Result<(), KeyError> {
        let is_it =
            |stage: &ReleaseStage| stage.key == key && matches!(stage.step, ReleaseStep::Invalidate { .. });
        self.change_stages(key_uri, |stages| stages.retain(|stage| !is_it(stage)))
    }

    fn stage(&self, key_uri: &KeyUri, key: Fingerprint) -> Result<Option<ReleaseStage>, KeyError> {
        let record = self.read_sound::<ReleaseRecord>(&Slot::Release(key_uri.clone()))?;
        Ok(record.and_then(|(record, _)| record.stages.into_iter().find(|stage| stage.key == key)))
    }

    fn change_stages(
        &self,
        key_uri: &KeyUri,
        change: impl Fn(&mut Vec<ReleaseStage>),
    ) -> Result<(), KeyError> {
        self.change::<ReleaseRecord>(&Slot::Release(key_uri.clone()), |stored| {
            let Some(record) = stored else { return Ok(Change::Keep) };
            let mut stages = record.stages.clone();
            change(&mut stages);
            Ok(match stages.is_empty() {
                true => Change::Remove,
                false if stages == record.stages => Change::Keep,
                false => Change::Put(ReleaseRecord { stages }),
            })
        })?;
        Ok(())
    }

    pub(super) fn is_wanted(&self, asset: &AssetId) -> Result<bool, KeyError> {
        Ok(self.asset(asset)?.is_some_and(|record| record.standing == Standing::Wanted))
    }
}
