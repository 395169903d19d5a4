//! What containers say about time: durations, offline keys, and what became of them.

use super::bytes::Bytes;
use super::cipher::Block;
use super::tllv::form;
use super::{Malformed, tag};

/// How long a content key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// Seconds until the key has to be renewed, or playback stops; `u32::MAX` is never.
    pub lease: u32,
    /// Seconds in which playback may begin, or which a stored key lives.
    pub rental: u32,
    /// Which of the two count, and whether the key may be stored.
    pub kind: KeyKind,
}

/// The kind of a content key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// For playback while it is renewed.
    Lease,
    /// For playback that begins in time.
    Rental,
    /// Both.
    LeaseAndRental,
    /// May be stored, without end.
    Persist,
    /// May be stored for the time of the rental.
    PersistLimited,
    /// None that is known.
    Other(u32),
}

const KINDS: [(u32, KeyKind); 5] = [
    (0x1a4b_de7e, KeyKind::Lease),
    (0x3dfe_45a0, KeyKind::Rental),
    (0x27b5_9bde, KeyKind::LeaseAndRental),
    (0x3df2_d9fb, KeyKind::Persist),
    (0x18f0_6048, KeyKind::PersistLimited),
];

impl KeyKind {
    fn read(value: u32) -> Self {
        KINDS.iter().find(|(known, _)| *known == value).map_or(Self::Other(value), |(_, kind)| *kind)
    }

    /// As the TLLV writes it.
    #[must_use]
    pub fn value(self) -> u32 {
        let known = KINDS.iter().find(|(_, known)| *known == self).map_or(0, |(value, _)| *value);
        if let Self::Other(value) = self { value } else { known }
    }

    /// Whether a device may store the key.
    #[must_use]
    pub const fn may_persist(self) -> bool {
        matches!(self, Self::Persist | Self::PersistLimited)
    }
}

impl Duration {
    /// Reads the value of [`tag::DURATION`]. Its reserved field is not looked at: real servers disagree about it.
    ///
    /// # Errors
    /// [`Malformed::Form`] for anything but 16 bytes.
    pub fn read(value: &[u8]) -> Result<Self, Malformed> {
        sized(tag::DURATION, value, &[16])?;
        let mut bytes = Bytes::new(value);
        Ok(Self { lease: bytes.u32()?, rental: bytes.u32()?, kind: KeyKind::read(bytes.u32()?) })
    }

    /// The value; its reserved field is 0.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [self.lease, self.rental, self.kind.value(), 0].iter().flat_map(|field| field.to_be_bytes()).collect()
    }
}

/// How long a stored key may be kept, and played once it has been: dual expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineKey {
    /// The content, or of version 2 the stream.
    pub content: Block,
    /// Seconds from the key's making in which playback has to begin; 0 is no end.
    pub storage: u32,
    /// Seconds from the first playback; 0 is no end.
    pub playback: u32,
    /// The title that several streams belong to: with it, this is version 2.
    pub title: Option<Block>,
}

impl OfflineKey {
    /// Reads the value of [`tag::OFFLINE_KEY`], version 1 or 2.
    ///
    /// # Errors
    /// [`Malformed::Form`] for other sizes and versions.
    pub fn read(value: &[u8]) -> Result<Self, Malformed> {
        sized(tag::OFFLINE_KEY, value, &[32, 48])?;
        let mut bytes = Bytes::new(value);
        let version = bytes.u32()?;
        bytes.u32()?;
        let (content, storage, playback) = (bytes.array()?, bytes.u32()?, bytes.u32()?);
        let title = match (version, bytes.rest().is_empty()) {
            (1, true) => None,
            (2, false) => Some(bytes.array()?),
            _ => return Err(form(tag::OFFLINE_KEY, value)),
        };
        Ok(Self { content, storage, playback, title })
    }

