//! Why an asset cannot be registered, renewed or removed.

use std::io;

use camino::Utf8PathBuf;
use dtg_core::ItemId;
use fairplay_keys::{KeyError, KeyUri};
use thiserror::Error as ThisError;

/// What cannot be done with an asset: which one, and why.
#[derive(Debug, ThisError)]
#[error("{}{kind}", shown(.asset.as_ref()))]
pub struct Error {
    asset: Option<ItemId>,
    kind: ErrorKind,
}

/// What to branch on. Files are named relative to the asset's folder.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is protected by FairPlay, by what its source states or by the keys of its playlists, and the manager was not set
    /// up for FairPlay.
    #[error("protected by FairPlay, which this manager is not set up for{}", named(.keys))]
    FairPlayNotSupported {
        /// The keys that its playlists name; none when only the source says FairPlay.
        keys: Vec<KeyUri>,
    },
    /// Its source says FairPlay, and no playlist of it names a key that could be asked for.
    #[error(
        "protected by FairPlay, and no playlist of it names a key: `{file}` lacks a line like `{MISSING_LINE}`. Kaltura's \
         backend writes it when \"Allow FairPlay Offline\" is switched on in the delivery profile"
    )]
    NoSessionKey {
        /// The multivariant playlist.
        file: Utf8PathBuf,
    },
    /// A key has to be asked for, and the source doesn't say where or with what.
    #[error("its source has no {what}, which a FairPlay license takes")]
    LicenseParams {
        /// What is missing.
        what: &'static str,
    },
    /// None of the entry's sources can be downloaded here.
    #[error(transparent)]
    NoSource(#[from] media_entry::NoSource),
    /// The entry's id is no item's.
    #[error(transparent)]
    Id(#[from] dtg_core::InvalidItemId),
    /// A key of it could not be obtained, kept or given up.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its media could not be removed; its keys are gone, and the rest goes with the next [`recover`](crate::LocalAssetsManager::recover).
    #[error("its media cannot be removed: {0}")]
    Media(dtg_core::Error),
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

/// What the multivariant playlist of a FairPlay asset has to have, with the asset's own key URI.
pub(crate) const MISSING_LINE: &str = "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://...\",\
     KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"";

/// What to say of a FairPlay presentation whose media name a key that no `EXT-X-SESSION-KEY` names: what is missing, and
/// what writes it. The key URI is shown without its query.
#[must_use]
pub fn missing_session_key(key_uri: &str) -> String {
    let shown = key_uri.split(['?', '#']).next().unwrap_or_default();
    let line = MISSING_LINE.replace("skd://...", shown);
    format!(
        "its media name the FairPlay key `{shown}` and no session key does, so players don't find the offline license before \
         playback: `{line}` is missing. Kaltura's backend writes it when \"Allow FairPlay Offline\" is switched on in the \
         delivery profile"
    )
}

impl Error {
    pub(crate) const fn new(asset: ItemId, kind: ErrorKind) -> Self {
        Self { asset: Some(asset), kind }
    }

    /// What concerns no asset more than another.
    pub(crate) const fn of_all(kind: ErrorKind) -> Self {
        Self { asset: None, kind }
    }

    /// What to branch on.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The asset, where one is concerned.
    #[must_use]
    pub const fn asset(&self) -> Option<&ItemId> {
        self.asset.as_ref()
    }
}

fn shown(asset: Option<&ItemId>) -> String {
    asset.map(|asset| format!("asset `{asset}`: ")).unwrap_or_default()
}

fn named(keys: &[KeyUri]) -> String {
    match keys {
        [] => String::new(),
        [key] => format!(" (key `{key}`)"),
        [key, others @ ..] => format!(" (key `{key}` and {} more)", others.len()),
    }
}
