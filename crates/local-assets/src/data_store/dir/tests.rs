//! The folder of keys: modes, damage, strangers, and a disk whose power goes at every step.

mod crash;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

use camino::Utf8PathBuf;
use camino_tempfile::Utf8TempDir;
use fairplay_keys::{AssetId, KeyUri, testing};

use super::*;

fn key(name: &str) -> Slot {
    Slot::Key(KeyUri::new(format!("skd://{name}")).unwrap())
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::new(text)
}

/// A folder of keys in a folder that goes with it.
struct Temporary {
    store: FolderStore,
    _root: Utf8TempDir,
}

impl Temporary {
    fn new() -> Self {
        let root = Utf8TempDir::new().unwrap();
        Self { store: FolderStore::open(&root.path().join("keys")).unwrap(), _root: root }
    }
}

impl std::fmt::Debug for Temporary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.store.fmt(f)
    }
}

impl KeyStore for Temporary {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        self.store.get(slot)
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        self.store.put(slot, record, expected)
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        self.store.remove(slot, expected)
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        self.store.list()
    }
}

#[test]
fn a_folder_is_a_key_store() {
    testing::key_store_conforms(Temporary::new);
}

fn folder() -> (Utf8TempDir, Utf8PathBuf) {
    let root = Utf8TempDir::new().unwrap();
    let folder = root.path().join("a/keys");
    (root, folder)
}

fn stored(store: &FolderStore, slot: &Slot) -> Option<Vec<u8>> {
    store.get(slot).unwrap().map(|stored| stored.record.expose().to_vec())
}

#[test]
fn keys_outlive_the_process_and_so_do_generations() {
    let (_root, folder) = folder();
    let store = FolderStore::open(&folder).unwrap();
    let first = store.put(&key("a"), &bytes("one"), Generation::ABSENT).unwrap();
    drop(store);
    let store = FolderStore::open(&folder).unwrap();
    assert_eq!(stored(&store, &key("a")).as_deref(), Some(&b"one"[..]));
    assert!(store.put(&key("a"), &bytes("two"), Generation::ABSENT).is_err());
    assert!(store.put(&key("a"), &bytes("two"), first).unwrap() > first);
}

#[test]
fn folder_and_files_are_for_their_owner_only() {
    let (_root, folder) = folder();
    let store = FolderStore::open(&folder).unwrap();
    store.put(&key("../../a"), &bytes("one"), Generation::ABSENT).unwrap();
    let mode = |path: Utf8PathBuf| std::fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(folder.clone()), 0o700);
    let names = store.disk.list().unwrap();
    assert_eq!(names.len(), 2, "the lock and the key: {names:?}");
    for name in names {
        assert_eq!(mode(folder.join(&name)), 0o600, "{name}");
        assert!(!name.contains("a.key") || name.len() > 50, "{name}");
    }
}

fn check_refused(folder: &Utf8PathBuf) {
    assert!(matches!(FolderStore::open(folder), Err(StoreError::Refused { .. })));
}

#[test]
fn a_folder_that_others_can_read_or_that_is_a_link_is_refused() {
    let (root, folder) = folder();
    for mode in [0o777, 0o750, 0o705] {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
        check_refused(&folder);
    }
    let link = root.path().join("link");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    symlink(&folder, &link).unwrap();
    check_refused(&link);
    let file = root.path().join("file");
    std::fs::write(&file, "x").unwrap();
    check_refused(&file);
}

#[test]
fn a_file_that_others_can_read_or_that_is_a_link_is_refused() {
    let (_root, folder) = folder();
    let store = FolderStore::open(&folder).unwrap();
    store.put(&key("a"), &bytes("one"), Generation::ABSENT).unwrap();
    let path = folder.join(file_name(&key("a")));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Refused { .. })));
    let elsewhere = folder.join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Refused { .. })));
}

#[test]
fn a_damaged_file_is_put_aside_and_the_others_stay() {
    let (_root, folder) = folder();
    let store = FolderStore::open(&folder).unwrap();
    for name in ["a", "b", "c"] {
        store.put(&key(name), &bytes(name), Generation::ABSENT).unwrap();
    }
    let damage = |name: &str, change: fn(&mut Vec<u8>)| {
        let path = folder.join(file_name(&key(name)));
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
    };
    damage("a", |bytes| bytes[20] ^= 1);
    assert!(matches!(store.get(&key("a")), Err(StoreError::Corrupt { .. })));
    assert_eq!(store.get(&key("a")), Ok(None));
    assert!(folder.join(format!("damaged-{}", file_name(&key("a")))).exists());
    store.put(&key("a"), &bytes("again"), Generation::ABSENT).unwrap();

    damage("b", |bytes| bytes.truncate(30));
    drop(store);
    let store = FolderStore::open(&folder).unwrap();
    assert_eq!(stored(&store, &key("a")).as_deref(), Some(&b"again"[..]));
    assert_eq!((stored(&store, &key("b")), stored(&store, &key("c"))), (None, Some(b"c".to_vec())));
    assert!(folder.join(format!("damaged-{}", file_name(&key("b")))).exists());
}

#[test]
fn a_file_under_another_records_name_is_not_that_record() {
    let (_root, folder) = folder();
    let store = FolderStore::open(&folder).unwrap();
    store.put(&key("a"), &bytes("one"), Generation::ABSENT).unwrap();
    std::fs::copy(folder.join(file_name(&key("a"))), folder.join(file_name(&key("b")))).unwrap();
    assert!(matches!(store.get(&key("b")), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_second_opener_is_told_or_waits() {
    let (_root, folder) = folder();
    let first = FolderStore::open(&folder).unwrap();
    assert!(matches!(FolderStore::open(&folder), Err(StoreError::Busy)));
    let cancel = Cancel::new();
    let (wait, look) = (Duration::from_secs(600), folder.clone());
    std::thread::scope(|scope| {
        let second = scope.spawn(|| FolderStore::open_waiting(&look, wait, &cancel).map(drop));
        drop(first);
        assert_eq!(second.join().unwrap(), Ok(()));
    });
    let _first = FolderStore::open(&folder).unwrap();
    assert_eq!(FolderStore::open_waiting(&folder, Duration::ZERO, &cancel).map(drop), Err(StoreError::Busy));
}

#[test]
fn what_a_crash_left_half_written_is_swept() {
    let (_root, folder) = folder();
    drop(FolderStore::open(&folder).unwrap());
    let left = folder.join(format!("{}{TEMPORARY}", file_name(&key("a"))));
    std::fs::write(&left, "half").unwrap();
    let store = FolderStore::open(&folder).unwrap();
    assert!(!left.exists());
    assert_eq!(store.list(), Ok(Vec::new()));
}

#[test]
fn a_record_that_is_too_large_is_refused_and_the_old_one_stays() {
    let Temporary { store, _root } = Temporary::new();
    let slot = Slot::Asset(AssetId::new("x").unwrap());
    let first = store.put(&slot, &bytes("one"), Generation::ABSENT).unwrap();
    let huge = SecretBytes::new(vec![0; RECORD_LIMIT + 1]);
    assert!(matches!(store.put(&slot, &huge, first), Err(StoreError::Failed { .. })));
    assert_eq!(stored(&store, &slot).as_deref(), Some(&b"one"[..]));
}
