//! The disk of this machine.

#[cfg(not(target_os = "linux"))]
mod unsynced;
mod names;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::time::Duration;

use camino::Utf8Path;
use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase, StorageError};

use self::names::{is_at, rename_new};
use super::{Disk, DiskFile, Entry, Held, Usage};

/// A reader that looks for a writer is done within this.
const READER_LOOKS: Duration = Duration::from_millis(4);

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

    fn open(&self, path: &Utf8Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.create(path)?))
    }

    fn len(&self, path: &Utf8Path) -> io::Result<Option<u64>> {
        Ok(if let Some(Entry::File(length)) = self.entry(path)? { Some(length) } else { None })
    }

    fn entry(&self, path: &Utf8Path) -> io::Result<Option<Entry>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Entry::File(metadata.len()))),
            Ok(metadata) if metadata.is_dir() => Ok(Some(Entry::Folder)),
            Ok(_) => Ok(Some(Entry::Other)),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(error) => absent_is(None, error),
        }
    }

    fn usage(&self, path: &Utf8Path) -> io::Result<Usage> {
        let mut usage = Usage::default();
        let mut folders = vec![path.as_std_path().to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                // Removed meanwhile, or never there.
                Err(error) => {
                    absent_is((), error)?;
                    continue;
                }
            };
            if let Ok(metadata) = fs::symlink_metadata(&folder) {
                usage.freed = usage.freed.saturating_add(freed_by(&metadata));
            }
            for entry in entries {
                let entry = entry?;
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                    Ok(metadata) => {
                        let bytes = if metadata.is_file() { metadata.len() } else { 0 };
                        usage = usage.and(Usage { bytes, freed: freed_by(&metadata) });
                    }
                    Err(error) => absent_is((), error)?,
                }
            }
        }
        Ok(usage)
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_new(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        rename_new(from, to)
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.remove_file(to)?;
        self.touched(to);
        // A volume that knows no second names makes a copy.
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
    }

    #[cfg(not(unix))]
    fn is_same(&self, _one: &Utf8Path, _other: &Utf8Path) -> io::Result<bool> {
        // A rename there is one step.
        Ok(false)
    }

    #[cfg(unix)]
    fn is_same(&self, one: &Utf8Path, other: &Utf8Path) -> io::Result<bool> {
        match fs::symlink_metadata(one) {
            Ok(one) => is_at(&one, other),
            Err(error) => absent_is(false, error),
        }
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

    fn lock(&self, path: &Utf8Path, owner: &str) -> io::Result<Option<Held>> {
        use io::Write as _;
        let mut file = self.create(path)?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if !is_at(&file.metadata()?, path)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        file.set_len(0)?;
        file.write_all(owner.as_bytes())?;
        Ok(Some(Box::new(file)))
    }

    fn is_locked(&self, path: &Utf8Path) -> bool {
        // Held for an instant only; a writer that comes in just then tries again.
        let probe = File::open(path).map(|file| file.try_lock_shared());
        matches!(probe, Ok(Err(TryLockError::WouldBlock)))
    }

    fn database(&self, path: &Utf8Path, builder: &Builder) -> Result<Database, DatabaseError> {
        // An empty file is made a database; made here, it is for its owner only.
        let file = self.create(path).map_err(StorageError::Io)?;
        builder.create_with_backend(FileBackend::new(file)?)
    }

    fn read_only_database(
        &self,
        path: &Utf8Path,
        builder: &Builder,
    ) -> Result<ReadOnlyDatabase, DatabaseError> {
        builder.open_read_only(path)
    }
}

/// Takes the lock, unless it stays taken for longer than a reader needs to look.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(READER_LOOKS),
            answer => return answer,
        }
    }
    file.try_lock()
}

/// Whole blocks; nothing for a file that has another name too.
#[cfg(unix)]
fn freed_by(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.is_file() && metadata.nlink() > 1 { 0 } else { metadata.blocks().saturating_mul(512) }
}

#[cfg(not(unix))]
fn freed_by(metadata: &fs::Metadata) -> u64 {
    if metadata.is_file() { metadata.len() } else { 0 }
}

fn absent_is<T>(answer: T, error: io::Error) -> io::Result<T> {
    if error.kind() == io::ErrorKind::NotFound { Ok(answer) } else { Err(error) }
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
