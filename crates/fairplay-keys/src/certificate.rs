//! The application's certificate: DER, in whatever wrapping it arrives.

use std::fmt;

use sha1::{Digest as _, Sha1};
use thiserror::Error as ThisError;

use crate::tolerant::base64_bytes;

/// A FairPlay Streaming application certificate in DER. Whether it has run out is not looked at: platforms take it still.
///
/// `Debug` prints its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

/// Why bytes are no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum CertificateFault {
    /// There are none.
    #[error("the certificate is empty")]
    Empty,
    /// More than 64 KiB.
    #[error("the certificate has {0} bytes, which is more than 64 KiB")]
    TooLarge(usize),
    /// They are a web page, as from a login page or a wrong address.
    #[error("a web page where the certificate is due")]
    WebPage,
    /// Neither DER nor PEM, base64 or JSON with one inside.
    #[error("not a certificate: neither DER nor PEM, base64 or JSON with one inside")]
    NotDer,
    /// DER that is cut off, or followed by something.
    #[error("the certificate has {actual} bytes, and its DER states {stated}")]
    Length {
        /// What the DER says.
        stated: usize,
        /// What is there.
        actual: usize,
    },
}

const LIMIT: usize = 64 << 10;

impl Certificate {
    /// Finds the certificate in what a server or an entry gives: DER, PEM, base64, or JSON with base64 inside.
    ///
    /// # Errors
    /// What it is instead.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertificateFault> {
        if bytes.is_empty() {
            return Err(CertificateFault::Empty);
        }
        if bytes.len() > LIMIT {
            return Err(CertificateFault::TooLarge(bytes.len()));
        }
        if bytes.first() == Some(&0x30) && bytes.get(1).is_some_and(|length| *length >= 0x80) {
            return Self::from_der(bytes);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CertificateFault::NotDer)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(CertificateFault::Empty);
        }
        if text.starts_with('<') {
            return Err(CertificateFault::WebPage);
        }
        let inner = pem_body(text).or_else(|| json_text(text)).unwrap_or_else(|| text.to_owned());
        let der = base64_bytes(&inner).ok_or(CertificateFault::NotDer)?;
        Self::from_der(&der)
    }

    fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        let stated = der_length(der).ok_or(CertificateFault::NotDer)?;
        if stated != der.len() {
            return Err(CertificateFault::Length { stated, actual: der.len() });
        }
        Ok(Self(der.to_vec()))
    }

    /// The certificate in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// What SPCs of versions 1 and 2 name the certificate by.
    #[must_use]
    pub fn sha1(&self) -> [u8; 20] {
        Sha1::digest(&self.0).into()
    }
}

/// The whole length that a DER sequence states.
fn der_length(der: &[u8]) -> Option<usize> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let digits = usize::from(first & 0x7f);
    if tag != 0x30 || first < 0x80 || !(1..=4).contains(&digits) {
        return None;
    }
    let content = rest
        .get(..digits)?
        .iter()
        .try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?;
    content.checked_add(2 + digits)
}

fn pem_body(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    Some(body.to_owned())
}

/// The longest text in a JSON value that is base64: services name the member as they like.
fn json_text(text: &str) -> Option<String> {
    if !text.starts_with(['{', '"']) {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let members = value.as_object().into_iter().flat_map(serde_json::Map::values);
    [&value]
        .into_iter()
        .chain(members)
        .filter_map(serde_json::Value::as_str)
        .filter(|text| base64_bytes(text).is_some())
        .max_by_key(|text| text.len())
        .map(str::to_owned)
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn der() -> Vec<u8> {
        [&[0x30, 0x82, 0x01, 0x00][..], &[7; 256]].concat()
    }

    #[track_caller]
    fn check(bytes: &[u8]) {
        assert_eq!(Certificate::from_bytes(bytes).unwrap().as_der(), der());
    }

    #[test]
    fn a_certificate_is_found_in_any_wrapping() {
        check(&der());
        let base64 = STANDARD.encode(der());
        check(base64.as_bytes());
        check(format!("\u{feff}\r\n{base64}\n").as_bytes());
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        check(pem.as_bytes());
        check(format!(r#"{{"id": "aa", "certificate": "{base64}"}}"#).as_bytes());
        check(format!(r#""{base64}""#).as_bytes());
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], fault: CertificateFault) {
        assert_eq!(Certificate::from_bytes(bytes), Err(fault));
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        check_refused(b"", CertificateFault::Empty);
        check_refused(b" \r\n", CertificateFault::Empty);
        check_refused(b"<!DOCTYPE html><html>", CertificateFault::WebPage);
        check_refused(&vec![0x30; 2 << 20], CertificateFault::TooLarge(2 << 20));
        check_refused(b"not found", CertificateFault::NotDer);
        check_refused(&[0xff, 0xfe], CertificateFault::NotDer);
        check_refused(b"{}", CertificateFault::NotDer);
        check_refused(b"AAAA", CertificateFault::NotDer);
        check_refused(&der()[..200], CertificateFault::Length { stated: 260, actual: 200 });
        let long = [der(), vec![0]].concat();
        check_refused(&long, CertificateFault::Length { stated: 260, actual: 261 });
        check_refused(
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            CertificateFault::Length { stated: 0x1_0000_0005, actual: 6 },
        );
    }
}
