//! Content keys: what media is encrypted with, and what a key server hands out.

use std::fmt;

use super::cipher::{Block, Key, first_block, hmac_sha256};

/// The key of some content, its IV, and what the media calls it. `Debug` says only that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentKey {
    /// Decrypts the media.
    pub key: Key,
    /// The IV of every sample, or of every subsample.
    pub iv: Block,
    /// `default_KID` of the media.
    pub key_id: Block,
}

impl ContentKey {
    /// A key that depends on the content identifier only: a packager and a key server that share nothing else agree on it.
    ///
    /// It is no secret. HMAC-SHA-256 over the identifier, under a key that stands here.
    #[must_use]
    pub fn derived(content_id: &[u8]) -> Self {
        let block =
            |of: &[u8]| first_block(&hmac_sha256(b"dtg-testkit content key", &[of, b"\0", content_id]));
        Self { key: Key(block(b"key")), iv: block(b"iv"), key_id: block(b"key id") }
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey({})", super::bytes::hex(&self.key_id))
    }
}
