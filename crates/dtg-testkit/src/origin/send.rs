//! Writes an answer to its socket: in time, as far as it goes, and noting how far that is.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Ending;
use super::body::{Piece, Source, open_at};
use super::hold::Gate;
use super::pipe::Pipe;
use super::record::Entry;
use super::server::Shared;
use super::wire::{Framing, Wire};

/// The most that is written at once.
const QUANTUM: u64 = 256 * 1024;

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    NextRequest,
    Close(Ending),
}

/// One answer on its way.
pub(super) struct Sender<'a> {
    pub(super) pipe: &'a Pipe<'a>,
    pub(super) shared: &'a Shared,
    pub(super) entry: &'a Entry,
    /// Gates within the body, in order.
    pub(super) gates: Vec<Arc<Gate>>,
    pub(super) wire: &'a Wire,
}

/// Where in the body it is.
struct Progress {
    sent: u64,
    since: Instant,
}

impl Sender<'_> {
    /// Sends all that is to be sent.
    pub(super) fn send(mut self) -> io::Result<After> {
        self.wait(self.wire.pace.before_head)?;
        self.entry.set_status(self.wire.status);
        if self.wire.framing == Framing::NoBody || self.is_last(0) {
            self.entry.finishing();
        }
        self.head().inspect_err(|_| self.entry.not_finished())?;
        match self.body()? {
            Some(ending) => Ok(After::Close(ending)),
            None if self.wire.close => Ok(After::Close(Ending::Fin)),
            None => Ok(After::NextRequest),
        }
    }

    fn head(&self) -> io::Result<()> {
        let head = self.wire.head.as_bytes();
        let Some(delay) = self.wire.pace.drip else { return self.write(head) };
        for byte in head.chunks(1) {
            self.write(byte)?;
            self.wait(delay)?;
        }
        Ok(())
    }

    /// The body, its frame and its gates; tells whether it was cut.
    fn body(&mut self) -> io::Result<Option<Ending>> {
        if self.wire.framing == Framing::NoBody {
            return Ok(None);
        }
        let mut progress = Progress { sent: 0, since: now() };
        loop {
            for piece in &self.wire.body.pieces {
                if let Some(ending) = self.piece(piece, &mut progress)? {
                    return Ok(Some(ending));
                }
            }
            if self.wire.framing != Framing::Endless {
                break;
            }
        }
        if let Some(ending) = self.stop_at(progress.sent)? {
            return Ok(Some(ending));
        }
        if self.wire.framing == Framing::Chunked {
            self.entry.finishing();
            self.write(b"0\r\n\r\n").inspect_err(|_| self.entry.not_finished())?;
        }
        Ok(None)
    }

    fn piece(&mut self, piece: &Piece, progress: &mut Progress) -> io::Result<Option<Ending>> {
        let mut reader = Reader::open(piece)?;
        let mut offset = 0;
        while offset < piece.length {
            if let Some(ending) = self.stop_at(progress.sent)? {
                return Ok(Some(ending));
            }
            let bytes = self.room(progress.sent).min(piece.length - offset);
            self.entry.sending(bytes);
            if self.is_last(progress.sent + bytes) {
                self.entry.finishing();
            }
            self.framed(&mut reader, offset, bytes).inspect_err(|_| self.entry.not_sent(bytes))?;
            offset += bytes;
            progress.sent += bytes;
            self.keep_pace(progress)?;
        }
        Ok(None)
    }

    fn framed(&self, reader: &mut Reader<'_>, offset: u64, bytes: u64) -> io::Result<()> {
        let chunked =
            matches!(self.wire.framing, Framing::Chunked | Framing::ChunkedNoEnd | Framing::Endless);
        if chunked {
            self.write(format!("{bytes:x}\r\n").as_bytes())?;
        }
        reader.copy(offset, bytes, self.pipe)?;
        if chunked { self.write(b"\r\n") } else { Ok(()) }
    }

    /// Waits at the gates here; the ending, where the body is cut here.
    fn stop_at(&mut self, sent: u64) -> io::Result<Option<Ending>> {
        while let Some(gate) = self.gates.pop_if(|gate| gate.after <= Some(sent)) {
            if !gate.pass(|| self.pipe.client_is_there()) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(self.wire.cut.filter(|(after, _)| *after == sent).map(|(_, ending)| ending))
    }

    /// How many bytes may go before the next look at gates, cut and clock.
    fn room(&self, sent: u64) -> u64 {
        let to_gate = self.gates.last().and_then(|gate| gate.after).map(|after| after - sent);
        let to_cut = self.wire.cut.and_then(|(after, _)| after.checked_sub(sent)).filter(|left| *left > 0);
        let to_gap = self.wire.pace.gaps.map(|(every, _)| every - sent % every);
        let to_tick = self.wire.pace.bytes_per_second.map(|rate| (rate / 50).max(1));
        [to_gate, to_cut, to_gap, to_tick].into_iter().flatten().fold(QUANTUM, u64::min)
    }

    /// Whether a client that has these bytes of the body has the whole response.
    fn is_last(&self, sent: u64) -> bool {
        let whole = sent == self.wire.body.len();
        whole && matches!(self.wire.framing, Framing::Length | Framing::UntilClose)
    }

    fn keep_pace(&self, progress: &Progress) -> io::Result<()> {
        if let Some((every, delay)) = self.wire.pace.gaps
            && progress.sent.is_multiple_of(every)
        {
            self.wait(delay)?;
        }
        let Some(rate) = self.wire.pace.bytes_per_second else { return Ok(()) };
        let due = Duration::from_millis(progress.sent.saturating_mul(1000) / rate);
        self.wait(due.saturating_sub(progress.since.elapsed()))
    }

    fn wait(&self, delay: Duration) -> io::Result<()> {
        match self.shared.wait(delay, self.pipe) {
            true => Ok(()),
            false => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut pipe = self.pipe;
        pipe.write_all(bytes)
    }
}

/// A piece, opened.
struct Reader<'a> {
    piece: &'a Piece,
    file: Option<File>,
}

impl<'a> Reader<'a> {
    fn open(piece: &'a Piece) -> io::Result<Self> {
        let file = match &piece.source {
            Source::File(path) => Some(open_at(path, piece.start)?),
            Source::Bytes(_) | Source::Made(_) => None,
        };
        Ok(Self { piece, file })
    }

    /// The next `bytes`, which lie at `offset` of the piece.
    fn copy(&mut self, offset: u64, bytes: u64, mut to: &Pipe<'_>) -> io::Result<()> {
        match (&self.piece.source, &self.file) {
            (Source::Made(fill), _) => {
                made(|at, buffer| fill(self.piece.start + offset + at, buffer), bytes, to)
            }
            (_, Some(file)) => to.send_file(file, bytes),
            (_, None) => to.write_all(self.piece.bytes(offset, bytes)),
        }
    }
}

fn made(fill: impl Fn(u64, &mut [u8]), bytes: u64, mut to: &Pipe<'_>) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(bytes.min(QUANTUM)).unwrap_or_default()];
    fill(0, &mut buffer);
    to.write_all(&buffer)
}

#[expect(clippy::disallowed_methods, reason = "the rate of a body on a socket is in real time")]
fn now() -> Instant {
    Instant::now()
}
