//! Keys in a folder: one file a record, replaced as a whole, whatever happens meanwhile.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::Utf8Path;
use fairplay_keys::{Cancel, Generation, KeyStore, SecretBytes, Slot, StoreError, Stored};

use super::disk::{Disk, RealDisk};
use super::file::{FILE_LIMIT, RECORD_LIMIT, StoredFile, decode, encode, name_of};

/// Keeps keys in a folder that only its user can read, one file a record.
///
/// A record is written to a file of its own, synced, and then takes the old one's name: a crash at any moment leaves the
/// old record or the new one. Files are named by hashes and checksummed; a damaged one is put aside under the name
/// `damaged-...`, never deleted. A folder, or a file of it, that is a link, somebody else's, or readable by others is refused.
/// One process at a time has a folder open. Each application has its own on Linux; keys in it are as safe as the user's files.
#[derive(Debug)]
pub struct FolderStore {
    disk: Box<dyn Disk>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The highest generation that was ever given out.
    latest: u64,
    generations: BTreeMap<Slot, Generation>,
    /// Whether a name was changed that may not be durable.
    names_pending: bool,
}

const EXTENSION: &str = ".key";
const TEMPORARY: &str = ".new";
const DAMAGED: &str = "damaged-";
/// How often a folder that another process has open is looked at.
const LOOK: Duration = Duration::from_millis(20);

impl FolderStore {
    /// Opens a folder of keys; one that is missing is made, with mode 0700.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another process has it open, [`StoreError::Refused`] for a folder that is no place for
    /// keys; what the system says.
    pub fn open(folder: &Utf8Path) -> Result<Self, StoreError> {
        Self::over(Box::new(RealDisk::open(folder)?))
    }

    /// The same; waits so long for another process to be done.
    ///
    /// # Errors
    /// As [`FolderStore::open`].
    pub fn open_waiting(folder: &Utf8Path, patience: Duration, cancel: &Cancel) -> Result<Self, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            match Self::open(folder) {
                Err(StoreError::Busy) if waited < patience && !cancel.is_cancelled() => cancel.wait(LOOK),
                opened => return opened,
            }
            waited += LOOK;
        }
    }

    /// Sweeps what a crash left, and learns which records there are.
    fn over(disk: Box<dyn Disk>) -> Result<Self, StoreError> {
        let store = Self { disk, state: Mutex::default() };
        let mut state = State::default();
        for name in store.disk.list()? {
            if name.ends_with(TEMPORARY) {
                store.disk.remove(&name)?;
            } else if name.ends_with(EXTENSION) && !name.starts_with(DAMAGED) {
                match store.read(&name) {
                    Ok(Some(file)) => {
                        state.latest = state.latest.max(file.generation.0);
                        state.generations.insert(file.slot, file.generation);
                    }
                    Ok(None) | Err(StoreError::Corrupt { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        *store.lock() = state;
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, name: &str) -> Result<Option<StoredFile>, StoreError> {
        let Some(bytes) = self.disk.read(name, FILE_LIMIT)? else { return Ok(None) };
        match decode(&bytes) {
            Ok(file) if file_name(&file.slot) == name => Ok(Some(file)),
            Ok(_) => Err(self.put_aside(name, "it is another record's")),
            Err(why) => Err(self.put_aside(name, why)),
        }
    }

    /// Damaged files are kept for whoever wants to look at them; of one name, the last.
    fn put_aside(&self, name: &str, why: &str) -> StoreError {
        let moved = self.disk.rename(name, &format!("{DAMAGED}{name}"));
        moved.err().unwrap_or_else(|| StoreError::Corrupt { name: name.to_owned(), why: why.to_owned() })
    }

    /// Makes the changes of names durable that are not.
    fn settle(&self, state: &mut State) -> Result<(), StoreError> {
        if state.names_pending {
            self.disk.sync_names()?;
            state.names_pending = false;
        }
        Ok(())
    }

    /// Written aside, made durable, then renamed over the old one. What an earlier try left aside is removed first.
    fn replace(&self, state: &mut State, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = format!("{name}{TEMPORARY}");
        self.disk.remove(&temporary)?;
        let written = self.disk.write_new(&temporary, bytes).and_then(|()| self.disk.sync(&temporary));
        state.names_pending = true;
        if let Err(error) = written.and_then(|()| self.disk.rename(&temporary, name)) {
            // It is swept when the folder is opened, if not now.
            let _ = self.disk.remove(&temporary);
            return Err(error);
        }
        self.settle(state)
    }
}

impl State {
    fn check(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        let current = self.generations.get(slot).copied().unwrap_or_default();
        if current == expected { Ok(()) } else { Err(StoreError::Conflict { current }) }
    }
}

fn file_name(slot: &Slot) -> String {
    format!("{}{EXTENSION}", name_of(slot))
}

impl KeyStore for FolderStore {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        let mut state = self.lock();
        let read = self.read(&file_name(slot));
        match &read {
            Ok(Some(file)) => drop(state.generations.insert(slot.clone(), file.generation)),
            Ok(None) | Err(StoreError::Corrupt { .. }) => drop(state.generations.remove(slot)),
            Err(_) => {}
        }
        Ok(read?.map(|file| Stored { record: file.record, generation: file.generation }))
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        if record.len() > RECORD_LIMIT {
            let why = format!("a record of {} bytes is larger than any", record.len());
            return Err(StoreError::Failed { name: file_name(slot), why });
        }
        let mut state = self.lock();
        state.check(slot, expected)?;
        state.latest = state.latest.saturating_add(1);
        let generation = Generation(state.latest);
        let replaced = self.replace(&mut state, &file_name(slot), &encode(slot, generation, record));
        // Where the name was exchanged and could not be made durable, the new record is what is read.
        if replaced.is_ok()
            || self.read(&file_name(slot)).is_ok_and(|it| it.is_some_and(|it| it.generation == generation))
        {
            state.generations.insert(slot.clone(), generation);
        }
        replaced.map(|()| generation)
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.generations.contains_key(slot) {
            state.check(slot, expected)?;
            state.names_pending = true;
            self.disk.remove(&file_name(slot))?;
            state.generations.remove(slot);
        }
        self.settle(&mut state)
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        Ok(self.lock().generations.keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests;
