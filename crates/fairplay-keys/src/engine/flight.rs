//! One exchange at a time for a key: who comes meanwhile, has its result.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::time::Cancel;

/// The exchanges that are going on.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<KeyUri, Arc<Flight>>>);

#[derive(Debug)]
struct Flight {
    landed: Mutex<Option<Result<(), KeyError>>>,
    changed: Condvar,
    /// The leader's: one that was cancelled leads no more, whenever it comes back.
    leader: Cancel,
}

/// How often a waiting call looks whether it was cancelled, or its leader.
const LOOK: Duration = Duration::from_millis(20);

impl Flights {
    /// Does the work, or waits for who does it already. A call whose leader was cancelled, or found its own asset given up,
    /// does it itself.
    pub(super) fn fly(
        &self,
        key_uri: &KeyUri,
        cancel: &Cancel,
        work: impl Fn() -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        loop {
            let (flight, leads) = self.join(key_uri, cancel);
            if leads {
                let leader = Leader { flights: self, key_uri, flight: &flight };
                let result = work();
                leader.land(result.clone());
                return result;
            }
            if let Some(result) = flight.wait(cancel) {
                return result;
            }
        }
    }

    /// Whether a call waits for another.
    #[cfg(test)]
    pub(super) fn has_followers(&self, key_uri: &KeyUri) -> bool {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The map, its leader, and whoever waits.
        flights.get(key_uri).is_some_and(|flight| Arc::strong_count(flight) > 2)
    }

    fn join(&self, key_uri: &KeyUri, cancel: &Cancel) -> (Arc<Flight>, bool) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match flights.get(key_uri) {
            Some(flight) if !flight.leader.is_cancelled() => (Arc::clone(flight), false),
            _ => {
                let (landed, changed) = (Mutex::default(), Condvar::new());
                let flight = Arc::new(Flight { landed, changed, leader: cancel.clone() });
                flights.insert(key_uri.clone(), Arc::clone(&flight));
                (flight, true)
            }
        }
    }
}

