//! What went wrong, with which item, at which URL.

mod answer;
mod words;

use std::time::Duration;
use std::{fmt, io};

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::cause::{Stage, StoredFailure};
use crate::item::{InvalidItemId, ItemId};
use crate::key_loader::KeyLoadError;
use crate::plan::PlanError;
use crate::relocate::AnotherEncode;
use crate::requirements::Unmet;
use crate::retry::Failure;
use crate::select::SelectError;
use crate::state::{InvalidTransition, ItemState};
pub use answer::BadAnswer;

/// A failed command or transfer: which item, which URL, what.
///
/// The URL is shown as scheme, host, port and path: queries, fragments and user names may be secrets.
#[derive(Debug)]
pub struct Error(Box<Parts>);

/// Boxed, so that a result with an error is no larger than one without.
#[derive(Debug)]
struct Parts {
    item: Option<ItemId>,
    url: Option<String>,
    attempts: u32,
    retry_after: Option<Duration>,
    stage: Option<Stage>,
    kind: ErrorKind,
}

/// What to branch on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The id can't be an item's.
    #[error(transparent)]
    InvalidItemId(#[from] InvalidItemId),
    /// The URL can't be parsed.
    #[error("not a URL: {0}")]
    InvalidUrl(url::ParseError),
    /// Only http and https are fetched.
    #[error("the scheme `{0}` is not fetched, only http and https")]
    SchemeNotAllowed(String),
    /// No item has this id.
    #[error("no such item")]
    ItemNotFound,
    /// An item with this id is there already; it is unchanged.
    #[error("an item with this id is there already, in state {0}")]
    ItemExists(ItemState),
    /// The command makes no sense in the item's state; the item is unchanged.
    #[error(transparent)]
    InvalidState(#[from] InvalidTransition),
    /// Its metadata is being loaded by another thread.
    #[error("its metadata is being loaded already")]
    Loading,
    /// It has no playback location before it is completed.
    #[error("it can't be played before it is completed: it is {0}")]
    NotCompleted(ItemState),
    /// No answer from the host: lookup, connect, TLS, time-out or a broken connection.
    #[error("{0}")]
    Unreachable(String),
    /// The server's certificate is not believed: its issuer, its name or its time is wrong.
    #[error("the server is not trusted: {0}")]
    Certificate(String),
    /// The server answered with this status.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The answer does not fit the request or its own headers.
    #[error("{0}")]
    BadAnswer(BadAnswer),
    /// A public presentation leads to this address, which is not a public one.
    #[error("it leads to the private address {0}, which a presentation on a public address may not")]
    PrivateAddress(String),
    /// A [`RequestAdapter`](crate::RequestAdapter) failed, panicked or did what it may not.
    #[error("an adapter of requests failed: {0}")]
    Adapter(String),
    /// An [`HttpSettings`](crate::HttpSettings) makes no sense; says what would.
    #[error("a setting makes no sense: {0}")]
    Setting(&'static str),
    /// The playlist is larger than the limit.
    #[error("the playlist is larger than {0} bytes")]
    TooLarge(u64),
    /// The answer is not an HLS playlist, or it is a broken one.
    #[error("not a usable playlist: {0}")]
    Playlist(hls_parse::Error),
    /// A media playlist was expected where a multivariant playlist came.
    #[error("a media playlist was expected, and a multivariant playlist came")]
    NestedMultivariant,
    /// The URL gives a Widevine Classic file, which no current player opens.
    #[error("Widevine Classic (wvm) can't be played any more, so it is not downloaded")]
    WidevineClassic,
    /// No variant can be chosen.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The presentation can't be downloaded: live, an unsupported encryption, a scheme that is not fetched.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A fresh address gives another encode, whose parts don't fit what is there; nothing was changed.
    #[error("the address gives another encode of it: {0}")]
    AnotherEncode(#[from] AnotherEncode),
    /// The application knows no fresh address either.
    #[error("there is no fresh address")]
    NoFreshUrl,
    /// A function of the application's own failed or panicked.
    #[error("{what} failed: {reason}")]
    Callback {
        /// Which function.
        what: &'static str,
        /// What it said.
        reason: String,
    },
    /// Something else is where the asset is to be.
    #[error("something else is at its destination, {0}")]
    DestinationTaken(Utf8PathBuf),
    /// A single media file has no renditions, so that none can be added to it.
    #[error("a single media file can't be given more renditions")]
    NotAugmentable,
    /// Its key takes a license, and nobody was named who could obtain one.
    #[error(
        "its key `{0}` takes a license, and nobody is there to obtain it: call LocalAssetsManager::prepare_for_download \
         (or RemoteAsset::with_key_loader) before the task is made"
    )]
    NoKeyLoader(String),
    /// Its [`KeyLoader`](crate::KeyLoader) did not obtain a key.
    #[error("its key `{key}` could not be obtained: {cause}")]
    KeyNotLoaded {
        /// The key's URI, without its query.
        key: String,
        /// What the loader said.
        cause: KeyLoadError,
    },
    /// The device lacks what the item asks for; it goes on by itself when it is told to have it.
    #[error("it needs {}", listed(.0))]
    Requirements(Vec<Unmet>),
    /// Not enough free space.
    #[error("not enough space: {needed} bytes are needed and {free} are free")]
    NoSpace {
        /// Bytes still to come, plus the reserve.
        needed: u64,
        /// Bytes free on the volume.
        free: u64,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// It would not fit under the quota, and nothing more may be removed for it.
    #[error("{excess} bytes too many for the quota of {quota} bytes, and nothing more may be removed")]
    OverQuota {
        /// What all items may take.
        quota: u64,
        /// What would be too much.
        excess: u64,
    },
    /// Parts of it are missing or have other bytes than those that came: a start fetches them anew.
    #[error("{parts} of its parts are missing or damaged, the first is {first}")]
    PartsDamaged {
        /// How many.
        parts: usize,
        /// The file of the first one, relative to the presentation's folder.
        first: Utf8PathBuf,
    },
    /// A file or folder of the store can't be read or written.
    #[error("the store failed: {0}")]
    Store(io::Error),
    /// A record of the store is damaged or of a later version.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Another process writes to this folder.
    #[error("another process (pid {0}) has this folder open for writing")]
    Locked(u32),
    /// The command was cancelled, or the manager is closed.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// Wraps what went wrong.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Parts { item: None, url: None, attempts: 0, retry_after: None, stage: None, kind }))
    }

    /// Adds which item it happened to.
    #[must_use]
    pub(crate) fn of(mut self, item: &ItemId) -> Self {
        self.0.item.get_or_insert_with(|| item.clone());
        self
    }

    /// Adds where it happened, without what may be secret.
    #[must_use]
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.0.url.get_or_insert_with(|| public_part(url));
        self
    }

    /// Adds how often it was tried.
    #[must_use]
    pub(crate) fn after(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Adds how long the server asks to be left alone.
    #[must_use]
    pub(crate) fn again_after(mut self, pause: Option<Duration>) -> Self {
        self.0.retry_after = pause;
        self
    }

    /// How long the server asked to be left alone (`Retry-After`), if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Adds what was being done.
    #[must_use]
    pub(crate) fn during(mut self, stage: Stage) -> Self {
        self.0.stage.get_or_insert(stage);
        self
    }

    /// How often it was tried, where that was counted.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What was being done, where that is known.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// What to branch on.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The item, where one is concerned.
    #[must_use]
    pub fn item(&self) -> Option<&ItemId> {
        self.0.item.as_ref()
    }

    /// Scheme, host, port and path of the URL, where one is concerned.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Why, as far as retrying is concerned.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed is not retried")]
    pub(crate) fn failure(&self) -> Failure {
        match &self.0.kind {
            ErrorKind::Status(status) => Failure::from_status(*status),
            ErrorKind::Unreachable(_)
            | ErrorKind::Cancelled
            | ErrorKind::Adapter(_)
            | ErrorKind::KeyNotLoaded {
                cause: KeyLoadError::Unavailable(_) | KeyLoadError::Cancelled, ..
            }
            | ErrorKind::BadAnswer(BadAnswer::Truncated { .. } | BadAnswer::Changed) => Failure::Transient,
            ErrorKind::NoSpace { .. }
            | ErrorKind::DiskFull
            | ErrorKind::OverQuota { .. }
            | ErrorKind::PartsDamaged { .. }
            | ErrorKind::Store(_)
            | ErrorKind::Requirements(_) => Failure::Device,
            _ => Failure::Refused,
        }
    }

    /// Whether the item is interrupted by it (start goes on) rather than failed (the server meant it).
    ///
    /// As in the reference: a status from 500 on, and whatever is not an answer, interrupts.
    pub(crate) fn interrupts(&self) -> bool {
        matches!(self.kind(), ErrorKind::Certificate(_))
            || !matches!(self.failure(), Failure::Refused | Failure::Expired)
    }

    /// The error as it is kept with the item.
    pub(crate) fn stored(&self) -> StoredFailure {
        StoredFailure {
            code: self.code().to_owned(),
            message: self.to_string(),
            status: if let ErrorKind::Status(status) = self.0.kind { Some(status) } else { None },
            stage: self.0.stage,
            url: self.0.url.clone(),
            attempts: self.0.attempts,
            remedy: self.remedy(),
        }
    }
}

impl<T: Into<ErrorKind>> From<T> for Error {
    fn from(kind: T) -> Self {
        Self::new(kind.into())
    }
}

impl From<io::Error> for ErrorKind {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only a full disk is told apart")]
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Store(error),
        }
    }
}

