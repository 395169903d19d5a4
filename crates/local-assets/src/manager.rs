//! The facade: from an entry to a source, from a downloaded item to a local entry.

use camino::Utf8Path;
use dtg_core::{ContentManager, ItemId, ItemLocation, RemoteAsset};
use fairplay_keys::{
    AssetStatus, Cancel, DueKey, Engine, KeyError, KeyUri, LicenseSource, PendingRelease, Released, Timestamp,
};
use media_entry::{Choice, MediaEntry, MediaSource, NoSource, Platform, Policy, for_download};

use crate::download::Downloads;
use crate::error::{Error, ErrorKind};
use crate::fair_play::{Delivery, FairPlay, FairPlaySetup, asset_of};
use crate::key_loader::FairPlayKeyLoader;
use crate::local_entry::{local_entry, path_text};
use crate::register::{Effort, Registration, register};
use crate::remove::{Recovery, Removed, remove_download, remove_item};

/// Picks the source to download, registers what was downloaded, makes entries that play without a network.
///
/// The items are the [`ContentManager`]'s, the entries are the application's. What the manager keeps itself are the keys of
/// protected assets, under their ids; clones share them.
#[derive(Debug, Clone)]
pub struct LocalAssetsManager {
    platform: Platform,
    policy: Policy,
    pub(crate) fair_play: Option<FairPlay>,
}

