//! A running item: what its fetches share while they are in flight.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::cancel::CancelToken;
use super::disk::DiskFile;
use super::fetch::{Fetched, content_range};
use super::folder::ItemFolder;
use super::http::{Answer, Framing};
use super::journal::{Journal, Record};
use crate::error::{BadAnswer, Error};
use crate::events::{Event, Hub, Progress};
use crate::item::ItemId;
use crate::plan::{Extent, Fetch, FetchId, Locator, Plan};
use crate::resource::Role;

/// No listener is told of progress more often than this.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// A running item.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: ItemId,
    pub(crate) plan: Plan,
    pub(crate) locator: Locator,
    pub(crate) folder: ItemFolder,
    pub(crate) journal: Journal,
    pub(crate) token: CancelToken,
    pub(crate) tally: Tally,
    pub(crate) hub: Arc<Hub>,
    pub(crate) versions: Mutex<Versions>,
    pub(crate) told: Mutex<Option<Instant>>,
    pub(crate) faults: Mutex<HashMap<FetchId, Error>>,
}

/// The versions of the files whose parts come one by one.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    known: HashMap<u32, Version>,
    /// How often a file was started over in this run.
    restarts: HashMap<u32, u32>,
}

impl Versions {
    pub(crate) fn new(known: HashMap<u32, Version>) -> Self {
        Self { known, restarts: HashMap::new() }
    }

    fn epoch(&self, resource: u32) -> Epoch {
        Epoch(self.restarts.get(&resource).copied().unwrap_or(0))
    }
}

/// Counts how often a file was started over: what began in an earlier epoch is of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u32);

/// Which version of a remote file was seen: all its parts must come from the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// A strong ETag.
    pub(crate) validator: Option<String>,
    /// The file's length.
    pub(crate) total: Option<u64>,
}

impl Version {
    pub(crate) fn of(answer: &Answer) -> Self {
        let total = match (answer.status, answer.framing) {
            (206, _) => {
                answer.content_range.as_deref().and_then(content_range).and_then(|(_, _, total)| total)
            }
            (_, Framing::Length(length)) => Some(length),
            (_, Framing::Marked | Framing::Unknown) => None,
        };
        Self { validator: answer.validator.clone(), total }
    }

    /// Whether an answer comes from another version than this one.
    pub(crate) fn is_another(&self, answer: &Answer) -> bool {
        self.differs(&Self::of(answer))
    }

    fn differs(&self, other: &Self) -> bool {
        let unequal = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        unequal(&self.validator, &other.validator)
            || matches!((self.total, other.total), (Some(a), Some(b)) if a != b)
    }
}

impl Run {
    pub(crate) fn fetch(&self, id: FetchId) -> Option<&Fetch> {
        self.plan.fetches.get(usize::try_from(id.0).ok()?)
    }

    pub(crate) fn role(&self, resource: u32) -> Role {
        self.plan.resource(resource).map_or(Role::Segment, |resource| resource.role)
    }

    /// The remote URL of a resource.
    pub(crate) fn url_of(&self, resource: u32) -> Result<Url, Error> {
        Ok(self.locator.url_of(&self.plan, resource)?)
    }

    /// The local file of a resource, created if it is not there.
    pub(crate) fn file(&self, resource: u32) -> Result<Box<dyn DiskFile>, Error> {
        Ok(self.folder.media_file(&self.plan, resource)?)
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn version(&self, resource: u32) -> Option<Version> {
        self.versions().known.get(&resource).cloned()
    }

    /// The present epoch of the fetch's file: asked for before an attempt at it.
    pub(crate) fn epoch(&self, fetch: FetchId) -> Epoch {
        let versions = self.versions();
        self.fetch(fetch).map_or(Epoch(0), |fetch| versions.epoch(fetch.resource))
    }

    /// Remembers which version of a file answered; another one than before is an error.
    ///
    /// A file that comes in one piece has no other parts to agree with.
    pub(crate) fn note_version(&self, fetch: &Fetch, seen: Version) -> Result<(), Error> {
        let resource = fetch.resource;
        if fetch.extent == Extent::Whole || seen == Version::default() {
            return Ok(());
        }
        let is_new = match self.versions().known.entry(resource) {
            std::collections::hash_map::Entry::Occupied(known) if known.get().differs(&seen) => {
                return Err(BadAnswer::Changed.into_error());
            }
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(seen.clone());
                true
            }
        };
        if is_new {
            let record = Record::Resource { resource, total: seen.total, validator: seen.validator };
            self.journal.append(&[record])?;
        }
        Ok(())
    }

    /// Forgets the version of a file that changed since `epoch`, unless another thread has done so;
    /// answers the fetches that must come again.
    pub(crate) fn restart(&self, resource: u32, epoch: Epoch) -> Result<Vec<FetchId>, Error> {
        let mut versions = self.versions();
        if versions.epoch(resource) != epoch {
            return Ok(Vec::new());
        }
        self.journal.append(&[Record::Restarted { resource }])?;
        versions.known.remove(&resource);
        *versions.restarts.entry(resource).or_default() += 1;
        drop(versions);
        Ok(self.plan.fetches_of(resource))
    }

    /// Counts fetches as not done any more.
    pub(crate) fn undone(&self, fetches: &[FetchId]) {
        let lengths = fetches.iter().filter_map(|id| self.fetch(*id)).map(|fetch| fetch.length.bytes());
        lengths.for_each(|length| self.tally.undone(length));
    }

