//! Whose keys they are.

use std::fmt;

use thiserror::Error as ThisError;

/// An asset's id, as the application gives it: 1 to 1024 bytes; never a path, compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(String);

/// An id that is empty or longer than 1024 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("an asset's id has 1 to 1024 bytes")]
pub struct InvalidAssetId;

impl AssetId {
    /// Checks and takes an id.
    ///
    /// # Errors
    /// [`InvalidAssetId`] when it is empty or too long.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidAssetId> {
        let id = id.into();
        if (1..=1024).contains(&id.len()) { Ok(Self(id)) } else { Err(InvalidAssetId) }
    }

    /// The id as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
