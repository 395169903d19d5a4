//! The playlists of a downloaded folder, and the keys they name.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use dtg_core::ItemLocation;
use fairplay_keys::{KeyLine, Place};
use hls_parse::{Key, Limits, Multivariant, ParseOptions, Playlist, Variables, parse};

use crate::error::ErrorKind;
use crate::local_entry::path_text;

/// The keys of one playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaylistKeys {
    place: Place,
    /// Keys that are in effect together; all session keys are one set.
    sets: Vec<Vec<LocalKey>>,
}

/// What a key line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalKey {
    method: String,
    uri: Option<String>,
    pub(crate) key_format: String,
    key_format_versions: Option<String>,
}

impl PlaylistKeys {
    /// The sets of keys that segments are encrypted with; none for session keys.
    pub(crate) fn in_effect(&self) -> impl Iterator<Item = &[LocalKey]> {
        let sets = if self.place == Place::Session { &[] } else { self.sets.as_slice() };
        sets.iter().map(Vec::as_slice)
    }

    /// All key lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = KeyLine<'_>> {
        self.sets.iter().flatten().map(|key| KeyLine {
            method: &key.method,
            uri: key.uri.as_deref(),
            key_format: &key.key_format,
            key_format_versions: key.key_format_versions.as_deref(),
            place: self.place.clone(),
        })
    }
}

impl LocalKey {
    fn of(key: &Key<'_>) -> Self {
        Self {
            method: key.method.as_str().to_owned(),
            uri: key.uri.as_ref().map(|uri| uri.as_str().to_owned()),
            key_format: key.key_format.clone().into_owned(),
            key_format_versions: key.key_format_versions.clone().map(Cow::into_owned),
        }
    }

    /// Whether the key is a file that was downloaded, not a matter of licenses.
    pub(crate) fn is_identity(&self) -> bool {
        self.key_format == "identity"
    }
}

/// The keys of all playlists that play: the one that a player opens, then each that it refers to, once.
///
/// An item that is one media file has no playlists, and so no keys.
pub(crate) fn read_keys(location: &ItemLocation) -> Result<Vec<PlaylistKeys>, ErrorKind> {
    if location.master.extension() != Some("m3u8") {
        return Ok(Vec::new());
    }
    let mut folder = Folder { location, keys: Vec::new() };
    let text = folder.read(&location.master)?;
    match folder.parse(&location.master, &text, None)? {
        Playlist::Media(playlist) => folder.add_media(&location.master, &playlist.key_sets),
        Playlist::Multivariant(playlist) => {
            let keys = playlist.session_keys.iter().map(LocalKey::of).collect();
            folder.keys.push(PlaylistKeys { place: Place::Session, sets: vec![keys] });
            folder.follow(&playlist)?;
        }
    }
    Ok(folder.keys)
}

struct Folder<'a> {
    location: &'a ItemLocation,
    keys: Vec<PlaylistKeys>,
}

