//! Bytes that nobody may see: they are wiped when dropped, and their `Debug` says how many they are.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes that may hold a key or a token: wiped when dropped, never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// A key as the platform gives it for storage; what is inside is the platform's affair.
///
/// Wiped when dropped. `Debug` prints its length and its [`Fingerprint`]. Nothing but a
/// [`KeyStore`](crate::KeyStore) may write it down.
#[derive(Clone, PartialEq, Eq)]
pub struct PersistableKey(SecretBytes);

/// The beginning of a hash of a key: tells keys apart, and says nothing about them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 8]);

/// What proves to a license service who asks: a header's value, a token, custom data. Never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl SecretBytes {
    /// Takes the bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for whoever has to send or store them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PersistableKey {
    /// Takes a key from the platform.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(SecretBytes::new(bytes))
    }

    /// The key's bytes, for the platform that made it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// What the key is told from others by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose())
    }
}

impl Fingerprint {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let mut short = [0; 8];
        short.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(short)
    }

    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl Token {
    /// Takes a token.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The token's text, for whoever builds a request with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.len())
    }
}

impl fmt::Debug for PersistableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersistableKey({} bytes, {})", self.0.len(), self.fingerprint())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.0.len())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_their_length_and_nothing_else() {
        assert_eq!(format!("{:?}", SecretBytes::new(*b"canary")), "SecretBytes(6 bytes)");
        assert_eq!(format!("{:?}", Token::new("canary")), "Token(6 bytes)");
        let key = format!("{:?}", PersistableKey::new(*b"canary"));
        assert!(key.starts_with("PersistableKey(6 bytes, ") && !key.contains("canary"), "{key}");
    }

    #[test]
    fn keys_that_differ_have_different_fingerprints() {
        let of = |bytes: &[u8]| PersistableKey::new(bytes).fingerprint();
        assert_eq!(of(b"a"), of(b"a"));
        assert_ne!(of(b"a"), of(b"b"));
    }
}
