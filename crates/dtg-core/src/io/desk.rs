//! Behind the manager: the catalog, the running items, and the commands that keep them in step.

mod busy; // who works on a folder
mod load; // playlists and plans
mod start; // from a folder to a run
mod remove; // off the shelf
mod refresh; // fresh addresses
mod hold; // what holds an item
mod settled; // rows that fit their folders
mod verify; // every byte
mod keep; // what stays, and what takes how much
mod bench;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use self::busy::Purpose;
use super::cancel::CancelToken;
use super::catalog::{Catalog, CatalogRow};
use super::clock;
use super::disk::{Disk, RealDisk};
use super::driver::{Driver, RunEnd};
use super::folder::ItemFolder;
use super::http::Http;
use super::load::remote_url;
use super::run::Run;
use super::sync::Syncer;
use super::throttle::Throttle;
use crate::error::{Error, ErrorKind};
use crate::events::{Event, Events, Hub};
use crate::item::{Item, ItemId, ItemLocation, NewItem};
use crate::manager::Builder;
use crate::requirements::Device;
use crate::schedule::{Limits, RunKey};
use crate::state::{ItemEvent, ItemState};
use crate::storage::Moment;

/// The manager's inside.
#[derive(Debug)]
pub(crate) struct Desk {
    settings: Builder,
    disk: Arc<dyn Disk>,
    catalog: Catalog,
    http: Http,
    hub: Arc<Hub>,
    pub(crate) throttle: Arc<Throttle>,
    /// Items whose row was held against their folder.
    settled: Mutex<HashSet<ItemId>>,
    driver: OnceLock<Driver>,
    work: Mutex<Work>,
    /// An item came to rest, or a command is done with its folder.
    rested: Condvar,
}

/// What is going on. One command at a time holds it.
#[derive(Debug, Default)]
struct Work {
    running: HashMap<ItemId, (RunKey, Arc<Run>)>,
    /// Stopped runs whose threads may not have let go yet.
    leaving: HashMap<ItemId, RunKey>,
    /// Items whose folder a command is working on: no other one does meanwhile.
    busy: HashMap<ItemId, (Purpose, CancelToken)>,
    /// Items for which a fresh address is being asked; they are in progress.
    refreshing: HashMap<ItemId, CancelToken>,
    /// How many bytes were there when a fresh address was last asked for.
    asked: HashMap<ItemId, u64>,
    device: Device,
    /// Of items that were given one.
    priorities: HashMap<ItemId, i32>,
    closed: bool,
    /// Closed, and done with it.
    is_over: bool,
}

/// Whether listeners are told of a start; to them a change of address is none.
#[derive(Debug, Clone, Copy)]
enum Hearing<'a> {
    Told,
    /// A fresh address was asked for under this token.
    Untold(&'a CancelToken),
}

impl Work {
    /// A fresh address is not being asked for any more under this token. Whether it was.
    fn stops_asking(&mut self, id: &ItemId, token: &CancelToken) -> bool {
        let is_it = self.refreshing.get(id).is_some_and(|asking| asking.is(token));
        is_it && self.refreshing.remove(id).is_some()
    }

    /// The item as it is now. One that was in progress when the last manager ended is interrupted.
    fn seen(&self, row: &CatalogRow) -> Item {
        let run = self.running.get(&row.id).map(|(_, run)| run.as_ref());
        let mut item = row.item(run);
        let is_at_work = run.is_some() || self.refreshing.contains_key(&row.id);
        if !is_at_work && item.state == ItemState::InProgress {
            item.state = ItemState::Interrupted;
        }
        item
    }
}

impl Desk {
    pub(crate) fn open(settings: Builder) -> Result<Arc<Self>, Error> {
        let disk = settings.disk.clone().unwrap_or_else(|| Arc::new(RealDisk::new()));
        let http = Http::new(settings.http.clone(), settings.connections.get())?;
        let catalog = Catalog::open(&settings.root, Arc::clone(&disk))?;
        let desk = Arc::new(Self {
            disk,
            catalog,
            http,
            hub: Arc::default(),
            throttle: Arc::new(Throttle::new(settings.rate_limit)),
            settled: Mutex::default(),
            driver: OnceLock::new(),
            work: Mutex::default(),
            rested: Condvar::new(),
            settings,
        });
        desk.start_driver()?;
        Ok(desk)
    }

