//! What is kept of keys, assets and keys given up; and how it is written down.

mod wire;

use std::collections::BTreeSet;

use crate::asset::AssetId;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::provider::LicenseUrl;
use crate::secret::{Fingerprint, PersistableKey, SecretBytes};
use crate::terms::{KeyType, LicenseTerms, Limit};
use crate::time::Timestamp;

use wire::{Kind, Reader, Writer, unreadable};

/// A stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) key: PersistableKey,
    pub(crate) terms: LicenseTerms,
    /// What the server said beside the license.
    pub(crate) stated: Limit,
    /// An end that came with an imported key.
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) created: Timestamp,
    /// Set once.
    pub(crate) first_played: Option<Timestamp>,
    /// Whose key it is; never empty.
    pub(crate) assets: BTreeSet<AssetId>,
    /// What proofs are made for; none for imported keys.
    pub(crate) certificate: Option<Vec<u8>>,
    /// Where its license came from, and proofs go.
    pub(crate) service: Option<LicenseUrl>,
}

/// Which keys an asset has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetRecord {
    pub(crate) keys: Vec<KeyUri>,
    pub(crate) standing: Standing,
}

/// Whether an asset is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Wanted,
    /// It is being removed, its media too; what is left of it goes at the next opportunity.
    Removing,
    /// Its keys are being given up; its media stay.
    Releasing,
}

/// A key that was given up: one stage for each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReleaseRecord {
    pub(crate) stages: Vec<ReleaseStage>,
}

/// One key that was given up, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseStage {
    /// Which key it was: no two stages have the same.
    pub(crate) key: Fingerprint,
    pub(crate) asset: AssetId,
    pub(crate) since: Timestamp,
    /// Who has to be told, where that is known.
    pub(crate) service: Option<LicenseUrl>,
    pub(crate) step: ReleaseStep,
}

/// What has to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReleaseStep {
    /// The platform has to make the key unusable.
    Invalidate { key: PersistableKey, certificate: Option<Vec<u8>> },
    /// The server has to be told.
    Prove(SecretBytes),
}

impl KeyRecord {
    /// A key about which nothing else is known.
    pub(crate) fn new(key: PersistableKey, created: Timestamp) -> Self {
        Self {
            key,
            terms: LicenseTerms::default(),
            stated: Limit::Unspecified,
            not_after: None,
            created,
            first_played: None,
            assets: BTreeSet::new(),
            certificate: None,
            service: None,
        }
    }

    pub(crate) fn encode(&self) -> SecretBytes {
        let room = self.key.expose().len()
            + self.certificate.as_ref().map_or(0, Vec::len)
            + self.service.as_ref().map_or(0, |url| url.expose().len())
            + 256;
        let mut out =
            Writer::new(Kind::Key, room + self.assets.iter().map(|id| id.as_str().len() + 8).sum::<usize>());
        out.bytes(self.key.expose());
        let terms = &self.terms;
        [terms.storage, terms.playback, terms.lease, self.stated]
            .into_iter()
            .for_each(|limit| out.limit(limit));
        out.byte(key_type_code(terms.key_type));
        out.moment(self.not_after);
        out.moment(Some(self.created));
        out.moment(self.first_played);
        out.count(self.assets.len());
        self.assets.iter().for_each(|asset| out.bytes(asset.as_str().as_bytes()));
        out.optional(self.certificate.as_deref());
        out.url(self.service.as_ref());
        out.done()
    }

    pub(crate) fn decode(bytes: &SecretBytes) -> Result<Self, KeyError> {
        let mut input = Reader::new(Kind::Key, bytes)?;
        let key = PersistableKey::new(input.bytes()?);
        let (storage, playback, lease, stated) =
            (input.limit()?, input.limit()?, input.limit()?, input.limit()?);
        let key_type = key_type_of(input.byte()?);
        let not_after = input.moment()?;
        let created = input.moment()?.unwrap_or_default();
        let first_played = input.moment()?;
        let assets = (0..input.count()?).map(|_| input.asset()).collect::<Result<_, _>>()?;
        let certificate = input.optional()?;
        let service = if input.version == 1 { None } else { input.url()? };
        let terms = LicenseTerms { storage, playback, lease, key_type };
        input.done(Self {
            key,
            terms,
            stated,
            not_after,
            created,
            first_played,
            assets,
            certificate,
            service,
        })
    }
}

impl AssetRecord {
    pub(crate) fn encode(&self) -> SecretBytes {
        let mut out = Writer::new(Kind::Asset, 256);
        out.byte(match self.standing {
            Standing::Wanted => 0,
            Standing::Removing => 1,
            Standing::Releasing => 2,
        });
        out.count(self.keys.len());
        self.keys.iter().for_each(|key| out.bytes(key.as_str().as_bytes()));
        out.done()
    }

