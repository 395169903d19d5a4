//! A disk in memory, for tests: a full disk is a number, and a power cut is a value.
//!
//! Every change is an operation with a number. [`MemoryDisk::cut_power_at`] says during which one the power
//! goes; from then on nothing works any more, and [`MemoryDisk::after_power_cut`] is the disk as it comes up
//! again. What was synced is there. Of the rest each single change survives or not, and a write may
//! survive in part or as zeros: no file system is as cruel as that, and none may be relied upon to be kinder.
#![cfg(any(test, feature = "testing"))]

mod backend;
mod power;
mod volume;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase, StorageError};

use super::disk::{Disk, DiskFile, Entry, Held, Usage};
pub use power::Survival;
use volume::{Inode, Volume};

/// A disk in memory. Folders exist once they are made; clones are the same disk.
#[derive(Debug, Clone)]
pub struct MemoryDisk {
    volume: Arc<Mutex<Volume>>,
    gate: Arc<Gate>,
}

/// Where syncs of the volume wait.
#[derive(Debug, Default)]
struct Gate {
    is_held: Mutex<bool>,
    changed: Condvar,
    /// So many syncs to come fail.
    failing: AtomicU64,
}

impl Gate {
    fn held(&self) -> MutexGuard<'_, bool> {
        self.is_held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) {
        drop(self.changed.wait_while(self.held(), |is_held| *is_held));
    }
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::with_capacity(u64::MAX)
    }
}

impl MemoryDisk {
    /// A disk that holds at most `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: u64) -> Self {
        Self::of(Volume::new(capacity))
    }

    fn of(volume: Volume) -> Self {
        Self { volume: Arc::new(Mutex::new(volume)), gate: Arc::default() }
    }

    /// Makes the disk larger or smaller; what is on it stays.
    pub fn set_capacity(&self, capacity: u64) {
        self.volume().capacity = capacity;
    }

    /// How often a single file was synced.
    #[must_use]
    pub fn file_syncs(&self) -> u64 {
        self.volume().file_syncs
    }

    /// How often a file that has more than one name was written to: it changed under all of them.
    #[must_use]
    pub fn shared_writes(&self) -> u64 {
        self.volume().shared_writes
    }

    /// How many changes and syncs there were so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.volume().power.operations()
    }

    /// The power goes during this operation, counted from 1: a write, rename or removal may have reached
    /// the disk, a sync has not, and none of them answers with success.
    pub fn cut_power_at(&self, operation: u64) {
        self.volume().power.cut_at(operation);
    }

    /// The disk as it comes up after a power cut at this moment.
    #[must_use]
    pub fn after_power_cut(&self, survival: Survival) -> Self {
        Self::of(self.volume().survivor(survival))
    }

    /// Whether the power is still there.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.volume().power.is_on().is_ok()
    }

    /// Lets syncs of the volume wait until [`MemoryDisk::release_syncs`].
    pub fn hold_syncs(&self) {
        *self.gate.held() = true;
    }

    /// Lets held syncs go on.
    pub fn release_syncs(&self) {
        *self.gate.held() = false;
        self.gate.changed.notify_all();
    }

    /// The next syncs, also of single files and folders, fail and make nothing durable.
    pub fn fail_syncs(&self, count: u64) {
        self.gate.failing.store(count, Ordering::Relaxed);
    }

    /// The files below a folder: path relative to it, and bytes.
    #[must_use]
    pub fn files_below(&self, folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
        let volume = self.volume();
        let mut files = BTreeMap::new();
        if let Some(inode) = volume.find(folder) {
            volume.collect_files(inode, String::new(), &mut files);
        }
        files
    }

    fn volume(&self) -> MutexGuard<'_, Volume> {
        self.volume.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<T>(&self, look: impl FnOnce(&Volume) -> io::Result<T>) -> io::Result<T> {
        let volume = self.volume();
        volume.power.is_on()?;
        look(&volume)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Volume) -> io::Result<T>) -> io::Result<T> {
        let mut volume = self.volume();
        volume.power.spend()?;
        let changed = change(&mut volume);
        volume.power.is_on()?;
        changed
    }

    fn make_durable(&self, sync: impl FnOnce(&mut Volume)) -> io::Result<()> {
        let mut volume = self.volume();
        volume.power.spend()?;
        volume.power.is_on()?;
        let one_less = |count: u64| count.checked_sub(1);
        if self.gate.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            return Err(io::Error::other("the disk syncs nothing"));
        }
        sync(&mut volume);
        Ok(())
    }

    fn opened(&self, path: &Utf8Path) -> io::Result<MemoryFile> {
        // Under one lock: of two threads that open a new file, one makes it.
        let mut volume = self.volume();
        volume.power.is_on()?;
        let inode = match volume.find(path) {
            Some(inode) => volume.file(inode).map(|_| inode)?,
            None => {
                volume.power.spend()?;
                let made = volume.make_file(path);
                volume.power.is_on()?;
                made?
            }
        };
        drop(volume);
        Ok(MemoryFile { disk: self.clone(), inode })
    }
}

