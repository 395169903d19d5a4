//! One item as the catalog keeps it.

use std::collections::HashMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::cause::StoredFailure;
use crate::error::{Error, ErrorKind};
use crate::estimate::Basis;
use crate::events::Progress;
use crate::io::disk::StoreError;
use crate::io::folder::{Examined, ItemFolder, ItemRecord, downloaded, expected, selected_tracks};
use crate::io::journal::Finished;
use crate::io::load::Loaded;
use crate::io::run::Run;
use crate::item::{Item, ItemId, ItemLocation, LocalSidecar, NewItem, Sidecar, Track};
use crate::layout::{folder_of, presentation_of};
use crate::options::SelectionOptions;
use crate::plan::{FetchId, Master, Plan, Resource, UriRef};
use crate::requirements::Requirements;
use crate::state::{InvalidTransition, ItemEvent, ItemState};
use crate::storage::{Keep, Moment};

/// One item's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogRow {
    pub(crate) id: ItemId,
    pub(crate) url: String,
    /// Its place in the order of adding.
    pub(crate) order: u64,
    pub(crate) sidecars: Vec<Sidecar>,
    /// What its tracks were chosen by; `None` before its metadata is loaded.
    pub(crate) options: Option<SelectionOptions>,
    pub(crate) available_tracks: Vec<Track>,
    pub(crate) selected_tracks: Vec<Track>,
    /// Its folder's name.
    pub(crate) folder: String,
    /// Counts the plans that the folder has had.
    pub(crate) generation: u64,
    pub(crate) state: ItemState,
    /// What the plan expects; `None` when nothing that it was made from says a size.
    pub(crate) estimated_bytes: Option<u64>,
    /// All fetches: those that are done as they are, the others as planned.
    pub(crate) expected_bytes: u64,
    pub(crate) downloaded_bytes: u64,
    pub(crate) duration: Option<Duration>,
    pub(crate) fetches: u32,
    pub(crate) fetches_done: u32,
    /// What a player opens, relative to the media folder.
    pub(crate) master: Option<Utf8PathBuf>,
    /// Which sidecar is in which file, relative to the media folder.
    pub(crate) sidecar_files: Vec<(u32, Utf8PathBuf)>,
    pub(crate) failure: Option<StoredFailure>,
    /// What it asks of the device; `None` is what the manager asks for every item.
    pub(crate) requirements: Option<Requirements>,
    pub(crate) keep: Keep,
    pub(crate) completed_at: Option<Moment>,
    pub(crate) played_at: Option<Moment>,
}

impl CatalogRow {
    /// The row of an item that is added.
    pub(crate) fn new(item: NewItem, order: u64) -> Self {
        Self::of(ItemRecord {
            id: item.id,
            url: item.url,
            order,
            sidecars: item.sidecars,
            options: None,
            available_tracks: Vec::new(),
            selected_tracks: Vec::new(),
            generation: Some(0),
            requirements: None,
            keep: Keep::default(),
        })
    }

    /// The row of an item of which only its record is known.
    pub(crate) fn of(record: ItemRecord) -> Self {
        Self {
            folder: folder_of(&record.id),
            id: record.id,
            url: record.url,
            order: record.order,
            sidecars: record.sidecars,
            options: record.options,
            available_tracks: record.available_tracks,
            selected_tracks: record.selected_tracks,
            generation: record.generation.unwrap_or(0),
            state: ItemState::New,
            estimated_bytes: None,
            expected_bytes: 0,
            downloaded_bytes: 0,
            duration: None,
            fetches: 0,
            fetches_done: 0,
            master: None,
            sidecar_files: Vec::new(),
            failure: None,
            requirements: record.requirements,
            keep: record.keep,
            completed_at: None,
            played_at: None,
        }
    }

    /// The row that a folder makes by itself: completed when every fetch is there, interrupted when some are.
    pub(crate) fn of_folder(folder: &ItemFolder) -> Result<Self, StoreError> {
        let record = folder.record()?;
        let Some(plan) = folder.plan()? else {
            let unplanned = ItemRecord {
                options: None,
                available_tracks: Vec::new(),
                selected_tracks: Vec::new(),
                ..record
            };
            return Ok(Self::of(unplanned));
        };
        let mut row = Self::of(record);
        let done = folder.done(&plan)?;
        row.planned(&plan);
        row.counted(&plan, &done);
        row.state = match row.fetches_done {
            0 => ItemState::MetadataLoaded,
            done if done == row.fetches => ItemState::Completed,
            _ => ItemState::Interrupted,
        };
        Ok(row)
    }

    /// What the item's folder keeps of it.
    pub(crate) fn record(&self) -> ItemRecord {
        ItemRecord {
            id: self.id.clone(),
            url: self.url.clone(),
            order: self.order,
            sidecars: self.sidecars.clone(),
            options: self.options.clone(),
            available_tracks: self.available_tracks.clone(),
            selected_tracks: self.selected_tracks.clone(),
            generation: Some(self.generation),
            requirements: self.requirements,
            keep: self.keep,
        }
    }