    pub(crate) fn decode(bytes: &SecretBytes) -> Result<Self, KeyError> {
        let mut input = Reader::new(Kind::Asset, bytes)?;
        let standing = match input.byte()? {
            0 => Standing::Wanted,
            1 => Standing::Removing,
            2 => Standing::Releasing,
            _ => return Err(unreadable()),
        };
        let keys = (0..input.count()?).map(|_| input.key_uri()).collect::<Result<_, _>>()?;
        input.done(Self { keys, standing })
    }
}

impl ReleaseRecord {
    pub(crate) fn encode(&self) -> SecretBytes {
        let mut out =
            Writer::new(Kind::Release, 16 + self.stages.iter().map(ReleaseStage::room).sum::<usize>());
        out.count(self.stages.len());
        self.stages.iter().for_each(|stage| stage.encode(&mut out));
        out.done()
    }

    pub(crate) fn decode(bytes: &SecretBytes) -> Result<Self, KeyError> {
        let mut input = Reader::new(Kind::Release, bytes)?;
        let stages = if input.version == 1 {
            Self::stages_of_version_1(&mut input)?
        } else {
            Self::stages(&mut input)?
        };
        input.done(Self { stages })
    }

    fn stages(input: &mut Reader<'_>) -> Result<Vec<ReleaseStage>, KeyError> {
        (0..input.count()?).map(|_| ReleaseStage::decode(input)).collect()
    }

    fn stages_of_version_1(input: &mut Reader<'_>) -> Result<Vec<ReleaseStage>, KeyError> {
        let asset = input.asset()?;
        let since = input.moment()?.unwrap_or_default();
        let stage = |step: ReleaseStep| {
            let key = match &step {
                ReleaseStep::Invalidate { key, .. } => key.fingerprint(),
                // Which key it proves was not written down.
                ReleaseStep::Prove(proof) => Fingerprint::of(proof.expose()),
            };
            ReleaseStage { key, asset: asset.clone(), since, service: None, step }
        };
        (0..input.count()?).map(|_| ReleaseStep::decode(input).map(stage)).collect()
    }
}

impl ReleaseStage {
    fn room(&self) -> usize {
        let secret = match &self.step {
            ReleaseStep::Invalidate { key, certificate } => {
                key.expose().len() + certificate.as_ref().map_or(0, Vec::len)
            }
            ReleaseStep::Prove(proof) => proof.len(),
        };
        secret + self.asset.as_str().len() + self.service.as_ref().map_or(0, |url| url.expose().len()) + 64
    }

    fn encode(&self, out: &mut Writer) {
        out.fingerprint(self.key);
        out.bytes(self.asset.as_str().as_bytes());
        out.moment(Some(self.since));
        out.url(self.service.as_ref());
        self.step.encode(out);
    }

    fn decode(input: &mut Reader<'_>) -> Result<Self, KeyError> {
        let key = input.fingerprint()?;
        let asset = input.asset()?;
        let since = input.moment()?.unwrap_or_default();
        let service = input.url()?;
        Ok(Self { key, asset, since, service, step: ReleaseStep::decode(input)? })
    }
}

impl ReleaseStep {
    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Invalidate { key, certificate } => {
                out.byte(0);
                out.bytes(key.expose());
                out.optional(certificate.as_deref());
            }
            Self::Prove(proof) => {
                out.byte(1);
                out.bytes(proof.expose());
            }
        }
    }

    fn decode(input: &mut Reader<'_>) -> Result<Self, KeyError> {
        match input.byte()? {
            0 => {
                let key = PersistableKey::new(input.bytes()?);
                Ok(Self::Invalidate { key, certificate: input.optional()? })
            }
            1 => Ok(Self::Prove(SecretBytes::new(input.bytes()?))),
            _ => Err(unreadable()),
        }
    }
}

/// The latest time that the clock showed.
pub(crate) fn encode_mark(mark: Timestamp) -> SecretBytes {
    let mut out = Writer::new(Kind::Clock, 16);
    out.moment(Some(mark));
    out.done()
}

pub(crate) fn decode_mark(bytes: &SecretBytes) -> Result<Timestamp, KeyError> {
    let mut input = Reader::new(Kind::Clock, bytes)?;
    let mark = input.moment()?.unwrap_or_default();
    input.done(mark)
}

const KEY_TYPES: [KeyType; 6] = [
    KeyType::Unknown,
    KeyType::Lease,
    KeyType::Rental,
    KeyType::LeaseAndRental,
    KeyType::Persist,
    KeyType::PersistLimited,
];

fn key_type_code(key_type: KeyType) -> u8 {
    (0..).zip(KEY_TYPES).find(|(_, known)| *known == key_type).map_or(0, |(code, _)| code)
}

fn key_type_of(code: u8) -> KeyType {
    KEY_TYPES.get(usize::from(code)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
