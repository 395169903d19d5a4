//! Certificates that a platform no longer took, and what came in their place.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{LicenseSource, Shared};
use crate::certificate::Certificate;
use crate::secret::Fingerprint;
use crate::time::Cancel;

/// By the fingerprint of the application's, which was rejected.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<HashMap<Fingerprint, Certificate>>);

impl Shared {
    /// The application's certificate, or what was fetched in its place.
    pub(super) fn known_certificate(&self, license: &LicenseSource) -> Certificate {
        let known = self.certificates.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_application = Fingerprint::of(license.certificate.as_der());
        known.get(&of_application).unwrap_or(&license.certificate).clone()
    }

    /// Another certificate from where the provider has it, in the place of one that the platform has just rejected; `None` where
    /// there is no other.
    pub(super) fn fresh_certificate(&self, license: &LicenseSource, cancel: &Cancel) -> Option<Certificate> {
        let rejected = self.known_certificate(license);
        let request = license.provider.certificate_request().ok()??;
        let answer = self.parts.transport.send(&request, cancel).ok()?;
        let fresh = Some(answer).filter(|answer| (200..300).contains(&answer.status))?;
        let fresh = Certificate::from_bytes(fresh.body.expose()).ok().filter(|fresh| *fresh != rejected)?;
        let mut known = self.certificates.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(Fingerprint::of(license.certificate.as_der()), fresh.clone());
        Some(fresh)
    }
}
