//! How long what was downloaded may wait to be durable.

use std::time::Duration;

/// When finished files are made durable: in batches, beside the downloads.
///
/// A killed process loses nothing that was finished. A power cut loses at most what was not durable yet:
/// that is noticed, and fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncPolicy {
    /// A batch is synced when it is this old ...
    pub every: Duration,
    /// ... or this many bytes large.
    pub bytes: u64,
    /// While a sync hangs, downloads go on until this many bytes wait; then they wait for it.
    pub backlog: u64,
}

impl Default for SyncPolicy {
    /// Every second or 64 MiB; at most 256 MiB wait.
    fn default() -> Self {
        Self { every: Duration::from_secs(1), bytes: 64 << 20, backlog: 256 << 20 }
    }
}
