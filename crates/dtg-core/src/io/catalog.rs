//! The index over the item folders: one small row for each item, in redb.
//!
//! Where folder and row disagree, the folder wins: opening adds a row for a folder that has none, drops a
//! row whose folder is gone, and makes a damaged row anew. A catalog that can't be read is moved aside and
//! made anew from the folders. None of this loses what was downloaded.

mod reconcile;
mod row;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use camino::Utf8Path;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase as _,
    ReadableTable as _, StorageError, TableDefinition, TableError,
};

use super::codec;
use super::disk::{Disk, StoreError};
use super::folder;
use crate::item::ItemId;
use crate::layout::RootPaths;
use reconcile::{reconcile, rows_of_folders};

pub(crate) use row::CatalogRow;

/// Id to order of adding and row.
const ITEMS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("items");
/// redb's own default is 1 GiB.
const CACHE: usize = 16 << 20;
/// A reader that looks for a writer is done within this.
const READER_LOOKS: Duration = Duration::from_millis(4);

/// The open catalog of a root.
#[derive(Debug)]
pub(crate) struct Catalog {
    paths: RootPaths,
    open: RwLock<Option<Open>>,
    /// Rows that a full disk refused: true, and not written down yet.
    owed: Mutex<BTreeMap<ItemId, CatalogRow>>,
    next_order: AtomicU64,
}

#[derive(Debug)]
struct Open {
    source: Source,
    /// Held while this process is the writer.
    _lock: Option<File>,
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
        for folder in [paths.root().to_owned(), paths.items(), paths.trash()] {
            disk.create_dir_all(&folder).map_err(StoreError::at(folder))?;
        }
        let lock = lock(&paths)?;
        let database = open_or_rebuild(&paths, disk.as_ref())?;
        let next_order = reconcile(&database, &paths, &disk)?;
        folder::empty_trash(&disk, &paths);
        let open = Open { source: Source::Writer(database), _lock: Some(lock) };
        Ok(Self::of(paths, open, next_order))
    }

    /// Opens a root for reading, also beside its writer. Nothing is changed.
    ///
    /// After a writer's unclean end the catalog may need a writer to be repaired: until then the rows are
    /// what the folders say.
    pub(crate) fn read_only(root: &Utf8Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let paths = RootPaths::new(root);
        let source = match builder().open_read_only(paths.catalog()) {
            Ok(database) => Source::Reader(database),
            Err(error) if is_damage(&error) => {
                tracing::debug!(%error, "the catalog needs a writer; the item folders are read instead");
                Source::Folders(rows_of_folders(&paths, &disk)?)
            }
            Err(error) => return Err(database_fault(&paths, error)),
        };
        let open = Open { source, _lock: None };
        Ok(Self::of(paths, open, 0))
    }

    fn of(paths: RootPaths, open: Open, next_order: u64) -> Self {
        Self { paths, open: RwLock::new(Some(open)), owed: Mutex::default(), next_order: next_order.into() }
    }

    /// The place in the order of adding for the next item.
    pub(crate) fn next_order(&self) -> Result<u64, StoreError> {
        Ok(self.next_order.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether some process has the root open for writing, this one included.
    pub(crate) fn has_writer(&self) -> bool {
        // Held for an instant only; a writer that comes in just then tries again.
        let probe = File::open(self.paths.lock()).map(|file| file.try_lock_shared());
        matches!(probe, Ok(Err(fs::TryLockError::WouldBlock)))
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
            let Some(table) = open.source.table()? else { return Ok(None) };
            let found = table.get(id.as_str()).map_err(fault)?;
            found.map(|value| self.decoded(value.value().1)).transpose()
        })
    }

    /// All rows, in the order of adding.
    pub(crate) fn all(&self) -> Result<Vec<CatalogRow>, StoreError> {
        let mut rows = self.with(|open| {
            if let Source::Folders(rows) = &open.source {
                return Ok(rows.clone());
            }
            let Some(table) = open.source.table()? else { return Ok(Vec::new()) };
            let entries = table.iter().map_err(fault)?;
            entries.map(|entry| self.decoded(entry.map_err(fault)?.1.value().1)).collect()
        })?;
        let owed = self.owed();
        for row in &mut rows {
            if let Some(true_row) = owed.get(&row.id) {
                row.clone_from(true_row);
            }
        }
        rows.sort_by_key(|row| row.order);
        Ok(rows)
    }

    fn owed(&self) -> MutexGuard<'_, BTreeMap<ItemId, CatalogRow>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decoded(&self, bytes: &[u8]) -> Result<CatalogRow, StoreError> {
        codec::decode(bytes).map_err(StoreError::in_record(self.paths.catalog()))
    }

    /// Adds or replaces a row, durably.
    pub(crate) fn put(&self, row: &CatalogRow) -> Result<(), StoreError> {
        let mut owed = self.owed();
        let others = owed.values().filter(|other| other.id != row.id);
        let rows: Vec<&CatalogRow> = others.chain([row]).collect();
        self.write(|database| change(database, &rows, &[]))?;
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
        self.write(|database| change(database, &[], &[id.as_str()]))?;
        self.owed().remove(id);
        Ok(())
    }

    /// Closes the catalog and lets another writer in. Later calls are errors.
    pub(crate) fn close(&self) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn with<T>(&self, read: impl FnOnce(&Open) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        match open.as_ref() {
            Some(open) => read(open),
            None => Err(StoreError::at(self.paths.catalog())(io::Error::other("the catalog is closed"))),
        }
    }

    fn write(&self, write: impl FnOnce(&Database) -> Result<(), StoreError>) -> Result<(), StoreError> {
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
            match builder().create(self.paths.catalog()) {
                Ok(database) => open.source = Source::Writer(database),
                Err(error) => tracing::warn!(%error, "the catalog can't be opened again yet"),
            }
        }
    }
}

