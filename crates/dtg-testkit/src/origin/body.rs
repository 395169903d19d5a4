//! What a response carries: pieces of memory, files, or bytes made when they are sent.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The bytes of a response. Cheap to clone; files are opened when they are sent, never read into memory.
#[derive(Debug, Clone, Default)]
pub struct Body {
    pub(super) pieces: Vec<Piece>,
}

/// A run of bytes out of one source.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) source: Source,
    pub(super) start: u64,
    pub(super) length: u64,
}

#[derive(Clone)]
pub(super) enum Source {
    Bytes(Arc<[u8]>),
    File(Arc<Path>),
    Made(Arc<Fill>),
}

type Fill = dyn Fn(u64, &mut [u8]) + Send + Sync;

impl Body {
    /// The file at `path`, with the length it has now.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path: Arc<Path> = path.into().into();
        let length = fs::metadata(&path)?.len();
        Ok(Self::of(Source::File(path), length))
    }

    /// `length` bytes that `fill(offset, buffer)` makes as they are sent; equal offsets must give equal bytes.
    #[must_use]
    pub fn made(length: u64, fill: impl Fn(u64, &mut [u8]) + Send + Sync + 'static) -> Self {
        Self::of(Source::Made(Arc::new(fill)), length)
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.length).sum()
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// When a file can no longer be read, or has become shorter.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        for piece in &self.pieces {
            piece.read_into(&mut all)?;
        }
        Ok(all)
    }

    /// The bytes from `start`, at most `length` of them.
    pub(super) fn slice(&self, start: u64, length: u64) -> Self {
        let (mut skip, mut left) = (start, length);
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            let skipped = skip.min(piece.length);
            let taken = left.min(piece.length - skipped);
            skip -= skipped;
            left -= taken;
            if taken > 0 {
                pieces.push(Piece { start: piece.start + skipped, length: taken, ..piece.clone() });
            }
        }
        Self { pieces }
    }

    /// This, then `other`.
    pub(super) fn then(mut self, other: impl Into<Self>) -> Self {
        self.pieces.extend(other.into().pieces);
        self
    }

    fn of(source: Source, length: u64) -> Self {
        Self { pieces: vec![Piece { source, start: 0, length }] }
    }
}

impl Piece {
    fn read_into(&self, all: &mut Vec<u8>) -> io::Result<()> {
        match &self.source {
            Source::Bytes(_) => all.extend_from_slice(self.bytes(0, self.length)),
            Source::File(path) => {
                let read = open_at(path, self.start)?.take(self.length).read_to_end(all)?;
                if read as u64 != self.length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Source::Made(fill) => {
                let mut made = vec![0; usize::try_from(self.length).unwrap_or(usize::MAX)];
                fill(self.start, &mut made);
                all.append(&mut made);
            }
        }
        Ok(())
    }

    /// `length` bytes in memory from `offset` of the piece; none when it is not in memory.
    pub(super) fn bytes(&self, offset: u64, length: u64) -> &[u8] {
        let Source::Bytes(bytes) = &self.source else { return &[] };
        let start = usize::try_from(self.start.saturating_add(offset)).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        bytes.get(start..end.min(bytes.len())).unwrap_or_default()
    }
}

pub(super) fn open_at(path: &Path, start: u64) -> io::Result<File> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    Ok(file)
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Arc::<[u8]>::from(bytes).into()
    }
}

impl From<Arc<[u8]>> for Body {
    fn from(bytes: Arc<[u8]>) -> Self {
        let length = bytes.len() as u64;
        Self::of(Source::Bytes(bytes), length)
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Made(_) => f.write_str("Made"),
        }
    }
}
