//! Reads a folder beside its writer, and changes nothing.

use std::sync::Arc;

use camino::Utf8PathBuf;

use super::catalog::{Catalog, CatalogRow, fitted};
use super::disk::{Disk, RealDisk};
use super::folder::ItemFolder;
#[cfg(any(test, feature = "testing"))]
use super::memory::MemoryDisk;
use super::usage;
use crate::error::{Error, ErrorKind};
use crate::item::{Item, ItemId, ItemLocation};
use crate::state::ItemState;
use crate::storage::Storage;

/// The items below a folder, as they are recorded now; another process may be downloading them.
///
/// Figures of an item in progress are those of its journal, up to this moment.
#[derive(Debug)]
pub struct ContentReader {
    root: Utf8PathBuf,
    disk: Arc<dyn Disk>,
    catalog: Catalog,
}

impl ContentReader {
    /// Opens the folder for reading.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) when there is none or it can't be read.
    pub fn open(root: impl Into<Utf8PathBuf>) -> Result<Self, Error> {
        Self::open_on(root.into(), Arc::new(RealDisk::new()))
    }

    /// Opens the folder on a disk in memory, for tests.
    ///
    /// # Errors
    /// As [`ContentReader::open`].
    #[cfg(any(test, feature = "testing"))]
    pub fn open_in_memory(root: impl Into<Utf8PathBuf>, disk: &MemoryDisk) -> Result<Self, Error> {
        Self::open_on(root.into(), Arc::new(disk.clone()))
    }

    fn open_on(root: Utf8PathBuf, disk: Arc<dyn Disk>) -> Result<Self, Error> {
        let catalog = Catalog::read_only(&root, Arc::clone(&disk))?;
        Ok(Self { root, disk, catalog })
    }

    /// All items, in the order they were added.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn items(&self) -> Result<Vec<Item>, Error> {
        let rows = self.catalog.all()?.into_iter();
        // One whose folder can't be understood is what is recorded.
        Ok(rows.map(|row| self.seen(&self.anew(&row).ok().flatten().unwrap_or(row))).collect())
    }

    /// One item.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound).
    pub fn item(&self, id: &ItemId) -> Result<Item, Error> {
        self.row(id).map(|row| self.seen(&row))
    }

    /// What every item takes of the disk, to the byte. Looks at every file.
    ///
    /// # Errors
    /// Only the store's.
    pub fn storage(&self) -> Result<Storage, Error> {
        let rows = self.catalog.all()?;
        let is_running = |row: &CatalogRow| row.state == ItemState::InProgress && self.catalog.has_writer();
        let counted = |row: &CatalogRow| {
            if is_running(row) { row.expected_bytes.max(row.downloaded_bytes) } else { row.downloaded_bytes }
        };
        let counted_bytes = rows.iter().map(counted).fold(0, u64::saturating_add);
        let storage = usage::storage(self.disk.as_ref(), &self.root, &rows)?;
        Ok(Storage { quota: self.catalog.quota()?, counted_bytes, ..storage })
    }

    /// How many bytes the media of all items may take.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn quota(&self) -> Result<Option<u64>, Error> {
        Ok(self.catalog.quota()?)
    }

    /// Where a completed item plays from.
    ///
    /// # Errors
    /// [`ErrorKind::NotCompleted`](crate::ErrorKind::NotCompleted) before it is.
    pub fn playback_location(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        self.row(id)?.location(&self.root).map_err(|error| error.of(id))
    }

    /// The row, and for an item in progress what its journal says by now.
    fn seen(&self, row: &CatalogRow) -> Item {
        let mut row = row.clone();
        if row.state != ItemState::InProgress {
            return row.item(None);
        }
        let folder = ItemFolder::new(Arc::clone(&self.disk), &self.root, &row.folder);
        // A journal that can't be read now leaves the figures as they were written down last.
        if let Ok(now) = CatalogRow::of_folder(&folder) {
            row.downloaded_bytes = now.downloaded_bytes;
            row.expected_bytes = now.expected_bytes;
            row.fetches_done = now.fetches_done;
        }
        if !self.catalog.has_writer() {
            row.state = ItemState::Interrupted;
        }
        row.item(None)
    }

    /// The row as its folder has it.
    fn row(&self, id: &ItemId) -> Result<CatalogRow, Error> {
        let row = self.catalog.get(id)?.ok_or_else(|| Error::new(ErrorKind::ItemNotFound).of(id))?;
        Ok(self.anew(&row).map_err(|error| error.of(id))?.unwrap_or(row))
    }

    /// The row as its folder has it, where that is another one.
    fn anew(&self, row: &CatalogRow) -> Result<Option<CatalogRow>, Error> {
        let folder = ItemFolder::new(Arc::clone(&self.disk), &self.root, &row.folder);
        Ok(fitted(row, &folder)?.row())
    }
}
