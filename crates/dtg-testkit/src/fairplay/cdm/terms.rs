//! The terms of a license.

use std::time::Duration;

use fairplay_keys::{KeyType, LicenseTerms, Limit};

use crate::fairplay::{KeyKind, License};

/// What a license grants, in the words of fairplay-keys. Of an offline key's times 0 is no end.
pub(super) fn terms(license: &License) -> LicenseTerms {
    let within = |seconds: u32| Limit::Within(Duration::from_secs(seconds.into()));
    let or_no_end = |seconds| if seconds == 0 { Limit::Unlimited } else { within(seconds) };
    let kind = license.duration.map(|duration| duration.kind);
    let (storage, playback) = match (&license.offline, license.duration, kind) {
        (Some(offline), ..) => (or_no_end(offline.storage), or_no_end(offline.playback)),
        (None, Some(duration), Some(KeyKind::PersistLimited)) => {
            (within(duration.rental), Limit::Unspecified)
        }
        (None, _, Some(KeyKind::Persist)) => (Limit::Unlimited, Limit::Unspecified),
        (None, ..) => (Limit::Unspecified, Limit::Unspecified),
    };
    let lease = match license.duration {
        Some(duration) if duration.lease != u32::MAX => within(duration.lease),
        Some(_) | None => Limit::Unspecified,
    };
    let key_type = match kind {
        Some(KeyKind::Lease) => KeyType::Lease,
        Some(KeyKind::Rental) => KeyType::Rental,
        Some(KeyKind::LeaseAndRental) => KeyType::LeaseAndRental,
        Some(KeyKind::Persist) => KeyType::Persist,
        Some(KeyKind::PersistLimited) => KeyType::PersistLimited,
        Some(KeyKind::Other(_)) | None => KeyType::Unknown,
    };
    LicenseTerms { storage, playback, lease, key_type }
}
