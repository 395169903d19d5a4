//! Presets of real media: the committed files, with playlists written anew.

mod import;

use std::io;

use camino::Utf8Path;

use crate::tree::{Body, FileId, Kind, Link, Location, Range, Rendition, Segment, Tag, Tree, Variant};
use import::Import;

pub(super) fn vod_ts(media: &Utf8Path) -> io::Result<Tree> {
    Import::new(media.join("ts"), 11).all("master.m3u8")
}

pub(super) fn byterange(media: &Utf8Path) -> io::Result<Tree> {
    Import::new(media.join("fmp4"), 12).all("master.m3u8")
}

pub(super) fn aes_rotation(media: &Utf8Path) -> io::Result<Tree> {
    Import::new(media.join("aes"), 13).all("master.m3u8")
}

/// The same as [`byterange`], each range cut out as a file.
pub(super) fn vod_fmp4(media: &Utf8Path) -> io::Result<Tree> {
    let mut tree = Import::new(media.join("fmp4"), 14).all("master.m3u8")?;
    let whole = std::mem::take(&mut tree.files);
    let mut playlists = std::mem::take(&mut tree.playlists);
    for playlist in &mut playlists {
        let stem = playlist.location.path().trim_end_matches(".m3u8").to_owned();
        for (number, segment) in playlist.segments.iter_mut().enumerate() {
            cut_out(&mut tree, &whole, segment, &format!("{stem}/{number}"));
        }
    }
    tree.playlists = playlists;
    Ok(tree)
}

fn cut_out(tree: &mut Tree, whole: &[crate::tree::File], segment: &mut Segment, name: &str) {
    let mut cut = |link: &mut Link<FileId>, range: &mut Option<Range>, target: String| {
        let bytes = whole.get(link.to.0).and_then(|file| part(&file.body, range.take()));
        let body = bytes.map_or(Body::Missing, |bytes| Body::Stored(bytes.into()));
        *link = Link::relative(tree.add_file(Location::new(0, target), body));
    };
    for tag in &mut segment.before {
        if let Tag::Map(map) = tag {
            cut(&mut map.uri, &mut map.range, format!("{name}-init.mp4"));
        }
    }
    cut(&mut segment.uri, &mut segment.range, format!("{name}.m4s"));
}

fn part(body: &Body, range: Option<Range>) -> Option<&[u8]> {
    let Body::Stored(bytes) = body else { return None };
    let Some(range) = range else { return Some(bytes) };
    let start = usize::try_from(range.offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(range.length).ok()?)?)
}

pub(super) fn multi_audio(media: &Utf8Path) -> io::Result<Tree> {
    let mut import = Import::new(media.join("ts"), 15);
    let mut master = import.multivariant("master.m3u8")?;
    master.variants.truncate(1);
    master.i_frame_variants.clear();
    master.renditions.retain(|rendition| rendition.kind == Kind::Audio);
    for variant in &mut master.variants {
        variant.subtitles = None;
    }
    import.finish(master)
}

/// The audio renditions become variants.
pub(super) fn audio_only(media: &Utf8Path) -> io::Result<Tree> {
    let mut import = Import::new(media.join("ts"), 16);
    let mut master = import.multivariant("master.m3u8")?;
    let audio = master.renditions.iter().filter(|rendition| rendition.kind == Kind::Audio);
    let variant = |(number, rendition): (usize, &Rendition)| {
        let uri = rendition.uri.clone()?;
        let bandwidth = 40_000 + 1000 * number as u64;
        Some(Variant { codecs: Some("mp4a.40.2".to_owned()), ..Variant::new(uri, bandwidth) })
    };
    master.variants = audio.enumerate().filter_map(variant).collect();
    master.renditions.clear();
    master.i_frame_variants.clear();
    import.finish(master)
}
