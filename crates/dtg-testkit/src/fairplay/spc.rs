//! The SPC: what a device asks a key server with. Versions 1 and 2; of version 3 the outer fields.

use rsa::rand_core::CryptoRngCore;

use super::bytes::{Bytes, length_field};
use super::cipher::{Block, sha1};
use super::credentials::{PrivateKey, wrap};
use super::terms::OfflineSync;
use super::tllv::form;
use super::{Key, Malformed, Reading, Tllvs, tag};

/// An SPC's outer fields; the payload is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpcContainer {
    /// Which layout it has.
    pub version: SpcVersion,
    /// Four bytes that mean nothing; 0 as a rule.
    pub reserved: u32,
    /// The payload's IV; of version 3 the transport's UUID.
    pub iv: Block,
    /// The payload's key, wrapped for the certificate's owner: 128 bytes in version 1, else 256.
    pub wrapped_key: Vec<u8>,
    /// What the certificate is known by: SHA-1 in 20 bytes; of version 3 SHA-256 in 32.
    pub certificate_hash: Vec<u8>,
    /// The TLLVs, encrypted.
    pub payload: Vec<u8>,
    /// What version 3 ends with: filler before its length (12 bytes), then the authentication tag (16).
    pub v3: Option<([u8; 12], [u8; 16])>,
}

/// The layout of an SPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpcVersion {
    /// For certificates of 1024 bits.
    V1,
    /// For certificates of 2048 bits.
    V2,
    /// Its payload is opaque here.
    V3,
}

impl SpcVersion {
    /// As the container writes it.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    const fn wrapped_length(self) -> usize {
        match self {
            Self::V1 => 128,
            Self::V2 | Self::V3 => 256,
        }
    }

    const fn hash_length(self) -> usize {
        match self {
            Self::V1 | Self::V2 => 20,
            Self::V3 => 32,
        }
    }

    fn read(version: u32) -> Result<Self, Malformed> {
        match version {
            1 => Ok(Self::V1),
            2 => Ok(Self::V2),
            3 => Ok(Self::V3),
            // A DER sequence with a length of two bytes, or with a short one.
            _ if version >> 16 == 0x3082 || version >> 16 == 0x3081 => Err(Malformed::Certificate),
            _ => Err(Malformed::Version(version)),
        }
    }
}

impl SpcContainer {
    /// Reads the outer fields.
    ///
    /// # Errors
    /// [`Malformed::Certificate`] where a certificate was sent instead; what else is wrong with versions and lengths.
    pub fn read(spc: &[u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes::new(spc);
        let version = SpcVersion::read(bytes.u32()?)?;
        let (reserved, iv) = (bytes.u32()?, bytes.array()?);
        let wrapped_key = bytes.take(version.wrapped_length())?.to_vec();
        let certificate_hash = bytes.take(version.hash_length())?.to_vec();
        let filler = if version == SpcVersion::V3 { Some(bytes.array()?) } else { None };
        let length = bytes.length()?;
        let payload = bytes.take(length)?.to_vec();
        let v3 = filler.map(|filler| Ok((filler, bytes.array()?))).transpose()?;
        if !length.is_multiple_of(16) {
            return Err(Malformed::Blocks(length));
        }
        match bytes.rest().len() {
            0 => Ok(Self { version, reserved, iv, wrapped_key, certificate_hash, payload, v3 }),
            trailing => Err(Malformed::Trailing(trailing)),
        }
    }

    /// The SPC as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.version.number().to_be_bytes().to_vec();
        bytes.extend(self.reserved.to_be_bytes());
        bytes.extend(self.iv);
        bytes.extend(&self.wrapped_key);
        bytes.extend(&self.certificate_hash);
        bytes.extend(self.v3.iter().flat_map(|(filler, _)| filler));
        bytes.extend(length_field(self.payload.len()));
        bytes.extend(&self.payload);
        bytes.extend(self.v3.iter().flat_map(|(_, tag)| tag));
        bytes
    }

    /// Makes an SPC for a certificate: version 1 for one of 1024 bits, 2 for one of 2048.
    ///
    /// # Errors
    /// [`Malformed::Key`] for a certificate that is none, or of another size; [`Malformed::Blocks`].
    pub fn seal(tllvs: &Tllvs, certificate: &[u8], rng: &mut impl CryptoRngCore) -> Result<Self, Malformed> {
        let (mut key, mut iv) = (Block::default(), Block::default());
        rng.fill_bytes(&mut key);
        rng.fill_bytes(&mut iv);
        let wrapped_key = wrap(certificate, key, rng)?;
        let version = match wrapped_key.len() {
            128 => SpcVersion::V1,
            256 => SpcVersion::V2,
            _ => return Err(Malformed::Key("the certificate's key has neither 1024 nor 2048 bits")),
        };
        let payload = Key(key).encrypt(iv, &tllvs.to_bytes())?;
        let certificate_hash = sha1(certificate).to_vec();
        Ok(Self { version, reserved: 0, iv, wrapped_key, certificate_hash, payload, v3: None })
    }

