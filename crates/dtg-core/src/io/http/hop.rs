//! Where a request goes, and with which headers: first as the adapters say, then as redirects lead.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::{Origin, Url};

use super::{Request, answer};
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::http_settings::HttpSettings;
use crate::request::{RequestParts, RequestRole};
use crate::resource::Role;

/// Headers that say how much is asked for and how it is framed: no adapter's business.
const OURS: [HeaderName; 7] = [
    header::RANGE,
    header::IF_RANGE,
    header::ACCEPT_ENCODING,
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
];

/// Redirects set no more cookies than these.
const COOKIES: usize = 20;

/// One request on the way to an answer.
#[derive(Debug)]
pub(super) struct Hop {
    /// Without user name, password and fragment.
    pub(super) url: Url,
    /// For this origin only.
    pub(super) headers: HeaderMap,
    cookies: Vec<Cookie>,
}

/// What a redirect set: known to its own origin only, and forgotten with the answer.
struct Cookie {
    origin: Origin,
    name: String,
    value: String,
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").finish_non_exhaustive()
    }
}

impl Hop {
    /// The first one: what the adapters make of the request.
    pub(super) fn first(request: &Request<'_>, settings: &HttpSettings) -> Result<Self, Error> {
        let mut parts =
            RequestParts { role: request.role, url: request.url.as_str().to_owned(), headers: Vec::new() };
        for adapter in &settings.adapters {
            let adapted = panic::catch_unwind(AssertUnwindSafe(|| adapter.adapt(&mut parts)));
            match adapted {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Error::new(ErrorKind::Adapter(error.to_string()))),
                Err(_) => return Err(Error::new(ErrorKind::Adapter("it panicked".to_owned()))),
            }
        }
        let url = Url::parse(&parts.url).map_err(|error| Error::new(ErrorKind::InvalidUrl(error)))?;
        Self::to(url, added(&parts.headers)?)
    }

    /// Where a redirect with these headers leads from here. Headers, passwords and cookies stay behind when the
    /// origin is another.
    pub(super) fn next(mut self, redirect: &HeaderMap, role: RequestRole) -> Result<Self, Error> {
        let location = answer::text(redirect, header::LOCATION).filter(|location| !location.is_empty());
        let url = location.and_then(|location| self.url.join(&location).ok());
        let url = url.ok_or_else(|| BadAnswer::Location.into_error())?;
        if role == RequestRole::Chunk(Role::Key) && self.url.scheme() == "https" && url.scheme() == "http" {
            return Err(BadAnswer::Downgrade.into_error());
        }
        self.keep_cookies(redirect);
        let stays = url.origin() == self.url.origin();
        let next = Self::to(url, if stays { self.headers } else { HeaderMap::new() })?;
        Ok(Self { cookies: self.cookies, ..next })
    }

    /// A server may send a client in a circle until it comes with a cookie.
    fn keep_cookies(&mut self, redirect: &HeaderMap) {
        let origin = self.url.origin();
        for set in redirect.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = set.split(';').next().and_then(|pair| pair.split_once('='));
            let Some((name, value)) = pair.map(|(name, value)| (name.trim(), value.trim())) else { continue };
            self.cookies.retain(|known| known.origin != origin || known.name != name);
            if !name.is_empty() && self.cookies.len() < COOKIES {
                let (name, value) = (name.to_owned(), value.to_owned());
                self.cookies.push(Cookie { origin: origin.clone(), name, value });
            }
        }
    }

    /// What is said besides the URL: the headers for this origin, with its cookies.
    pub(super) fn said(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        if self.cookies.is_empty() {
            return headers;
        }
        let origin = self.url.origin();
        let own = self.cookies.iter().filter(|cookie| cookie.origin == origin);
        let own = own.map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let all: Vec<String> = answer::text(&headers, header::COOKIE).into_iter().chain(own).collect();
        if let Ok(mut line) = HeaderValue::try_from(all.join("; ")) {
            line.set_sensitive(true);
            if !all.is_empty() {
                headers.insert(header::COOKIE, line);
            }
        }
        headers
    }

    /// A user name and password in the URL become a header (RFC 9110, 4.2.4): they are part of no address.
    fn to(mut url: Url, mut headers: HeaderMap) -> Result<Self, Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::new(ErrorKind::SchemeNotAllowed(url.scheme().to_owned())));
        }
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
            let pair =
                [&decoded(url.username()), &b":"[..], &decoded(url.password().unwrap_or_default())].concat();
            if let Ok(mut basic) = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))) {
                basic.set_sensitive(true);
                headers.entry(header::AUTHORIZATION).or_insert(basic);
            }
            // These fail for URLs without a host only.
            let _ = (url.set_username(""), url.set_password(None));
        }
        Ok(Self { url, headers, cookies: Vec::new() })
    }
}

