//! The key that a software device gives for storage. Its form is ours: Apple's is not public.

use std::time::Duration;

use fairplay_keys::{Limit, PersistableKey, SystemFault, Timestamp};
use rsa::rand_core::RngCore;

use crate::fairplay::bytes::Bytes;
use crate::fairplay::cipher::{Block, Key, first_block, hmac_sha256};
use crate::fairplay::payload::random;
use crate::fairplay::{ContentKey, Malformed};

/// What is inside of a stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredKey {
    /// The same for all versions of a key.
    pub(super) serial: u64,
    /// Counts the versions: only the newest is valid.
    pub(super) revision: u32,
    /// The form that the device's system wrote it in.
    pub(super) form: u32,
    pub(super) content_key: ContentKey,
    pub(super) asset_id: Vec<u8>,
    /// What the license calls the content, where it has an offline key.
    pub(super) offline: Option<Block>,
    pub(super) storage: Limit,
    pub(super) playback: Limit,
    pub(super) created: Timestamp,
    pub(super) first_play: Option<Timestamp>,
}

/// What a device protects stored keys with. `Debug` says nothing of it.
#[derive(Clone)]
pub(super) struct DeviceSecret(pub(super) [u8; 32]);

impl std::fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecret(32 bytes)")
    }
}

const MAGIC: [u8; 8] = *b"dtg.key\x01";

impl StoredKey {
    /// The last moment at which it is valid: of the playback window once it was played, else of the storage window.
    pub(super) fn not_after(&self) -> Option<Timestamp> {
        match (self.first_play, self.playback) {
            (Some(since), Limit::Within(_)) => self.playback.from(since),
            _ => self.storage.from(self.created),
        }
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.not_after().is_some_and(|end| end < now)
    }

    /// Whether playing it now begins its playback window.
    pub(super) const fn begins_playback(&self) -> bool {
        self.first_play.is_none() && matches!(self.playback, Limit::Within(_))
    }

    /// Encrypts it, then signs that: HMAC-SHA-256 over AES-128-CBC, both under the device's secret.
    pub(super) fn seal(
        &self,
        secret: &DeviceSecret,
        rng: &mut impl RngCore,
    ) -> Result<PersistableKey, SystemFault> {
        let iv: Block = random(rng);
        let mut clear = self.to_bytes();
        let filler = 16 - clear.len() % 16;
        clear.extend(vec![u8::try_from(filler).unwrap_or(16); filler]);
        let encrypted = secret.encryption().encrypt(iv, &clear).map_err(|_| SystemFault::KeyInvalid)?;
        let mut sealed = [&MAGIC[..], &iv, &encrypted].concat();
        sealed.extend(secret.signature(&sealed));
        Ok(PersistableKey::new(sealed))
    }

    /// The inverse; damage and other devices' keys are not told apart.
    pub(super) fn open(key: &PersistableKey, secret: &DeviceSecret) -> Result<Self, SystemFault> {
        let invalid = SystemFault::KeyInvalid;
        let (sealed, signature) = key.expose().split_last_chunk::<32>().ok_or_else(|| invalid.clone())?;
        if secret.signature(sealed) != *signature {
            return Err(invalid);
        }
        let (magic, rest) = sealed.split_first_chunk::<8>().ok_or_else(|| invalid.clone())?;
        let (iv, encrypted) = rest.split_first_chunk::<16>().ok_or_else(|| invalid.clone())?;
        let clear = secret.encryption().decrypt(*iv, encrypted).map_err(|_| invalid.clone())?;
        let filler = clear.last().map_or(0, |filler| usize::from(*filler));
        let clear = clear.get(..clear.len().saturating_sub(filler)).unwrap_or_default();
        if *magic != MAGIC {
            return Err(invalid);
        }
        Self::read(&mut Bytes::new(clear)).map_err(|_| invalid)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.serial.to_be_bytes().to_vec();
        bytes.extend([self.revision.to_be_bytes(), self.form.to_be_bytes()].concat());
        bytes.extend([self.content_key.key.0, self.content_key.iv, self.content_key.key_id].concat());
        for limit in [self.storage, self.playback] {
            let (kind, seconds): (u64, u64) = match limit {
                Limit::Unspecified => (0, 0),
                Limit::Unlimited => (1, 0),
                Limit::Within(time) => (2, time.as_secs()),
            };
            bytes.extend([kind.to_be_bytes(), seconds.to_be_bytes()].concat());
        }
        bytes.extend(self.created.0.to_be_bytes());
        let first = self.first_play.unwrap_or_default().0;
        bytes.extend([u64::from(self.first_play.is_some()).to_be_bytes(), first.to_be_bytes()].concat());
        bytes.extend(u64::from(self.offline.is_some()).to_be_bytes());
        bytes.extend(self.offline.unwrap_or_default());
        bytes.extend(&self.asset_id);
        bytes
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Malformed> {
        let (serial, revision, form) = (bytes.u64()?, bytes.u32()?, bytes.u32()?);
        let content_key = ContentKey { key: Key(bytes.array()?), iv: bytes.array()?, key_id: bytes.array()? };
        let mut limit = || {
            Ok(match (bytes.u64()?, bytes.u64()?) {
                (1, _) => Limit::Unlimited,
                (2, seconds) => Limit::Within(Duration::from_secs(seconds)),
                _ => Limit::Unspecified,
            })
        };
        let (storage, playback) = (limit()?, limit()?);
        let mut time = || bytes.array().map(i64::from_be_bytes).map(Timestamp);
        let (created, was_played, first) = (time()?, time()?, time()?);
        let (has_offline, offline) = (bytes.u64()?, bytes.array()?);
        Ok(Self {
            serial,
            revision,
            form,
            content_key,
            asset_id: bytes.rest().to_vec(),
            offline: (has_offline != 0).then_some(offline),
            storage,
            playback,
            created,
            first_play: (was_played.0 != 0).then_some(first),
        })
    }
}

impl DeviceSecret {
    fn encryption(&self) -> Key {
        Key(first_block(&hmac_sha256(&self.0, &[b"encryption"])))
    }

    fn signature(&self, sealed: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, &[b"signature", sealed])
    }
}
