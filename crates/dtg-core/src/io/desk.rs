//! Behind the manager: the catalog, the running items, and the commands that keep them in step.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::cancel::CancelToken;
use super::catalog::{Catalog, CatalogRow};
use super::disk::{Disk, RealDisk};
use super::driver::{Driver, RunEnd};
use super::folder::ItemFolder;
use super::http::{Http, HttpOptions};
use super::load::{Wish, load, remote_url};
use super::run::{Run, Tally, Versions};
use super::sync::Syncer;
use crate::error::{Error, ErrorKind};
use crate::events::{Event, Events, Hub};
use crate::item::{Item, ItemId, ItemLocation, NewItem};
use crate::manager::Builder;
use crate::options::SelectionOptions;
use crate::plan::Locator;
use crate::schedule::RunKey;
use crate::session::Session;
use crate::state::{ItemEvent, ItemState};

/// The manager's inside.
#[derive(Debug)]
pub(crate) struct Desk {
    settings: Builder,
    disk: Arc<dyn Disk>,
    catalog: Catalog,
    http: Http,
    hub: Arc<Hub>,
    driver: OnceLock<Driver>,
    work: Mutex<Work>,
    /// An item came to rest, or a load ended.
    rested: Condvar,
}

/// What is going on. One command at a time holds it.
#[derive(Debug, Default)]
struct Work {
    running: HashMap<ItemId, (RunKey, Arc<Run>)>,
    /// Stopped runs whose threads may not have let go yet.
    leaving: HashMap<ItemId, RunKey>,
    loading: HashMap<ItemId, CancelToken>,
    closed: bool,
}

impl Work {
    /// The item as it is now. One that was in progress when the last manager ended is interrupted.
    fn seen(&self, row: &CatalogRow) -> Item {
        let run = self.running.get(&row.id).map(|(_, run)| run.as_ref());
        let mut item = row.item(run);
        if run.is_none() && item.state == ItemState::InProgress {
            item.state = ItemState::Interrupted;
        }
        item
    }
}

