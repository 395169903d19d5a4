//! A disk in memory with a chosen capacity, for tests: a full disk is a number.
#![cfg(test)]

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::{Disk, DiskFile};

/// A disk in memory. Folders exist once they are made; clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct MemoryDisk {
    nodes: Arc<Mutex<BTreeMap<Utf8PathBuf, Node>>>,
    space: Arc<Space>,
}

#[derive(Debug, Clone)]
enum Node {
    Folder,
    File(Arc<MemoryFile>),
}

/// Counts the bytes of all files; an unlinked file counts until its last handle is dropped.
#[derive(Debug)]
struct Space {
    used: AtomicU64,
    capacity: AtomicU64,
    syncs: AtomicU64,
}

#[derive(Debug)]
struct MemoryFile {
    bytes: Mutex<Vec<u8>>,
    space: Arc<Space>,
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::with_capacity(u64::MAX)
    }
}

impl MemoryDisk {
    /// A disk that holds at most `capacity` bytes.
    pub(crate) fn with_capacity(capacity: u64) -> Self {
        let space =
            Space { used: AtomicU64::new(0), capacity: AtomicU64::new(capacity), syncs: AtomicU64::new(0) };
        Self { nodes: Arc::default(), space: Arc::new(space) }
    }

    /// Makes the disk larger or smaller; what is on it stays.
    pub(crate) fn set_capacity(&self, capacity: u64) {
        self.space.capacity.store(capacity, Ordering::SeqCst);
    }

    /// How often a single file was synced.
    pub(crate) fn file_syncs(&self) -> u64 {
        self.space.syncs.load(Ordering::SeqCst)
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Utf8PathBuf, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &Utf8Path) -> io::Result<Arc<MemoryFile>> {
        match self.nodes().get(path) {
            Some(Node::File(file)) => Ok(Arc::clone(file)),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn new_file(&self) -> Arc<MemoryFile> {
        Arc::new(MemoryFile { bytes: Mutex::default(), space: Arc::clone(&self.space) })
    }

    fn opened(&self, path: &Utf8Path) -> io::Result<Arc<MemoryFile>> {
        match self.file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut nodes = self.nodes();
                if !path.parent().is_some_and(|folder| matches!(nodes.get(folder), Some(Node::Folder))) {
                    return Err(error);
                }
                let file = self.new_file();
                nodes.insert(path.to_owned(), Node::File(Arc::clone(&file)));
                Ok(file)
            }
            found => found,
        }
    }
}

impl Space {
    /// Accounts for a file that goes from one length to another.
    fn resize(&self, from: u64, to: u64) -> io::Result<()> {
        let capacity = self.capacity.load(Ordering::SeqCst);
        let resized = |used: u64| {
            let then = used - from + to;
            (to <= from || then <= capacity).then_some(then)
        };
        match self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, resized) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

impl MemoryFile {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        let length = self.lock().len() as u64;
        self.space.used.fetch_sub(length, Ordering::SeqCst);
    }
}

fn size(length: u64) -> usize {
    usize::try_from(length).expect("a test's file fits into memory")
}

impl DiskFile for Arc<MemoryFile> {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        if end > self.lock().len() as u64 {
            self.set_len(end)?;
        }
        self.lock()[size(offset)..size(end)].copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = self.lock();
        let rest = bytes.get(size(offset)..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut bytes = self.lock();
        self.space.resize(bytes.len() as u64, length)?;
        bytes.resize(size(length), 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().len() as u64)
    }

    fn sync(&self) -> io::Result<()> {
        self.space.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Disk for MemoryDisk {
    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        let above: Vec<&Utf8Path> = path.ancestors().collect();
        above.into_iter().rev().try_for_each(|folder| self.ensure_dir(folder))
    }

    fn ensure_dir(&self, path: &Utf8Path) -> io::Result<()> {
        let mut nodes = self.nodes();
        if path.parent().is_some_and(|folder| !nodes.contains_key(folder)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        match nodes.entry(path.to_owned()).or_insert(Node::Folder) {
            Node::Folder => Ok(()),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn read(&self, path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = self.file(path)?.lock().clone();
        if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn write_atomic(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.new_file();
        file.write_at(bytes, 0)?;
        self.opened(path)?;
        self.nodes().insert(path.to_owned(), Node::File(file));
        Ok(())
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.opened(path)?;
        file.set_len(0)?;
        file.write_at(bytes, 0)
    }

    fn open(&self, path: &Utf8Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.opened(path)?))
    }

    fn len(&self, path: &Utf8Path) -> io::Result<Option<u64>> {
        Ok(self.file(path).ok().map(|file| file.lock().len() as u64))
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        let mut nodes = self.nodes();
        if !nodes.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let moved: Vec<Utf8PathBuf> = nodes.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in moved {
            let node = nodes.remove(&path).expect("it was listed under the same lock");
            let rest = path.strip_prefix(from).expect("it starts with this");
            let target = if rest.as_str().is_empty() { to.to_owned() } else { to.join(rest) };
            nodes.insert(target, node);
        }
        Ok(())
    }

    fn remove_file(&self, path: &Utf8Path) -> io::Result<()> {
        self.nodes().remove(path);
        Ok(())
    }

    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        self.nodes().retain(|it, _| !it.starts_with(path));
        Ok(())
    }

    fn list(&self, path: &Utf8Path) -> io::Result<Vec<String>> {
        let nodes = self.nodes();
        let inside = nodes.keys().filter(|it| it.parent() == Some(path));
        Ok(inside.filter_map(|it| it.file_name().map(str::to_owned)).collect())
    }

    fn sync_dir(&self, _path: &Utf8Path) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, _root: &Utf8Path) -> io::Result<()> {
        Ok(())
    }

    fn free_space(&self, _path: &Utf8Path) -> io::Result<u64> {
        let used = self.space.used.load(Ordering::SeqCst);
        Ok(self.space.capacity.load(Ordering::SeqCst).saturating_sub(used))
    }
}