    /// Takes over a plan that its folder has stored.
    ///
    /// # Errors
    /// [`InvalidTransition`] unless the item is new.
    pub(crate) fn plan_stored(
        &mut self,
        options: &SelectionOptions,
        loaded: &Loaded,
    ) -> Result<(), InvalidTransition> {
        self.state = self.state.on(ItemEvent::PlanStored)?;
        self.options = Some(options.clone());
        self.available_tracks =
            loaded.selection.as_ref().map(|selection| selection.available.clone()).unwrap_or_default();
        self.selected_tracks = selected_tracks(loaded);
        self.generation = self.generation.saturating_add(1);
        self.failure = None;
        self.planned(&loaded.planned.plan);
        self.counted(&loaded.planned.plan, &HashMap::new());
        Ok(())
    }

    fn planned(&mut self, plan: &Plan) {
        self.estimated_bytes = (plan.estimate.basis != Basis::Unknown).then_some(plan.estimate.bytes);
        // Nobody has looked into a single file.
        self.duration = (plan.master != Master::File).then_some(plan.duration);
        self.fetches = u32::try_from(plan.fetches.len()).unwrap_or(u32::MAX);
        self.master = Some(plan.master_file());
        let sidecar_file = |resource: &Resource| match resource.uri {
            UriRef::Sidecar(sidecar) => Some((sidecar, plan.file_of(resource))),
            UriRef::Playlist { .. } | UriRef::Entry => None,
        };
        self.sidecar_files = plan.resources.iter().filter_map(sidecar_file).collect();
    }

    fn counted(&mut self, plan: &Plan, done: &HashMap<FetchId, Finished>) {
        self.downloaded_bytes = downloaded(done);
        self.expected_bytes = expected(plan, done);
        self.fetches_done = u32::try_from(done.len()).unwrap_or(u32::MAX);
    }

    /// Takes over what a look at every byte left as done.
    pub(crate) fn take_over(&mut self, examined: &Examined) {
        self.counted(&examined.plan, &examined.done);
    }

    /// Takes over what will not be fetched again of a run that ends.
    pub(crate) fn count_kept(&mut self, run: &Run) {
        self.count(run);
        self.downloaded_bytes = run.tally.kept();
    }

    /// Takes over how far a run has come.
    pub(crate) fn count(&mut self, run: &Run) {
        self.downloaded_bytes = run.tally.downloaded();
        self.expected_bytes = run.tally.expected();
        self.fetches_done = run.tally.fetches_done();
    }

    /// The item as it is now; `run` is its run while it is in progress.
    pub(crate) fn item(&self, run: Option<&Run>) -> Item {
        let mut row = self.clone();
        if let Some(run) = run {
            row.count(run);
        }
        let completed_fraction = run.map_or_else(|| row.fraction(), |run| run.tally.fraction());
        Item {
            id: row.id,
            url: row.url,
            state: row.state,
            estimated_bytes: row.estimated_bytes,
            downloaded_bytes: row.downloaded_bytes,
            completed_fraction,
            duration: row.duration,
            available_tracks: row.available_tracks,
            selected_tracks: row.selected_tracks,
            fetches: row.fetches,
            fetches_done: row.fetches_done,
            failure: row.failure,
            pinned: row.keep.pinned,
            expires_at: row.keep.expires_at.and_then(Moment::time),
            played_at: row.played_at.and_then(Moment::time),
        }
    }

    /// How far the item has come, as its listeners are told.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            id: self.id.clone(),
            downloaded_bytes: self.downloaded_bytes,
            estimated_bytes: self.expected_bytes.max(self.downloaded_bytes),
            fraction: self.fraction(),
            bytes_per_second: 0,
            time_left: None,
        }
    }

    /// From 0 to 1; 1 only when completed.
    fn fraction(&self) -> f64 {
        const STEPS: u32 = 1 << 30;
        if self.state == ItemState::Completed {
            return 1.0;
        }
        let whole = u128::from(self.expected_bytes.max(self.downloaded_bytes).max(1));
        let steps = u128::from(self.downloaded_bytes) * u128::from(STEPS) / whole;
        let steps = u32::try_from(steps).unwrap_or(STEPS).min(STEPS - 1);
        f64::from(steps) / f64::from(STEPS)
    }

    /// Where the item plays from, below `root`.
    ///
    /// # Errors
    /// [`ErrorKind::NotCompleted`] before it is completed.
    pub(crate) fn location(&self, root: &Utf8Path) -> Result<ItemLocation, Error> {
        let (ItemState::Completed, Some(master)) = (self.state, &self.master) else {
            return Err(Error::new(ErrorKind::NotCompleted(self.state)));
        };
        let local = |(sidecar, file): &(u32, Utf8PathBuf)| {
            let sidecar = self.sidecars.get(usize::try_from(*sidecar).ok()?)?.clone();
            Some(LocalSidecar { sidecar, file: file.clone() })
        };
        Ok(ItemLocation {
            id: self.id.clone(),
            root: root.to_owned(),
            folder: presentation_of(&self.folder),
            master: master.clone(),
            sidecars: self.sidecar_files.iter().filter_map(local).collect(),
        })
    }
}
