//! Keys: what EXT-X-KEY and EXT-X-SESSION-KEY say (RFC 8216 4.3.2.4 and 4.3.4.5).

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::line::Span;
use crate::value::Uri;

/// One key line (RFC 8216 4.3.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key<'a> {
    /// METHOD.
    pub method: KeyMethod<'a>,
    /// URI; always there unless the method is NONE.
    pub uri: Option<Uri<'a>>,
    /// IV, padded on the left to 128 bits. Without it see [`implicit_iv`].
    pub iv: Option<[u8; 16]>,
    /// KEYFORMAT; `identity` when absent.
    pub key_format: Cow<'a, str>,
    /// KEYFORMATVERSIONS, as written: `1` or `1/2/5`.
    pub key_format_versions: Option<Cow<'a, str>>,
    /// The tag's line number.
    pub line: u32,
    /// The tag's line, without terminator.
    pub tag: Span,
}

impl Key<'_> {
    /// Whether the URI leads to the key itself (KEYFORMAT absent or `identity`), not to a DRM system.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.key_format == "identity"
    }

    /// How much of it is text of its own, written out by variables.
    pub(crate) fn expanded_bytes(&self) -> usize {
        let texts = [
            self.uri.as_ref().map(|uri| &uri.text),
            Some(&self.key_format),
            self.key_format_versions.as_ref(),
        ];
        let owned = |text: &Cow<'_, str>| if let Cow::Owned(owned) = text { owned.len() } else { 0 };
        texts.into_iter().flatten().map(owned).sum()
    }

    /// Whether both lines state the same key.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.method == other.method
            && self.uri.as_ref().map(Uri::as_str) == other.uri.as_ref().map(Uri::as_str)
            && self.iv == other.iv
            && self.key_format == other.key_format
            && self.key_format_versions == other.key_format_versions
    }
}

/// How media is encrypted (METHOD, RFC 8216 4.3.2.4, rfc8216bis 4.4.4.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyMethod<'a> {
    /// NONE: not at all.
    None,
    /// AES-128: whole segments, CBC with PKCS7 padding.
    Aes128,
    /// SAMPLE-AES: samples, CBC.
    SampleAes,
    /// SAMPLE-AES-CTR: samples, Common Encryption `cenc`.
    SampleAesCtr,
    /// SAMPLE-AES-CENC, as some packagers spell the same.
    SampleAesCenc,
    /// AES-256: whole segments.
    Aes256,
    /// Any other word.
    Other(Cow<'a, str>),
}

impl<'a> KeyMethod<'a> {
    pub(crate) fn of(text: Cow<'a, str>) -> Self {
        match &*text {
            "NONE" => Self::None,
            "AES-128" => Self::Aes128,
            "SAMPLE-AES" => Self::SampleAes,
            "SAMPLE-AES-CTR" => Self::SampleAesCtr,
            "SAMPLE-AES-CENC" => Self::SampleAesCenc,
            "AES-256" => Self::Aes256,
            _ => Self::Other(text),
        }
    }

    /// The word in the playlist.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::None => "NONE",
            Self::Aes128 => "AES-128",
            Self::SampleAes => "SAMPLE-AES",
            Self::SampleAesCtr => "SAMPLE-AES-CTR",
            Self::SampleAesCenc => "SAMPLE-AES-CENC",
            Self::Aes256 => "AES-256",
            Self::Other(text) => text,
        }
    }
}

/// As the word in the playlist.
impl Serialize for KeyMethod<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Which keys are in effect (RFC 8216 4.3.2.4): an index into [`MediaPlaylist::key_sets`](crate::MediaPlaylist::key_sets).
///
/// 0 is the empty set: not encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct KeySetId(pub u32);

/// The IV of a segment under a key that states none: its media sequence number, big-endian (RFC 8216 5.2).
#[must_use]
pub fn implicit_iv(media_sequence: u64) -> [u8; 16] {
    u128::from(media_sequence).to_be_bytes()
}
