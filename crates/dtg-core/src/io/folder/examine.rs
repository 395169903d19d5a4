//! Holds every byte of a folder against what was recorded.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::{io, thread};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::opened::{BUFFER, disown, hash_of};
use super::{ItemFolder, file_of, resource_of, unplanned};
use crate::error::{Error, ErrorKind};
use crate::io::cancel::CancelToken;
use crate::io::disk::{Entry, StoreError};
use crate::io::journal::{Finished, Journal, Record, Replay};
use crate::plan::{Extent, FetchId, Plan};
use crate::verify::{Damage, Fault};

/// No more threads hash at once: they would wait for the disk.
const THREADS: usize = 4;

/// What a look at every byte found.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) plan: Plan,
    /// The fetches that are done and sound.
    pub(crate) done: HashMap<FetchId, Finished>,
    /// Parts and local playlists that are sound, and their bytes.
    pub(crate) sound: (u32, u64),
    /// By file and place.
    pub(crate) damage: Vec<Damage>,
    /// Of the kept playlists of the origin: what is missing is fetched by them, and nothing plays them.
    pub(crate) origin_damage: Vec<Damage>,
    pub(crate) extra: Vec<Utf8PathBuf>,
}

/// A part that should be there.
struct Part<'a> {
    fetch: FetchId,
    file: &'a Utf8Path,
    start: u64,
    is_whole: bool,
    finished: Finished,
}

impl ItemFolder {
    /// Looks at every byte. What is damaged counts as not done from now on, durably.
    pub(crate) fn examine(&self, token: &CancelToken) -> Result<Examined, Error> {
        let plan = self.settled_plan()?;
        let path = self.paths.journal();
        let (journal, Replay { finished: mut done, mut versions, .. }) =
            Journal::open(self.disk.as_ref(), &path, |fetch| resource_of(&plan, fetch))?;
        let torn = disown(&plan, &mut versions, &mut done);
        let files: Vec<Utf8PathBuf> = plan.resources.iter().map(|it| plan.file_of(it)).collect();
        let parts = parts(&plan, &files, &done)?;
        let found = self.compare(&parts, token)?;

        let origin_damage = self.origin_damage()?;
        let (damage, extra) = (Vec::new(), Vec::new());
        let mut examined = Examined { done, sound: (0, 0), damage, origin_damage, extra, plan };
        let mut wrong = Vec::new();
        for (part, fault) in parts.iter().zip(found) {
            match fault {
                None => examined.count(part.finished.length),
                Some(fault) => {
                    wrong.push(Record::Void { fetch: part.fetch });
                    examined.done.remove(&part.fetch);
                    let (file, offset, length) = (part.file.to_owned(), part.start, part.finished.length);
                    examined.damage.push(Damage { file, offset, length, fault });
                }
            }
        }
        let records = [wrong, torn].concat();
        if !records.is_empty() {
            journal.append(&records).map_err(StoreError::at(path))?;
        }
        let playlists = self.playlists(&examined.plan)?;
        for (name, sum) in &playlists {
            match self.playlist_fault(name, *sum)? {
                None => examined.count(sum.map_or(0, |sum| sum.length)),
                Some(damage) => examined.damage.push(damage),
            }
        }
        let known = files.iter().chain(playlists.iter().map(|(name, _)| name));
        examined.extra = self.extra(known.map(|name| name.as_path()))?;
        examined.damage.sort_by(|a, b| (&a.file, a.offset).cmp(&(&b.file, b.offset)));
        Ok(examined)
    }

