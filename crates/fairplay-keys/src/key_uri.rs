//! A key URI: what names a FairPlay key in a playlist.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// The URI of a FairPlay key, byte for byte as a playlist writes it.
///
/// Never decoded, never normalised, and compared byte by byte: what stands there is what the platform is asked for.
/// It is split by hand because URL libraries refuse `skd://id:iv` and rewrite what is not ASCII.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyUri(String);

impl KeyUri {
    /// The most bytes of one. Asset records hold all the key URIs of an asset.
    pub const LIMIT: usize = 8192;

    /// Takes a URI whose scheme is `skd`, in any letter case, of no more than [`KeyUri::LIMIT`] bytes; nothing else is asked of it.
    ///
    /// # Errors
    /// [`ErrorKind::NotSkd`], [`ErrorKind::TooLong`].
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if !Self::is_skd(&text) {
            return Err(Error::new(&text, ErrorKind::NotSkd));
        }
        if text.len() > Self::LIMIT {
            return Err(Error::new(&text, ErrorKind::TooLong(text.len())));
        }
        Ok(Self(text))
    }

    /// Whether a URI's scheme is `skd`, in any letter case.
    #[must_use]
    pub fn is_skd(text: &str) -> bool {
        text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("skd:"))
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows `skd:`, and `//` if that is there.
    #[must_use]
    pub fn after_scheme(&self) -> &str {
        let rest = self.0.get(4..).unwrap_or_default();
        rest.strip_prefix("//").unwrap_or(rest)
    }

    /// The authority, undecoded: `None` without `//`.
    pub(crate) fn authority(&self) -> Option<&str> {
        let rest = self.0.get(4..)?.strip_prefix("//")?;
        rest.split(['/', '?', '#']).next()
    }

    /// What stands between `?` and `#`.
    pub(crate) fn query(&self) -> Option<&str> {
        self.0.split('#').next()?.split_once('?').map(|(_, query)| query)
    }

    /// The value of an item of the query; the first, if there are several.
    pub(crate) fn query_item(&self, name: &str) -> Option<&str> {
        let pairs = self.query()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    }

    /// What follows the scheme up to `?` or `#`.
    pub(crate) fn before_query(&self) -> &str {
        self.after_scheme().split(['?', '#']).next().unwrap_or_default()
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, after_scheme: &str) {
        let uri = KeyUri::new(text).unwrap();
        assert_eq!(uri.as_str(), text);
        assert_eq!(uri.to_string(), text);
        assert_eq!(uri.after_scheme(), after_scheme);
    }

    #[test]
    fn a_key_uri_is_kept_byte_for_byte() {
        check("skd://asset", "asset");
        check("SKD://X", "X");
        check("Skd://x/", "x/");
        check("skd:abc", "abc");
        check("skd:///abc", "/abc");
        check("skd://", "");
        check("skd:", "");
        check("skd://a b?c=1,d&e=", "a b?c=1,d&e=");
        check("skd://ÄÖ%2F+", "ÄÖ%2F+");
        check("skd://%41bc", "%41bc");
        check("skd://ab/cd+e==", "ab/cd+e==");
        check(
            "skd://4f2b9a5c-1111-2222-3333-444455556666:00112233445566778899aabbccddeeff",
            "4f2b9a5c-1111-2222-3333-444455556666:00112233445566778899aabbccddeeff",
        );
        let long = format!("skd://{}", "x".repeat(KeyUri::LIMIT - 6));
        check(&long, &long[6..]);
        let longer = KeyUri::new(format!("{long}x")).unwrap_err();
        assert_eq!(longer.kind(), &ErrorKind::TooLong(KeyUri::LIMIT + 1));
        assert!(longer.to_string().len() < 200, "{longer}");
    }

    #[test]
    fn only_skd_is_a_key_uri() {
        for text in [
            "https://h.test/key?token=canary",
            "skd",
            "",
            "äöü",
            " skd://x",
            "xskd://x",
            "data:text/plain,skd:",
        ] {
            let error = KeyUri::new(text).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotSkd);
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn key_uris_that_differ_in_letter_case_are_different() {
        assert_ne!(KeyUri::new("skd://a").unwrap(), KeyUri::new("skd://A").unwrap());
        assert_ne!(KeyUri::new("skd://a").unwrap(), KeyUri::new("SKD://a").unwrap());
    }

    proptest! {
        #[test]
        fn any_text_after_skd_is_kept(rest in "(//)?\\PC{0,40}") {
            let text = format!("skd:{rest}");
            let uri = KeyUri::new(text.clone()).unwrap();
            prop_assert_eq!(uri.as_str(), text.as_str());
            prop_assert!(text.ends_with(uri.after_scheme()));
        }
    }
}