    /// The value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let version: u32 = if self.title.is_some() { 2 } else { 1 };
        let mut bytes = [version.to_be_bytes(), [0; 4]].concat();
        bytes.extend(self.content);
        bytes.extend([self.storage.to_be_bytes(), self.playback.to_be_bytes()].concat());
        bytes.extend(self.title.iter().flatten());
        bytes
    }
}

/// What a device says has become of stored keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineSync {
    /// Version 1: how long a key has still to live.
    Remaining {
        /// The content.
        content: Block,
        /// Seconds to expiry.
        seconds: u32,
    },
    /// Version 2: a report, or the proof that keys were made unusable.
    Report {
        /// What the server asked to see again.
        challenge: [u8; 8],
        /// The bits named in [`sync_flag`].
        flags: u64,
        /// The title.
        title: Block,
        /// Seconds to expiry.
        seconds: u32,
        /// The contents that it is about; at most 250.
        contents: Vec<Block>,
    },
}

/// Bits of a sync report's flags.
pub mod sync_flag {
    /// A report of how long a key lives.
    pub const REPORT: u64 = 1;
    /// A key was made unusable.
    pub const SECURE_INVALIDATION: u64 = 1 << 1;
    /// All keys of the application were.
    pub const INVALIDATE_ALL: u64 = 1 << 2;
    /// The title is to be looked at.
    pub const TITLE_VALID: u64 = 1 << 3;
    /// It was done.
    pub const SUCCESS: u64 = 1 << 16;
    /// There was no such key.
    pub const NOT_FOUND: u64 = 1 << 17;
    /// The key had expired.
    pub const EXPIRED: u64 = 1 << 18;
}

const CONTENTS_LIMIT: usize = 250;

impl OfflineSync {
    /// Reads the value of [`tag::OFFLINE_SYNC`]; `None` for version 0, which says nothing.
    ///
    /// # Errors
    /// [`Malformed::Form`] for other sizes and versions, and for more than 250 contents.
    pub fn read(value: &[u8]) -> Result<Option<Self>, Malformed> {
        let malformed = || form(tag::OFFLINE_SYNC, value);
        let mut bytes = Bytes::new(value);
        let version = bytes.u32().map_err(|_| malformed())?;
        bytes.u32().map_err(|_| malformed())?;
        let read = match version {
            0 => return Ok(None),
            1 => Self::remaining(&mut bytes),
            2 => Self::report(&mut bytes),
            _ => return Err(malformed()),
        };
        read.ok().filter(|_| bytes.rest().is_empty()).map(Some).ok_or_else(malformed)
    }

    fn remaining(bytes: &mut Bytes<'_>) -> Result<Self, Malformed> {
        Ok(Self::Remaining { content: bytes.array()?, seconds: bytes.u32()? })
    }

    fn report(bytes: &mut Bytes<'_>) -> Result<Self, Malformed> {
        let (challenge, flags, title, seconds) = (bytes.array()?, bytes.u64()?, bytes.array()?, bytes.u32()?);
        let count = bytes.length()?;
        if count > CONTENTS_LIMIT {
            return Err(Malformed::Trailing(count));
        }
        let contents = (0..count).map(|_| bytes.array()).collect::<Result<_, _>>()?;
        Ok(Self::Report { challenge, flags, title, seconds, contents })
    }

    /// The value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Remaining { content, seconds } => {
                [&1_u32.to_be_bytes()[..], &[0; 4], content, &seconds.to_be_bytes()].concat()
            }
            Self::Report { challenge, flags, title, seconds, contents } => {
                let head = [&2_u32.to_be_bytes()[..], &[0; 4], challenge, &flags.to_be_bytes(), title];
                let count = super::bytes::length_field(contents.len());
                [&head.concat()[..], &seconds.to_be_bytes(), &count, &contents.concat()].concat()
            }
        }
    }
}

fn sized(tag: u64, value: &[u8], sizes: &[usize]) -> Result<(), Malformed> {
    if sizes.contains(&value.len()) { Ok(()) } else { Err(form(tag, value)) }
}
