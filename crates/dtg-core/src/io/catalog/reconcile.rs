//! Makes rows and folders agree: the folder wins.

use std::collections::HashSet;
use std::sync::Arc;

use redb::{Database, ReadableDatabase as _};

use super::tables::{BY_STATE, ITEMS, change};
use super::{CatalogRow, fault};
use crate::io::codec::{self, CodecError, state_number};
use crate::io::disk::{Disk, StoreError};
use crate::io::folder::{ItemFolder, ItemRecord};
use crate::item::ItemId;
use crate::layout::{RootPaths, folder_of};
use crate::state::ItemState;

/// Rows that are made anew in one transaction: a lost catalog of many items is not kept in memory.
const BATCH: usize = 4096;

/// Makes the rows fit the folders; answers the place for the next item.
pub(super) fn reconcile(
    database: &Database,
    rows: Rows,
    paths: &RootPaths,
    disk: &Arc<dyn Disk>,
) -> Result<u64, StoreError> {
    let Rows { known, places, later, mut next_order } = rows;
    if let Some(later) = later {
        return Err(StoreError::in_record(paths.catalog())(later));
    }
    let (strays, gone) = differing(known, disk.list(&paths.items()).map_err(StoreError::at(paths.items()))?);
    let mut taken: HashSet<u64> =
        if strays.is_empty() { HashSet::new() } else { places.into_iter().collect() };
    let mut found = Vec::new();
    for name in strays {
        if let Some(mut row) = row_of_folder(paths, disk, &name)? {
            // A folder that comes from another root has its place there.
            if !taken.insert(row.order) {
                row.order = next_order;
                taken.insert(row.order);
            }
            tracing::warn!(item = %row.id, "an item folder without a sound row: the row is made anew");
            next_order = next_order.max(row.order.saturating_add(1));
            found.push(row);
        }
        if found.len() >= BATCH {
            change(database, &found.iter().collect::<Vec<_>>(), &[])?;
            found.clear();
        }
    }
    found.extend(planned_since(database, paths, disk)?);
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    gone.iter().for_each(|id| tracing::warn!(item = %id, "its folder is gone, and so is the item"));
    if !(found.is_empty() && gone.is_empty()) {
        change(database, &found.iter().collect::<Vec<_>>(), &gone)?;
    }
    Ok(next_order)
}

/// The folders without a sound row, and the ids of rows without a folder.
fn differing(mut known: Vec<KnownRow>, mut folders: Vec<String>) -> (Vec<String>, Vec<String>) {
    // Both come in order, or nearly so: that makes sorting them cheap.
    known.sort_unstable_by(|a, b| a.folder().cmp(b.folder()));
    folders.sort_unstable();
    let (mut strays, mut gone) = (Vec::new(), Vec::new());
    let mut rows = known.into_iter().peekable();
    for name in folders {
        while let Some(row) = rows.next_if(|row| row.folder() < name.as_str()) {
            gone.push(row.id);
        }
        let row = rows.next_if(|row| row.folder() == name);
        if !row.is_some_and(|row| row.is_sound) {
            strays.push(name);
        }
    }
    gone.extend(rows.map(|row| row.id));
    (strays, gone)
}

/// Rows of new items whose folder has a plan: the last writer ended between the two.
fn planned_since(
    database: &Database,
    paths: &RootPaths,
    disk: &Arc<dyn Disk>,
) -> Result<Vec<CatalogRow>, StoreError> {
    let transaction = database.begin_read().map_err(fault)?;
    let tables = (transaction.open_table(ITEMS), transaction.open_table(BY_STATE));
    // Neither is there before the first item.
    let (Ok(items), Ok(by_state)) = tables else { return Ok(Vec::new()) };
    let new = state_number(ItemState::New);
    let mut rows = Vec::new();
    for entry in by_state.range((new, 0)..=(new, u64::MAX)).map_err(fault)? {
        let id = entry.map_err(fault)?.1;
        let folder = ItemId::new(id.value()).map(|id| folder_of(&id)).unwrap_or_default();
        let plan = paths.item(&folder).plan();
        if disk.len(&plan).map_err(StoreError::at(plan))?.is_none() {
            continue;
        }
        let Some(found) = items.get(id.value()).map_err(fault)? else { continue };
        let Ok(row) = codec::decode::<CatalogRow>(found.value().1) else { continue };
        let folder = ItemFolder::new(Arc::clone(disk), paths.root(), &row.folder);
        rows.extend(fitted(&row, &folder).ok().and_then(Fit::row));
    }
    Ok(rows)
}

