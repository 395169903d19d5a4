//! What is left of a key's time where only the platform can prove it: asked of the server.

use super::ledger::Change;
use super::{Engine, LicenseSource, Shared};
use crate::asset::AssetId;
use crate::certificate::Certificate;
use crate::expiry::expiration;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::record::KeyRecord;
use crate::secret::PersistableKey;
use crate::terms::{ExpirationInfo, Limit};
use crate::time::{Cancel, Timestamp};

impl Engine {
    /// Has the platform prove to the license service how long a stored key still lives, and takes down what the service says
    /// of it where nobody had said anything: as after the first playback on Apple's platforms. What a license states stays.
    ///
    /// # Errors
    /// [`KeyErrorKind::NotStored`]; the platform's, as for a key that has no end; the service's; the store's.
    pub fn ask_expiration(
        &self,
        asset: &AssetId,
        key_uri: &KeyUri,
        license: &LicenseSource,
        cancel: &Cancel,
    ) -> Result<ExpirationInfo, KeyError> {
        self.0.ask_expiration((asset, key_uri), license, cancel).map_err(|error| error.of(key_uri))
    }
}

impl Shared {
    fn ask_expiration(
        &self,
        (asset, key_uri): (&AssetId, &KeyUri),
        license: &LicenseSource,
        cancel: &Cancel,
    ) -> Result<ExpirationInfo, KeyError> {
        let (record, _) = self.key(key_uri)?.ok_or(KeyErrorKind::NotStored)?;
        let certificate = match &record.certificate {
            Some(certificate) => Certificate::from_bytes(certificate)?,
            None => self.known_certificate(license),
        };
        let proof = self.parts.system.expiration_spc(&record.key, &certificate)?;
        let remaining = self.report_expiration(&proof, (asset, key_uri), &license.service(), cancel)?;
        self.take_down(key_uri, &record.key, remaining)?;
        let record = self.sound_key(key_uri)?.ok_or(KeyErrorKind::NotStored)?;
        Ok(expiration(&record, self.moment()))
    }

    /// For the very key that it was said of; one that has come since has terms of its own.
    fn take_down(&self, key_uri: &KeyUri, of: &PersistableKey, remaining: Limit) -> Result<(), KeyError> {
        let now = self.moment().at;
        self.change_key(key_uri, |stored| {
            let told =
                stored.filter(|record| record.key == *of).and_then(|record| told(record, remaining, now));
            Ok(told.map_or(Change::Keep, Change::Put))
        })?;
        Ok(())
    }
}

/// The record with the window that it is in, if that had no limit.
fn told(record: &KeyRecord, remaining: Limit, now: Timestamp) -> Option<KeyRecord> {
    let mut record = record.clone();
    let (start, limit) = match record.first_played {
        Some(since) => (since, &mut record.terms.playback),
        None => (record.created, &mut record.terms.storage),
    };
    if *limit != Limit::Unspecified || remaining == Limit::Unspecified {
        return None;
    }
    *limit = match remaining {
        Limit::Within(time) => Limit::Within(now.plus(time).since(start)),
        Limit::Unlimited | Limit::Unspecified => Limit::Unlimited,
    };
    Some(record)
}
