//! The index over the item folders: one small row for each item, in redb.
//!
//! Where folder and row disagree, the folder wins: opening adds a row for a folder that has none, drops a
//! row whose folder is gone, and makes a damaged row anew. A catalog that can't be read is moved aside and
//! made anew from the folders. None of this loses what was downloaded.

mod open;
mod tables;
mod reconcile;
mod row;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use camino::Utf8Path;
use redb::{
    Database, Key, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _,
    TableDefinition, TableError, Value,
};

use super::codec;
use super::disk::{Disk, Held, StoreError};
use super::folder;
use crate::item::ItemId;
use crate::layout::RootPaths;
use crate::state::ItemState;
use open::{builder, database_fault, is_damage, lock, make_root, open_or_rebuild, readable};
use reconcile::{reconcile, rows_of_folders};
use tables::{BY_STATE, ITEMS, QUOTA, SETTINGS, change, ensure_index, set};

pub(crate) use reconcile::{Fit, fitted};
pub(crate) use row::CatalogRow;

/// The open catalog of a root.
#[derive(Debug)]
pub(crate) struct Catalog {
    paths: RootPaths,
    disk: Arc<dyn Disk>,
    open: RwLock<Option<Open>>,
    /// Rows that a full disk refused: true, and not written down yet.
    owed: Mutex<BTreeMap<ItemId, CatalogRow>>,
    /// Bytes of all media, as the rows have them; `None` until somebody wants to know. Taken before `owed`.
    media: Mutex<Option<u64>>,
    next_order: AtomicU64,
}

#[derive(Debug)]
struct Open {
    source: Source,
    /// Held while this process is the writer.
    _lock: Option<Held>,
}

enum Source {
    Writer(Database),
    Reader(ReadOnlyDatabase),
    /// What the folders say, while the catalog itself can't be read without a writer.
    Folders(Vec<CatalogRow>),
    /// The writer's, after a failed write and a failed attempt to open it again.
    Lost,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writer(_) => "Writer",
            Self::Reader(_) => "Reader",
            Self::Folders(_) => "Folders",
            Self::Lost => "Lost",
        })
    }
}

impl Catalog {
    /// Opens a root as its one writer, and makes it if need be.
    pub(crate) fn open(root: &Utf8Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let paths = RootPaths::new(root);
        make_root(&paths, disk.as_ref())?;
        let lock = lock(&paths, disk.as_ref())?;
        let (database, rows) = open_or_rebuild(&paths, disk.as_ref())?;
        ensure_index(&database)?;
        let next_order = reconcile(&database, rows, &paths, &disk)?;
        folder::empty_trash(&disk, &paths);
        let open = Open { source: Source::Writer(database), _lock: Some(lock) };
        Ok(Self::of(paths, disk, open, next_order))
    }

    /// Opens a root for reading, also beside its writer. Nothing is changed.
    ///
    /// After a writer's unclean end the catalog may need a writer to be repaired: until then the rows are
    /// what the folders say.
    pub(crate) fn read_only(root: &Utf8Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let paths = RootPaths::new(root);
        let source = match readable(|| disk.read_only_database(&paths.catalog(), &builder())) {
            Ok((database, _)) => Source::Reader(database),
            Err(error) if is_damage(&error) => {
                tracing::debug!(%error, "the catalog needs a writer; the item folders are read instead");
                Source::Folders(rows_of_folders(&paths, &disk)?)
            }
            Err(error) => return Err(database_fault(&paths, disk.as_ref(), error)),
        };
        let open = Open { source, _lock: None };
        Ok(Self::of(paths, disk, open, 0))
    }

    fn of(paths: RootPaths, disk: Arc<dyn Disk>, open: Open, next_order: u64) -> Self {
        let (open, next_order) = (RwLock::new(Some(open)), next_order.into());
        Self { paths, disk, open, owed: Mutex::default(), media: Mutex::default(), next_order }
    }

