//! What items take of the disk, file by file.

use camino::Utf8Path;

use super::catalog::CatalogRow;
use super::disk::{Disk, StoreError};
use crate::layout::RootPaths;
use crate::storage::{ItemStorage, Storage};

/// What each of these items takes. What a quota counts is left to the caller.
pub(crate) fn storage(disk: &dyn Disk, root: &Utf8Path, rows: &[CatalogRow]) -> Result<Storage, StoreError> {
    let items = rows.iter().map(|row| item_storage(disk, root, row)).collect::<Result<_, _>>()?;
    let trash = RootPaths::new(root).trash();
    let trash_bytes = disk.usage(&trash).map_err(StoreError::at(trash))?.bytes;
    let free_bytes = disk.free_space(root).map_err(StoreError::at(root))?;
    Ok(Storage { items, trash_bytes, free_bytes, quota: None, counted_bytes: 0 })
}

/// What one item takes.
pub(crate) fn item_storage(
    disk: &dyn Disk,
    root: &Utf8Path,
    row: &CatalogRow,
) -> Result<ItemStorage, StoreError> {
    let paths = RootPaths::new(root).item(&row.folder);
    let usage = disk.usage(paths.folder()).map_err(StoreError::at(paths.folder()))?;
    Ok(ItemStorage { id: row.id.clone(), bytes: usage.bytes, freed_bytes: usage.freed })
}
