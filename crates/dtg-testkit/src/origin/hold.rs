//! Gates at which responses wait, so that a test can act half way without sleeping.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Request;

/// How often a waiting response looks whether its client is still there.
const GLANCE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);

/// A closed gate of an [`Origin`](crate::Origin). Releasing or dropping it opens the gate for good.
#[derive(Debug)]
pub struct Hold {
    gate: Arc<Gate>,
}

impl Hold {
    /// Blocks until at least `n` requests wait at the gate at once. One whose client has left does not count.
    ///
    /// # Panics
    /// When they do not come within 60 s, or the gate is opened before they do.
    #[track_caller]
    pub fn wait_for(&self, n: usize) {
        let state = self.gate.lock();
        let more = |state: &mut State| state.waiting < n && !state.open;
        let waited = self.gate.changed.wait_timeout_while(state, PATIENCE, more);
        let waiting = waited.unwrap_or_else(PoisonError::into_inner).0.waiting;
        assert!(waiting >= n, "{waiting} of {n} requests came to the hold");
    }

    /// How many requests wait at the gate now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.gate.lock().waiting
    }

    /// Opens the gate: those that wait go on, and nothing waits here any more.
    pub fn release(&self) {
        self.gate.open();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release();
    }
}

type Predicate = Box<dyn Fn(&Request) -> bool + Send + Sync>;

pub(super) struct Gate {
    matching: Predicate,
    /// Bytes of the body that go before; `None` stops before the status line.
    pub(super) after: Option<u64>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    open: bool,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) {
        self.lock().open = true;
        self.changed.notify_all();
    }

    /// Waits for the gate to open; false when the client has left before.
    pub(super) fn pass(&self, client_is_there: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        state.waiting += 1;
        self.changed.notify_all();
        let mut there = true;
        while !state.open && there {
            let waited = self.changed.wait_timeout(state, GLANCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            there = client_is_there();
        }
        state.waiting -= 1;
        there
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("after", &self.after).field("state", &self.state).finish_non_exhaustive()
    }
}

/// All gates of an origin.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<Vec<Arc<Gate>>>);

impl Gates {
    pub(super) fn add(&self, matching: Predicate, after: Option<u64>) -> Hold {
        let gate = Arc::new(Gate { matching, after, state: Mutex::default(), changed: Condvar::new() });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&gate));
        Hold { gate }
    }

    /// The closed gates in this request's way, those that come first in front.
    pub(super) fn of(&self, request: &Request) -> Vec<Arc<Gate>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|gate| !gate.lock().open);
        let mut gates = all.clone();
        drop(all); // the predicates are the caller's: they run without the lock
        gates.retain(|gate| (gate.matching)(request));
        gates.sort_by_key(|gate| gate.after);
        gates
    }

    pub(super) fn open_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|gate| gate.open());
    }
}
