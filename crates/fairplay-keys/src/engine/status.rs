//! What is known of stored keys, and which are due to be renewed.

use super::{Engine, Shared};
use crate::asset::AssetId;
use crate::expiry::{due_at, expiration};
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::record::{KeyRecord, Standing};
use crate::store::Slot;
use crate::terms::ExpirationInfo;
use crate::time::Timestamp;

/// What is known of an asset's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetStatus {
    /// The asset.
    pub asset: AssetId,
    /// Its keys.
    pub keys: Vec<KeyStatus>,
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key.
    pub key_uri: KeyUri,
    /// What is left of its time; `None`: it is not stored.
    pub expiration: Option<ExpirationInfo>,
}

/// A key that should be renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueKey {
    /// The key.
    pub key_uri: KeyUri,
    /// The assets that use it.
    pub assets: Vec<AssetId>,
    /// Since when.
    pub since: Timestamp,
    /// What is left of its time.
    pub expiration: ExpirationInfo,
}

impl AssetStatus {
    /// Whether all keys are stored and none has expired.
    #[must_use]
    pub fn is_playable(&self) -> bool {
        self.keys.iter().all(|key| key.expiration.is_some_and(|info| !info.is_expired()))
    }

    /// The expiration of the key that ends first; `None` where none is stored.
    #[must_use]
    pub fn expiration(&self) -> Option<ExpirationInfo> {
        let ends = |info: &ExpirationInfo| info.not_after.unwrap_or(Timestamp(i64::MAX));
        self.keys.iter().filter_map(|key| key.expiration).min_by_key(ends)
    }
}

impl Engine {
    /// What is known of an asset's keys; `None` for an asset that has none, or is being removed.
    ///
    /// # Errors
    /// The store's errors.
    pub fn status(&self, asset: &AssetId) -> Result<Option<AssetStatus>, KeyError> {
        let Some(record) = self.0.asset(asset)?.filter(|record| record.standing == Standing::Wanted) else {
            return Ok(None);
        };
        let moment = self.0.moment();
        let status = |key_uri: KeyUri| {
            let stored = self.0.sound_key(&key_uri)?;
            Ok(KeyStatus { key_uri, expiration: stored.map(|record| expiration(&record, moment)) })
        };
        let keys = record.keys.into_iter().map(status).collect::<Result<_, KeyError>>()?;
        Ok(Some(AssetStatus { asset: asset.clone(), keys }))
    }

    /// The stored keys that should be renewed by this time, the most urgent first; a later time than now plans ahead.
    /// Records that cannot be read are left out, with an event.
    ///
    /// # Errors
    /// The store's errors.
    pub fn due(&self, by: Timestamp) -> Result<Vec<DueKey>, KeyError> {
        let mut due = Vec::new();
        for slot in self.0.parts.store.list()? {
            if let Slot::Key(key_uri) = &slot {
                let record = self.0.read_or_tell::<KeyRecord>(&slot)?;
                due.extend(record.and_then(|record| self.0.due_key(key_uri, record, by)));
            }
        }
        due.sort_by_key(|key: &DueKey| key.expiration.not_after);
        Ok(due)
    }
}

impl Shared {
    fn due_key(&self, key_uri: &KeyUri, record: KeyRecord, by: Timestamp) -> Option<DueKey> {
        let moment = self.moment();
        let info = expiration(&record, moment);
        let since = due_at(key_uri, &record)
            .filter(|since| *since <= by.max(moment.at) && info.not_after.is_some())?;
        Some(DueKey {
            key_uri: key_uri.clone(),
            assets: record.assets.into_iter().collect(),
            since,
            expiration: info,
        })
    }
}
