//! How requests are made: what an application can set.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::request::RequestAdapter;

/// How requests are made.
///
/// `Debug` shows no proxy password and nothing of the adapters.
#[derive(Clone)]
pub struct HttpSettings {
    /// The User-Agent header.
    pub user_agent: String,
    /// Longest wait for a name's addresses, and for a connection to any of them with TLS. Default 10 s.
    pub connect_timeout: Duration,
    /// Longest wait for the whole head of an answer, and for more bytes of its body. Default 30 s.
    pub read_timeout: Duration,
    /// A body that comes more slowly than this is given up and tried again.
    pub low_speed: LowSpeed,
    /// `http://user:password@host:port`: every connection is made through this proxy, by CONNECT.
    pub proxy: Option<String>,
    /// Whose certificates are trusted.
    pub roots: RootCertificates,
    /// Whether a public presentation may lead to private addresses.
    pub private_addresses: PrivateAddresses,
    /// A file of more bytes is refused, also one that grows so large by decoding. Default 64 GiB.
    pub longest_file: u64,
    /// What becomes of an answer that does not say how long it is.
    pub unknown_length: UnknownLength,
    /// What completes requests, in this order.
    pub adapters: Vec<Arc<dyn RequestAdapter>>,
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RootCertificates {
    /// Those that the platform trusts.
    #[default]
    Platform,
    /// Those signed by one of these, and no others: each one or more certificates in PEM.
    Given(Vec<Vec<u8>>),
}

/// Whether a presentation whose own URL is on a public address may lead to private addresses: loopback,
/// private networks, link-local and the like, judged on the address that is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrivateAddresses {
    /// It may not; a presentation that is on a private address itself may.
    #[default]
    FromPrivateOnly,
    /// It may.
    Allowed,
}

/// What becomes of an answer that ends with its connection, so that a cut can't be told from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownLength {
    /// It is refused.
    #[default]
    Refused,
    /// What came until the connection was closed in order is the file.
    Allowed,
}

/// A rate below which a transfer counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowSpeed {
    /// Bytes a second; 0 never gives up.
    pub bytes_per_second: u64,
    /// Over how long.
    pub window: Duration,
}

impl LowSpeed {
    /// What a window must bring, and an attempt that broke off to count as progress: at least a byte.
    pub(crate) fn least(&self) -> u64 {
        self.bytes_per_second.saturating_mul(self.window.as_secs()).max(1)
    }
}

impl Default for LowSpeed {
    /// 100 bytes a second over a minute.
    fn default() -> Self {
        Self { bytes_per_second: 100, window: Duration::from_secs(60) }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("dtg/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            low_speed: LowSpeed::default(),
            proxy: None,
            roots: RootCertificates::default(),
            private_addresses: PrivateAddresses::default(),
            longest_file: 64 << 30,
            unknown_length: UnknownLength::default(),
            adapters: Vec::new(),
        }
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy.as_deref().map(crate::error::public_part);
        f.debug_struct("HttpSettings")
            .field("user_agent", &self.user_agent)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("low_speed", &self.low_speed)
            .field("proxy", &proxy)
            .field("private_addresses", &self.private_addresses)
            .field("longest_file", &self.longest_file)
            .field("unknown_length", &self.unknown_length)
            .field("adapters", &self.adapters.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_proxy_password() {
        let proxy = Some("http://user:secret@proxy.test:3128".to_owned());
        let shown = format!("{:?}", HttpSettings { proxy, ..HttpSettings::default() });
        assert!(shown.contains("http://proxy.test:3128") && !shown.contains("secret"), "{shown}");
    }
}
