//! The folder of keys as the system has it: for its owner only, no links followed.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use fairplay_keys::StoreError;
use zeroize::Zeroizing;

/// What a folder of keys is kept on. Names are of the one folder.
pub(super) trait Disk: Send + Sync + fmt::Debug {
    /// A file's bytes; `None` without one.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;
    /// Makes a new file.
    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;
    /// Makes a file's bytes durable.
    fn sync(&self, name: &str) -> Result<(), StoreError>;
    /// Gives a file another name; one that has it is replaced.
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError>;
    /// Removes a file; fine when there is none.
    fn remove(&self, name: &str) -> Result<(), StoreError>;
    /// Makes the names durable.
    fn sync_names(&self) -> Result<(), StoreError>;
    /// The names of all files.
    fn list(&self) -> Result<Vec<String>, StoreError>;
}

/// A folder of this machine, locked against other processes while it is open.
#[derive(Debug)]
pub(super) struct RealDisk {
    folder: Utf8PathBuf,
    _lock: File,
}

/// Only one process has a folder of keys open.
const LOCK: &str = "lock";

impl RealDisk {
    /// Opens a folder, and makes it where it is missing.
    pub(super) fn open(folder: &Utf8Path) -> Result<Self, StoreError> {
        make_folder(folder).map_err(|error| failed(folder.as_str(), &error))?;
        judge(folder.as_str(), &facts(folder)?, Kind::Folder)?;
        let path = folder.join(LOCK);
        let lock = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(|error| failed(LOCK, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => Err(failed(LOCK, &error)),
        }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(name)
    }
}

impl Disk for RealDisk {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = self.path(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            _ => judge(name, &facts(&path)?, Kind::File)?,
        }
        let file =
            private(OpenOptions::new().read(true)).open(&path).map_err(|error| failed(name, &error))?;
        let length = file.metadata().map_err(|error| failed(name, &error))?.len();
        // Room for all, so that no copy is left behind when it grows.
        let mut bytes =
            Zeroizing::new(Vec::with_capacity(usize::try_from(length.min(limit)).unwrap_or(0) + 1));
        file.take(limit).read_to_end(&mut bytes).map_err(|error| failed(name, &error))?;
        Ok(Some(bytes))
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let written = || {
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(self.path(name))?;
            for_owner_only(&file)?;
            file.write_all(bytes)
        };
        written().map_err(|error| failed(name, &error))
    }

    fn sync(&self, name: &str) -> Result<(), StoreError> {
        let synced = private(OpenOptions::new().read(true).write(true))
            .open(self.path(name))
            .and_then(|it| it.sync_all());
        synced.map_err(|error| failed(name, &error))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        fs::rename(self.path(from), self.path(to)).map_err(|error| failed(from, &error))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(name, &error)),
            _ => Ok(()),
        }
    }

    fn sync_names(&self) -> Result<(), StoreError> {
        sync_folder(&self.folder).map_err(|error| failed(self.folder.as_str(), &error))
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let entries = fs::read_dir(&self.folder).map_err(|error| failed(self.folder.as_str(), &error))?;
        // A name that is not UTF-8 is none of ours.
        let names =
            entries.filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose());
        names.collect::<io::Result<_>>().map_err(|error| failed(self.folder.as_str(), &error))
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only a full disk is told apart")]
fn failed(name: &str, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed { name: name.to_owned(), why: error.to_string() },
    }
}

/// What a file or folder is, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    kind: Option<Kind>,
    is_ours: bool,
    for_others: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

fn judge(name: &str, facts: &Facts, due: Kind) -> Result<(), StoreError> {
    let why = match (facts.kind, due) {
        (None, _) => "it is a link or something else that is no place for keys",
        (Some(kind), due) if kind != due => "it is a folder where a file belongs, or the other way round",
        _ if !facts.is_ours => "it belongs to another user",
        _ if facts.for_others => "other users can read or change it",
        _ => return Ok(()),
    };
    Err(StoreError::Refused { name: name.to_owned(), why })
}

fn facts(path: &Utf8Path) -> Result<Facts, StoreError> {
    let metadata = fs::symlink_metadata(path).map_err(|error| failed(path.as_str(), &error))?;
    let file_type = metadata.file_type();
    let kind = match (file_type.is_file(), file_type.is_dir()) {
        (true, _) => Some(Kind::File),
        (_, true) => Some(Kind::Folder),
        _ => None,
    };
    let (is_ours, for_others) = ownership(&metadata);
    Ok(Facts { kind, is_ours, for_others })
}

#[cfg(unix)]
fn ownership(metadata: &fs::Metadata) -> (bool, bool) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.uid() == rustix::process::geteuid().as_raw(), metadata.mode() & 0o077 != 0)
}

/// Windows says by access lists whose a file is; folders of a user's profile are that user's.
#[cfg(not(unix))]
fn ownership(_: &fs::Metadata) -> (bool, bool) {
    (true, false)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    options.mode(0o600).custom_flags(flags)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whatever the process's umask is.
#[cfg(unix)]
fn for_owner_only(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn for_owner_only(_: &File) -> io::Result<()> {
    Ok(())
}

/// Makes the folder; one that is there stays as it is, and is judged.
fn make_folder(folder: &Utf8Path) -> io::Result<()> {
    if fs::symlink_metadata(folder).is_ok() {
        return Ok(());
    }
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    folder.parent().map_or(Ok(()), sync_folder)
}

#[cfg(unix)]
fn sync_folder(path: &Utf8Path) -> io::Result<()> {
    let path = if path.as_str().is_empty() { Utf8Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

/// Windows makes names durable by itself and has no call for it.
#[cfg(not(unix))]
fn sync_folder(_path: &Utf8Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_of_our_own_that_nobody_else_reads_is_a_place_for_keys() {
        let good = Facts { kind: Some(Kind::Folder), is_ours: true, for_others: false };
        assert_eq!(judge("x", &good, Kind::Folder), Ok(()));
        let why = |facts: Facts| match judge("x", &facts, Kind::Folder) {
            Err(StoreError::Refused { why, .. }) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(Facts { is_ours: false, ..good }).contains("another user"));
        assert!(why(Facts { for_others: true, ..good }).contains("other users"));
        assert!(why(Facts { kind: None, ..good }).contains("link"));
        assert!(why(Facts { kind: Some(Kind::File), ..good }).contains("folder"));
    }
}
