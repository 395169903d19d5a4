//! The preset of really encrypted media.

use std::io;

use camino::Utf8Path;
use dtg_testkit::fairplay::{ContentKey, cbcs};

use super::packaged::vod_fmp4;
use crate::tree::{
    Body, ContentKeyOf, FileId, Key, Link, Location, MapTag, MediaPlaylist, Segment, Tag, Tree,
};

/// Content identifiers are handed on as they are written: with a query behind them, and in upper case. The same ones make
/// the same keys ([`ContentKey::derived`]).
const KEYS: [(&str, &str); 2] =
    [("skd://movie-1?k=AQID&v=1", "movie-1"), ("skd://MOVIE-1%2Fb", "MOVIE-1%2Fb")];

/// The smaller variant of [`vod_fmp4`] and its sound. The first segment of the picture is clear; the last three are under
/// the second key.
pub(super) fn fairplay(media: &Utf8Path) -> io::Result<Tree> {
    let Tree { files: clear, playlists, multivariant, .. } = vod_fmp4(media)?;
    let mut tree = Tree::new(2, &["origin"]);
    tree.content_keys = KEYS.map(content_key).into();
    let mut master = multivariant.ok_or_else(|| io::Error::other("vod-fmp4 has a multivariant playlist"))?;
    master.variants.retain(|variant| variant.resolution.is_some_and(|(_, height)| height < 100));
    master.session_keys = KEYS.map(|(uri, _)| Key::fairplay(uri)).into();
    let links = master.variants.iter_mut().map(|it| (&mut it.uri, 1));
    let renditions = master.renditions.iter_mut().filter_map(|it| it.uri.as_mut()).map(|it| (it, 0));
    for (link, lead_in) in links.chain(renditions) {
        let playlist =
            playlists.get(link.to.0).ok_or_else(|| io::Error::other("a link leads to a playlist"))?;
        let protected = Protecting { clear: &clear, tree: &mut tree }.playlist(playlist, lead_in)?;
        link.to = tree.add_playlist(protected);
    }
    tree.multivariant = Some(master);
    Ok(tree)
}

fn content_key((uri, content_id): (&str, &str)) -> ContentKeyOf {
    let key = ContentKey::derived(content_id.as_bytes());
    ContentKeyOf { uri: uri.to_owned(), content_id: content_id.to_owned(), key }
}

struct Protecting<'a> {
    /// The files of the clear tree.
    clear: &'a [crate::tree::File],
    tree: &'a mut Tree,
}

impl Protecting<'_> {
    /// The playlist with all but its first `lead_in` segments encrypted.
    fn playlist(&mut self, playlist: &MediaPlaylist, lead_in: usize) -> io::Result<MediaPlaylist> {
        let mut protected = MediaPlaylist { segments: Vec::new(), ..playlist.clone() };
        let mut tags = playlist.segments.iter().flat_map(|it| &it.before);
        let map = tags.find_map(|tag| if let Tag::Map(map) = tag { Some(map.uri.to) } else { None });
        let (init_at, init) = self.bytes(map)?;
        let half = playlist.segments.len() / 2;
        let mut state = None;
        for (number, segment) in playlist.segments.iter().enumerate() {
            let key = (number >= lead_in).then_some(usize::from(number >= half));
            let mut before: Vec<Tag> =
                segment.before.iter().filter(|tag| !matches!(tag, Tag::Map(_))).cloned().collect();
            if state != Some(key) {
                before.extend(self.change(key, &init_at, &init)?);
                state = Some(key);
            }
            let uri = Link::relative(self.segment(segment, key, &init)?);
            protected.segments.push(Segment { before, uri, ..segment.clone() });
        }
        Ok(protected)
    }

    /// What stands before the first segment under a key, or without one: each key has an initialization segment of its own.
    fn change(&mut self, key: Option<usize>, at: &Location, init: &[u8]) -> io::Result<[Tag; 2]> {
        let (tag, suffix, bytes) = match key.and_then(|key| Some((key, self.tree.content_keys.get(key)?))) {
            None => (Key::NONE, String::new(), init.to_vec()),
            Some((number, key)) => {
                let encrypted = cbcs::encrypt_init(init, &key.key).map_err(io::Error::other)?;
                (Key::fairplay(key.uri.as_str()), format!("-key{}", number + 1), encrypted)
            }
        };
        let target = at.target.replace(".mp4", &format!("{suffix}.mp4"));
        let file = self.tree.add_file(Location::new(0, target), Body::Stored(bytes.into()));
        Ok([Tag::Key(tag), Tag::Map(MapTag { uri: Link::relative(file), range: None })])
    }

    fn segment(&mut self, segment: &Segment, key: Option<usize>, init: &[u8]) -> io::Result<FileId> {
        let (location, clear) = self.bytes(Some(segment.uri.to))?;
        let bytes = match key.and_then(|key| self.tree.content_keys.get(key)) {
            None => clear,
            Some(key) => cbcs::encrypt_segment(init, &clear, &key.key).map_err(io::Error::other)?,
        };
        Ok(self.tree.add_file(location, Body::Stored(bytes.into())))
    }

    fn bytes(&self, file: Option<FileId>) -> io::Result<(Location, Vec<u8>)> {
        let file = file.and_then(|file| self.clear.get(file.0));
        match file.map(|file| (&file.location, &file.body)) {
            Some((location, Body::Stored(bytes))) => Ok((location.clone(), bytes.to_vec())),
            Some((_, Body::Noise(_) | Body::Missing)) | None => {
                Err(io::Error::other("vod-fmp4 has all its files"))
            }
        }
    }
}
