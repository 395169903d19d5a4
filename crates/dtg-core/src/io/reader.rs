//! Reads a folder beside its writer, and changes nothing.

use std::sync::Arc;

use camino::Utf8PathBuf;

use super::catalog::{Catalog, CatalogRow};
use super::disk::{Disk, RealDisk};
use super::folder::ItemFolder;
use crate::error::{Error, ErrorKind};
use crate::item::{Item, ItemId, ItemLocation};
use crate::state::ItemState;

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
        let root = root.into();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::new());
        let catalog = Catalog::read_only(&root, Arc::clone(&disk))?;
        Ok(Self { root, disk, catalog })
    }

    /// All items, in the order they were added.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn items(&self) -> Result<Vec<Item>, Error> {
        Ok(self.catalog.all()?.iter().map(|row| self.seen(row)).collect())
    }

    /// One item.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound).
    pub fn item(&self, id: &ItemId) -> Result<Item, Error> {
        self.row(id).map(|row| self.seen(&row))
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

    fn row(&self, id: &ItemId) -> Result<CatalogRow, Error> {
        self.catalog.get(id)?.ok_or_else(|| Error::new(ErrorKind::ItemNotFound).of(id))
    }
}