    /// Writes down that a fetch is done, unless its file was started over since `epoch`: then the bytes
    /// may be those of another version.
    pub(crate) fn record(&self, id: FetchId, fetched: Fetched, epoch: Epoch) -> Result<(), Error> {
        let (planned, resource) =
            self.fetch(id).map_or((fetched.length, 0), |fetch| (fetch.length.bytes(), fetch.resource));
        // Held over the append: a restart comes before or after it in the journal, never at the same time.
        let versions = self.versions();
        let recorded = if versions.epoch(resource) == epoch {
            let record = Record::Finished { fetch: id, length: fetched.length, hash: fetched.hash };
            self.journal.append(&[record]).map_err(Error::from)
        } else {
            Err(BadAnswer::Changed.into_error())
        };
        drop(versions);
        if recorded.is_err() {
            self.tally.lost(fetched.length);
            return recorded;
        }
        self.tally.done(planned, fetched.length);
        Ok(())
    }

    /// Counts bytes that arrived, and tells listeners now and then.
    pub(crate) fn arrived(&self, bytes: u64) {
        self.tally.arrived(bytes);
        if self.is_time_to_tell() && !self.token.is_cancelled() {
            self.hub.publish(&Event::Progress(self.progress()));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "progress is paced by the clock, here at the edge")]
    fn is_time_to_tell(&self) -> bool {
        let Ok(mut told) = self.told.try_lock() else { return false };
        let now = Instant::now();
        let is_time = told.is_none_or(|last| now.duration_since(last) >= PROGRESS_EVERY);
        if is_time {
            *told = Some(now);
        }
        is_time
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress {
            id: self.id.clone(),
            downloaded_bytes: self.tally.downloaded(),
            estimated_bytes: self.tally.expected(),
            fraction: self.tally.fraction(),
        }
    }

    fn faults(&self) -> MutexGuard<'_, HashMap<FetchId, Error>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_fault(&self, fetch: FetchId, error: Error) {
        self.faults().insert(fetch, error);
    }

    pub(crate) fn take_fault(&self, fetch: FetchId) -> Option<Error> {
        self.faults().remove(&fetch)
    }
}

/// Bytes and fetches of a run, counted by all its threads.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    downloaded: AtomicU64,
    /// Of those, the bytes of fetches that are done.
    kept: AtomicU64,
    expected: AtomicU64,
    done: AtomicU32,
    /// The largest fraction that was told, in parts of 2^32.
    best: AtomicU64,
}

impl Tally {
    /// A tally where `done` fetches and `downloaded` bytes of `expected` are there already.
    pub(crate) fn new(downloaded: u64, expected: u64, done: u32) -> Self {
        Self {
            downloaded: downloaded.into(),
            kept: downloaded.into(),
            expected: expected.into(),
            done: done.into(),
            best: AtomicU64::default(),
        }
    }

    pub(crate) fn arrived(&self, bytes: u64) {
        self.downloaded.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back bytes of an attempt that failed.
    pub(crate) fn lost(&self, bytes: u64) {
        self.downloaded.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts a done fetch, whose real length replaces the planned one.
    fn done(&self, planned: u64, real: u64) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.kept.fetch_add(real, Ordering::Relaxed);
        if real >= planned {
            self.expected.fetch_add(real - planned, Ordering::Relaxed);
        } else {
            self.expected.fetch_sub(planned - real, Ordering::Relaxed);
        }
    }

    /// Takes back a done fetch.
    pub(crate) fn undone(&self, length: u64) {
        self.done.fetch_sub(1, Ordering::Relaxed);
        self.kept.fetch_sub(length, Ordering::Relaxed);
        self.lost(length);
    }

    pub(crate) fn downloaded(&self) -> u64 {
        self.downloaded.load(Ordering::Relaxed)
    }

    /// Bytes that will not be fetched again.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Never less than what is there.
    pub(crate) fn expected(&self) -> u64 {
        self.expected.load(Ordering::Relaxed).max(self.downloaded())
    }

    pub(crate) fn fetches_done(&self) -> u32 {
        self.done.load(Ordering::Relaxed)
    }

    /// How much is there, from 0 to just under 1, never falling.
    pub(crate) fn fraction(&self) -> f64 {
        const ONE: u64 = 1 << 32;
        let parts = u128::from(self.downloaded()) * u128::from(ONE) / u128::from(self.expected().max(1));
        let parts = u64::try_from(parts).unwrap_or(ONE).min(ONE - 1);
        let best = self.best.fetch_max(parts, Ordering::Relaxed).max(parts);
        u32::try_from(best).map_or(1.0, f64::from) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_never_falls_and_stays_below_one() {
        let tally = Tally::new(0, 100, 0);
        tally.arrived(50);
        assert!((tally.fraction() - 0.5).abs() < 1e-6);
        tally.lost(20);
        assert!((tally.fraction() - 0.5).abs() < 1e-6, "does not fall");
        tally.arrived(500);
        assert!(tally.fraction() < 1.0);
        assert_eq!(tally.expected(), 530);
    }

    #[test]
    fn real_lengths_replace_planned_ones() {
        let tally = Tally::new(0, 100, 0);
        tally.arrived(80);
        tally.done(60, 80);
        assert_eq!(tally.expected(), 120);
        tally.arrived(10);
        tally.done(40, 10);
        assert_eq!((tally.expected(), tally.downloaded(), tally.fetches_done()), (90, 90, 2));
    }

    #[test]
    fn versions_differ_where_both_say_something_else() {
        let version =
            |validator: Option<&str>, total| Version { validator: validator.map(str::to_owned), total };
        assert!(version(Some("\"a\""), None).differs(&version(Some("\"b\""), None)));
        assert!(version(None, Some(1)).differs(&version(None, Some(2))));
        assert!(!version(Some("\"a\""), Some(1)).differs(&version(None, None)));
        assert!(!version(Some("\"a\""), Some(1)).differs(&version(Some("\"a\""), Some(1))));
    }
}
