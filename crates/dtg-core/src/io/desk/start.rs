//! Starting an item: its folder is opened, what is done is found out, and the driver takes it in.

use std::sync::Arc;

use super::busy::Purpose;
use super::{Desk, Hearing};
use crate::error::{Error, ErrorKind};
use crate::io::catalog::CatalogRow;
use crate::io::open::{Sharing, Subject};
use crate::io::run::Run;
use crate::item::ItemId;
use crate::requirements::Device;
use crate::session::Session;
use crate::state::ItemEvent;

impl Desk {
    pub(crate) fn start(&self, id: &ItemId) -> Result<(), Error> {
        self.begin(id, Hearing::Told)
    }

    /// Starts an item or lets it go on. Its plan is read and its journal judged without holding up other commands.
    pub(super) fn begin(&self, id: &ItemId, hearing: Hearing<'_>) -> Result<(), Error> {
        let work = self.enter()?;
        self.row(id)?.state.on(ItemEvent::Start)?;
        let mut work = self.when_free(work, id)?;
        let row = self.row(id)?;
        row.state.on(ItemEvent::Start)?;
        let is_told = matches!(hearing, Hearing::Told);
        if work.running.contains_key(id) || (is_told && work.refreshing.contains_key(id)) {
            return Ok(());
        }
        let leaving = work.leaving.remove(id);
        let device = work.device;
        let busy = self.occupy(&mut work, id, Purpose::Start);
        drop(work);
        if let Some(key) = leaving {
            self.driver()?.drained(key);
        }
        let (run, session) = self.prepare(&row, &device)?;
        let mut work = self.make_room(busy.done()?, id, run.tally.expected())?;
        let mut row = self.row(id)?;
        // The device may be another one by now.
        self.held(&row, &work.device)?;
        if let Hearing::Untold(token) = hearing
            && !work.stops_asking(id, token)
        {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        row.state = row.state.on(ItemEvent::Start)?;
        row.failure = None;
        row.downloaded_bytes = run.tally.downloaded();
        row.fetches_done = run.tally.fetches_done();
        self.catalog.put(&row)?;
        if is_told {
            self.tell(&row, None);
        }
        let run = Arc::new(run);
        let driver = self.driver()?;
        let priority = work.priorities.get(id).copied().unwrap_or_default();
        let key = driver.add(session, Arc::clone(&run), priority);
        work.running.insert(id.clone(), (key, run));
        drop(work);
        driver.settle(key);
        Ok(())
    }

    /// Opens the item's folder and finds out what is done.
    pub(super) fn prepare(&self, row: &CatalogRow, device: &Device) -> Result<(Run, Session), Error> {
        self.held(row, device)?;
        let folder = self.folder(row);
        let opened = folder.open()?;
        folder.mend_playlists(&opened.plan, || self.planned_again(row, &opened.origins))?;
        Sharing {
            settings: &self.settings,
            disk: &self.disk,
            throttle: &self.throttle,
            hub: &self.hub,
            requirements: self.needs(row),
        }
        .run(opened, folder, Subject { id: &row.id, url: &row.url, sidecars: &row.sidecars })
    }
}
