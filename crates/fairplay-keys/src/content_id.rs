//! The content identifier: which part of a key URI a license is asked for with.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{Error, ErrorKind};
use crate::key_uri::KeyUri;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a license is asked for with: 2 to 200 bytes, as FairPlay Streaming wants it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(Vec<u8>);

/// How a license service finds the content identifier in a key URI.
///
/// No rule decodes or normalises, [`ContentIdRule::Base64Of`] apart. One asset has one rule, whatever is done with its
/// keys: asking, playing, renewing, removing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentIdRule {
    /// The host, without user information and port: Kaltura and most others.
    #[default]
    Host,
    /// All that follows `skd://` or `skd:`.
    AfterScheme,
    /// The same, up to `?` or `#`.
    BeforeQuery,
    /// The query: all between `?` and `#`.
    Query,
    /// The value of this item of the query; the first, if there are several.
    QueryItem(String),
    /// All that follows the last `;`.
    AfterLastSemicolon,
    /// What follows the last `/` before the query; the host where there is no path.
    LastSegment,
    /// The URI itself.
    WholeUri,
    /// The bytes that another rule's answer is the base64 of, with or without padding.
    Base64Of(Box<Self>),
}

impl ContentId {
    /// Checks and takes an identifier.
    ///
    /// # Errors
    /// The number of bytes, when it is not 2 to 200.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ErrorKind> {
        let bytes = bytes.into();
        match bytes.len() {
            2..=200 => Ok(Self(bytes)),
            length => Err(ErrorKind::ContentIdLength(length)),
        }
    }

    /// The identifier's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl ContentIdRule {
    /// The content identifier of a key URI.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchPart`] when the URI has no such part, [`ErrorKind::ContentIdLength`] when the part has not 2
    /// to 200 bytes, [`ErrorKind::NotBase64`] where base64 is asked for.
    pub fn apply(&self, uri: &KeyUri) -> Result<ContentId, Error> {
        self.part(uri).and_then(ContentId::new).map_err(|kind| Error::new(uri.as_str(), kind))
    }

    fn part(&self, uri: &KeyUri) -> Result<Vec<u8>, ErrorKind> {
        let (part, name) = match self {
            Self::Host => (uri.authority().map(host_of), "host"),
            Self::AfterScheme => (Some(uri.after_scheme()), "text"),
            Self::BeforeQuery => (Some(uri.before_query()), "text"),
            Self::Query => (uri.query(), "query"),
            Self::QueryItem(name) => (uri.query_item(name), "such query item"),
            Self::AfterLastSemicolon => (uri.as_str().rsplit_once(';').map(|(_, id)| id), "semicolon"),
            Self::LastSegment => (uri.before_query().rsplit('/').next(), "path"),
            Self::WholeUri => (Some(uri.as_str()), "text"),
            Self::Base64Of(rule) => {
                return BASE64.decode(rule.part(uri)?).map_err(|_| ErrorKind::NotBase64);
            }
        };
        part.map(|part| part.as_bytes().to_vec()).ok_or(ErrorKind::NoSuchPart(name))
    }
}

fn host_of(authority: &str) -> &str {
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentId(\"{}\")", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContentIdRule::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(rule: ContentIdRule, uri: &str, expected: &str) {
        let id = rule.apply(&KeyUri::new(uri).unwrap()).unwrap();
        assert_eq!(std::str::from_utf8(id.as_bytes()).unwrap(), expected, "{rule:?} of {uri}");
    }

    #[track_caller]
    fn check_refused(rule: ContentIdRule, uri: &str, kind: ErrorKind) {
        assert_eq!(rule.apply(&KeyUri::new(uri).unwrap()).unwrap_err().kind(), &kind, "{rule:?} of {uri}");
    }

    const GUID_IV: &str = "skd://1b2c:00ff";

    #[test]
    fn each_service_finds_its_identifier() {
        check(Host, "skd://asset-1", "asset-1");
        check(Host, "skd://me@asset-1:80/x?y#z", "asset-1");
        check(Host, "skd://ab/cd+e==", "ab");
        check(AfterScheme, "skd://ab/cd+e==", "ab/cd+e==");
        check(AfterScheme, GUID_IV, "1b2c:00ff");
        check(AfterScheme, "skd:abc", "abc");
        check(AfterScheme, "SKD://Äb%41?c#d", "Äb%41?c#d");
        check(BeforeQuery, "skd://ab/cd?ef#gh", "ab/cd");
        check(Query, "skd://drmtoday?assetId=a&keyId=%41#f", "assetId=a&keyId=%41");
        check(QueryItem("keyId".into()), "skd://h?assetId=a&keyId=k%2F1&keyId=2", "k%2F1");
        check(AfterLastSemicolon, "skd://fps.test/;a;4f2b", "4f2b");
        check(LastSegment, "skd://h/a/b-c?d/e", "b-c");
        check(LastSegment, "skd://host", "host");
        check(WholeUri, "skd://a b", "skd://a b");
        check(Base64Of(Box::new(BeforeQuery)), "skd://YXNzZXQtMQ==?x", "asset-1");
        check(Base64Of(Box::new(BeforeQuery)), "skd://YXNzZXQtMQ", "asset-1");
    }

    #[test]
    fn a_part_that_is_not_there_is_named() {
        check_refused(Host, "skd:abc", ErrorKind::NoSuchPart("host"));
        check_refused(Query, "skd://abc#?x", ErrorKind::NoSuchPart("query"));
        check_refused(QueryItem("a".into()), "skd://abc?b=12", ErrorKind::NoSuchPart("such query item"));
        check_refused(AfterLastSemicolon, "skd://abc", ErrorKind::NoSuchPart("semicolon"));
        check_refused(Base64Of(Box::new(BeforeQuery)), "skd://*", ErrorKind::NotBase64);
    }

    #[test]
    fn an_identifier_has_2_to_200_bytes() {
        check_refused(AfterScheme, "skd://", ErrorKind::ContentIdLength(0));
        check_refused(Host, "skd://a", ErrorKind::ContentIdLength(1));
        check(Host, "skd://ab", "ab");
        let of_length = |length: usize| format!("skd://{}", "x".repeat(length));
        check(Host, &of_length(200), &"x".repeat(200));
        check_refused(Host, &of_length(201), ErrorKind::ContentIdLength(201));
        check_refused(Host, &of_length(8000), ErrorKind::ContentIdLength(8000));
    }

    #[test]
    fn an_error_names_the_uri_without_its_query() {
        let uri = KeyUri::new("skd://a?token=canary").unwrap();
        let error = Host.apply(&uri).unwrap_err();
        assert_eq!(error.to_string(), "key URI `skd://a`: the content identifier has 1 bytes, not 2 to 200");
    }

    proptest! {
        #[test]
        fn every_rule_answers_or_refuses_every_uri(rest in "(//)?\\PC{0,40}") {
            let uri = KeyUri::new(format!("skd:{rest}")).unwrap();
            let rules = [Host, AfterScheme, BeforeQuery, Query, QueryItem("a".into()), AfterLastSemicolon,
                LastSegment, WholeUri];
            for rule in rules {
                if let Ok(id) = rule.apply(&uri) {
                    let id = std::str::from_utf8(id.as_bytes()).unwrap().to_owned();
                    prop_assert!(uri.as_str().contains(&id), "{rule:?} invented {id}");
                }
                let _ = Base64Of(Box::new(rule)).apply(&uri);
            }
        }
    }
}
