//! The commands that fetch playlists: a plan for a new item, another address for any.

use hls_parse::Multivariant;

use super::Desk;
use super::busy::Purpose;
use crate::cause::Stage;
use crate::error::{Error, ErrorKind};
use crate::io::again::again;
use crate::io::cancel::CancelToken;
use crate::io::catalog::CatalogRow;
use crate::io::folder::Relocation;
use crate::io::load::{Loaded, Wish, chosen_again, load, remote_url};
use crate::item::{Item, ItemId};
use crate::options::SelectionOptions;
use crate::plan::OriginSet;
use crate::refresh::FreshUrl;
use crate::relocate::{Placed, relocated};
use crate::retry::Failure;
use crate::select::select;
use crate::state::{ItemEvent, ItemState};

impl Desk {
    pub(crate) fn load_metadata(&self, id: &ItemId, options: &SelectionOptions) -> Result<Item, Error> {
        let mut work = self.enter()?;
        let row = self.row(id)?;
        row.state.on(ItemEvent::PlanStored)?;
        if work.busy.contains_key(id) {
            return Err(Error::new(ErrorKind::Loading));
        }
        let busy = self.occupy(&mut work, id, Purpose::Load);
        drop(work);
        let loaded = self.loaded(&row, options, &busy.token);
        let stored = loaded.and_then(|(url, loaded)| {
            // Removed or closed meanwhile: its folder is not ours any more.
            if busy.token.is_cancelled() {
                return Err(Error::new(ErrorKind::Cancelled));
            }
            let folder = self.folder(&row);
            if url != row.url {
                folder.set_url(&url)?;
            }
            let generation = folder.store(options, &loaded)?;
            Ok((url, loaded, generation))
        });
        let _work = busy.done()?;
        let mut row = self.row(id)?;
        match stored {
            Ok((url, loaded, generation)) => {
                row.url = url;
                row.plan_stored(options, &loaded)?;
                row.generation = generation;
                self.keep(&row, None)?;
            }
            Err(error) => {
                let error = error.of(id).during(Stage::Metadata);
                row.failure = Some(error.stored());
                self.catalog.put(&row)?;
                return Err(error);
            }
        }
        Ok(row.item(None))
    }

    /// What the item's URL gives; where it has run out, what a fresh one gives, with that one.
    pub(super) fn loaded(
        &self,
        row: &CatalogRow,
        options: &SelectionOptions,
        token: &CancelToken,
    ) -> Result<(String, Loaded), Error> {
        let choose = |fresh: &Multivariant<'_>| Ok(select(fresh, options, &self.settings.decoders)?);
        let wish = Wish { choose: &choose, sidecars: &row.sidecars };
        match self.fetched(&row.url, wish, token) {
            Err(error) if error.failure() == Failure::Expired && self.settings.refresh.is_some() => {
                let url = match self.fresh_url(FreshUrl::new(&row.id, &row.url, &error), token) {
                    Err(none) if matches!(none.kind(), ErrorKind::NoFreshUrl) => return Err(error),
                    url => url?,
                };
                let loaded = self.fetched(&url, wish, token)?;
                Ok((url, loaded))
            }
            loaded => loaded.map(|loaded| (row.url.clone(), loaded)),
        }
    }

    /// Gives a resting item another address: what was downloaded stays good, or nothing changes.
    pub(crate) fn set_url(&self, id: &ItemId, url: &str) -> Result<Item, Error> {
        remote_url(url)?;
        let work = self.enter()?;
        self.row(id)?;
        let mut work = self.when_free(work, id)?;
        let row = self.row(id)?;
        work.seen(&row).state.on(ItemEvent::Move)?;
        let leaving = work.leaving.remove(id);
        let busy = self.occupy(&mut work, id, Purpose::Move);
        drop(work);
        if let Some(key) = leaving {
            self.driver()?.drained(key);
        }
        let moved = self.moved(&row, url, &busy.token);
        let _work = busy.done()?;
        moved.map_err(|error| error.during(Stage::Refresh))?;
        let mut row = self.row(id)?;
        url.clone_into(&mut row.url);
        self.catalog.put(&row)?;
        Ok(row.item(None))
    }

    /// Takes a fresh address over into the item's folder; whoever calls has the folder.
    pub(super) fn moved(&self, row: &CatalogRow, url: &str, token: &CancelToken) -> Result<(), Error> {
        let folder = self.folder(row);
        let (Some(options), true) = (&row.options, row.state != ItemState::New) else {
            return Ok(folder.set_url(url)?);
        };
        let (plan, origins) = folder.placed()?;
        let fresh = self.again(row, url, (options, &origins), token)?;
        let known = Placed { plan: &plan, origins: &origins };
        let plan = relocated(known, Placed { plan: &fresh.planned.plan, origins: &fresh.origins })?;
        if token.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        Ok(folder.relocate(&Relocation { url: url.to_owned(), origins: fresh.origins, plan })?)
    }

    /// Loads, and tries again when what went wrong may pass.
    fn fetched(&self, url: &str, wish: Wish<'_>, token: &CancelToken) -> Result<Loaded, Error> {
        again(&self.settings.retry, token, || load(&self.http, url, wish, token))
    }

    /// What another address gives, by the choice that was made before.
    fn again(
        &self,
        row: &CatalogRow,
        url: &str,
        (options, known): (&SelectionOptions, &OriginSet),
        token: &CancelToken,
    ) -> Result<Loaded, Error> {
        let decoders = &self.settings.decoders;
        let choose = |fresh: &Multivariant<'_>| chosen_again(fresh, known, options, decoders);
        self.fetched(url, Wish { choose: &choose, sidecars: &row.sidecars }, token)
    }
}
