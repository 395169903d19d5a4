//! From the wire into the file: written, hashed, counted, and kept where it breaks off.

use std::io::{self, Read};
use std::time::Duration;

use twox_hash::XxHash3_128;

use super::super::connect::hurry;
use super::super::disk::DiskFile;
use super::super::http::broken;
use super::super::pace::Pace;
use super::super::run::Run;
use super::super::versions::{Epoch, Hashed, Partial};
use super::Fetched;
use crate::error::{BadAnswer, Error};
use crate::http_settings::HttpSettings;
use crate::plan::FetchId;

/// A fetch that is longer is noted in the journal each time so many more bytes of it are there.
const NOTED_EVERY: u64 = 1 << 20;
/// Where the rate is limited so many bytes are read at a time: a server that can't send for long hangs up.
const LIMITED_READ: u64 = 16 << 10;
/// An end mark that takes longer is not worth the connection.
const SOON: Duration = Duration::from_secs(1);
/// A validator that is longer is not kept.
pub(crate) const LONGEST_VALIDATOR: usize = 1024;

/// Where the bytes of one fetch go.
pub(super) struct Place<'a> {
    pub(super) run: &'a Run,
    pub(super) id: FetchId,
    pub(super) epoch: Epoch,
    pub(super) file: &'a dyn DiskFile,
    /// The fetch's first byte in the file.
    pub(super) start: u64,
    /// The fetch's length; `None`: to the body's own end.
    pub(super) length: Option<u64>,
    /// The strong validator under which the rest could be asked for.
    pub(super) validator: Option<&'a str>,
}

/// A body that is being read, at its pace.
pub(super) struct Incoming<'a> {
    pub(super) body: &'a mut dyn Read,
    pub(super) buffer: &'a mut [u8],
    pub(super) pace: Pace,
    /// No file is longer.
    pub(super) longest: u64,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(body: &'a mut dyn Read, buffer: &'a mut [u8], settings: &HttpSettings) -> Self {
        Self { body, buffer, pace: Pace::new(settings.low_speed), longest: settings.longest_file }
    }

    /// Up to `most` bytes; none at the body's end.
    fn read(&mut self, most: u64) -> Result<&[u8], Error> {
        let room = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        let window = self.buffer.get_mut(..room).unwrap_or_default();
        self.pace.waits();
        let read = loop {
            match self.body.read(window) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| Error::new(broken(&error)))?,
            }
        };
        if read > 0 {
            self.pace.took(read)?;
        }
        Ok(window.get(..read).unwrap_or_default())
    }

    /// Passes over bytes that nobody wants.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), Error> {
        let mut left = count;
        while left > 0 {
            let passed = u64::try_from(self.read(left)?.len()).unwrap_or(0);
            if passed == 0 {
                return Err(BadAnswer::OutOfRange(count.saturating_sub(left)).into_error());
            }
            left = left.saturating_sub(passed);
        }
        Ok(())
    }

    /// Reads the end mark, so that the connection can be used again; what else follows is left unread.
    pub(super) fn drain(&mut self) {
        let _hurry = hurry(SOON);
        // The bytes that were wanted are there: whatever this read meets concerns the connection only.
        let _ = self.body.read(&mut [0; 1]);
    }
}

/// How far a fetch is.
struct Progress {
    got: u64,
    hasher: XxHash3_128,
    noted: u64,
}

/// Copies a fetch's bytes, from `done` on where it broke off before. Where it breaks off, what came is kept
/// if the rest can be asked for, and else does not count.
pub(super) fn copy(
    incoming: &mut Incoming<'_>,
    place: &Place<'_>,
    done: Option<(u64, XxHash3_128)>,
) -> Result<Fetched, Error> {
    let (got, hasher) = done.unwrap_or_else(|| (0, XxHash3_128::new()));
    let mut progress = Progress { got, hasher, noted: got };
    match place.copy(incoming, &mut progress) {
        Ok(()) => Ok(Fetched { length: progress.got, hash: progress.hasher.finish_128() }),
        Err(error) => {
            place.keep(&progress);
            Err(error)
        }
    }
}

impl Place<'_> {
    fn copy(&self, incoming: &mut Incoming<'_>, progress: &mut Progress) -> Result<(), Error> {
        let expected = self.length.unwrap_or(u64::MAX);
        while progress.got < expected {
            let longest = incoming.longest;
            let most = if self.run.throttle.is_limited() { LIMITED_READ } else { u64::MAX };
            let bytes = incoming.read(expected.saturating_sub(progress.got).min(most))?;
            if bytes.is_empty() {
                return match self.length {
                    None => Ok(()),
                    Some(expected) => Err(BadAnswer::Truncated { got: progress.got, expected }.into_error()),
                };
            }
            self.file.write_at(bytes, self.start.saturating_add(progress.got))?;
            progress.hasher.write(bytes);
            let read = u64::try_from(bytes.len()).unwrap_or(0);
            progress.got = progress.got.saturating_add(read);
            self.run.arrived(read)?;
            if progress.got > longest {
                return Err(BadAnswer::TooLong(longest).into_error());
            }
            self.note(progress);
        }
        Ok(())
    }

    /// Notes now and then how far a long fetch is, so that a killed process loses little of it.
    fn note(&self, progress: &mut Progress) {
        if progress.got.saturating_sub(progress.noted) >= NOTED_EVERY && self.length != Some(progress.got) {
            progress.noted = progress.got;
            if let Some(partial) = self.partial(progress) {
                self.run.note_partial(self.id, &partial, self.epoch);
            }
        }
    }

    /// What came is kept, or does not count.
    fn keep(&self, progress: &Progress) {
        let kept = self.partial(progress).is_some_and(|it| self.run.keep_partial(self.id, it, self.epoch));
        if !kept {
            self.run.tally.lost(progress.got);
        }
    }

    fn partial(&self, progress: &Progress) -> Option<Partial> {
        let validator = self.validator.filter(|validator| validator.len() <= LONGEST_VALIDATOR)?.to_owned();
        let hash = Hashed::Running(Box::new(progress.hasher.clone()));
        (progress.got > 0).then_some(Partial { length: progress.got, validator, hash })
    }
}

/// The hash so far of a partial fetch whose bytes in the file are still what they were; `None` if not.
pub(super) fn rehashed(
    file: &dyn DiskFile,
    start: u64,
    partial: &Partial,
    buffer: &mut [u8],
) -> io::Result<Option<XxHash3_128>> {
    let claimed = match &partial.hash {
        Hashed::Running(hasher) => return Ok(Some(hasher.as_ref().clone())),
        Hashed::Claimed(hash) => *hash,
    };
    let mut hasher = XxHash3_128::new();
    let mut at = 0;
    while at < partial.length {
        let room = usize::try_from(partial.length.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        let window = buffer.get_mut(..room).unwrap_or_default();
        let read = file.read_at(window, start.saturating_add(at))?;
        if read == 0 {
            return Ok(None);
        }
        hasher.write(window.get(..read).unwrap_or_default());
        at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok((hasher.finish_128() == claimed).then_some(hasher))
}
