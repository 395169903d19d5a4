//! The facade: from an entry to a source, from a downloaded item to a local entry.

use camino::Utf8Path;
use dtg_core::ItemLocation;
use media_entry::{Choice, MediaEntry, MediaSource, NoSource, Platform, Policy, for_download};

use crate::error::Error;
use crate::local_entry::{local_entry, path_text};
use crate::register::{Registration, register};

/// Picks the source to download, registers what was downloaded, makes entries that play without a network.
///
/// Holds nothing but what the platform can do: the items are the [`ContentManager`](dtg_core::ContentManager)'s, the
/// entries are the application's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAssetsManager {
    platform: Platform,
    policy: Policy,
}

impl LocalAssetsManager {
    /// A manager for what plays on this platform, with [`Policy::SeedGates`].
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        Self { platform, policy: Policy::default() }
    }

    /// The same manager with another policy.
    #[must_use]
    pub const fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The source of the entry to download, the mechanism to do it with, and why.
    ///
    /// # Errors
    /// [`NoSource`] when none can be downloaded here; it says why of each.
    pub fn preferred_downloadable_media_source<'a>(
        &self,
        entry: &'a MediaEntry,
    ) -> Result<Choice<'a>, NoSource> {
        for_download(entry, &self.platform, self.policy)
    }

    /// Makes sure that a downloaded asset has all it needs to play. May be called again at any time.
    ///
    /// What is needed is judged by the source's DRM and by the keys in the playlists that were downloaded, which are
    /// read here, and nothing else is: no network. Clear content, and content whose key files were downloaded with it,
    /// needs nothing.
    ///
    /// # Errors
    /// [`ErrorKind::FairPlayNotSupported`](crate::ErrorKind::FairPlayNotSupported) when it needs FairPlay keys,
    /// [`ErrorKind::OtherDrm`](crate::ErrorKind::OtherDrm) when it needs other licenses; otherwise a playlist of the
    /// folder cannot be read.
    pub fn register_downloaded_asset(
        &self,
        location: &ItemLocation,
        source: &MediaSource,
    ) -> Result<Registration, Error> {
        register(location, source)
    }

    /// The entry as it plays from a downloaded item: one source, local subtitles, local picture.
    ///
    /// Their addresses are paths relative to the manager's root, with `/` between the names, so that the entry may be
    /// stored and the root may move. All else of the entry is kept; subtitles and a picture that were not downloaded
    /// are left out, since they would send a player online. Without an entry at hand, [`MediaEntry::new`] with the
    /// asset's id will do: subtitles and picture come from the item.
    #[must_use]
    pub fn create_local_media_entry(&self, entry: &MediaEntry, location: &ItemLocation) -> MediaEntry {
        local_entry(entry, location, |file| path_text(&location.folder.join(file)))
    }

    /// The same, with the address that `address` gives each file; it gets the path within the item's folder.
    ///
    /// For an entry that a player opens as it is, as with the playback server's URLs. Do not store such an entry.
    #[must_use]
    pub fn create_local_media_entry_at(
        &self,
        entry: &MediaEntry,
        location: &ItemLocation,
        address: impl Fn(&Utf8Path) -> String,
    ) -> MediaEntry {
        local_entry(entry, location, address)
    }
}
