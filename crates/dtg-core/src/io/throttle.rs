//! Makes threads wait for their bytes' turn, as long as the rate is limited.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::cancel;
use crate::rate::Bucket;

/// How often one who waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(40);

/// The rate limit over all items.
#[derive(Debug)]
pub(crate) struct Throttle {
    is_limited: AtomicBool,
    bucket: Mutex<Bucket>,
    /// The rate is another one now.
    changed: Condvar,
}

impl Throttle {
    pub(crate) fn new(rate: Option<NonZeroU64>) -> Self {
        Self {
            is_limited: AtomicBool::new(rate.is_some()),
            bucket: Mutex::new(Bucket::new(rate)),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the rate, in bytes a second, also for those who wait; `None`: no limit.
    #[expect(clippy::disallowed_methods, reason = "waiting is measured by the clock, here at the edge")]
    pub(crate) fn set_rate(&self, rate: Option<NonZeroU64>) {
        self.lock().set_rate(rate, Instant::now());
        self.is_limited.store(rate.is_some(), Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Whether bytes may have to wait.
    pub(crate) fn is_limited(&self) -> bool {
        self.is_limited.load(Ordering::Relaxed)
    }

    /// Counts bytes that have arrived, and waits until more may come, or until the calling thread's
    /// token is cancelled.
    #[expect(clippy::disallowed_methods, reason = "waiting is measured by the clock, here at the edge")]
    pub(crate) fn take(&self, bytes: u64) {
        if !self.is_limited() {
            return;
        }
        let mut bucket = self.lock();
        let turn = bucket.take(bytes, Instant::now());
        while cancel::check().is_ok() {
            let wait = bucket.wait(turn, Instant::now());
            if wait.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(bucket, wait.min(LOOK));
            bucket = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::super::cancel::CancelToken;
    use super::*;

    /// A thread that has taken more than an hour's bytes.
    fn waiting(throttle: &Arc<Throttle>, token: &CancelToken) -> thread::JoinHandle<()> {
        let (throttle, token) = (Arc::clone(throttle), token.clone());
        let (ready, is_ready) = channel();
        let thread = thread::spawn(move || {
            let _entered = token.enter();
            ready.send(()).unwrap();
            throttle.take(10_000_000);
        });
        is_ready.recv().unwrap();
        thread
    }

    #[test]
    fn one_who_waits_goes_on_when_cancelled_or_when_the_limit_is_lifted() {
        let throttle = Arc::new(Throttle::new(NonZeroU64::new(1000)));
        let token = CancelToken::default();
        let (first, second) = (waiting(&throttle, &token), waiting(&throttle, &CancelToken::default()));
        token.cancel();
        first.join().unwrap();
        throttle.set_rate(None);
        second.join().unwrap();
        throttle.take(u64::MAX);
    }
}