impl Flight {
    /// The leader's result; `None` where it is none for others.
    fn wait(&self, cancel: &Cancel) -> Option<Result<(), KeyError>> {
        let mut landed = self.landed.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if cancel.is_cancelled() {
                return Some(Err(KeyErrorKind::Cancelled.into()));
            }
            match &*landed {
                Some(Ok(())) => return Some(Ok(())),
                Some(Err(error)) => return Some(Err(error.clone())).filter(|_| !self.is_private(error)),
                None if self.leader.is_cancelled() => return None,
                None => {}
            }
            landed = self.changed.wait_timeout(landed, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether it concerns nobody but the leader: whatever it failed with once it was cancelled, and that its asset was given up.
    fn is_private(&self, error: &KeyError) -> bool {
        self.leader.is_cancelled() || matches!(error.kind(), KeyErrorKind::Cancelled | KeyErrorKind::Released)
    }
}

/// Lands in any case, also when the work panics.
struct Leader<'a> {
    flights: &'a Flights,
    key_uri: &'a KeyUri,
    flight: &'a Flight,
}

impl Leader<'_> {
    fn land(self, result: Result<(), KeyError>) {
        *self.flight.landed.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(self.key_uri).is_some_and(|flight| std::ptr::eq(&**flight, self.flight)) {
            flights.remove(self.key_uri);
        }
        drop(flights);
        let mut landed = self.flight.landed.lock().unwrap_or_else(PoisonError::into_inner);
        landed.get_or_insert_with(|| Err(KeyErrorKind::Cancelled.into()));
        self.flight.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::provider::TokenError;

    fn uri() -> KeyUri {
        KeyUri::new("skd://a").unwrap()
    }

    #[test]
    fn calls_at_the_same_time_share_one_exchange() {
        let (flights, done, inside) = (Flights::default(), AtomicU32::new(0), Barrier::new(2));
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.fly(&uri(), &Cancel::new(), || {
                    done.fetch_add(1, Ordering::SeqCst);
                    inside.wait();
                    inside.wait();
                    Err(KeyErrorKind::NotStored.into())
                })
            });
            inside.wait();
            let followers: Vec<_> = (0..4)
                .map(|_| {
                    let (flight, leads) = flights.join(&uri(), &Cancel::new());
                    assert!(!leads);
                    scope.spawn(move || flight.wait(&Cancel::new()).unwrap())
                })
                .collect();
            inside.wait();
            let expected = Err(KeyError::from(KeyErrorKind::NotStored));
            assert_eq!(leader.join().unwrap(), expected);
            followers.into_iter().for_each(|follower| assert_eq!(follower.join().unwrap(), expected));
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_cancelled_leader_hands_the_work_to_who_waits() {
        let (flights, inside) = (Flights::default(), Barrier::new(2));
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.fly(&uri(), &Cancel::new(), || {
                    inside.wait();
                    inside.wait();
                    Err(KeyErrorKind::Cancelled.into())
                })
            });
            inside.wait();
            let (flight, _) = flights.join(&uri(), &Cancel::new());
            let follower = scope.spawn(|| flights.fly(&uri(), &Cancel::new(), || Ok(())));
            inside.wait();
            assert_eq!(leader.join().unwrap(), Err(KeyErrorKind::Cancelled.into()));
            assert_eq!(follower.join().unwrap(), Ok(()));
            assert_eq!(flight.wait(&Cancel::new()), None);
        });
    }

    #[test]
    fn a_waiting_call_can_be_cancelled() {
        let (flights, cancel) = (Flights::default(), Cancel::new());
        let _leader = flights.join(&uri(), &Cancel::new());
        cancel.cancel();
        assert_eq!(flights.fly(&uri(), &cancel, || Ok(())), Err(KeyErrorKind::Cancelled.into()));
    }

    #[test]
    fn a_leader_that_panics_leaves_nobody_waiting() {
        let flights = Flights::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            flights.fly(&uri(), &Cancel::new(), || panic!("a provider of the application's"))
        }));
        assert!(panicked.is_err());
        assert_eq!(flights.fly(&uri(), &Cancel::new(), || Ok(())), Ok(()));
    }

    /// A leader ends with this, cancelled or not; what the call that waits makes of it.
    fn followed(error: KeyErrorKind, is_cancelled: bool) -> Result<(), KeyError> {
        let (flights, inside, cancel) = (Flights::default(), Barrier::new(2), Cancel::new());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                flights.fly(&uri(), &cancel, || {
                    inside.wait();
                    inside.wait();
                    Err(error.clone().into())
                })
            });
            inside.wait();
            let (flight, leads) = flights.join(&uri(), &Cancel::new());
            assert!(!leads);
            if is_cancelled {
                cancel.cancel();
            }
            inside.wait();
            match flight.wait(&Cancel::new()) {
                Some(result) => result,
                None => flights.fly(&uri(), &Cancel::new(), || Ok(())),
            }
        })
    }

    #[test]
    fn what_concerns_the_leader_alone_is_nobody_elses_result() {
        let token = || KeyErrorKind::Token(TokenError { message: "cancelled".to_owned(), again_in: None });
        assert_eq!(followed(KeyErrorKind::Released, false), Ok(()));
        assert_eq!(followed(token(), true), Ok(()));
        assert_eq!(followed(token(), false), Err(token().into()));
    }

    #[test]
    fn a_cancelled_leader_that_hangs_holds_nobody_up() {
        let (flights, inside, cancel) = (Flights::default(), Barrier::new(2), Cancel::new());
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                flights.fly(&uri(), &cancel, || {
                    inside.wait();
                    inside.wait();
                    Ok(())
                })
            });
            inside.wait();
            let follower =
                scope.spawn(|| flights.fly(&uri(), &Cancel::new(), || Err(KeyErrorKind::NotStored.into())));
            cancel.cancel();
            assert_eq!(follower.join().unwrap(), Err(KeyErrorKind::NotStored.into()));
            inside.wait();
            assert_eq!(leader.join().unwrap(), Ok(()));
        });
    }
}
