//! What the process holds: threads, and open files with their sockets.

use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

/// How often it is looked whether what was closed is gone.
const LOOK: Duration = Duration::from_millis(50);
/// How often at the most: a connection's end takes a moment on the origin's side.
const LOOKS: u32 = 200;

/// Threads and open files of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    threads: usize,
    files: usize,
}

impl Held {
    /// What is held now. Counts nothing on a system without `/proc`.
    pub(crate) fn now() -> Result<Self> {
        let count = |folder: &str| match fs::read_dir(folder) {
            Ok(entries) => Ok(entries.count()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        };
        Ok(Self { threads: count("/proc/self/task")?, files: count("/proc/self/fd")? })
    }

    /// Waits a while until no more than this is held; an error when it still is.
    pub(crate) fn awaited(self) -> Result<Self> {
        let mut now = Self::now()?;
        for _ in 0..LOOKS {
            if now.threads <= self.threads && now.files <= self.files {
                return Ok(now);
            }
            thread::sleep(LOOK);
            now = Self::now()?;
        }
        ensure!(now == self, "something was left behind: {now}, where there was {self}; {}", names());
        Ok(now)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} files", self.threads, self.files)
    }
}

/// What the threads are called, and what the open files are.
fn names() -> String {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let threads = threads.filter_map(|it| fs::read_to_string(it.path().join("comm")).ok());
    let files = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let files = files.filter_map(|it| Some(fs::read_link(it.path()).ok()?.display().to_string()));
    threads.map(|name| name.trim().to_owned()).chain(files).collect::<Vec<_>>().join(", ")
}
