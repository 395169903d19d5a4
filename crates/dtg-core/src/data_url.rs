//! Reads `data:` URLs (RFC 2397), as playlists use them for small keys.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The bytes of a `data:` URL; `None` when it is not one or is malformed.
pub(crate) fn decode(url: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = url.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("data") {
        return None;
    }
    let (kind, data) = rest.split_once(',')?;
    let bytes = percent_encoding::percent_decode_str(data);
    if kind.trim_end().to_ascii_lowercase().ends_with(";base64") {
        let text: Vec<u8> = bytes.filter(|byte| !byte.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(text).ok()
    } else {
        Some(bytes.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<&[u8]>) {
        assert_eq!(decode(url).as_deref(), expected, "{url}");
    }

    #[test]
    fn data_urls_are_decoded_or_refused() {
        check("data:application/octet-stream;base64,AAECAw==", Some(&[0, 1, 2, 3]));
        check("data:;BASE64,AAECAw%3D%3D", Some(&[0, 1, 2, 3]));
        check("data:,a%20b", Some(b"a b"));
        check("data:text/plain;base64,@@", None);
        check("data:no-comma", None);
        check("http://h/,x", None);
    }
}
