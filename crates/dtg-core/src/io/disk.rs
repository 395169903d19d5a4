//! The disk behind a small trait, so that a full disk or a power cut can be a value in a test.
//!
//! Paths are absolute. Files are made for their owner only (0600, folders 0700), and the last part of a
//! path is never followed when it is a symbolic link. Nothing is durable before a sync, except what
//! [`Disk::write_atomic`] wrote.

#[cfg(not(target_os = "linux"))]
mod unsynced;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::{fmt, io};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use super::codec::CodecError;
use crate::error::ErrorKind;

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
    fn write_atomic(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()>;
    /// Replaces or makes a whole file, durable with the next sync.
    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()>;
    /// Opens a file for reading and writing; made if absent, never cut.
    fn open(&self, path: &Utf8Path) -> io::Result<Box<dyn DiskFile>>;
    /// A file's length; `None` when there is no such file.
    fn len(&self, path: &Utf8Path) -> io::Result<Option<u64>>;
    /// Gives a file or folder another name on the same volume; durable once both folders are.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;
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

/// The disk of this machine.
#[derive(Debug, Default)]
pub(crate) struct RealDisk {
    #[cfg(not(target_os = "linux"))]
    unsynced: unsynced::Unsynced,
}

impl RealDisk {
    /// The disk of this machine.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Remembers a file that a per-file sync must visit; Linux syncs the volume and needs no list.
    #[cfg(target_os = "linux")]
    #[expect(clippy::unused_self, reason = "the list exists on other systems only")]
    fn touched(&self, _path: &Utf8Path) {}

    #[cfg(not(target_os = "linux"))]
    fn touched(&self, path: &Utf8Path) {
        self.unsynced.add(path);
    }

    fn create(&self, path: &Utf8Path) -> io::Result<File> {
        self.touched(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options).open(path)
    }
}

impl Disk for RealDisk {
    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        dir_builder().recursive(true).create(path)
    }

    fn ensure_dir(&self, path: &Utf8Path) -> io::Result<()> {
        match dir_builder().create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let is_folder = fs::symlink_metadata(path)?.is_dir();
                if is_folder { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
            }
            made => made,
        }
    }

    fn read(&self, path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let file = private(OpenOptions::new().read(true)).open(path)?;
        let length = file.metadata()?.len();
        if length > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_atomic(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        use io::Write as _;
        let temporary = temporary_beside(path);
        // What an interrupted write left behind; a link in its place must not be written through.
        self.remove_file(&temporary)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        drop(file);
        if let Err(error) = written.and_then(|()| fs::rename(&temporary, path)) {
            // The first fault is the one to report.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        path.parent().map_or(Ok(()), |folder| self.sync_dir(folder))
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.create(path)?;
        file.set_len(0)?;
        DiskFile::write_at(&file, bytes, 0)
    }

    fn open(&self, path: &Utf8Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.create(path)?))
    }

    fn len(&self, path: &Utf8Path) -> io::Result<Option<u64>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(_) => Ok(None),
            Err(error) => absent_is(None, error),
        }
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Utf8Path) -> io::Result<()> {
        fs::remove_file(path).or_else(|error| absent_is((), error))
    }

    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        fs::remove_dir_all(path).or_else(|error| absent_is((), error))
    }

    fn list(&self, path: &Utf8Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return absent_is(Vec::new(), error),
        };
        // A name that isn't UTF-8 is none of ours.
        let names =
            entries.filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose());
        let mut names = names.collect::<io::Result<Vec<String>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, path: &Utf8Path) -> io::Result<()> {
        sync_folder(path)
    }

    #[cfg(target_os = "linux")]
    fn sync(&self, root: &Utf8Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(root)?)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync(&self, root: &Utf8Path) -> io::Result<()> {
        self.unsynced.sync(root)
    }

    #[cfg(unix)]
    fn free_space(&self, path: &Utf8Path) -> io::Result<u64> {
        let volume = rustix::fs::statvfs(path.as_std_path())?;
        Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
    }

    #[cfg(not(unix))]
    fn free_space(&self, _path: &Utf8Path) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn absent_is<T>(answer: T, error: io::Error) -> io::Result<T> {
    if error.kind() == io::ErrorKind::NotFound { Ok(answer) } else { Err(error) }
}

fn temporary_beside(path: &Utf8Path) -> Utf8PathBuf {
    path.with_file_name(format!("{}.new", path.file_name().unwrap_or_default()))
}

#[cfg(unix)]
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    options.mode(0o600).custom_flags(flags)
}

#[cfg(not(unix))]
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn dir_builder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(unix)]
fn sync_folder(path: &Utf8Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows makes names durable by itself and has no call for it.
#[cfg(not(unix))]
fn sync_folder(_path: &Utf8Path) -> io::Result<()> {
    Ok(())
}

impl DiskFile for File {
    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = std::os::windows::fs::FileExt::seek_write(self, bytes, offset)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(written..).unwrap_or_default();
            offset = offset.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            #[cfg(unix)]
            let read = std::os::unix::fs::FileExt::read_at(self, buffer, offset);
            #[cfg(windows)]
            let read = std::os::windows::fs::FileExt::seek_read(self, buffer, offset);
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        Self::set_len(self, length)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests;