    /// The place in the order of adding for the next item.
    pub(crate) fn next_order(&self) -> Result<u64, StoreError> {
        Ok(self.next_order.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether some process has the root open for writing, this one included.
    pub(crate) fn has_writer(&self) -> bool {
        self.disk.is_locked(&self.paths.lock())
    }

    /// One item's row.
    pub(crate) fn get(&self, id: &ItemId) -> Result<Option<CatalogRow>, StoreError> {
        if let Some(row) = self.owed().get(id) {
            return Ok(Some(row.clone()));
        }
        self.with(|open| {
            if let Source::Folders(rows) = &open.source {
                return Ok(rows.iter().find(|row| row.id == *id).cloned());
            }
            let Some(table) = open.source.table(ITEMS)? else { return Ok(None) };
            let found = table.get(id.as_str()).map_err(fault)?;
            found.map(|value| self.decoded(value.value().1)).transpose()
        })
    }

    /// All rows, in the order of adding.
    pub(crate) fn all(&self) -> Result<Vec<CatalogRow>, StoreError> {
        let mut rows = self.with(|open| self.all_of(open))?;
        let owed = self.owed();
        for row in &mut rows {
            if let Some(true_row) = owed.get(&row.id) {
                row.clone_from(true_row);
            }
        }
        rows.sort_by_key(|row| row.order);
        Ok(rows)
    }

    fn all_of(&self, open: &Open) -> Result<Vec<CatalogRow>, StoreError> {
        if let Source::Folders(rows) = &open.source {
            return Ok(rows.clone());
        }
        let Some(table) = open.source.table(ITEMS)? else { return Ok(Vec::new()) };
        let entries = table.iter().map_err(fault)?;
        entries.map(|entry| self.decoded(entry.map_err(fault)?.1.value().1)).collect()
    }

    /// The rows in one of these states, in the order of adding; the others are not looked at.
    pub(crate) fn in_states(&self, states: &[ItemState]) -> Result<Vec<CatalogRow>, StoreError> {
        let is_wanted = |row: &CatalogRow| states.contains(&row.state);
        let mut rows = self.with(|open| {
            if let Source::Folders(rows) = &open.source {
                return Ok(rows.iter().filter(|row| is_wanted(row)).cloned().collect());
            }
            let (Some(items), Some(by_state)) = (open.source.table(ITEMS)?, open.source.table(BY_STATE)?)
            else {
                // A reader of what an early version wrote has no index.
                return Ok(self.all_of(open)?.into_iter().filter(is_wanted).collect());
            };
            let mut rows = Vec::new();
            for state in states.iter().map(|state| codec::state_number(*state)) {
                for entry in by_state.range((state, 0)..=(state, u64::MAX)).map_err(fault)? {
                    let id = entry.map_err(fault)?.1;
                    if let Some(found) = items.get(id.value()).map_err(fault)? {
                        rows.push(self.decoded(found.value().1)?);
                    }
                }
            }
            Ok(rows)
        })?;
        let owed = self.owed();
        rows.retain(|row: &CatalogRow| is_wanted(row) && !owed.contains_key(&row.id));
        rows.extend(owed.values().filter(|row| is_wanted(row)).cloned());
        rows.sort_by_key(|row| row.order);
        rows.dedup_by_key(|row| row.order);
        Ok(rows)
    }

    /// What all media may take together, if that is limited.
    pub(crate) fn quota(&self) -> Result<Option<u64>, StoreError> {
        self.with(|open| {
            let Some(settings) = open.source.table(SETTINGS)? else { return Ok(None) };
            Ok(settings.get(QUOTA).map_err(fault)?.map(|quota| quota.value()))
        })
    }

    /// Sets or lifts the limit, durably.
    pub(crate) fn set_quota(&self, quota: Option<u64>) -> Result<(), StoreError> {
        self.write(|database| set(database, QUOTA, quota))
    }

    /// Bytes of all media, as the rows have them: those are read once, and then it is kept.
    pub(crate) fn media_bytes(&self) -> Result<u64, StoreError> {
        let mut media = self.media();
        if let Some(bytes) = *media {
            return Ok(bytes);
        }
        let rows = self.all()?;
        let bytes = rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.downloaded_bytes));
        Ok(*media.insert(bytes))
    }

