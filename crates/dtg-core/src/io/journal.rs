//! What is done of an item, as records that are appended and never changed.
//!
//! A record is believed when it is whole and its checksum holds; reading stops at the first that isn't,
//! and the file is cut there. A mark says up to which position files and records are durable: what
//! stands behind the last one survives a killed process, but after a power cut it may tell of bytes that
//! never reached the disk.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;

use super::codec::{self, CodecError};
use super::disk::{Disk, DiskFile, StoreError};
use super::versions::Version;
use crate::plan::FetchId;

/// Magic and schema.
pub(crate) const HEADER: [u8; 8] = *b"DTGj\x01\0\0\0";
/// A journal of more bytes than this is not read.
const LIMIT: u64 = 4 << 30;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// The fetch's bytes are in the file.
    Finished {
        fetch: FetchId,
        length: u64,
        /// XXH3-128 of its bytes.
        hash: u128,
    },
    /// Which version of a remote file its parts come from.
    Resource { resource: u32, total: Option<u64>, validator: Option<String> },
    /// Nothing that was recorded of this resource counts any more.
    Restarted { resource: u32 },
    /// The fetch is not done: its bytes are not what its record says.
    Void { fetch: FetchId },
    /// The first bytes of the fetch are in the file, and its rest can be asked for under the validator.
    Partial {
        fetch: FetchId,
        length: u64,
        /// XXH3-128 of its bytes so far.
        hash: u128,
        validator: String,
    },
    /// All that stands before this position is durable, and so are the files it tells of.
    Mark { position: u64 },
}

impl Record {
    /// Whether it takes back what was durable: then it must be durable itself before a byte is overwritten.
    const fn takes_back(&self) -> bool {
        matches!(self, Self::Restarted { .. } | Self::Void { .. })
    }

    /// The fetch of which it says that bytes are in the file.
    const fn done(&self) -> Option<FetchId> {
        match self {
            Self::Finished { fetch, .. } | Self::Partial { fetch, .. } => Some(*fetch),
            Self::Resource { .. } | Self::Restarted { .. } | Self::Void { .. } | Self::Mark { .. } => None,
        }
    }
}

/// An open journal; appended to by several threads.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Box<dyn DiskFile>,
    tail: Mutex<Tail>,
}

#[derive(Debug, Default)]
struct Tail {
    position: u64,
    buffer: Vec<u8>,
    /// Somebody else may have opened it since.
    is_retired: bool,
    /// The fetches that no mark vouches for yet, by where their records end.
    unmarked: Vec<(u64, FetchId)>,
    /// A sync failed: what it was to write may never be, and a later one would not tell.
    is_doubted: bool,
}

/// What a journal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Replay {
    /// The fetches that are done.
    pub(crate) finished: HashMap<FetchId, Finished>,
    /// The versions of resources whose parts come one by one.
    pub(crate) versions: HashMap<u32, Version>,
    /// The fetches that broke off, and can be gone on with if the file's bytes agree.
    pub(crate) unfinished: HashMap<FetchId, Unfinished>,
}

/// What a journal says of a fetch that broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) length: u64,
    /// XXH3-128 of its bytes so far.
    pub(crate) hash: u128,
    /// A strong validator.
    pub(crate) validator: String,
}

/// What a journal says of a fetch that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) length: u64,
    /// XXH3-128 of its bytes.
    pub(crate) hash: u128,
    /// Whether a mark stands behind it.
    pub(crate) is_durable: bool,
}

impl Journal {
    /// Opens a journal, makes it if need be, cuts a torn end off, and says what is done.
    ///
    /// `resource_of` says which resource a fetch belongs to; a fetch that belongs to none is ignored.
    pub(crate) fn open(
        disk: &dyn Disk,
        path: &Utf8Path,
        resource_of: impl Fn(FetchId) -> Option<u32>,
    ) -> Result<(Self, Replay), StoreError> {
        let (replay, position) = read(disk, path, resource_of)?;
        let file = disk.open(path).map_err(StoreError::at(path))?;
        let position = cut(file.as_ref(), position).map_err(StoreError::at(path))?;
        let tail = Mutex::new(Tail { position, ..Tail::default() });
        Ok((Self { file, tail }, replay))
    }

