//! One command at a time works on an item's folder; the others do not wait for it with the desk in hand.

use std::sync::{MutexGuard, PoisonError};

use super::{Desk, Work};
use crate::error::{Error, ErrorKind};
use crate::io::cancel::CancelToken;
use crate::item::ItemId;

/// What a command does with an item's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It makes a plan.
    Load,
    /// It opens the folder for a run.
    Start,
    /// It takes over a fresh address.
    Move,
    /// It looks at every byte, or puts right what it found.
    Verify,
    /// It waits until the threads of a stopped run have let go.
    Empty,
}

/// Holds an item's folder for a command until it is dropped.
#[derive(Debug)]
pub(super) struct Busy<'d> {
    desk: &'d Desk,
    id: ItemId,
    pub(super) token: CancelToken,
    is_held: bool,
}

impl Desk {
    /// Takes an item's folder, which nobody has, for a command.
    pub(super) fn occupy(&self, work: &mut Work, id: &ItemId, purpose: Purpose) -> Busy<'_> {
        let token = CancelToken::default();
        work.busy.insert(id.clone(), (purpose, token.clone()));
        Busy { desk: self, id: id.clone(), token, is_held: true }
    }

    /// Waits until no command has the item's folder.
    pub(super) fn when_free<'d>(
        &'d self,
        work: MutexGuard<'d, Work>,
        id: &ItemId,
    ) -> Result<MutexGuard<'d, Work>, Error> {
        self.when(work, |work| !work.busy.contains_key(id))
    }

    /// Waits until no command writes the item's record.
    pub(super) fn when_recorded<'d>(
        &'d self,
        work: MutexGuard<'d, Work>,
        id: &ItemId,
    ) -> Result<MutexGuard<'d, Work>, Error> {
        self.when(work, |work| !matches!(work.busy.get(id), Some((Purpose::Load | Purpose::Move, _))))
    }

    fn when<'d>(
        &'d self,
        work: MutexGuard<'d, Work>,
        is_so: impl Fn(&Work) -> bool,
    ) -> Result<MutexGuard<'d, Work>, Error> {
        let waited = self.rested.wait_while(work, |work| !work.closed && !is_so(work));
        let work = waited.unwrap_or_else(PoisonError::into_inner);
        if work.closed { Err(Error::new(ErrorKind::Cancelled)) } else { Ok(work) }
    }
}

impl<'d> Busy<'d> {
    /// Gives the folder back and the desk to the command, in one; not after a pause, a removal or a closing.
    pub(super) fn done(self) -> Result<MutexGuard<'d, Work>, Error> {
        let token = self.token.clone();
        let work = self.over();
        if token.is_cancelled() { Err(Error::new(ErrorKind::Cancelled)) } else { Ok(work) }
    }

    /// Gives the folder back and the desk to the command, in one, whatever has happened meanwhile.
    pub(super) fn over(mut self) -> MutexGuard<'d, Work> {
        let mut work = self.desk.lock();
        work.busy.remove(&self.id);
        self.is_held = false;
        self.desk.rested.notify_all();
        work
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if self.is_held {
            self.desk.lock().busy.remove(&self.id);
            self.desk.rested.notify_all();
        }
    }
}
