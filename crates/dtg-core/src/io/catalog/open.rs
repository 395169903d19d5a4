//! Takes a root: its folders, its lock and its database, which is made anew when it can't be read.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use camino::Utf8PathBuf;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, Key, ReadableDatabase, ReadableTable as _,
    StorageError, TableDefinition, TableError, Value,
};

use super::fault;
use super::reconcile::Rows;
use super::tables::{BY_STATE, ITEMS, SETTINGS};
use crate::io::disk::{Disk, Held, StoreError};
use crate::layout::RootPaths;

/// redb's own default is 1 GiB.
const CACHE: usize = 16 << 20;

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// Makes the root and its folders, durably: what is stored below is as durable as their names.
pub(super) fn make_root(paths: &RootPaths, disk: &dyn Disk) -> Result<(), StoreError> {
    for folder in [paths.root().to_owned(), paths.items(), paths.trash()] {
        disk.create_dir_all(&folder).map_err(StoreError::at(folder))?;
    }
    for folder in paths.root().ancestors().filter(|folder| !folder.as_str().is_empty()) {
        match disk.sync_dir(folder) {
            // Above the root are folders that we may not even open; those were there before.
            Err(_) if folder != paths.root() => break,
            synced => synced.map_err(StoreError::at(folder))?,
        }
    }
    Ok(())
}

/// Takes the writer's lock, and leaves the pid in it for whoever comes second.
pub(super) fn lock(paths: &RootPaths, disk: &dyn Disk) -> Result<Held, StoreError> {
    let path = paths.lock();
    let held = disk.lock(&path, &std::process::id().to_string()).map_err(StoreError::at(path))?;
    held.ok_or_else(|| StoreError::Locked { pid: writer(paths, disk) })
}

/// The pid in the lock; 0 when the writer has not got to write it.
pub(super) fn writer(paths: &RootPaths, disk: &dyn Disk) -> u32 {
    let pid = disk.read(&paths.lock(), 20).ok().and_then(|pid| String::from_utf8(pid).ok());
    pid.and_then(|pid| pid.parse().ok()).unwrap_or(0)
}

/// Whether the file itself is at fault, rather than the disk or another process.
pub(super) fn is_damage(error: &DatabaseError) -> bool {
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

pub(super) fn database_fault(paths: &RootPaths, disk: &dyn Disk, error: DatabaseError) -> StoreError {
    if let DatabaseError::Storage(StorageError::Io(error)) = error {
        return StoreError::at(paths.catalog())(error);
    }
    if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
        return StoreError::Locked { pid: writer(paths, disk) };
    }
    fault(error)
}

/// The catalog and its rows; one that can't be read is moved aside for an empty one.
pub(super) fn open_or_rebuild(paths: &RootPaths, disk: &dyn Disk) -> Result<(Database, Rows), StoreError> {
    let path = paths.catalog();
    let create = || disk.database(&path, &builder());
    match readable(create) {
        Ok(opened) => Ok(opened),
        Err(error) if is_damage(&error) => {
            let is_free = |aside: &Utf8PathBuf| matches!(disk.len(aside), Ok(None));
            let aside = (0..).map(|n| paths.bad_catalog(n)).find(is_free);
            let aside = aside.unwrap_or_else(|| paths.bad_catalog(u32::MAX));
            tracing::warn!(%error, %aside, "the catalog can't be read: it is made anew from the item folders");
            disk.rename(&path, &aside).map_err(StoreError::at(&path))?;
            let database = create().map_err(|error| database_fault(paths, disk, error))?;
            Ok((database, Rows::default()))
        }
        Err(error) => Err(database_fault(paths, disk, error)),
    }
}

/// Opens a database and walks once over all that is in it, so that damage is met now and not in the middle of a
/// command; answers what that walk saw of the rows.
pub(super) fn readable<D: ReadableDatabase>(
    open: impl FnOnce() -> Result<D, DatabaseError>,
) -> Result<(D, Rows), DatabaseError> {
    let database = guarded(open)?;
    let walked = guarded(|| {
        let mut rows = Rows::default();
        walk(&database, ITEMS, |id, (order, bytes)| rows.see(id, order, bytes))?;
        walk(&database, BY_STATE, |_, _| {})?;
        walk(&database, SETTINGS, |_, _| {})?;
        Ok(rows)
    });
    match walked {
        Ok(rows) => Ok((database, rows)),
        Err(error) => {
            // Closing writes, which may meet the same damage; the first fault is the one to report.
            let _ = guarded(|| {
                drop(database);
                Ok(())
            });
            Err(error)
        }
    }
}

/// redb looks at no page's checksum when it reads, and damage can make it panic.
fn guarded<T>(call: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
    let called = catch_unwind(AssertUnwindSafe(call));
    called.unwrap_or_else(|_| Err(damaged("its pages make no sense".to_owned())))
}

fn damaged(what: String) -> DatabaseError {
    DatabaseError::Storage(StorageError::Corrupted(what))
}

/// Makes every key and value of a table: a damaged one shows here.
fn walk<K: Key + 'static, V: Value + 'static>(
    database: &impl ReadableDatabase,
    table: TableDefinition<'_, K, V>,
    mut see: impl FnMut(K::SelfType<'_>, V::SelfType<'_>),
) -> Result<(), DatabaseError> {
    let transaction = database.begin_read().map_err(|error| damaged(error.to_string()))?;
    let table = match transaction.open_table(table) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(error) => return Err(damaged(error.to_string())),
    };
    for entry in table.iter()? {
        let (key, value) = entry?;
        see(key.value(), value.value());
    }
    Ok(())
}
