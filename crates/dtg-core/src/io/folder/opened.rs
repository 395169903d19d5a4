//! A folder that a run works in, and what of its records is believed.

use std::collections::HashMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use twox_hash::XxHash3_128;

use super::{ItemFolder, file_of, resource_of};
use crate::io::disk::{Disk, DiskFile, StoreError};
use crate::io::journal::{self, Finished, Journal, Record, Replay, Unfinished};
use crate::io::versions::{self, Version, Versions};
use crate::plan::{FetchId, OriginSet, Plan};

/// Bytes that are hashed at a time.
pub(super) const BUFFER: usize = 256 << 10;

/// What a run needs of a folder.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) plan: Plan,
    pub(crate) origins: OriginSet,
    pub(crate) journal: Journal,
    versions: HashMap<u32, Version>,
    done: HashMap<FetchId, Finished>,
    unfinished: HashMap<FetchId, Unfinished>,
}

impl Opened {
    /// The fetches that are done: their bytes are there.
    pub(crate) fn finished(&self) -> impl Iterator<Item = FetchId> {
        self.done.keys().copied()
    }

    /// What is known of the versions of its files, and of the fetches that broke off.
    pub(crate) fn versions(&self) -> Versions {
        let unfinished = self.unfinished.iter().map(|(fetch, it)| (*fetch, it.clone()));
        Versions::new(&self.plan, self.versions.clone(), self.finished(), unfinished)
    }

    /// How many fetches are done.
    pub(crate) fn fetches_done(&self) -> u32 {
        u32::try_from(self.done.len()).unwrap_or(u32::MAX)
    }

    /// Bytes that are there.
    pub(crate) fn downloaded_bytes(&self) -> u64 {
        downloaded(&self.done)
    }

    /// Fetches that are to come and of whose length nothing is known.
    pub(crate) fn unknown_lengths(&self) -> u32 {
        let fetches = (0..).map(FetchId).zip(&self.plan.fetches);
        let unknown = fetches.filter(|(id, fetch)| fetch.length.bytes() == 0 && !self.done.contains_key(id));
        u32::try_from(unknown.count()).unwrap_or(u32::MAX)
    }

    /// Bytes of all fetches: of those that are done as they are, of the others as planned.
    pub(crate) fn expected_bytes(&self) -> u64 {
        expected(&self.plan, &self.done)
    }
}

/// Bytes of the fetches that are done.
pub(crate) fn downloaded(done: &HashMap<FetchId, Finished>) -> u64 {
    done.values().fold(0, |sum, finished| sum.saturating_add(finished.length))
}

/// Bytes of all fetches of a plan, where some of them are done.
pub(crate) fn expected(plan: &Plan, done: &HashMap<FetchId, Finished>) -> u64 {
    (0..).zip(&plan.fetches).fold(0, |sum: u64, (id, fetch)| {
        let real = done.get(&FetchId(id)).map(|finished| finished.length);
        sum.saturating_add(real.unwrap_or(fetch.length.bytes()))
    })
}

impl ItemFolder {
    /// Opens the folder for a run. Records behind the last mark are held against the files: those that
    /// don't fit are void.
    pub(crate) fn open(&self) -> Result<Opened, StoreError> {
        let (plan, origins) = self.placed()?;
        let path = self.paths.journal();
        let resource_of = |fetch| resource_of(&plan, fetch);
        let (journal, Replay { mut finished, mut versions, unfinished }) =
            Journal::open(self.disk.as_ref(), &path, resource_of)?;
        let wrong = self.disbelieved(&plan, &finished)?;
        let void: Vec<Record> = wrong.iter().map(|fetch| Record::Void { fetch: *fetch }).collect();
        if !void.is_empty() {
            journal.append(&void).map_err(StoreError::at(path))?;
            finished.retain(|fetch, _| wrong.binary_search(fetch).is_err());
        }
        let torn = disown(&plan, &mut versions, &mut finished);
        if !torn.is_empty() {
            journal.append(&torn).map_err(StoreError::at(self.paths.journal()))?;
        }
        Ok(Opened { plan, origins, journal, versions, done: finished, unfinished })
    }