    fn start_driver(self: &Arc<Self>) -> Result<(), Error> {
        let syncer = Syncer::start(Arc::clone(&self.disk), self.settings.root.clone(), self.settings.sync)?;
        let weak = Weak::clone(&Arc::downgrade(self));
        let on_end = Arc::new(move |key: RunKey, run: &Arc<Run>, end: RunEnd| {
            if let Some(desk) = weak.upgrade() {
                desk.ended(key, run, end);
            }
        });
        let driver = Driver::start(self.settings.limits(), self.http.clone(), syncer, on_end)?;
        // Nobody else can have set it: this runs once, before the desk is handed out.
        let _ = self.driver.set(driver);
        Ok(())
    }

    fn known(&self, id: &ItemId) -> Result<CatalogRow, Error> {
        self.catalog.get(id)?.ok_or_else(|| Error::new(ErrorKind::ItemNotFound))
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work, for a command: not after closing.
    fn enter(&self) -> Result<MutexGuard<'_, Work>, Error> {
        let work = self.lock();
        if work.closed { Err(Error::new(ErrorKind::Cancelled)) } else { Ok(work) }
    }

    fn driver(&self) -> Result<&Driver, Error> {
        self.driver.get().ok_or_else(|| Error::new(ErrorKind::Cancelled))
    }

    /// Writes a row down, then tells the listeners of its state.
    fn keep(&self, row: &CatalogRow, error: Option<Error>) -> Result<(), Error> {
        self.catalog.put(row)?;
        self.tell(row, error);
        Ok(())
    }

    fn tell(&self, row: &CatalogRow, error: Option<Error>) {
        let error = error.map(Arc::new);
        self.hub.publish(&Event::State { id: row.id.clone(), state: row.state, error });
    }

    pub(crate) fn add(&self, item: NewItem) -> Result<Item, Error> {
        remote_url(&item.url)?;
        item.sidecars.iter().try_for_each(|sidecar| remote_url(&sidecar.url).map(drop))?;
        let _work = self.enter()?;
        if let Some(row) = self.catalog.get(&item.id)? {
            return Err(Error::new(ErrorKind::ItemExists(row.state)));
        }
        let row = CatalogRow::new(item, self.catalog.next_order()?);
        self.folder(&row).create(&row.record())?;
        self.settled().insert(row.id.clone());
        self.keep(&row, None)?;
        Ok(row.item(None))
    }

    fn folder(&self, row: &CatalogRow) -> ItemFolder {
        ItemFolder::new(Arc::clone(&self.disk), &self.settings.root, &row.folder)
    }

    /// A run has ended by itself.
    fn ended(self: &Arc<Self>, key: RunKey, run: &Arc<Run>, end: RunEnd) {
        let mut work = self.lock();
        // Paused or removed in the same moment: that command has answered, and it stands.
        if work.running.get(&run.id).is_none_or(|(running, _)| *running != key) {
            return;
        }
        work.running.remove(&run.id);
        let Some(end) = self.asking(&mut work, run, end) else { return };
        let is_done = matches!(end, RunEnd::Done);
        let rested = self.rest(run, end);
        // It may have become larger than it was expected to be.
        let rested = rested.and_then(|()| match is_done {
            true => self.remove_excess(&mut work, Some(&run.id)).map(drop),
            false => Ok(()),
        });
        if let Err(error) = rested {
            tracing::error!(item = %run.id, %error, "the end of a download could not be written down");
        }
        drop(work);
        self.rested.notify_all();
    }

    fn rest(&self, run: &Run, end: RunEnd) -> Result<(), Error> {
        let mut row = self.row(&run.id)?;
        row.count_kept(run);
        let error = match end {
            RunEnd::Done => None,
            RunEnd::Stopped(error) => Some(error.of(&run.id)),
        };
        row.failure = error.as_ref().map(Error::stored);
        row.state = row.state.on(match &error {
            None => ItemEvent::LastFetchDone,
            Some(error) if error.interrupts() => ItemEvent::Interrupt,
            Some(_) => ItemEvent::Fail,
        })?;
        if error.is_none() {
            row.completed_at = Some(Moment::from(clock::now()));
        }
        self.catalog.put_or_owe(&row);
        let last = if error.is_none() { row.progress() } else { run.progress() };
        self.hub.publish(&Event::Progress(last));
        self.tell(&row, error);
        Ok(())
    }

    pub(crate) fn pause(&self, id: &ItemId) -> Result<(), Error> {
        let mut work = self.enter()?;
        let mut row = self.row(id)?;
        if let Some((Purpose::Start | Purpose::Verify, token)) = work.busy.get(id) {
            token.cancel();
        }
        let is_asking = work.refreshing.remove(id).map(|token| token.cancel()).is_some();
        let running = work.running.remove(id);
        // Also an item that the last manager left in progress is not running.
        if running.is_none() && !is_asking {
            return Ok(());
        }
        // It rests, whether or not that can be written down.
        self.rested.notify_all();
        row.state = row.state.on(ItemEvent::Pause)?;
        if let Some((key, run)) = running {
            self.driver()?.stop(key);
            work.leaving.insert(id.clone(), key);
            row.count_kept(&run);
        }
        self.keep(&row, None)
    }

