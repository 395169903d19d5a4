//! Reads playlists and their files from disk into a tree.

use std::collections::HashMap;
use std::fs;
use std::io;

use camino::Utf8PathBuf;
use hls_parse::{ByteRange, ParseOptions, Playlist};

use crate::tree::{
    Body, ClosedCaptions, FileId, Key, KeyUri, Kind, Link, Location, MapTag, MediaPlaylist, Method,
    Multivariant, Offset, PlaylistId, PlaylistType, Range, Rendition, Segment, Tag, Tree, Variant,
};

/// A folder that becomes a tree on one host, every path as it is there.
pub(super) struct Import {
    folder: Utf8PathBuf,
    tree: Tree,
    files: HashMap<String, FileId>,
    /// Where the media playlists are to be; they are read last, those that something still leads to.
    playlists: Vec<String>,
}

impl Import {
    pub(super) fn new(folder: Utf8PathBuf, seed: u64) -> Self {
        let tree = Tree::new(seed, &["origin"]);
        Self { folder, tree, files: HashMap::new(), playlists: Vec::new() }
    }

    /// The whole presentation.
    pub(super) fn all(mut self, name: &str) -> io::Result<Tree> {
        let master = self.multivariant(name)?;
        self.finish(master)
    }

    /// A multivariant playlist, without reading what it leads to.
    pub(super) fn multivariant(&mut self, name: &str) -> io::Result<Multivariant> {
        let target = format!("/{name}");
        let text = self.read(&target)?;
        let parsed = hls_parse::parse(&text, &ParseOptions::default()).map_err(io::Error::other)?;
        let Playlist::Multivariant(it) = parsed.playlist else { return Err(wrong_kind(name)) };
        Ok(Multivariant {
            version: it.version,
            independent_segments: it.independent_segments,
            renditions: it
                .renditions
                .iter()
                .map(|it| self.rendition(it, &target))
                .collect::<Result<_, _>>()?,
            variants: it.variants.iter().map(|it| self.variant(it, &target)).collect::<Result<_, _>>()?,
            i_frame_variants: it
                .i_frame_variants
                .iter()
                .map(|it| self.i_frames(it, &target))
                .collect::<Result<_, _>>()?,
            location: Location::new(0, target),
            ..Multivariant::default()
        })
    }

    /// The tree with this multivariant playlist, and what it leads to.
    pub(super) fn finish(mut self, mut master: Multivariant) -> io::Result<Tree> {
        let mut read: HashMap<PlaylistId, PlaylistId> = HashMap::new();
        let variants = master.variants.iter_mut().chain(&mut master.i_frame_variants).map(|it| &mut it.uri);
        let renditions = master.renditions.iter_mut().filter_map(|it| it.uri.as_mut());
        for link in variants.chain(renditions) {
            let known = read.get(&link.to).copied();
            let playlist = match known {
                Some(playlist) => playlist,
                None => self.media(link.to)?,
            };
            read.insert(link.to, playlist);
            link.to = playlist;
        }
        self.tree.multivariant = Some(master);
        Ok(self.tree)
    }

    fn media(&mut self, id: PlaylistId) -> io::Result<PlaylistId> {
        let target = self.playlists.get(id.0).cloned().unwrap_or_default();
        let text = self.read(&target)?;
        let parsed = hls_parse::parse(&text, &ParseOptions::default()).map_err(io::Error::other)?;
        let Playlist::Media(it) = parsed.playlist else { return Err(wrong_kind(&target)) };
        let segments = self.segments(&it, &target)?;
        Ok(self.tree.add_playlist(MediaPlaylist {
            location: Location::new(0, target),
            version: it.version,
            media_sequence: Some(it.media_sequence),
            playlist_type: Some(PlaylistType::Vod),
            end_list: true,
            i_frames_only: it.i_frames_only,
            segments,
            ..MediaPlaylist::default()
        }))
    }

    fn segments(&mut self, it: &hls_parse::MediaPlaylist<'_>, from: &str) -> io::Result<Vec<Segment>> {
        let (mut segments, mut keys, mut map) = (Vec::new(), None, None);
        for segment in &it.segments {
            let mut before = Vec::new();
            if keys != Some(segment.keys) && !it.keys_of(segment).is_empty() {
                for key in it.keys_of(segment) {
                    before.push(Tag::Key(self.key(key, from)?));
                }
            }
            if let Some(stated) = it.map_of(segment).filter(|_| map != segment.map) {
                let uri = Link::relative(self.file(stated.uri.as_str(), from)?);
                before.push(Tag::Map(MapTag { uri, range: stated.byte_range.map(range) }));
            }
            (keys, map) = (Some(segment.keys), segment.map);
            before.extend(segment.discontinuity.then_some(Tag::Discontinuity));
            segments.push(Segment {
                before,
                duration: segment.duration,
                title: segment.title.unwrap_or_default().to_owned(),
                uri: Link::relative(self.file(segment.uri.as_str(), from)?),
                range: segment.byte_range.map(range),
            });
        }
        Ok(segments)
    }

