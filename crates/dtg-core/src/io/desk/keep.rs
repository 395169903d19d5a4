//! How long items are wanted, what they take, and which of them a quota removes.

use std::sync::MutexGuard;
use std::time::SystemTime;

use super::{Desk, Work};
use crate::error::{Error, ErrorKind};
use crate::io::catalog::CatalogRow;
use crate::io::clock;
use crate::io::usage;
use crate::item::{Item, ItemId};
use crate::schedule::RunKey;
use crate::state::ItemState;
use crate::storage::{ItemStorage, Keep, Moment, Occupant, Storage, Tenure, evictions};

impl Desk {
    /// Changes how long an item is wanted: in its folder, then in its row.
    pub(crate) fn set_keep(&self, id: &ItemId, change: impl FnOnce(&mut Keep)) -> Result<Item, Error> {
        self.change_record(id, |row| change(&mut row.keep))
    }

    /// Changes what the item's folder keeps of it, and then its row.
    pub(super) fn change_record(
        &self,
        id: &ItemId,
        change: impl FnOnce(&mut CatalogRow),
    ) -> Result<Item, Error> {
        let work = self.enter()?;
        self.row(id)?;
        let work = self.when_recorded(work, id)?;
        let mut row = self.row(id)?;
        let before = row.record();
        change(&mut row);
        if row.record() != before {
            self.folder(&row).write_record(&row.record())?;
            self.catalog.put(&row)?;
        }
        Ok(work.seen(&row))
    }

    pub(crate) fn set_played(&self, id: &ItemId, at: SystemTime) -> Result<Item, Error> {
        let work = self.enter()?;
        let mut row = self.row(id)?;
        row.played_at = Some(Moment::from(at));
        self.catalog.put(&row)?;
        Ok(work.seen(&row))
    }

    pub(crate) fn quota(&self) -> Result<Option<u64>, Error> {
        let _work = self.enter()?;
        Ok(self.catalog.quota()?)
    }

    /// Limits what all media may take, and removes at once what that asks for.
    pub(crate) fn set_quota(&self, quota: Option<u64>) -> Result<Vec<ItemId>, Error> {
        let mut work = self.enter()?;
        self.catalog.set_quota(quota)?;
        self.remove_excess(&mut work, None)
    }

    /// Removes what is too much, as far as the quota's rules allow, but not the item that was just completed.
    pub(super) fn remove_excess(
        &self,
        work: &mut Work,
        completed: Option<&ItemId>,
    ) -> Result<Vec<ItemId>, Error> {
        let Some(quota) = self.catalog.quota()? else { return Ok(Vec::new()) };
        if self.counted_bytes(work)? <= quota {
            return Ok(Vec::new());
        }
        let mut occupants = self.occupants(work)?;
        for spared in occupants.iter_mut().filter(|item| completed == Some(&item.id)) {
            spared.tenure = Tenure::Busy;
        }
        let ids = evictions(&occupants, quota, clock::now()).ids;
        ids.iter().try_for_each(|id| self.throw_out(work, id))?;
        Ok(ids)
    }

    /// Makes room for an item that is about to run and will have `bytes`; without enough of it nothing changes.
    pub(super) fn make_room<'w>(
        &self,
        mut work: MutexGuard<'w, Work>,
        id: &ItemId,
        bytes: u64,
    ) -> Result<MutexGuard<'w, Work>, Error> {
        let Some(quota) = self.catalog.quota()? else { return Ok(work) };
        let there = self.row(id)?.downloaded_bytes;
        if self.counted_bytes(&work)?.saturating_sub(there).saturating_add(bytes) <= quota {
            return Ok(work);
        }
        let mut occupants = self.occupants(&work)?;
        for coming in occupants.iter_mut().filter(|item| item.id == *id) {
            (coming.bytes, coming.tenure) = (bytes, Tenure::Busy);
        }
        let eviction = evictions(&occupants, quota, clock::now());
        if eviction.excess_bytes > 0 {
            return Err(Error::new(ErrorKind::OverQuota { quota, excess: eviction.excess_bytes }));
        }
        eviction.ids.iter().try_for_each(|id| self.throw_out(&mut work, id))?;
        Ok(work)
    }

    /// What all items count for a quota: as much as [`Desk::occupants`] together, but only running ones are looked at.
    fn counted_bytes(&self, work: &Work) -> Result<u64, Error> {
        let mut counted = self.catalog.media_bytes()?;
        for (id, (_, run)) in &work.running {
            let recorded = self.catalog.get(id)?.map_or(0, |row| row.downloaded_bytes);
            counted = counted.saturating_sub(recorded).saturating_add(run.tally.expected());
        }
        Ok(counted)
    }

    /// Whether threads are still at work for a run.
    fn is_at_work(&self, key: RunKey) -> bool {
        self.driver().is_ok_and(|driver| driver.is_at_work(key))
    }

    /// All items as a quota sees them.
    fn occupants(&self, work: &Work) -> Result<Vec<Occupant>, Error> {
        let occupant = |row: CatalogRow| {
            let run = work.running.get(&row.id).map(|(_, run)| run);
            let is_leaving = work.leaving.get(&row.id).is_some_and(|key| self.is_at_work(*key));
            let is_busy =
                work.busy.contains_key(&row.id) || work.refreshing.contains_key(&row.id) || is_leaving;
            let tenure = match (row.keep.pinned, run.is_some() || is_busy) {
                (true, _) => Tenure::Pinned,
                (false, true) => Tenure::Busy,
                (false, false) => Tenure::Resting,
            };
            let used_at = row.played_at.max(row.completed_at).filter(|_| row.state == ItemState::Completed);
            // Completed by an early version, which kept no time: long ago.
            let since = (row.state == ItemState::Completed).then_some(Moment(0));
            Occupant {
                bytes: run.map_or(row.downloaded_bytes, |run| run.tally.expected()),
                tenure,
                expires_at: row.keep.expires_at.and_then(Moment::time),
                used_at: used_at.or(since).and_then(Moment::time),
                id: row.id,
            }
        };
        Ok(self.catalog.all()?.into_iter().map(occupant).collect())
    }

    /// What each item takes of the disk, to the byte: looks at every file.
    pub(crate) fn storage(&self) -> Result<Storage, Error> {
        let work = self.enter()?;
        let quota = self.catalog.quota()?;
        let counted_bytes =
            self.occupants(&work)?.iter().fold(0, |sum: u64, it| sum.saturating_add(it.bytes));
        let rows = self.catalog.all()?;
        drop(work);
        let (disk, root) = (self.disk.as_ref(), self.settings.root.as_path());
        Ok(Storage { quota, counted_bytes, ..usage::storage(disk, root, &rows)? })
    }

    pub(crate) fn item_storage(&self, id: &ItemId) -> Result<ItemStorage, Error> {
        let work = self.enter()?;
        let row = self.row(id)?;
        drop(work);
        Ok(usage::item_storage(self.disk.as_ref(), &self.settings.root, &row)?)
    }
}
