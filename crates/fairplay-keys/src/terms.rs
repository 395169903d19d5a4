//! How long a key may be kept and played: what a license grants, and what is left of it.

use std::time::Duration;

use crate::time::Timestamp;

/// How long something may go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Nothing was said.
    #[default]
    Unspecified,
    /// Without end.
    Unlimited,
    /// For so long.
    Within(Duration),
}

/// What a license grants, as the platform read it out of the CKC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct LicenseTerms {
    /// From the key's making: how long it may be stored, until it is played for the first time.
    pub storage: Limit,
    /// From the first playback: how long it may still be played. Where this is set, it is all that counts then.
    pub playback: Limit,
    /// How long playback goes on before the key has to be renewed; offline keys have none.
    pub lease: Limit,
    /// The kind of key.
    pub key_type: KeyType,
}

/// What kind of key a license gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// The platform doesn't say.
    #[default]
    Unknown,
    /// For playback while it is renewed.
    Lease,
    /// For playback that begins in time.
    Rental,
    /// Both.
    LeaseAndRental,
    /// May be stored, without end.
    Persist,
    /// May be stored for a time.
    PersistLimited,
}

/// Which window a key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It is kept, and was not played yet, or playing it changes nothing.
    Storage,
    /// It was played; what counts is the time since.
    Playback {
        /// The first playback.
        since: Timestamp,
    },
    /// It does not expire.
    NoLimit,
    /// Nobody said how long it lives. The platform knows.
    Unknown,
}

/// What is left of a key's time. Advisory: the platform enforces its own reckoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpirationInfo {
    /// Which window the key is in.
    pub phase: Phase,
    /// The last moment at which it is valid; `None` where it has no end, or none that is known.
    pub not_after: Option<Timestamp>,
    /// The time until then; nothing once that is past.
    pub remaining: Option<Duration>,
    /// The moment that this was reckoned for.
    pub as_of: Timestamp,
    /// Who set the limit.
    pub source: TermsSource,
    /// How far the clock can be believed.
    pub confidence: Confidence,
}

/// Who said how long a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TermsSource {
    /// The license itself.
    License,
    /// The license server, beside the license.
    Server,
    /// A store that was imported.
    Imported,
    /// Nobody.
    Nobody,
}

/// How far the clock can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// Nothing speaks against it.
    Good,
    /// It is behind a time that it showed before; that time is reckoned with instead.
    RolledBack,
    /// It shows a time before this software was written, and nothing better is known.
    Unset,
}

impl Limit {
    /// The end of a window that began then; `None` without one.
    #[must_use]
    pub fn from(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Within(time) => Some(start.plus(time)),
            Self::Unlimited | Self::Unspecified => None,
        }
    }
}

impl ExpirationInfo {
    /// Whether the key's time is over. It is valid up to and including [`ExpirationInfo::not_after`].
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.not_after.is_some_and(|end| end < self.as_of)
    }
}
