//! Why a key is not there, or not usable.

use std::fmt;
use std::time::Duration;

use thiserror::Error as ThisError;

use crate::certificate::CertificateFault;
use crate::container::{CkcFault, SpcFault};
use crate::error::Error;
use crate::http::{RequestFault, TransportError, shown};
use crate::key_uri::KeyUri;
use crate::provider::{LicenseUrl, TokenError};
use crate::store::StoreError;
use crate::system::SystemFault;
use crate::terms::Phase;
use crate::time::Timestamp;

/// A key that could not be had, kept or used: which, from where, and why. It holds no key, token or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    key: Option<String>,
    url: Option<String>,
    attempts: u32,
    kind: KeyErrorKind,
}

/// What to branch on.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The key URI has no content identifier as the service wants it.
    #[error(transparent)]
    KeyUri(Error),
    /// The application's certificate is none.
    #[error(transparent)]
    Certificate(CertificateFault),
    /// The platform refuses.
    #[error(transparent)]
    System(SystemFault),
    /// What the platform made is no SPC for this certificate.
    #[error("not a usable SPC: {0}")]
    BadSpc(SpcFault),
    /// What the server gave is no CKC.
    #[error("not a CKC: {0}")]
    BadCkc(CkcFault),
    /// The request cannot be built.
    #[error("the license request cannot be built: {0}")]
    Request(RequestFault),
    /// There is no token.
    #[error("no token: {0}")]
    Token(TokenError),
    /// No answer came.
    #[error(transparent)]
    Transport(TransportError),
    /// The server answered with this status.
    #[error("HTTP status {status}{}", after(.retry_after.as_ref()))]
    Status {
        /// The status.
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer is no license.
    #[error("not a license: {0}")]
    Reply(ReplyFault),
    /// The service answered, and says no.
    #[error("the license server refuses{}: {message}", code_of(.code.as_deref()))]
    ServerRejected {
        /// Its code, as it writes it.
        code: Option<String>,
        /// What it says, no longer than 200 characters; what may be a secret in it is left out.
        message: String,
    },
    /// The key's time is over.
    #[error("the key expired{}", when(.not_after.as_ref()))]
    Expired {
        /// Which window was over.
        phase: Phase,
        /// Its end.
        not_after: Option<Timestamp>,
    },
    /// No such key is stored, and there is nobody to ask.
    #[error("the key is not stored")]
    NotStored,
    /// The asset was given up.
    #[error("the key was given up")]
    Released,
    /// The asset has no FairPlay key: there is nothing to do.
    #[error("not protected by FairPlay")]
    NotProtected,
    /// An asset with more keys than are fetched.
    #[error("{count} keys, and at most {limit} are fetched for an asset")]
    TooManyKeys {
        /// How many.
        count: usize,
        /// How many are fetched.
        limit: usize,
    },
    /// There was no answer by the deadline.
    #[error("no answer by the deadline")]
    Deadline,
    /// Nobody wrote down which license service a key came from.
    #[error("which license service it came from is not known")]
    NoService,
    /// The provider, the token source or another part of the application's panicked.
    #[error("a part of the application's panicked")]
    Panicked,
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The key store refuses or fails.
    #[error("the key store: {0}")]
    Store(StoreError),
    /// A stored record is of a later version, or makes no sense.
    #[error("a stored record cannot be read: {0}")]
    Record(&'static str),
}

/// Why an answer is no license.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ReplyFault {
    /// It is empty.
    #[error("the answer is empty")]
    Empty,
    /// It is a web page, as of a login or an error.
    #[error("a web page")]
    WebPage,
    /// It is none of the forms in which licenses come.
    #[error("neither a CKC nor base64, JSON or `<ckc>` with one inside")]
    Form,
    /// There is no license in its JSON.
    #[error("JSON without a license")]
    NoCkc,
    /// The license in it is not base64.
    #[error("the license in it is not base64")]
    NotBase64,
    /// The time that it states is not one: a number that it states, or `...`.
    #[error("it states a time that is none: `{0}`")]
    Duration(String),
}

/// What the user can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserAction {
    /// Have the license renewed.
    Renew,
    /// Connect to a network, or try again there.
    GoOnline,
    /// Download the asset again.
    ReDownload,
    /// Get the right to play: sign in, buy, rent.
    Purchase,
    /// Nothing: the application or the service has to be mended.
    Fatal,
}

impl KeyError {
    /// Wraps what went wrong.
    #[must_use]
    pub fn new(kind: impl Into<KeyErrorKind>) -> Self {
        Self(Box::new(Parts { key: None, url: None, attempts: 0, kind: kind.into() }))
    }

    /// Adds which key, shown without query; what is there stays.
    #[must_use]
    pub fn of(mut self, key_uri: &KeyUri) -> Self {
        let path = key_uri.as_str().split(['?', '#']).next().unwrap_or_default();
        self.0.key.get_or_insert_with(|| path.chars().take(80).collect());
        self
    }

    /// Adds where the license was asked for, shown without query; what is there stays.
    #[must_use]
    pub fn at(mut self, url: &LicenseUrl) -> Self {
        self.0.url.get_or_insert_with(|| shown(url.expose()));
        self
    }

