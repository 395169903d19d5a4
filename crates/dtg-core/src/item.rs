//! What the manager keeps for an application: items, their tracks, and where they play from.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::cause::StoredFailure;
use crate::layout;
use crate::state::ItemState;

/// An item's id: as the application gave it, never a path.
///
/// 1 to 255 bytes of UTF-8 without control characters; compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(String);

/// An id that is empty, longer than 255 bytes, or holds a control character.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an item id is 1 to 255 bytes without control characters")]
pub struct InvalidItemId;

impl ItemId {
    /// Checks and takes an id.
    ///
    /// # Errors
    /// [`InvalidItemId`] when it is empty, too long or holds a control character.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidItemId> {
        let id = id.into();
        if id.is_empty() || id.len() > 255 || id.chars().any(char::is_control) {
            return Err(InvalidItemId);
        }
        Ok(Self(id))
    }

    /// The id as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for a file or folder of it: each id has its own, also where file systems fold case.
    #[must_use]
    pub fn file_name(&self) -> String {
        layout::folder_of(self)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ItemId {
    type Err = InvalidItemId;

    fn from_str(id: &str) -> Result<Self, InvalidItemId> {
        Self::new(id)
    }
}

/// A file beside the presentation that is downloaded with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// What the file is for.
    pub role: SidecarRole,
    /// Where it is fetched from: http or https.
    pub url: String,
    /// Its language as the application names it (BCP 47 or ISO 639), for subtitles.
    pub language: Option<String>,
    /// Its name for people, for subtitles.
    pub name: Option<String>,
    /// Its MIME type, when the application knows it.
    pub mime_type: Option<String>,
}

/// What a sidecar is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SidecarRole {
    /// External subtitles in one file (WebVTT, SRT, TTML).
    Subtitle,
    /// The item's picture.
    Thumbnail,
}

/// A sidecar and its local file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSidecar {
    /// What was asked for.
    pub sidecar: Sidecar,
    /// The file, relative to [`ItemLocation::folder`].
    pub file: Utf8PathBuf,
}

/// Where a completed item plays from.
///
/// Store the id, or `folder` and `master`: they stay true when the root is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemLocation {
    /// The item.
    pub id: ItemId,
    /// The manager's folder.
    pub root: Utf8PathBuf,
    /// The presentation's folder, relative to `root`: it holds what plays and nothing else.
    pub folder: Utf8PathBuf,
    /// The file that a player opens, relative to `folder`.
    pub master: Utf8PathBuf,
    /// The sidecars that were downloaded with the item.
    pub sidecars: Vec<LocalSidecar>,
}

impl ItemLocation {
    /// The presentation's folder.
    #[must_use]
    pub fn folder_path(&self) -> Utf8PathBuf {
        self.root.join(&self.folder)
    }

    /// The file that a player opens.
    #[must_use]
    pub fn master_path(&self) -> Utf8PathBuf {
        self.folder_path().join(&self.master)
    }
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackKind {
    /// Pictures (with sound, where the variant has it inside).
    Video,
    /// Sound.
    Audio,
    /// Subtitles.
    Text,
}

/// A rendition or variant of a presentation, as an application lists it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Track {
    /// What it carries.
    pub kind: TrackKind,
    /// LANGUAGE as the playlist has it.
    pub language: Option<String>,
    /// NAME as the playlist has it.
    pub title: Option<String>,
}

/// One item as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Where it comes from; may hold a token.
    pub url: String,
    /// Where it rests, or in progress.
    pub state: ItemState,
    /// Expected size of all its files in bytes; known once metadata is loaded.
    pub estimated_bytes: Option<u64>,
    /// Bytes of it on disk.
    pub downloaded_bytes: u64,
    /// From 0 to 1; 1 only when completed.
    pub completed_fraction: f64,
    /// Playing time of the longest track; known once metadata is loaded.
    pub duration: Option<Duration>,
    /// Tracks that could have been chosen beside the variant.
    pub available_tracks: Vec<Track>,
    /// Tracks that were chosen.
    pub selected_tracks: Vec<Track>,
    /// Fetches in its plan.
    pub fetches: u32,
    /// Fetches that are done.
    pub fetches_done: u32,
    /// Why it is interrupted or failed; kept over a restart.
    pub failure: Option<StoredFailure>,
    /// Whether no quota removes it.
    pub pinned: bool,
    /// From when on it is the first that a quota removes.
    pub expires_at: Option<SystemTime>,
    /// When it was last said to be played.
    pub played_at: Option<SystemTime>,
}

/// An item to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Its id, new to this manager.
    pub id: ItemId,
    /// The playlist: http or https.
    pub url: String,
    /// Files to download with it.
    pub sidecars: Vec<Sidecar>,
}
