//! Which keys an asset needs.

use std::collections::HashMap;

use crate::key_uri::KeyUri;

/// KEYFORMAT of FairPlay Streaming.
pub const KEY_FORMAT: &str = "com.apple.streamingkeydelivery";

/// One `EXT-X-KEY` or `EXT-X-SESSION-KEY` line, of any kind of key, as a playlist reader found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine<'a> {
    /// METHOD.
    pub method: &'a str,
    /// URI, without its quotes and otherwise as written.
    pub uri: Option<&'a str>,
    /// KEYFORMAT; `identity` where the line has none.
    pub key_format: &'a str,
    /// KEYFORMATVERSIONS, as written.
    pub key_format_versions: Option<&'a str>,
    /// Where the line stands.
    pub place: Place,
}

/// Where a key line stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// It is an `EXT-X-SESSION-KEY` of the multivariant playlist.
    Session,
    /// It is in this media playlist, by the name its reader gave it.
    Media(String),
}

/// One FairPlay key that an asset needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDemand {
    /// The key.
    pub key_uri: KeyUri,
    /// KEYFORMATVERSIONS where the key is first named.
    pub key_format_versions: Option<String>,
    /// Everywhere the key is named, once each, in order; never empty.
    pub places: Vec<Place>,
}

/// The FairPlay keys of an asset, and what was odd about its key lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyDemands {
    /// Each key once: those named by session keys first, then the others, both in order.
    pub demands: Vec<KeyDemand>,
    /// Lines that are not as they should be.
    pub oddities: Vec<Oddity>,
}

/// A key line that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Where the line stands.
    pub place: Place,
    /// What is odd about it.
    pub kind: OddityKind,
}

/// What is odd about a key line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OddityKind {
    /// Its URI is `skd:`, its KEYFORMAT is not FairPlay's. The key is demanded all the same.
    KeyFormat,
    /// Its KEYFORMAT is FairPlay's, but it has no `skd:` URI. No key is demanded.
    NoKeyUri,
}

impl KeyDemand {
    /// Whether a media playlist names the key; if not, only a session key does, and no track may need it.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Media(_)))
    }
}

impl KeyDemands {
    /// Whether the asset needs no FairPlay key, nor has a line that asks for one in vain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.demands.is_empty() && self.oddities.is_empty()
    }

    fn add(&mut self, seen: &mut HashMap<KeyUri, usize>, uri: KeyUri, line: &KeyLine<'_>) {
        let at = *seen.entry(uri.clone()).or_insert(self.demands.len());
        match self.demands.get_mut(at) {
            Some(demand) if demand.places.contains(&line.place) => {}
            Some(demand) => demand.places.push(line.place.clone()),
            None => self.demands.push(KeyDemand {
                key_uri: uri,
                key_format_versions: line.key_format_versions.map(str::to_owned),
                places: vec![line.place.clone()],
            }),
        }
    }
}

/// Sorts out which FairPlay keys these lines ask for; lines of other key systems and METHOD=NONE are passed by.
///
/// An `skd:` URI makes a line FairPlay's, whatever its KEYFORMAT says: no other system can use it.
#[must_use]
pub fn demands<'a>(lines: impl IntoIterator<Item = KeyLine<'a>>) -> KeyDemands {
    let keys = lines.into_iter().filter(|line| line.method != "NONE");
    let (mut session, media): (Vec<_>, Vec<_>) = keys.partition(|line| line.place == Place::Session);
    session.extend(media);
    let mut found = KeyDemands::default();
    let mut seen = HashMap::new();
    for line in session {
        let uri = line.uri.and_then(|uri| KeyUri::new(uri).ok());
        let kind = match (&uri, line.key_format == KEY_FORMAT) {
            (Some(_), true) | (None, false) => None,
            (Some(_), false) => Some(OddityKind::KeyFormat),
            (None, true) => Some(OddityKind::NoKeyUri),
        };
        if let Some(kind) = kind {
            found.oddities.push(Oddity { place: line.place.clone(), kind });
        }
        if let Some(uri) = uri {
            found.add(&mut seen, uri, &line);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"session skd://a"`, `"v0 skd://a identity"`: where, URI, KEYFORMAT if it is not FairPlay's.
    fn line(text: &str) -> KeyLine<'_> {
        let mut words = text.split_whitespace();
        let place = match words.next().unwrap() {
            "session" => Place::Session,
            playlist => Place::Media(playlist.to_owned()),
        };
        let uri = words.next().filter(|uri| *uri != "-");
        let key_format = words.next().unwrap_or(KEY_FORMAT);
        KeyLine { method: "SAMPLE-AES", uri, key_format, key_format_versions: Some("1"), place }
    }

    /// Demands as `"skd://a session v0, skd://b v0"`.
    #[track_caller]
    fn check(lines: &[&str], expected: &str) -> KeyDemands {
        let found = demands(lines.iter().map(|text| line(text)));
        let shown: Vec<String> = found
            .demands
            .iter()
            .map(|demand| {
                let places = demand.places.iter().map(|place| match place {
                    Place::Session => " session".to_owned(),
                    Place::Media(name) => format!(" {name}"),
                });
                format!("{}{}", demand.key_uri, places.collect::<String>())
            })
            .collect();
        assert_eq!(shown.join(", "), expected);
        found
    }

    #[test]
    fn each_key_is_demanded_once_and_session_keys_come_first() {
        check(
            &["v0 skd://b", "v0 skd://a", "v0 skd://b", "a0 skd://c", "session skd://c", "session skd://d"],
            "skd://c session a0, skd://d session, skd://b v0, skd://a v0",
        );
    }

    #[test]
    fn a_key_that_only_a_session_key_names_is_told_apart() {
        let found = check(
            &["session skd://uhd", "session skd://hd", "v0 skd://hd"],
            "skd://uhd session, skd://hd session v0",
        );
        assert_eq!(found.demands.iter().map(KeyDemand::is_used).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn the_same_key_500_times_is_one_demand() {
        let found = check(&["v0 skd://a"; 500], "skd://a v0");
        assert_eq!(found.demands[0].key_format_versions.as_deref(), Some("1"));
    }

    #[test]
    fn keys_that_differ_in_a_byte_are_two() {
        check(&["v0 skd://a", "v0 skd://A", "v0 SKD://a"], "skd://a v0, skd://A v0, SKD://a v0");
    }

    #[test]
    fn other_key_systems_and_aes_128_are_passed_by() {
        let widevine = "v0 data:text/plain;base64,AAAA urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";
        let found = check(&["v0 https://h.test/key identity", widevine, "v0 - identity"], "");
        assert!(found.is_empty());
    }

    #[test]
    fn method_none_demands_nothing() {
        let none = KeyLine { method: "NONE", ..line("v0 skd://a") };
        assert!(demands([none]).is_empty());
    }

    #[track_caller]
    fn check_odd(text: &str, expected: &str, kind: OddityKind) {
        let found = check(&[text], expected);
        assert_eq!(found.oddities, [Oddity { place: line(text).place, kind }]);
        assert!(!found.is_empty());
    }

    #[test]
    fn an_skd_uri_is_fair_play_whatever_the_key_format_says() {
        check_odd("v0 skd://a identity", "skd://a v0", OddityKind::KeyFormat);
        check_odd("v0 skd://a COM.APPLE.STREAMINGKEYDELIVERY", "skd://a v0", OddityKind::KeyFormat);
    }

    #[test]
    fn a_fair_play_line_without_a_key_uri_is_reported() {
        check_odd("session https://h.test/key", "", OddityKind::NoKeyUri);
        check_odd("v0 -", "", OddityKind::NoKeyUri);
    }
}
