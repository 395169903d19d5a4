//! Host names and their addresses, remembered for a while: a lookup for each request costs a thread.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::address::is_private;
use super::cancel;

/// How long a name's addresses are believed: the system's resolver does not say how long they hold.
const FRESH: Duration = Duration::from_secs(30);
/// No more names are remembered.
const NAMES: usize = 256;
/// No more names are remembered for having been public; of others it is taken for true then.
const PUBLIC: usize = 4096;
/// No more addresses of one name are tried.
pub(crate) const ADDRESSES: usize = 16;

/// Asks the system, or a test, for a name's addresses. May block for as long as it likes.
pub(crate) type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The addresses of host names; clones share what they remember.
#[derive(Clone)]
pub(crate) struct Names {
    lookup: Arc<Lookup>,
    known: Arc<Mutex<HashMap<String, Known>>>,
    /// Names that had a public address, ever: whoever owns one may give it a private address later.
    public: Arc<Mutex<HashSet<String>>>,
    patience: Duration,
}

#[derive(Debug, Clone)]
struct Known {
    addresses: Vec<IpAddr>,
    until: Instant,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl Names {
    /// Names as `lookup` knows them, which is waited for no longer than `patience`.
    pub(crate) fn new(lookup: Arc<Lookup>, patience: Duration) -> Self {
        Self { lookup, known: Arc::default(), public: Arc::default(), patience }
    }

    /// The addresses of a host as a URL spells it: a name, or an address, then with brackets if it is of IPv6.
    ///
    /// A cancelled wait leaves the lookup behind, and so does one that takes too long (`TimedOut`). A name
    /// without addresses is `NotFound`.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is remembered grows old by the clock, here at the edge"
    )]
    pub(crate) fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(address) = literal(host) {
            return Ok(vec![address]);
        }
        let now = Instant::now();
        if let Some(known) = self.lock().get(host).filter(|known| known.until > now) {
            return Ok(known.addresses.clone());
        }
        let (lookup, name) = (Arc::clone(&self.lookup), host.to_owned());
        let mut addresses = cancel::leavable(self.patience, move || lookup(&name))?;
        addresses.truncate(ADDRESSES);
        if addresses.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !addresses.iter().copied().all(is_private) {
            self.note_public(host);
        }
        let mut known = self.lock();
        if known.len() >= NAMES {
            known.retain(|_, known| known.until > now);
        }
        if known.len() < NAMES {
            let until = now + FRESH;
            known.insert(host.to_owned(), Known { addresses: addresses.clone(), until });
        }
        Ok(addresses)
    }

    fn note_public(&self, host: &str) {
        let mut public = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        if public.len() < PUBLIC {
            public.insert(host.to_owned());
        }
    }

    /// Whether a host has private addresses only, and has had no other.
    pub(crate) fn is_private_for_good(&self, host: &str) -> bool {
        let is_private = self.addresses(host).is_ok_and(|all| all.into_iter().all(is_private));
        let public = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        is_private && !public.contains(host) && (public.len() < PUBLIC || literal(host).is_some())
    }

    /// Every address is grown old.
    #[cfg(test)]
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system's own lookup.
pub(crate) fn system_lookup(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// The address that a URL's host is written as.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A lookup that counts its calls, and the count.
    fn counted(answer: Vec<IpAddr>) -> (Names, Arc<AtomicU32>) {
        let calls = Arc::new(AtomicU32::new(0));
        let lookup = {
            let calls = Arc::clone(&calls);
            move |_: &str| {
                calls.fetch_add(1, Ordering::SeqCst);
                Ok(answer.clone())
            }
        };
        (Names::new(Arc::new(lookup), Duration::from_secs(10)), calls)
    }

    #[test]
    fn a_name_is_looked_up_once_and_remembered() {
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        let (names, calls) = counted(vec![address]);
        for _ in 0..3 {
            assert_eq!(names.addresses("media.example").unwrap(), [address]);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_address_is_not_looked_up() {
        let (names, calls) = counted(Vec::new());
        for (host, expected) in [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("::1", "::1")] {
            assert_eq!(names.addresses(host).unwrap(), [expected.parse::<IpAddr>().unwrap()], "{host}");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_name_without_addresses_is_not_found_and_asked_for_again() {
        let (names, calls) = counted(Vec::new());
        for _ in 0..2 {
            assert_eq!(names.addresses("media.example").unwrap_err().kind(), io::ErrorKind::NotFound);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn no_more_names_are_remembered_than_is_good() {
        let (names, calls) = counted(vec!["203.0.113.7".parse().unwrap()]);
        for n in 0..2 * NAMES {
            names.addresses(&format!("n{n}.example")).unwrap();
        }
        assert_eq!(names.lock().len(), NAMES);
        assert_eq!(calls.load(Ordering::SeqCst), u32::try_from(2 * NAMES).unwrap());
    }
}
