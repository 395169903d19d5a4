//! How records are written down: fields one after the other, and what reads them back.

use zeroize::Zeroizing;

use crate::asset::AssetId;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::provider::LicenseUrl;
use crate::secret::{Fingerprint, SecretBytes};
use crate::terms::Limit;
use crate::time::Timestamp;

/// What is written. Version 1 had no service addresses, and told one asset and one time for all stages of a release.
pub(super) const VERSION: u8 = 2;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Key = 1,
    Asset = 2,
    Release = 3,
    Clock = 4,
}

pub(super) fn unreadable() -> KeyError {
    KeyErrorKind::Record("it makes no sense").into()
}

/// Fields one after the other, integers big-endian, bytes behind their length.
pub(super) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Room for all, so that no copy is left behind when it grows.
    pub(super) fn new(kind: Kind, room: usize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        bytes.extend([VERSION, kind as u8]);
        Self(bytes)
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.0.extend(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend(bytes);
    }

    pub(super) fn optional(&mut self, bytes: Option<&[u8]>) {
        self.byte(u8::from(bytes.is_some()));
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    pub(super) fn moment(&mut self, moment: Option<Timestamp>) {
        self.byte(u8::from(moment.is_some()));
        if let Some(moment) = moment {
            self.0.extend(moment.0.to_be_bytes());
        }
    }

    pub(super) fn fingerprint(&mut self, of: Fingerprint) {
        self.0.extend(of.to_bytes());
    }

    pub(super) fn url(&mut self, url: Option<&LicenseUrl>) {
        self.optional(url.map(|url| url.expose().as_bytes()));
    }

    pub(super) fn limit(&mut self, limit: Limit) {
        match limit {
            Limit::Unspecified => self.byte(0),
            Limit::Unlimited => self.byte(1),
            Limit::Within(time) => {
                self.byte(2);
                self.0.extend(time.as_secs().to_be_bytes());
            }
        }
    }

    pub(super) fn done(mut self) -> SecretBytes {
        SecretBytes::new(std::mem::take(&mut *self.0))
    }
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// The version of the record.
    pub(super) version: u8,
}

impl<'a> Reader<'a> {
    pub(super) fn new(kind: Kind, bytes: &'a SecretBytes) -> Result<Self, KeyError> {
        match bytes.expose() {
            [version @ 1..=VERSION, found, rest @ ..] if *found == kind as u8 => {
                Ok(Self { rest, version: *version })
            }
            [version, ..] if *version > VERSION => {
                Err(KeyErrorKind::Record("it is of a later version").into())
            }
            _ => Err(unreadable()),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], KeyError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(unreadable)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, KeyError> {
        self.take(1)?.first().copied().ok_or_else(unreadable)
    }

    fn eight(&mut self) -> Result<[u8; 8], KeyError> {
        self.take(8)?.try_into().map_err(|_| unreadable())
    }

    /// No more than there are bytes left.
    pub(super) fn count(&mut self) -> Result<usize, KeyError> {
        let field: [u8; 4] = self.take(4)?.try_into().map_err(|_| unreadable())?;
        let count = usize::try_from(u32::from_be_bytes(field)).map_err(|_| unreadable())?;
        if count <= self.rest.len() { Ok(count) } else { Err(unreadable()) }
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], KeyError> {
        let count = self.count()?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, KeyError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| unreadable())
    }

    pub(super) fn asset(&mut self) -> Result<AssetId, KeyError> {
        AssetId::new(self.text()?).map_err(|_| unreadable())
    }

    pub(super) fn key_uri(&mut self) -> Result<KeyUri, KeyError> {
        KeyUri::new(self.text()?).map_err(|_| unreadable())
    }

    pub(super) fn optional(&mut self) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(if self.byte()? == 0 { None } else { Some(self.bytes()?.to_vec()) })
    }

    pub(super) fn moment(&mut self) -> Result<Option<Timestamp>, KeyError> {
        Ok(if self.byte()? == 0 { None } else { Some(Timestamp(i64::from_be_bytes(self.eight()?))) })
    }

    pub(super) fn fingerprint(&mut self) -> Result<Fingerprint, KeyError> {
        self.eight().map(Fingerprint::from_bytes)
    }

    pub(super) fn url(&mut self) -> Result<Option<LicenseUrl>, KeyError> {
        if self.byte()? == 0 { Ok(None) } else { Ok(Some(LicenseUrl::new(self.text()?))) }
    }

    pub(super) fn limit(&mut self) -> Result<Limit, KeyError> {
        match self.byte()? {
            0 => Ok(Limit::Unspecified),
            1 => Ok(Limit::Unlimited),
            2 => Ok(Limit::Within(std::time::Duration::from_secs(u64::from_be_bytes(self.eight()?)))),
            _ => Err(unreadable()),
        }
    }

    pub(super) fn done<T>(self, value: T) -> Result<T, KeyError> {
        if self.rest.is_empty() { Ok(value) } else { Err(unreadable()) }
    }
}
