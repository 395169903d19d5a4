//! More renditions for a finished asset: a new one is made beside it, which takes over the files that both have.
//!
//! The finished asset plays as it is until the new one takes its place.

use std::collections::HashMap;
use std::sync::Arc;

use hls_parse::Multivariant;

use super::Task;
use super::planned::selection;
use crate::asset_content::{ContentConfiguration, choose};
use crate::error::Error;
use crate::io::cancel::CancelToken;
use crate::io::disk::StoreError;
use crate::io::folder::ItemFolder;
use crate::io::http::Http;
use crate::io::journal::{Finished, Journal, Record};
use crate::io::load::{Loaded, Wish};
use crate::item::ItemLocation;
use crate::plan::{Fetch, FetchId, Length, Plan, Resource, Role, UriRef};
use crate::relocate::{self, Placed, relocated};
use crate::select::SelectedTrack;

impl Task {
    /// Plans the asset as it will be, unless that was done before; its location where nothing is to be added.
    pub(super) fn plan_more(
        &self,
        more: &[ContentConfiguration],
        folder: &ItemFolder,
        http: &Http,
        token: &CancelToken,
    ) -> Result<Option<ItemLocation>, Error> {
        self.place().check_finished()?;
        let old = ItemFolder::of_asset(Arc::clone(&self.disk), self.paths.finished());
        let (known_plan, origins) = old.placed()?;
        let known = self.place().tracks(&self.paths.finished(), &origins)?;
        let decoders = &self.settings.decoders;
        let choose = |fresh: &Multivariant<'_>| {
            Ok(selection(relocate::found_again(&known, fresh)?).and(choose(fresh, more, decoders)?))
        };
        let sidecars = old.record()?.sidecars;
        let fresh = self.load(http, Wish { choose: &choose, sidecars: &sidecars }, token)?;
        let tracks: &[SelectedTrack] = fresh.selection.as_ref().map_or(&[], |it| &it.tracks);
        if tracks.len() == known.len() {
            self.place().clear_work()?;
            return self.finished();
        }
        relocate::extends(
            Placed { plan: &known_plan, origins: &origins },
            Placed { plan: &fresh.planned.plan, origins: &fresh.origins },
        )?;
        // What an earlier call left is gone on with if it was to become the same asset.
        let title = self.title_over(&self.paths.finished())?;
        let plan = if let Some(plan) = self.left_over(tracks, &fresh, folder)? {
            self.relocate(folder, title, fresh, plan.clone())?;
            plan
        } else {
            self.store(folder, (title, sidecars), &fresh)?;
            fresh.planned.plan
        };
        self.take_over(&old, &known_plan, folder, &plan)?;
        Ok(None)
    }

    /// The plan of a call that was ended, placed in the fresh playlists, if it chose the same tracks.
    fn left_over(
        &self,
        tracks: &[SelectedTrack],
        fresh: &Loaded,
        folder: &ItemFolder,
    ) -> Result<Option<Plan>, Error> {
        if folder.plan()?.is_none() {
            return Ok(None);
        }
        let (plan, origins) = folder.placed()?;
        // A call that was ended while it began anew left tracks of other playlists.
        let Ok(known) = self.place().tracks(&self.paths.work(), &origins) else { return Ok(None) };
        let fresh = Placed { plan: &fresh.planned.plan, origins: &fresh.origins };
        let again = relocated(Placed { plan: &plan, origins: &origins }, fresh);
        Ok(again.ok().filter(|_| relocate::are_same(&known, tracks)))
    }

    /// Takes over what the finished asset has of the new one's files, unless that was done before.
    ///
    /// The files are the finished asset's own under a second name, so that none may ever be written to: the journal
    /// that says they are there comes only when they are, whole and durable, and as durable itself as its mark says.
    fn take_over(
        &self,
        old: &ItemFolder,
        known: &Plan,
        folder: &ItemFolder,
        plan: &Plan,
    ) -> Result<(), Error> {
        let (work, there) = (self.paths.work(), self.paths.finished().media());
        if self.disk.len(&work.journal()).map_err(StoreError::at(work.journal()))?.is_some() {
            return Ok(());
        }
        let done = old.done(known)?;
        let mut records = Vec::new();
        for (resource, fetches) in shared(known, plan, &done) {
            let [old_file, new_file] = [(known, resource.0), (plan, resource.1)]
                .map(|(plan, number)| plan.resource(number).map(|it| plan.file_of(it)).unwrap_or_default());
            let (from, to) = (there.join(old_file), folder.media(&new_file)?);
            self.disk.link(&from, &to).map_err(StoreError::at(to))?;
            records.extend(fetches);
        }
        self.disk.sync(work.folder()).map_err(StoreError::at(work.folder()))?;
        Ok(Journal::create(self.disk.as_ref(), &work.journal(), &records)?)
    }
}

/// A resource's number in the known plan and in the new one, and the records of its fetches.
type Shared = ((u32, u32), Vec<Record>);

/// The files that a finished asset has whole, as a plan that extends its own wants them.
fn shared(known: &Plan, plan: &Plan, done: &HashMap<FetchId, Finished>) -> Vec<Shared> {
    let (old_fetches, new_fetches) = (by_resource(known), by_resource(plan));
    let old_numbers: HashMap<_, u32> =
        known.resources.iter().zip(0..).filter_map(|(it, number)| Some((place_of(it)?, number))).collect();
    let mut shared = Vec::new();
    for (resource, number) in plan.resources.iter().zip(0..) {
        let Some(old) = place_of(resource).and_then(|place| old_numbers.get(&place)) else { continue };
        let (Some(theirs), Some(ours)) = (old_fetches.get(old), new_fetches.get(&number)) else { continue };
        let record = |(id, fetch): &(FetchId, &Fetch)| {
            let (same, _) =
                theirs.iter().find(|(_, it)| it.start == fetch.start && it.extent == fetch.extent)?;
            let Finished { length, hash, .. } = *done.get(same)?;
            let fits = !matches!(fetch.length, Length::Exact(exact) if exact != length);
            fits.then_some(Record::Finished { fetch: *id, length, hash })
        };
        if let Some(records) = ours.iter().map(record).collect() {
            shared.push(((*old, number), records));
        }
    }
    shared
}

fn by_resource(plan: &Plan) -> HashMap<u32, Vec<(FetchId, &Fetch)>> {
    let mut all: HashMap<u32, Vec<_>> = HashMap::new();
    for (fetch, id) in plan.fetches.iter().zip((0..).map(FetchId)) {
        all.entry(fetch.resource).or_default().push((id, fetch));
    }
    all
}

/// Where a file lies that is the same in both plans: the playlists that both have come first, and in the same order.
///
/// A key that only the multivariant playlist names may have had another number; it is fetched again.
fn place_of(resource: &Resource) -> Option<(Role, u32, u32)> {
    let is_shared = match resource.role {
        Role::Segment | Role::Map | Role::Subtitle | Role::Thumbnail => true,
        Role::Key => matches!(resource.uri, UriRef::Playlist { origin, .. } if origin > 0),
        Role::SessionData | Role::File => false,
    };
    is_shared.then_some((resource.role, resource.playlist, resource.number))
}