impl Desk {
    pub(crate) fn open(settings: Builder) -> Result<Arc<Self>, Error> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::new());
        let catalog = Catalog::open(&settings.root, Arc::clone(&disk))?;
        let mut http = HttpOptions { connections: settings.connections.get(), ..HttpOptions::default() };
        if let Some(user_agent) = &settings.user_agent {
            http.user_agent.clone_from(user_agent);
        }
        let desk = Arc::new(Self {
            disk,
            catalog,
            http: Http::new(&http),
            hub: Arc::default(),
            driver: OnceLock::new(),
            work: Mutex::default(),
            rested: Condvar::new(),
            settings,
        });
        desk.start_driver()?;
        Ok(desk)
    }

    fn start_driver(self: &Arc<Self>) -> Result<(), Error> {
        let syncer = Syncer::start(Arc::clone(&self.disk), self.settings.root.clone())?;
        let weak = Weak::clone(&Arc::downgrade(self));
        let on_end = Box::new(move |key: RunKey, run: &Arc<Run>, end: RunEnd| {
            if let Some(desk) = weak.upgrade() {
                desk.ended(key, run, end);
            }
        });
        let driver = Driver::start(self.settings.connections.get(), self.http.clone(), syncer, on_end)?;
        // Nobody else can have set it: this runs once, before the desk is handed out.
        let _ = self.driver.set(driver);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work, for a command: not after closing.
    fn enter(&self) -> Result<MutexGuard<'_, Work>, Error> {
        let work = self.lock();
        if work.closed { Err(Error::new(ErrorKind::Cancelled)) } else { Ok(work) }
    }

    fn row(&self, id: &ItemId) -> Result<CatalogRow, Error> {
        self.catalog.get(id)?.ok_or_else(|| Error::new(ErrorKind::ItemNotFound))
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
        self.keep(&row, None)?;
        Ok(row.item(None))
    }

    fn folder(&self, row: &CatalogRow) -> ItemFolder {
        ItemFolder::new(Arc::clone(&self.disk), &self.settings.root, &row.folder)
    }

    pub(crate) fn load_metadata(&self, id: &ItemId, options: &SelectionOptions) -> Result<Item, Error> {
        let token = CancelToken::default();
        let row = {
            let mut work = self.enter()?;
            let row = self.row(id)?;
            row.state.on(ItemEvent::PlanStored)?;
            if work.loading.contains_key(id) {
                return Err(Error::new(ErrorKind::Loading));
            }
            work.loading.insert(id.clone(), token.clone());
            row
        };
        let wish = Wish { options, decoders: &self.settings.decoders, sidecars: &row.sidecars };
        let loaded = load(&self.http, &row.url, wish, &token);
        let mut work = self.lock();
        work.loading.remove(id);
        self.rested.notify_all();
        // Removed or closed meanwhile: its folder is not ours any more.
        if token.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        let mut row = self.row(id)?;
        let stored = loaded.and_then(|loaded| {
            self.folder(&row).store(options, &loaded)?;
            row.plan_stored(options, &loaded)?;
            Ok(())
        });
        match stored {
            Ok(()) => self.keep(&row, None)?,
            Err(error) => {
                let error = error.of(id);
                row.failure = Some(error.stored());
                self.catalog.put(&row)?;
                return Err(error);
            }
        }
        Ok(row.item(None))
    }

    pub(crate) fn start(&self, id: &ItemId) -> Result<(), Error> {
        let mut work = self.enter()?;
        let mut row = self.row(id)?;
        row.state = row.state.on(ItemEvent::Start)?;
        if work.running.contains_key(id) {
            return Ok(());
        }
        if let Some(key) = work.leaving.remove(id) {
            self.driver()?.drained(key);
        }
        let (run, session) = self.prepare(&row)?;
        row.failure = None;
        row.downloaded_bytes = run.tally.downloaded();
        row.fetches_done = run.tally.fetches_done();
        self.keep(&row, None)?;
        let run = Arc::new(run);
        let driver = self.driver()?;
        let key = driver.add(session, Arc::clone(&run));
        work.running.insert(id.clone(), (key, run));
        drop(work);
        driver.settle(key);
        Ok(())
    }

    /// Opens the item's folder and finds out what is done.
    fn prepare(&self, row: &CatalogRow) -> Result<(Run, Session), Error> {
        let folder = self.folder(row);
        let opened = folder.open()?;
        let tally = Tally::new(opened.downloaded_bytes(), opened.expected_bytes(), opened.fetches_done());
        let to_come = tally.expected().saturating_sub(tally.downloaded());
        let free = self.disk.free_space(&self.settings.root)?;
        if let Some(needed) = self.settings.requirements.missing_space(to_come, free) {
            return Err(Error::new(ErrorKind::NoSpace { needed, free }));
        }
        let total = u32::try_from(opened.plan.fetches.len()).unwrap_or(u32::MAX);
        let session = Session::new(total, opened.finished(), self.settings.retry);
        let run = Run {
            id: row.id.clone(),
            plan: opened.plan,
            locator: Locator::new(opened.origins, row.sidecars.clone())?,
            folder,
            journal: opened.journal,
            token: CancelToken::default(),
            tally,
            hub: Arc::clone(&self.hub),
            versions: Mutex::new(Versions::new(opened.versions)),
            told: Mutex::default(),
            faults: Mutex::default(),
        };
        Ok((run, session))
    }

    /// A run has ended by itself.
    fn ended(&self, key: RunKey, run: &Arc<Run>, end: RunEnd) {
        let mut work = self.lock();
        // Paused or removed in the same moment: that command has answered, and it stands.
        if work.running.get(&run.id).is_none_or(|(running, _)| *running != key) {
            return;
        }
        work.running.remove(&run.id);
        if let Err(error) = self.rest(run, end) {
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
        self.catalog.put_or_owe(&row);
        let last = if error.is_none() { row.progress() } else { run.progress() };
        self.hub.publish(&Event::Progress(last));
        self.tell(&row, error);
        Ok(())
    }

    pub(crate) fn pause(&self, id: &ItemId) -> Result<(), Error> {
        let mut work = self.enter()?;
        let mut row = self.row(id)?;
        // Also an item that the last manager left in progress is not running.
        let Some((key, run)) = work.running.remove(id) else { return Ok(()) };
        self.driver()?.stop(key);
        work.leaving.insert(id.clone(), key);
        // It rests, whether or not that can be written down.
        self.rested.notify_all();
        row.state = row.state.on(ItemEvent::Pause)?;
        row.count_kept(&run);
        self.keep(&row, None)
    }

    pub(crate) fn remove(&self, id: &ItemId) -> Result<(), Error> {
        let mut work = self.enter()?;
        let row = self.row(id)?;
        if let Some(token) = work.loading.get(id) {
            token.cancel();
        }
        let running = work.running.remove(id).map(|(key, _)| key);
        if let Some(key) = running {
            self.driver()?.stop(key);
            self.rested.notify_all();
        }
        if let Some(key) = running.or(work.leaving.remove(id)) {
            self.driver()?.drained(key);
        }
        // The folder first: opening gives a folder without a row its row back, and drops a row without a folder.
        self.folder(&row).discard()?;
        self.catalog.remove(id)?;
        // Told before anyone can add the id anew.
        self.hub.publish(&Event::Removed { id: id.clone() });
        drop(work);
        self.rested.notify_all();
        Ok(())
    }

    pub(crate) fn item(&self, id: &ItemId) -> Result<Item, Error> {
        let work = self.enter()?;
        Ok(work.seen(&self.row(id)?))
    }

    pub(crate) fn items(&self) -> Result<Vec<Item>, Error> {
        let work = self.enter()?;
        Ok(self.catalog.all()?.iter().map(|row| work.seen(row)).collect())
    }

    /// The items whose recorded or present state is one of these: what was in progress when the last
    /// manager ended is found under both names.
    pub(crate) fn ids_in(&self, states: &[ItemState]) -> Result<Vec<ItemId>, Error> {
        let work = self.enter()?;
        let rows = self.catalog.all()?;
        let wanted = |row: &CatalogRow| states.contains(&row.state) || states.contains(&work.seen(row).state);
        Ok(rows.into_iter().filter(|row| wanted(row)).map(|row| row.id).collect())
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
                !work.closed && (work.running.contains_key(id) || work.loading.contains_key(id))
            })
            .unwrap_or_else(PoisonError::into_inner);
        if work.closed {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        Ok(work.seen(&self.row(id)?))
    }

    pub(crate) fn close(&self) {
        let mut work = self.lock();
        if work.closed {
            return;
        }
        work.closed = true;
        work.loading.values().for_each(CancelToken::cancel);
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
        self.catalog.close();
        self.hub.close();
    }
}