/// How a row and its folder go together.
#[derive(Debug)]
pub(crate) enum Fit {
    /// They say the same.
    Right,
    /// The row as its folder has it.
    Anew(Box<CatalogRow>),
    /// The folder does not say what it is: the row stays.
    Unknown,
}

impl Fit {
    /// The row where it is another one.
    pub(crate) fn row(self) -> Option<CatalogRow> {
        if let Self::Anew(row) = self { Some(*row) } else { None }
    }
}

/// Holds a row against its folder, which wins.
///
/// Of another generation, older or newer, the row is made anew; of the same one the folder knows better what it is
/// asked to be.
pub(crate) fn fitted(row: &CatalogRow, folder: &ItemFolder) -> Result<Fit, StoreError> {
    let record = match folder.record() {
        Err(StoreError::Record { fault: CodecError::Later(later), path }) => {
            return Err(StoreError::Record { fault: CodecError::Later(later), path });
        }
        Err(error) if is_unknown(&error) => return Ok(Fit::Unknown),
        record => record?,
    };
    if record.id != row.id {
        return Err(StoreError::in_record(row.folder.clone())(CodecError::Value("an item's id")));
    }
    // An early version did not count.
    let Some(generation) = record.generation else { return Ok(Fit::Right) };
    if generation != row.generation {
        tracing::warn!(item = %row.id, "the item folder is of another generation: the row is made anew");
        let CatalogRow { order, played_at, .. } = *row;
        let anew = CatalogRow { order, played_at, ..CatalogRow::of_folder(folder)? };
        return Ok(Fit::Anew(Box::new(anew)));
    }
    let ItemRecord { url, requirements, keep, .. } = record;
    if (&url, requirements, keep) == (&row.url, row.requirements, row.keep) {
        return Ok(Fit::Right);
    }
    Ok(Fit::Anew(Box::new(CatalogRow { url, requirements, keep, ..row.clone() })))
}

/// Whether a folder does not say what it is: its record is gone or damaged.
pub(super) fn is_unknown(error: &StoreError) -> bool {
    match error {
        StoreError::Record { .. } => true,
        StoreError::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
        StoreError::Locked { .. } | StoreError::Catalog(_) => false,
    }
}

/// What is known of the rows without reading them whole.
#[derive(Debug, Default)]
pub(super) struct Rows {
    known: Vec<KnownRow>,
    /// The places of the sound ones in the order of adding.
    places: Vec<u64>,
    /// Of a row that a later version wrote.
    later: Option<CodecError>,
    next_order: u64,
}

#[derive(Debug)]
struct KnownRow {
    id: String,
    /// Where it is not called like the item.
    folder: Option<String>,
    /// Whether it can be read.
    is_sound: bool,
}

impl KnownRow {
    fn folder(&self) -> &str {
        self.folder.as_deref().unwrap_or(&self.id)
    }
}

impl Rows {
    /// Takes note of a row.
    pub(super) fn see(&mut self, id: &str, order: u64, bytes: &[u8]) {
        self.next_order = self.next_order.max(order.saturating_add(1));
        let is_sound = match codec::check::<CatalogRow>(bytes) {
            Ok(_) => true,
            Err(later @ CodecError::Later(_)) => {
                self.later = Some(later);
                true
            }
            Err(CodecError::Damaged | CodecError::Foreign | CodecError::Value(_)) => false,
        };
        if is_sound {
            self.places.push(order);
        }
        let folder = ItemId::new(id).map(|id| folder_of(&id)).unwrap_or_default();
        let folder = (folder != id).then_some(folder);
        self.known.push(KnownRow { id: id.to_owned(), folder, is_sound });
    }
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
