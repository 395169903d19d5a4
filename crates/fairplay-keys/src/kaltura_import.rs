//! Keys that Kaltura's player stored: `.fpskey` files, for the same application on the same device.

use thiserror::Error as ThisError;

use crate::key_uri::KeyUri;
use crate::secret::PersistableKey;
use crate::time::Timestamp;
use crate::tolerant::base64_bytes;

/// A key from an `.fpskey` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedKey {
    /// The key that the file's name stands for.
    pub key_uri: KeyUri,
    /// The key.
    pub key: PersistableKey,
    /// The end of its time; `None` for files of old versions, which didn't know it.
    pub not_after: Option<Timestamp>,
}

/// Why a file is not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ImportFault {
    /// Its name is not a key's name with `.fpskey`.
    #[error("the file's name is not that of a stored key")]
    Name,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
}

/// Dates count from 2001-01-01 UTC there.
const APPLE_EPOCH: f64 = 978_307_200.0;

/// Reads an `.fpskey` file; `name` is its name without folders.
///
/// # Errors
/// [`ImportFault`] for a name that leads elsewhere, and for an empty file.
pub fn read_fpskey(name: &str, bytes: &[u8]) -> Result<ImportedKey, ImportFault> {
    let id = name.strip_suffix(".fpskey").ok_or(ImportFault::Name)?;
    if id.is_empty() || id.contains(['/', '\\', '\0']) || id.contains("..") {
        return Err(ImportFault::Name);
    }
    if bytes.is_empty() {
        return Err(ImportFault::Empty);
    }
    let key_uri = KeyUri::new(format!("skd://{id}")).map_err(|_| ImportFault::Name)?;
    let (key, not_after) = of_json(bytes).unwrap_or_else(|| (PersistableKey::new(bytes), None));
    Ok(ImportedKey { key_uri, key, not_after })
}

/// What is not this JSON is a key of an old version.
fn of_json(bytes: &[u8]) -> Option<(PersistableKey, Option<Timestamp>)> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let data = base64_bytes(value.get("data")?.as_str()?)?;
    let seconds = value.get("expiryDate")?.as_f64()? + APPLE_EPOCH;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "such a cast saturates, and parts of a second don't count"
    )]
    let end = Timestamp(seconds.floor() as i64);
    Some((PersistableKey::new(data), Some(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], key: &[u8], not_after: Option<i64>) {
        let imported = read_fpskey("1_abc-x.fpskey", bytes).unwrap();
        assert_eq!(imported.key_uri.as_str(), "skd://1_abc-x");
        assert_eq!((imported.key.expose(), imported.not_after), (key, not_after.map(Timestamp)));
    }

    #[test]
    fn an_fpskey_file_gives_its_key_and_the_end_of_its_time() {
        check(br#"{"expiryDate": 700000000.5, "data": "a2V5"}"#, b"key", Some(1_678_307_200));
        check(br#"{"data": "a2V5", "expiryDate": 1e300}"#, b"key", Some(i64::MAX));
    }

    #[test]
    fn any_other_file_is_a_key_of_an_old_version_without_an_end() {
        check(b"\x00\x01raw", b"\x00\x01raw", None);
        check(br#"{"other": "json"}"#, br#"{"other": "json"}"#, None);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["../a.fpskey", "a/b.fpskey", "a\\b.fpskey", "...fpskey", ".fpskey", "a.key", "a"] {
            assert_eq!(read_fpskey(name, b"x"), Err(ImportFault::Name), "{name}");
        }
        assert_eq!(read_fpskey("a.fpskey", b""), Err(ImportFault::Empty));
    }
}
