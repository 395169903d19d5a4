//! The plan: everything that will be fetched, and the local playlists, as plain data.

mod book;
mod draft;
mod encryption;
mod extension;
mod file;
mod inputs;
mod locate;
mod requests;

use std::time::Duration;

use camino::Utf8PathBuf;
use hls_parse::{MediaPlaylist, Playlist};
use thiserror::Error;

use crate::estimate::Estimate;
use crate::item::{Sidecar, TrackKind};
use crate::layout;
use crate::select::Selection;

pub(crate) use crate::resource::{Extension, Extent, Fetch, FetchId, Length, Resource, Role, UriRef};
pub(crate) use book::{KeyTarget, Links, Target};
pub(crate) use draft::draft;
pub(crate) use encryption::is_license_key;
pub(crate) use file::{Access, RemoteFile, plan_file};
pub(crate) use inputs::{Input, Track};
pub use locate::Locator;

/// A playlist as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its URL after redirects: what its relative URIs are resolved against.
    pub url: String,
    /// Its text, byte for byte.
    pub text: Vec<u8>,
}

/// The playlists of an item as they were fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginSet {
    /// What the item's URL gave: a multivariant or a media playlist.
    pub entry: Origin,
    /// The chosen media playlists, in the order of `Selection::playlists`; empty when `entry` is one itself.
    pub media: Vec<Origin>,
}

impl OriginSet {
    /// The playlist that plans call `number`: 0 is the entry, the media playlists follow.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Origin> {
        match number.checked_sub(1) {
            None => Some(&self.entry),
            Some(index) => self.media.get(usize::try_from(index).ok()?),
        }
    }
}

/// All that will be fetched for an item: equal inputs make equal plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The local media playlists; their number in local names is their place here.
    pub playlists: Vec<PlannedPlaylist>,
    /// The remote files.
    pub resources: Vec<Resource>,
    /// The requests, by media time: a [`FetchId`] is a place here.
    pub fetches: Vec<Fetch>,
    /// How long the first playlist plays.
    pub duration: Duration,
    /// How many bytes are expected.
    pub estimate: Estimate,
    /// What a player opens.
    pub master: Master,
}

/// Which local playlist a player opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Master {
    /// The local multivariant playlist.
    Multivariant,
    /// The only media playlist: the item's URL gave no multivariant one.
    Media,
    /// The media file itself: the item's URL gave no playlist.
    File,
}

/// A media playlist that becomes local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlannedPlaylist {
    /// What it carries.
    pub kind: TrackKind,
    /// Which playlist of the [`OriginSet`] it is made from.
    pub origin: u32,
    /// How long it plays.
    pub duration: Duration,
}

/// A plan, the local playlists that belong to it, and what they lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What is fetched.
    pub plan: Plan,
    /// The local playlists, complete.
    pub local: Vec<LocalPlaylist>,
    /// What the local playlists lack that the origin's have.
    pub dropped: Vec<Dropped>,
}

/// A local playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPlaylist {
    /// Its file, relative to the item's media folder.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: Vec<u8>,
}

/// A line or attribute that is not in the local playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Which playlist of the [`OriginSet`] it stood in.
    pub origin: u32,
    /// Its line, counted from 1.
    pub line: u32,
    /// The tag, or tag and attribute.
    pub what: String,
    /// Why.
    pub reason: DropReason,
}

/// Why a line or attribute is not in the local playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum DropReason {
    /// A variant, rendition or I-frame list that was not chosen.
    #[error("not chosen")]
    NotChosen,
    /// A group attribute whose group has nothing left.
    #[error("its group has nothing left")]
    EmptyGroup,
    /// It would send a player to another server.
    #[error("it would send a player online")]
    Online,
    /// It belongs to live playback.
    #[error("it belongs to live playback")]
    LiveOnly,
    /// It can't be right in a local playlist, which says the same in other words.
    #[error("written out")]
    WrittenOut,
    /// A key or map that no segment needs.
    #[error("no segment needs it")]
    Unused,
    /// It is not allowed where it stands.
    #[error("not allowed there")]
    Misplaced,
}

