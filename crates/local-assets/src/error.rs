//! Why an asset cannot be registered.

use std::io;

use camino::Utf8PathBuf;
use dtg_core::ItemId;
use fairplay_keys::KeyUri;
use thiserror::Error as ThisError;

/// An asset that cannot be registered: which one, and why.
#[derive(Debug, ThisError)]
#[error("asset `{asset}`: {kind}")]
pub struct Error {
    asset: ItemId,
    kind: ErrorKind,
}

/// What to branch on. Files are named relative to the asset's folder.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is protected by FairPlay, by what its source states or by the keys of its playlists.
    #[error("protected by FairPlay, whose keys are not obtained for offline use yet{}", named(.keys))]
    FairPlayNotSupported {
        /// The keys that its playlists name; none when only the source says FairPlay.
        keys: Vec<KeyUri>,
    },
    /// It is encrypted with keys of another DRM system only.
    #[error("protected by DRM other than FairPlay (KEYFORMAT `{key_format}`)")]
    OtherDrm {
        /// KEYFORMAT of such a key.
        key_format: String,
    },
    /// A playlist of its folder cannot be read.
    #[error("`{file}`: {cause}")]
    Unreadable {
        /// The playlist.
        file: Utf8PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A playlist of its folder is not one.
    #[error("`{file}`: {cause}")]
    Playlist {
        /// The playlist.
        file: Utf8PathBuf,
        /// What is wrong with it.
        cause: hls_parse::Error,
    },
    /// A multivariant playlist stands where a media playlist is due.
    #[error("`{file}`: a multivariant playlist where a media playlist is due")]
    Nested {
        /// The playlist.
        file: Utf8PathBuf,
    },
    /// A playlist refers to something outside the folder, so it would not play without a network.
    #[error("`{file}`: refers to `{reference}`, which is not in the folder")]
    NotLocal {
        /// The playlist.
        file: Utf8PathBuf,
        /// What it refers to, without query.
        reference: String,
    },
}

impl Error {
    pub(crate) const fn new(asset: ItemId, kind: ErrorKind) -> Self {
        Self { asset, kind }
    }

    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The asset.
    #[must_use]
    pub const fn asset(&self) -> &ItemId {
        &self.asset
    }
}

fn named(keys: &[KeyUri]) -> String {
    match keys {
        [] => String::new(),
        [key] => format!(" (key `{key}`)"),
        [key, others @ ..] => format!(" (key `{key}` and {} more)", others.len()),
    }
}
