//! Signed URLs that expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Request, Response, Site};

/// A site behind signed path prefixes: `/signed-3/a/master.m3u8` is the site's `/a/master.m3u8`.
///
/// Relative URIs inherit the signature, root-relative ones lose it, as with the path tokens of real CDNs.
/// Without a valid signature the answer is 403. Clones share their signatures: keep one to hand out new
/// ones while the origin has the other.
#[derive(Debug)]
pub struct Signed<S> {
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    site: S,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    issued: u64,
    valid: HashMap<u64, Signature>,
}

#[derive(Debug)]
struct Signature {
    requests_left: u64,
    until: Option<Instant>,
}

impl<S: Site> Signed<S> {
    /// Puts a site behind signatures; none is valid yet.
    #[must_use]
    pub fn new(site: S) -> Self {
        Self { shared: Arc::new(Shared { site, state: Mutex::default() }) }
    }

    /// A new signature for a path, valid until [`Signed::expire_all`]; gives the signed path.
    #[must_use]
    pub fn sign(&self, path: &str) -> String {
        self.issue(path, Signature { requests_left: u64::MAX, until: None })
    }

    /// A new signature for a path that is good for `requests` requests.
    #[must_use]
    pub fn sign_for_requests(&self, path: &str, requests: u64) -> String {
        self.issue(path, Signature { requests_left: requests, until: None })
    }

    /// A new signature for a path that is good for this long.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the validity is in real time: that is what is tested with it"
    )]
    pub fn sign_for(&self, path: &str, validity: Duration) -> String {
        self.issue(path, Signature { requests_left: u64::MAX, until: Some(Instant::now() + validity) })
    }

    /// Makes every signature handed out so far invalid.
    pub fn expire_all(&self) {
        self.lock().valid.clear();
    }

    fn issue(&self, path: &str, signature: Signature) -> String {
        let mut state = self.lock();
        state.issued += 1;
        let number = state.issued;
        state.valid.insert(number, signature);
        format!("/signed-{number}{path}")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The target without its signature, where that is valid; uses it up by one request.
    #[expect(
        clippy::disallowed_methods,
        reason = "the validity is in real time: that is what is tested with it"
    )]
    fn admit(&self, target: &str) -> Option<String> {
        let (number, _) = target.strip_prefix("/signed-")?.split_once('/')?;
        let rest = target.get("/signed-".len() + number.len()..)?;
        let mut state = self.lock();
        let signature = state.valid.get_mut(&number.parse().ok()?)?;
        signature.requests_left = signature.requests_left.checked_sub(1)?;
        let in_time = signature.until.is_none_or(|until| Instant::now() < until);
        in_time.then(|| rest.to_owned())
    }
}

impl<S: Site> Site for Signed<S> {
    fn respond(&self, request: &Request) -> Response {
        match self.admit(&request.target) {
            Some(target) => self.shared.site.respond(&Request { target, ..request.clone() }),
            None => Response::status(403),
        }
    }
}

impl<S> Clone for Signed<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}