    /// The fetches that are done, judged as [`ItemFolder::open`] does but without touching anything.
    pub(crate) fn done(&self, plan: &Plan) -> Result<HashMap<FetchId, Finished>, StoreError> {
        let path = self.paths.journal();
        let replay = journal::replay(self.disk.as_ref(), &path, |fetch| resource_of(plan, fetch))?;
        let Replay { finished: mut done, mut versions, .. } = replay;
        let wrong = self.disbelieved(plan, &done)?;
        done.retain(|fetch, _| wrong.binary_search(fetch).is_err());
        disown(plan, &mut versions, &mut done);
        Ok(done)
    }

    /// Which records are not true, sorted: the file is too short, or, behind the last mark, has other bytes.
    fn disbelieved(
        &self,
        plan: &Plan,
        done: &HashMap<FetchId, Finished>,
    ) -> Result<Vec<FetchId>, StoreError> {
        let mut lengths: HashMap<u32, Option<u64>> = HashMap::new();
        let mut folders: HashMap<Utf8PathBuf, bool> = HashMap::new();
        let mut buffer = vec![0; BUFFER];
        let mut wrong = Vec::new();
        for (&id, finished) in done {
            let Some(fetch) = usize::try_from(id.0).ok().and_then(|id| plan.fetches.get(id)) else {
                continue;
            };
            let name = file_of(plan, fetch.resource)?;
            let path = self.paths.media().join(&name);
            let length = match lengths.get(&fetch.resource) {
                Some(length) => *length,
                None if !self.is_in_folders(&name, &mut folders)? => None,
                None => self.disk.len(&path).map_err(StoreError::at(&path))?,
            };
            lengths.insert(fetch.resource, length);
            let end = fetch.start.saturating_add(finished.length);
            let is_true = length.is_some_and(|length| length >= end)
                && (finished.is_durable
                    || has_bytes(self.disk.as_ref(), &path, (fetch.start, finished), &mut buffer)?);
            if !is_true {
                wrong.push(id);
            }
        }
        wrong.sort_unstable();
        Ok(wrong)
    }

    /// Whether what stands above a media file are folders, and no links that would be followed.
    fn is_in_folders(
        &self,
        name: &Utf8Path,
        known: &mut HashMap<Utf8PathBuf, bool>,
    ) -> Result<bool, StoreError> {
        let folder = name.parent().unwrap_or(Utf8Path::new(""));
        if let Some(known) = known.get(folder) {
            return Ok(*known);
        }
        let is_right = self.folder_fault(folder)?.is_none();
        known.insert(folder.to_owned(), is_right);
        Ok(is_right)
    }
}

/// Whether the file has, from `start` on, the bytes that were recorded.
fn has_bytes(
    disk: &dyn Disk,
    path: &Utf8Path,
    (start, finished): (u64, &Finished),
    buffer: &mut [u8],
) -> Result<bool, StoreError> {
    let file = disk.open(path).map_err(StoreError::at(path))?;
    let hash = hash_of(file.as_ref(), start, finished.length, buffer).map_err(StoreError::at(path))?;
    Ok(hash == Some(finished.hash))
}

/// XXH3-128 of `length` bytes of a file; `None` when it ends before.
pub(super) fn hash_of(
    file: &dyn DiskFile,
    start: u64,
    length: u64,
    buffer: &mut [u8],
) -> io::Result<Option<u128>> {
    let mut hasher = XxHash3_128::new();
    let mut at = 0;
    while at < length {
        let room = usize::try_from(length.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        let window = buffer.get_mut(..room).unwrap_or_default();
        let read = file.read_at(window, start.saturating_add(at))?;
        if read == 0 {
            return Ok(None);
        }
        hasher.write(window.get(..read).unwrap_or_default());
        at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok(Some(hasher.finish_128()))
}

/// Of a file whose parts nothing shows to be of one version, half is nothing: takes back what is there of such
/// files, and answers the records that say so.
pub(super) fn disown(
    plan: &Plan,
    known: &mut HashMap<u32, Version>,
    done: &mut HashMap<FetchId, Finished>,
) -> Vec<Record> {
    let torn = versions::unproven(plan, known, |fetch| done.contains_key(&fetch));
    let is_torn = |resource: u32| torn.binary_search(&resource).is_ok();
    if !torn.is_empty() {
        done.retain(|fetch, _| !resource_of(plan, *fetch).is_some_and(is_torn));
        known.retain(|resource, _| !is_torn(*resource));
    }
    torn.into_iter().map(|resource| Record::Restarted { resource }).collect()
}
