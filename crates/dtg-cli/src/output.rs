//! What is written: results on stdout, notes on stderr, each result as words or as one JSON document.
//!
//! The documents' types are the source of the schemas in `docs/schema`; a change that breaks readers
//! gets a new number in the marker and a new schema file.

mod failure;
mod inspect;
mod item;
pub(crate) mod marker;
mod plan;
mod storage;
mod text;

use std::io::{self, Write};

use serde::Serialize;

use crate::args::{Chatter, Format, Invocation};

pub(crate) use failure::{ErrorDocument, Failure, Refused};
pub(crate) use inspect::{InspectDocument, Page, Refusal, inspect_text};
pub(crate) use item::{ItemDocument, ItemView, ItemsDocument, RemovedDocument, ServeDocument, Served};
pub(crate) use plan::{PlanDocument, plan_text};
pub(crate) use storage::{QuotaDocument, RepairDocument, StorageDocument, VerificationView, VerifyDocument};
pub(crate) use text::{bytes, playing_time, public_part};

/// Where a command writes.
pub(crate) struct Out<'a> {
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
    format: Format,
    chatter: Chatter,
}

impl<'a> Out<'a> {
    pub(crate) fn new(stdout: &'a mut dyn Write, stderr: &'a mut dyn Write, how: &Invocation) -> Self {
        Self { stdout, stderr, format: how.format, chatter: how.chatter }
    }

    pub(crate) const fn chatter(&self) -> Chatter {
        self.chatter
    }

    /// The result: the document, or its words.
    pub(crate) fn result(
        &mut self,
        document: &impl Serialize,
        words: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.json(document),
            Format::Human => Ok(self.stdout.write_all(words().as_bytes())?),
        }
    }

    /// As [`result`](Self::result), for a command whose work is the result: its words are only a note.
    pub(crate) fn outcome(
        &mut self,
        document: &impl Serialize,
        words: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match (self.format, self.chatter) {
            (Format::Human, Chatter::Quiet) => Ok(()),
            _ => self.result(document, words),
        }
    }

    fn json(&mut self, document: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut *self.stdout, document).map_err(io::Error::from)?;
        Ok(self.stdout.write_all(b"\n")?)
    }

    /// A line beside the result; nobody depends on it.
    pub(crate) fn note(&mut self, line: &str) -> io::Result<()> {
        match self.chatter {
            Chatter::Normal => writeln!(self.stderr, "{line}"),
            Chatter::Quiet => Ok(()),
        }
    }

    /// The error document; people read the line on stderr instead.
    pub(crate) fn failure(&mut self, failure: &Failure) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.json(&ErrorDocument { schema: marker::Error::V1, error: failure }),
            Format::Human => Ok(()),
        }
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.stdout.flush()?)
    }
}

#[cfg(test)]
mod tests;