    /// Adds how often it was tried.
    #[must_use]
    pub fn after(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// What to branch on.
    #[must_use]
    pub fn kind(&self) -> &KeyErrorKind {
        &self.0.kind
    }

    /// Whether the same may go well another time, with a new SPC.
    ///
    /// A server that refuses is never asked again by itself: statuses 401 and 403, and a refusal in an answer of status 200.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed is not retried")]
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            KeyErrorKind::Transport(fault) => fault.is_retryable(),
            KeyErrorKind::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            KeyErrorKind::Token(fault) => fault.again_in.is_some(),
            KeyErrorKind::Deadline => true,
            KeyErrorKind::Store(fault) => matches!(fault, StoreError::Busy),
            _ => false,
        }
    }

    /// How long to wait before the next try, where the server says.
    #[expect(clippy::wildcard_enum_match_arm, reason = "others say no time")]
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            KeyErrorKind::Status { retry_after, .. } => *retry_after,
            KeyErrorKind::Token(fault) => fault.again_in,
            _ => None,
        }
    }

    /// What the user can do.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed no user can mend")]
    #[must_use]
    pub fn user_action(&self) -> UserAction {
        match self.kind() {
            KeyErrorKind::Expired { .. } => UserAction::Renew,
            KeyErrorKind::System(fault) => of_system(fault),
            KeyErrorKind::Status { status: 401..=403, .. }
            | KeyErrorKind::ServerRejected { .. }
            | KeyErrorKind::Token(_) => UserAction::Purchase,
            KeyErrorKind::NotStored
            | KeyErrorKind::Deadline
            | KeyErrorKind::Cancelled
            | KeyErrorKind::Store(StoreError::Corrupt { .. } | StoreError::Busy)
            | KeyErrorKind::Record(_)
            | KeyErrorKind::Reply(ReplyFault::WebPage) => UserAction::GoOnline,
            KeyErrorKind::Transport(_) | KeyErrorKind::Status { .. } if self.is_retryable() => {
                UserAction::GoOnline
            }
            KeyErrorKind::Released => UserAction::ReDownload,
            _ => UserAction::Fatal,
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed no user can mend")]
const fn of_system(fault: &SystemFault) -> UserAction {
    match fault {
        SystemFault::LeaseExpired | SystemFault::KeyExpired => UserAction::Renew,
        SystemFault::KeyRetired | SystemFault::KeyInvalid | SystemFault::Abandoned => UserAction::GoOnline,
        _ => UserAction::Fatal,
    }
}

fn after(pause: Option<&Duration>) -> String {
    pause.map(|pause| format!(", again in {} s", pause.as_secs())).unwrap_or_default()
}

fn code_of(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

fn when(end: Option<&Timestamp>) -> String {
    end.map(|end| format!(" at {} s since 1970", end.0)).unwrap_or_default()
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.0.key {
            write!(f, "key `{key}`")?;
            f.write_str(if self.0.url.is_some() { ", " } else { ": " })?;
        }
        if let Some(url) = &self.0.url {
            write!(f, "{url}: ")?;
        }
        write!(f, "{}", self.0.kind)?;
        match self.0.attempts {
            0 | 1 => Ok(()),
            attempts => write!(f, " after {attempts} attempts"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.kind.source()
    }
}

impl<T: Into<KeyErrorKind>> From<T> for KeyError {
    fn from(kind: T) -> Self {
        Self::new(kind)
    }
}

macro_rules! kinds {
    ($($variant:ident($fault:ty)),* $(,)?) => {$(
        impl From<$fault> for KeyErrorKind {
            fn from(fault: $fault) -> Self {
                Self::$variant(fault)
            }
        }
    )*};
}

kinds! {
    KeyUri(Error), Certificate(CertificateFault), System(SystemFault), BadSpc(SpcFault), BadCkc(CkcFault),
    Request(RequestFault), Token(TokenError), Transport(TransportError), Reply(ReplyFault), Store(StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> KeyErrorKind {
        KeyErrorKind::Status { status, retry_after: None }
    }

    #[test]
    fn an_error_names_key_and_server_without_their_queries() {
        let error = KeyError::new(status(503))
            .of(&KeyUri::new("skd://a?canary").unwrap())
            .at(&LicenseUrl::new("https://u:canary@h.test/l?token=canary"))
            .after(3);
        assert_eq!(error.to_string(), "key `skd://a`, https://h.test/l: HTTP status 503 after 3 attempts");
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn a_refusal_is_never_tried_again_and_weather_is() {
        let retryable = |kind: KeyErrorKind| KeyError::new(kind).is_retryable();
        for kind in [status(500), status(503), status(429), status(408)] {
            assert!(retryable(kind));
        }
        assert!(retryable(TransportError::TimedOut.into()));
        assert!(retryable(TransportError::Unreachable("reset".to_owned()).into()));
        for kind in [status(400), status(401), status(403), status(404)] {
            assert!(!retryable(kind));
        }
        assert!(!retryable(KeyErrorKind::ServerRejected { code: None, message: "no".to_owned() }));
        assert!(!retryable(TransportError::Insecure.into()));
    }

    #[test]
    fn each_error_says_what_the_user_can_do() {
        let check = |kind: KeyErrorKind, action| assert_eq!(KeyError::new(kind).user_action(), action);
        check(KeyErrorKind::Expired { phase: Phase::Storage, not_after: None }, UserAction::Renew);
        check(SystemFault::from_code(-42800, "").into(), UserAction::Renew);
        check(SystemFault::from_code(-42799, "").into(), UserAction::GoOnline);
        check(SystemFault::from_code(-42803, "").into(), UserAction::GoOnline);
        check(status(403), UserAction::Purchase);
        check(status(503), UserAction::GoOnline);
        check(status(404), UserAction::Fatal);
        check(KeyErrorKind::Released, UserAction::ReDownload);
        check(KeyErrorKind::NotStored, UserAction::GoOnline);
        check(CertificateFault::Empty.into(), UserAction::Fatal);
    }
}
