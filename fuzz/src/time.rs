//! Work must grow with its input, and not faster.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What `LARGE` bytes may take: a hundred times of what they do take, with the sanitizer.
const ALLOWED: Duration = Duration::from_secs(2);
const LARGE: usize = 128 << 10;

/// Runs `work` on many copies of `input`, one behind the other, and looks at the processor's time, which does
/// not depend on who else is using it.
///
/// # Panics
/// When the time has no proportion to the size.
pub fn check_growth(input: &[u8], work: impl FnOnce(&[u8])) {
    let large = input.repeat(LARGE / input.len().max(1));
    let started = now();
    work(&large);
    let took = now().saturating_sub(started);
    assert!(took < ALLOWED, "{took:?} for {} bytes", large.len());
}

fn now() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
