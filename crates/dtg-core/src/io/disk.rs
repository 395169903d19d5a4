//! The disk behind a small trait, so that a full disk or a power cut can be a value in a test.
//!
//! Paths are absolute. Files are made for their owner only (0600, folders 0700), and the last part of a
//! path is never followed when it is a symbolic link. Nothing is durable before a sync, except what
//! [`Disk::write_atomic`] wrote.

mod real;

use std::any::Any;
use std::{fmt, io};

use camino::{Utf8Path, Utf8PathBuf};
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase};
use thiserror::Error;

use super::codec::CodecError;
use crate::error::ErrorKind;

pub(crate) use real::RealDisk;

/// A lock that is held until it is dropped.
pub(crate) type Held = Box<dyn Any + Send + Sync>;

/// What the store needs of a disk.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// Makes a folder and those above it; one that is there is left as it is.
    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()>;
    /// Makes one folder; the one above it must be there. A folder that is there is left as it is; a
    /// symbolic link in its place is an error.
    fn ensure_dir(&self, path: &Utf8Path) -> io::Result<()>;
    /// A whole file; one that is larger than `limit` bytes is an error of kind `FileTooLarge`.
    fn read(&self, path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>>;
    /// Replaces or makes a whole file, durably: after a power cut it is the old one or the new one.
    fn write_atomic(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = path.with_file_name(format!("{}.new", path.file_name().unwrap_or_default()));
        // What an interrupted write left behind; a link in its place must not be written through.
        self.remove_file(&temporary)?;
        let file = self.open(&temporary)?;
        let written = file.write_at(bytes, 0).and_then(|()| file.sync());
        drop(file);
        if let Err(error) = written.and_then(|()| self.rename(&temporary, path)) {
            // The first fault is the one to report.
            let _ = self.remove_file(&temporary);
            return Err(error);
        }
        path.parent().map_or(Ok(()), |folder| self.sync_dir(folder))
    }
    /// Replaces or makes a whole file, durable with the next sync.
    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.open(path)?;
        file.set_len(0)?;
        file.write_at(bytes, 0)
    }
    /// Opens a file for reading and writing; made if absent, never cut.
    fn open(&self, path: &Utf8Path) -> io::Result<Box<dyn DiskFile>>;
    /// A file's length; `None` when there is no such file.
    fn len(&self, path: &Utf8Path) -> io::Result<Option<u64>>;
    /// What has this name; `None` when nothing has.
    fn entry(&self, path: &Utf8Path) -> io::Result<Option<Entry>>;
    /// What all files below a folder take of the volume; links are not followed.
    fn usage(&self, path: &Utf8Path) -> io::Result<Usage>;
    /// Gives a file or folder another name on the same volume; durable once both folders are.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;
    /// The same where nothing has the new name; an error of kind `AlreadyExists` where something has.
    fn rename_new(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;
    /// Gives a file a second name, where the volume can, else a copy of it. Neither may be written to afterwards.
    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;
    /// Whether both are names of one file, as a power cut during a rename may leave it.
    fn is_same(&self, one: &Utf8Path, other: &Utf8Path) -> io::Result<bool>;
    /// Removes a file; one that isn't there is no error.
    fn remove_file(&self, path: &Utf8Path) -> io::Result<()>;
    /// Removes a folder and all in it; one that isn't there is no error.
    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()>;
    /// The names in a folder, sorted; a folder that isn't there has none.
    fn list(&self, path: &Utf8Path) -> io::Result<Vec<String>>;
    /// Makes the names in one folder durable.
    fn sync_dir(&self, path: &Utf8Path) -> io::Result<()>;
    /// Makes durable whatever was written below `root` before the call.
    fn sync(&self, root: &Utf8Path) -> io::Result<()>;
    /// Bytes that may still be written to the volume of `path`.
    fn free_space(&self, path: &Utf8Path) -> io::Result<u64>;
    /// Takes the lock that this file is, and leaves `owner` in it; `None` while somebody else has it. An error of
    /// kind `NotFound` where the file lost its name meanwhile, be it with the folder that it lies in.
    fn lock(&self, path: &Utf8Path, owner: &str) -> io::Result<Option<Held>>;
    /// Whether somebody has the lock that this file is.
    fn is_locked(&self, path: &Utf8Path) -> bool;
    /// Opens a database for writing; made if absent.
    fn database(&self, path: &Utf8Path, builder: &Builder) -> Result<Database, DatabaseError>;
    /// Opens a database for reading.
    fn read_only_database(
        &self,
        path: &Utf8Path,
        builder: &Builder,
    ) -> Result<ReadOnlyDatabase, DatabaseError>;
}

/// What a name stands for; a link is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A file of so many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A link, a device, a pipe.
    Other,
}

/// What files take of a volume.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Their lengths together.
    pub(crate) bytes: u64,
    /// What the volume gets back when they are deleted.
    pub(crate) freed: u64,
}

impl Usage {
    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(other.bytes), freed: self.freed.saturating_add(other.freed) }
    }
}

/// An open file of a [`Disk`].
pub(crate) trait DiskFile: Send + Sync + fmt::Debug {
    /// Writes all of `bytes`; a gap before `offset` reads as zeros.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Reads up to a whole buffer; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Cuts or grows the file.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// The file's length.
    fn len(&self) -> io::Result<u64>;
    /// Makes the file durable.
    fn sync(&self) -> io::Result<()>;
}

/// What went wrong in the store.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// A file or folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record can't be read.
    #[error("{path}: {fault}")]
    Record {
        /// The record's file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        fault: CodecError,
    },
    /// Another process, or another manager in this one, writes to this root.
    #[error("another process (pid {pid}) has this folder open for writing")]
    Locked {
        /// The writer; 0 when it could not be found out.
        pid: u32,
    },
    /// The catalog can't be read or written.
    #[error("the catalog failed: {0}")]
    Catalog(Box<redb::Error>),
}

impl StoreError {
    /// Adds the path to an I/O error.
    pub(crate) fn at(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), source }
    }

    /// Adds the path to what is wrong with a record.
    pub(crate) fn in_record(path: impl Into<Utf8PathBuf>) -> impl FnOnce(CodecError) -> Self {
        move |fault| Self::Record { path: path.into(), fault }
    }
}

impl From<StoreError> for ErrorKind {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { path, source } if matches!(Self::from(io_kind(&source)), Self::Store(_)) => {
                Self::Store(io::Error::new(source.kind(), format!("{path}: {source}")))
            }
            StoreError::Io { source, .. } => source.into(),
            StoreError::Record { .. } => Self::Damaged(error.to_string()),
            StoreError::Locked { pid } => Self::Locked(pid),
            StoreError::Catalog(fault) => {
                if let redb::Error::Io(source) = *fault {
                    return source.into();
                }
                Self::Store(io::Error::other(format!("the catalog: {fault}")))
            }
        }
    }
}

fn io_kind(error: &io::Error) -> io::Error {
    io::Error::from(error.kind())
}

#[cfg(test)]
mod tests;
