//! From an open folder to a run: for an item of a manager, and for an asset download task.

use std::sync::{Arc, Mutex};

use super::cancel::CancelToken;
use super::chance::any_seed;
use super::disk::Disk;
use super::folder::{ItemFolder, Opened};
use super::load::remote_url;
use super::run::Run;
use super::space::SpaceGuard;
use super::tally::Tally;
use super::throttle::Throttle;
use crate::error::Error;
use crate::events::Hub;
use crate::item::{ItemId, Sidecar};
use crate::manager::Builder;
use crate::plan::Locator;
use crate::requirements::Requirements;
use crate::session::Session;

/// What runs share with others.
pub(crate) struct Sharing<'a> {
    pub(crate) settings: &'a Builder,
    pub(crate) disk: &'a Arc<dyn Disk>,
    pub(crate) throttle: &'a Arc<Throttle>,
    pub(crate) hub: &'a Arc<Hub>,
    /// What the run's item asks of the device.
    pub(crate) requirements: Requirements,
}

/// What a run is of.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) id: &'a ItemId,
    pub(crate) url: &'a str,
    pub(crate) sidecars: &'a [Sidecar],
}

impl Sharing<'_> {
    /// A run over an open folder, and the session that knows what of it is done; an error where it would not fit.
    pub(crate) fn run(
        &self,
        opened: Opened,
        folder: ItemFolder,
        of: Subject<'_>,
    ) -> Result<(Run, Session), Error> {
        let tally = Tally::new(opened.downloaded_bytes(), opened.expected_bytes(), opened.fetches_done())
            .with_unknown(opened.unknown_lengths());
        let space = SpaceGuard::new(Arc::clone(self.disk), self.settings.root.clone(), self.requirements);
        space.check(tally.to_come())?;
        let total = u32::try_from(opened.plan.fetches.len()).unwrap_or(u32::MAX);
        let session = Session::new(total, opened.finished(), self.settings.rules(any_seed()));
        let versions = opened.versions();
        tally.arrived(versions.partial_bytes());
        let run = Run {
            id: of.id.clone(),
            home: remote_url(of.url)?,
            plan: opened.plan,
            locator: Locator::new(opened.origins, of.sidecars.to_vec())?,
            folder,
            journal: opened.journal,
            token: CancelToken::default(),
            tally,
            space,
            throttle: Arc::clone(self.throttle),
            hub: Arc::clone(self.hub),
            versions: Mutex::new(versions),
            told: Mutex::default(),
            faults: Mutex::default(),
        };
        Ok((run, session))
    }
}