    fn key(&mut self, key: &hls_parse::Key<'_>, from: &str) -> io::Result<Key> {
        let known = [Method::Aes128, Method::SampleAes, Method::SampleAesCtr];
        let method = known.into_iter().find(|method| method.as_str() == key.method.as_str());
        let unknown = || io::Error::other(format!("{from}: METHOD {}", key.method.as_str()));
        let method = method.ok_or_else(unknown)?;
        let uri = match &key.uri {
            Some(uri) => Some(KeyUri::File(Link::relative(self.file(uri.as_str(), from)?))),
            None => None,
        };
        Ok(Key { method, uri, iv: key.iv, ..Key::NONE })
    }

    fn variant(&mut self, it: &hls_parse::Variant<'_>, from: &str) -> io::Result<Variant> {
        let uri = self.playlist(it.uri.as_str(), from)?;
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Ok(Variant {
            average_bandwidth: it.average_bandwidth,
            codecs: text(&it.codecs),
            resolution: it.resolution.map(|size| (size.width, size.height)),
            frame_rate: it.frame_rate.map(|rate| rate.to_string()),
            audio: text(&it.audio),
            subtitles: text(&it.subtitles),
            closed_captions: it.closed_captions.as_ref().map(|_| ClosedCaptions::None),
            ..Variant::new(uri, it.bandwidth.unwrap_or(0))
        })
    }

    fn i_frames(&mut self, it: &hls_parse::Variant<'_>, from: &str) -> io::Result<Variant> {
        let uri = self.playlist(it.uri.as_str(), from)?;
        Ok(Variant {
            codecs: it.codecs.as_deref().map(str::to_owned),
            resolution: it.resolution.map(|size| (size.width, size.height)),
            ..Variant::new(uri, it.bandwidth.unwrap_or(0))
        })
    }

    fn rendition(&mut self, it: &hls_parse::Rendition<'_>, from: &str) -> io::Result<Rendition> {
        let kind = match it.kind {
            hls_parse::MediaKind::Audio => Kind::Audio,
            hls_parse::MediaKind::Video => Kind::Video,
            hls_parse::MediaKind::Subtitles => Kind::Subtitles,
            hls_parse::MediaKind::ClosedCaptions => Kind::ClosedCaptions,
        };
        let uri = it.uri.as_ref().map(|uri| self.playlist(uri.as_str(), from)).transpose()?;
        Ok(Rendition {
            language: it.language.as_deref().map(str::to_owned),
            uri,
            default: it.default,
            autoselect: it.autoselect,
            forced: it.forced,
            channels: it.channels.as_deref().map(str::to_owned),
            ..Rendition::new(kind, &it.group_id, &it.name)
        })
    }

    /// A media playlist to be read later.
    fn playlist(&mut self, reference: &str, from: &str) -> io::Result<Link<PlaylistId>> {
        let target = resolve(reference, from)?;
        let known = self.playlists.iter().position(|known| *known == target);
        let id = known.unwrap_or_else(|| {
            self.playlists.push(target);
            self.playlists.len() - 1
        });
        Ok(Link::relative(PlaylistId(id)))
    }

    fn file(&mut self, reference: &str, from: &str) -> io::Result<FileId> {
        let target = resolve(reference, from)?;
        if let Some(known) = self.files.get(&target) {
            return Ok(*known);
        }
        let body = Body::Stored(self.read(&target)?.into());
        let id = self.tree.add_file(Location::new(0, target.clone()), body);
        self.files.insert(target, id);
        Ok(id)
    }

    fn read(&self, target: &str) -> io::Result<Vec<u8>> {
        let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
        // A folder that is named from beside itself: `../aes/x` in `aes/` is `aes/x` above it.
        let own = self.folder.file_name().map(|name| format!("{name}/")).unwrap_or_default();
        let path = self.folder.join(path.strip_prefix(&own).unwrap_or(path));
        fs::read(&path).map_err(|fault| io::Error::new(fault.kind(), format!("{path}: {fault}")))
    }
}

fn resolve(reference: &str, from: &str) -> io::Result<String> {
    let base = url::Url::parse("http://media.test").and_then(|base| base.join(from));
    let url = base.and_then(|base| base.join(reference)).map_err(io::Error::other)?;
    Ok(url.as_str().trim_start_matches("http://media.test").to_owned())
}

const fn range(range: ByteRange) -> Range {
    Range { offset: range.offset, length: range.length, written: Offset::Explicit }
}

fn wrong_kind(name: &str) -> io::Error {
    io::Error::other(format!("{name}: the other kind of playlist"))
}
