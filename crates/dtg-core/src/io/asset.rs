//! Behind an asset download task: the same folder, session and driver as an item's, at a place of the application's.

mod control; // who says go, wait or stop
mod live; // how far it is
mod keys; // the keys that it meets
mod place; // where it lies, unfinished and finished
mod strangers; // what there is not ours
mod planned; // what it downloads, and what is kept of that
mod more; // more renditions for a finished one

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use self::control::{Attempt, Control, Ended};
use self::keys::{Asking, Turn};
use self::live::{Live, Running};
use self::place::Place;
pub(crate) use self::planned::{AssetRecord, Chosen};
use super::disk::{Disk, Held, RealDisk};
use super::driver::{Driver, RunEnd};
use super::folder::{ItemFolder, Opened};
use super::http::Http;
use super::open::{Sharing, Subject};
use super::run::Run;
use super::sync::Syncer;
use super::throttle::Throttle;
use crate::asset_content::ContentConfiguration;
use crate::asset_progress::AssetProgress;
use crate::asset_task::{DownloadedAsset, RemoteAsset};
use crate::error::{Error, ErrorKind};
use crate::events::{Event, Hub};
use crate::item::{ItemId, ItemLocation, Sidecar};
use crate::key_loader::{NeededKey, needed_keys};
use crate::layout::AssetPaths;
use crate::manager::Builder;
use crate::schedule::RunKey;
use crate::state::ItemState;

/// The task's inside.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) asset: RemoteAsset,
    pub(crate) wanted: Wanted,
    /// With the folder that it is downloaded in as its root.
    settings: Builder,
    disk: Arc<dyn Disk>,
    paths: AssetPaths,
    pub(crate) hub: Arc<Hub>,
    throttle: Arc<Throttle>,
    pub(crate) control: Arc<Control>,
    live: Mutex<Live>,
    /// Whose call it is: of several at the same time the first.
    turn: Mutex<()>,
    keys_turn: Turn,
}

/// What is wanted of an asset.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) title: String,
    pub(crate) contents: Vec<ContentConfiguration>,
    pub(crate) sidecars: Vec<Sidecar>,
}

/// What a run of the task is for.
#[derive(Clone, Copy)]
pub(crate) enum Job<'a> {
    /// The asset.
    Download,
    /// More renditions for the finished asset.
    Augment(&'a [ContentConfiguration]),
}

impl Task {
    pub(crate) fn new(asset: RemoteAsset, wanted: Wanted, paths: AssetPaths, settings: Builder) -> Self {
        let disk = settings.disk.clone().unwrap_or_else(|| Arc::new(RealDisk::new()));
        let settings = Builder { root: paths.work().folder().to_owned(), ..settings };
        let throttle = Arc::new(Throttle::new(settings.rate_limit));
        let (hub, control, live) = (Arc::default(), Arc::default(), Mutex::default());
        let (turn, keys_turn) = (Mutex::default(), Turn::default());
        Self { asset, wanted, settings, disk, paths, hub, throttle, control, live, turn, keys_turn }
    }

