//! Plays an item back as a player does, and holds every part against the fixture that it came from.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use dtg_core::ItemLocation;
use hls_parse::{
    ByteRange, MediaKind, MediaPlaylist, Multivariant, ParseOptions, Playlist, Rendition, Segment, Uri,
    Variant,
};
use ureq::Agent;
use url::Url;

use crate::fixtures::bytes_at;

/// What was played of one item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// Variants of the local multivariant playlist.
    pub variants: u32,
    /// Its audio renditions.
    pub audio: u32,
    /// Its subtitles.
    pub text: u32,
    /// Local playlists that were followed.
    pub playlists: u32,
    /// Segments, maps, keys and sidecars that equal their fixture.
    pub parts: u32,
    /// Bytes of those parts.
    pub bytes: u64,
}

/// Plays the presentation at `local` whole, and the sidecars of `location`; `folder` is the URL below which all of
/// it must lie, and `origin` the one that was downloaded.
///
/// # Errors
/// At the first part that differs, is missing, or would be fetched from elsewhere.
pub fn play(local: &Url, folder: &str, origin: &Url, location: &ItemLocation) -> Result<Played> {
    let config =
        Agent::config_builder().proxy(None).max_redirects(0).timeout_global(Some(Duration::from_secs(30)));
    let mut player =
        Player { agent: config.build().into(), folder, seen: BTreeSet::new(), played: Played::default() };
    player.multivariant(local, origin)?;
    for sidecar in &location.sidecars {
        let url = hls_parse::resolve(&Url::parse(folder)?, sidecar.file.as_str())?;
        player.same_part(&Part::whole(url), &Part::whole(Url::parse(&sidecar.sidecar.url)?))?;
    }
    player.nothing_else(location)?;
    Ok(player.played)
}

struct Player<'a> {
    agent: Agent,
    folder: &'a str,
    seen: BTreeSet<Part>,
    played: Played,
}

/// A file, or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    url: Url,
    /// Offset and length; `None` is the whole.
    range: Option<(u64, u64)>,
}

/// A media playlist of the local presentation, and the one at the origin that it was made from.
type Pair = (Url, Url);

impl Part {
    fn whole(url: Url) -> Self {
        Self { url, range: None }
    }

    fn new(base: &Url, uri: &Uri<'_>, range: Option<ByteRange>) -> Result<Self> {
        let range = range.map(|ByteRange { offset, length }| (offset, length));
        Ok(Self { url: hls_parse::resolve(base, &uri.text)?, range })
    }
}

impl Player<'_> {
    fn multivariant(&mut self, local: &Url, origin: &Url) -> Result<()> {
        let (local_text, origin_text) = (self.fetch(&Part::whole(local.clone()))?, bytes_at(origin)?);
        let (local_list, origin_list) = (read(&local_text)?, read(&origin_text)?);
        self.stays_here(&local_list, &local_text, local)?;
        self.played.playlists += 1;
        let (Playlist::Multivariant(ours), Playlist::Multivariant(theirs)) = (&local_list, &origin_list)
        else {
            bail!("{local} and {origin} are not both multivariant playlists");
        };
        self.count_tracks(ours)?;
        let pairs = pairs(ours, local, theirs, origin)?;
        ensure!(!pairs.is_empty(), "{local} has nothing to play");
        pairs.iter().try_for_each(|(local, origin)| {
            self.media(local, origin).with_context(|| format!("{} made from {}", local.path(), origin.path()))
        })
    }

    fn count_tracks(&mut self, ours: &Multivariant<'_>) -> Result<()> {
        let renditions = |kind| ours.renditions.iter().filter(|rendition| rendition.kind == kind).count();
        self.played.variants = ours.variants.len().try_into()?;
        self.played.audio = renditions(MediaKind::Audio).try_into()?;
        self.played.text = renditions(MediaKind::Subtitles).try_into()?;
        Ok(())
    }

    fn media(&mut self, local: &Url, origin: &Url) -> Result<()> {
        let (local_text, origin_text) = (self.fetch(&Part::whole(local.clone()))?, bytes_at(origin)?);
        let (local_list, origin_list) = (read(&local_text)?, read(&origin_text)?);
        self.stays_here(&local_list, &local_text, local)?;
        self.played.playlists += 1;
        let (Playlist::Media(ours), Playlist::Media(theirs)) = (&local_list, &origin_list) else {
            bail!("not both are media playlists");
        };
        ensure!(ours.end_list, "the local playlist does not end");
        ensure!(!ours.segments.is_empty(), "no segments");
        ensure!(ours.segments.len() == theirs.segments.len(), "another number of segments");
        for (our, their) in ours.segments.iter().zip(&theirs.segments) {
            let (has, wants) = (facts(ours, our), facts(theirs, their));
            ensure!(has == wants, "segment {}: {has:?}, not {wants:?}", their.media_sequence);
            let (has, wants) = (parts(ours, our, local)?, parts(theirs, their, origin)?);
            ensure!(has.len() == wants.len(), "segment {}: a map or key is missing", their.media_sequence);
            has.iter().zip(&wants).try_for_each(|(has, wants)| self.same_part(has, wants))?;
        }
        Ok(())
    }

    /// Counts a part once, however often it is listed.
    fn same_part(&mut self, local: &Part, origin: &Part) -> Result<()> {
        if self.seen.contains(local) {
            return Ok(());
        }
        let whole = bytes_at(&origin.url)?;
        let expected = match origin.range {
            None => Some(whole.as_slice()),
            Some((offset, length)) => whole.get(usize::try_from(offset)?..usize::try_from(offset + length)?),
        };
        let expected =
            expected.with_context(|| format!("{} is shorter than its range", origin.url.path()))?;
        let bytes = self.fetch(local)?;
        ensure!(bytes == expected, "{} differs from {}", local.url.path(), origin.url.path());
        self.seen.insert(local.clone());
        self.played.parts += 1;
        self.played.bytes += u64::try_from(bytes.len())?;
        Ok(())
    }

    fn fetch(&self, part: &Part) -> Result<Vec<u8>> {
        let Part { url, range } = part;
        ensure!(url.as_str().starts_with(self.folder), "{url} is not below {}", self.folder);
        let mut request = self.agent.get(url.as_str());
        if let Some((offset, length)) = range {
            request = request.header("Range", format!("bytes={offset}-{}", offset + length - 1));
        }
        let mut response = request.call().with_context(|| format!("GET {}", url.path()))?;
        let expected = if range.is_some() { 206 } else { 200 };
        ensure!(response.status() == expected, "GET {}: HTTP status {}", url.path(), response.status());
        Ok(response.body_mut().read_to_vec()?)
    }

    /// No URI of a local playlist leads out of the item, whether a player would follow it or not.
    fn stays_here<'a>(&self, playlist: &Playlist<'a>, text: &'a [u8], base: &Url) -> Result<()> {
        let mut strays = Vec::new();
        hls_parse::rewrite(playlist, text, |role, uri| {
            let target = hls_parse::resolve(base, &uri.text);
            if !target.is_ok_and(|url| url.as_str().starts_with(self.folder)) {
                strays.push(format!("{role:?} {}", uri.text));
            }
            None
        })?;
        ensure!(strays.is_empty(), "{} leads elsewhere: {}", base.path(), strays.join(", "));
        Ok(())
    }

    /// What was downloaded is what plays.
    fn nothing_else(&self, location: &ItemLocation) -> Result<()> {
        let (mut bytes, mut folders) = (0, vec![location.folder_path()]);
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8()? {
                let path = entry?.into_path();
                match path.extension() {
                    _ if path.is_dir() => folders.push(path),
                    Some("m3u8") => {}
                    _ => bytes += fs::metadata(&path)?.len(),
                }
            }
        }
        let played = self.played.bytes;
        ensure!(bytes == played, "the folder holds {bytes} bytes of media, of which {played} are played");
        Ok(())
    }
}

