//! Who says go, wait or stop to a task, and what the task hears of its own threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::io::cancel::CancelToken;
use crate::io::driver::RunEnd;
use crate::state::ItemState;

/// What is wanted of a task, and how far its present attempt is.
#[derive(Debug)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    wish: Wish,
    rests: ItemState,
    attempt: u64,
    token: CancelToken,
    /// How the transfers of the present attempt ended.
    ended: Option<RunEnd>,
    /// How many of its keys, in their order, the present run has obtained, and once it is over, how that ended.
    keys_loaded: usize,
    keys: Option<Result<(), Error>>,
}

/// What is wanted of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Go,
    Wait,
    Stop,
}

/// One attempt at the job, from one suspension to the next.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) number: u64,
    pub(super) token: CancelToken,
    /// How many of its keys an earlier attempt of the same run obtained.
    pub(super) keys_loaded: usize,
}

/// How an attempt's transfers and keys ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Every fetch is done and durable, and every key is there.
    Complete,
    /// This stopped it.
    Stopped(Error),
}

impl Default for Control {
    fn default() -> Self {
        let state = State {
            wish: Wish::Go,
            rests: ItemState::New,
            attempt: 0,
            token: CancelToken::default(),
            ended: None,
            keys_loaded: 0,
            keys: None,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run, which obtains its keys anew.
    pub(super) fn enter(&self) {
        let mut state = self.lock();
        state.attempt += 1; // what an earlier run still hears of its keys is not this one's
        state.keys_loaded = 0;
    }

    /// Waits while the task is suspended, which is told once, then begins an attempt.
    pub(super) fn begin(&self, tell_suspended: impl FnOnce()) -> Result<Attempt, Error> {
        let mut state = self.lock();
        if state.wish == Wish::Wait {
            state.rests = ItemState::Paused;
            drop(state);
            tell_suspended();
            state = self.lock();
        }
        let mut state = self
            .changed
            .wait_while(state, |state| state.wish == Wish::Wait)
            .unwrap_or_else(PoisonError::into_inner);
        if state.wish == Wish::Stop {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        state.rests = ItemState::InProgress;
        state.attempt += 1;
        state.token = CancelToken::default();
        (state.ended, state.keys) = (None, None);
        let (number, token, keys_loaded) = (state.attempt, state.token.clone(), state.keys_loaded);
        Ok(Attempt { number, token, keys_loaded })
    }

    /// Waits for the end of an attempt's transfers and keys; an error when it is cut short.
    pub(super) fn wait(&self, attempt: &Attempt) -> Result<Ended, Error> {
        let is_open = |state: &mut State| {
            let failed =
                matches!(state.ended, Some(RunEnd::Stopped(_))) || matches!(state.keys, Some(Err(_)));
            let complete = state.ended.is_some() && state.keys.is_some();
            !attempt.token.is_cancelled() && !failed && !complete
        };
        let state = self.changed.wait_while(self.lock(), is_open);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        match (state.ended.take(), state.keys.take()) {
            (Some(RunEnd::Stopped(error)), _) | (_, Some(Err(error))) => Ok(Ended::Stopped(error)),
            (Some(RunEnd::Done), Some(Ok(()))) => Ok(Ended::Complete),
            (Some(RunEnd::Done) | None, _) => Err(Error::new(ErrorKind::Cancelled)),
        }
    }

    /// The transfers of the present attempt have ended.
    pub(super) fn ended(&self, end: RunEnd) {
        self.lock().ended = Some(end);
        self.changed.notify_all();
    }

    /// One more key of an attempt is there.
    pub(super) fn key_loaded(&self, attempt: u64) {
        let mut state = self.lock();
        if state.attempt == attempt {
            state.keys_loaded += 1;
        }
    }

    /// Obtaining an attempt's keys is over.
    pub(super) fn obtained(&self, attempt: u64, how: Result<(), Error>) {
        let mut state = self.lock();
        if state.attempt == attempt {
            state.keys = Some(how);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Whether all transfers are done, and how many keys are there.
    pub(super) fn reached(&self) -> (bool, usize) {
        let state = self.lock();
        (matches!(state.ended, Some(RunEnd::Done)), state.keys_loaded)
    }

    pub(super) fn rests(&self, state: ItemState) {
        self.lock().rests = state;
    }

    pub(crate) fn state(&self) -> ItemState {
        self.lock().rests
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.lock().wish == Wish::Stop
    }

    /// Cuts the attempt off and keeps the task waiting; one that was cancelled stays so.
    pub(crate) fn suspend(&self) {
        self.wish(Wish::Wait);
    }

    pub(crate) fn resume(&self) {
        self.wish(Wish::Go);
    }

    pub(crate) fn cancel(&self) {
        self.wish(Wish::Stop);
    }

    fn wish(&self, wish: Wish) {
        let mut state = self.lock();
        if state.wish != Wish::Stop {
            state.wish = wish;
        }
        if wish != Wish::Go {
            state.token.cancel();
        }
        drop(state);
        self.changed.notify_all();
    }
}
