//! Where keys are kept.

mod memory;

use std::fmt;
use std::sync::Arc;

use thiserror::Error as ThisError;

use crate::asset::AssetId;
use crate::key_uri::KeyUri;
use crate::secret::SecretBytes;

pub use memory::{MemoryStore, NoStore};

/// Keeps records under names, each with a generation: what a key engine asks of a disk, a keychain or a database.
///
/// A record is replaced as a whole: whoever reads sees the old one or the new one, also after a crash, and once
/// [`KeyStore::put`] returns, the new one is durable. Records hold keys: they belong to the user alone. The conformance
/// suite (feature `testing`) says all this as tests.
pub trait KeyStore: Send + Sync + fmt::Debug {
    /// The record of this name.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a damaged one, which is put aside; what else the store says.
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError>;

    /// Puts a record in the place of the one of generation `expected`; [`Generation::ABSENT`] where there must be none.
    ///
    /// The new generation is one that this name never had since the store was opened.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another generation is there: nothing was changed. With any other error the old record is
    /// there or the new one, whole; which of them a power cut leaves is not known until the next [`KeyStore::put`] succeeds.
    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError>;

    /// Removes the record of this generation; fine when there is none. Once it returns, that is durable, also where an earlier
    /// call did the removing and failed to make it so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another generation is there: nothing was changed.
    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError>;

    /// The names of all records, in any order; damaged ones are put aside and left out.
    ///
    /// # Errors
    /// What the store says.
    fn list(&self) -> Result<Vec<Slot>, StoreError>;
}

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Slot {
    /// A key.
    Key(KeyUri),
    /// Which keys an asset has.
    Asset(AssetId),
    /// A key that was given up, until its server knows.
    Release(KeyUri),
    /// The latest time that the clock showed.
    Clock,
}

/// Tells versions of a record apart; 0 is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// A record and its generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: SecretBytes,
    /// Its generation.
    pub generation: Generation,
}

/// What a store refuses or fails at.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum StoreError {
    /// Another generation is there.
    #[error("the record was changed meanwhile (generation {})", .current.0)]
    Conflict {
        /// What is there; [`Generation::ABSENT`] for nothing.
        current: Generation,
    },
    /// A record is damaged; it was put aside, not deleted.
    #[error("the record `{name}` is damaged ({why}) and was put aside")]
    Corrupt {
        /// The file or entry.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store is not one that keys may be put in: others could read it, or it is somebody else's.
    #[error("`{name}`: {why}")]
    Refused {
        /// The file or folder.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// Another process has it.
    #[error("another process has the key store open")]
    Busy,
    /// There is no space left.
    #[error("no space left for keys")]
    Full,
    /// The application chose to store no keys.
    #[error("there is no key store")]
    NoStore,
    /// Anything else.
    #[error("`{name}`: {why}")]
    Failed {
        /// The file, folder or entry.
        name: String,
        /// What the system says.
        why: String,
    },
}

impl Generation {
    /// There is no record.
    pub const ABSENT: Self = Self(0);
}

impl Slot {
    /// The name as text, one for each slot, for stores that need one. It holds the key URI or the id: hash it before it
    /// names a file.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Key(uri) => format!("key {uri}"),
            Self::Asset(id) => format!("asset {id}"),
            Self::Release(uri) => format!("release {uri}"),
            Self::Clock => "clock".to_owned(),
        }
    }

    /// The slot of a name.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "key" => KeyUri::new(name).ok().map(Self::Key),
            "release" => KeyUri::new(name).ok().map(Self::Release),
            "asset" => AssetId::new(name).ok().map(Self::Asset),
            "clock" if name.is_empty() => Some(Self::Clock),
            _ => None,
        }
    }
}

impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        (**self).get(slot)
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        (**self).put(slot, record, expected)
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        (**self).remove(slot, expected)
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        (**self).list()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_comes_back_from_its_text() {
        let uri = || KeyUri::new("skd://a b:00ff?x y").unwrap();
        let slots = [
            Slot::Key(uri()),
            Slot::Release(uri()),
            Slot::Asset(AssetId::new("1 ../x").unwrap()),
            Slot::Clock,
        ];
        for slot in slots {
            assert_eq!(Slot::from_text(&slot.to_text()), Some(slot));
        }
        for text in ["", "key x", "asset ", "clock x", "keys skd://a"] {
            assert_eq!(Slot::from_text(text), None, "{text}");
        }
    }
}
