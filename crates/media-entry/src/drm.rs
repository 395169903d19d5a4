//! What asking for a license takes.

use std::fmt;

use crate::extras::Extras;
use crate::redact::shown;

/// What a license of one DRM system takes.
#[derive(Clone, Default, PartialEq)]
pub struct DrmParams {
    /// Where the license comes from; may hold a token. Without it there is nobody to ask.
    pub license_uri: Option<String>,
    /// The system, as stated; see [`DrmParams::scheme`].
    pub stated_scheme: Option<DrmScheme>,
    /// The application certificate of FairPlay Streaming.
    pub fps_certificate: Option<Certificate>,
    /// Keys this crate does not know, and values it could not read, to be written back.
    pub extras: Extras,
}

/// A DRM system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DrmScheme {
    /// Widevine with Common Encryption.
    WidevineCenc,
    /// PlayReady with Common Encryption.
    PlayReadyCenc,
    /// Widevine Classic.
    WidevineClassic,
    /// FairPlay Streaming.
    FairPlay,
    /// None of these; still protected.
    #[default]
    Unknown,
}

/// A FairPlay Streaming application certificate: DER bytes, not looked into here.
///
/// `Debug` prints its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl DrmParams {
    /// What a FairPlay license takes.
    #[must_use]
    pub fn fair_play(license_uri: impl Into<String>, certificate: impl Into<Vec<u8>>) -> Self {
        Self {
            license_uri: Some(license_uri.into()),
            stated_scheme: Some(DrmScheme::FairPlay),
            fps_certificate: Some(Certificate::new(certificate)),
            extras: Extras::default(),
        }
    }

    /// The DRM system: FairPlay where there is a certificate, whatever is stated.
    #[must_use]
    pub fn scheme(&self) -> DrmScheme {
        match self.fps_certificate {
            Some(_) => DrmScheme::FairPlay,
            None => self.stated_scheme.unwrap_or_default(),
        }
    }
}

impl Certificate {
    /// Takes the certificate's bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The certificate's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} bytes)", self.0.len())
    }
}

impl fmt::Debug for DrmParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrmParams")
            .field("license_uri", &self.license_uri.as_deref().map(shown))
            .field("stated_scheme", &self.stated_scheme)
            .field("fps_certificate", &self.fps_certificate)
            .field("extras", &self.extras)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_means_fair_play_whatever_the_scheme_says() {
        let params = DrmParams {
            stated_scheme: Some(DrmScheme::WidevineCenc),
            ..DrmParams::fair_play("https://h.test/l", *b"cert")
        };
        assert_eq!(params.scheme(), DrmScheme::FairPlay);
    }

    #[test]
    fn without_a_certificate_the_stated_scheme_counts() {
        assert_eq!(DrmParams::default().scheme(), DrmScheme::Unknown);
        let params = DrmParams { stated_scheme: Some(DrmScheme::PlayReadyCenc), ..DrmParams::default() };
        assert_eq!(params.scheme(), DrmScheme::PlayReadyCenc);
    }
}
