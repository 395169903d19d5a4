//! Obtaining and renewing the keys of an asset.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::exchange::Fetched;
use super::ledger::Change;
use super::{Engine, LicenseSource, Shared, Wanted};
use crate::asset::AssetId;
use crate::expiry::expiration;
use crate::kaltura_import::ImportedKey;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::plan::KeyPlan;
use crate::record::{AssetRecord, KeyRecord, Standing};
use crate::store::Slot;
use crate::system::{Intent, Persistence, SystemFault};
use crate::terms::{Confidence, ExpirationInfo};
use crate::time::Cancel;

/// What became of each key of an asset. Keys that were obtained are stored, whatever became of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetKeys {
    /// The asset.
    pub asset: AssetId,
    /// Its keys, in the order of the plan; never empty.
    pub keys: Vec<KeyOutcome>,
}

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOutcome {
    /// The key.
    pub key_uri: KeyUri,
    /// How it was obtained, and what is left of its time.
    pub result: Result<(Obtained, ExpirationInfo), KeyError>,
}

/// How a key was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Obtained {
    /// It was stored already.
    Stored,
    /// From the license service, by this call or one at the same time.
    Licensed,
}

impl AssetKeys {
    /// Whether the asset can be played without a network: all its keys are stored.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.first_error().is_none()
    }

    /// Why the asset cannot be played without a network: the first key's reason.
    #[must_use]
    pub fn first_error(&self) -> Option<&KeyError> {
        self.keys.iter().find_map(|key| key.result.as_ref().err())
    }
}

impl Engine {
    /// Obtains the keys of an asset that are not stored, or no longer valid. May be called again at any time: what is there stays.
    ///
    /// # Errors
    /// [`KeyErrorKind::NotProtected`] for a plan without keys, at once; [`KeyErrorKind::TooManyKeys`];
    /// [`SystemFault::PersistenceUnsupported`]; [`KeyErrorKind::Released`] while the asset is being removed; the store's errors.
    /// What goes wrong with one key is in the result.
    pub fn acquire(
        &self,
        asset: &AssetId,
        plan: &KeyPlan,
        license: &LicenseSource,
        cancel: &Cancel,
    ) -> Result<AssetKeys, KeyError> {
        let keys: Vec<KeyUri> = plan.required.iter().map(|demand| demand.key_uri.clone()).collect();
        self.0.can_store(keys.len())?;
        self.0.want(asset, |_| keys.clone())?;
        let keys = self.0.each(&keys, |key_uri| self.0.obtain(Wanted { asset, key_uri, license }, cancel));
        let outcome = AssetKeys { asset: asset.clone(), keys };
        if outcome.is_ready() {
            self.0.drop_others(asset)?;
        }
        Ok(outcome)
    }

    /// Obtains one more key of an asset, as a download meets it; those that the asset has already stay.
    ///
    /// # Errors
    /// As [`Engine::acquire`].
    pub fn acquire_more(
        &self,
        asset: &AssetId,
        key_uri: &KeyUri,
        license: &LicenseSource,
        cancel: &Cancel,
    ) -> Result<KeyOutcome, KeyError> {
        let with = |before: &[KeyUri]| {
            let others = before.iter().filter(|key| *key != key_uri);
            others.chain([key_uri]).cloned().collect::<Vec<_>>()
        };
        let before = self.0.asset(asset)?.map(|record| record.keys).unwrap_or_default();
        self.0.can_store(with(&before).len())?;
        self.0.want(asset, with)?;
        Ok(self.0.outcome(key_uri, self.0.obtain(Wanted { asset, key_uri, license }, cancel)))
    }

    /// Obtains new licenses for all keys of an asset. Keys whose renewal fails stay as they are.
    ///
    /// # Errors
    /// [`KeyErrorKind::NotStored`] for an asset without keys; otherwise as [`Engine::acquire`].
    pub fn renew(
        &self,
        asset: &AssetId,
        license: &LicenseSource,
        cancel: &Cancel,
    ) -> Result<AssetKeys, KeyError> {
        self.0.can_store(1)?;
        let record = self.0.asset(asset)?.ok_or(KeyErrorKind::NotStored)?;
        if record.standing != Standing::Wanted {
            return Err(KeyErrorKind::Released.into());
        }
        let renew = |key_uri: &KeyUri| self.0.renew(Wanted { asset, key_uri, license }, cancel);
        Ok(AssetKeys { asset: asset.clone(), keys: self.0.each(&record.keys, renew) })
    }

