//! The time that is reckoned with: the clock's, held against the latest that it showed before.

use std::sync::PoisonError;
use std::time::Duration;

use super::Shared;
use crate::expiry::Moment;
use crate::record::{decode_mark, encode_mark};
use crate::store::{Generation, Slot, StoreError};
use crate::terms::Confidence;
use crate::time::Timestamp;

/// The latest time that the clock showed.
#[derive(Debug, Default)]
pub(super) struct Mark {
    is_read: bool,
    latest: Option<Timestamp>,
    stored: Option<Timestamp>,
}

/// How far the stored mark may lag behind.
const LAG: Duration = Duration::from_secs(600);

impl Shared {
    /// The time, and how far it can be believed. The mark is stored now and then; while the store
    /// fails it is kept in memory.
    pub(super) fn moment(&self) -> Moment {
        let now = self.parts.clock.now();
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        if !mark.is_read {
            self.read_mark(&mut mark);
        }
        let moment = Moment::of(now, mark.latest);
        if moment.confidence == Confidence::Good {
            mark.latest = mark.latest.max(Some(now));
            if mark.stored.is_none_or(|stored| stored.plus(LAG) <= now) {
                self.store_mark(&mut mark, now);
            }
        }
        moment
    }

    /// A mark that cannot be read now is read the next time, and not written over until then.
    fn read_mark(&self, mark: &mut Mark) {
        let stored = match self.parts.store.get(&Slot::Clock) {
            Ok(stored) => stored.and_then(|stored| decode_mark(&stored.record).ok()),
            Err(StoreError::Corrupt { .. } | StoreError::NoStore) => None,
            Err(_) => return,
        };
        *mark = Mark { is_read: true, latest: mark.latest.max(stored), stored };
    }

    /// A server's clock is believed: where ours was set wrong for a while, the mark is put right.
    pub(super) fn hear_time(&self, server_time: Timestamp) {
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        if mark.latest.is_some_and(|latest| server_time.plus(LAG) < latest) {
            mark.latest = Some(server_time);
            self.store_mark(&mut mark, server_time);
        }
    }

    fn store_mark(&self, mark: &mut Mark, now: Timestamp) {
        let store = &self.parts.store;
        if !mark.is_read {
            return;
        }
        let Ok(current) = store.get(&Slot::Clock) else { return };
        let generation = current.map_or(Generation::ABSENT, |stored| stored.generation);
        if store.put(&Slot::Clock, &encode_mark(now), generation).is_ok() {
            mark.stored = Some(now);
        }
    }
}
