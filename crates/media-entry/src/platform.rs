//! What a platform can download and play.

/// What the platform that will play an entry can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    system: System,
    content_key_system: Support,
    widevine_classic: Support,
}

/// A version of iOS, compared as versions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IosVersion {
    /// 10 in 10.3.
    pub major: u16,
    /// 3 in 10.3.
    pub minor: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Ios(IosVersion),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Support {
    Present,
    Absent,
}

/// What a platform can do with FairPlay without a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfflineFairPlay {
    /// Keys outlive the download, however it was made.
    AnyMechanism,
    /// Keys can only be kept by an asset download task (iOS 10.0 to 10.2).
    AssetDownloadTaskOnly,
    /// Not at all.
    Never,
}

impl Platform {
    /// iOS of this version. It has its own content-key system, for offline use from 10.0.
    #[must_use]
    pub const fn ios(major: u16, minor: u16) -> Self {
        Self::of(System::Ios(IosVersion { major, minor }))
    }

    /// Any system but iOS: no FairPlay unless [`Platform::with_content_key_system`] brings it.
    #[must_use]
    pub const fn desktop() -> Self {
        Self::of(System::Other)
    }

    /// The same platform with a content-key system that the caller supplies, able to keep FairPlay keys.
    ///
    /// Makes no difference on iOS, where the system's own is used.
    #[must_use]
    pub const fn with_content_key_system(self) -> Self {
        Self { content_key_system: Support::Present, ..self }
    }

    /// The same platform with a player for Widevine Classic.
    #[must_use]
    pub const fn with_widevine_classic(self) -> Self {
        Self { widevine_classic: Support::Present, ..self }
    }

    /// The version, on iOS.
    #[must_use]
    pub const fn ios_version(&self) -> Option<IosVersion> {
        match self.system {
            System::Ios(version) => Some(version),
            System::Other => None,
        }
    }

    const fn of(system: System) -> Self {
        Self { system, content_key_system: Support::Absent, widevine_classic: Support::Absent }
    }

    /// Whether anything can be downloaded: everywhere but on iOS below 8.
    pub(crate) fn can_download(&self) -> bool {
        self.ios_version().is_none_or(|version| version >= IosVersion { major: 8, minor: 0 })
    }

    pub(crate) fn plays_widevine_classic(&self) -> bool {
        self.widevine_classic == Support::Present
    }

    pub(crate) fn offline_fair_play(&self) -> OfflineFairPlay {
        match (self.system, self.content_key_system) {
            (System::Ios(IosVersion { major: 0..=9, .. }), _) => OfflineFairPlay::Never,
            (System::Ios(IosVersion { major: 10, minor: 0..=2 }), _) => {
                OfflineFairPlay::AssetDownloadTaskOnly
            }
            (System::Ios(_), _) | (System::Other, Support::Present) => OfflineFairPlay::AnyMechanism,
            (System::Other, Support::Absent) => OfflineFairPlay::Never,
        }
    }
}
