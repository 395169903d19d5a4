//! Removing an asset, cut off between any two of its steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dtg_core::ItemId;
use fairplay_keys::{Generation, KeyStore, MemoryStore, SecretBytes, Slot, StoreError, Stored};
use local_assets::DataStore;

use crate::world::*;

/// A store whose power goes after so many operations.
#[derive(Debug, Clone)]
struct Mortal {
    inner: Arc<MemoryStore>,
    left: Arc<AtomicI64>,
}

impl Mortal {
    fn lives(&self) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 { Ok(()) } else { Err(StoreError::Full) }
    }
}

impl KeyStore for Mortal {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        self.lives().and_then(|()| self.inner.get(slot))
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        self.lives().and_then(|()| self.inner.put(slot, record, expected))
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        self.lives().and_then(|()| self.inner.remove(slot, expected))
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        self.lives().and_then(|()| self.inner.list())
    }
}

#[test]
fn a_removal_that_is_cut_off_at_any_step_is_finished_by_recovery() {
    for steps in 0.. {
        let world = World::new();
        let store = Mortal { inner: Arc::default(), left: Arc::new(AtomicI64::new(i64::MAX)) };
        let id = ItemId::new("1_abc").unwrap();
        {
            let content = world.content();
            let location = world.download(&content, "1_abc", &movie());
            let assets = world.assets(DataStore::Given(Arc::new(store.clone())));
            assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap();
            store.left.store(steps, Ordering::SeqCst);
            let removed = assets.remove(&content, &id);
            if removed.is_ok() {
                assert!(steps > 8, "a removal takes more than {steps} operations");
                assert!(content.item(&id).is_err());
                return;
            }
        }
        store.left.store(i64::MAX, Ordering::SeqCst);
        let content = world.content();
        let assets = world.assets(DataStore::Given(Arc::new(store)));
        let begun = !assets.recover(&content).unwrap().is_empty();
        if begun {
            assert!(content.item(&id).is_err(), "its media are gone after {steps} operations");
        } else {
            assert!(content.item(&id).is_ok(), "nothing was begun after {steps} operations");
            assert!(world.plays(&assets, "movie-1").is_ok());
            assets.remove(&content, &id).unwrap();
        }
        assert!(world.plays(&assets, "movie-1").is_err());
        assert_eq!(assets.keys().unwrap().pending_releases().unwrap().len(), 1, "after {steps} operations");
        assert_eq!(assets.recover(&content).unwrap(), []);
        world.check_answers();
    }
}

#[test]
fn removing_twice_or_without_keys_is_fine() {
    let world = World::new();
    let content = world.content();
    world.download(&content, "clear", &site(&[], &[], &[]));
    let id = ItemId::new("clear").unwrap();
    for store in [world.folder(), DataStore::None] {
        let assets = world.assets(store);
        assert_eq!(assets.remove(&content, &id).unwrap().keys, []);
        assert!(content.item(&id).is_err());
        assert_eq!(assets.remove(&content, &id).unwrap().keys, []);
    }
}