impl Disk for MemoryDisk {
    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        let above: Vec<&Utf8Path> = path.ancestors().collect();
        above.into_iter().rev().try_for_each(|folder| self.ensure_dir(folder))
    }

    fn ensure_dir(&self, path: &Utf8Path) -> io::Result<()> {
        let mut volume = self.volume();
        volume.power.is_on()?;
        if let Some(inode) = volume.find(path) {
            return volume.folder(inode).map(drop);
        }
        volume.power.spend()?;
        let made = volume.make_folder(path);
        volume.power.is_on()?;
        made
    }

    fn read(&self, path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
        self.look(|volume| {
            let bytes = volume.file(volume.at(path)?)?.bytes();
            if length_of(bytes) > limit {
                Err(io::ErrorKind::FileTooLarge.into())
            } else {
                Ok(bytes.to_vec())
            }
        })
    }

    fn open(&self, path: &Utf8Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.opened(path)?))
    }

    fn len(&self, path: &Utf8Path) -> io::Result<Option<u64>> {
        let length = |inode| volume_length(self, inode);
        self.look(|volume| Ok(volume.find(path)))?.map_or(Ok(None), length)
    }

    fn entry(&self, path: &Utf8Path) -> io::Result<Option<Entry>> {
        self.look(|volume| {
            let of =
                |inode| volume.file(inode).map_or(Entry::Folder, |file| Entry::File(length_of(file.bytes())));
            Ok(volume.find(path).map(of))
        })
    }

    fn usage(&self, path: &Utf8Path) -> io::Result<Usage> {
        let bytes = self.files_below(path).values().map(|bytes| length_of(bytes)).sum();
        self.look(|_| Ok(Usage { bytes, freed: bytes }))
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.change(|volume| volume.rename(from, to))
    }

    fn rename_new(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.change(|volume| match volume.find(to) {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => volume.rename(from, to),
        })
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.remove_file(to)?;
        self.change(|volume| volume.link(from, to))
    }

    fn is_same(&self, one: &Utf8Path, other: &Utf8Path) -> io::Result<bool> {
        self.look(|volume| Ok(volume.find(one).is_some_and(|inode| volume.find(other) == Some(inode))))
    }

    fn remove_file(&self, path: &Utf8Path) -> io::Result<()> {
        match self.look(|volume| Ok(volume.find(path)))? {
            Some(_) => self.change(|volume| volume.unlink(path)),
            None => Ok(()),
        }
    }

    /// One by one, as it is: a power cut leaves some of it.
    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        let mut below = Vec::new();
        self.look(|volume| {
            if let Some(inode) = volume.find(path) {
                volume.collect_paths(inode, path, &mut below);
            }
            Ok(())
        })?;
        below.iter().rev().try_for_each(|path| self.change(|volume| volume.unlink(path)))
    }

    fn list(&self, path: &Utf8Path) -> io::Result<Vec<String>> {
        self.look(|volume| match volume.find(path) {
            Some(inode) => Ok(volume.folder(inode)?.names().map(str::to_owned).collect()),
            None => Ok(Vec::new()),
        })
    }

    fn sync_dir(&self, path: &Utf8Path) -> io::Result<()> {
        let inode = self.look(|volume| volume.at(path))?;
        self.make_durable(|volume| volume.sync_folder(inode))
    }

    fn sync(&self, _root: &Utf8Path) -> io::Result<()> {
        self.gate.pass();
        self.make_durable(Volume::sync)
    }

    fn free_space(&self, _path: &Utf8Path) -> io::Result<u64> {
        self.look(|volume| Ok(volume.free()))
    }

    fn lock(&self, path: &Utf8Path, owner: &str) -> io::Result<Option<Held>> {
        if !self.volume().locks.insert(path.to_owned()) {
            return Ok(None);
        }
        let held = HeldLock { disk: self.clone(), path: path.to_owned() };
        self.write(path, owner.as_bytes())?;
        Ok(Some(Box::new(held)))
    }

    fn is_locked(&self, path: &Utf8Path) -> bool {
        self.volume().locks.contains(path)
    }

    fn database(&self, path: &Utf8Path, builder: &Builder) -> Result<Database, DatabaseError> {
        builder.create_with_backend(self.opened(path).map_err(StorageError::Io)?)
    }

    fn read_only_database(
        &self,
        path: &Utf8Path,
        builder: &Builder,
    ) -> Result<ReadOnlyDatabase, DatabaseError> {
        let there = self.look(|volume| volume.at(path)).map_err(StorageError::Io)?;
        builder.open_read_only_with_backend(MemoryFile { disk: self.clone(), inode: there })
    }
}

/// `None` for a folder.
fn volume_length(disk: &MemoryDisk, inode: Inode) -> io::Result<Option<u64>> {
    disk.look(|volume| Ok(volume.file(inode).ok().map(|file| length_of(file.bytes()))))
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Given back when it is dropped.
#[derive(Debug)]
struct HeldLock {
    disk: MemoryDisk,
    path: Utf8PathBuf,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.disk.volume().locks.remove(&self.path);
    }
}

/// An open file; it stays readable when its name is gone.
#[derive(Debug)]
struct MemoryFile {
    disk: MemoryDisk,
    inode: Inode,
}

impl DiskFile for MemoryFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.change(|volume| volume.write(self.inode, bytes, offset))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.look(|volume| {
            let bytes = volume.file(self.inode)?.bytes();
            let rest =
                usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
                to.copy_from_slice(from);
            }
            Ok(count)
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.change(|volume| volume.set_len(self.inode, length))
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.look(|volume| Ok(length_of(volume.file(self.inode)?.bytes())))
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.make_durable(|volume| volume.sync_file(self.inode))
    }
}

#[cfg(test)]
mod tests;
