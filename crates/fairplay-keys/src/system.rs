//! The platform's side of FairPlay: it makes SPCs, opens CKCs, and turns them into keys that may be stored.

use std::fmt;
use std::sync::Arc;

use thiserror::Error as ThisError;

use crate::certificate::Certificate;
use crate::container::{Ckc, Spc};
use crate::content_id::ContentId;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::secret::{Fingerprint, PersistableKey};
use crate::terms::LicenseTerms;
use crate::time::Timestamp;

/// What decrypts: `AVContentKeySession` on Apple's platforms, software in tests.
pub trait ContentKeySystem: Send + Sync + fmt::Debug {
    /// What it can do here.
    fn capabilities(&self) -> Capabilities;

    /// Opens a request for a key, in a session of its own: a platform answers a second request for a key that a session
    /// has loaded already with nothing at all.
    ///
    /// # Errors
    /// [`SystemFault`]s, as where keys cannot be stored.
    fn open(&self, key_uri: &KeyUri, intent: Intent) -> Result<Box<dyn KeyRequest>, KeyError>;

    /// An SPC from which the server reads how long a stored key still lives.
    ///
    /// # Errors
    /// [`SystemFault`]s; [`SystemFault::Unsupported`] where the platform has nothing like it.
    fn expiration_spc(&self, key: &PersistableKey, certificate: &Certificate) -> Result<Spc, KeyError>;

    /// Makes a stored key unusable, for good, and gives the SPC that proves it. May be called again.
    ///
    /// # Errors
    /// [`SystemFault`]s; [`SystemFault::Unsupported`] where the platform has nothing like it.
    fn invalidate(
        &self,
        key: &PersistableKey,
        certificate: &Certificate,
        challenge: Option<Challenge>,
    ) -> Result<Spc, KeyError>;

    /// Has the listener told of each key that the platform replaces by itself, as at the first playback under dual expiry.
    /// The old key is no longer valid then. It is called on any thread; there is one listener, the last that was set.
    fn listen(&self, listener: Arc<dyn UpdateListener>);
}

/// A platform's request for one key: answered once, by [`accept`](Self::accept), [`answer_stored`](Self::answer_stored)
/// or [`fail`](Self::fail). Dropped without an answer, it fails as abandoned.
pub trait KeyRequest: Send + fmt::Debug {
    /// The key that is asked for.
    fn key_uri(&self) -> &KeyUri;

    /// Whether the answer may be stored: a platform refuses that for some requests, as under AirPlay.
    fn persistence(&self) -> Persistence;

    /// Makes an SPC. Each call makes another; a CKC has to answer the last.
    ///
    /// # Errors
    /// [`SystemFault`]s, as for a certificate that the platform doesn't take.
    fn spc(&mut self, certificate: &Certificate, content_id: &ContentId) -> Result<Spc, KeyError>;

    /// Takes the license, answers the request with it, and gives the key to store where that is allowed.
    ///
    /// # Errors
    /// [`SystemFault`]s, as for a CKC of another exchange; the request has failed then.
    fn accept(self: Box<Self>, ckc: &Ckc) -> Result<Accepted, KeyError>;

    /// Answers the request with a stored key.
    ///
    /// # Errors
    /// [`SystemFault`]s, as for a key that has expired; the request has failed then.
    fn answer_stored(self: Box<Self>, key: &PersistableKey) -> Result<(), KeyError>;

    /// Answers the request with an error.
    fn fail(self: Box<Self>, error: &KeyError);
}

/// Hears of keys that a platform replaced by itself.
pub trait UpdateListener: Send + Sync {
    /// A key was replaced: the new one has to be stored before this returns.
    fn key_updated(&self, update: KeyUpdate);
}

/// A key that a platform replaced by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUpdate {
    /// Which key.
    pub key_uri: KeyUri,
    /// The key that it replaces, where the platform knows: an update of any other is out of date.
    pub replaces: Option<Fingerprint>,
    /// The new key.
    pub key: PersistableKey,
}

/// What a platform can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// Whether keys can be stored.
    pub persistence: Persistence,
    /// Whether stored keys can be made unusable with proof.
    pub invalidation: Invalidation,
}

/// Whether keys can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// Yes.
    Possible,
    /// No: online playback only.
    Impossible,
}

/// Whether stored keys can be made unusable with proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Invalidation {
    /// Yes.
    Provable,
    /// No: they are deleted, and the server never knows.
    Unknown,
}

/// What a key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Intent {
    /// To be stored.
    Acquire,
    /// To be stored in the place of one that is stored.
    Renew,
    /// To play now.
    Play,
}

/// A server's number that a proof has to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Challenge(pub [u8; 8]);

/// What came of a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The key to store; `None` where the request's answer may not be stored.
    pub key: Option<PersistableKey>,
    /// What the license grants, as far as the platform says.
    pub terms: LicenseTerms,
    /// When the key was made, by the platform's clock, where it says.
    pub created: Option<Timestamp>,
}

/// What a platform refuses.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum SystemFault {
    /// It doesn't take the certificate.
    #[error("the certificate is not accepted")]
    Certificate,
    /// It doesn't take the CKC: of another exchange, another server, or damaged.
    #[error("the CKC is not accepted")]
    Ckc,
    /// It can't store keys, here or for this request.
    #[error("keys cannot be stored here")]
    PersistenceUnsupported,
    /// The key's lease is over.
    #[error("the lease is over")]
    LeaseExpired,
    /// The stored key's time is over.
    #[error("the stored key has expired")]
    KeyExpired,
    /// The stored key has a form that an update of the system gave up.
    #[error("the system no longer reads keys of this form")]
    KeyRetired,
    /// The stored key is none: damaged, replaced by a newer one, made unusable, or of another device.
    #[error("the stored key is not valid")]
    KeyInvalid,
    /// The content identifier is missing or not accepted.
    #[error("the content identifier is not accepted")]
    ContentId,
    /// It has no such function.
    #[error("the system cannot do this")]
    Unsupported,
    /// The request was dropped without an answer.
    #[error("the request was abandoned")]
    Abandoned,
    /// Anything else.
    #[error("the system says {code}: {message}")]
    Other {
        /// The system's code.
        code: i64,
        /// What it says.
        message: String,
    },
}

impl SystemFault {
    /// The fault of a code of Apple's content key sessions; `message` is kept for those that are not known.
    #[must_use]
    pub fn from_code(code: i64, message: &str) -> Self {
        match code {
            -42656 => Self::LeaseExpired,
            -42668 => Self::Ckc,
            -42672 | -42679 | -42783 => Self::Certificate,
            -42673 | -42675 => Self::ContentId,
            -42799 => Self::KeyRetired,
            -42800 => Self::KeyExpired,
            -42803 => Self::KeyInvalid,
            _ => Self::Other { code, message: message.to_owned() },
        }
    }
}
