//! Who may ask: the Host check, and web pages of other origins.

use axum::http::{HeaderMap, HeaderValue, Uri, header};

/// What requests are let in. Fixed when the server starts.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) port: u16,
    /// Web origins whose pages may read the answers, as browsers send them.
    pub(crate) origins: Vec<String>,
}

impl Access {
    /// Whether the request was meant for this server: a page whose own name was made to lead here sends that name.
    ///
    /// Both `Host` and an absolute target count; there must be exactly one `Host`.
    pub(crate) fn admits(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let named = host.to_str().is_ok_and(|host| self.is_own(host));
        named && uri.authority().is_none_or(|authority| self.is_own(authority.as_str()))
    }

    fn is_own(&self, host: &str) -> bool {
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        (name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost")) && port == self.port.to_string()
    }

    /// The request's web origin, where its pages may read the answer.
    pub(crate) fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

/// Whether this is an origin as browsers write it: a scheme, `://`, a host, a port if it is not the usual one.
pub(crate) fn is_web_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let in_scheme = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let in_host =
        |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"/?#@\\*".contains(&byte);
    !scheme.is_empty() && scheme.bytes().all(in_scheme) && !host.is_empty() && host.bytes().all(in_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: Access = Access { port: 4000, origins: Vec::new() };

    #[track_caller]
    fn check(uri: &str, hosts: &[&str], expected: bool) {
        let mut headers = HeaderMap::new();
        hosts.iter().for_each(|host| {
            headers.append(header::HOST, host.parse().unwrap());
        });
        assert_eq!(ACCESS.admits(&uri.parse().unwrap(), &headers), expected, "{uri} {hosts:?}");
    }

    #[test]
    fn only_its_own_names_are_admitted() {
        check("/", &["127.0.0.1:4000"], true);
        check("/", &["LocalHost:4000"], true);
        check("http://127.0.0.1:4000/", &["127.0.0.1:4000"], true);
        for host in
            ["127.0.0.1", "127.0.0.1:4001", "evil.test:4000", "localhost.evil.test:4000", "x@localhost:4000"]
        {
            check("/", &[host], false);
        }
        check("http://evil.test:4000/", &["127.0.0.1:4000"], false);
    }

    #[test]
    fn exactly_one_host_is_needed() {
        check("/", &[], false);
        check("/", &["127.0.0.1:4000", "evil.test"], false);
    }

    #[test]
    fn a_port_of_80_may_be_left_out() {
        let access = Access { port: 80, origins: Vec::new() };
        assert!(
            access.is_own("localhost") && access.is_own("127.0.0.1:80") && !access.is_own("127.0.0.1:81")
        );
    }

    #[test]
    fn an_origin_is_written_as_browsers_do() {
        for origin in ["https://player.example", "http://localhost:8080", "capacitor://localhost"] {
            assert!(is_web_origin(origin), "{origin}");
        }
        for other in [
            "",
            "*",
            "null",
            "player.example",
            "https://",
            "https://a/",
            "https://A",
            "https://a b",
            "https://*",
        ] {
            assert!(!is_web_origin(other), "{other}");
        }
    }
}
