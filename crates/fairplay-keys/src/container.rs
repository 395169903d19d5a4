//! The outer form of SPC and CKC: what can be checked of them without a key.

use std::fmt;

use thiserror::Error as ThisError;

use crate::certificate::Certificate;
use crate::secret::SecretBytes;

/// What the platform asks a key server with. Made for one exchange: it is never sent twice.
///
/// `Debug` prints its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Spc(SecretBytes);

/// What a key server answers an SPC with. `Debug` prints its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Ckc(SecretBytes);

/// Why bytes are no SPC.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum SpcFault {
    /// There are none, or too few.
    #[error("it has {0} bytes, which is too short")]
    TooShort(usize),
    /// They are a certificate.
    #[error("it is a certificate in DER: was the certificate handed over as the SPC?")]
    IsCertificate,
    /// A version that is none.
    #[error("its version {0:#010x} is not known")]
    Version(u32),
    /// It has not the length it states.
    #[error("it states a length of {stated} bytes and has {actual}")]
    Length {
        /// What the header says.
        stated: usize,
        /// What is there.
        actual: usize,
    },
    /// It was made for another certificate.
    #[error("it was made for another certificate")]
    OtherCertificate,
}

/// Why bytes are no CKC.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum CkcFault {
    /// Less than a header.
    #[error("it has {0} bytes, which is less than a header")]
    TooShort(usize),
    /// A version that is none.
    #[error("its version {0:#010x} is not known")]
    Version(u32),
    /// It has not the length it states.
    #[error("it states a payload of {stated} bytes and has {actual}")]
    Length {
        /// What the header says.
        stated: usize,
        /// What is there.
        actual: usize,
    },
    /// Its payload is not made of whole AES blocks.
    #[error("its payload has {0} bytes, which is not a multiple of 16")]
    Blocks(usize),
}

const CKC_HEADER: usize = 28;

impl Spc {
    /// Takes an SPC as a platform made it, unchecked: what is wrong with it, the key server says.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(SecretBytes::new(bytes))
    }

    /// The SPC's bytes, for the request.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Checks version, lengths, and that it was made for this certificate. Of version 3 only the version is looked at.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, certificate: &Certificate) -> Result<(), SpcFault> {
        let bytes = self.expose();
        let short = || SpcFault::TooShort(bytes.len());
        let wrapped = match u32_at(bytes, 0).ok_or_else(short)? {
            1 => 128,
            2 => 256,
            3 => return Ok(()),
            version if version >> 16 == 0x3082 => return Err(SpcFault::IsCertificate),
            version => return Err(SpcFault::Version(version)),
        };
        let hash = bytes.get(24 + wrapped..44 + wrapped).ok_or_else(short)?;
        let payload = usize_at(bytes, 44 + wrapped).ok_or_else(short)?;
        let stated = payload.saturating_add(48 + wrapped);
        if stated != bytes.len() || !payload.is_multiple_of(16) {
            return Err(SpcFault::Length { stated, actual: bytes.len() });
        }
        if hash == certificate.sha1() { Ok(()) } else { Err(SpcFault::OtherCertificate) }
    }
}

impl Ckc {
    /// Takes a CKC whose header is right: version 1 or 2, the length that it states, whole AES blocks.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, CkcFault> {
        let bytes = SecretBytes::new(bytes);
        Self::check(bytes.expose())?;
        Ok(Self(bytes))
    }

    /// The CKC's bytes, for the platform.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Checks the header. The reserved field is not looked at: newer servers say something of themselves there.
    pub(crate) fn check(bytes: &[u8]) -> Result<(), CkcFault> {
        let short = || CkcFault::TooShort(bytes.len());
        match u32_at(bytes, 0).ok_or_else(short)? {
            1 | 2 => {}
            version => return Err(CkcFault::Version(version)),
        }
        let stated = usize_at(bytes, 24).ok_or_else(short)?;
        let actual = bytes.len() - CKC_HEADER;
        if stated != actual {
            return Err(CkcFault::Length { stated, actual });
        }
        if stated.is_multiple_of(16) { Ok(()) } else { Err(CkcFault::Blocks(stated)) }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    field.try_into().ok().map(u32::from_be_bytes)
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).and_then(|length| usize::try_from(length).ok())
}

