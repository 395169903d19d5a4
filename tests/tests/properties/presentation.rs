//! A local presentation as a player walks it, held against the tree that it was made from.

use std::collections::{BTreeMap, BTreeSet};

use dtg_core::Origin;
use hls_parse::Playlist;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use url::Url;
use xtask::tree::MediaPlaylist;

use crate::chosen::{Chosen, Kept, failed, parse};
use crate::download::Files;
use crate::facts::{self, Reading, Reference, Role};
use crate::stage::Show;

/// Where local files are taken to be while references are resolved.
const ROOT: &str = "http://local.test/";

/// A local media playlist, and the one it was made from.
#[derive(Debug)]
pub(crate) struct Pair<'t> {
    /// Its file.
    pub(crate) path: String,
    pub(crate) playlist: &'t MediaPlaylist,
    /// The original's place in the set of fetched playlists.
    pub(crate) origin: u32,
}

/// A local playlist's text as if it had been fetched.
pub(crate) fn local_origin(files: &Files, path: &str) -> Result<Origin, TestCaseError> {
    let text = files.get(path).ok_or_else(|| failed(format!("there is no {path}")))?;
    Ok(Origin { url: format!("{ROOT}{path}"), text: text.clone() })
}

/// The file below the media folder that a reference in `from` leads to.
pub(crate) fn local_path(from: &str, reference: &str) -> Result<String, TestCaseError> {
    prop_assert!(!reference.contains(':') && !reference.starts_with('/'), "{from} leads away: {reference}");
    let base = Url::parse(&format!("{ROOT}x/x/{from}")).map_err(failed)?;
    let whole = base.join(reference).map_err(failed)?;
    let path = whole.as_str().strip_prefix(&format!("{ROOT}x/x/"));
    Ok(path.ok_or_else(|| failed(format!("{from} leads out of the folder: {reference}")))?.to_owned())
}

/// The local media playlists that the local presentation leads to, with their originals.
pub(crate) fn pairs<'t>(
    files: &Files,
    master: &str,
    chosen: &Chosen,
    show: &'t Show<'_>,
) -> Result<Vec<Pair<'t>>, TestCaseError> {
    let local = local_origin(files, master)?;
    let Some(selection) = &chosen.selection else {
        let playlist =
            show.playlist_at(&chosen.origins.entry.url).ok_or_else(|| failed("no such playlist"))?;
        return Ok(vec![Pair { path: master.to_owned(), playlist, origin: 0 }]);
    };
    let (Playlist::Multivariant(local), Playlist::Multivariant(original)) =
        (parse(&local, None)?, parse(&chosen.origins.entry, None)?)
    else {
        return Err(failed("the master is not a multivariant playlist"));
    };
    let kept = Kept::new(&original, selection);
    prop_assert_eq!(local.variants.len(), kept.variants.len());
    prop_assert_eq!(local.renditions.len(), kept.renditions.len());
    let variants =
        kept.variants.iter().filter_map(|index| original.variants.get(*index)).map(|it| Some(&it.uri));
    let renditions = kept.renditions.iter().filter_map(|index| original.renditions.get(*index));
    let originals = variants.chain(renditions.map(|it| it.uri.as_ref()));
    let locals = local
        .variants
        .iter()
        .map(|it| Some(&it.uri))
        .chain(local.renditions.iter().map(|it| it.uri.as_ref()));
    let mut pairs: BTreeMap<String, Pair<'t>> = BTreeMap::new();
    let base = Url::parse(&chosen.origins.entry.url).map_err(failed)?;
    for (local, original) in locals.zip(originals) {
        let (Some(local), Some(original)) = (local, original) else {
            prop_assert_eq!(local, original);
            continue;
        };
        let path = local_path(master, local.as_str())?;
        let mut url = base.join(original.as_str()).map_err(failed)?;
        url.set_fragment(None);
        let playlist =
            show.playlist_at(url.as_str()).ok_or_else(|| failed(format!("no playlist at {url}")))?;
        let origin = chosen.origins.media.iter().position(|origin| origin.url == url.as_str());
        let origin = origin.and_then(|at| u32::try_from(at + 1).ok()).ok_or_else(|| failed("not fetched"))?;
        let known = pairs.insert(path.clone(), Pair { path, playlist, origin });
        prop_assert!(known.is_none_or(|known| known.origin == origin), "two playlists became one");
    }
    Ok(pairs.into_values().collect())
}

/// What a local media playlist says and refers to, by path below the media folder.
pub(crate) fn read_local(files: &Files, path: &str) -> Result<Reading, TestCaseError> {
    let origin = local_origin(files, path)?;
    let Playlist::Media(media) = parse(&origin, None)? else { return Err(failed("not a media playlist")) };
    let mut reading = facts::of_text(&media, &str::to_owned);
    for reference in reading.references.iter_mut().flatten() {
        reference.uri = local_path(path, &reference.uri)?;
    }
    Ok(reading)
}

