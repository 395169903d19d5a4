//! The CKC: what a key server answers with. Versions 1 and 2.

use super::bytes::{Bytes, length_field};
use super::cipher::Block;
use super::terms::{Duration, OfflineKey};
use super::{Key, Malformed, Reading, Tllvs, tag};

/// A CKC's outer fields; the payload is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CkcContainer {
    /// 1 or 2.
    pub version: u32,
    /// Newer servers say something of themselves here; nothing is asked of it.
    pub reserved: u32,
    /// The payload's IV.
    pub iv: Block,
    /// The TLLVs, encrypted.
    pub payload: Vec<u8>,
}

impl CkcContainer {
    /// Reads the outer fields.
    ///
    /// # Errors
    /// What is wrong with version and lengths.
    pub fn read(ckc: &[u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes::new(ckc);
        let version = match bytes.u32()? {
            version @ (1 | 2) => version,
            version => return Err(Malformed::Version(version)),
        };
        let (reserved, iv, length) = (bytes.u32()?, bytes.array()?, bytes.length()?);
        let payload = bytes.take(length)?.to_vec();
        if !length.is_multiple_of(16) {
            return Err(Malformed::Blocks(length));
        }
        match bytes.rest().len() {
            0 => Ok(Self { version, reserved, iv, payload }),
            trailing => Err(Malformed::Trailing(trailing)),
        }
    }

    /// The CKC as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (version, reserved) = (self.version.to_be_bytes(), self.reserved.to_be_bytes());
        let length = length_field(self.payload.len());
        [&version[..], &reserved, &self.iv, &length, &self.payload].concat()
    }

    /// Makes a CKC of version 1.
    ///
    /// # Errors
    /// [`Malformed::Blocks`] where the TLLVs are not whole blocks.
    pub fn seal(tllvs: &Tllvs, key: Key, iv: Block) -> Result<Self, Malformed> {
        Ok(Self { version: 1, reserved: 0, iv, payload: key.encrypt(iv, &tllvs.to_bytes())? })
    }

    /// Opens the payload with the anti-replay key of the SPC that was answered.
    ///
    /// # Errors
    /// What is wrong with the TLLVs; under another key that is nearly always something.
    pub fn open(&self, key: Key, reading: Reading) -> Result<Tllvs, Malformed> {
        Tllvs::read(&key.decrypt(self.iv, &self.payload)?, reading)
    }
}

/// What a device needs of a CKC's payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CkcFields {
    /// The IV of the content.
    pub content_iv: Block,
    /// The content key, encrypted under the session key.
    pub encrypted_key: Block,
    /// R1 again.
    pub r1: [u8; 44],
    /// How long the key may be used; absent is without end.
    pub duration: Option<Duration>,
    /// How long it may be stored and played; absent is without end.
    pub offline: Option<OfflineKey>,
}

impl CkcFields {
    /// Takes the fields out of a payload.
    ///
    /// # Errors
    /// The first field that is missing or not of its form.
    pub fn read(tllvs: &Tllvs) -> Result<Self, Malformed> {
        let key: [u8; 32] = tllvs.array(tag::CONTENT_KEY)?;
        let mut key = Bytes::new(&key);
        Ok(Self {
            content_iv: key.array()?,
            encrypted_key: key.array()?,
            r1: tllvs.array(tag::R1)?,
            duration: tllvs.find(tag::DURATION).map(|tllv| Duration::read(&tllv.value)).transpose()?,
            offline: tllvs.find(tag::OFFLINE_KEY).map(|tllv| OfflineKey::read(&tllv.value)).transpose()?,
        })
    }
}
