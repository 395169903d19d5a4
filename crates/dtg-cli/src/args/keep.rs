//! How long an item is wanted, and how much all of them may take.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use clap::Args;
use jiff::Timestamp;

#[derive(Debug, Args)]
pub(super) struct KeepArgs {
    /// No quota removes it
    #[arg(long, conflicts_with = "unpin")]
    pin: bool,
    /// A quota may remove it again
    #[arg(long)]
    unpin: bool,
    /// From when on it is the first that a quota removes: 2027-01-31T12:00:00Z, 30d, 12h (from now), or never
    #[arg(long, value_name = "WHEN")]
    expires: Option<When>,
    /// It was played just now
    #[arg(long)]
    played: bool,
}

/// What is to be changed of how long an item is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Pinned,
    Unpinned,
    Until(When),
    PlayedNow,
}

impl From<KeepArgs> for Vec<Wanted> {
    fn from(raw: KeepArgs) -> Self {
        let pin = raw.pin.then_some(Wanted::Pinned).or(raw.unpin.then_some(Wanted::Unpinned));
        let rest = [raw.expires.map(Wanted::Until), raw.played.then_some(Wanted::PlayedNow)];
        pin.into_iter().chain(rest.into_iter().flatten()).collect()
    }
}

/// When an item expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Never,
    In(Duration),
    At(SystemTime),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let unit = |unit: char, seconds: u64| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Self::In(Duration::from_secs(count.checked_mul(seconds)?)))
        };
        let span = unit('d', 86_400).or_else(|| unit('h', 3600)).or_else(|| unit('m', 60));
        let at = || text.parse::<Timestamp>().ok().map(|at| Self::At(at.into()));
        span.or_else(at).ok_or_else(|| "a time such as 2027-01-31T12:00:00Z, 30d, 12h, or never".to_owned())
    }
}

/// How much all media may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    Bytes(u64),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase().as_str() {
            "" | "B" => Some(1),
            "KB" => Some(1000),
            "MB" => Some(1_000_000),
            "GB" => Some(1_000_000_000),
            "TB" => Some(1_000_000_000_000),
            _ => None,
        };
        let count: Option<u64> = digits.parse().ok();
        let bytes = count.zip(factor).and_then(|(count, factor): (u64, u64)| count.checked_mul(factor));
        bytes.map(Self::Bytes).ok_or_else(|| "a whole number of B, kB, MB, GB or TB, or none".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_units() {
        let parse = |text: &str| text.parse::<Limit>();
        assert_eq!(parse("none"), Ok(Limit::None));
        assert_eq!(parse("500"), Ok(Limit::Bytes(500)));
        assert_eq!(parse("20GB"), Ok(Limit::Bytes(20_000_000_000)));
        assert_eq!(parse("3kB"), Ok(Limit::Bytes(3000)));
        for bad in ["", "GB", "1.5GB", "-1", "1XB", "99999999999TB", "1 GB"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_expiry_is_a_moment_or_a_span_or_never() {
        let parse = |text: &str| text.parse::<When>();
        assert_eq!(parse("never"), Ok(When::Never));
        assert_eq!(parse("2d"), Ok(When::In(Duration::from_secs(172_800))));
        assert_eq!(parse("12h"), Ok(When::In(Duration::from_secs(43_200))));
        let second = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        assert_eq!(parse("1970-01-01T00:00:01Z"), Ok(When::At(second)));
        for bad in ["", "d", "soon", "-1d", "99999999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
