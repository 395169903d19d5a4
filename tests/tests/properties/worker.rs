//! A downloading process of its own, to be killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;

use crate::download::id;

/// A downloading process; killed, too, where a property fails.
pub(crate) struct Worker(Child);

impl Worker {
    pub(crate) fn start(words: &[&str]) -> Self {
        let worker = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(worker.expect("the worker was built beside this test"))
    }

    /// One that does what this word says as an asset download task.
    pub(crate) fn task(word: &str, destination: &Utf8Path, url: &str, connections: u16) -> Self {
        Self::start(&[word, destination.as_str(), id().as_str(), url, &connections.to_string()])
    }

    /// Waits until it says something.
    pub(crate) fn wait_for_word(&mut self) {
        let said = self.0.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        let bytes = BufReader::new(said).read_line(&mut line).expect("it can be read");
        assert!(bytes > 0, "it ended without a word");
    }

    pub(crate) fn kill(&mut self) {
        // One that has ended is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}
