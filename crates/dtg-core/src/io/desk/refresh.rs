//! An address that has run out: the application is asked for a fresh one, and the item goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::busy::Purpose;
use super::{Desk, Hearing, Work};
use crate::cause::Stage;
use crate::error::{Error, ErrorKind};
use crate::io::cancel::{CancelToken, leavable};
use crate::io::driver::RunEnd;
use crate::io::load::remote_url;
use crate::io::run::Run;
use crate::item::ItemId;
use crate::refresh::FreshUrl;
use crate::retry::Failure;

impl Desk {
    /// Asks for a fresh address, on a thread of its own, where that is what a run ended for; else the end is given back.
    ///
    /// It is asked once since the last progress: a fresh address that is refused as well ends the item.
    pub(super) fn asking(self: &Arc<Self>, work: &mut Work, run: &Arc<Run>, end: RunEnd) -> Option<RunEnd> {
        let error = match end {
            RunEnd::Stopped(error) if error.failure() == Failure::Expired => error,
            RunEnd::Stopped(_) | RunEnd::Done => return Some(end),
        };
        let is_again = work.asked.get(&run.id).is_some_and(|kept| *kept >= run.tally.kept());
        if self.settings.refresh.is_none() || is_again || work.closed {
            return Some(RunEnd::Stopped(error));
        }
        work.asked.insert(run.id.clone(), run.tally.kept());
        let token = CancelToken::default();
        work.refreshing.insert(run.id.clone(), token.clone());
        let (desk, its) = (Arc::clone(self), Arc::clone(run));
        let asked = thread::Builder::new().name("dtg-refresh".into()).spawn(move || {
            desk.refreshed(&its, &token, error);
        });
        let error = asked.err()?;
        work.refreshing.remove(&run.id);
        Some(RunEnd::Stopped(error.into()))
    }

    /// Gets a fresh address and starts the item again, or lets it rest.
    fn refreshed(&self, run: &Run, token: &CancelToken, expired: Error) {
        let gone_on = self
            .relocated(&run.id, token, expired)
            .and_then(|()| self.begin(&run.id, Hearing::Untold(token)));
        let Err(error) = gone_on.map_err(|error| error.during(Stage::Refresh)) else { return };
        let mut work = self.lock();
        // Paused, removed or closed meanwhile: that command has answered, and it stands.
        if work.stops_asking(&run.id, token)
            && let Err(error) = self.rest(run, RunEnd::Stopped(error))
        {
            tracing::error!(item = %run.id, %error, "the end of a download could not be written down");
        }
        drop(work);
        self.rested.notify_all();
    }

    fn relocated(&self, id: &ItemId, token: &CancelToken, expired: Error) -> Result<(), Error> {
        let row = self.row(id)?;
        let url = match self.fresh_url(FreshUrl::new(id, &row.url, &expired), token) {
            // The server's refusal says more than that nobody knows another address.
            Err(error) if matches!(error.kind(), ErrorKind::NoFreshUrl) => return Err(expired),
            url => url?,
        };
        let mut work = self.when_free(self.enter()?, id)?;
        if token.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        let busy = self.occupy(&mut work, id, Purpose::Move);
        drop(work);
        let moved = self.moved(&row, &url, token);
        let _work = busy.done()?;
        moved?;
        let mut row = self.row(id)?;
        row.url = url;
        Ok(self.catalog.put(&row)?)
    }

    /// The application's answer; a panic in it is an error like others. It may take its time: cancelling leaves it behind.
    pub(super) fn fresh_url(&self, ask: FreshUrl, token: &CancelToken) -> Result<String, Error> {
        let failed = |reason| Error::new(ErrorKind::Callback { what: "asking for a fresh address", reason });
        let Some(hook) = self.settings.refresh.clone() else { return Err(Error::new(ErrorKind::NoFreshUrl)) };
        let asking = move || Ok(catch_unwind(AssertUnwindSafe(|| hook.0.fresh_url(&ask))));
        let entered = token.enter();
        let answer = leavable(Duration::MAX, asking);
        drop(entered);
        if token.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        let answer = answer?.map_err(|_| failed("it panicked".to_owned()))?;
        let url = answer.map_err(|error| failed(error.to_string()))?;
        let url = url.ok_or_else(|| Error::new(ErrorKind::NoFreshUrl))?;
        remote_url(&url)?;
        Ok(url)
    }
}
