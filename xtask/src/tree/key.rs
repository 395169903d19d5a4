//! Keys: EXT-X-KEY and EXT-X-SESSION-KEY.

use dtg_testkit::fairplay::ContentKey;

use super::{FileId, Link};

/// One key line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// METHOD.
    pub method: Method,
    /// URI; none for METHOD=NONE.
    pub uri: Option<KeyUri>,
    /// IV.
    pub iv: Option<[u8; 16]>,
    /// KEYFORMAT; absent means `identity`.
    pub format: Option<String>,
    /// KEYFORMATVERSIONS.
    pub format_versions: Option<String>,
}

/// What a key URI stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentKeyOf {
    /// The key URI, as playlists write it.
    pub uri: String,
    /// What a license is asked for with.
    pub content_id: String,
    /// What the media is encrypted with.
    pub key: ContentKey,
}

/// How media is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// NONE.
    None,
    /// AES-128.
    Aes128,
    /// SAMPLE-AES.
    SampleAes,
    /// SAMPLE-AES-CTR.
    SampleAesCtr,
}

impl Method {
    /// The word in the playlist.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Aes128 => "AES-128",
            Self::SampleAes => "SAMPLE-AES",
            Self::SampleAesCtr => "SAMPLE-AES-CTR",
        }
    }
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyUri {
    /// A file of the tree.
    File(Link<FileId>),
    /// What a DRM system reads: `skd://...`, `data:...`; written as it is.
    Text(String),
}

impl Key {
    /// METHOD=NONE.
    pub const NONE: Self =
        Self { method: Method::None, uri: None, iv: None, format: None, format_versions: None };

    /// A key that is a file: KEYFORMAT identity, implied.
    #[must_use]
    pub const fn file(method: Method, uri: Link<FileId>, iv: Option<[u8; 16]>) -> Self {
        Self { method, uri: Some(KeyUri::File(uri)), iv, format: None, format_versions: None }
    }

    /// FairPlay Streaming: `uri` begins with `skd:`.
    #[must_use]
    pub fn fairplay(uri: impl Into<String>) -> Self {
        Self::drm(Method::SampleAes, uri.into(), "com.apple.streamingkeydelivery")
    }

    /// Widevine: `uri` is a `data:` URI.
    #[must_use]
    pub fn widevine(method: Method, uri: impl Into<String>) -> Self {
        Self::drm(method, uri.into(), "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed")
    }

    /// PlayReady: `uri` is a `data:` URI.
    #[must_use]
    pub fn playready(method: Method, uri: impl Into<String>) -> Self {
        Self::drm(method, uri.into(), "com.microsoft.playready")
    }

    fn drm(method: Method, uri: String, format: &str) -> Self {
        let (uri, format) = (Some(KeyUri::Text(uri)), Some(format.to_owned()));
        Self { method, uri, iv: None, format, format_versions: Some("1".to_owned()) }
    }

    /// KEYFORMAT, `identity` when absent.
    #[must_use]
    pub fn format(&self) -> &str {
        self.format.as_deref().unwrap_or("identity")
    }
}
