//! What a tree has at each place.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use crate::tree::{Body, Entry, File, Hosts, Location, Noise, RunSegment, Tree};

/// One thing that a host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<'a> {
    /// Where it is.
    pub location: Cow<'a, Location>,
    /// What it is.
    pub content: Content<'a>,
}

/// What a resource is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// A playlist's text.
    Playlist(Entry<'a>),
    /// These bytes.
    Stored(&'a Arc<[u8]>),
    /// This many bytes of [`Noise`].
    Noise(u64),
}

impl Tree {
    /// Everything that the hosts have, playlists first. A file that is missing is not listed.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let runs = self.playlists.iter().filter_map(|playlist| playlist.run.as_ref());
        self.listed().chain(runs.flat_map(|run| run.segments()).map(of_run))
    }

    /// The same without the segments of runs.
    pub(super) fn listed(&self) -> impl Iterator<Item = Resource<'_>> {
        let playlists = self.texts().map(|(location, entry)| Resource {
            location: Cow::Borrowed(location),
            content: Content::Playlist(entry),
        });
        playlists.chain(self.files.iter().filter_map(of_file))
    }

    /// What a host has at this place; `None` where it answers 404.
    #[must_use]
    pub fn get(&self, location: &Location) -> Option<Resource<'_>> {
        let text = self.texts().find(|(at, _)| *at == location);
        let text = text
            .map(|(at, entry)| Resource { location: Cow::Borrowed(at), content: Content::Playlist(entry) });
        let file = || self.files.iter().find(|file| file.location == *location).and_then(of_file);
        let runs = || self.playlists.iter().filter_map(|playlist| playlist.run.as_ref());
        text.or_else(file).or_else(|| runs().find_map(|run| run.find(location)).map(of_run))
    }

    /// The playlists and where they are, the multivariant one first.
    pub fn texts(&self) -> impl Iterator<Item = (&Location, Entry<'_>)> {
        let multivariant = self.multivariant.iter().map(|it| (&it.location, Entry::Multivariant(it)));
        multivariant.chain(self.playlists.iter().map(|it| (&it.location, Entry::Media(it))))
    }
}

fn of_file(file: &File) -> Option<Resource<'_>> {
    let content = match &file.body {
        Body::Noise(length) => Content::Noise(*length),
        Body::Stored(bytes) => Content::Stored(bytes),
        Body::Missing => return None,
    };
    Some(Resource { location: Cow::Borrowed(&file.location), content })
}

fn of_run<'a>(segment: RunSegment) -> Resource<'a> {
    Resource { location: Cow::Owned(segment.location), content: Content::Noise(segment.length) }
}

impl Resource<'_> {
    /// Writes all its bytes, in pieces.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn copy_to(&self, tree: &Tree, hosts: &Hosts, out: &mut dyn Write) -> io::Result<()> {
        match &self.content {
            Content::Playlist(entry) => super::playlist(tree, hosts, *entry, out),
            Content::Stored(bytes) => out.write_all(bytes),
            Content::Noise(length) => copy_noise(&Noise::new(tree.seed, &self.location), *length, out),
        }
    }

    /// All its bytes.
    #[must_use]
    pub fn bytes(&self, tree: &Tree, hosts: &Hosts) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.copy_to(tree, hosts, &mut bytes).expect("writing to memory does not fail");
        bytes
    }

    /// The media type that a server states, by the extension of its path.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        dtg_testkit::media_type(self.location.path())
    }
}

fn copy_noise(noise: &Noise, length: u64, out: &mut dyn Write) -> io::Result<()> {
    const PIECE: u64 = 64 * 1024;
    let mut buffer = vec![0; usize::try_from(length.min(PIECE)).unwrap_or_default()];
    let mut offset = 0;
    while offset < length {
        let count = usize::try_from((length - offset).min(PIECE)).unwrap_or_default();
        let piece = buffer.get_mut(..count).unwrap_or_default();
        noise.fill(offset, piece);
        out.write_all(piece)?;
        offset += count as u64;
    }
    Ok(())
}