/// The adapters' headers, if they may add them.
fn added(pairs: &[(String, String)]) -> Result<HeaderMap, Error> {
    let refused = |name: &str| Error::new(ErrorKind::Adapter(format!("it can't add the header `{name}`")));
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let parsed = HeaderName::try_from(name.as_str()).ok().filter(|name| !OURS.contains(name));
        let (Some(known), Ok(mut value)) = (parsed, HeaderValue::try_from(value.as_str())) else {
            return Err(refused(name));
        };
        value.set_sensitive(true);
        headers.append(known, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Ask;
    use super::*;

    fn first(url: &str, settings: &HttpSettings) -> Result<Hop, Error> {
        let url = Url::parse(url).unwrap();
        let request = Request { url: &url, ask: Ask::Whole, role: RequestRole::Playlist, home: &url };
        Hop::first(&request, settings)
    }

    fn adding(headers: &'static [(&'static str, &'static str)]) -> HttpSettings {
        let adapter = |parts: &mut RequestParts| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            parts
                .headers
                .extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            Ok(())
        };
        HttpSettings { adapters: vec![Arc::new(adapter)], ..HttpSettings::default() }
    }

    /// The headers of a redirect.
    fn leading_to(location: &str, cookies: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::try_from(location).unwrap());
        cookies.iter().for_each(|set| {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(set));
        });
        headers
    }

    #[test]
    fn what_a_redirect_sets_as_a_cookie_is_said_to_its_own_origin_only() {
        let hop = first("http://a.test/m", &adding(&[("Cookie", "own=1")])).unwrap();
        let said = |hop: &Hop| answer::text(&hop.said(), header::COOKIE);
        let role = RequestRole::Playlist;
        let set = ["a=1; Path=/; HttpOnly", "b=x=y", "a=2", "nothing", "=x"];
        let hop = hop.next(&leading_to("/m", &set), role).unwrap();
        assert_eq!(said(&hop).as_deref(), Some("own=1; b=x=y; a=2"));
        assert!(!format!("{hop:?}").contains("x=y"), "{hop:?}");
        let away = hop.next(&leading_to("http://b.test/n", &["c=3"]), role).unwrap();
        assert_eq!(said(&away), None);
        let back = away.next(&leading_to("http://a.test/m", &["d=4"]), role).unwrap();
        assert_eq!(said(&back).as_deref(), Some("b=x=y; a=2; c=3"));
    }

    #[test]
    fn redirects_set_only_so_many_cookies() {
        let hop = first("http://a.test/m", &HttpSettings::default()).unwrap();
        let mut headers = leading_to("/m", &[]);
        for n in 0..1000 {
            headers.append(header::SET_COOKIE, HeaderValue::try_from(format!("n{n}=1")).unwrap());
        }
        assert_eq!(hop.next(&headers, RequestRole::Playlist).unwrap().cookies.len(), COOKIES);
    }

    /// Where a redirect from `from` leads, and with which headers.
    #[track_caller]
    fn check(from: &str, location: &str, expected: &str) {
        let hop = first(from, &adding(&[("X-Token", "t")])).unwrap();
        let next = hop.next(&leading_to(location, &[]), RequestRole::Playlist).unwrap();
        let mut seen = vec![next.url.to_string()];
        seen.extend(next.said().iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())));
        assert_eq!(seen.join(" "), expected);
    }

    #[test]
    fn headers_and_passwords_stay_with_their_origin() {
        check("http://a.test/m", "/n#x", "http://a.test/n x-token=t");
        check("http://a.test/m", "http://b.test/n", "http://b.test/n");
        check("http://a.test/m", "http://a.test:81/n", "http://a.test:81/n");
        check("http://a.test/m", "https://a.test/n", "https://a.test/n");
        check("http://u:p%40@a.test/m", "/n", "http://a.test/n x-token=t authorization=Basic dTpwQA==");
        check("http://u:p@a.test/m", "//b.test/n", "http://b.test/n");
        check("http://a.test/m", "http://u:p@b.test/n", "http://b.test/n authorization=Basic dTpw");
    }

    #[test]
    fn a_redirect_leads_to_http_only_and_a_key_stays_within_tls() {
        let leads = |from: &str, to: &str, role| {
            let hop = first(from, &HttpSettings::default()).unwrap();
            hop.next(&leading_to(to, &[]), role).map(drop).map_err(|error| error.code())
        };
        let key = RequestRole::Chunk(Role::Key);
        assert_eq!(leads("https://a.test/k", "http://a.test/k", key), Err("bad-answer"));
        assert_eq!(leads("https://a.test/k", "https://b.test/k", key), Ok(()));
        assert_eq!(leads("http://a.test/k", "http://b.test/k", key), Ok(()));
        assert_eq!(leads("https://a.test/k", "http://a.test/k", RequestRole::Playlist), Ok(()));
        assert_eq!(leads("http://a.test/k", "file:///etc/passwd", key), Err("scheme-not-allowed"));
        assert_eq!(leads("http://a.test/k", "", key), Err("bad-answer"));
    }

    #[test]
    fn an_adapter_changes_the_address_and_adds_headers() {
        let adapter = |parts: &mut RequestParts| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            parts.url.push_str("?token=1");
            Ok(())
        };
        let mut settings = adding(&[("X-A", "1"), ("X-B", "2")]);
        settings.adapters.push(Arc::new(adapter));
        let hop = first("http://a.test/m", &settings).unwrap();
        assert_eq!(hop.url.as_str(), "http://a.test/m?token=1");
        assert_eq!(hop.headers.len(), 2);
    }

    #[test]
    fn an_adapter_that_fails_panics_or_adds_what_is_not_its_own_is_a_typed_error() {
        let code = |settings: &HttpSettings| first("http://a.test/m", settings).unwrap_err().code();
        for headers in
            [&[("Range", "bytes=0-1")][..], &[("a b", "1")], &[("X", "1\r\nY: 2")], &[("host", "b")]]
        {
            assert_eq!(code(&adding(headers)), "adapter", "{headers:?}");
        }
        let failing = |_: &mut RequestParts| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Err("no session".into())
        };
        let adapters: Vec<Arc<dyn crate::request::RequestAdapter>> = vec![Arc::new(failing)];
        assert_eq!(code(&HttpSettings { adapters, ..HttpSettings::default() }), "adapter");
        let panicking = |_: &mut RequestParts| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            panic!("an application's own fault")
        };
        let adapters: Vec<Arc<dyn crate::request::RequestAdapter>> = vec![Arc::new(panicking)];
        assert_eq!(code(&HttpSettings { adapters, ..HttpSettings::default() }), "adapter");
    }
}
