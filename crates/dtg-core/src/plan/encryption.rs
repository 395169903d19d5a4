//! Which keys are fetched, which are for a DRM system, and which no player could use.

use hls_parse::{Key, KeyMethod};

use super::{Input, PlanError};

/// What a key line means for a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyUse {
    /// Its URI names a content key that is fetched.
    Fetch,
    /// It belongs to a DRM system, which asks for the key itself: the line is kept as it is.
    Drm,
    /// No player is known to use it.
    Unknown,
}

/// What a key line means: `identity` keys are fetched; other key formats, and `skd:` URIs, are a DRM's.
pub(super) fn key_use(key: &Key<'_>) -> KeyUse {
    let uri = key.uri.as_ref().map(|uri| uri.text.as_ref()).unwrap_or_default();
    let drm = !key.is_identity() || has_scheme(uri, "skd");
    let whole = matches!(key.method, KeyMethod::Aes128 | KeyMethod::Aes256);
    let samples =
        matches!(key.method, KeyMethod::SampleAes | KeyMethod::SampleAesCtr | KeyMethod::SampleAesCenc);
    match (whole || samples, drm) {
        (false, _) => KeyUse::Unknown,
        (true, true) => KeyUse::Drm,
        (true, false) => KeyUse::Fetch,
    }
}

/// Whether the key comes by a license that is asked for with its URI: FairPlay's, by URI or by key format.
pub(crate) fn is_license_key(key: &Key<'_>) -> bool {
    let uri = key.uri.as_ref().map(|uri| uri.text.as_ref()).unwrap_or_default();
    key.method != KeyMethod::None
        && (has_scheme(uri, "skd") || key.key_format == "com.apple.streamingkeydelivery")
}

/// The length of a key (RFC 8216 5.2, rfc8216bis 4.4.4.4).
pub(super) const fn key_bytes(method: &KeyMethod<'_>) -> u64 {
    if matches!(method, KeyMethod::Aes256) { 32 } else { 16 }
}

/// Refuses media for which no key in effect could be used.
pub(super) fn check_keys(input: &Input<'_, '_>, keys: &[Key<'_>]) -> Result<(), PlanError> {
    let Some(first) = keys.first() else { return Ok(()) };
    if keys.iter().any(|key| key_use(key) != KeyUse::Unknown) {
        return Ok(());
    }
    Err(PlanError::UnsupportedEncryption {
        playlist: input.name(),
        line: first.line,
        method: first.method.as_str().to_owned(),
    })
}

/// Whether a map under these keys can't be decrypted: whole-file encryption has no sequence number to
/// take the IV from (RFC 8216 4.3.2.5).
pub(super) fn lacks_iv(keys: &[Key<'_>]) -> bool {
    let whole = |key: &Key<'_>| matches!(key.method, KeyMethod::Aes128 | KeyMethod::Aes256);
    keys.iter().any(|key| key.is_identity() && whole(key) && key.iv.is_none())
}

fn has_scheme(uri: &str, scheme: &str) -> bool {
    uri.split_once(':').is_some_and(|(its, _)| its.eq_ignore_ascii_case(scheme))
}
