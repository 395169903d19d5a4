//! What a look at every byte of an item finds.

use std::fmt;

use camino::Utf8PathBuf;

use crate::item::ItemId;

/// What [`ContentManager::verify_item`](crate::ContentManager::verify_item) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The item.
    pub id: ItemId,
    /// Parts and local playlists that are as they were recorded.
    pub sound: u32,
    /// Bytes of those.
    pub sound_bytes: u64,
    /// What is not. A part is not counted as done any more, and fetched anew when the item is started. A kept playlist
    /// of the origin (`../origin/...`) leaves the item as it is, for nothing plays it; a repair fetches it again.
    pub damage: Vec<Damage>,
    /// Files, folders and links in the media folder that do not belong there. They do no harm, and stay.
    pub extra: Vec<Utf8PathBuf>,
}

impl Verification {
    /// Whether everything is as it was recorded.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }
}

/// A part, a local playlist or a kept one of the origin that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its file, relative to [`ItemLocation::folder`](crate::ItemLocation::folder).
    pub file: Utf8PathBuf,
    /// Where it begins in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such file, or it was never recorded as done.
    Missing,
    /// A link, a folder or something else stands in the file's place, or in that of a folder above it.
    NotAFile,
    /// The file has another length.
    Length {
        /// Which.
        found: u64,
    },
    /// It has other bytes.
    Bytes,
    /// It can't be read; says why.
    Unreadable(String),
}

impl Fault {
    /// The fault's fixed name, as listings spell it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotAFile => "not-a-file",
            Self::Length { .. } => "length",
            Self::Bytes => "bytes",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is missing"),
            Self::NotAFile => f.write_str("a link or a folder stands in its place"),
            Self::Length { found } => write!(f, "its file has {found} bytes"),
            Self::Bytes => f.write_str("its bytes are not those that came"),
            Self::Unreadable(why) => write!(f, "it can't be read: {why}"),
        }
    }
}
