//! How things are fetched.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::Args;
use dtg_core::PrivateAddresses;

#[derive(Debug, Args)]
pub(super) struct TransferArgs {
    /// Connections at once
    #[arg(long, value_name = "N", default_value = "16", value_parser = connections)]
    connections: NonZeroU16,
    /// Connections to one host [default: all of them]
    #[arg(long, value_name = "N", value_parser = connections)]
    connections_per_host: Option<NonZeroU16>,
    /// HTTP proxy for all requests: http://user:password@host:port
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Trust the certificates in this PEM file, and no others; may be given several times
    #[arg(long, value_name = "FILE")]
    cacert: Vec<Utf8PathBuf>,
    /// Let a presentation on a public address lead to private ones
    #[arg(long)]
    allow_private: bool,
}

/// How things are fetched, checked. `Debug` shows no password.
pub(crate) struct Transfer {
    pub(crate) connections: NonZeroU16,
    pub(crate) per_host: Option<NonZeroU16>,
    pub(crate) proxy: Option<String>,
    pub(crate) certificates: Vec<Utf8PathBuf>,
    pub(crate) private: PrivateAddresses,
}

impl Transfer {
    /// For a command that fetches nothing.
    pub(crate) const fn idle() -> Self {
        Self {
            connections: NonZeroU16::MIN,
            per_host: None,
            proxy: None,
            certificates: Vec::new(),
            private: PrivateAddresses::FromPrivateOnly,
        }
    }
}

impl From<TransferArgs> for Transfer {
    fn from(raw: TransferArgs) -> Self {
        Self {
            connections: raw.connections,
            per_host: raw.connections_per_host,
            proxy: raw.proxy,
            certificates: raw.cacert,
            private: if raw.allow_private {
                PrivateAddresses::Allowed
            } else {
                PrivateAddresses::FromPrivateOnly
            },
        }
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// More would be no faster, and a burden on the server.
const MOST_CONNECTIONS: u16 = 512;

fn connections(text: &str) -> Result<NonZeroU16, String> {
    let number: Option<NonZeroU16> = text.parse().ok();
    number
        .filter(|number| number.get() <= MOST_CONNECTIONS)
        .ok_or_else(|| format!("give a number from 1 to {MOST_CONNECTIONS}"))
}

/// A header of a request. `Debug` shows its name only: the value may be a token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("write it as `Name: value`")?;
        let (name, value) = (name.trim(), value.trim());
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || value.chars().any(char::is_control) {
            return Err("that is no header: write it as `Name: value`");
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Header").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value_and_its_value_is_not_shown() {
        let header: Header = "Authorization:  Bearer a:b ".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.as_str()), ("Authorization", "Bearer a:b"));
        assert_eq!(format!("{header:?}"), "Header(\"Authorization\")");
        for bad in ["", "Name", ": value", "Na me: v", "Name: a\nb"] {
            assert!(bad.parse::<Header>().is_err(), "{bad}");
        }
    }
}
