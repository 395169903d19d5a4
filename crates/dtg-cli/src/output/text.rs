//! Numbers and URLs as people read them.

use std::time::{Duration, SystemTime};

use url::Url;

/// Seconds as a number whose shortest decimal form is the exact one, up to 15 digits.
///
/// `as_secs_f64` adds two rounded parts and can be one bit off: 9.009 s would print as 9.009000000000001.
pub(crate) fn seconds(duration: Duration) -> f64 {
    let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    text.parse().unwrap_or(duration.as_secs_f64())
}

/// `2026-01-31T12:00:00Z`.
pub(crate) fn moment(time: SystemTime) -> String {
    let later = || "later than the year 9999".to_owned();
    jiff::Timestamp::try_from(time).map_or_else(|_| later(), |at| at.to_string())
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
pub(crate) fn playing_time(duration: Duration) -> String {
    let whole = duration.as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{} s", seconds(duration)),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Whether it is a character that is not seen but turns, joins or splits what stands around it.
const fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}'..='\u{e007f}'
    )
}

/// Text of a playlist on one line of a terminal: control characters could do anything there, and format characters
/// could show another text than there is.
pub(crate) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() || is_format(c), "\u{fffd}")
}

/// Text of a playlist for a table, where a DRM system's kilobytes would hide all else: what is long is cut, and
/// says how long it is.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    const SHOWN: usize = 60;
    let count = text.chars().count();
    if count <= MOST {
        return plain(text);
    }
    let shown: String = text.chars().take(SHOWN).collect();
    format!("{}... ({count} characters)", plain(&shown))
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
    fn what_would_turn_or_hide_text_on_a_terminal_is_replaced() {
        for hidden in ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200b}', '\u{feff}', '\u{1b}', '\n']
        {
            assert_eq!(plain(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        assert_eq!(plain("na\u{ef}ve \u{645}\u{200c}\u{646}"), "na\u{ef}ve \u{645}\u{200c}\u{646}");
    }

    #[test]
    fn what_is_long_is_cut_and_says_how_long_it_is() {
        let of = |count: usize| "é".repeat(count);
        assert_eq!(shortened(&of(100)), of(100));
        assert_eq!(shortened(&of(101)), format!("{}... (101 characters)", of(60)));
        assert_eq!(shortened("a\u{1b}"), "a\u{fffd}");
    }

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
