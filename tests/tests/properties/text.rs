//! The closed list of differences between a playlist and its local copy, line by line.
//!
//! Names of what is local differ: they are written `<local>` on both sides. A key or map that no segment needs
//! may be left out. Everything else must stay, go or be written out as the list says.

use std::collections::{BTreeSet, HashMap};

use hls_parse::{MediaKind, Multivariant};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use xtask::tree::{Hosts, MediaPlaylist, Tree};
use xtask::truth;

use crate::chosen::{Kept, failed};

const LOCAL: &str = "<local>";

/// The type of every local media playlist.
const VOD: &str = "#EXT-X-PLAYLIST-TYPE:VOD";

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It is there, and reads so.
    Stays(String),
    /// It may be there, and then reads so.
    MayStay(String),
    Goes,
}

/// A line without its end, and the end.
fn lines(text: &[u8]) -> Result<Vec<(&str, &str)>, TestCaseError> {
    let text = std::str::from_utf8(text).map_err(failed)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parts = text.split_inclusive('\n').map(|line| {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        (content, line.get(content.len()..).unwrap_or_default())
    });
    Ok(parts.collect())
}

/// Name and value of each attribute, quotes kept.
fn attributes(list: &str) -> Vec<(&str, &str)> {
    let mut quoted = false;
    let parts = list.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.filter_map(|part| part.split_once('=')).collect()
}

fn attribute<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let found = attributes(list).into_iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.trim_matches('"'))
}

fn joined<'a>(tag: &str, attributes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let list: Vec<String> = attributes.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{tag}:{}", list.join(","))
}

/// With `<local>` for the URI.
fn with_local_uri(tag: &str, list: &str) -> String {
    let local = format!("\"{LOCAL}\"");
    let replaced = attributes(list)
        .into_iter()
        .map(|(name, value)| if name == "URI" { (name, local.as_str()) } else { (name, value) });
    joined(tag, replaced)
}

fn is_drm(list: &str) -> bool {
    attribute(list, "KEYFORMAT").is_some_and(|format| format != "identity")
        || attribute(list, "URI").is_some_and(|uri| uri.starts_with("skd:"))
}

fn split_tag(line: &str) -> (&str, &str) {
    line.split_once(':').unwrap_or((line, ""))
}

/// Tags that RFC 8216bis knows and that say nothing of where things are.
const PLAIN: [&str; 14] = [
    "#EXTM3U",
    "#EXTINF",
    "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-DISCONTINUITY-SEQUENCE",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-ENDLIST",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-BYTERANGE",
    "#EXT-X-PROGRAM-DATE-TIME",
    "#EXT-X-GAP",
    "#EXT-X-BITRATE",
    "#EXT-X-PART-INF",
];

/// The rules that both kinds of playlist share.
fn common(line: &str, variables: &HashMap<String, String>) -> Fate {
    let (tag, list) = split_tag(line);
    match tag {
        _ if PLAIN.contains(&tag) || !line.starts_with("#EXT") => Fate::Stays(line.to_owned()),
        "#EXT-X-START" => Fate::Stays(line.to_owned()),
        "#EXT-X-PLAYLIST-TYPE" => Fate::Stays(VOD.to_owned()),
        "#EXT-X-DATERANGE" => {
            let assets = ["X-ASSET-URI", "X-ASSET-LIST"];
            Fate::Stays(joined(tag, attributes(list).into_iter().filter(|(name, _)| !assets.contains(name))))
        }
        "#EXT-X-DEFINE" => match attribute(list, "IMPORT").or_else(|| attribute(list, "QUERYPARAM")) {
            Some(name) => match variables.get(name) {
                Some(value) => Fate::Stays(format!("{tag}:NAME=\"{name}\",VALUE=\"{value}\"")),
                None => Fate::Goes,
            },
            None => Fate::Stays(line.to_owned()),
        },
        "#EXT-X-CONTENT-STEERING"
        | "#EXT-X-PART"
        | "#EXT-X-PRELOAD-HINT"
        | "#EXT-X-RENDITION-REPORT"
        | "#EXT-X-SERVER-CONTROL"
        | "#EXT-X-SKIP" => Fate::Goes,
        _ if list.contains("://") || attribute(list, "URI").is_some() => Fate::Goes,
        _ => Fate::Stays(line.to_owned()),
    }
}