    /// Makes a journal that says these records and that all of them are durable, at once or not at all.
    pub(crate) fn create(disk: &dyn Disk, path: &Utf8Path, records: &[Record]) -> Result<(), StoreError> {
        let mut bytes = HEADER.to_vec();
        records.iter().for_each(|record| codec::encode_record(record, &mut bytes));
        let position = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        codec::encode_record(&Record::Mark { position }, &mut bytes);
        disk.write_atomic(path, &bytes).map_err(StoreError::at(path))
    }

    /// Appends records in one write. They are durable with the next sync; those that take something
    /// back are durable when this answers.
    pub(crate) fn append(&self, records: &[Record]) -> io::Result<()> {
        let mut tail = self.lock();
        let Tail { position, buffer, is_retired, unmarked, is_doubted } = &mut *tail;
        if *is_retired {
            return Err(io::Error::other("the journal is given back"));
        }
        if *is_doubted && records.iter().any(|record| record.done().is_some()) {
            return Err(doubted());
        }
        buffer.clear();
        records.iter().for_each(|record| codec::encode_record(record, buffer));
        // A write that fails half way is overwritten by the next one: the position stays.
        self.file.write_at(buffer, *position)?;
        *position = position.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        unmarked.extend(records.iter().filter_map(Record::done).map(|fetch| (*position, fetch)));
        if records.iter().any(Record::takes_back) { self.file.sync() } else { Ok(()) }
    }

    /// Where the next record will stand.
    pub(crate) fn position(&self) -> u64 {
        self.lock().position
    }

    /// Says that all before `position` is durable: asked for before the sync, appended after it.
    ///
    /// One that was retired meanwhile stays as it is: without a mark its records are checked.
    pub(crate) fn mark(&self, position: u64) -> io::Result<()> {
        if self.lock().is_doubted {
            return Err(doubted());
        }
        match self.append(&[Record::Mark { position }]) {
            Err(_) if self.lock().is_retired => Ok(()),
            marked => {
                self.lock().unmarked.retain(|(end, _)| *end > position);
                marked
            }
        }
    }

    /// A sync failed: what no mark vouches for counts as not done, and nothing is done or marked from now on.
    ///
    /// The system may have dropped what it could not write, and still shows it to who reads the file.
    pub(crate) fn doubt(&self) -> io::Result<()> {
        let mut tail = self.lock();
        tail.is_doubted = true;
        let unmarked = std::mem::take(&mut tail.unmarked);
        drop(tail);
        let void: Vec<Record> = unmarked.into_iter().map(|(_, fetch)| Record::Void { fetch }).collect();
        if void.is_empty() { Ok(()) } else { self.append(&void) }
    }

    /// Nothing more is appended, so that another may open the same file.
    pub(crate) fn retire(&self) {
        self.lock().is_retired = true;
    }

