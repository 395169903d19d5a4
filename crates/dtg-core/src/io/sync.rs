//! Makes what was downloaded durable, in batches and off the download threads.
//!
//! Durable means: survives a power cut. A killed process loses nothing either way, since finished
//! writes are the kernel's by then.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use camino::Utf8PathBuf;

use super::disk::Disk;
use super::run::Run;
use crate::schedule::RunKey;

/// A batch is synced when it is this old ...
const EVERY: Duration = Duration::from_secs(1);
/// ... or this large.
const BYTES: u64 = 64 << 20;

/// The syncing thread's letter box.
#[derive(Debug)]
pub(crate) struct Syncer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    root: Utf8PathBuf,
    batch: Mutex<Batch>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Batch {
    bytes: u64,
    runs: HashMap<RunKey, Arc<Run>>,
    closing: bool,
    /// A sync is under way, over runs that are no longer in the batch.
    syncing: bool,
}

impl Syncer {
    /// Starts the thread.
    pub(crate) fn start(disk: Arc<dyn Disk>, root: Utf8PathBuf) -> io::Result<Self> {
        let shared = Arc::new(Shared { disk, root, batch: Mutex::default(), changed: Condvar::new() });
        let thread = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("dtg-sync".into()).spawn(move || shared.run())?
        };
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Adds a finished fetch to the batch.
    pub(crate) fn add(&self, key: RunKey, run: &Arc<Run>, bytes: u64) {
        let mut batch = self.shared.lock();
        batch.bytes = batch.bytes.saturating_add(bytes);
        batch.runs.entry(key).or_insert_with(|| Arc::clone(run));
        drop(batch);
        self.shared.changed.notify_all();
    }

    /// Takes a run out of the batch, and waits for a sync that may still hold it.
    pub(crate) fn forget(&self, key: RunKey) {
        let mut batch = self.shared.lock();
        batch.runs.remove(&key);
        drop(self.shared.changed.wait_while(batch, |batch| batch.syncing));
    }

    /// Makes everything of a run durable now, before it is called completed or at rest.
    pub(crate) fn settle(&self, key: RunKey, run: &Run) -> io::Result<()> {
        self.forget(key);
        let position = run.journal.position();
        self.shared.disk.sync(&self.shared.root)?;
        run.journal.mark(position)
    }

    /// Syncs what is left and ends the thread.
    pub(crate) fn close(&self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread has nothing to answer: its last sync is done or was reported in the log.
            let _ = thread.join();
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let (runs, closing) = self.next();
            self.sync(&runs);
            self.lock().syncing = false;
            self.changed.notify_all();
            if closing {
                return;
            }
        }
    }

    /// The next batch, once it is old or large enough, and whether it is the last.
    fn next(&self) -> (Vec<Arc<Run>>, bool) {
        let batch = self.lock();
        let batch = self
            .changed
            .wait_while(batch, |batch| batch.runs.is_empty() && !batch.closing)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut batch, _) = self
            .changed
            .wait_timeout_while(batch, EVERY, |batch| batch.bytes < BYTES && !batch.closing)
            .unwrap_or_else(PoisonError::into_inner);
        batch.bytes = 0;
        batch.syncing = true;
        (batch.runs.drain().map(|(_, run)| run).collect(), batch.closing)
    }

    /// What was appended before the sync began is durable after it: that is what the mark says.
    fn sync(&self, runs: &[Arc<Run>]) {
        let positions: Vec<u64> = runs.iter().map(|run| run.journal.position()).collect();
        if runs.is_empty() {
            return;
        }
        let synced = self.disk.sync(&self.root);
        let marked = synced.and_then(|()| {
            runs.iter().zip(positions).try_for_each(|(run, position)| run.journal.mark(position))
        });
        if let Err(error) = marked {
            // No mark, no promise: the records are checked against the files after an unclean end.
            tracing::warn!(%error, "a batch could not be synced");
        }
    }
}
