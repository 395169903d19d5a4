//! Removing an item: whoever is at work for it lets go first.

use std::sync::MutexGuard;

use super::busy::Purpose;
use super::{Desk, Work};
use crate::error::Error;
use crate::events::Event;
use crate::item::ItemId;

impl Desk {
    pub(crate) fn remove(&self, id: &ItemId) -> Result<(), Error> {
        let mut work = self.enter()?;
        self.known(id)?;
        // Whoever takes over a fresh address has the folder, and goes by this one's token.
        if let Some(token) = work.refreshing.remove(id) {
            token.cancel();
        }
        while let Some((_, token)) = work.busy.get(id) {
            token.cancel();
            work = self.when_free(work, id)?;
        }
        let mut work = self.emptied(work, id)?;
        self.throw_out(&mut work, id)?;
        drop(work);
        self.rested.notify_all();
        Ok(())
    }

    /// Stops an item and waits until its threads have let go, without the desk in hand: an adapter may ask for it.
    fn emptied<'d>(
        &'d self,
        mut work: MutexGuard<'d, Work>,
        id: &ItemId,
    ) -> Result<MutexGuard<'d, Work>, Error> {
        if let Some((key, _)) = work.running.remove(id) {
            self.driver()?.stop(key);
            work.leaving.insert(id.clone(), key);
            self.rested.notify_all();
        }
        let Some(key) = work.leaving.remove(id) else { return Ok(work) };
        let busy = self.occupy(&mut work, id, Purpose::Empty);
        drop(work);
        self.driver()?.drained(key);
        Ok(busy.over())
    }

    /// Takes an item at which nobody is at work off the shelf.
    pub(super) fn throw_out(&self, work: &mut Work, id: &ItemId) -> Result<(), Error> {
        let row = self.known(id)?;
        work.priorities.remove(id);
        work.asked.remove(id);
        if let Some(key) = work.leaving.remove(id) {
            self.driver()?.drained(key);
        }
        // The folder first: opening gives a folder without a row its row back, and drops a row without a folder.
        self.folder(&row).discard()?;
        self.settled().remove(id);
        self.catalog.remove(id)?;
        // Told before anyone can add the id anew.
        self.hub.publish(&Event::Removed { id: id.clone() });
        Ok(())
    }
}
