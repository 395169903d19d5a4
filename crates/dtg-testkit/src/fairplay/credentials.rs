//! The certificate that an SPC is made for, and the private key that opens it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::rand_core::CryptoRngCore;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;

use super::cipher::Block;
use super::{Key, Malformed};

/// A private key that opens SPCs. `Debug` says only its size.
#[derive(Clone)]
pub struct PrivateKey(RsaPrivateKey);

/// A key server's private key and the certificate that belongs to it.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Opens what was made for the certificate.
    pub private_key: PrivateKey,
    /// The certificate in DER.
    pub certificate: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use rsa::traits::PublicKeyParts;
        write!(f, "PrivateKey(RSA, {} bytes)", self.0.size())
    }
}

impl PrivateKey {
    /// Reads PEM: PKCS #1 (`RSA PRIVATE KEY`) or PKCS #8 (`PRIVATE KEY`), not encrypted. What else is in the file, as
    /// certificates, is passed over, and lines may have any length.
    ///
    /// # Errors
    /// [`Malformed::Key`] for anything else.
    pub fn from_pem(pem: &str) -> Result<Self, Malformed> {
        let mut blocks = pem.split("-----BEGIN ").skip(1).filter_map(|block| block.split_once("-----"));
        let none = Malformed::Key("this is no RSA private key in PEM, of PKCS #1 or PKCS #8");
        let (label, block) = blocks.find(|(label, _)| label.ends_with("PRIVATE KEY")).ok_or(none)?;
        let body = block.split("-----END").next().unwrap_or_default();
        if label.starts_with("ENCRYPTED") || body.contains("ENCRYPTED") {
            return Err(Malformed::Key("the private key is encrypted"));
        }
        let digits: String = body.split_whitespace().collect();
        let der = STANDARD.decode(digits).map_err(|_| Malformed::Key("the private key is not base64"))?;
        Self::from_der(&der)
    }

    /// Reads DER of PKCS #1 or PKCS #8.
    ///
    /// # Errors
    /// [`Malformed::Key`] for anything else.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let key = RsaPrivateKey::from_pkcs1_der(der).ok().or_else(|| RsaPrivateKey::from_pkcs8_der(der).ok());
        key.map(Self).ok_or(Malformed::Key("this is no RSA private key, of PKCS #1 or PKCS #8"))
    }

    /// Opens an SPC's wrapped key: RSA-OAEP with SHA-1.
    pub(super) fn unwrap(&self, wrapped: &[u8]) -> Result<Key, Malformed> {
        let opened = self.0.decrypt(Oaep::new::<Sha1>(), wrapped).map_err(|_| Malformed::Unwrap)?;
        opened.try_into().map(Key).map_err(|_| Malformed::Unwrap)
    }
}

impl Credentials {
    /// The testkit's own credentials with 1024 bits, made for it and known to everybody: SPCs come as version 1.
    #[must_use]
    pub fn test_1024() -> Self {
        Self::committed(include_str!("keys/test-1024.pem"), include_bytes!("keys/test-1024.der"))
    }

    /// The same with 2048 bits: SPCs come as version 2.
    #[must_use]
    pub fn test_2048() -> Self {
        Self::committed(include_str!("keys/test-2048.pem"), include_bytes!("keys/test-2048.der"))
    }

    fn committed(pem: &str, certificate: &[u8]) -> Self {
        let private_key = PrivateKey::from_pem(pem).expect("the committed test key is an RSA key");
        Self { private_key, certificate: certificate.to_vec() }
    }
}

/// Wraps an SPC's key for a certificate's owner.
pub(super) fn wrap(
    certificate: &[u8],
    key: Block,
    rng: &mut impl CryptoRngCore,
) -> Result<Vec<u8>, Malformed> {
    let info = public_key_info(certificate).ok_or(Malformed::Key("the certificate is not DER"))?;
    let public = RsaPublicKey::from_public_key_der(info)
        .map_err(|_| Malformed::Key("the certificate's public key is not RSA"))?;
    public.encrypt(rng, Oaep::new::<Sha1>(), &key).map_err(|_| Malformed::Key("the public key is too short"))
}

/// The SubjectPublicKeyInfo of an X.509 certificate (RFC 5280, 4.1): the field after version, serial number, algorithm,
/// issuer, validity and subject.
fn public_key_info(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(certificate, 0x30)?;
    let (mut fields, _) = element(certificate.content, 0x30)?;
    if let Some((_, rest)) = element(fields.content, 0xa0) {
        fields.content = rest;
    }
    let mut rest = fields.content;
    for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
        (_, rest) = element(rest, tag)?;
    }
    element(rest, 0x30).map(|(info, _)| info.whole)
}

/// One DER element.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// The element at the beginning, if it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(Element<'_>, &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?;
            (length, rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    let (whole, _) = bytes.split_at_checked(bytes.len().checked_sub(after.len())?)?;
    (found == tag).then_some((Element { whole, content }, after))
}
