//! References to whole URLs (RFC 3986 5, as players practise it).

use url::Url;

use crate::error::{Error, ErrorKind};

/// The URL that `reference` leads to from a playlist that was read at `base`.
///
/// Nothing is decoded; `..` stops at the root; raw spaces and non-ASCII characters are percent-encoded; a fragment is
/// kept. Any scheme is returned: which ones may be fetched is the caller's decision.
///
/// # Errors
/// [`ErrorKind::Url`]; [`ErrorKind::UnfitText`] for control characters, which URL parsers would drop in silence.
pub fn resolve(base: &Url, reference: &str) -> Result<Url, Error> {
    if reference.chars().any(char::is_control) {
        return Err(Error::about(reference, ErrorKind::UnfitText));
    }
    base.join(reference).map_err(|fault| Error::about(reference, ErrorKind::Url(fault)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &str, expected: &str) {
        let base = Url::parse("http://h/a/b/m.m3u8?k=1").unwrap();
        assert_eq!(resolve(&base, reference).unwrap().as_str(), expected);
    }

    #[test]
    fn dots_stop_at_the_root() {
        check("../../../../etc/passwd", "http://h/etc/passwd");
    }

    #[test]
    fn escapes_are_not_decoded() {
        check("..%2f..%2fetc%2fpasswd", "http://h/a/b/..%2f..%2fetc%2fpasswd");
        check("a%00b.ts", "http://h/a/b/a%00b.ts");
    }

    #[test]
    fn every_form_of_reference_resolves_as_players_do() {
        check("//h2/x.ts", "http://h2/x.ts");
        check("/x.ts", "http://h/x.ts");
        check("?n=2", "http://h/a/b/m.m3u8?n=2");
        check("x.ts?u=http://e/", "http://h/a/b/x.ts?u=http://e/");
        check("HTTP://H/x.ts", "http://h/x.ts");
        check("视频 1.ts", "http://h/a/b/%E8%A7%86%E9%A2%91%201.ts");
    }

    #[test]
    fn other_schemes_are_handed_on_for_the_caller_to_judge() {
        check("file:///etc/passwd", "file:///etc/passwd");
        check("data:video/mp2t;base64,Rw==", "data:video/mp2t;base64,Rw==");
    }

    #[test]
    fn control_characters_are_refused_rather_than_dropped() {
        let base = Url::parse("http://h/").unwrap();
        for reference in ["a\tb.ts", "a\nb.ts", "a\0b.ts"] {
            assert_eq!(*resolve(&base, reference).unwrap_err().kind(), ErrorKind::UnfitText);
        }
    }

    #[test]
    fn what_is_no_url_is_an_error_without_secrets() {
        let base = Url::parse("http://h/").unwrap();
        let error = resolve(&base, "http://[/x?token=1").unwrap_err();
        assert_eq!(error.to_string(), "`http://[/x`: not a URL: invalid IPv6 address");
    }
}