impl fmt::Debug for Spc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spc({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Ckc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ckc({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CKC of this version, reserved field, stated and actual length of its payload.
    fn ckc(version: u32, reserved: u32, stated: u32, actual: usize) -> Vec<u8> {
        let head = [version.to_be_bytes(), reserved.to_be_bytes()].concat();
        [&head[..], &[7; 16], &stated.to_be_bytes(), &vec![9; actual]].concat()
    }

    #[test]
    fn a_ckc_whose_header_lies_is_refused() {
        let check = |bytes: Vec<u8>| Ckc::new(bytes).map(|ckc| ckc.expose().len());
        assert_eq!(check(ckc(1, 0, 32, 32)), Ok(60));
        assert_eq!(check(ckc(2, 0, 0, 0)), Ok(28));
        assert_eq!(check(ckc(1, 0xdead_beef, 16, 16)), Ok(44), "the reserved field may hold anything");
        assert_eq!(check(vec![]), Err(CkcFault::TooShort(0)));
        assert_eq!(check(ckc(1, 0, 0, 0)[..27].to_vec()), Err(CkcFault::TooShort(27)));
        assert_eq!(check(ckc(0, 0, 16, 16)), Err(CkcFault::Version(0)));
        assert_eq!(check(ckc(3, 0, 16, 16)), Err(CkcFault::Version(3)));
        assert_eq!(check(ckc(1, 0, 32, 16)), Err(CkcFault::Length { stated: 32, actual: 16 }));
        assert_eq!(check(ckc(1, 0, u32::MAX, 16)), Err(CkcFault::Length { stated: 0xffff_ffff, actual: 16 }));
        assert_eq!(check(ckc(1, 0, 17, 17)), Err(CkcFault::Blocks(17)));
    }

    fn certificate() -> Certificate {
        Certificate::from_bytes(
            &[0x30, 0x82, 0x01, 0x00].iter().chain(&[7; 256]).copied().collect::<Vec<_>>(),
        )
        .unwrap()
    }

    /// An SPC of this version with so long a wrapped key, for the certificate with this hash.
    fn spc(version: u32, wrapped: usize, hash: &[u8], stated: u32, actual: usize) -> Vec<u8> {
        let head = [version.to_be_bytes(), [0; 4]].concat();
        [&head[..], &[1; 16], &vec![2; wrapped], hash, &stated.to_be_bytes(), &vec![3; actual]].concat()
    }

    #[test]
    fn an_spc_that_is_empty_a_certificate_or_for_another_certificate_is_refused() {
        let certificate = certificate();
        let hash = certificate.sha1();
        let check = |bytes: Vec<u8>| Spc::new(bytes).check(&certificate);
        assert_eq!(check(spc(1, 128, &hash, 32, 32)), Ok(()));
        assert_eq!(check(spc(2, 256, &hash, 32, 32)), Ok(()));
        assert_eq!(check(vec![0, 0, 0, 3]), Ok(()));
        assert_eq!(check(vec![]), Err(SpcFault::TooShort(0)));
        assert_eq!(check(certificate.as_der().to_vec()), Err(SpcFault::IsCertificate));
        assert_eq!(check(spc(4, 128, &hash, 32, 32)), Err(SpcFault::Version(4)));
        assert_eq!(check(spc(1, 128, &[0; 20], 32, 32)), Err(SpcFault::OtherCertificate));
        let lies = Err(SpcFault::Length { stated: 208, actual: 192 });
        assert_eq!(check(spc(1, 128, &hash, 32, 16)), lies);
        assert!(matches!(check(spc(1, 128, &hash, 17, 17)), Err(SpcFault::Length { .. })));
        assert_eq!(check(spc(1, 128, &hash, 0, 0)[..100].to_vec()), Err(SpcFault::TooShort(100)));
    }

    #[test]
    fn containers_are_not_printed() {
        let ckc = Ckc::new(ckc(1, 0, 16, 16)).unwrap();
        assert_eq!(format!("{ckc:?} {:?}", Spc::new(*b"canary")), "Ckc(44 bytes) Spc(6 bytes)");
    }
}
