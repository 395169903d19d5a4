//! URLs that expire, and where fresh ones are handed out.

use std::str::FromStr;
use std::time::Duration;

use dtg_testkit::{Request, Response, Signed, Site};

/// How long a signed URL is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    /// For so many requests.
    Requests(u64),
    /// For so long.
    Time(Duration),
}

impl FromStr for Validity {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_suffix('s') {
            Some(seconds) => seconds.parse().map(Duration::from_secs).map(Self::Time),
            None => text.parse().map(Self::Requests),
        }
    }
}

/// A site behind signatures: 403 without a valid one. `/fresh/PATH` answers with PATH's URL under a new one.
pub(super) fn signed(site: impl Site, validity: Validity, scheme: &'static str) -> impl Site {
    let signed = Signed::new(site);
    move |request: &Request| match request.target.strip_prefix("/fresh/") {
        Some(path) => {
            let host = request.header("host").unwrap_or_default();
            let path = format!("/{path}");
            let path = match validity {
                Validity::Requests(requests) => signed.sign_for_requests(&path, requests),
                Validity::Time(time) => signed.sign_for(&path, time),
            };
            Response::ok(format!("{scheme}://{host}{path}\n")).content_type("text/plain")
        }
        None => signed.respond(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(site: &impl Site, target: &str) -> u16 {
        site.respond(&Request::get(target)).status
    }

    #[test]
    fn a_signed_url_is_good_for_its_requests_and_a_fresh_one_goes_on() {
        let site = signed(|_: &Request| Response::ok("x"), Validity::Requests(2), "http");
        assert_eq!(status(&site, "/a.ts"), 403);
        assert_eq!(status(&site, "/fresh/a.ts"), 200);
        let statuses = || [(); 3].map(|()| status(&site, "/signed-1/a.ts"));
        assert_eq!(statuses(), [200, 200, 403]);
        assert_eq!(status(&site, "/fresh/a.ts"), 200);
        assert_eq!(status(&site, "/signed-2/b.ts"), 200, "what is beside it has the signature too");
    }

    #[test]
    fn validity_is_a_number_of_requests_or_of_seconds() {
        assert_eq!("20".parse(), Ok(Validity::Requests(20)));
        assert_eq!("30s".parse(), Ok(Validity::Time(Duration::from_secs(30))));
        assert!("soon".parse::<Validity>().is_err());
    }
}