/// Holds a local media playlist against the original's text.
pub(crate) fn check_media(
    tree: &Tree,
    hosts: &Hosts,
    playlist: &MediaPlaylist,
    original: &[u8],
    local: &[u8],
) -> Result<(), TestCaseError> {
    let facts = truth::media(tree, hosts, playlist);
    let variables: HashMap<String, String> = facts.variables.iter().cloned().collect();
    let (mut keys, mut maps) = (BTreeSet::new(), BTreeSet::new());
    for segment in truth::segments(tree, hosts, playlist).filter(|segment| !segment.gap) {
        keys.extend(segment.keys);
        maps.extend(segment.map);
    }
    for map in maps.iter().filter_map(|map| facts.maps.get(*map)) {
        keys.extend(map.keys.iter().copied());
    }
    let (mut key, mut map) = (0, 0);
    let used = |set: &BTreeSet<usize>, next: &mut usize| {
        *next += 1;
        set.contains(&(*next - 1))
    };
    let mut added = playlist.playlist_type.is_none();
    let fates = lines(original)?.into_iter().flat_map(|(line, end)| {
        let (tag, list) = split_tag(line);
        let fate = match tag {
            "#EXT-X-KEY" if attribute(list, "METHOD") == Some("NONE") => Fate::Stays(line.to_owned()),
            "#EXT-X-KEY" => match (used(&keys, &mut key), is_drm(list)) {
                (_, true) => Fate::Stays(line.to_owned()),
                (true, false) => Fate::Stays(with_local_uri(tag, list)),
                (false, false) => Fate::MayStay(with_local_uri(tag, list)),
            },
            "#EXT-X-MAP" if used(&maps, &mut map) => Fate::Stays(with_local_uri(tag, list)),
            "#EXT-X-MAP" => Fate::MayStay(with_local_uri(tag, list)),
            _ if !line.starts_with('#') && !line.trim().is_empty() => Fate::Stays(LOCAL.to_owned()),
            _ => common(line, &variables),
        };
        // A type that was not stated stands behind the first line.
        let stated = std::mem::take(&mut added).then(|| (Fate::Stays(VOD.to_owned()), end));
        std::iter::once((fate, end)).chain(stated)
    });
    compare(&fates.collect::<Vec<_>>(), &masked(local)?)
}

/// Holds the local multivariant playlist against the original's text.
pub(crate) fn check_multivariant(
    multivariant: &Multivariant<'_>,
    kept: &Kept,
    original: &[u8],
    local: &[u8],
) -> Result<(), TestCaseError> {
    let variables: HashMap<String, String> =
        multivariant.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (mut variant, mut rendition) = (0, 0);
    let mut stays = false;
    let fates = lines(original)?.into_iter().map(|(line, end)| {
        let (tag, list) = split_tag(line);
        let fate = match tag {
            "#EXT-X-STREAM-INF" => {
                stays = kept.variants.contains(&variant);
                variant += 1;
                if stays {
                    Fate::Stays(without_empty_groups(multivariant, kept, tag, list))
                } else {
                    Fate::Goes
                }
            }
            "#EXT-X-MEDIA" => {
                rendition += 1;
                match kept.renditions.contains(&(rendition - 1)) {
                    true => Fate::Stays(with_local_uri(tag, list)),
                    false => Fate::Goes,
                }
            }
            "#EXT-X-I-FRAME-STREAM-INF" => Fate::Goes,
            "#EXT-X-SESSION-KEY" if is_drm(list) => Fate::Stays(line.to_owned()),
            "#EXT-X-SESSION-KEY" | "#EXT-X-SESSION-DATA" => Fate::Stays(with_local_uri(tag, list)),
            _ if !line.starts_with('#') && !line.trim().is_empty() => {
                if stays {
                    Fate::Stays(LOCAL.to_owned())
                } else {
                    Fate::Goes
                }
            }
            _ => common(line, &variables),
        };
        (fate, end)
    });
    compare(&fates.collect::<Vec<_>>(), &masked(local)?)
}