/// The presentation refers only to files that are there, their bytes are the origin's, and nothing else is there.
pub(crate) fn check_closed(
    (files, master): &(Files, String),
    chosen: &Chosen,
    show: &Show<'_>,
) -> Result<(), TestCaseError> {
    let contents = show.contents();
    let mut named: BTreeSet<String> = BTreeSet::from([master.clone()]);
    for pair in pairs(files, master, chosen, show)? {
        let local = read_local(files, &pair.path)?;
        let original = facts::of_tree(&show.tree, show.hosts, pair.playlist);
        prop_assert_eq!(local.references.len(), original.references.len(), "segments of {}", pair.path);
        let references = local.references.iter().flatten().zip(original.references.iter().flatten());
        for (local, original) in references {
            prop_assert_eq!((local.role, local.range), (original.role, original.range), "{}", local.uri);
            check_bytes(files, &contents, local, original)?;
        }
        named.extend(paths_in(files, &pair.path)?);
        named.insert(pair.path);
    }
    named.extend(paths_in(files, master)?);
    check_session(files, master, chosen, &contents)?;
    let extra: Vec<&String> = files.keys().filter(|path| !named.contains(*path)).collect();
    prop_assert!(extra.is_empty(), "nothing refers to {:?}", extra);
    Ok(())
}

fn check_bytes(
    files: &Files,
    contents: &BTreeMap<String, Vec<u8>>,
    local: &Reference,
    original: &Reference,
) -> Result<(), TestCaseError> {
    if local.role == Role::Gap {
        prop_assert!(!files.contains_key(&local.uri), "{} is declared missing and there", local.uri);
        return Ok(());
    }
    let file = files.get(&local.uri).ok_or_else(|| failed(format!("there is no {}", local.uri)))?;
    let data = data_of(&original.uri);
    let source = data.as_ref().or_else(|| contents.get(&original.uri));
    let source = source.ok_or_else(|| failed(format!("the origin has no {}", original.uri)))?;
    let is = part(file, local.range).ok_or_else(|| failed(format!("{} is too short", local.uri)))?;
    let ought = part(source, original.range).ok_or_else(|| failed("a range beyond the origin's file"))?;
    prop_assert!(is == ought, "{} {:?} is not {}", local.uri, local.range, original.uri);
    Ok(())
}

fn part(bytes: &[u8], range: Option<facts::Bytes>) -> Option<&[u8]> {
    let Some((offset, length)) = range else { return Some(bytes) };
    bytes.get(usize::try_from(offset).ok()?..usize::try_from(offset + length).ok()?)
}

/// Session keys and session data are there, too.
fn check_session(
    files: &Files,
    master: &str,
    chosen: &Chosen,
    contents: &BTreeMap<String, Vec<u8>>,
) -> Result<(), TestCaseError> {
    let local = local_origin(files, master)?;
    let (Playlist::Multivariant(local), Playlist::Multivariant(original)) =
        (parse(&local, None)?, parse(&chosen.origins.entry, None)?)
    else {
        return Ok(());
    };
    prop_assert_eq!(local.session_keys.len(), original.session_keys.len());
    prop_assert_eq!(local.session_data.len(), original.session_data.len());
    let base = Url::parse(&chosen.origins.entry.url).map_err(failed)?;
    let keys = local.session_keys.iter().zip(&original.session_keys);
    let keys = keys.filter(|(_, key)| key.is_identity()).map(|(is, ought)| (&is.uri, &ought.uri));
    let data = local.session_data.iter().zip(&original.session_data).map(|(is, ought)| (&is.uri, &ought.uri));
    for (is, ought) in keys.chain(data) {
        let (Some(is), Some(ought)) = (is, ought) else {
            prop_assert!(is.is_none() && ought.is_none());
            continue;
        };
        let reference = |uri| Reference { uri, range: None, role: Role::Key };
        let is = reference(local_path(master, is.as_str())?);
        check_bytes(files, contents, &is, &reference(base.join(ought.as_str()).map_err(failed)?.into()))?;
    }
    Ok(())
}

/// Every local file that a playlist has in a URI, wherever it stands; DRM systems' own apart.
fn paths_in(files: &Files, path: &str) -> Result<Vec<String>, TestCaseError> {
    let origin = local_origin(files, path)?;
    let playlist = parse(&origin, None)?;
    let mut uris = Vec::new();
    hls_parse::rewrite(&playlist, &origin.text, |_, uri| {
        uris.push(uri.as_str().to_owned());
        None
    })
    .map_err(failed)?;
    uris.retain(|uri| !uri.starts_with("skd:") && !uri.starts_with("data:"));
    uris.iter().map(|uri| local_path(path, uri)).collect()
}

/// The bytes of a `data:` URI in base64, as generated trees have them.
fn data_of(uri: &str) -> Option<Vec<u8>> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (_, text) = uri.strip_prefix("data:")?.split_once(";base64,")?;
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.trim_end_matches('=').chars() {
        bits = bits << 6 | u32::try_from(DIGITS.find(digit)?).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}
