//! The committed media and their entries.

use std::fs;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use media_entry::MediaEntry;
use url::Url;

/// A presentation of `fixtures/media`: its folder there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixture(pub &'static str);

impl Fixture {
    /// Transport streams, fragmented MP4, AES-128.
    pub const ALL: [Self; 3] = [Self("ts"), Self("fmp4"), Self("aes")];

    /// Its entry, with the address of an origin over [`media_folder`] (no slash at the end) in its URLs.
    ///
    /// # Errors
    /// Where the repository lacks it.
    pub fn entry(self, origin: &str) -> Result<MediaEntry> {
        let file = media_folder().join(self.0).join("entry.json");
        let text = fs::read_to_string(&file).with_context(|| format!("can't read {file}"))?;
        Ok(MediaEntry::from_json(&text.replace("{origin}", origin))?)
    }
}

/// The folder that an origin serves.
#[must_use]
pub fn media_folder() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/media")
}

/// The bytes that an origin over [`media_folder`] has at a URL.
pub(crate) fn bytes_at(url: &Url) -> Result<Vec<u8>> {
    let file = media_folder().join(url.path().trim_start_matches('/'));
    fs::read(&file).with_context(|| format!("can't read {file}"))
}