    /// Takes over a key that another player stored for this application on this device; one that is stored already stays.
    ///
    /// # Errors
    /// The store's errors.
    pub fn import(&self, asset: &AssetId, imported: &ImportedKey) -> Result<(), KeyError> {
        let key_uri = &imported.key_uri;
        let _standings = self.0.standings();
        self.0.want_now(asset, |before| {
            let others = before.iter().filter(|key| *key != key_uri);
            others.chain([key_uri]).cloned().collect()
        })?;
        let created = self.0.moment().at;
        self.0.change_key(key_uri, |stored| {
            let new = || KeyRecord {
                not_after: imported.not_after,
                ..KeyRecord::new(imported.key.clone(), created)
            };
            let mut record = stored.cloned().unwrap_or_else(new);
            record.assets.insert(asset.clone());
            Ok(Change::Put(record))
        })?;
        Ok(())
    }
}

type Obtaining = Result<Obtained, KeyError>;

impl Shared {
    /// Refuses what cannot come to a good end before anything is asked for.
    fn can_store(&self, count: usize) -> Result<(), KeyError> {
        let limit = self.parts.policy.max_keys;
        match (count, self.parts.system.capabilities().persistence) {
            (0, _) => Err(KeyErrorKind::NotProtected.into()),
            (count, _) if count > limit => Err(KeyErrorKind::TooManyKeys { count, limit }.into()),
            (_, Persistence::Impossible) => Err(SystemFault::PersistenceUnsupported.into()),
            (_, Persistence::Possible) => Ok(()),
        }
    }

    /// Records which keys the asset needs, before any is asked for.
    fn want(&self, asset: &AssetId, keys: impl Fn(&[KeyUri]) -> Vec<KeyUri>) -> Result<(), KeyError> {
        let _standings = self.standings();
        self.want_now(asset, keys)
    }

    fn want_now(&self, asset: &AssetId, keys: impl Fn(&[KeyUri]) -> Vec<KeyUri>) -> Result<(), KeyError> {
        self.change::<AssetRecord>(&Slot::Asset(asset.clone()), |stored| {
            let before = stored.map(|record| record.keys.as_slice()).unwrap_or_default();
            let keys = keys(before);
            match stored {
                Some(record) if record.standing != Standing::Wanted => Err(KeyErrorKind::Released.into()),
                Some(_) if before == keys => Ok(Change::Keep),
                _ => Ok(Change::Put(AssetRecord { keys, standing: Standing::Wanted })),
            }
        })?;
        Ok(())
    }

    /// Keys that the asset holds since an earlier plan, and doesn't need, are given up.
    fn drop_others(&self, asset: &AssetId) -> Result<(), KeyError> {
        let mut dropped = Vec::new();
        {
            let _standings = self.standings();
            let Some(AssetRecord { keys, standing: Standing::Wanted }) = self.asset(asset)? else {
                return Ok(());
            };
            for key_uri in self.keys_of(asset)?.into_iter().filter(|key| !keys.contains(key)) {
                let released = self.drop_key(asset, &key_uri)?;
                dropped.push((key_uri, released));
            }
        }
        dropped.iter().try_for_each(|(key_uri, released)| self.finished(key_uri, *released).map(drop))
    }