    /// Does the job to its end, through any number of suspensions.
    pub(crate) fn run(&self, job: Job<'_>) -> Result<ItemLocation, Error> {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Locked(std::process::id())).of(&self.asset.id));
            }
        };
        if let (Job::Download, Some(location)) = (job, self.live().location.clone()) {
            return Ok(location); // of a finished asset nothing can be stopped any more
        }
        self.control.enter();
        // Kept while the task is suspended: nobody else is to go on with what is there.
        let mut held = None;
        let ended = loop {
            let attempt = match self.control.begin(|| self.tell(ItemState::Paused)) {
                Ok(attempt) => attempt,
                // Of a finished asset nothing can be stopped any more.
                Err(error) if self.control.state() == ItemState::Completed => {
                    return Err(error.of(&self.asset.id));
                }
                Err(error) => break Err(error),
            };
            match self.attempt(job, &attempt, &mut held) {
                Err(_) if attempt.token.is_cancelled() && self.control.is_cancelled() => {
                    break Err(Error::new(ErrorKind::Cancelled));
                }
                // Suspended, and perhaps resumed already: the next attempt goes on where this one was.
                Err(_) if attempt.token.is_cancelled() => {}
                ended => break ended,
            }
        };
        let ended = ended.map_err(|error| error.of(&self.asset.id));
        let state = match &ended {
            Ok(_) => ItemState::Completed,
            Err(error) if error.interrupts() => ItemState::Interrupted,
            Err(_) => ItemState::Failed,
        };
        if let Ok(location) = &ended {
            self.live().completed(location);
        }
        self.control.rests(state);
        self.tell(state);
        ended
    }

    /// Why a task rests is what its run answers.
    fn tell(&self, state: ItemState) {
        self.hub.publish(&Event::State { id: self.asset.id.clone(), state, error: None });
    }

    fn place(&self) -> Place<'_> {
        Place { disk: &self.disk, paths: &self.paths }
    }

    fn attempt(
        &self,
        job: Job<'_>,
        attempt: &Attempt,
        held: &mut Option<Held>,
    ) -> Result<ItemLocation, Error> {
        if let (Job::Download, Some(location)) = (job, self.complete()?) {
            // What is left over of its last steps is in nobody's way.
            let _ = self.place().sweep();
            return Ok(location);
        }
        if held.is_none() {
            self.check_augmentable(job)?;
            *held = Some(self.place().hold()?);
        }
        if let Some(location) = self.put_in_place()? {
            *held = None; // it went with its folder
            if let Job::Download = job {
                return Ok(location);
            }
            self.check_augmentable(job)?;
            *held = Some(self.place().hold()?);
        }
        let done = self.under_lock(job, attempt);
        if done.is_err() && self.place().clear_work_if_new().unwrap_or(false) {
            *held = None; // gone with its folder
        }
        done
    }

    /// A single media file has nothing that could be added to it.
    fn check_augmentable(&self, job: Job<'_>) -> Result<(), Error> {
        match job {
            Job::Augment(_) if self.place().file_bytes()?.is_some() && !self.place().is_ready()? => {
                Err(Error::new(ErrorKind::NotAugmentable))
            }
            Job::Augment(_) | Job::Download => Ok(()),
        }
    }

    /// Takes the last steps of a task that did not get to them.
    fn put_in_place(&self) -> Result<Option<ItemLocation>, Error> {
        let place = self.place();
        if !place.is_ready()? {
            return Ok(None);
        }
        place.owner()?.iter().try_for_each(|owner| self.check_owner(owner))?;
        let location = place.put_in_place(&self.asset.id)?;
        match place.file_bytes()? {
            Some(bytes) => self.live().last.downloaded_bytes = bytes,
            None => drop(self.finished()?),
        }
        Ok(Some(location))
    }

    fn under_lock(&self, job: Job<'_>, attempt: &Attempt) -> Result<ItemLocation, Error> {
        if let Some(location) = self.settled(job)? {
            return Ok(location);
        }
        self.tell(ItemState::InProgress);
        let http = Http::new(self.settings.http.clone(), self.settings.connections.get())?;
        let folder = ItemFolder::of_asset(Arc::clone(&self.disk), self.paths.work());
        match job {
            Job::Download => self.plan(&folder, &http, &attempt.token)?,
            Job::Augment(more) => {
                if let Some(location) = self.plan_more(more, &folder, &http, &attempt.token)? {
                    return Ok(location);
                }
            }
        }
        self.transfer(folder, http, attempt)?;
        self.place().finish(&self.asset.id)
    }

    /// Where it plays from, if this task finished it or it says so itself.
    fn complete(&self) -> Result<Option<ItemLocation>, Error> {
        let known = self.live().location.clone();
        if known.is_some() { Ok(known) } else { self.finished() }
    }

    /// What another process finished meanwhile.
    fn settled(&self, job: Job<'_>) -> Result<Option<ItemLocation>, Error> {
        let place = self.place();
        match (job, self.finished()?) {
            (Job::Download, Some(location)) => {
                place.clear_work()?;
                Ok(Some(location))
            }
            (Job::Augment(_), None) => {
                place.clear_work_if_new()?;
                Err(Error::new(ErrorKind::NotCompleted(self.control.state())))
            }
            (Job::Download, None) | (Job::Augment(_), Some(_)) => Ok(None),
        }
    }

    /// The finished asset, if it is there.
    fn finished(&self) -> Result<Option<ItemLocation>, Error> {
        let Some(asset) = self.place().finished()? else { return Ok(None) };
        self.check_owner(&asset.id)?;
        let last = &mut self.live().last;
        (last.duration, last.downloaded_bytes) = (asset.duration, asset.bytes);
        Ok(Some(asset.location))
    }

    /// What is there of another asset is left alone.
    fn check_owner(&self, id: &ItemId) -> Result<(), Error> {
        self.place().check_owner(&self.asset.id, id)
    }

    /// Fetches what is not there, and obtains the keys; nothing of it is lost if it does not get to its end.
    fn transfer(&self, folder: ItemFolder, http: Http, attempt: &Attempt) -> Result<(), Error> {
        let opened = folder.open()?;
        let keys = needed_keys(&self.asset.id, &opened.plan, &opened.origins)?;
        self.check_needed(&keys)?;
        let running = self.start(opened, folder, http, keys.clone())?;
        let (driver, key) = (Arc::clone(&running.driver), running.key);
        self.live().running = Some(running);
        let asking = self.ask(keys, attempt);
        driver.settle(key);
        let ended = self.control.wait(attempt);
        drop(asking);
        let last = self.progress();
        self.live().last = last;
        self.live().running = None;
        driver.close();
        match ended? {
            Ended::Complete => Ok(()),
            Ended::Stopped(error) => Err(error),
        }
    }

    /// Has the keys obtained, until what it answers is dropped.
    fn ask(&self, keys: Vec<NeededKey>, attempt: &Attempt) -> Option<Asking> {
        let Some(loader) = &self.asset.key_loader else {
            self.control.obtained(attempt.number, Ok(()));
            return None;
        };
        keys::obtain(keys, loader.clone(), attempt, (&self.control, &self.keys_turn))
            .map_err(|error| self.control.obtained(attempt.number, Err(error.into())))
            .ok()
    }

    fn start(
        &self,
        opened: Opened,
        folder: ItemFolder,
        http: Http,
        keys: Vec<NeededKey>,
    ) -> Result<Running, Error> {
        let settings = &self.settings;
        let (disk, throttle, hub) = (&self.disk, &self.throttle, &self.hub);
        let sharing = Sharing { settings, disk, throttle, hub, requirements: settings.requirements };
        let sidecars = &folder.record()?.sidecars;
        let of = Subject { id: &self.asset.id, url: &self.asset.url, sidecars };
        let (run, session) = sharing.run(opened, folder, of)?;
        let syncer = Syncer::start(Arc::clone(disk), settings.root.clone(), settings.sync)?;
        let control = Arc::clone(&self.control);
        let on_end = Arc::new(move |_: RunKey, _: &Arc<Run>, end: RunEnd| control.ended(end));
        let driver = Arc::new(Driver::start(settings.limits(), http, syncer, on_end)?);
        let run = Arc::new(run);
        let key = driver.add(session, Arc::clone(&run), 0);
        Ok(Running { driver, key, run, keys })
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn progress(&self) -> AssetProgress {
        self.live().progress(&self.control)
    }

    /// Stops the task for good and deletes what is unfinished of its asset.
    pub(crate) fn discard(&self) -> Result<(), Error> {
        self.control.cancel();
        let _held = self.place().hold()?;
        if let Some(owner) = self.place().owner()? {
            self.check_owner(&owner)?;
        }
        match self.put_in_place()? {
            Some(_) => Ok(()),
            None => self.place().clear_work(),
        }
    }
}

impl Task {
    /// Stops the task for good and deletes all that there is of its asset.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        self.control.cancel();
        let place = self.place();
        if self.live().location.take().is_some() && place.file_bytes()?.is_some() {
            place.remove_file()?;
        }
        place.remove(&self.asset.id)?;
        self.live().last = AssetProgress::default();
        self.control.rests(ItemState::New);
        Ok(())
    }
}

/// Deletes all that there is of this asset at this place.
pub(crate) fn remove_at(paths: &AssetPaths, id: &ItemId) -> Result<(), Error> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new());
    Place { disk: &disk, paths }.remove(id)
}

/// The finished asset at this place.
pub(crate) fn open_finished(paths: &AssetPaths) -> Result<Option<DownloadedAsset>, Error> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new());
    Place { disk: &disk, paths }.finished()
}

#[cfg(test)]
mod crash;