    fn media(&self) -> MutexGuard<'_, Option<u64>> {
        self.media.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owed(&self) -> MutexGuard<'_, BTreeMap<ItemId, CatalogRow>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decoded(&self, bytes: &[u8]) -> Result<CatalogRow, StoreError> {
        codec::decode(bytes).map_err(StoreError::in_record(self.paths.catalog()))
    }

    /// Adds or replaces a row, durably.
    pub(crate) fn put(&self, row: &CatalogRow) -> Result<(), StoreError> {
        let mut media = self.media();
        let mut owed = self.owed();
        let others = owed.values().filter(|other| other.id != row.id);
        let rows: Vec<&CatalogRow> = others.chain([row]).collect();
        let known = media.take().filter(|_| owed.is_empty());
        let change = self.write(|database| change(database, &rows, &[]))?;
        *media = known.and_then(|known| change.on(known));
        owed.clear();
        Ok(())
    }

    /// Replaces a row by what has happened anyway: if the disk is full, it is written with the next row.
    pub(crate) fn put_or_owe(&self, row: &CatalogRow) {
        if let Err(error) = self.put(row) {
            tracing::warn!(item = %row.id, %error, "a row is kept in memory until the disk takes it");
            self.owed().insert(row.id.clone(), row.clone());
        }
    }

    /// Removes a row, durably; one that isn't there is no error.
    pub(crate) fn remove(&self, id: &ItemId) -> Result<(), StoreError> {
        let mut media = self.media();
        let known = media.take();
        let change = self.write(|database| change(database, &[], &[id.as_str()]))?;
        let was_owed = self.owed().remove(id).is_some();
        *media = known.filter(|_| !was_owed).and_then(|known| change.on(known));
        Ok(())
    }

    /// Closes the catalog and lets another writer in. Later calls are errors.
    pub(crate) fn close(&self) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn with<T>(&self, read: impl FnOnce(&Open) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|open| matches!(open.source, Source::Lost)) {
            drop(open);
            self.reopen();
            open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        }
        match open.as_ref() {
            Some(open) => read(open),
            None => Err(StoreError::at(self.paths.catalog())(io::Error::other("the catalog is closed"))),
        }
    }

    fn write<T>(&self, write: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let written = self.with(|open| match &open.source {
            Source::Writer(database) => write(database),
            Source::Reader(_) | Source::Folders(_) => {
                Err(StoreError::at(self.paths.catalog())(io::ErrorKind::ReadOnlyFilesystem.into()))
            }
            Source::Lost => Err(StoreError::at(self.paths.catalog())(io::ErrorKind::StorageFull.into())),
        });
        if written.is_err() {
            self.reopen();
        }
        written
    }

    /// After a failed write (a full disk) redb answers nothing until it is opened again.
    fn reopen(&self) {
        let mut guard = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = guard.as_mut() else { return };
        if matches!(open.source, Source::Writer(_) | Source::Lost) {
            // The old one goes first: it holds the file's lock.
            open.source = Source::Lost;
            match self.disk.database(&self.paths.catalog(), &builder()) {
                Ok(database) => open.source = Source::Writer(database),
                Err(error) => tracing::warn!(%error, "the catalog can't be opened again yet"),
            }
        }
    }
}

impl Source {
    /// A table as it is now; `None` before something is written to it.
    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<Option<ReadOnlyTable<K, V>>, StoreError> {
        let transaction = match self {
            Self::Writer(database) => database.begin_read(),
            Self::Reader(database) => database.begin_read(),
            Self::Folders(_) => return Ok(None),
            // Nothing is known, which is not to say that nothing is there.
            Self::Lost => return Err(fault(redb::Error::PreviousIo)),
        };
        match transaction.map_err(fault)?.open_table(table) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }
}

fn fault(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Catalog(Box::new(error.into()))
}

#[cfg(test)]
mod tests;
