//! Makes rows and folders agree: the folder wins.

use std::collections::HashMap;
use std::sync::Arc;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableError};

use super::{CatalogRow, ITEMS, change, fault};
use crate::io::codec::{self, CodecError};
use crate::io::disk::{Disk, StoreError};
use crate::io::folder::ItemFolder;
use crate::item::ItemId;
use crate::layout::{RootPaths, folder_of};

/// Makes the rows fit the folders; answers the place for the next item.
pub(super) fn reconcile(
    database: &Database,
    paths: &RootPaths,
    disk: &Arc<dyn Disk>,
) -> Result<u64, StoreError> {
    let Rows { by_folder, damaged, mut next_order } = survey(database, paths)?;
    let folders = disk.list(&paths.items()).map_err(StoreError::at(paths.items()))?;
    let mut gone = by_folder;
    let mut found = Vec::new();
    for name in folders {
        let is_known = gone.remove(&name).is_some_and(|id| !damaged.contains(&id));
        if !is_known && let Some(row) = row_of_folder(paths, disk, &name)? {
            tracing::warn!(item = %row.id, "an item folder without a sound row: the row is made anew");
            next_order = next_order.max(row.order.saturating_add(1));
            found.push(row);
        }
    }
    let gone: Vec<&str> = gone.values().map(String::as_str).collect();
    gone.iter().for_each(|id| tracing::warn!(item = %id, "its folder is gone, and so is the item"));
    if !(found.is_empty() && gone.is_empty()) {
        change(database, &found.iter().collect::<Vec<_>>(), &gone)?;
    }
    Ok(next_order)
}

/// What is known of the rows without reading them whole.
#[derive(Debug, Default)]
struct Rows {
    /// Folder name to id.
    by_folder: HashMap<String, String>,
    /// Ids whose rows can't be read.
    damaged: Vec<String>,
    next_order: u64,
}

fn survey(database: &Database, paths: &RootPaths) -> Result<Rows, StoreError> {
    let mut rows = Rows::default();
    let transaction = database.begin_read().map_err(fault)?;
    let table = match transaction.open_table(ITEMS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(rows),
        opened => opened.map_err(fault)?,
    };
    for entry in table.iter().map_err(fault)? {
        let (key, value) = entry.map_err(fault)?;
        let (id, (order, bytes)) = (key.value(), value.value());
        rows.next_order = rows.next_order.max(order.saturating_add(1));
        match codec::check::<CatalogRow>(bytes) {
            Ok(_) => {}
            Err(later @ CodecError::Later(_)) => return Err(StoreError::in_record(paths.catalog())(later)),
            Err(CodecError::Damaged | CodecError::Foreign | CodecError::Value(_)) => {
                rows.damaged.push(id.to_owned())
            }
        }
        let folder = ItemId::new(id).map(|id| folder_of(&id)).unwrap_or_default();
        rows.by_folder.insert(folder, id.to_owned());
    }
    Ok(rows)
}

/// The row that a folder makes by itself; `None` for a folder that tells of no item.
fn row_of_folder(
    paths: &RootPaths,
    disk: &Arc<dyn Disk>,
    name: &str,
) -> Result<Option<CatalogRow>, StoreError> {
    let folder = ItemFolder::new(Arc::clone(disk), paths.root(), name);
    match CatalogRow::of_folder(&folder) {
        Ok(row) if row.folder == name => Ok(Some(row)),
        Ok(row) => {
            tracing::warn!(item = %row.id, folder = %name, "an item folder with another item's name is left alone");
            Ok(None)
        }
        Err(later @ StoreError::Record { fault: CodecError::Later(_), .. }) => Err(later),
        Err(error) => {
            tracing::warn!(folder = %name, %error, "an item folder that tells of no item is left alone");
            Ok(None)
        }
    }
}

pub(super) fn rows_of_folders(
    paths: &RootPaths,
    disk: &Arc<dyn Disk>,
) -> Result<Vec<CatalogRow>, StoreError> {
    let names = disk.list(&paths.items()).map_err(StoreError::at(paths.items()))?;
    names.iter().filter_map(|name| row_of_folder(paths, disk, name).transpose()).collect()
}
