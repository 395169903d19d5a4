//! Registering: what an asset needs to play, and whether it is there.

use dtg_core::{ItemId, ItemLocation};
use fairplay_keys::{KeyDemands, KeyUri, demands};
use media_entry::MediaSource;

use crate::error::{Error, ErrorKind};
use crate::folder::{LocalKey, PlaylistKeys, read_keys};

/// A downloaded asset has all it needs to play without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The asset: the item's id.
    pub asset: ItemId,
    /// How it is protected.
    pub protection: Protection,
}

/// How an asset is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protection {
    /// Not at all.
    Clear,
    /// Encrypted, with key files that were downloaded with it: AES-128, or SAMPLE-AES without DRM.
    KeyFiles,
}

pub(crate) fn register(location: &ItemLocation, source: &MediaSource) -> Result<Registration, Error> {
    let fault = |kind| Error::new(location.id.clone(), kind);
    let playlists = read_keys(location).map_err(fault)?;
    let protection = protection_of(&playlists, source).map_err(fault)?;
    Ok(Registration { asset: location.id.clone(), protection })
}

/// What the source states and what the playlists hold both count: either may be the only one to know.
fn protection_of(playlists: &[PlaylistKeys], source: &MediaSource) -> Result<Protection, ErrorKind> {
    let fair_play = demanded(playlists);
    if source.is_fair_play() || !fair_play.is_empty() {
        let keys: Vec<KeyUri> = fair_play.demands.into_iter().map(|demand| demand.key_uri).collect();
        return Err(ErrorKind::FairPlayNotSupported { keys });
    }
    let in_effect = || playlists.iter().flat_map(PlaylistKeys::in_effect).filter(|keys| !keys.is_empty());
    if let Some(key) =
        in_effect().find(|keys| !keys.iter().any(LocalKey::is_identity)).and_then(|keys| keys.first())
    {
        return Err(ErrorKind::OtherDrm { key_format: key.key_format.clone() });
    }
    Ok(if in_effect().next().is_some() { Protection::KeyFiles } else { Protection::Clear })
}

fn demanded(playlists: &[PlaylistKeys]) -> KeyDemands {
    demands(playlists.iter().flat_map(PlaylistKeys::lines))
}

#[cfg(test)]
mod tests;