type Items = redb::ReadOnlyTable<&'static str, (u64, &'static [u8])>;

impl Source {
    /// The rows as they are now; `None` before the first one is written.
    fn table(&self) -> Result<Option<Items>, StoreError> {
        let transaction = match self {
            Self::Writer(database) => database.begin_read(),
            Self::Reader(database) => database.begin_read(),
            Self::Folders(_) | Self::Lost => return Ok(None),
        };
        match transaction.map_err(fault)?.open_table(ITEMS) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }
}

fn fault(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Catalog(Box::new(error.into()))
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// Writes and removes rows in one durable transaction.
fn change(database: &Database, put: &[&CatalogRow], removed: &[&str]) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(fault)?;
    // Opening stays fast after an unclean end.
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(ITEMS).map_err(fault)?;
        for row in put {
            let bytes = codec::encode(*row);
            table.insert(row.id.as_str(), (row.order, bytes.as_slice())).map_err(fault)?;
        }
        for id in removed {
            table.remove(id).map_err(fault)?;
        }
    }
    transaction.commit().map_err(fault)
}

/// Takes the writer's lock, and leaves the pid in it for whoever comes second.
fn lock(paths: &RootPaths) -> Result<File, StoreError> {
    use std::io::Write as _;
    let path = paths.lock();
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = super::disk::private(&mut options).open(&path).map_err(StoreError::at(&path))?;
    match try_lock(&file) {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(StoreError::Locked { pid: writer(paths) }),
        Err(fs::TryLockError::Error(error)) => return Err(StoreError::at(path)(error)),
    }
    let written = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    written.map_err(StoreError::at(path))?;
    Ok(file)
}

/// Takes the lock, unless it stays taken for longer than a reader needs to look.
fn try_lock(file: &File) -> Result<(), fs::TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(READER_LOOKS),
            answer => return answer,
        }
    }
    file.try_lock()
}

/// The pid in the lock; 0 when the writer has not got to write it.
fn writer(paths: &RootPaths) -> u32 {
    fs::read_to_string(paths.lock()).ok().and_then(|pid| pid.parse().ok()).unwrap_or(0)
}

/// Whether the file itself is at fault, rather than the disk or another process.
fn is_damage(error: &DatabaseError) -> bool {
    if let DatabaseError::Storage(StorageError::Io(error)) = error {
        return matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
    }
    matches!(
        error,
        DatabaseError::RepairAborted
            | DatabaseError::UpgradeRequired(_)
            | DatabaseError::Storage(StorageError::Corrupted(_))
    )
}

fn database_fault(paths: &RootPaths, error: DatabaseError) -> StoreError {
    if let DatabaseError::Storage(StorageError::Io(error)) = error {
        return StoreError::at(paths.catalog())(error);
    }
    if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
        return StoreError::Locked { pid: writer(paths) };
    }
    fault(error)
}

/// The catalog; one that can't be read is moved aside for an empty one.
fn open_or_rebuild(paths: &RootPaths, disk: &dyn Disk) -> Result<Database, StoreError> {
    let path = paths.catalog();
    let create = || {
        // An empty file is made a catalog; made here, it is for its owner only.
        disk.open(&path).map_err(StorageError::Io)?;
        builder().create(&path)
    };
    let opened = create().and_then(|database| is_readable(&database).map(|()| database));
    match opened {
        Ok(database) => Ok(database),
        Err(error) if is_damage(&error) => {
            let aside = (0..).map(|n| paths.bad_catalog(n)).find(|aside| !aside.exists());
            let aside = aside.unwrap_or_else(|| paths.bad_catalog(u32::MAX));
            tracing::warn!(%error, %aside, "the catalog can't be read: it is made anew from the item folders");
            fs::rename(&path, &aside).map_err(StoreError::at(&path))?;
            create().map_err(|error| database_fault(paths, error))
        }
        Err(error) => Err(database_fault(paths, error)),
    }
}

/// Walks over all rows, so that damage is met now and not in the middle of a command.
fn is_readable(database: &Database) -> Result<(), DatabaseError> {
    let damaged = |what: String| DatabaseError::Storage(StorageError::Corrupted(what));
    let transaction = database.begin_read().map_err(|error| damaged(error.to_string()))?;
    let table = match transaction.open_table(ITEMS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(error) => return Err(damaged(error.to_string())),
    };
    for entry in table.iter()? {
        entry?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
