//! How the catalog keeps rows, and how it is made to fit the folders.

use std::fs;

use camino_tempfile::Utf8TempDir;

use super::*;
use crate::io::disk::RealDisk;
use crate::io::folder::ItemFolder;
use crate::io::folder::tests::{finish, loaded};
use crate::io::memory::MemoryDisk;
use crate::item::NewItem;
use crate::options::SelectionOptions;
use crate::state::ItemState;

struct Root(Utf8TempDir);

impl Root {
    fn new() -> Self {
        Self(Utf8TempDir::new().unwrap())
    }

    fn path(&self) -> &Utf8Path {
        self.0.path()
    }

    fn disk() -> Arc<dyn Disk> {
        Arc::new(RealDisk::new())
    }

    fn open(&self) -> Catalog {
        Catalog::open(self.path(), Self::disk()).unwrap()
    }

    fn read_only(&self) -> Catalog {
        Catalog::read_only(self.path(), Self::disk()).unwrap()
    }

    fn folder(&self, row: &CatalogRow) -> ItemFolder {
        ItemFolder::new(Self::disk(), self.path(), &row.folder)
    }

    /// Adds an item as the manager does: the folder, then the row.
    fn add(&self, catalog: &Catalog, id: &str) -> CatalogRow {
        let row = CatalogRow::new(new_item(id), catalog.next_order().unwrap());
        self.folder(&row).create(&row.record()).unwrap();
        catalog.put(&row).unwrap();
        row
    }

    /// Adds an item that has a plan.
    fn plan(&self, catalog: &Catalog, id: &str) -> CatalogRow {
        let mut row = self.add(catalog, id);
        self.folder(&row).store(&SelectionOptions::default(), &loaded()).unwrap();
        row.plan_stored(&SelectionOptions::default(), &loaded()).unwrap();
        catalog.put(&row).unwrap();
        row
    }

    fn download(&self, row: &CatalogRow, fetches: &[u32]) {
        let folder = self.folder(row);
        let opened = folder.open().unwrap();
        fetches.iter().for_each(|fetch| finish(&folder, &opened, *fetch, b"1234"));
    }

    fn spoil_catalog(&self) {
        fs::write(self.path().join("catalog.redb"), vec![b'x'; 100_000]).unwrap();
    }
}

fn new_item(id: &str) -> NewItem {
    NewItem { id: id_of(id), url: "http://h/m?token=1".into(), sidecars: Vec::new() }
}

