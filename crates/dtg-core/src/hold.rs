//! What holds an item back, as an application shows it.

use std::fmt;
use std::time::Duration;

use crate::cause::StoredFailure;
use crate::requirements::Unmet;
use crate::state::ItemState;

/// One thing that keeps an item from being downloaded faster, or at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// It is not in progress: new, not started, paused, interrupted, failed or completed.
    State(ItemState),
    /// What stopped it last, or kept it from being loaded.
    Failure(StoredFailure),
    /// The device lacks what it asks for.
    Unmet(Unmet),
    /// A fresh address is being asked for.
    FreshUrl,
    /// Other items have all connections.
    Turn,
    /// A request failed and comes again after this long; no other one can go on before it.
    BackOff(Duration),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "it is {state}"),
            Self::Failure(failure) => write!(f, "{}; {}", failure.message, failure.remedy),
            Self::Unmet(unmet) => write!(f, "it needs {unmet}"),
            Self::FreshUrl => f.write_str("a fresh address is being asked for"),
            Self::Turn => f.write_str("other items have all connections"),
            Self::BackOff(wait) => write!(f, "it is tried again in {} s", wait.as_secs()),
        }
    }
}