/// The presentation can't be downloaded, and where.
///
/// URIs are shown without their query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A playlist has no end: it is live, or still being written.
    #[error("the playlist {playlist} is live: it has no EXT-X-ENDLIST")]
    Live {
        /// The playlist.
        playlist: String,
    },
    /// A playlist has no segment that could be fetched.
    #[error("the playlist {playlist} has no segments")]
    Empty {
        /// The playlist.
        playlist: String,
    },
    /// A playlist is an update to another one that is not there.
    #[error("the playlist {playlist} is a delta update")]
    DeltaUpdate {
        /// The playlist.
        playlist: String,
    },
    /// A segment or map is encrypted by a method that no player could be given the key for.
    #[error("the playlist {playlist}, line {line}: unsupported encryption `{method}`")]
    UnsupportedEncryption {
        /// The playlist.
        playlist: String,
        /// The line of the EXT-X-KEY.
        line: u32,
        /// METHOD.
        method: String,
    },
    /// An encrypted map without an IV attribute (RFC 8216 4.3.2.5).
    #[error("the playlist {playlist}, line {line}: an encrypted EXT-X-MAP needs a key with an IV")]
    MapWithoutIv {
        /// The playlist.
        playlist: String,
        /// The line of the EXT-X-MAP.
        line: u32,
    },
    /// A URI with a scheme that is not fetched.
    #[error(
        "the playlist {playlist}, line {line}: the scheme `{scheme}` is not fetched, only http and https"
    )]
    SchemeNotAllowed {
        /// The playlist.
        playlist: String,
        /// The line, 0 for a sidecar.
        line: u32,
        /// The scheme.
        scheme: String,
    },
    /// A URI that can't be resolved.
    #[error("the playlist {playlist}, line {line}: not a URI that can be fetched")]
    InvalidUri {
        /// The playlist.
        playlist: String,
        /// The line, 0 for a sidecar.
        line: u32,
    },
    /// There is a playlist too few or too many for the selection.
    #[error("{found} media playlists were given where {expected} are chosen")]
    WrongPlaylists {
        /// How many the selection wants.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// More files or bytes than can be counted.
    #[error("the presentation is larger than can be planned")]
    TooLarge,
    /// A playlist can't be made local.
    #[error("the playlist {playlist} can't be made local: {reason}")]
    Rewrite {
        /// The playlist.
        playlist: String,
        /// Why.
        reason: String,
    },
}

/// Plans the download of what was fetched and chosen. No I/O; equal inputs give equal plans.
///
/// `entry` and `media` are the parsed texts of `origins`, in the same order. `selection` belongs to
/// a multivariant `entry`; a media playlist is planned as the single stream that it is.
///
/// # Errors
/// [`PlanError`] when the presentation can't be downloaded as a whole: it is live, encrypted in a
/// way that is not known, or asks for a scheme that is not fetched.
pub fn plan(
    origins: &OriginSet,
    entry: &Playlist<'_>,
    media: &[MediaPlaylist<'_>],
    selection: Option<&Selection>,
    sidecars: &[Sidecar],
) -> Result<Planned, PlanError> {
    let chosen = match (entry, selection) {
        (Playlist::Multivariant(multivariant), Some(selection)) => Some((multivariant, selection)),
        _ => None,
    };
    draft(origins, entry, media, selection)?.planned(origins, chosen, sidecars)
}

impl Plan {
    /// The resource of that number.
    #[must_use]
    pub fn resource(&self, number: u32) -> Option<&Resource> {
        self.resources.get(usize::try_from(number).ok()?)
    }

    /// Every fetch of a resource.
    #[must_use]
    pub fn fetches_of(&self, resource: u32) -> Vec<FetchId> {
        let fetches = self.fetches.iter().zip((0..).map(FetchId));
        fetches.filter(|(fetch, _)| fetch.resource == resource).map(|(_, id)| id).collect()
    }

    /// The local file of a resource, relative to the item's media folder.
    #[must_use]
    pub fn file_of(&self, resource: &Resource) -> Utf8PathBuf {
        let playlist = usize::try_from(resource.playlist).ok().and_then(|at| self.playlists.get(at));
        let kind = playlist.map_or(TrackKind::Video, |playlist| playlist.kind);
        layout::media_name(resource.role, kind, resource.playlist, resource.number, resource.extension)
    }

    /// The local file that a player opens, relative to the item's media folder.
    #[must_use]
    pub fn master_file(&self) -> Utf8PathBuf {
        match (self.master, self.playlists.first()) {
            (Master::Media, Some(only)) => layout::playlist_name(only.kind, 0),
            (Master::File, _) => self.resources.first().map(|file| self.file_of(file)).unwrap_or_default(),
            (Master::Media, None) | (Master::Multivariant, _) => Utf8PathBuf::from(layout::MASTER),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
