//! Keys that the platform replaces by itself.

use std::sync::PoisonError;

use super::ledger::Change;
use super::{Engine, KeyEvent, Shared};
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::record::KeyRecord;
use crate::secret::PersistableKey;
use crate::system::KeyUpdate;
use crate::time::Timestamp;

/// What an update means for a stored key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Replaces,
    SeenAlready,
    Outdated,
    Unknown,
}

/// Whether the store has failed at an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Now,
    Before,
}

impl Engine {
    /// Stores a key that the platform replaced; for platforms that report it otherwise than to the listener.
    pub fn key_updated(&self, update: KeyUpdate) {
        self.0.key_updated(update);
    }
}

impl Shared {
    pub(super) fn key_updated(&self, update: KeyUpdate) {
        if let Err(error) = self.store_update(&update, Told::Now) {
            let key_uri = update.key_uri.clone();
            self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).insert(key_uri.clone(), update);
            self.not_stored(&key_uri, error);
        }
    }

    /// Replaces the key under compare-and-swap; the first playback is set once.
    fn store_update(&self, update: &KeyUpdate, told: Told) -> Result<(), KeyError> {
        let now = self.moment().at;
        let mut verdict = Verdict::Unknown;
        self.change_key(&update.key_uri, |stored| {
            verdict = judge(stored, update);
            Ok(match (verdict, stored) {
                (Verdict::Replaces, Some(record)) => Change::Put(updated(record, update, now)),
                // It is there, and may not be durable: the store has failed since.
                (Verdict::SeenAlready, Some(record)) if told == Told::Before => Change::Put(record.clone()),
                _ => Change::Keep,
            })
        })?;
        let key_uri = update.key_uri.clone();
        match verdict {
            Verdict::Replaces => self.event(KeyEvent::Updated(key_uri)),
            Verdict::Unknown => self.event(KeyEvent::UnknownKeyUpdated(key_uri)),
            Verdict::Outdated => self.event(KeyEvent::OutdatedUpdate(key_uri)),
            Verdict::SeenAlready => {}
        }
        Ok(())
    }

    /// Tries again to store an update that could not be stored.
    pub(super) fn save_update_of(&self, key_uri: &KeyUri) {
        let update = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).get(key_uri).cloned();
        if let Some(update) = update.filter(|update| self.store_update(update, Told::Before).is_ok()) {
            let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
            if unsaved.get(key_uri) == Some(&update) {
                unsaved.remove(key_uri);
            }
        }
    }

    pub(super) fn unsaved_update_of(&self, key_uri: &KeyUri) -> Option<PersistableKey> {
        let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        unsaved.get(key_uri).map(|update| update.key.clone())
    }

    /// A key that was replaced or given up needs no update any more.
    pub(super) fn drop_update_of(&self, key_uri: &KeyUri) {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).remove(key_uri);
    }
}

fn judge(stored: Option<&KeyRecord>, update: &KeyUpdate) -> Verdict {
    match (stored, update.replaces) {
        (None, _) => Verdict::Unknown,
        (Some(record), _) if record.key == update.key => Verdict::SeenAlready,
        (Some(record), Some(old)) if record.key.fingerprint() != old => Verdict::Outdated,
        (Some(_), _) => Verdict::Replaces,
    }
}

fn updated(record: &KeyRecord, update: &KeyUpdate, now: Timestamp) -> KeyRecord {
    let first_played = record.first_played.or(Some(now));
    KeyRecord { key: update.key.clone(), first_played, ..record.clone() }
}