impl LocalAssetsManager {
    /// A manager for what plays on this platform, with [`Policy::SeedGates`], and without FairPlay.
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        Self { platform, policy: Policy::default(), fair_play: None }
    }

    /// The same manager set up for FairPlay. What a crash cut off is finished by [`LocalAssetsManager::recover`].
    ///
    /// # Errors
    /// [`KeyErrorKind::Store`](fairplay_keys::KeyErrorKind::Store): the key store cannot be opened.
    pub fn with_fair_play(self, setup: FairPlaySetup) -> Result<Self, KeyError> {
        let platform = self.platform.with_content_key_system();
        Ok(Self { platform, fair_play: Some(FairPlay::open(setup)?), ..self })
    }

    /// The same manager with another policy.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
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
    /// What is needed is judged by the source's DRM and by the keys in the playlists that were downloaded. Clear content,
    /// and content whose key files were downloaded with it, needs nothing. For FairPlay every key that the downloaded
    /// tracks use is obtained; those that are stored and valid stay, and keys that were obtained stay when another fails.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] for a key that cannot be had; [`ErrorKind::NoSessionKey`], [`ErrorKind::LicenseParams`] for what
    /// the presentation or its source lack; [`ErrorKind::FairPlayNotSupported`] from a manager that was not set up for it,
    /// [`ErrorKind::OtherDrm`] for other licenses; otherwise a playlist of the folder cannot be read.
    pub fn register_downloaded_asset(
        &self,
        location: &ItemLocation,
        source: &MediaSource,
    ) -> Result<Registration, Error> {
        self.register_downloaded_asset_until(location, source, &Cancel::new())
    }

    /// The same, until it is cancelled.
    ///
    /// # Errors
    /// As [`LocalAssetsManager::register_downloaded_asset`].
    pub fn register_downloaded_asset_until(
        &self,
        location: &ItemLocation,
        source: &MediaSource,
        cancel: &Cancel,
    ) -> Result<Registration, Error> {
        register(self.fair_play.as_ref(), location, source, Effort::Register, cancel)
    }

    /// Obtains new licenses for all keys of a downloaded asset. The old keys stay until the new ones are stored; when the
    /// renewal fails, they are in place.
    ///
    /// # Errors
    /// As [`LocalAssetsManager::register_downloaded_asset`].
    pub fn renew_downloaded_asset(
        &self,
        location: &ItemLocation,
        source: &MediaSource,
        cancel: &Cancel,
    ) -> Result<Registration, Error> {
        register(self.fair_play.as_ref(), location, source, Effort::Renew, cancel)
    }

    /// Gives up the keys of an asset, by its id alone: its media may be gone. May be called again.
    ///
    /// Its media stay: an unregistering that a crash cut off is finished by [`LocalAssetsManager::recover`] without touching
    /// them. Keys that other assets use stay. The proofs for the license server wait for
    /// [`LocalAssetsManager::deliver_releases`], which needs a network. Without a key store there is nothing to give up.
    ///
    /// # Errors
    /// [`ErrorKind::Key`]: the key store failed.
    pub fn unregister_downloaded_asset(&self, id: &ItemId) -> Result<Vec<(KeyUri, Released)>, Error> {
        let Some(fair_play) = &self.fair_play else { return Ok(Vec::new()) };
        fair_play.engine.release(&asset_of(id)).map_err(|error| Error::new(id.clone(), error.into()))
    }

    /// Hands the proofs of keys that were given up over to the license services that the keys came from, each to its own.
    /// Those that are not taken wait on; the result says of each what became of it.
    ///
    /// Where an address has run out, or is not known, [`LocalAssetsManager::deliver_release`] takes a source's.
    ///
    /// # Errors
    /// [`ErrorKind::Key`]: the key store cannot be read.
    pub fn deliver_releases(&self, cancel: &Cancel) -> Result<Vec<Delivery>, Error> {
        let Some(fair_play) = &self.fair_play else { return Ok(Vec::new()) };
        let pending = fair_play.engine.pending_releases().map_err(|error| Error::of_all(error.into()))?;
        Ok(pending.into_iter().map(|release| fair_play.deliver(release, cancel)).collect())
    }

    /// Hands one proof over to the license service of this source.
    ///
    /// # Errors
    /// [`ErrorKind::FairPlayNotSupported`], [`ErrorKind::LicenseParams`]; [`ErrorKind::Key`]: why the service has not taken it.
    pub fn deliver_release(
        &self,
        release: &PendingRelease,
        source: &MediaSource,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let service = self.license_source(source)?.service();
        let delivered = self.keys().map_or(Ok(()), |keys| keys.deliver_release(release, &service, cancel));
        delivered.map_err(|error| Error::of_all(error.into()))
    }

    /// What is known of an asset's keys: which are stored, and what is left of their time. `None`: it has none.
    ///
    /// # Errors
    /// [`ErrorKind::Key`]: the key store failed.
    pub fn license_expiration_info(&self, id: &ItemId) -> Result<Option<AssetStatus>, Error> {
        let Some(fair_play) = &self.fair_play else { return Ok(None) };
        fair_play.engine.status(&asset_of(id)).map_err(|error| Error::new(id.clone(), error.into()))
    }

    /// The keys that should be renewed by this time, the most urgent first, with the assets that use them.
    ///
    /// # Errors
    /// The key store failed.
    pub fn due(&self, by: Timestamp) -> Result<Vec<DueKey>, KeyError> {
        self.fair_play.as_ref().map_or(Ok(Vec::new()), |fair_play| fair_play.engine.due(by))
    }

    /// Removes an asset: its keys first, then its media. May be called again.
    ///
    /// That it is being removed is recorded before anything else, so that what a crash cuts off is finished by
    /// [`LocalAssetsManager::recover`]; from then on it plays no more.
    ///
    /// # Errors
    /// [`ErrorKind::Key`]: the key store failed; [`ErrorKind::Media`]: the media are still there.
    pub fn remove(&self, content: &ContentManager, id: &ItemId) -> Result<Removed, Error> {
        crate::remove::remove(self.fair_play.as_ref(), id, || remove_item(content, id))
    }

    /// Removes whatever [`LocalAssetsManager::download`] made of an entry, by either mechanism, finished or not: its keys first,
    /// then its media. May be called again, and finishes what a crash cut off of itself.
    ///
    /// # Errors
    /// As [`LocalAssetsManager::remove`].
    pub fn remove_download(&self, id: &ItemId, from: &Downloads<'_>) -> Result<Removed, Error> {
        crate::remove::remove(self.fair_play.as_ref(), id, || remove_download(from, id))
    }

    /// Finishes what a crash cut off: removals, and the unregistering of assets, whose media stay. Call it once, before anything
    /// else. What fails for one asset is in the result, and holds up no other.
    ///
    /// # Errors
    /// [`ErrorKind::Key`]: the key store cannot be listed.
    pub fn recover(&self, content: &ContentManager) -> Result<Recovery, Error> {
        crate::remove::recover(self.fair_play.as_ref(), |id| remove_item(content, id))
    }

    /// The same where asset download tasks downloaded, too.
    ///
    /// # Errors
    /// As [`LocalAssetsManager::recover`].
    pub fn recover_downloads(&self, of: &Downloads<'_>) -> Result<Recovery, Error> {
        crate::remove::recover(self.fair_play.as_ref(), |id| remove_download(of, id))
    }

    /// Who answers the platform's requests for keys, delivers proofs of released ones, and imports others; `None` without
    /// FairPlay.
    #[must_use]
    pub fn keys(&self) -> Option<&Engine> {
        self.fair_play.as_ref().map(|fair_play| &fair_play.engine)
    }

    /// Prepares the asset of a source for an [`AssetDownloadTask`](dtg_core::AssetDownloadTask): for FairPlay it gets
    /// somebody who obtains its keys during the download, so that it is registered once it is complete. Others stay as
    /// they are.
    ///
    /// # Errors
    /// [`ErrorKind::NoSource`] where its keys can't be kept on this platform, or the policy rules it out;
    /// [`ErrorKind::FairPlayNotSupported`], [`ErrorKind::LicenseParams`].
    pub fn prepare_for_download(
        &self,
        asset: RemoteAsset,
        source: &MediaSource,
    ) -> Result<RemoteAsset, Error> {
        let id = &asset.id;
        if !source.is_fair_play() {
            return Ok(asset);
        }
        let loader = self.key_loader(id, source)?;
        // Also a source that the application picked itself is held against platform and policy.
        let alone = MediaEntry { sources: vec![source.clone()], ..MediaEntry::new(id.as_str()) };
        let choice = self.preferred_downloadable_media_source(&alone);
        choice.map_err(|none| Error::new(id.clone(), none.into()))?;
        Ok(asset.with_key_loader(loader))
    }

    /// The same for the source of an entry that is to be downloaded, which is given back too.
    ///
    /// # Errors
    /// [`ErrorKind::NoSource`] when none can be downloaded here, [`ErrorKind::Id`] when the entry's id is no item's;
    /// otherwise as [`LocalAssetsManager::prepare_for_download`].
    pub fn prepare_entry_for_download<'a>(
        &self,
        entry: &'a MediaEntry,
    ) -> Result<(RemoteAsset, &'a MediaSource), Error> {
        let id = ItemId::new(entry.id.as_str()).map_err(|error| Error::of_all(error.into()))?;
        let choice = self.preferred_downloadable_media_source(entry);
        let source = choice.map_err(|none| Error::new(id.clone(), none.into()))?.source;
        Ok((self.prepare_for_download(RemoteAsset::new(id, source.url.as_str()), source)?, source))
    }

    /// Where the licenses of a source come from, for [`Engine::answer_online`].
    ///
    /// # Errors
    /// [`ErrorKind::FairPlayNotSupported`], [`ErrorKind::LicenseParams`].
    pub fn license_source(&self, source: &MediaSource) -> Result<LicenseSource, Error> {
        let none = || Error::of_all(ErrorKind::FairPlayNotSupported { keys: Vec::new() });
        self.fair_play.as_ref().ok_or_else(none)?.service.of(source).map_err(Error::of_all)
    }

    fn key_loader(&self, id: &ItemId, source: &MediaSource) -> Result<FairPlayKeyLoader, Error> {
        let fault = |kind| Error::new(id.clone(), kind);
        let none = || fault(ErrorKind::FairPlayNotSupported { keys: Vec::new() });
        let fair_play = self.fair_play.as_ref().ok_or_else(none)?;
        let license = fair_play.service.of(source).map_err(fault)?;
        Ok(FairPlayKeyLoader { engine: fair_play.engine.clone(), license })
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
