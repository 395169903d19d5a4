//! Numbers and URLs as people read them.

use std::time::Duration;

use url::Url;

/// Seconds as a number whose shortest decimal form is the exact one, up to 15 digits.
///
/// `as_secs_f64` adds two rounded parts and can be one bit off: 9.009 s would print as 9.009000000000001.
pub(crate) fn seconds(duration: Duration) -> f64 {
    let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    text.parse().unwrap_or(duration.as_secs_f64())
}

/// `12.3 MB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    UNITS.iter().find(|(_, unit)| count >= *unit).map_or_else(
        || format!("{count} B"),
        |(name, unit)| {
            let tenths = u128::from(count) * 10 / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        },
    )
}

/// `1:02:03`, `2:03` or `2.5 s`.
pub(super) fn playing_time(duration: Duration) -> String {
    let whole = duration.as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{} s", seconds(duration)),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Text of a playlist on one line of a terminal: control characters could do anything there.
pub(crate) fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Scheme, host, port and path: query, fragment and user name may be secrets.
pub(crate) fn public_part(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        return url.split(['?', '#']).next().unwrap_or_default().to_owned();
    };
    if !parsed.has_host() {
        return format!("{}:...", parsed.scheme());
    }
    parsed.set_query(None);
    parsed.set_fragment(None);
    // Both fail only for URLs without a host.
    let _ = parsed.set_username("").and_then(|()| parsed.set_password(None));
    parsed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_print_as_the_playlist_has_them() {
        for text in ["9.009", "6.006", "0.1", "4.170833333", "12345.678901234", "10.0", "0.0", "2.002002"] {
            let (whole, part) = text.split_once('.').unwrap();
            let nanos = format!("{part:0<9}").parse().unwrap();
            let duration = Duration::new(whole.parse().unwrap(), nanos);
            assert_eq!(serde_json::to_string(&seconds(duration)).unwrap(), text);
        }
    }

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_935_646), "1.9 MB");
        assert_eq!(bytes(u64::MAX), "18446744.0 TB");
    }

    #[test]
    fn playing_times_read_like_clocks() {
        assert_eq!(playing_time(Duration::from_millis(25_120)), "25.12 s");
        assert_eq!(playing_time(Duration::from_secs(123)), "2:03");
        assert_eq!(playing_time(Duration::from_secs(3723)), "1:02:03");
    }

    #[test]
    fn what_may_be_secret_in_a_url_is_not_shown() {
        assert_eq!(public_part("https://u:p@h.test:8443/a.m3u8?t=1#x"), "https://h.test:8443/a.m3u8");
        assert_eq!(public_part("data:,abc"), "data:...");
        assert_eq!(public_part("a/b?t=1"), "a/b");
    }
}