fn read(text: &[u8]) -> Result<Playlist<'_>> {
    Ok(hls_parse::parse(text, &ParseOptions::default())?.playlist)
}

/// Each media playlist that a local multivariant playlist leads to, with its original: the variant of the same
/// rate and size, the rendition of the same kind, group and name.
fn pairs(
    ours: &Multivariant<'_>,
    local: &Url,
    theirs: &Multivariant<'_>,
    origin: &Url,
) -> Result<BTreeSet<Pair>> {
    let variants = ours.variants.iter().map(|our| {
        let same =
            |their: &&Variant<'_>| (our.bandwidth, our.resolution) == (their.bandwidth, their.resolution);
        (&our.uri, theirs.variants.iter().find(same).map(|their| &their.uri))
    });
    let renditions = ours.renditions.iter().filter_map(|our| {
        let same = |their: &&Rendition<'_>| {
            (our.kind, &our.group_id, &our.name) == (their.kind, &their.group_id, &their.name)
        };
        Some((our.uri.as_ref()?, theirs.renditions.iter().find(same).and_then(|their| their.uri.as_ref())))
    });
    let pair = |(our, their): (&Uri<'_>, Option<&Uri<'_>>)| {
        let their = their.with_context(|| format!("nothing at the origin is like {}", our.text))?;
        Ok((hls_parse::resolve(local, &our.text)?, hls_parse::resolve(origin, &their.text)?))
    };
    variants.chain(renditions).map(pair).collect()
}

/// A segment with the map and the keys that it needs.
fn parts(playlist: &MediaPlaylist<'_>, segment: &Segment<'_>, base: &Url) -> Result<Vec<Part>> {
    let map = playlist.map_of(segment).map(|map| (&map.uri, map.byte_range));
    let keys = playlist.keys_of(segment).iter().filter_map(|key| Some((key.uri.as_ref()?, None)));
    let all = map.into_iter().chain(keys).chain([(&segment.uri, segment.byte_range)]);
    all.map(|(uri, range)| Part::new(base, uri, range)).collect()
}

/// What must be the same of a segment, wherever its bytes are.
fn facts(playlist: &MediaPlaylist<'_>, segment: &Segment<'_>) -> impl PartialEq + Debug {
    let Segment { duration, media_sequence, discontinuity, gap, byte_range, .. } = segment;
    let keys = playlist.keys_of(segment).iter();
    let keys: Vec<_> =
        keys.map(|key| (key.method.as_str().to_owned(), key.iv, key.key_format.to_string())).collect();
    (*duration, *media_sequence, *discontinuity, *gap, *byte_range, keys)
}

#[cfg(test)]
mod tests;
