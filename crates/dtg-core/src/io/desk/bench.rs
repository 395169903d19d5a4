//! What a download's progress costs by itself.
#![cfg(feature = "_bench")]

use std::time::Duration;

use super::Desk;
use crate::error::Error;
use crate::io::fetch::Fetched;
use crate::item::ItemId;
use crate::plan::FetchId;

impl Desk {
    /// Does for every fetch what an attempt that succeeds does, but for the request and the media's bytes; answers how
    /// far that took the `clock`.
    pub(crate) fn progress_cost(
        &self,
        id: &ItemId,
        chunk: u64,
        clock: impl Fn() -> Duration,
    ) -> Result<Duration, Error> {
        let row = self.row(id)?;
        let device = self.lock().device;
        let (run, _) = self.prepare(&row, &device)?;
        let start = clock();
        for (fetch, planned) in (0..).map(FetchId).zip(&run.plan.fetches) {
            let epoch = run.epoch(fetch);
            let length = planned.length.bytes().max(chunk);
            for _ in 0..length / chunk.max(1) {
                run.arrived(chunk)?;
            }
            run.record(fetch, Fetched { length, hash: u128::from(fetch.0) }, epoch)?;
        }
        Ok(clock().saturating_sub(start))
    }
}
