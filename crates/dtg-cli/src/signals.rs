//! Ctrl-C: the first one asks, the second one ends the program.

use std::process;
use std::sync::mpsc::{self, Receiver, Sender};

use anyhow::Context as _;

/// Exit code after Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Something a waiting command should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C, or the system asked the program to end.
    Stop,
    /// Work on another thread is done.
    Done,
}

/// Where signals arrive, and the end that other threads send to.
#[derive(Debug)]
pub(crate) struct Signals {
    pub(crate) sender: Sender<Signal>,
    pub(crate) receiver: Receiver<Signal>,
}

impl Signals {
    /// Takes over Ctrl-C for the rest of the program.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let from_handler = sender.clone();
        let mut stopping = false;
        ctrlc::set_handler(move || {
            if std::mem::replace(&mut stopping, true) || from_handler.send(Signal::Stop).is_err() {
                process::exit(i32::from(INTERRUPTED));
            }
        })
        .context("can't listen for Ctrl-C")?;
        Ok(Self { sender, receiver })
    }

    /// Waits for Ctrl-C.
    pub(crate) fn wait_for_stop(&self) {
        while self.receiver.recv().is_ok_and(|signal| signal != Signal::Stop) {}
    }
}
