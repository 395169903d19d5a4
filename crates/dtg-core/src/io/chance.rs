//! Randomness from the system.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A number that is another one each time; not fit for secrets.
pub(crate) fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
