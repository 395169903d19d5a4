//! What the path of a playback URL holds: `/TOKEN/ID/names/of/a/file`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// RFC 3986 unreserved characters stay as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Clients remove `.` and `..` from a path, escaped or not; an `=` in front keeps such an id there. Any other
/// `=` is escaped.
const DOTS: [&str; 2] = [".", ".."];

/// A path, taken apart and decoded; its token is not judged yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    pub(crate) token: &'a str,
    pub(crate) id: String,
    /// The folders and the file below the presentation's folder; at least one.
    pub(crate) names: Vec<String>,
}

impl<'a> Address<'a> {
    /// Takes a path apart before it decodes: an escaped slash is part of a name.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let (token, rest) = path.strip_prefix('/')?.split_once('/')?;
        let (id, names) = rest.split_once('/')?;
        let id = decoded(id.strip_prefix('=').unwrap_or(id))?;
        let names = names.split('/').map(decoded).collect::<Option<_>>()?;
        Some(Self { token, id, names })
    }
}

/// The path that [`Address::parse`] takes apart; `relative` has `/` between its names.
pub(crate) fn path_of(token: &str, id: &str, relative: &str) -> String {
    let mark = if DOTS.contains(&id) { "=" } else { "" };
    let mut path = format!("/{token}/{mark}{}", utf8_percent_encode(id, ESCAPED));
    for name in relative.split('/') {
        path.push('/');
        path.extend(utf8_percent_encode(name, ESCAPED));
    }
    path
}

fn decoded(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_the_way_through_a_url() {
        for id in ["1_abc", "a/b", "a b%2Fc", "..", ".", "=..", "~", "ünï?#&", "a\\b"] {
            let path = path_of("t", id, "video/0/a b.ts");
            assert!(path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains(['?', '#']), "{path}");
            let address = Address::parse(&path).unwrap();
            assert_eq!((address.token, address.id.as_str()), ("t", id));
            assert_eq!(address.names, ["video", "0", "a b.ts"]);
        }
    }

    #[test]
    fn no_id_becomes_a_segment_of_dots() {
        assert_eq!(path_of("t", "..", "m.m3u8"), "/t/=../m.m3u8");
        assert_eq!(path_of("t", "=..", "m.m3u8"), "/t/%3D../m.m3u8");
    }

    #[test]
    fn a_path_without_its_three_parts_is_none() {
        for path in ["", "/", "/t", "/t/", "/t/id", "t/id/a.ts", "/t/%ff/a.ts", "/t/id/%ff"] {
            assert_eq!(Address::parse(path), None, "{path}");
        }
    }
}
