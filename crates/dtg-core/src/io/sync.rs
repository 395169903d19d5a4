//! Makes what was downloaded durable, in batches and off the download threads.
//!
//! Durable means: survives a power cut. A killed process loses nothing either way, since finished
//! writes are the kernel's by then. A sync that hangs blocks nobody but those who would add to a backlog
//! that is full.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, mem, thread};

use camino::Utf8PathBuf;

use super::disk::Disk;
use super::run::Run;
use crate::durability::SyncPolicy;
use crate::schedule::RunKey;

/// How often one who waits for the backlog looks whether its run was stopped.
const LOOK: Duration = Duration::from_millis(20);

/// Who is told, on the syncing thread, that a run is durable.
type OnDurable = Box<dyn FnOnce(io::Result<()>) + Send>;

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
    policy: SyncPolicy,
    letters: Mutex<LetterBox>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LetterBox {
    next: Batch,
    /// What is being synced: the runs whose journals will be marked, and their bytes.
    under_way: HashMap<RunKey, Arc<Run>>,
    bytes_under_way: u64,
    closing: bool,
}

/// What the next sync makes durable.
#[derive(Default)]
struct Batch {
    bytes: u64,
    runs: HashMap<RunKey, Arc<Run>>,
    /// Runs that are over but for this: the sync does not wait to be due.
    ends: Vec<(RunKey, OnDurable)>,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("bytes", &self.bytes).field("runs", &self.runs.len()).finish()
    }
}

impl Syncer {
    /// Starts the thread.
    pub(crate) fn start(disk: Arc<dyn Disk>, root: Utf8PathBuf, policy: SyncPolicy) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { disk, root, policy, letters: Mutex::default(), changed: Condvar::new() });
        let thread = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("dtg-sync".into()).spawn(move || shared.run())?
        };
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Adds a finished fetch to the batch; waits while the backlog is full, unless its run is stopped.
    pub(crate) fn add(&self, key: RunKey, run: &Arc<Run>, bytes: u64) {
        let mut letters = self.shared.lock();
        let was_empty = letters.next.runs.is_empty();
        letters.next.bytes = letters.next.bytes.saturating_add(bytes);
        letters.next.runs.entry(key).or_insert_with(|| Arc::clone(run));
        // Woken for each small file, the thread would look ten thousand times whether a batch is due.
        if was_empty || letters.next.bytes >= self.shared.policy.bytes {
            self.shared.changed.notify_all();
        }
        let is_full = |letters: &LetterBox| {
            letters.next.bytes.saturating_add(letters.bytes_under_way) > self.shared.policy.backlog
        };
        while is_full(&letters) && !letters.closing && !run.token.is_cancelled() {
            let waited = self.shared.changed.wait_timeout(letters, LOOK);
            letters = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes a stopped run out: nothing is written to its journal any more, also by a sync under way.
    pub(crate) fn forget(&self, key: RunKey) {
        let mut letters = self.shared.lock();
        letters.next.ends.retain(|(end, _)| *end != key);
        let runs = [letters.next.runs.remove(&key), letters.under_way.get(&key).cloned()];
        runs.into_iter().flatten().for_each(|run| run.journal.retire());
    }

    /// Makes everything of a run durable now, before it is called completed; then tells `then` on the
    /// syncing thread, unless the run is forgotten first.
    pub(crate) fn settle(&self, key: RunKey, run: &Arc<Run>, then: OnDurable) {
        let mut letters = self.shared.lock();
        letters.next.runs.insert(key, Arc::clone(run));
        letters.next.ends.push((key, then));
        drop(letters);
        self.shared.changed.notify_all();
    }

    /// Syncs what is left and ends the thread.
    pub(crate) fn close(&self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread {
            // The last one to let go of the desk may be its own syncing thread.
            Some(thread) if thread.thread().id() == thread::current().id() => {}
            // The thread has nothing to answer: its last sync is done or was reported in the log.
            Some(thread) => drop(thread.join()),
            None => {}
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, LetterBox> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let (batch, closing) = self.next();
            let mut faults = self.sync(&batch.runs);
            let mut letters = self.lock();
            letters.under_way.clear();
            letters.bytes_under_way = 0;
            drop(letters);
            self.changed.notify_all();
            for (key, then) in batch.ends {
                then(faults.remove(&key).map_or(Ok(()), Err));
            }
            if closing {
                return;
            }
        }
    }

    /// The next batch, once it is due, and whether it is the last.
    fn next(&self) -> (Batch, bool) {
        let letters = self.lock();
        let letters = self
            .changed
            .wait_while(letters, |letters| letters.next.runs.is_empty() && !letters.closing)
            .unwrap_or_else(PoisonError::into_inner);
        let is_early = |letters: &mut LetterBox| {
            letters.next.bytes < self.policy.bytes && letters.next.ends.is_empty() && !letters.closing
        };
        let waited = self.changed.wait_timeout_while(letters, self.policy.every, is_early);
        let (mut letters, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let batch = mem::take(&mut letters.next);
        letters.bytes_under_way = batch.bytes;
        letters.under_way.clone_from(&batch.runs);
        (batch, letters.closing)
    }

    /// What was appended before the sync began is durable after it: that is what the mark says. Answers with the runs
    /// that are not marked.
    fn sync(&self, runs: &HashMap<RunKey, Arc<Run>>) -> HashMap<RunKey, io::Error> {
        if runs.is_empty() {
            return HashMap::new();
        }
        let positions: Vec<(RunKey, &Run, u64)> =
            runs.iter().map(|(key, run)| (*key, run.as_ref(), run.journal.position())).collect();
        let synced = self.disk.sync(&self.root);
        let mut faults = HashMap::new();
        for (key, run, position) in positions {
            let marked = match &synced {
                Ok(()) => run.journal.mark(position),
                // No mark, no promise.
                Err(error) => run.journal.doubt().and(Err(io::Error::new(error.kind(), error.to_string()))),
            };
            if let Err(error) = marked {
                tracing::warn!(item = %run.id, %error, "a batch could not be synced");
                faults.insert(key, error);
            }
        }
        faults
    }
}