    /// Does the work for each key, a few at the same time; the results are in the order of the keys.
    fn each(&self, keys: &[KeyUri], work: impl Fn(&KeyUri) -> Obtaining + Sync) -> Vec<KeyOutcome> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let worker = || {
            while let Some((at, key_uri)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, keys.get(at)?)))
            {
                let outcome = self.outcome(key_uri, work(key_uri));
                done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
            }
        };
        let workers = self.parts.policy.parallel.clamp(1, keys.len().max(1));
        std::thread::scope(|scope| {
            (1..workers).for_each(|_| drop(scope.spawn(worker)));
            worker();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn outcome(&self, key_uri: &KeyUri, obtained: Obtaining) -> KeyOutcome {
        let result = obtained.and_then(|obtained| {
            let record = self.sound_key(key_uri)?.ok_or(KeyErrorKind::Released)?;
            Ok((obtained, expiration(&record, self.moment())))
        });
        KeyOutcome { key_uri: key_uri.clone(), result: result.map_err(|error| error.of(key_uri)) }
    }

    /// A key that is stored and valid is taken; any other is asked for.
    fn obtain(&self, wanted: Wanted<'_>, cancel: &Cancel) -> Obtaining {
        let mut obtained = Obtained::Stored;
        if !self.is_valid(wanted.key_uri)? {
            obtained = Obtained::Licensed;
            self.flights.fly(wanted.key_uri, cancel, || match self.is_valid(wanted.key_uri)? {
                true => Ok(()),
                false => self.license(wanted, Intent::Acquire, cancel),
            })?;
        }
        self.hold(wanted)?;
        Ok(obtained)
    }

    pub(super) fn renew(&self, wanted: Wanted<'_>, cancel: &Cancel) -> Obtaining {
        let intent = if self.sound_key(wanted.key_uri)?.is_some() { Intent::Renew } else { Intent::Acquire };
        self.flights.fly(wanted.key_uri, cancel, || self.license(wanted, intent, cancel))?;
        self.hold(wanted)?;
        Ok(Obtained::Licensed)
    }

    fn is_valid(&self, key_uri: &KeyUri) -> Result<bool, KeyError> {
        let stored = self.sound_key(key_uri)?;
        Ok(stored.is_some_and(|record| !expiration(&record, self.moment()).is_expired()))
    }

    /// Asks for a license, and stores its key in the place of the one that is stored.
    fn license(&self, wanted: Wanted<'_>, intent: Intent, cancel: &Cancel) -> Result<(), KeyError> {
        if !self.is_wanted(wanted.asset)? {
            return Err(KeyErrorKind::Released.into());
        }
        let fetched = self.fetch(wanted, intent, cancel)?;
        if let Some(server_time) = fetched.server_time {
            self.hear_time(server_time);
        }
        let new = self.record_of(wanted, fetched);
        let _standings = self.standings();
        self.change_key(wanted.key_uri, |stored| {
            self.may_hold(wanted, stored)?;
            let mut assets = stored.map(|record| record.assets.clone()).unwrap_or_default();
            assets.insert(wanted.asset.clone());
            Ok(Change::Put(KeyRecord { assets, ..new.clone() }))
        })?;
        self.drop_update_of(wanted.key_uri);
        Ok(())
    }

    /// An asset that was given up meanwhile, or no longer needs the key, gets none.
    fn may_hold(&self, wanted: Wanted<'_>, stored: Option<&KeyRecord>) -> Result<(), KeyError> {
        let holds = stored.is_some_and(|record| record.assets.contains(wanted.asset));
        let asset = self.asset(wanted.asset)?.filter(|record| record.standing == Standing::Wanted);
        match asset {
            Some(record) if holds || record.keys.contains(wanted.key_uri) => Ok(()),
            _ => Err(KeyErrorKind::Released.into()),
        }
    }

    /// A clock that cannot be believed is passed over for the platform's or the server's.
    fn record_of(&self, wanted: Wanted<'_>, fetched: Fetched) -> KeyRecord {
        let moment = self.moment();
        let ours = Some(moment.at).filter(|_| moment.confidence == Confidence::Good);
        let created = fetched.created.or(ours).or(fetched.server_time).unwrap_or(moment.at);
        KeyRecord {
            terms: fetched.terms,
            stated: fetched.stated,
            certificate: Some(fetched.certificate.as_der().to_vec()),
            service: Some(wanted.license.url.clone()),
            ..KeyRecord::new(fetched.key, created)
        }
    }

    /// Makes the key the asset's too.
    fn hold(&self, wanted: Wanted<'_>) -> Result<(), KeyError> {
        let _standings = self.standings();
        self.change_key(wanted.key_uri, |stored| {
            let Some(record) = stored else { return Err(KeyErrorKind::Released.into()) };
            self.may_hold(wanted, stored)?;
            if record.assets.contains(wanted.asset) {
                return Ok(Change::Keep);
            }
            let mut record = record.clone();
            record.assets.insert(wanted.asset.clone());
            Ok(Change::Put(record))
        })?;
        Ok(())
    }
}
