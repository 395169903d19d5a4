//! What holds an item: the device, the disk, the queue, or what happened to it.

use super::{Desk, Hearing};
use crate::error::{Error, ErrorKind};
use crate::hold::Hold;
use crate::io::catalog::CatalogRow;
use crate::io::driver::RunEnd;
use crate::item::ItemId;
use crate::requirements::{Device, Requirements, Space, unmet};
use crate::state::ItemState;

impl Desk {
    /// What an item asks of the device: its own requirements, else everybody's.
    pub(super) fn needs(&self, row: &CatalogRow) -> Requirements {
        row.requirements.unwrap_or(self.settings.requirements)
    }

    /// An error where the device lacks what an item asks for.
    pub(super) fn held(&self, row: &CatalogRow, device: &Device) -> Result<(), Error> {
        let unmet = unmet(&self.needs(row), device, None);
        if unmet.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Requirements(unmet))) }
    }

    pub(crate) fn set_requirements(&self, id: &ItemId, needs: Option<Requirements>) -> Result<(), Error> {
        self.change_record(id, |row| row.requirements = needs)?;
        self.heed(&[self.row(id)?])
    }

    /// The device is another now: what it can't have is interrupted, what was waiting for it goes on.
    pub(crate) fn set_device(&self, device: Device) -> Result<(), Error> {
        let mut work = self.enter()?;
        work.device = device;
        let rows = self.catalog.all()?;
        drop(work);
        self.heed(&rows)
    }

    fn heed(&self, rows: &[CatalogRow]) -> Result<(), Error> {
        for row in rows {
            self.interrupt_if_held(row)?;
            if row.state == ItemState::Interrupted && waits(row) {
                // Whatever holds it still is what `why` answers.
                let _ = self.begin(&row.id, Hearing::Told);
            }
        }
        Ok(())
    }

    fn interrupt_if_held(&self, row: &CatalogRow) -> Result<(), Error> {
        let mut work = self.enter()?;
        let Err(error) = self.held(row, &work.device) else { return Ok(()) };
        let Some((key, run)) = work.running.remove(&row.id) else { return Ok(()) };
        self.driver()?.stop(key);
        work.leaving.insert(row.id.clone(), key);
        self.rested.notify_all();
        self.rest(&run, RunEnd::Stopped(error))
    }

    /// Everything that holds an item.
    pub(crate) fn why(&self, id: &ItemId) -> Result<Vec<Hold>, Error> {
        let work = self.enter()?;
        let row = self.row(id)?;
        let state = work.seen(&row).state;
        let mut holds = Vec::new();
        if state != ItemState::InProgress {
            holds.push(Hold::State(state));
        }
        if state == ItemState::Completed {
            return Ok(holds);
        }
        holds.extend(row.failure.clone().map(Hold::Failure));
        let space = self.space(&row)?;
        holds.extend(unmet(&self.needs(&row), &work.device, space).into_iter().map(Hold::Unmet));
        if work.refreshing.contains_key(id) {
            holds.push(Hold::FreshUrl);
        }
        if let Some((key, _)) = work.running.get(id) {
            holds.extend(self.driver()?.standing(*key));
        }
        Ok(holds)
    }

    fn space(&self, row: &CatalogRow) -> Result<Option<Space>, Error> {
        let to_come = row.expected_bytes.saturating_sub(row.downloaded_bytes);
        let free = self.disk.free_space(&self.settings.root)?;
        Ok((row.state != ItemState::New).then_some(Space { to_come, free }))
    }
}

/// Whether the item was interrupted for want of something that may be there again.
fn waits(row: &CatalogRow) -> bool {
    let codes = ["requirements", "no-space"];
    row.failure.as_ref().is_some_and(|failure| codes.contains(&failure.code.as_str()))
}