fn id_of(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

/// `"a:new b:completed"`, in the order of adding.
fn items(catalog: &Catalog) -> String {
    let rows = catalog.all().unwrap();
    rows.iter().map(|row| format!("{}:{}", row.id, row.state)).collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_are_kept_in_the_order_of_adding() {
    let root = Root::new();
    let catalog = root.open();
    for id in ["b", "a", "C"] {
        root.add(&catalog, id);
    }
    let mut row = catalog.get(&id_of("a")).unwrap().unwrap();
    row.state = ItemState::Paused;
    catalog.put(&row).unwrap();
    assert_eq!(catalog.get(&id_of("a")).unwrap(), Some(row));
    assert_eq!(catalog.get(&id_of("A")).unwrap(), None);
    drop(catalog);
    let catalog = root.open();
    assert_eq!(items(&catalog), "b:new a:paused C:new");
    root.add(&catalog, "d");
    assert_eq!(items(&catalog), "b:new a:paused C:new d:new");
    catalog.remove(&id_of("b")).unwrap();
    catalog.remove(&id_of("b")).unwrap();
    assert_eq!(items(&catalog), "a:paused C:new d:new");
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let root = Root::new();
    let first = root.open();
    let second = Catalog::open(root.path(), Root::disk()).unwrap_err();
    assert!(matches!(second, StoreError::Locked { pid } if pid == std::process::id()), "{second}");
    first.close();
    assert_eq!(items(&root.open()), "");
    assert!(matches!(first.all(), Err(StoreError::Io { .. })), "it is closed");
}

#[test]
fn readers_follow_a_writer_and_change_nothing() {
    let root = Root::new();
    let catalog = root.open();
    root.add(&catalog, "a");
    let reader = root.read_only();
    assert_eq!(items(&reader), "a:new");
    let row = root.add(&catalog, "b");
    assert_eq!(items(&reader), "a:new b:new");
    assert_eq!(reader.get(&id_of("b")).unwrap(), Some(row.clone()));
    assert!(reader.put(&row).is_err());
    drop(catalog);
    assert_eq!(items(&root.read_only()), "a:new b:new");
}

#[test]
fn a_reader_knows_whether_there_is_a_writer() {
    let root = Root::new();
    let catalog = root.open();
    let reader = root.read_only();
    assert!(catalog.has_writer());
    assert!(reader.has_writer());
    catalog.close();
    assert!(!reader.has_writer());
    assert_eq!(items(&root.open()), "", "looking holds nothing");
}

#[test]
fn there_is_nothing_to_read_in_a_folder_without_a_catalog() {
    let root = Root::new();
    let refused = Catalog::read_only(root.path(), Root::disk()).unwrap_err();
    assert!(matches!(refused, StoreError::Io { .. }), "{refused}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_catalog_that_was_never_closed_is_read_by_the_next_reader_and_writer() {
    let root = Root::new();
    let catalog = root.open();
    root.add(&catalog, "a");
    root.add(&catalog, "b");
    // What a killed writer leaves: its files as they are now.
    let bytes = fs::read(root.path().join("catalog.redb")).unwrap();
    drop(catalog);
    fs::write(root.path().join("catalog.redb"), bytes).unwrap();
    assert_eq!(items(&root.read_only()), "a:new b:new");
    assert_eq!(items(&root.open()), "a:new b:new");
}

#[test]
fn a_catalog_that_cannot_be_read_is_moved_aside_and_made_anew() {
    let root = Root::new();
    let catalog = root.open();
    root.add(&catalog, "new");
    root.plan(&catalog, "planned");
    let half = root.plan(&catalog, "half");
    let whole = root.plan(&catalog, "whole");
    drop(catalog);
    root.download(&half, &[1]);
    root.download(&whole, &[0, 1, 2]);
    for bad in ["catalog.redb.bad-0", "catalog.redb.bad-1"] {
        root.spoil_catalog();
        let catalog = root.open();
        assert_eq!(items(&catalog), "new:new planned:metadata-loaded half:interrupted whole:completed");
        let row = catalog.get(&id_of("half")).unwrap().unwrap();
        assert_eq!((row.fetches, row.fetches_done, row.downloaded_bytes, row.expected_bytes), (3, 1, 4, 18));
        assert_eq!(catalog.next_order().unwrap(), 4);
        assert!(root.path().join(bad).exists());
    }
}

#[test]
fn a_reader_makes_do_with_the_folders_when_the_catalog_cannot_be_read() {
    let root = Root::new();
    let catalog = root.open();
    root.add(&catalog, "a");
    drop(catalog);
    root.spoil_catalog();
    let reader = root.read_only();
    assert_eq!(items(&reader), "a:new");
    assert_eq!(reader.get(&id_of("a")).unwrap().unwrap().url, "http://h/m?token=1");
    assert!(!root.path().join("catalog.redb.bad-0").exists());
}

#[test]
fn a_lost_catalog_is_made_anew() {
    let root = Root::new();
    let catalog = root.open();
    root.plan(&catalog, "a");
    drop(catalog);
    fs::remove_file(root.path().join("catalog.redb")).unwrap();
    assert_eq!(items(&root.open()), "a:metadata-loaded");
}

#[test]
fn a_damaged_download_is_not_completed_by_a_lost_catalog() {
    let root = Root::new();
    let catalog = root.open();
    let row = root.plan(&catalog, "a");
    drop(catalog);
    root.download(&row, &[0, 1, 2]);
    fs::write(root.path().join("items/a/media/audio/0/000001.ts"), b"1235").unwrap();
    root.spoil_catalog();
    assert_eq!(items(&root.open()), "a:interrupted");
}

#[test]
fn a_row_whose_folder_is_gone_goes_and_a_folder_without_a_row_gets_one() {
    let root = Root::new();
    let catalog = root.open();
    let a = root.add(&catalog, "a");
    let b = root.add(&catalog, "b");
    catalog.remove(&b.id).unwrap();
    drop(catalog);
    fs::remove_dir_all(root.path().join("items").join(&a.folder)).unwrap();
    assert_eq!(items(&root.open()), "b:new");
}

#[test]
fn a_damaged_row_is_made_anew_from_its_folder() {
    let root = Root::new();
    let catalog = root.open();
    let row = root.add(&catalog, "a");
    catalog
        .write(|database| {
            let transaction = database.begin_write().unwrap();
            let bytes = b"nonsense".as_slice();
            transaction.open_table(ITEMS).unwrap().insert("a", (0, bytes)).unwrap();
            transaction.commit().unwrap();
            Ok(())
        })
        .unwrap();
    assert!(matches!(catalog.get(&row.id), Err(StoreError::Record { .. })));
    drop(catalog);
    assert_eq!(root.open().get(&row.id).unwrap(), Some(row));
}

#[test]
fn a_folder_that_tells_of_no_item_is_left_alone() {
    let root = Root::new();
    drop(root.open());
    fs::create_dir(root.path().join("items/stray")).unwrap();
    assert_eq!(items(&root.open()), "");
    assert!(root.path().join("items/stray").exists());
}

#[test]
fn the_root_may_be_moved() {
    let root = Root::new();
    let catalog = root.open();
    let mut row = root.plan(&catalog, "a");
    row.state = ItemState::Completed;
    catalog.put(&row).unwrap();
    drop(catalog);
    let other = Utf8TempDir::new().unwrap();
    let moved = other.path().join("moved");
    fs::rename(root.path(), &moved).unwrap();
    let catalog = Catalog::open(&moved, Root::disk()).unwrap();
    let location = catalog.get(&row.id).unwrap().unwrap().location(&moved).unwrap();
    assert_eq!(location.master_path(), moved.join("items/a/media/master.m3u8"));
    assert!(location.master_path().exists());
    // The temporary folder is given back where it was.
    drop(catalog);
    fs::rename(&moved, root.path()).unwrap();
}

#[test]
fn only_a_completed_item_has_a_location_and_a_whole_fraction() {
    let root = Root::new();
    let catalog = root.open();
    let mut row = root.plan(&catalog, "a");
    row.downloaded_bytes = row.expected_bytes;
    assert!(row.location(root.path()).is_err());
    assert!(row.item(None).completed_fraction < 1.0);
    row.state = ItemState::Completed;
    assert!(row.location(root.path()).is_ok());
    assert!((row.item(None).completed_fraction - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_bytes_of_all_media_are_known_after_every_change_also_of_rows_that_a_full_disk_refuses() {
    let disk = MemoryDisk::default();
    let catalog = Catalog::open("/store".into(), Arc::new(disk.clone())).unwrap();
    let mut rows: Vec<CatalogRow> =
        ["a", "b", "c"].iter().zip(0..).map(|(id, order)| CatalogRow::new(new_item(id), order)).collect();
    let check = |expected: u64| {
        assert_eq!(catalog.media_bytes().unwrap(), expected);
        assert_eq!(catalog.all().unwrap().iter().map(|row| row.downloaded_bytes).sum::<u64>(), expected);
    };
    check(0);
    for (row, bytes) in rows.iter_mut().zip([1, 20, 300]) {
        row.downloaded_bytes = bytes;
        catalog.put(row).unwrap();
    }
    check(321);
    rows[1].downloaded_bytes = 5;
    catalog.put(&rows[1]).unwrap();
    check(306);
    disk.set_capacity(0);
    rows[2].downloaded_bytes = 400;
    catalog.put_or_owe(&rows[2]);
    check(406);
    disk.set_capacity(u64::MAX);
    rows[0].downloaded_bytes = 2;
    catalog.put(&rows[0]).unwrap();
    check(407);
    catalog.remove(&rows[2].id).unwrap();
    check(7);
}

#[test]
fn a_catalog_that_cannot_be_opened_again_yet_does_not_answer_that_there_are_no_items() {
    let disk = MemoryDisk::default();
    let catalog = Catalog::open("/store".into(), Arc::new(disk.clone())).unwrap();
    let mut row = CatalogRow::new(new_item("a"), 0);
    row.downloaded_bytes = 7;
    catalog.put(&row).unwrap();
    catalog.set_quota(Some(9)).unwrap();
    disk.fail_syncs(u64::MAX);
    catalog.set_quota(Some(1)).unwrap_err();
    assert!(catalog.get(&row.id).is_err());
    assert!(catalog.all().is_err());
    assert!(catalog.in_states(&[row.state]).is_err());
    assert!(catalog.quota().is_err());
    assert!(catalog.media_bytes().is_err());
    disk.fail_syncs(0);
    assert_eq!(catalog.get(&row.id).unwrap(), Some(row), "it is opened again as soon as it can be");
    assert_eq!(catalog.media_bytes().unwrap(), 7);
    assert_eq!(catalog.quota().unwrap(), Some(9));
}

#[test]
fn folders_of_another_root_are_found_by_their_state_although_their_places_are_taken() {
    let (root, other) = (Root::new(), Root::new());
    let (catalog, far) = (root.open(), other.open());
    root.add(&catalog, "a");
    for id in ["b", "c"] {
        let row = other.add(&far, id);
        let [from, to] = [&other, &root].map(|root| root.path().join("items").join(&row.folder));
        fs::rename(from, to).unwrap();
    }
    drop(catalog);
    for _ in 0..2 {
        let catalog = root.open();
        let found = catalog.in_states(&[ItemState::New]).unwrap();
        assert_eq!(found, catalog.all().unwrap());
        assert_eq!(items(&catalog), "a:new b:new c:new");
        assert_eq!(catalog.next_order().unwrap(), 3);
    }
}

#[cfg(unix)]
#[test]
fn the_catalog_and_the_lock_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = Root::new();
    let _catalog = root.open();
    for name in ["catalog.redb", "lock"] {
        let mode = fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