impl From<hls_parse::Error> for ErrorKind {
    fn from(error: hls_parse::Error) -> Self {
        Self::Playlist(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(item) = &self.0.item {
            write!(f, "item `{item}`")?;
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.kind.source()
    }
}

fn listed(unmet: &[Unmet]) -> String {
    unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
}

/// Scheme, host, port and path of a URL.
pub(crate) fn public_part(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(url) if url.has_host() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        Ok(url) => format!("{}:...", url.scheme()),
        Err(_) => {
            let shown = url.split(['?', '#']).next().unwrap_or_default();
            shown.rsplit('@').next().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_item_and_url_and_how_often_but_not_the_token() {
        let id = ItemId::new("1_abc").unwrap();
        let error = Error::new(ErrorKind::Status(503))
            .at("https://user:pass@cdn.test:8443/seg-7.ts?ks=secret#here")
            .of(&id)
            .after(5);
        assert_eq!(
            error.to_string(),
            "item `1_abc`, https://cdn.test:8443/seg-7.ts: HTTP status 503 after 5 attempts"
        );
    }

    #[test]
    fn what_is_not_a_url_is_shown_without_its_password_too() {
        assert_eq!(public_part("http://user:pass@[bad/x?token=secret"), "[bad/x");
        assert_eq!(public_part("not a url#fragment"), "not a url");
    }

    #[test]
    fn a_server_fault_interrupts_and_a_refusal_fails() {
        let interrupts = |kind| Error::new(kind).interrupts();
        assert!(interrupts(ErrorKind::Status(500)));
        assert!(interrupts(ErrorKind::Unreachable("refused".into())));
        assert!(interrupts(ErrorKind::DiskFull));
        assert!(interrupts(ErrorKind::Certificate("expired".into())));
        assert!(!interrupts(ErrorKind::Status(404)));
        assert!(!interrupts(ErrorKind::BadAnswer(BadAnswer::WebPage)));
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let full = ErrorKind::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, ErrorKind::DiskFull));
        let broken = ErrorKind::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(matches!(broken, ErrorKind::Store(_)));
    }
}
