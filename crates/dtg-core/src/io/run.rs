//! A running item: what its fetches share while they are in flight.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::cancel::CancelToken;
use super::disk::DiskFile;
use super::fetch::Fetched;
use super::folder::ItemFolder;
use super::journal::{Journal, Record};
use super::space::SpaceGuard;
use super::tally::Tally;
use super::throttle::Throttle;
use super::versions::{Epoch, Hashed, Lost, Partial, Version, Versions, Way};
use crate::error::{BadAnswer, Error, public_part};
use crate::events::{Event, Hub, Progress};
use crate::item::ItemId;
use crate::plan::{Fetch, FetchId, Locator, Plan};
use crate::resource::Role;
use crate::speed::Speed;

/// No listener is told of progress more often than this.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// A running item.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: ItemId,
    /// The item's own URL.
    pub(crate) home: Url,
    pub(crate) plan: Plan,
    pub(crate) locator: Locator,
    pub(crate) folder: ItemFolder,
    pub(crate) journal: Journal,
    pub(crate) token: CancelToken,
    pub(crate) tally: Tally,
    pub(crate) space: SpaceGuard,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) versions: Mutex<Versions>,
    pub(crate) told: Mutex<Speed>,
    pub(crate) faults: Mutex<HashMap<FetchId, Error>>,
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

    /// The host and port that a fetch goes to; empty for one that goes nowhere.
    pub(crate) fn host(&self, fetch: FetchId) -> String {
        let url = self.fetch(fetch).and_then(|fetch| self.url_of(fetch.resource).ok());
        let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
        host.map(|(host, port)| format!("{host}:{port}")).unwrap_or_default()
    }

    /// The local file of a resource, created if it is not there.
    pub(crate) fn file(&self, resource: u32) -> Result<Box<dyn DiskFile>, Error> {
        Ok(self.folder.media_file(&self.plan, resource)?)
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn version(&self, resource: u32) -> Option<Version> {
        self.versions().known(resource).cloned()
    }

    /// The present epoch of the fetch's file: asked for before an attempt at it.
    pub(crate) fn epoch(&self, fetch: FetchId) -> Epoch {
        let versions = self.versions();
        self.fetch(fetch).map_or_else(Epoch::default, |fetch| versions.epoch(fetch.resource))
    }

    /// Remembers which version of a file answered; another one than before is an error.
    ///
    /// A file of which only one fetch is needed has no other parts to agree with. What began before the file was
    /// started over says nothing of the version that it comes from now.
    pub(crate) fn note_version(&self, fetch: &Fetch, seen: Version, epoch: Epoch) -> Result<(), Error> {
        let resource = fetch.resource;
        let mut versions = self.versions();
        if !versions.is_split(resource) || seen == Version::default() {
            return Ok(());
        }
        if versions.epoch(resource) != epoch {
            return Err(BadAnswer::Changed.into_error());
        }
        if versions.note(resource, seen.clone()).ok_or_else(|| BadAnswer::Changed.into_error())? {
            // Held over the append: no part is recorded before the version that it is of.
            let record = Record::Resource { resource, total: seen.total, validator: seen.validator };
            self.journal.append(&[record])?;
        }
        drop(versions);
        Ok(())
    }

    /// Forgets the version of a file that changed since `epoch`, unless another thread has done so: what was
    /// recorded of it counts as not done any more. Answers the fetches that must come again.
    pub(crate) fn restart(&self, resource: u32, epoch: Epoch) -> Result<Vec<FetchId>, Error> {
        let mut versions = self.versions();
        if versions.epoch(resource) != epoch {
            return Ok(Vec::new());
        }
        self.journal.append(&[Record::Restarted { resource }])?;
        let fetches = match versions.siblings(resource) {
            [] => self.plan.fetches_of(resource),
            fetches => fetches.to_vec(),
        };
        // Held over the counting: what is recorded and what is counted as done are one.
        let Lost { recorded, partial_bytes } = versions.restart(resource, &fetches);
        self.tally.lost(partial_bytes);
        let lengths = recorded.iter().filter_map(|id| self.fetch(*id)).map(|fetch| fetch.length.bytes());
        lengths.for_each(|length| self.tally.undone(length));
        drop(versions);
        if !recorded.is_empty() {
            self.tell_started_over(resource, recorded.len());
        }
        Ok(fetches)
    }

    fn tell_started_over(&self, resource: u32, fetches: usize) {
        let url = self.url_of(resource).map(|url| public_part(url.as_str())).unwrap_or_default();
        self.hub.publish(&Event::StartedOver { id: self.id.clone(), url, fetches });
    }

    /// Writes down that a fetch is done, unless its file was started over since `epoch`: then the bytes
    /// may be those of another version.
    pub(crate) fn record(&self, id: FetchId, fetched: Fetched, epoch: Epoch) -> Result<(), Error> {
        let (planned, resource) =
            self.fetch(id).map_or((fetched.length, 0), |fetch| (fetch.length.bytes(), fetch.resource));
        // Held over the append: a restart comes before or after it in the journal, never at the same time.
        let mut versions = self.versions();
        if versions.epoch(resource) != epoch {
            self.tally.lost(fetched.length);
            return Err(BadAnswer::Changed.into_error());
        }
        if versions.is_recorded(id) {
            // By two requests at the same time: it counts once.
            self.tally.lost(fetched.length);
            return Ok(());
        }
        let record = Record::Finished { fetch: id, length: fetched.length, hash: fetched.hash };
        if let Err(error) = self.journal.append(&[record]) {
            self.tally.lost(fetched.length);
            return Err(error.into());
        }
        versions.recorded(resource, id);
        self.tally.done(planned, fetched.length);
        Ok(())
    }

    /// Whether the file has fetches beside this one.
    pub(crate) fn is_split(&self, resource: u32) -> bool {
        self.versions().is_split(resource)
    }

    /// A request sets out for a part of a file, if parts may come by requests of their own.
    pub(crate) fn set_out(&self, resource: u32) -> SetOut<'_> {
        let way = self.versions().set_out(resource);
        match way {
            Way::Apart => SetOut::Apart(UnderWay { run: self, resource }),
            Way::OnePiece => SetOut::OnePiece,
            Way::Busy => SetOut::Busy,
        }
    }

    /// Whether a fetch's file comes in one piece, and other requests are at it.
    pub(crate) fn is_busy(&self, id: FetchId) -> bool {
        self.fetch(id).is_some_and(|fetch| self.versions().way(fetch.resource) == Way::Busy)
    }

    /// Makes a file one that comes in one piece, by the caller's request until the claim is dropped.
    /// `None`: other requests are at it.
    pub(crate) fn claim(&self, resource: u32) -> Option<FileClaim<'_>> {
        let is_free = self.versions().claim(resource);
        is_free.then(|| FileClaim { run: self, resource })
    }

    /// The fetches of a fetch's file that are not recorded, by position.
    pub(crate) fn missing(&self, id: FetchId) -> Vec<(FetchId, Fetch)> {
        let Some(fetch) = self.fetch(id) else { return Vec::new() };
        let versions = self.versions();
        match versions.siblings(fetch.resource) {
            [] => vec![(id, *fetch)],
            all => {
                let open = all.iter().copied().filter(|id| !versions.is_recorded(*id));
                open.filter_map(|id| Some((id, *self.fetch(id)?))).collect()
            }
        }
    }

    /// Whether a part of the file is there.
    pub(crate) fn has_recorded(&self, resource: u32) -> bool {
        let versions = self.versions();
        versions.siblings(resource).iter().any(|fetch| versions.is_recorded(*fetch))
    }

    /// What is there of a fetch that broke off.
    pub(crate) fn partial(&self, id: FetchId) -> Option<Partial> {
        self.versions().partial(id).cloned()
    }

    pub(crate) fn partial_length(&self, id: FetchId) -> u64 {
        self.versions().partial(id).map_or(0, |partial| partial.length)
    }

    /// An attempt goes on with what is there: from now on it answers for its bytes.
    pub(crate) fn take_partial(&self, id: FetchId) {
        self.versions().drop_partial(id);
    }

    /// What is there of a fetch that broke off is of no use.
    pub(crate) fn drop_partial(&self, id: FetchId) {
        let lost = self.versions().drop_partial(id);
        self.tally.lost(lost);
    }

    /// Keeps what an attempt leaves behind, unless its file was started over since. Whether it did.
    pub(crate) fn keep_partial(&self, id: FetchId, partial: Partial, epoch: Epoch) -> bool {
        let mut versions = self.versions();
        let is_kept = self.note_under(&versions, id, &partial, epoch);
        if is_kept {
            versions.set_partial(id, partial);
        }
        is_kept
    }

    /// Notes in the journal how far an attempt is.
    pub(crate) fn note_partial(&self, id: FetchId, partial: &Partial, epoch: Epoch) {
        self.note_under(&self.versions(), id, partial, epoch);
    }

    /// Notes it while no restart can come in between; `false` after one.
    fn note_under(&self, versions: &Versions, id: FetchId, partial: &Partial, epoch: Epoch) -> bool {
        let resource = self.fetch(id).map_or(0, |fetch| fetch.resource);
        if versions.epoch(resource) != epoch || versions.is_recorded(id) {
            return false;
        }
        let hash = match &partial.hash {
            Hashed::Running(hasher) => hasher.finish_128(),
            Hashed::Claimed(hash) => *hash,
        };
        let (length, validator) = (partial.length, partial.validator.clone());
        let noted = self.journal.append(&[Record::Partial { fetch: id, length, hash, validator }]);
        if let Err(error) = noted {
            // It is known as long as this run lasts.
            tracing::debug!(%error, "a partial fetch could not be noted");
        }
        true
    }

    /// Counts bytes that arrived, tells listeners now and then, and waits where the rate is limited.
    ///
    /// An error when there is no room for what is still to come; the bytes count all the same.
    pub(crate) fn arrived(&self, bytes: u64) -> Result<(), Error> {
        self.tally.arrived(bytes);
        if self.is_time_to_tell() && !self.token.is_cancelled() {
            self.hub.publish(&Event::Progress(self.progress()));
        }
        self.throttle.take(bytes);
        self.space.arrived(bytes, || self.tally.to_come())
    }

    #[expect(clippy::disallowed_methods, reason = "progress is paced by the clock, here at the edge")]
    fn is_time_to_tell(&self) -> bool {
        let Ok(mut told) = self.told.try_lock() else { return false };
        let now = Instant::now();
        let is_time = told.told_at().is_none_or(|last| now.duration_since(last) >= PROGRESS_EVERY);
        if is_time {
            told.observe(now, self.tally.downloaded());
        }
        is_time
    }

    pub(crate) fn progress(&self) -> Progress {
        let speed = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (there, all) = (self.tally.told(), self.tally.expected());
        Progress {
            id: self.id.clone(),
            downloaded_bytes: there,
            estimated_bytes: all.max(there),
            fraction: self.tally.fraction(),
            bytes_per_second: speed.bytes_per_second(),
            time_left: speed.time_for(all.saturating_sub(there)),
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

/// How the request for a part of a file sets out.
#[derive(Debug)]
pub(crate) enum SetOut<'a> {
    /// By itself.
    Apart(UnderWay<'a>),
    /// Its file comes in one piece, and nobody is at it.
    OnePiece,
    /// Not now: its file comes in one piece, and other requests are at it.
    Busy,
}

/// While it lives, its holder may write to a part of a file.
#[derive(Debug)]
pub(crate) struct UnderWay<'a> {
    run: &'a Run,
    resource: u32,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.run.versions().back(self.resource);
    }
}

/// While it lives, a file is coming in one piece by the request of its holder.
#[derive(Debug)]
pub(crate) struct FileClaim<'a> {
    run: &'a Run,
    resource: u32,
}

impl Drop for FileClaim<'_> {
    fn drop(&mut self) {
        self.run.versions().release(self.resource);
    }
}
