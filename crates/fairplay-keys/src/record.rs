//! What is kept of keys, assets and keys given up; and how it is written down.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::asset::AssetId;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::secret::{PersistableKey, SecretBytes};
use crate::terms::{KeyType, LicenseTerms, Limit};
use crate::time::Timestamp;

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
    /// It is being removed; what is left of it goes at the next opportunity.
    Removing,
}

/// A key that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseRecord {
    pub(crate) asset: AssetId,
    pub(crate) since: Timestamp,
    /// One for each time that it was given up.
    pub(crate) stages: Vec<ReleaseStage>,
}

/// How far giving up has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReleaseStage {
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
        }
    }

    pub(crate) fn encode(&self) -> SecretBytes {
        let room = self.key.expose().len() + self.certificate.as_ref().map_or(0, Vec::len) + 256;
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
        let terms = LicenseTerms { storage, playback, lease, key_type };
        input.done(Self { key, terms, stated, not_after, created, first_played, assets, certificate })
    }
}

impl AssetRecord {
    pub(crate) fn encode(&self) -> SecretBytes {
        let mut out = Writer::new(Kind::Asset, 256);
        out.byte(match self.standing {
            Standing::Wanted => 0,
            Standing::Removing => 1,
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
            _ => return Err(unreadable()),
        };
        let keys = (0..input.count()?).map(|_| input.key_uri()).collect::<Result<_, _>>()?;
        input.done(Self { keys, standing })
    }
}

impl ReleaseRecord {
    pub(crate) fn encode(&self) -> SecretBytes {
        let mut out = Writer::new(Kind::Release, 8192);
        out.bytes(self.asset.as_str().as_bytes());
        out.moment(Some(self.since));
        out.count(self.stages.len());
        self.stages.iter().for_each(|stage| stage.encode(&mut out));
        out.done()
    }

    pub(crate) fn decode(bytes: &SecretBytes) -> Result<Self, KeyError> {
        let mut input = Reader::new(Kind::Release, bytes)?;
        let asset = input.asset()?;
        let since = input.moment()?.unwrap_or_default();
        let stages =
            (0..input.count()?).map(|_| ReleaseStage::decode(&mut input)).collect::<Result<_, _>>()?;
        input.done(Self { asset, since, stages })
    }
}

impl ReleaseStage {
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

const VERSION: u8 = 1;

#[derive(Clone, Copy)]
enum Kind {
    Key = 1,
    Asset = 2,
    Release = 3,
    Clock = 4,
}

fn unreadable() -> KeyError {
    KeyErrorKind::Record("it makes no sense").into()
}

/// Fields one after the other, integers big-endian, bytes behind their length.
struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Room for all, so that no copy is left behind when it grows.
    fn new(kind: Kind, room: usize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        bytes.extend([VERSION, kind as u8]);
        Self(bytes)
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn count(&mut self, count: usize) {
        self.0.extend(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.byte(u8::from(bytes.is_some()));
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    fn moment(&mut self, moment: Option<Timestamp>) {
        self.byte(u8::from(moment.is_some()));
        if let Some(moment) = moment {
            self.0.extend(moment.0.to_be_bytes());
        }
    }

    fn limit(&mut self, limit: Limit) {
        match limit {
            Limit::Unspecified => self.byte(0),
            Limit::Unlimited => self.byte(1),
            Limit::Within(time) => {
                self.byte(2);
                self.0.extend(time.as_secs().to_be_bytes());
            }
        }
    }

    fn done(mut self) -> SecretBytes {
        SecretBytes::new(std::mem::take(&mut *self.0))
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn new(kind: Kind, bytes: &'a SecretBytes) -> Result<Self, KeyError> {
        match bytes.expose() {
            [VERSION, found, rest @ ..] if *found == kind as u8 => Ok(Self(rest)),
            [version, ..] if *version > VERSION => {
                Err(KeyErrorKind::Record("it is of a later version").into())
            }
            _ => Err(unreadable()),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], KeyError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(unreadable)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, KeyError> {
        self.take(1)?.first().copied().ok_or_else(unreadable)
    }

    fn eight(&mut self) -> Result<[u8; 8], KeyError> {
        self.take(8)?.try_into().map_err(|_| unreadable())
    }

    /// No more than there are bytes left.
    fn count(&mut self) -> Result<usize, KeyError> {
        let field: [u8; 4] = self.take(4)?.try_into().map_err(|_| unreadable())?;
        let count = usize::try_from(u32::from_be_bytes(field)).map_err(|_| unreadable())?;
        if count <= self.0.len() { Ok(count) } else { Err(unreadable()) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], KeyError> {
        let count = self.count()?;
        self.take(count)
    }

    fn text(&mut self) -> Result<&'a str, KeyError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| unreadable())
    }

    fn asset(&mut self) -> Result<AssetId, KeyError> {
        AssetId::new(self.text()?).map_err(|_| unreadable())
    }

    fn key_uri(&mut self) -> Result<KeyUri, KeyError> {
        KeyUri::new(self.text()?).map_err(|_| unreadable())
    }

    fn optional(&mut self) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(if self.byte()? == 0 { None } else { Some(self.bytes()?.to_vec()) })
    }

    fn moment(&mut self) -> Result<Option<Timestamp>, KeyError> {
        Ok(if self.byte()? == 0 { None } else { Some(Timestamp(i64::from_be_bytes(self.eight()?))) })
    }

    fn limit(&mut self) -> Result<Limit, KeyError> {
        match self.byte()? {
            0 => Ok(Limit::Unspecified),
            1 => Ok(Limit::Unlimited),
            2 => Ok(Limit::Within(std::time::Duration::from_secs(u64::from_be_bytes(self.eight()?)))),
            _ => Err(unreadable()),
        }
    }

    fn done<T>(self, value: T) -> Result<T, KeyError> {
        if self.0.is_empty() { Ok(value) } else { Err(unreadable()) }
    }
}

#[cfg(test)]
mod tests;
