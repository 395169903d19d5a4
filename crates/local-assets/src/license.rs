//! Who is asked for the licenses of a source, and with what.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fairplay_keys::{
    Certificate, HttpRequest, KeyError, LicenseProvider, LicenseRequestAdapter, LicenseSource, LicenseUrl,
    TokenSource,
};
use media_entry::{DrmParams, DrmScheme, MediaSource};

use crate::error::ErrorKind;

/// Adds `playSessionId`, `clientTag` and `referrer` (in base64) to license requests, as Kaltura's services expect them.
///
/// What is there already under these names is replaced; everything else of the address stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KalturaLicenseAdapter {
    /// Tells one playback from another in the backend's statistics; a UUID as a rule. Without one, nothing is added.
    pub session_id: Option<String>,
    /// Which client asks, as in `dtg/rust-0.1.0`.
    pub client_tag: String,
    /// Which application asks: its name or bundle id, in plain text.
    pub referrer: String,
}

impl LicenseRequestAdapter for KalturaLicenseAdapter {
    fn adapt(&self, request: &mut HttpRequest) -> Result<(), KeyError> {
        if let Some(session_id) = &self.session_id {
            request.set_query("playSessionId", session_id);
            request.set_query("clientTag", &self.client_tag);
            request.set_query("referrer", &STANDARD.encode(&self.referrer));
        }
        Ok(())
    }
}

/// How the application speaks to its license service.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) provider: Arc<dyn LicenseProvider>,
    pub(crate) tokens: Arc<dyn TokenSource>,
}

impl Service {
    /// Where the licenses of a source come from, as it is now.
    pub(crate) fn of(&self, source: &MediaSource) -> Result<LicenseSource, ErrorKind> {
        let missing = |what| ErrorKind::LicenseParams { what };
        let drm: &DrmParams = source.drm_of(DrmScheme::FairPlay).ok_or(missing("FairPlay parameters"))?;
        let url =
            drm.license_uri.as_deref().filter(|url| !url.is_empty()).ok_or(missing("license address"))?;
        let certificate = drm.fps_certificate.as_ref().ok_or(missing("application certificate"))?;
        let certificate = Certificate::from_bytes(certificate.as_bytes()).map_err(KeyError::from)?;
        Ok(LicenseSource {
            url: LicenseUrl::new(url),
            certificate,
            provider: Arc::clone(&self.provider),
            tokens: Arc::clone(&self.tokens),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(session_id: Option<&str>, url: &str) -> String {
        let adapter = KalturaLicenseAdapter {
            session_id: session_id.map(str::to_owned),
            client_tag: "dtg/rust".to_owned(),
            referrer: "app?>?".to_owned(),
        };
        let mut request = HttpRequest::post(url, Vec::new()).unwrap();
        adapter.adapt(&mut request).unwrap();
        request.url().to_owned()
    }

    #[test]
    fn kalturas_parameters_come_after_what_is_there() {
        assert_eq!(
            adapted(Some("s-1"), "https://u.test/fps/license?custom_data=e30%3D&signature=a%2Bb"),
            "https://u.test/fps/license?custom_data=e30%3D&signature=a%2Bb\
             &playSessionId=s-1&clientTag=dtg%2Frust&referrer=YXBwPz4%2F"
        );
        assert_eq!(
            adapted(Some("s-2"), "https://u.test/l?playSessionId=old&#f"),
            "https://u.test/l?playSessionId=s-2&clientTag=dtg%2Frust&referrer=YXBwPz4%2F"
        );
    }

    #[test]
    fn without_a_session_nothing_is_added() {
        assert_eq!(adapted(None, "https://u.test/l?a=1"), "https://u.test/l?a=1");
    }
}
