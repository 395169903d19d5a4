//! How far a task is, and while it runs, who knows.

use std::sync::Arc;
use std::time::Duration;

use super::control::Control;
use crate::asset_progress::{AssetProgress, TimeRange, loaded};
use crate::io::driver::Driver;
use crate::io::run::Run;
use crate::item::ItemLocation;
use crate::key_loader::NeededKey;
use crate::schedule::RunKey;

/// How far it is, and while it runs, who knows.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) last: AssetProgress,
    /// Where it plays from, once this task has seen it finished.
    pub(super) location: Option<ItemLocation>,
    pub(super) running: Option<Running>,
}

/// Who does the present attempt's transfers, and what they are of.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) driver: Arc<Driver>,
    pub(super) key: RunKey,
    pub(super) run: Arc<Run>,
    pub(super) keys: Vec<NeededKey>,
}

impl Live {
    /// All of it is there, and this is where it plays from.
    pub(super) fn completed(&mut self, location: &ItemLocation) {
        let AssetProgress { duration, downloaded_bytes, keys_needed, .. } = self.last;
        let whole = |end| TimeRange { start: Duration::ZERO, end };
        self.last = AssetProgress {
            loaded: duration.map(whole).into_iter().collect(),
            duration,
            downloaded_bytes,
            estimated_bytes: downloaded_bytes,
            fraction: 1.0,
            keys: keys_needed,
            keys_needed,
            ..AssetProgress::default()
        };
        self.location = Some(location.clone());
    }

    /// How far it is: as its threads know while it runs, else as it was last.
    pub(super) fn progress(&self, control: &Control) -> AssetProgress {
        let Some(Running { driver, key, run, keys }) = &self.running else { return self.last.clone() };
        let (is_done, keys_loaded) = control.reached();
        let done = match is_done {
            true => vec![true; run.plan.fetches.len()],
            false => driver.done(*key, run.plan.fetches.len()),
        };
        let told = run.progress();
        AssetProgress {
            loaded: loaded(&run.plan, &done, keys.get(keys_loaded..).unwrap_or_default()),
            duration: (!run.plan.playlists.is_empty()).then_some(run.plan.duration),
            downloaded_bytes: told.downloaded_bytes,
            estimated_bytes: told.estimated_bytes,
            fraction: told.fraction,
            bytes_per_second: told.bytes_per_second,
            time_left: told.time_left,
            keys: keys_loaded.min(keys.len()),
            keys_needed: keys.len(),
        }
    }
}