    /// What is wrong with each part, in their order.
    fn compare(&self, parts: &[Part<'_>], token: &CancelToken) -> Result<Vec<Option<Fault>>, Error> {
        let folders = self.folders_of(parts)?;
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS);
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|n| format!("dtg-verify-{n}"));
        let pool = pool.build().map_err(|error| Error::from(io::Error::other(error)))?;
        let compared = || {
            let judge = |buffer: &mut Vec<u8>, part: &Part<'_>| {
                if token.is_cancelled() {
                    return Err(Error::new(ErrorKind::Cancelled));
                }
                let above = part.file.parent().and_then(|folder| folders.get(folder));
                match above.cloned().flatten() {
                    Some(fault) => Ok(Some(fault)),
                    None => Ok(self.fault(part, buffer)),
                }
            };
            parts.par_iter().map_init(|| vec![0; BUFFER], judge).collect()
        };
        pool.install(compared)
    }

    /// The folders that hold the parts, and what is wrong with each.
    fn folders_of<'a>(
        &self,
        parts: &[Part<'a>],
    ) -> Result<BTreeMap<&'a Utf8Path, Option<Fault>>, StoreError> {
        let all: BTreeSet<&Utf8Path> = parts.iter().filter_map(|part| part.file.parent()).collect();
        all.into_iter().map(|folder| Ok((folder, self.folder_fault(folder)?))).collect()
    }

    /// What is wrong with a folder below the media folder, or with one above it.
    pub(super) fn folder_fault(&self, folder: &Utf8Path) -> Result<Option<Fault>, StoreError> {
        let media = self.paths.media();
        for name in folder.ancestors() {
            let path = if name.as_str().is_empty() { media.clone() } else { media.join(name) };
            match self.disk.entry(&path).map_err(StoreError::at(&path)) {
                Ok(Some(Entry::Folder)) => {}
                Ok(None) => return Ok(Some(Fault::Missing)),
                Ok(Some(Entry::File(_) | Entry::Other)) => return Ok(Some(Fault::NotAFile)),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn fault(&self, part: &Part<'_>, buffer: &mut [u8]) -> Option<Fault> {
        let path = self.paths.media().join(part.file);
        let unreadable = |error: io::Error| Some(Fault::Unreadable(error.to_string()));
        let end = part.start.saturating_add(part.finished.length);
        match self.disk.entry(&path) {
            Err(error) => return unreadable(error),
            Ok(None) => return Some(Fault::Missing),
            Ok(Some(Entry::Folder | Entry::Other)) => return Some(Fault::NotAFile),
            Ok(Some(Entry::File(found))) if found < end || (part.is_whole && found > end) => {
                return Some(Fault::Length { found });
            }
            Ok(Some(Entry::File(_))) => {}
        }
        let hashed = self
            .disk
            .open(&path)
            .and_then(|file| hash_of(file.as_ref(), part.start, part.finished.length, buffer));
        match hashed {
            Err(error) => unreadable(error),
            Ok(hash) if hash == Some(part.finished.hash) => None,
            Ok(_) => Some(Fault::Bytes),
        }
    }

    /// What is in the media folder and should not be; a link is not looked behind.
    fn extra<'a>(&self, known: impl Iterator<Item = &'a Utf8Path>) -> Result<Vec<Utf8PathBuf>, StoreError> {
        let known: BTreeSet<&Utf8Path> = known.flat_map(Utf8Path::ancestors).collect();
        let (media, mut extra) = (self.paths.media(), Vec::new());
        let mut folders = vec![Utf8PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let path = if folder.as_str().is_empty() { media.clone() } else { media.join(&folder) };
            if !matches!(self.disk.entry(&path), Ok(Some(Entry::Folder))) {
                continue;
            }
            for name in self.disk.list(&path).map_err(StoreError::at(&path))? {
                let name = folder.join(name);
                if !known.contains(name.as_path()) {
                    extra.push(name);
                } else if name.extension().is_none() {
                    // Every file that is known has an extension, and no folder has.
                    folders.push(name);
                }
            }
        }
        extra.sort_unstable();
        Ok(extra)
    }
}

impl Examined {
    fn count(&mut self, length: u64) {
        self.sound = (self.sound.0.saturating_add(1), self.sound.1.saturating_add(length));
    }

    /// The fetches that are not done and not named among the damage, as a completed item has none.
    pub(crate) fn never_done(&self) -> Result<Vec<Damage>, StoreError> {
        let named: BTreeSet<(&Utf8Path, u64)> =
            self.damage.iter().map(|damage| (damage.file.as_path(), damage.offset)).collect();
        let mut missing = Vec::new();
        for (id, fetch) in (0..).map(FetchId).zip(&self.plan.fetches) {
            let file = file_of(&self.plan, fetch.resource)?;
            if !self.done.contains_key(&id) && !named.contains(&(file.as_path(), fetch.start)) {
                let length = fetch.length.bytes();
                missing.push(Damage { file, offset: fetch.start, length, fault: Fault::Missing });
            }
        }
        Ok(missing)
    }
}

fn parts<'a>(
    plan: &Plan,
    files: &'a [Utf8PathBuf],
    done: &HashMap<FetchId, Finished>,
) -> Result<Vec<Part<'a>>, StoreError> {
    let mut parts = Vec::with_capacity(done.len());
    for (id, fetch) in (0..).map(FetchId).zip(&plan.fetches) {
        let Some(finished) = done.get(&id).copied() else { continue };
        let file = usize::try_from(fetch.resource).ok().and_then(|at| files.get(at));
        let file = file.ok_or_else(unplanned)?.as_path();
        let is_whole = fetch.extent == Extent::Whole;
        parts.push(Part { fetch: id, file, start: fetch.start, is_whole, finished });
    }
    Ok(parts)
}
