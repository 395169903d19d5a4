//! Why an item stopped, as it is kept with the item.

use std::fmt;

use crate::resource::Role;

/// Why an item stopped: kept with it over a restart, until it is started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFailure {
    /// A short fixed word to branch on, such as `status`, `no-space`, `unreachable`.
    pub code: String,
    /// The whole sentence, with the URL but not its query.
    pub message: String,
    /// The HTTP status, when the server's answer was the reason.
    pub status: Option<u16>,
    /// What was being done.
    pub stage: Option<Stage>,
    /// Scheme, host, port and path of the URL, where one was concerned.
    pub url: Option<String>,
    /// How often it was tried since the last progress; 0 where that was not counted.
    pub attempts: u32,
    /// What can be done about it.
    pub remedy: Remedy,
}

/// What was being done when an item stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Its playlists were being fetched and its plan made.
    Metadata,
    /// A file of this kind was being fetched.
    Fetch(Role),
    /// A fresh address was asked for, or held against what is there.
    Refresh,
    /// What was fetched was being made durable.
    Store,
    /// What is there was held against what was recorded.
    Verify,
}

impl Stage {
    /// Every stage.
    pub(crate) const ALL: [Self; 11] = [
        Self::Metadata,
        Self::Refresh,
        Self::Store,
        Self::Verify,
        Self::Fetch(Role::Segment),
        Self::Fetch(Role::Map),
        Self::Fetch(Role::Key),
        Self::Fetch(Role::SessionData),
        Self::Fetch(Role::Subtitle),
        Self::Fetch(Role::Thumbnail),
        Self::Fetch(Role::File),
    ];

    /// The stage's fixed name: that of the file's kind where one was being fetched.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Fetch(role) => role.as_str(),
            Self::Refresh => "refresh",
            Self::Store => "store",
            Self::Verify => "verify",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can be done about a failure. Its `Display` is a sentence for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Starting again may help as things are.
    TryAgain,
    /// It goes on by itself when what it requires holds again.
    Wait,
    /// Room on the disk, then a start.
    MakeRoom,
    /// A look at the folder, then a start.
    CheckStore,
    /// A fresh address, then a start: the one that is known has run out, or is not allowed.
    FreshUrl,
    /// Another address, or a server that is put right, then a start.
    CheckUrl,
    /// The right to its license, then a start: who has its key refused it.
    License,
    /// Nothing with this presentation or these options.
    OtherContent,
    /// A start, which fetches what is missing or damaged anew.
    Repair,
}

impl Remedy {
    /// Every remedy.
    pub(crate) const ALL: [Self; 9] = [
        Self::TryAgain,
        Self::Wait,
        Self::MakeRoom,
        Self::CheckStore,
        Self::FreshUrl,
        Self::CheckUrl,
        Self::License,
        Self::OtherContent,
        Self::Repair,
    ];

    /// The remedy's fixed name, as listings and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TryAgain => "try-again",
            Self::Wait => "wait",
            Self::MakeRoom => "make-room",
            Self::CheckStore => "check-store",
            Self::FreshUrl => "fresh-url",
            Self::CheckUrl => "check-url",
            Self::License => "license",
            Self::OtherContent => "other-content",
            Self::Repair => "repair",
        }
    }

    /// Whether trying again can help although nobody changes anything.
    #[must_use]
    pub const fn tries_help(self) -> bool {
        matches!(self, Self::TryAgain | Self::Wait | Self::Repair)
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TryAgain => "start it again: the network or the server may be back",
            Self::Wait => "it goes on by itself when what it requires holds again",
            Self::MakeRoom => "make room on the disk, then start it again",
            Self::CheckStore => "look at the folder's disk and permissions, then start it again",
            Self::FreshUrl => {
                "its address has run out or is not allowed: give it a fresh one, then start it again"
            }
            Self::CheckUrl => {
                "the server does not have it as expected: check the address, then start it again"
            }
            Self::License => "its key was refused: see to the right to play it, then start it again",
            Self::Repair => "start it again: what is missing or damaged is fetched anew",
            Self::OtherContent => {
                "this presentation can't be downloaded with these options: starting again can't help"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{BadAnswer, Error, ErrorKind};
    use crate::plan::PlanError;

    #[track_caller]
    fn check(kind: ErrorKind, remedy: Remedy) {
        assert_eq!(Error::new(kind).remedy(), remedy);
    }

    #[test]
    fn each_kind_of_failure_says_what_the_user_can_do() {
        check(ErrorKind::Status(503), Remedy::TryAgain);
        check(ErrorKind::Unreachable("reset".into()), Remedy::TryAgain);
        check(ErrorKind::Status(403), Remedy::FreshUrl);
        check(ErrorKind::Status(410), Remedy::FreshUrl);
        check(ErrorKind::Status(404), Remedy::CheckUrl);
        check(ErrorKind::BadAnswer(BadAnswer::WebPage), Remedy::CheckUrl);
        check(ErrorKind::DiskFull, Remedy::MakeRoom);
        check(ErrorKind::Store(std::io::Error::other("no")), Remedy::CheckStore);
        check(ErrorKind::Plan(PlanError::TooLarge), Remedy::OtherContent);
    }

    #[test]
    fn a_stored_failure_says_where_how_often_and_what_to_do_without_the_query() {
        let error = Error::new(ErrorKind::Status(403))
            .at("https://cdn.test/key.bin?token=secret")
            .after(2)
            .during(Stage::Fetch(Role::Key));
        let stored = error.stored();
        assert_eq!(stored.url.as_deref(), Some("https://cdn.test/key.bin"));
        assert_eq!(
            (stored.status, stored.attempts, stored.stage),
            (Some(403), 2, Some(Stage::Fetch(Role::Key)))
        );
        assert!(!stored.remedy.tries_help());
        assert!(!format!("{stored:?}").contains("secret"));
    }
}
