//! What a key server grants, and what it gets wrong on demand.

/// What a key server answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long the key may be used.
    pub grant: Grant,
    /// What it says beside the license, where the protocol has a place for it.
    pub stated: Stated,
    /// What the link to a screen has to be protected by; `None` says nothing.
    pub hdcp: Option<Hdcp>,
    /// Refuses instead.
    pub denial: Option<Denial>,
    /// Spoils the answer.
    pub flaw: Option<Flaw>,
}

/// How long a content key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Without end, and not to be stored: the license says nothing of time.
    Unlimited,
    /// Playback while it is renewed; seconds.
    Lease(u32),
    /// Playback that begins in time; seconds.
    Rental(u32),
    /// May be stored, without end.
    Persist,
    /// May be stored for so many seconds.
    PersistFor(u32),
    /// Dual expiry: seconds from the key's making, and from the first playback; 0 is no end.
    Dual {
        /// From the key's making, in which playback has to begin.
        storage: u32,
        /// From the first playback.
        playback: u32,
    },
}

/// What is said beside the license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated {
    /// The time that is granted; nothing where that has no end.
    AsGranted,
    /// Nothing.
    Nothing,
    /// This, as it is written in JSON: `86400`, `"86400"`, `null`.
    Json(String),
}

/// What the link to a screen has to be protected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hdcp {
    /// Nothing.
    None,
    /// HDCP type 0.
    Type0,
    /// HDCP type 1.
    Type1,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The HTTP status; 200 for services that refuse in the body.
    pub status: u16,
    /// The service's code.
    pub code: u32,
    /// What it says.
    pub message: String,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// R1 is another.
    OtherR1,
    /// What the SPC asked back is not there.
    NothingReturned,
    /// It answers the exchange before this one; the first is answered rightly.
    EarlierExchange,
    /// The CKC lacks its last block, and its header does not know.
    Cut,
    /// The CKC states version 3.
    Version,
    /// Every bit of the payload's last byte is another.
    LastByte,
    /// The reserved field is not 0, and the version is 2: to be taken all the same.
    NewerServer,
    /// The base64 is encoded again.
    DoubleBase64,
    /// The base64 has line breaks: to be taken all the same.
    Lines,
    /// The base64 is of the alphabet for URLs, without padding: to be taken all the same.
    UrlBase64,
    /// A letter that no base64 has.
    NotBase64,
    /// The body begins with a byte order mark: to be taken all the same.
    ByteOrderMark,
    /// There is a place for the license, and nothing in it.
    EmptyLicense,
    /// `null` where the license should be.
    NullLicense,
    /// There is no place for it.
    NoLicense,
    /// Nothing at all.
    EmptyBody,
}

impl Default for Policy {
    /// Keys may be stored, without end.
    fn default() -> Self {
        Self { grant: Grant::Persist, stated: Stated::AsGranted, hdcp: None, denial: None, flaw: None }
    }
}

impl Policy {
    /// The default with another grant.
    #[must_use]
    pub fn granting(grant: Grant) -> Self {
        Self { grant, ..Self::default() }
    }

    /// The default with a flaw.
    #[must_use]
    pub fn with_flaw(flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..Self::default() }
    }

    /// The default that refuses.
    #[must_use]
    pub fn denying(status: u16, message: &str) -> Self {
        let denial = Denial { status, code: 500, message: message.to_owned() };
        Self { denial: Some(denial), ..Self::default() }
    }
}

impl Grant {
    /// The seconds that a service states beside the license.
    #[must_use]
    pub const fn seconds(self) -> Option<u32> {
        match self {
            Self::Lease(seconds) | Self::Rental(seconds) | Self::PersistFor(seconds) => Some(seconds),
            Self::Dual { storage, .. } if storage > 0 => Some(storage),
            Self::Unlimited | Self::Persist | Self::Dual { .. } => None,
        }
    }
}
