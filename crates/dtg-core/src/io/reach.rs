//! How far a presentation may reach: from a public address it may not lead into a private network.

use std::cell::RefCell;
use std::net::IpAddr;
use std::{fmt, io};

use url::{Host, Url};

use super::address::is_private;
use super::names::Names;
use crate::error::{Error, ErrorKind};
use crate::http_settings::PrivateAddresses;

thread_local! {
    static CURRENT: RefCell<Option<Reach>> = const { RefCell::new(None) };
}

/// The rule that the calling thread's connections are under.
#[derive(Debug, Clone)]
struct Reach {
    names: Names,
    /// The host of the presentation's own URL.
    home: String,
}

/// While it lives, the thread's connections are under a presentation's rule.
#[derive(Debug)]
pub(crate) struct Reaching(());

impl Drop for Reaching {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Puts the thread's connections under the rule of the presentation at `home`.
pub(crate) fn enter(rule: PrivateAddresses, names: &Names, home: &Url) -> Reaching {
    let reach = match (rule, home.host_str()) {
        (PrivateAddresses::Allowed, _) | (_, None) => None,
        (PrivateAddresses::FromPrivateOnly, Some(host)) => {
            Some(Reach { names: names.clone(), home: host.to_owned() })
        }
    };
    CURRENT.set(reach);
    Reaching(())
}

/// Fails when the calling thread's presentation may not lead to this address.
pub(crate) fn check(address: IpAddr) -> io::Result<()> {
    if !is_private(address) {
        return Ok(());
    }
    match CURRENT.with_borrow(Clone::clone) {
        Some(reach) if !reach.starts_private() => Err(io::Error::other(OutOfReach(address))),
        _ => Ok(()),
    }
}

/// Through a proxy the address that is connected to is out of sight: only one that a URL spells out is judged.
pub(crate) fn check_proxied(rule: PrivateAddresses, url: &Url, home: &Url) -> Result<(), Error> {
    match (rule, spelled(url)) {
        (PrivateAddresses::FromPrivateOnly, Some(address))
            if is_private(address) && !spelled(home).is_some_and(is_private) =>
        {
            Err(Error::new(ErrorKind::PrivateAddress(address.to_string())))
        }
        _ => Ok(()),
    }
}

/// The address that a URL spells out.
fn spelled(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            // RFC 6761, 6.3.
            let is_local = name == "localhost" || name.ends_with(".localhost");
            is_local.then_some(std::net::Ipv4Addr::LOCALHOST.into())
        }
    }
}

impl Reach {
    /// Whether the presentation's own host has private addresses only, and not only by now.
    fn starts_private(&self) -> bool {
        self.names.is_private_for_good(&self.home)
    }
}

/// Why a connection was not made.
#[derive(Debug, Clone, Copy)]
struct OutOfReach(IpAddr);

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is a private address", self.0)
    }
}

impl std::error::Error for OutOfReach {}

/// The address in an error that [`check`] made.
pub(crate) fn refused_address(error: &io::Error) -> Option<IpAddr> {
    error.get_ref()?.downcast_ref::<OutOfReach>().map(|out| out.0)
}
