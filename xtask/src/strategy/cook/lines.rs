//! Texts to choose from.

use crate::strategy::recipe::Note;
use crate::tree::{Key, Method};

/// Lines that nobody knows.
const UNKNOWN: [&str; 8] = [
    "# a comment",
    "#EXT-X-COM-ACME:a=1,b=\"x,y\"",
    "",
    "##",
    "#EXTINF-LIKE:4,",
    "#EXT-X-CUE-OUT:DURATION=30",
    "#EXT-X-ACME-LINK:https://elsewhere.test/x?y=1",
    "#EXT-X-ACME-NOTE:URI=\"local.bin\"",
];

/// How many of them there are.
pub(in crate::strategy) const NOTES: usize = UNKNOWN.len();

const ODD: [&str; 5] = ["", "%20b", "%2e%2e%2fc", "-CON", "%C3%A9"];

/// How many ways there are to end a file's name.
pub(in crate::strategy) const NAMES: usize = ODD.len();

pub(super) fn note(note: Note) -> String {
    UNKNOWN.get(note.0 % NOTES).copied().unwrap_or_default().to_owned()
}

pub(super) fn odd(name: usize) -> &'static str {
    ODD.get(name % NAMES).copied().unwrap_or_default()
}

pub(super) fn fairplay(number: u8) -> Key {
    let ids = ["skd://plain", "skd://With?k=AQID&v=1", "skd://%C3%84%2F+"];
    Key::fairplay(ids.get(usize::from(number) % ids.len()).copied().unwrap_or_default())
}

pub(super) fn widevine(number: u8) -> Key {
    Key::widevine(Method::SampleAes, format!("data:text/plain;base64,{}", base64_of(number)))
}

pub(super) fn playready(number: u8) -> Key {
    let text = base64_of(number);
    Key::playready(Method::SampleAes, format!("data:text/plain;charset=UTF-16;base64,{text}"))
}

/// 16 equal bytes, of which the first two bits are 0, in base64.
pub(super) fn base64_of(number: u8) -> &'static str {
    match number % 3 {
        0 => "AAAAAAAAAAAAAAAAAAAAAA==",
        1 => "AQEBAQEBAQEBAQEBAQEBAQ==",
        _ => "AgICAgICAgICAgICAgICAg==",
    }
}
