//! The commands that look at every byte of an item.

use hls_parse::Multivariant;

use super::Desk;
use super::busy::{Busy, Purpose};
use crate::cause::Stage;
use crate::error::{Error, ErrorKind};
use crate::io::cancel::CancelToken;
use crate::io::catalog::CatalogRow;
use crate::io::load::{Wish, planned_again};
use crate::item::ItemId;
use crate::options::SelectionOptions;
use crate::plan::{OriginSet, Planned};
use crate::select::select;
use crate::state::{ItemEvent, ItemState};
use crate::verify::Verification;

impl Desk {
    /// Takes the folder of an item that may be looked at, once nothing writes to it any more.
    fn still(&self, id: &ItemId) -> Result<(CatalogRow, Busy<'_>), Error> {
        let work = self.enter()?;
        self.row(id)?;
        let mut work = self.when_free(work, id)?;
        let row = self.row(id)?;
        work.seen(&row).state.on(ItemEvent::DamageFound)?;
        let leaving = work.leaving.remove(id);
        let busy = self.occupy(&mut work, id, Purpose::Verify);
        drop(work);
        if let Some(key) = leaving {
            self.driver()?.drained(key);
        }
        Ok((row, busy))
    }

    pub(crate) fn verify(&self, id: &ItemId) -> Result<Verification, Error> {
        let (row, busy) = self.still(id)?;
        let folder = self.folder(&row);
        let examined = folder.settled_plan().map_err(Error::from).and_then(|plan| {
            folder.recall_playlists(&plan, || self.planned_again(&row, &folder.origins()?))?;
            folder.examine(&busy.token)
        });
        let work = busy.done()?;
        let mut examined = examined.map_err(|error| error.during(Stage::Verify))?;
        let mut row = self.row(id)?;
        let was_completed = row.state == ItemState::Completed;
        if was_completed {
            let missing = examined.never_done()?;
            examined.damage.extend(missing);
        }
        row.take_over(&examined);
        if let Some(first) = examined.damage.first() {
            let (parts, first) = (examined.damage.len(), first.file.clone());
            let error = Error::new(ErrorKind::PartsDamaged { parts, first }).of(id).during(Stage::Verify);
            row.state = work.seen(&row).state.on(ItemEvent::DamageFound)?;
            if was_completed {
                row.failure = Some(error.stored());
                self.keep(&row, Some(error))?;
            } else {
                self.catalog.put(&row)?;
            }
        }
        let (sound, sound_bytes) = examined.sound;
        let (damage, extra) = ([examined.damage, examined.origin_damage].concat(), examined.extra);
        Ok(Verification { id: id.clone(), sound, sound_bytes, damage, extra })
    }

    pub(crate) fn repair(&self, id: &ItemId) -> Result<Verification, Error> {
        self.mend_records(id)?;
        let found = self.verify(id)?;
        let mut work = self.when_free(self.enter()?, id)?;
        let row = self.row(id)?;
        if row.state == ItemState::Completed {
            return Ok(found);
        }
        let busy = self.occupy(&mut work, id, Purpose::Verify);
        drop(work);
        let cleared = self.folder(&row).clear_misplaced();
        drop(busy.done()?);
        cleared?;
        self.start(id)?;
        Ok(found)
    }

    /// Makes a plan that can't be read again from the origin's playlists, and fetches those again that are not what
    /// came.
    fn mend_records(&self, id: &ItemId) -> Result<(), Error> {
        let (row, busy) = self.still(id)?;
        let mended = self.mended(&row, &busy.token);
        let _work = busy.done()?;
        if let Some(url) = mended.map_err(|error| error.during(Stage::Verify))? {
            self.catalog.put(&CatalogRow { url, ..self.row(id)? })?;
        }
        Ok(())
    }

    /// Answers with the address that the origin's playlists came from, if they had to be fetched.
    fn mended(&self, row: &CatalogRow, token: &CancelToken) -> Result<Option<String>, Error> {
        let folder = self.folder(row);
        if folder.origin_damage()?.is_empty() {
            folder.mend_plan(|origins| self.planned_again(row, origins))?;
            return Ok(None);
        }
        let all = SelectionOptions::default();
        let (url, loaded) = self.loaded(row, row.options.as_ref().unwrap_or(&all), token)?;
        if token.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        folder.mend_origins(&url, loaded)?;
        Ok(Some(url))
    }

    /// The plan and the local playlists as they were made when the item's metadata was loaded.
    pub(super) fn planned_again(&self, row: &CatalogRow, origins: &OriginSet) -> Result<Planned, Error> {
        let (options, all) = (row.options.as_ref(), SelectionOptions::default());
        let (decoders, sidecars) = (&self.settings.decoders, &row.sidecars);
        let choose = |fresh: &Multivariant<'_>| Ok(select(fresh, options.unwrap_or(&all), decoders)?);
        planned_again(origins, Wish { choose: &choose, sidecars })
    }
}
