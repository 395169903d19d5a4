//! What a failure is called, and what can be done about it.

use super::{Error, ErrorKind};
use crate::cause::Remedy;
use crate::retry::Failure;

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match (self.failure(), &self.0.kind) {
            (Failure::Expired, _) | (_, ErrorKind::AnotherEncode(_) | ErrorKind::NoFreshUrl) => {
                Remedy::FreshUrl
            }
            (_, ErrorKind::NoSpace { .. } | ErrorKind::DiskFull | ErrorKind::OverQuota { .. }) => {
                Remedy::MakeRoom
            }
            (_, ErrorKind::PartsDamaged { .. }) => Remedy::Repair,
            (_, ErrorKind::Requirements(_)) => Remedy::Wait,
            (Failure::Device, _)
            | (_, ErrorKind::Damaged(_) | ErrorKind::Locked(_) | ErrorKind::DestinationTaken(_)) => {
                Remedy::CheckStore
            }
            (Failure::Transient, _) => Remedy::TryAgain,
            (_, ErrorKind::KeyNotLoaded { .. }) => Remedy::License,
            (
                _,
                ErrorKind::Select(_)
                | ErrorKind::Plan(_)
                | ErrorKind::NestedMultivariant
                | ErrorKind::NoKeyLoader(_)
                | ErrorKind::NotAugmentable
                | ErrorKind::WidevineClassic,
            ) => Remedy::OtherContent,
            _ => Remedy::CheckUrl,
        }
    }

    /// A short fixed word for the kind, as listings and records spell it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.0.kind {
            ErrorKind::InvalidItemId(_) => "invalid-item-id",
            ErrorKind::InvalidUrl(_) => "invalid-url",
            ErrorKind::SchemeNotAllowed(_) => "scheme-not-allowed",
            ErrorKind::ItemNotFound => "item-not-found",
            ErrorKind::ItemExists(_) => "item-exists",
            ErrorKind::InvalidState(_) => "invalid-state",
            ErrorKind::Loading => "loading",
            ErrorKind::NotCompleted(_) => "not-completed",
            ErrorKind::Unreachable(_) => "unreachable",
            ErrorKind::Certificate(_) => "certificate",
            ErrorKind::Status(_) => "status",
            ErrorKind::BadAnswer(_) => "bad-answer",
            ErrorKind::PrivateAddress(_) => "private-address",
            ErrorKind::Adapter(_) => "adapter",
            ErrorKind::Setting(_) => "setting",
            ErrorKind::TooLarge(_) => "too-large",
            ErrorKind::Playlist(_) => "playlist",
            ErrorKind::NestedMultivariant => "nested-multivariant",
            ErrorKind::WidevineClassic => "widevine-classic",
            ErrorKind::Select(_) => "select",
            ErrorKind::Plan(_) => "plan",
            ErrorKind::AnotherEncode(_) => "another-encode",
            ErrorKind::NoFreshUrl => "no-fresh-url",
            ErrorKind::Callback { .. } => "callback",
            ErrorKind::DestinationTaken(_) => "destination-taken",
            ErrorKind::NotAugmentable => "not-augmentable",
            ErrorKind::NoKeyLoader(_) => "no-key-loader",
            ErrorKind::KeyNotLoaded { .. } => "key-not-loaded",
            ErrorKind::Requirements(_) => "requirements",
            ErrorKind::NoSpace { .. } | ErrorKind::DiskFull => "no-space",
            ErrorKind::OverQuota { .. } => "over-quota",
            ErrorKind::PartsDamaged { .. } => "parts-damaged",
            ErrorKind::Store(_) => "store",
            ErrorKind::Damaged(_) => "damaged",
            ErrorKind::Locked(_) => "locked",
            ErrorKind::Cancelled => "cancelled",
        }
    }
}
