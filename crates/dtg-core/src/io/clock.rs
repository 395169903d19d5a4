//! The time of day.

use std::time::SystemTime;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the clock is read here, at the edge")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