    fn lock(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn doubted() -> io::Error {
    io::Error::other("an earlier sync failed")
}

/// What a journal says, without touching it. One that isn't there says nothing.
pub(crate) fn replay(
    disk: &dyn Disk,
    path: &Utf8Path,
    resource_of: impl Fn(FetchId) -> Option<u32>,
) -> Result<Replay, StoreError> {
    read(disk, path, resource_of).map(|(replay, _)| replay)
}

/// What a journal says, and where its sound part ends.
fn read(
    disk: &dyn Disk,
    path: &Utf8Path,
    resource_of: impl Fn(FetchId) -> Option<u32>,
) -> Result<(Replay, u64), StoreError> {
    let bytes = match disk.read(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(StoreError::at(path)(error)),
    };
    understand(&bytes, resource_of).map_err(StoreError::in_record(path))
}

/// What these bytes of a journal say, and where their sound part ends; 0 when even their head is not sound.
pub(crate) fn understand(
    bytes: &[u8],
    resource_of: impl Fn(FetchId) -> Option<u32>,
) -> Result<(Replay, u64), CodecError> {
    let Some(mut rest) = bytes.strip_prefix(&HEADER) else {
        return match bytes {
            [b'D', b'T', b'G', b'j', low, high, ..] if u16::from_le_bytes([*low, *high]) > 1 => {
                Err(CodecError::Later(u16::from_le_bytes([*low, *high])))
            }
            _ => Ok((Replay::default(), 0)),
        };
    };
    let mut fold = Fold { position: HEADER.len(), ..Fold::default() };
    while let Ok((record, length)) = codec::decode_record(rest) {
        rest = rest.get(length..).unwrap_or_default();
        fold.position = fold.position.saturating_add(length);
        if let Some(record) = record {
            fold.take(record);
        }
    }
    let position = u64::try_from(fold.position).unwrap_or(u64::MAX);
    Ok((fold.done(resource_of), position))
}

/// Leaves a file that ends at `position`, durably; a new head where not even that was sound.
fn cut(file: &dyn DiskFile, position: u64) -> io::Result<u64> {
    if position > 0 && file.len()? == position {
        return Ok(position);
    }
    file.set_len(position)?;
    if position == 0 {
        file.write_at(&HEADER, 0)?;
    }
    // Else an old tail could come back behind new records.
    file.sync()?;
    Ok(position.max(u64::try_from(HEADER.len()).unwrap_or(u64::MAX)))
}

/// The records so far, one over the other.
#[derive(Debug, Default)]
struct Fold {
    /// The end of the record that is being taken.
    position: usize,
    /// The position up to which a mark vouches.
    durable: u64,
    finished: HashMap<FetchId, (usize, u64, u128)>,
    restarted: HashMap<u32, usize>,
    versions: HashMap<u32, Version>,
    unfinished: HashMap<FetchId, (usize, Unfinished)>,
}

impl Fold {
    fn take(&mut self, record: Record) {
        match record {
            Record::Finished { fetch, length, hash } => {
                self.unfinished.remove(&fetch);
                self.finished.insert(fetch, (self.position, length, hash));
            }
            Record::Resource { resource, total, validator } => {
                self.versions.insert(resource, Version { validator, total });
            }
            Record::Restarted { resource } => {
                self.restarted.insert(resource, self.position);
                self.versions.remove(&resource);
            }
            Record::Void { fetch } => {
                self.finished.remove(&fetch);
                self.unfinished.remove(&fetch);
            }
            Record::Partial { fetch, length, hash, validator } => {
                self.unfinished.insert(fetch, (self.position, Unfinished { length, hash, validator }));
            }
            // A mark can't vouch for what comes after it.
            Record::Mark { position } if self.reaches(position) => self.durable = self.durable.max(position),
            Record::Mark { .. } => {}
        }
    }

    fn reaches(&self, position: u64) -> bool {
        usize::try_from(position).is_ok_and(|position| position <= self.position)
    }

    fn done(self, resource_of: impl Fn(FetchId) -> Option<u32>) -> Replay {
        let counts = |fetch: FetchId, position: usize| {
            resource_of(fetch).is_some_and(|resource| {
                self.restarted.get(&resource).is_none_or(|restart| position > *restart)
            })
        };
        let durable = usize::try_from(self.durable).unwrap_or(usize::MAX);
        let finished = self.finished.iter().filter(|(fetch, (position, ..))| counts(**fetch, *position));
        let finished: HashMap<FetchId, Finished> = finished
            .map(|(fetch, &(position, length, hash))| {
                (*fetch, Finished { length, hash, is_durable: position <= durable })
            })
            .collect();
        let unfinished = self.unfinished.into_iter();
        let unfinished = unfinished
            .filter(|(fetch, (position, _))| counts(*fetch, *position) && !finished.contains_key(fetch))
            .map(|(fetch, (_, unfinished))| (fetch, unfinished))
            .collect();
        Replay { finished, versions: self.versions, unfinished }
    }
}

#[cfg(test)]
mod tests;