    /// Opens the payload.
    ///
    /// # Errors
    /// [`Malformed::Version`] for version 3, [`Malformed::Unwrap`] for a private key that is not the certificate's, and
    /// what is wrong with the TLLVs.
    pub fn open(&self, key: &PrivateKey, reading: Reading) -> Result<Tllvs, Malformed> {
        if self.version == SpcVersion::V3 {
            return Err(Malformed::Version(3));
        }
        let payload = key.unwrap(&self.wrapped_key)?.decrypt(self.iv, &self.payload)?;
        Tllvs::read(&payload, reading)
    }
}

/// What a key server needs of an SPC's payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpcFields {
    /// The encrypted session key and R1.
    pub session_key_r1: [u8; 112],
    /// What the decrypted session key and R1 have to end with.
    pub integrity: Block,
    /// The anti-replay seed.
    pub seed: Block,
    /// R2.
    pub r2: [u8; 21],
    /// Tags whose TLLVs have to be in the CKC.
    pub return_request: Vec<u64>,
    /// The content identifier.
    pub asset_id: Vec<u8>,
    /// The transaction.
    pub transaction: [u8; 8],
    /// Created, state, session: absent where the device does not say.
    pub playback_state: Option<[u8; 16]>,
    /// What became of a stored key; `None` where the SPC is about no stored key.
    pub offline_sync: Option<OfflineSync>,
}

impl SpcFields {
    /// Takes the fields out of a payload.
    ///
    /// # Errors
    /// The first field that is missing or not of its form.
    pub fn read(tllvs: &Tllvs) -> Result<Self, Malformed> {
        let asset_id = tllvs.value(tag::ASSET_ID)?;
        if !(2..=200).contains(&asset_id.len()) {
            return Err(form(tag::ASSET_ID, asset_id));
        }
        let state = tllvs.find(tag::PLAYBACK_STATE);
        let sync = tllvs.find(tag::OFFLINE_SYNC).map(|tllv| OfflineSync::read(&tllv.value)).transpose()?;
        Ok(Self {
            session_key_r1: tllvs.array(tag::SESSION_KEY_R1)?,
            integrity: tllvs.array(tag::INTEGRITY)?,
            seed: tllvs.array(tag::ANTI_REPLAY_SEED)?,
            r2: tllvs.array(tag::R2)?,
            return_request: tags(tllvs.value(tag::RETURN_REQUEST)?)?,
            asset_id: asset_id.to_vec(),
            transaction: tllvs.array(tag::TRANSACTION_ID)?,
            playback_state: state.map(|_| tllvs.array(tag::PLAYBACK_STATE)).transpose()?,
            offline_sync: sync.flatten(),
        })
    }
}

/// The tags of a return request.
pub(super) fn tags(value: &[u8]) -> Result<Vec<u64>, Malformed> {
    let mut bytes = Bytes::new(value);
    let mut tags = Vec::new();
    while !bytes.rest().is_empty() {
        tags.push(bytes.u64().map_err(|_| form(tag::RETURN_REQUEST, value))?);
    }
    Ok(tags)
}

/// Session key, device and R1, as the derived key opens them. `Debug` says nothing of them.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKeyR1 {
    /// The session key.
    pub session_key: Key,
    /// The device, anonymous.
    pub device: [u8; 20],
    /// R1.
    pub r1: [u8; 44],
    /// Equal to the SPC's own integrity field.
    pub integrity: Block,
}

impl std::fmt::Debug for SessionKeyR1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKeyR1(96 bytes)")
    }
}

impl SessionKeyR1 {
    /// Opens them, and holds them against the SPC's integrity field.
    ///
    /// # Errors
    /// [`Malformed::Mismatch`] where the integrity is another: the derived key is not the right one.
    pub fn open(fields: &SpcFields, dask: Key) -> Result<Self, Malformed> {
        let mut bytes = Bytes::new(&fields.session_key_r1);
        let iv = bytes.array()?;
        let clear = dask.decrypt(iv, bytes.rest())?;
        let mut clear = Bytes::new(&clear);
        let opened = Self {
            session_key: Key(clear.array()?),
            device: clear.array()?,
            r1: clear.array()?,
            integrity: clear.array()?,
        };
        match opened.integrity == fields.integrity {
            true => Ok(opened),
            false => Err(Malformed::Mismatch("the integrity of session key and R1")),
        }
    }

    /// The TLLV's value: the inverse of [`SessionKeyR1::open`].
    ///
    /// # Errors
    /// None that can happen: what is sealed is whole blocks.
    pub fn seal(&self, dask: Key, iv: Block) -> Result<Vec<u8>, Malformed> {
        let clear = [&self.session_key.0[..], &self.device, &self.r1, &self.integrity].concat();
        Ok([&iv[..], &dask.encrypt(iv, &clear)?].concat())
    }
}