fn without_empty_groups(multivariant: &Multivariant<'_>, kept: &Kept, tag: &str, list: &str) -> String {
    let left = attributes(list).into_iter().filter(|(name, value)| {
        let kind = match *name {
            "AUDIO" => MediaKind::Audio,
            "VIDEO" => MediaKind::Video,
            "SUBTITLES" => MediaKind::Subtitles,
            "CLOSED-CAPTIONS" if *value != "NONE" => MediaKind::ClosedCaptions,
            _ => return true,
        };
        kept.has_group(multivariant, kind, value.trim_matches('"'))
    });
    joined(tag, left)
}

/// The lines of a local playlist with `<local>` for each name.
fn masked(local: &[u8]) -> Result<Vec<(String, String)>, TestCaseError> {
    prop_assert!(!local.starts_with("\u{feff}".as_bytes()), "a byte order mark");
    let lines = lines(local)?.into_iter().map(|(line, end)| {
        let (tag, list) = split_tag(line);
        let line = match tag {
            "#EXT-X-KEY" | "#EXT-X-SESSION-KEY" if is_drm(list) => line.to_owned(),
            "#EXT-X-KEY" | "#EXT-X-SESSION-KEY" | "#EXT-X-MAP" | "#EXT-X-MEDIA" | "#EXT-X-SESSION-DATA" => {
                with_local_uri(tag, list)
            }
            _ if !line.starts_with('#') && !line.trim().is_empty() => LOCAL.to_owned(),
            _ => line.to_owned(),
        };
        (line, end.to_owned())
    });
    Ok(lines.collect())
}

/// Walks both in step. `places` is where in the local lines one may be: lines that may stay make several.
fn compare(fates: &[(Fate, &str)], local: &[(String, String)]) -> Result<(), TestCaseError> {
    let mut places = BTreeSet::from([0_usize]);
    for (fate, end) in fates {
        let next = |expected: &str| -> BTreeSet<usize> {
            let stands =
                |at: &usize| local.get(*at).is_some_and(|(line, its)| line == expected && its == end);
            places.iter().copied().filter(stands).map(|at| at + 1).collect()
        };
        let reached = match fate {
            Fate::Goes => places.clone(),
            Fate::Stays(line) => next(line),
            Fate::MayStay(line) => &next(line) | &places,
        };
        let found: Vec<_> = places.iter().map(|at| local.get(*at)).collect();
        prop_assert!(
            !reached.is_empty(),
            "{:?} {:?} is not in the local text, which has {:?}",
            fate,
            end,
            found
        );
        places = reached;
    }
    prop_assert!(places.contains(&local.len()), "the local text has more: {:?}", local);
    Ok(())
}

/// No player that has this text is led to another server; DRM systems' own lines apart.
pub(crate) fn check_offline(text: &[u8]) -> Result<(), TestCaseError> {
    for (line, _) in lines(text)? {
        let (tag, list) = split_tag(line);
        let drm = matches!(tag, "#EXT-X-KEY" | "#EXT-X-SESSION-KEY") && is_drm(list);
        let away = line
            .match_indices("://")
            .any(|(at, _)| !(drm && line.get(..at).unwrap_or_default().ends_with("skd")));
        prop_assert!(!away, "it leads away: {}", line);
        prop_assert!(!line.contains("\"//") && !line.starts_with('/'), "it leads away: {}", line);
        prop_assert!(drm || !line.contains("data:"), "its key is in the text: {}", line);
    }
    Ok(())
}