    pub(crate) fn set_priority(&self, id: &ItemId, priority: i32) -> Result<(), Error> {
        let mut work = self.enter()?;
        self.row(id)?;
        work.priorities.insert(id.clone(), priority);
        if let Some((key, _)) = work.running.get(id) {
            self.driver()?.set_priority(*key, priority);
        }
        Ok(())
    }

    pub(crate) fn set_limits(&self, change: impl FnOnce(&mut Limits)) -> Result<(), Error> {
        let _work = self.enter()?;
        Ok(self.driver()?.set_limits(change)?)
    }

    pub(crate) fn item(&self, id: &ItemId) -> Result<Item, Error> {
        let work = self.enter()?;
        Ok(work.seen(&self.row(id)?))
    }

    pub(crate) fn items(&self) -> Result<Vec<Item>, Error> {
        let work = self.enter()?;
        Ok(self.all_fitting(self.catalog.all()?).iter().map(|row| work.seen(row)).collect())
    }

    /// The items in one state as it is now.
    pub(crate) fn items_in(&self, state: ItemState) -> Result<Vec<Item>, Error> {
        let work = self.enter()?;
        let items = self.all_fitting(self.recorded(&[state])?).into_iter().map(|row| work.seen(&row));
        Ok(items.filter(|item| item.state == state).collect())
    }

    /// The items whose recorded or present state is one of these: what was in progress when the last
    /// manager ended is found under both names.
    pub(crate) fn ids_in(&self, states: &[ItemState]) -> Result<Vec<ItemId>, Error> {
        let work = self.enter()?;
        let wanted = |row: &CatalogRow| states.contains(&row.state) || states.contains(&work.seen(row).state);
        Ok(self.recorded(states)?.into_iter().filter(wanted).map(|row| row.id).collect())
    }

    /// The rows that may be seen in one of these states.
    fn recorded(&self, states: &[ItemState]) -> Result<Vec<CatalogRow>, Error> {
        let mut states = states.to_vec();
        if states.contains(&ItemState::Interrupted) && !states.contains(&ItemState::InProgress) {
            states.push(ItemState::InProgress);
        }
        Ok(self.catalog.in_states(&states)?)
    }

    pub(crate) fn playback_location(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        let _work = self.enter()?;
        self.row(id)?.location(&self.settings.root)
    }

    pub(crate) fn subscribe(&self) -> Events {
        self.hub.subscribe()
    }

    pub(crate) fn wait(&self, id: &ItemId) -> Result<Item, Error> {
        let work = self.enter()?;
        let work = self
            .rested
            .wait_while(work, |work| {
                let is_at_work = work.running.contains_key(id) || work.refreshing.contains_key(id);
                !work.closed && (is_at_work || work.busy.contains_key(id))
            })
            .unwrap_or_else(PoisonError::into_inner);
        if work.closed {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        Ok(work.seen(&self.row(id)?))
    }

    /// Ends everything; who calls it while another thread does waits for that one.
    pub(crate) fn close(&self) {
        let mut work = self.lock();
        if work.closed {
            drop(self.rested.wait_while(work, |work| !work.is_over));
            return;
        }
        work.closed = true;
        work.busy.values().for_each(|(_, token)| token.cancel());
        work.refreshing.drain().for_each(|(_, token)| token.cancel());
        let running: Vec<Arc<Run>> = work.running.drain().map(|(_, (_, run))| run).collect();
        drop(work);
        self.rested.notify_all();
        if let Some(driver) = self.driver.get() {
            driver.close();
        }
        for run in running {
            if let Ok(mut row) = self.row(&run.id) {
                // Its state stays: the next start goes on from here.
                row.count_kept(&run);
                self.catalog.put_or_owe(&row);
            }
        }
        // Who is in the middle of a folder lets go first: the next manager may have it then.
        drop(self.rested.wait_while(self.lock(), |work| !work.busy.is_empty()));
        self.catalog.close();
        self.hub.close();
        self.lock().is_over = true;
        self.rested.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_does_not_end_a_later_question() {
        let id = ItemId::new("x").unwrap();
        let (early, late) = (CancelToken::default(), CancelToken::default());
        let mut work = Work::default();
        work.refreshing.insert(id.clone(), late.clone());
        assert!(!work.stops_asking(&id, &early));
        assert!(work.stops_asking(&id, &late.clone()));
        assert!(!work.stops_asking(&id, &late));
    }
}
