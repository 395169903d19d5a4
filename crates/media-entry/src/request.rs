//! What is added to the requests for media.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::redact::shown;

/// A request before it is sent: an address, and headers in order.
///
/// `Debug` prints the address without its query and of the headers the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestParams {
    /// The address.
    pub url: String,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
}

impl RequestParams {
    /// A request without headers of its own.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), headers: Vec::new() }
    }

    /// The same request with this header; one of the same name (in any letter case) is replaced.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl fmt::Debug for RequestParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RequestParams").field("url", &shown(&self.url)).field("headers", &names).finish()
    }
}

/// Completes addresses of Kaltura's play-manifest service for an offline download.
///
/// It adds `playSessionId`, `clientTag`, `referrer` (in base64) and `playbackType=offline`. Any other address stays as
/// it is. A pure function of its fields and the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayManifest {
    /// Tells one playback from another in the backend's statistics; a UUID as a rule.
    pub session_id: String,
    /// Which client asks, as in `dtg/rust-0.1.0`.
    pub client_tag: String,
    /// Which application asks: its name or bundle id, in plain text.
    pub referrer: String,
}

impl PlayManifest {
    /// Whether this address is one of the play-manifest service: http or https, `playManifest` in its path.
    #[must_use]
    pub fn concerns(url: &str) -> bool {
        let address = url.split(['?', '#']).next().unwrap_or_default();
        let Some((scheme, rest)) = address.split_once("://") else { return false };
        let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        http && rest.split('/').skip(1).any(|segment| segment == "playManifest")
    }

    /// The request with the address completed; the same request if the address is of another service.
    ///
    /// A parameter that is there already is replaced; all others keep their spelling and order.
    #[must_use]
    pub fn adapt(&self, request: RequestParams) -> RequestParams {
        if !Self::concerns(&request.url) {
            return request;
        }
        let referrer = STANDARD.encode(&self.referrer);
        let added = [
            ("playSessionId", self.session_id.as_str()),
            ("clientTag", self.client_tag.as_str()),
            ("referrer", referrer.as_str()),
            ("playbackType", "offline"),
        ];
        RequestParams { url: with_query(&request.url, &added), ..request }
    }
}

/// `url` with these query parameters at the end, once each; its fragment stays.
fn with_query(url: &str, added: &[(&str, &str)]) -> String {
    let (address, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let replaced = |pair: &str| added.iter().any(|(name, _)| pair.split('=').next() == Some(*name));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !replaced(pair)).map(str::to_owned);
    let new = added.iter().map(|(name, value)| {
        let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        format!("{name}={value}")
    });
    let pairs: Vec<String> = kept.chain(new).collect();
    format!("{path}?{}{fragment}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDED: &str = "playSessionId=s-1&clientTag=dtg%2Frust&referrer=YXBwPz4%2F&playbackType=offline";

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let adapter = PlayManifest {
            session_id: "s-1".to_owned(),
            client_tag: "dtg/rust".to_owned(),
            referrer: "app?>?".to_owned(),
        };
        let request = RequestParams::new(url).with_header("X", "1");
        let adapted = adapter.adapt(request.clone());
        assert_eq!(adapted.url, expected.replace("ADDED", ADDED));
        assert_eq!(adapted.headers, request.headers);
        assert_eq!(adapter.adapt(adapted.clone()), adapted, "adapting twice changes nothing");
    }

    #[test]
    fn play_manifest_addresses_are_completed() {
        check(
            "https://k.test/p/1/playManifest/entryId/1_a/a.m3u8",
            "https://k.test/p/1/playManifest/entryId/1_a/a.m3u8?ADDED",
        );
        check("http://k.test/playManifest/a.m3u8?", "http://k.test/playManifest/a.m3u8?ADDED");
        check(
            "http://k.test/playManifest/a.m3u8?ks=djJ%2B&&x#f",
            "http://k.test/playManifest/a.m3u8?ks=djJ%2B&x&ADDED#f",
        );
    }

    #[test]
    fn a_parameter_that_is_there_is_replaced_not_doubled() {
        check(
            "https://k.test/playManifest/a.m3u8?playSessionId=old&ks=1&clientTag=old",
            "https://k.test/playManifest/a.m3u8?ks=1&ADDED",
        );
    }

    #[test]
    fn other_addresses_stay_byte_for_byte() {
        for url in [
            "https://k.test/a.m3u8?x=/playManifest/",
            "https://playManifest/a.m3u8",
            "/playManifest/a.m3u8",
            "ftp://k.test/playManifest/a.m3u8",
            "",
        ] {
            check(url, url);
        }
    }

    #[test]
    fn a_header_set_twice_has_the_last_value() {
        let request = RequestParams::new("u").with_header("Accept", "a").with_header("accept", "b");
        assert_eq!(request.headers, [("accept".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn debug_shows_neither_query_nor_header_values() {
        let request = RequestParams::new("https://k.test/a?ks=canary").with_header("Cookie", "canary");
        assert_eq!(
            format!("{request:?}"),
            r#"RequestParams { url: "https://k.test/a", headers: ["Cookie"] }"#
        );
    }
}
