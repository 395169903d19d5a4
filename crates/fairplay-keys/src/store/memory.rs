//! Key stores that keep nothing over a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{Generation, KeyStore, Slot, StoreError, Stored};
use crate::secret::SecretBytes;

/// Keeps keys in memory: for tests, and for applications that want them gone with the process.
#[derive(Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Default)]
struct Records {
    records: BTreeMap<Slot, Stored>,
    latest: u64,
}

/// Keeps no keys: what is asked for can be played, and not stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoStore;

impl MemoryStore {
    /// A store without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Records) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Records {
    fn check(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        let current = self.records.get(slot).map_or(Generation::ABSENT, |stored| stored.generation);
        if current == expected { Ok(()) } else { Err(StoreError::Conflict { current }) }
    }
}

impl KeyStore for MemoryStore {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        Ok(self.with(|all| all.records.get(slot).cloned()))
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        self.with(|all| {
            all.check(slot, expected)?;
            all.latest = all.latest.saturating_add(1);
            let generation = Generation(all.latest);
            all.records.insert(slot.clone(), Stored { record: record.clone(), generation });
            Ok(generation)
        })
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        self.with(|all| {
            if all.records.contains_key(slot) {
                all.check(slot, expected)?;
                all.records.remove(slot);
            }
            Ok(())
        })
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        Ok(self.with(|all| all.records.keys().cloned().collect()))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore({} records)", self.with(|all| all.records.len()))
    }
}

impl KeyStore for NoStore {
    fn get(&self, _: &Slot) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }

    fn put(&self, _: &Slot, _: &SecretBytes, _: Generation) -> Result<Generation, StoreError> {
        Err(StoreError::NoStore)
    }

    fn remove(&self, _: &Slot, _: Generation) -> Result<(), StoreError> {
        Ok(())
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_a_key_store() {
        crate::testing::key_store_conforms(MemoryStore::new);
    }

    #[test]
    fn no_store_stores_nothing_and_says_so() {
        let put = NoStore.put(&Slot::Clock, &SecretBytes::new(*b"x"), Generation::ABSENT);
        assert_eq!(put, Err(StoreError::NoStore));
        assert_eq!((NoStore.get(&Slot::Clock), NoStore.list()), (Ok(None), Ok(Vec::new())));
    }
}
