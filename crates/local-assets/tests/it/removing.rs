//! Removing an asset, cut off between any two of its steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dtg_core::{ContentManager, ItemId};
use fairplay_keys::{AssetId, Generation, KeyStore, MemoryStore, SecretBytes, Slot, StoreError, Stored};
use local_assets::{DataStore, LocalAssetsManager};

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

/// Cuts `give_up` off after any number of operations of the key store, and recovers; `steps` is how many it takes at least.
fn cut_off(
    steps: i64,
    give_up: impl Fn(&LocalAssetsManager, &ContentManager, &ItemId) -> bool,
    check: impl Fn(&ContentManager, &ItemId, bool, i64),
) {
    for after in 0.. {
        let world = World::new();
        let store = Mortal { inner: Arc::default(), left: Arc::new(AtomicI64::new(i64::MAX)) };
        let id = ItemId::new("1_abc").unwrap();
        {
            let content = world.content();
            let location = world.download(&content, "1_abc", &movie());
            let assets = world.assets(DataStore::Given(Arc::new(store.clone())));
            assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap();
            store.left.store(after, Ordering::SeqCst);
            if give_up(&assets, &content, &id) {
                assert!(after > steps, "it takes more than {after} operations");
                return;
            }
        }
        store.left.store(i64::MAX, Ordering::SeqCst);
        let content = world.content();
        let assets = world.assets(DataStore::Given(Arc::new(store)));
        let recovery = assets.recover(&content).unwrap();
        assert!(recovery.failed.is_empty() && recovery.unfinished.is_empty(), "{recovery:?}");
        check(&content, &id, !recovery.removed.is_empty(), after);
        if assets.license_expiration_info(&id).unwrap().is_some() {
            assert!(world.plays(&assets, "movie-1").is_ok(), "nothing was begun after {after} operations");
            assert!(give_up(&assets, &content, &id));
        }
        assert!(world.plays(&assets, "movie-1").is_err());
        assert_eq!(assets.keys().unwrap().pending_releases().unwrap().len(), 1, "after {after} operations");
        assert_eq!(assets.recover(&content).unwrap().removed, []);
        world.check_answers();
    }
}

#[test]
fn a_removal_that_is_cut_off_at_any_step_is_finished_by_recovery() {
    let remove = |assets: &LocalAssetsManager, content: &ContentManager, id: &ItemId| {
        let is_done = assets.remove(content, id).is_ok();
        assert!(!is_done || content.item(id).is_err());
        is_done
    };
    cut_off(8, remove, |content, id, removed, after| {
        assert_eq!(
            content.item(id).is_err(),
            removed,
            "media go with what was begun, after {after} operations"
        );
    });
}

#[test]
fn an_unregistering_that_is_cut_off_at_any_step_is_finished_by_recovery_and_the_media_stay() {
    let unregister = |assets: &LocalAssetsManager, _: &ContentManager, id: &ItemId| {
        assets.unregister_downloaded_asset(id).is_ok()
    };
    cut_off(8, unregister, |content, id, removed, after| {
        assert!(!removed && content.item(id).is_ok(), "after {after} operations");
    });
}

#[test]
fn a_removal_that_fails_again_holds_up_no_other() {
    let world = World::new();
    let store = Arc::new(MemoryStore::new());
    let content = world.content();
    let assets = world.assets(DataStore::Given(store.clone()));
    let ids = ["1_abc", "2_def"].map(|id| ItemId::new(id).unwrap());
    for id in &ids {
        world.download(&content, id.as_str(), &site(&[], &[], &[]));
        let asset = AssetId::new(id.as_str()).unwrap();
        assets.keys().unwrap().begin_removal(&asset).unwrap();
    }
    let broken = Slot::Asset(AssetId::new("1_abc").unwrap());
    let guarded = Guarded { inner: store, broken };
    let assets = world.assets(DataStore::Given(Arc::new(guarded)));
    let recovery = assets.recover(&content).unwrap();
    assert_eq!(recovery.removed, [ids[1].clone()]);
    assert_eq!(recovery.failed[0].asset(), Some(&ids[0]));
    assert!(content.item(&ids[1]).is_err());
}

/// A store that cannot remove one record.
#[derive(Debug)]
struct Guarded {
    inner: Arc<MemoryStore>,
    broken: Slot,
}

impl KeyStore for Guarded {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        self.inner.get(slot)
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        self.inner.put(slot, record, expected)
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        if *slot == self.broken { Err(StoreError::Full) } else { self.inner.remove(slot, expected) }
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        self.inner.list()
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
