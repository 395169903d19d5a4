//! Registering: what an asset needs to play, and whether it is there.

use dtg_core::{ItemId, ItemLocation};
use fairplay_keys::{
    AssetId, AssetKeys, Cancel, ExpirationInfo, KeyDemands, KeyPlan, KeyUri, PlanWarning, demands,
};
use media_entry::MediaSource;

use crate::error::{Error, ErrorKind};
use crate::fair_play::{FairPlay, asset_of};
use crate::folder::{LocalKey, PlaylistKeys, read_keys};

/// A downloaded asset has all it needs to play without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The asset: the item's id.
    pub asset: ItemId,
    /// How it is protected.
    pub protection: Protection,
    /// Its FairPlay keys, and what is left of their time.
    pub keys: Vec<(KeyUri, ExpirationInfo)>,
    /// What is not as it should be, though the asset plays.
    pub warnings: Vec<PlanWarning>,
}

/// How an asset is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protection {
    /// Not at all.
    Clear,
    /// Encrypted, with key files that were downloaded with it: AES-128, or SAMPLE-AES without DRM.
    KeyFiles,
    /// By FairPlay, with keys that are stored.
    FairPlay,
}

/// How keys are obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Those that are stored and valid stay.
    Register,
    /// All anew.
    Renew,
}

/// Obtains the keys that an asset needs.
pub(crate) fn register(
    fair_play: Option<&FairPlay>,
    location: &ItemLocation,
    source: &MediaSource,
    effort: Effort,
    cancel: &Cancel,
) -> Result<Registration, Error> {
    let fault = |kind| Error::new(location.id.clone(), kind);
    let playlists = read_keys(location).map_err(fault)?;
    let demanded = demanded(&playlists);
    if source.is_fair_play() || !demanded.is_empty() {
        let Some(fair_play) = fair_play else {
            let keys = demanded.demands.into_iter().map(|demand| demand.key_uri).collect();
            return Err(fault(ErrorKind::FairPlayNotSupported { keys }));
        };
        let plan = key_plan(location, demanded).map_err(fault)?;
        return protect(fair_play, location, &plan, &Wish { source, effort, cancel }).map_err(fault);
    }
    let protection = protection_of(&playlists).map_err(fault)?;
    Ok(Registration { asset: location.id.clone(), protection, keys: Vec::new(), warnings: Vec::new() })
}

struct Wish<'a> {
    source: &'a MediaSource,
    effort: Effort,
    cancel: &'a Cancel,
}

/// The keys that the playlists name; a presentation under FairPlay that names none cannot be played.
fn key_plan(location: &ItemLocation, demands: KeyDemands) -> Result<KeyPlan, ErrorKind> {
    let none = || ErrorKind::NoSessionKey { file: location.master.clone() };
    let plan = KeyPlan::new(demands).map_err(|_| none())?;
    if plan.required.is_empty() { Err(none()) } else { Ok(plan) }
}

fn protect(
    fair_play: &FairPlay,
    location: &ItemLocation,
    plan: &KeyPlan,
    wish: &Wish<'_>,
) -> Result<Registration, ErrorKind> {
    let asset = asset_of(&location.id);
    let obtained = match (fair_play.service.of(wish.source), fair_play.playable(&asset, plan, wish.effort)?) {
        (_, Some(keys)) => keys,
        (license, None) => {
            let license = license?;
            let engine = &fair_play.engine;
            let is_known = engine.status(&asset)?.is_some();
            let keys = match wish.effort {
                Effort::Renew if is_known => {
                    obtained(engine.renew(&asset, &license, wish.cancel)?)?;
                    // What the playlists name and was never obtained.
                    engine.acquire(&asset, plan, &license, wish.cancel)?
                }
                Effort::Renew | Effort::Register => engine.acquire(&asset, plan, &license, wish.cancel)?,
            };
            obtained(keys)?
        }
    };
    let mut warnings = plan.warnings.clone();
    warnings.extend(plan.cut_content_ids(&*fair_play.service.provider));
    Ok(Registration {
        asset: location.id.clone(),
        protection: Protection::FairPlay,
        keys: obtained,
        warnings,
    })
}

fn obtained(keys: AssetKeys) -> Result<Vec<(KeyUri, ExpirationInfo)>, ErrorKind> {
    let obtained = |key: fairplay_keys::KeyOutcome| Ok((key.key_uri, key.result?.1));
    keys.keys.into_iter().map(obtained).collect()
}

impl FairPlay {
    /// The keys of an asset that has all it needs already: nobody has to be asked, so nobody has to be known.
    fn playable(
        &self,
        asset: &AssetId,
        plan: &KeyPlan,
        effort: Effort,
    ) -> Result<Option<Vec<(KeyUri, ExpirationInfo)>>, ErrorKind> {
        let status =
            self.engine.status(asset)?.filter(|status| effort == Effort::Register && status.is_playable());
        let Some(status) = status else { return Ok(None) };
        let keys: Vec<_> =
            status.keys.into_iter().filter_map(|key| Some((key.key_uri, key.expiration?))).collect();
        let is_planned = |key: &KeyUri| plan.required.iter().any(|demand| demand.key_uri == *key);
        let same = keys.len() == plan.required.len() && keys.iter().all(|(key, _)| is_planned(key));
        Ok(Some(keys).filter(|_| same))
    }
}

/// What is in effect at segments counts; a session key alone protects nothing.
fn protection_of(playlists: &[PlaylistKeys]) -> Result<Protection, ErrorKind> {
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
