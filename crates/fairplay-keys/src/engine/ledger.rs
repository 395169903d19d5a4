//! Records, read and changed under compare-and-swap.

use super::{KeyEvent, Shared};
use crate::asset::AssetId;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::record::{AssetRecord, KeyRecord, ReleaseRecord};
use crate::secret::SecretBytes;
use crate::store::{Generation, Slot, StoreError};

/// A record that others change each time that it is to be changed is given up after so many tries.
const TRIES: u32 = 64;

/// A record that can be written down.
pub(super) trait Record: Sized {
    fn encode(&self) -> SecretBytes;
    fn decode(bytes: &SecretBytes) -> Result<Self, KeyError>;
}

/// What becomes of a record.
#[derive(Debug)]
pub(super) enum Change<R> {
    Put(R),
    Remove,
    Keep,
}

macro_rules! record {
    ($($record:ty),*) => {$(
        impl Record for $record {
            fn encode(&self) -> SecretBytes {
                Self::encode(self)
            }

            fn decode(bytes: &SecretBytes) -> Result<Self, KeyError> {
                Self::decode(bytes)
            }
        }
    )*};
}

record!(KeyRecord, AssetRecord, ReleaseRecord);

impl Shared {
    pub(super) fn read<R: Record>(&self, slot: &Slot) -> Result<Option<(R, Generation)>, KeyError> {
        let stored = self.parts.store.get(slot)?;
        stored.map(|stored| Ok((R::decode(&stored.record)?, stored.generation))).transpose()
    }

    /// The same; a damaged record, which the store has put aside, is none.
    pub(super) fn read_sound<R: Record>(&self, slot: &Slot) -> Result<Option<(R, Generation)>, KeyError> {
        match self.read(slot) {
            Err(error) if matches!(error.kind(), KeyErrorKind::Store(StoreError::Corrupt { .. })) => Ok(None),
            read => read,
        }
    }

    /// The same, where all records are gone through: one that cannot be read is told of, and keeps nobody from the others.
    pub(super) fn read_or_tell<R: Record>(&self, slot: &Slot) -> Result<Option<R>, KeyError> {
        match self.read_sound(slot) {
            Err(error) if matches!(error.kind(), KeyErrorKind::Record(_)) => {
                self.event(KeyEvent::Unreadable(slot.clone(), error));
                Ok(None)
            }
            read => Ok(read?.map(|(record, _)| record)),
        }
    }

    /// Changes a record, again when others changed it meanwhile; gives the record that was there last.
    pub(super) fn change<R: Record>(
        &self,
        slot: &Slot,
        mut decide: impl FnMut(Option<&R>) -> Result<Change<R>, KeyError>,
    ) -> Result<Option<R>, KeyError> {
        let mut tries = 0;
        loop {
            let read = self.read_sound::<R>(slot)?;
            let (before, generation) =
                read.map_or((None, Generation::ABSENT), |(record, at)| (Some(record), at));
            let written = match decide(before.as_ref())? {
                Change::Put(record) => self.parts.store.put(slot, &record.encode(), generation).map(drop),
                Change::Remove => self.parts.store.remove(slot, generation),
                Change::Keep => Ok(()),
            };
            match written {
                Ok(()) => return Ok(before),
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A stored key, as the platform left it.
    pub(super) fn key(&self, key_uri: &KeyUri) -> Result<Option<(KeyRecord, Generation)>, KeyError> {
        self.save_update_of(key_uri);
        let Some((mut record, generation)) = self.read::<KeyRecord>(&Slot::Key(key_uri.clone()))? else {
            return Ok(None);
        };
        if let Some(key) = self.unsaved_update_of(key_uri) {
            record.key = key;
        }
        Ok(Some((record, generation)))
    }

    /// The same; a damaged record is none.
    pub(super) fn sound_key(&self, key_uri: &KeyUri) -> Result<Option<KeyRecord>, KeyError> {
        match self.key(key_uri) {
            Err(error) if matches!(error.kind(), KeyErrorKind::Store(StoreError::Corrupt { .. })) => Ok(None),
            read => Ok(read?.map(|(record, _)| record)),
        }
    }

    pub(super) fn change_key(
        &self,
        key_uri: &KeyUri,
        decide: impl FnMut(Option<&KeyRecord>) -> Result<Change<KeyRecord>, KeyError>,
    ) -> Result<Option<KeyRecord>, KeyError> {
        self.change(&Slot::Key(key_uri.clone()), decide).map_err(|error| error.of(key_uri))
    }

    pub(super) fn asset(&self, asset: &AssetId) -> Result<Option<AssetRecord>, KeyError> {
        Ok(self.read_sound(&Slot::Asset(asset.clone()))?.map(|(record, _)| record))
    }

    /// Every key that names the asset, found by looking at all.
    pub(super) fn keys_of(&self, asset: &AssetId) -> Result<Vec<KeyUri>, KeyError> {
        let mut keys = Vec::new();
        for slot in self.parts.store.list()? {
            let Slot::Key(key_uri) = &slot else { continue };
            if self.read_or_tell::<KeyRecord>(&slot)?.is_some_and(|record| record.assets.contains(asset)) {
                keys.push(key_uri.clone());
            }
        }
        Ok(keys)
    }

    /// Whether all these keys are stored, and the asset's.
    pub(super) fn holds_all(&self, asset: &AssetId, keys: &[KeyUri]) -> Result<bool, KeyError> {
        for key_uri in keys {
            let record = self.sound_key(key_uri)?;
            if !record.is_some_and(|record| record.assets.contains(asset)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn not_stored(&self, key_uri: &KeyUri, error: KeyError) {
        self.event(KeyEvent::UpdateNotStored(key_uri.clone(), error));
    }
}
