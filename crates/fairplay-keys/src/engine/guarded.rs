//! A platform's request that may be answered from two sides, by whoever does it, and by its deadline: one of them has it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::certificate::Certificate;
use crate::container::{Ckc, Spc};
use crate::content_id::ContentId;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::secret::PersistableKey;
use crate::system::{Accepted, KeyRequest, Persistence, SystemFault};

/// The request for whoever answers it.
#[derive(Debug)]
pub(super) struct Guarded {
    key_uri: KeyUri,
    place: Arc<Place>,
}

/// The request for whoever watches the time.
#[derive(Debug)]
pub(super) struct Watch(Arc<Place>);

/// Where the request is while nobody is at it.
#[derive(Debug)]
struct Place(Mutex<State>);

#[derive(Debug)]
enum State {
    /// It waits for its answer.
    Waits(Box<dyn KeyRequest>),
    /// The platform is busy with it, and it comes back.
    Away,
    /// Its time is over: when it comes back, this is its answer.
    Over(KeyError),
    /// Its answer was given, or is being given.
    Answered,
}

/// Whether the time was over before there was an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The error is the answer.
    InTime,
    /// There is another answer, or the platform is just taking it.
    TooLate,
}

pub(super) fn guard(request: Box<dyn KeyRequest>) -> (Guarded, Watch) {
    let key_uri = request.key_uri().clone();
    let place = Arc::new(Place(Mutex::new(State::Waits(request))));
    (Guarded { key_uri, place: Arc::clone(&place) }, Watch(place))
}

impl Watch {
    /// Answers the request with an error, at once or as soon as the platform gives it back; unless it was answered.
    pub(super) fn end(&self, error: &KeyError) -> Ended {
        match self
            .0
            .exchange(|state| matches!(state, State::Waits(_) | State::Away), State::Over(error.clone()))
        {
            Some(State::Waits(request)) => {
                request.fail(error);
                Ended::InTime
            }
            Some(_) => Ended::InTime,
            None => Ended::TooLate,
        }
    }
}

impl Place {
    /// Puts another state in the place of one that `may` be replaced, which it gives.
    fn exchange(&self, may: impl Fn(&State) -> bool, new: State) -> Option<State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        may(&state).then(|| std::mem::replace(&mut *state, new))
    }

    fn take(&self, new: State) -> Result<Box<dyn KeyRequest>, KeyError> {
        match self.exchange(|state| matches!(state, State::Waits(_)), new) {
            Some(State::Waits(request)) => Ok(request),
            _ => Err(self.over()),
        }
    }

    fn over(&self) -> KeyError {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Over(error) => error.clone(),
            State::Waits(_) | State::Away | State::Answered => SystemFault::Abandoned.into(),
        }
    }
}

impl Guarded {
    /// Asks the platform something of the request, during which nobody can answer it.
    fn lend<T>(&self, work: impl FnOnce(&mut dyn KeyRequest) -> T) -> Result<T, KeyError> {
        let mut request = self.place.take(State::Away)?;
        let done = work(&mut *request);
        let mut state = self.place.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Over(error) = &*state {
            let error = error.clone();
            drop(state);
            request.fail(&error);
            return Err(error);
        }
        *state = State::Waits(request);
        Ok(done)
    }
}

impl KeyRequest for Guarded {
    fn key_uri(&self) -> &KeyUri {
        &self.key_uri
    }

    fn persistence(&self) -> Persistence {
        self.lend(|request| request.persistence()).unwrap_or(Persistence::Impossible)
    }

    fn spc(&mut self, certificate: &Certificate, content_id: &ContentId) -> Result<Spc, KeyError> {
        self.lend(|request| request.spc(certificate, content_id))?
    }

    fn accept(self: Box<Self>, ckc: &Ckc) -> Result<Accepted, KeyError> {
        self.place.take(State::Answered)?.accept(ckc)
    }

    fn answer_stored(self: Box<Self>, key: &PersistableKey) -> Result<(), KeyError> {
        self.place.take(State::Answered)?.answer_stored(key)
    }

    fn fail(self: Box<Self>, error: &KeyError) {
        if let Ok(request) = self.place.take(State::Answered) {
            request.fail(error);
        }
    }
}

/// Whoever was to answer it has gone: dropped, it fails as abandoned.
impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.place.take(State::Answered));
    }
}
