//! What generated trees may have.

use std::ops::{BitOr, Sub};

/// Something that a tree may have or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// EXT-X-BYTERANGE: explicit, implied, overlapping, with holes between.
    ByteRanges,
    /// EXT-X-MAP: several, of whole files and of ranges, and back to an earlier one.
    Maps,
    /// AES-128 and SAMPLE-AES with keys that are files, rotation, METHOD=NONE.
    Keys,
    /// Keys in `data:` URIs.
    DataKeys,
    /// FairPlay, Widevine and PlayReady lines on one segment, with and without an identity key.
    Drm,
    /// EXT-X-DISCONTINUITY.
    Discontinuities,
    /// EXT-X-GAP, whose file is missing.
    Gaps,
    /// EXT-X-DATERANGE, with interstitials.
    DateRanges,
    /// EXT-X-DEFINE: NAME, IMPORT and QUERYPARAM.
    Defines,
    /// EXT-X-SESSION-KEY and EXT-X-SESSION-DATA.
    Session,
    /// EXT-X-CONTENT-STEERING.
    Steering,
    /// An I-frame playlist over the first variant's files.
    IFrames,
    /// Unknown tags, comments, blank lines.
    UnknownLines,
    /// The low-latency extension, in a playlist that has ended: server control, parts, hints, reports.
    LowLatency,
    /// CRLF, mixed line ends, an open last line, a byte order mark.
    TextStyles,
    /// References in every spelling.
    UriForms,
    /// Several hosts.
    Hosts,
    /// Queries that tell files of one path apart.
    Queries,
    /// Fragments.
    Fragments,
    /// Escapes in paths that a careless program would decode.
    OddNames,
    /// One file or range twice in a row.
    Repeats,
    /// Two variants with one playlist.
    SharedPlaylists,
    /// Renditions without a URI.
    MuxedRenditions,
    /// EXT-X-MEDIA-SEQUENCE and EXT-X-DISCONTINUITY-SEQUENCE other than 0.
    StartValues,
    /// EXT-X-PROGRAM-DATE-TIME, EXT-X-BITRATE, EXT-X-START.
    Times,
    /// Titles behind the comma of EXTINF, with commas of their own.
    Titles,
    /// EXT-X-PLAYLIST-TYPE:EVENT, or none, in a playlist that has ended.
    PlaylistTypes,
    /// No multivariant playlist.
    BareMedia,
    /// Playlists that have not ended, and delta updates. Not one of [`Features::all`]: such can't be downloaded.
    Live,
}

/// A set of [`Feature`]s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Features(u32);

impl Features {
    /// Every feature of presentations that have ended: all but [`Feature::Live`].
    #[must_use]
    pub const fn all() -> Self {
        Self((1 << (Feature::BareMedia as u32 + 1)) - 1)
    }

    /// Plain trees: one host, whole files, relative references.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Whether a feature is in the set.
    #[must_use]
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }
}

impl From<Feature> for Features {
    fn from(feature: Feature) -> Self {
        Self(1 << feature as u32)
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        features.into_iter().fold(Self::none(), BitOr::bitor)
    }
}

impl BitOr<Feature> for Features {
    type Output = Self;

    fn bitor(self, feature: Feature) -> Self {
        Self(self.0 | Self::from(feature).0)
    }
}

impl Sub<Feature> for Features {
    type Output = Self;

    fn sub(self, feature: Feature) -> Self {
        Self(self.0 & !Self::from(feature).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_added_and_lacks_what_was_taken_away() {
        let set = Features::none() | Feature::Maps | Feature::BareMedia;
        assert!(set.has(Feature::Maps) && set.has(Feature::BareMedia) && !set.has(Feature::Keys));
        assert!(!(set - Feature::Maps).has(Feature::Maps));
        assert!(Features::all().has(Feature::ByteRanges) && Features::all().has(Feature::BareMedia));
        assert!(!Features::all().has(Feature::Live) && (Features::all() | Feature::Live).has(Feature::Live));
    }
}