impl Folder<'_> {
    fn follow(&mut self, master: &Multivariant<'_>) -> Result<(), ErrorKind> {
        let mut seen: Vec<Utf8PathBuf> = Vec::new();
        for reference in references(master) {
            let file = local_path(&self.location.master, reference).ok_or_else(|| ErrorKind::NotLocal {
                file: self.location.master.clone(),
                reference: shown(reference),
            })?;
            if !seen.contains(&file) {
                self.add_file(&file, &master.variables)?;
                seen.push(file);
            }
        }
        Ok(())
    }

    fn add_file(&mut self, file: &Utf8Path, variables: &Variables) -> Result<(), ErrorKind> {
        let text = self.read(file)?;
        match self.parse(file, &text, Some(variables))? {
            Playlist::Media(playlist) => self.add_media(file, &playlist.key_sets),
            Playlist::Multivariant(_) => return Err(ErrorKind::Nested { file: file.to_owned() }),
        }
        Ok(())
    }

    fn add_media(&mut self, file: &Utf8Path, key_sets: &[Vec<Key<'_>>]) {
        let sets = key_sets.iter().map(|set| set.iter().map(LocalKey::of).collect()).collect();
        self.keys.push(PlaylistKeys { place: Place::Media(path_text(file)), sets });
    }

    /// At most one byte more than is parsed: enough to be refused.
    fn read(&self, file: &Utf8Path) -> Result<Vec<u8>, ErrorKind> {
        let limit = u64::from(Limits::default().bytes) + 1;
        let mut text = Vec::new();
        File::open(self.location.folder_path().join(file))
            .and_then(|opened| opened.take(limit).read_to_end(&mut text))
            .map_err(|cause| ErrorKind::Unreadable { file: file.to_owned(), cause })?;
        Ok(text)
    }

    fn parse<'t>(
        &self,
        file: &Utf8Path,
        text: &'t [u8],
        imports: Option<&Variables>,
    ) -> Result<Playlist<'t>, ErrorKind> {
        let options = ParseOptions { imports, ..ParseOptions::default() };
        let parsed =
            parse(text, &options).map_err(|cause| ErrorKind::Playlist { file: file.to_owned(), cause })?;
        Ok(parsed.playlist)
    }
}

fn references<'m>(master: &'m Multivariant<'_>) -> impl Iterator<Item = &'m str> {
    let variants = master.variants.iter().map(|variant| &variant.uri);
    let renditions = master.renditions.iter().filter_map(|rendition| rendition.uri.as_ref());
    let i_frames = master.i_frame_variants.iter().map(|variant| &variant.uri);
    variants.chain(renditions).chain(i_frames).map(hls_parse::Uri::as_str)
}

/// The file that `reference` in the playlist `base` leads to, both relative to the folder; `None` if it leads out of it.
///
/// Names in a downloaded folder need no decoding, so none is done.
fn local_path(base: &Utf8Path, reference: &str) -> Option<Utf8PathBuf> {
    let path = reference.split(['?', '#']).next().filter(|path| !path.is_empty())?;
    if path.starts_with('/') || path.contains([':', '\\']) {
        return None;
    }
    let mut file = base.parent().map(Utf8Path::to_owned).unwrap_or_default();
    for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
        match name {
            ".." => file.pop().then_some(())?,
            _ => file.push(name),
        }
    }
    Some(file)
}

/// A reference without its query, for messages.
fn shown(reference: &str) -> String {
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    match path.split_once("://") {
        Some((scheme, rest)) => {
            let (host, tail) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            format!("{scheme}://{}{tail}", host.rsplit('@').next().unwrap_or_default())
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, reference: &str, expected: Option<&str>) {
        assert_eq!(local_path(base.into(), reference).as_deref().map(Utf8Path::as_str), expected);
    }

    #[test]
    fn a_reference_leads_to_a_file_of_the_folder() {
        check("master.m3u8", "video/0.m3u8", Some("video/0.m3u8"));
        check("master.m3u8", "./video//0.m3u8?x=../y#z", Some("video/0.m3u8"));
        check("a/master.m3u8", "../video/0.m3u8", Some("video/0.m3u8"));
    }

    #[test]
    fn a_reference_never_leads_out_of_the_folder() {
        for reference in [
            "../x.m3u8",
            "video/../../x.m3u8",
            "/etc/passwd",
            "https://h.test/a.m3u8",
            "file:x",
            "c:\\x",
            "..\\x",
            "",
            "?x",
        ] {
            check("master.m3u8", reference, None);
        }
        check("a/master.m3u8", "../../x.m3u8", None);
    }

    #[test]
    fn a_shown_reference_has_no_token() {
        assert_eq!(shown("https://u:p@h.test/a.m3u8?ks=1"), "https://h.test/a.m3u8");
        assert_eq!(shown("../a.m3u8#x"), "../a.m3u8");
    }
}
