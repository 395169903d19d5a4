//! Which remote files are needed, each once, with the parts of it that are.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use hls_parse::{ByteRange, Key, Multivariant, Segment, Span, Uri};
use twox_hash::XxHash3_128;
use url::Url;

use super::encryption::{KeyUse, check_keys, key_bytes, key_use, lacks_iv};
use super::file::{Access, RemoteFile};
use super::inputs::{base_of, millis};
use super::requests::{Need, requests};
use super::{Input, OriginSet, PlanError, Track, extension};
use crate::error::public_part;
use crate::item::{Sidecar, SidecarRole, TrackKind};
use crate::resource::{Extension, Fetch, Resource, Role, UriRef};

/// Where a playlist's URIs lead.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Segments and session data, by the position of the URI in the text, in ascending order.
    uris: Vec<(u32, Target)>,
    /// Keys and maps, by the URI after substitution: the same line may stand there many times.
    keys: HashMap<String, KeyTarget>,
    maps: HashMap<String, u32>,
}

/// What a URI of a playlist becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The local file of this resource.
    Resource(u32),
    /// A segment that is declared missing: a name that has no file, unless it is a range of one that others are in.
    Gap,
}

/// What the URI of a key that segments are under becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyTarget {
    /// The local file of this resource.
    Resource(u32),
    /// No player is known to use it: it only ends the key before it.
    Unusable,
}

impl Links {
    /// What the URI inside `span` becomes; `None` when nothing needs it.
    pub(crate) fn within(&self, span: Span) -> Option<Target> {
        let first = self.uris.partition_point(|(at, _)| *at < span.start);
        self.uris.get(first).filter(|(at, _)| *at < span.end).map(|(_, target)| *target)
    }

    /// What this URI of a key becomes; `None` when nothing needs it.
    pub(crate) fn key(&self, uri: &str) -> Option<KeyTarget> {
        self.keys.get(uri).copied()
    }

    /// The file with the map of this URI.
    pub(crate) fn map(&self, uri: &str) -> Option<u32> {
        self.maps.get(uri).copied()
    }
}

/// A URI in one of the origin's playlists.
struct Place<'b> {
    origin: u32,
    /// The planned playlist whose folder the file goes to.
    playlist: u32,
    base: &'b Url,
    line: u32,
}

impl<'b> Place<'b> {
    const fn new(input: &'b Input<'_, '_>, line: u32) -> Self {
        Self { origin: input.origin, playlist: input.number, base: &input.base, line }
    }

    /// In the multivariant playlist.
    const fn at_top(base: &'b Url, line: u32) -> Self {
        Self { origin: 0, playlist: 0, base, line }
    }
}

fn id_of(role: Role, url: &Url) -> [u8; 16] {
    XxHash3_128::oneshot_with_seed(class_of(role), url.as_str().as_bytes()).to_ne_bytes()
}

/// Roles that share files: all that play a file share it, but a key is never a segment.
const fn class_of(role: Role) -> u64 {
    match role {
        Role::Segment | Role::Map | Role::File => 0,
        Role::Key => 1,
        Role::SessionData => 2,
        Role::Subtitle | Role::Thumbnail => 3,
    }
}

/// The remote files that are needed.
#[derive(Debug, Default)]
pub(super) struct Book {
    resources: Vec<Resource>,
    needs: Vec<Need>,
    /// By hash; in bytes, which have no gaps around them: a long presentation has a million.
    by_url: HashMap<[u8; 16], u32>,
}

impl Book {
    /// Adds what a media playlist needs.
    pub(super) fn add_playlist(&mut self, input: &Input<'_, '_>) -> Result<Links, PlanError> {
        let mut links = Links::default();
        let mut at = Duration::ZERO;
        let (mut keys_seen, mut maps_seen) = (HashSet::new(), HashSet::new());
        let mut missing = Vec::new();
        for segment in &input.media.segments {
            if segment.gap {
                missing.extend(segment.byte_range.map(|_| (links.uris.len(), segment)));
                links.uris.push((segment.uri.span.start, Target::Gap));
                at = at.saturating_add(segment.duration);
                continue; // nor are its keys and its map needed
            }
            if keys_seen.insert(segment.keys) {
                let keys = input.media.keys_of(segment);
                check_keys(input, keys)?;
                self.add_keys(input, keys, at, &mut links)?;
            }
            if segment.map.is_some_and(|map| maps_seen.insert(map)) {
                self.add_map(input, segment, at, &mut links)?;
            }
            let resource = self.add_segment(input, segment, at)?;
            links.uris.push((segment.uri.span.start, Target::Resource(resource)));
            at = at.saturating_add(segment.duration);
        }
        // The next range may continue that of a missing segment: both stay ranges of one file.
        for (index, segment) in missing {
            let file = self.known(Role::Segment, &segment.uri, Place::new(input, segment.line).base);
            if let Some((link, file)) = links.uris.get_mut(index).zip(file) {
                link.1 = Target::Resource(file);
            }
        }
        Ok(links)
    }

    /// The resource that this URL has already.
    fn known(&self, role: Role, uri: &Uri<'_>, base: &Url) -> Option<u32> {
        let mut url = hls_parse::resolve(base, &uri.text).ok()?;
        url.set_fragment(None);
        self.by_url.get(&id_of(role, &url)).copied()
    }

    fn add_segment(
        &mut self,
        input: &Input<'_, '_>,
        segment: &Segment<'_>,
        at: Duration,
    ) -> Result<u32, PlanError> {
        let place = Place::new(input, segment.line);
        let extension = extension::of_media(&segment.uri.text, input.kind, segment.map.is_some());
        let resource = self.resource(Role::Segment, &segment.uri, &place, extension)?;
        let until = millis(at.saturating_add(segment.duration));
        let need = Need::new(resource, segment.byte_range, millis(at)).until(until);
        self.needs.push(need.about(input.expected_bytes(segment)));
        Ok(resource)
    }

    fn add_map(
        &mut self,
        input: &Input<'_, '_>,
        segment: &Segment<'_>,
        at: Duration,
        links: &mut Links,
    ) -> Result<(), PlanError> {
        let Some(map) = input.media.map_of(segment) else { return Ok(()) };
        let keys = input.media.key_set(map.keys);
        if lacks_iv(keys) {
            return Err(PlanError::MapWithoutIv { playlist: input.name(), line: map.line });
        }
        check_keys(input, keys)?;
        self.add_keys(input, keys, at, links)?;
        let place = Place::new(input, map.line);
        let extension = extension::of_media(&map.uri.text, input.kind, true);
        let resource = self.resource(Role::Map, &map.uri, &place, extension)?;
        self.needs.push(Need::new(resource, map.byte_range, millis(at)));
        links.maps.insert(map.uri.text.to_string(), resource);
        Ok(())
    }

    fn add_keys(
        &mut self,
        input: &Input<'_, '_>,
        keys: &[Key<'_>],
        at: Duration,
        links: &mut Links,
    ) -> Result<(), PlanError> {
        for key in keys {
            let place = Place::new(input, key.line);
            match (key_use(key), &key.uri) {
                (KeyUse::Fetch, _) => self.add_key(key, &place, at, links)?,
                (KeyUse::Unknown, Some(uri)) => {
                    links.keys.entry(uri.text.to_string()).or_insert(KeyTarget::Unusable);
                }
                (KeyUse::Drm | KeyUse::Unknown, _) => {}
            }
        }
        Ok(())
    }

    fn add_key(
        &mut self,
        key: &Key<'_>,
        place: &Place<'_>,
        at: Duration,
        links: &mut Links,
    ) -> Result<(), PlanError> {
        let Some(uri) = key.uri.as_ref().filter(|_| key_use(key) == KeyUse::Fetch) else { return Ok(()) };
        let resource = self.resource(Role::Key, uri, place, Extension::Key)?;
        self.needs.push(Need::new(resource, None, millis(at)).about(key_bytes(&key.method)));
        links.keys.insert(uri.text.to_string(), KeyTarget::Resource(resource));
        Ok(())
    }

    /// Adds what the multivariant playlist itself refers to: session keys and session data.
    pub(super) fn add_multivariant(
        &mut self,
        origins: &OriginSet,
        multivariant: &Multivariant<'_>,
    ) -> Result<Links, PlanError> {
        let base = base_of(&origins.entry)?;
        let mut links = Links::default();
        for key in &multivariant.session_keys {
            let place = Place::at_top(&base, key.line);
            self.add_key(key, &place, Duration::ZERO, &mut links)?;
        }
        for data in &multivariant.session_data {
            let Some(uri) = &data.uri else { continue };
            let place = Place::at_top(&base, data.tag_line);
            let extension = extension::of_session_data(&uri.text);
            let resource = self.resource(Role::SessionData, uri, &place, extension)?;
            self.needs.push(Need::new(resource, None, 0));
            links.uris.push((uri.span.start, Target::Resource(resource)));
        }
        Ok(links)
    }

    /// Adds the media file that is the whole item, or the range of it that is all of it.
    pub(super) fn add_file(&mut self, file: &RemoteFile) -> Result<(), PlanError> {
        let (role, extension) = (Role::File, file.extension);
        let resource = self.push(Resource { role, playlist: 0, number: 0, extension, uri: UriRef::Entry })?;
        let range = file.length.filter(|_| file.access == Access::Ranges);
        let range = range.map(|length| ByteRange { offset: 0, length });
        self.needs.push(Need::new(resource, range, 0).about(file.length.unwrap_or(0)));
        Ok(())
    }

    /// Adds the item's sidecars.
    pub(super) fn add_sidecars(&mut self, sidecars: &[Sidecar]) -> Result<(), PlanError> {
        for (sidecar, index) in sidecars.iter().zip(0..) {
            let name = || public_part(&sidecar.url);
            let url =
                Url::parse(&sidecar.url).map_err(|_| PlanError::InvalidUri { playlist: name(), line: 0 })?;
            check_scheme(&url, name, 0)?;
            let role = match sidecar.role {
                SidecarRole::Subtitle => Role::Subtitle,
                SidecarRole::Thumbnail => Role::Thumbnail,
            };
            let extension = extension::of_sidecar(sidecar);
            let resource = Resource { role, playlist: 0, number: 0, extension, uri: UriRef::Sidecar(index) };
            let resource = self.push(resource)?;
            self.needs.push(Need::new(resource, None, 0));
        }
        Ok(())
    }

    /// The resource of a URI: a new one, or the one that this URL has already.
    fn resource(
        &mut self,
        role: Role,
        uri: &Uri<'_>,
        place: &Place<'_>,
        extension: Extension,
    ) -> Result<u32, PlanError> {
        let name = || public_part(place.base.as_str());
        let mut url = hls_parse::resolve(place.base, &uri.text)
            .map_err(|_| PlanError::InvalidUri { playlist: name(), line: place.line })?;
        check_scheme(&url, name, place.line)?;
        url.set_fragment(None);
        let id = id_of(role, &url);
        if let Some(known) = self.by_url.get(&id).copied() {
            self.becomes(known, role);
            return Ok(known);
        }
        // A key is the item's, whichever playlist names it first.
        let playlist = if role == Role::Key { 0 } else { place.playlist };
        let uri = UriRef::Playlist { origin: place.origin, span: uri.span };
        let resource = self.push(Resource { role, playlist, number: 0, extension, uri })?;
        self.by_url.insert(id, resource);
        Ok(resource)
    }

    /// A map in a file that segments are in too is part of that file.
    fn becomes(&mut self, resource: u32, role: Role) {
        let found = usize::try_from(resource).ok().and_then(|at| self.resources.get_mut(at));
        if let Some(resource) = found.filter(|_| role == Role::Segment) {
            resource.role = Role::Segment;
        }
    }

    fn push(&mut self, resource: Resource) -> Result<u32, PlanError> {
        let number = u32::try_from(self.resources.len()).map_err(|_| PlanError::TooLarge)?;
        self.resources.push(resource);
        Ok(number)
    }

    /// The resources, numbered, and the requests for them in the order of the media.
    pub(super) fn finish(self, tracks: &[Track]) -> Result<(Vec<Resource>, Vec<Fetch>), PlanError> {
        let Self { mut resources, needs, by_url } = self;
        drop(by_url); // the largest part of a long presentation's book
        let mut numbers = HashMap::new();
        for resource in &mut resources {
            let next = numbers.entry((resource.role, resource.playlist)).or_insert(0);
            resource.number = *next;
            *next += 1;
        }
        let mut fetches = requests(needs);
        fetches.sort_unstable_by_key(|fetch| rank(fetch, &resources, tracks));
        u32::try_from(fetches.len()).map_err(|_| PlanError::TooLarge)?;
        Ok((resources, fetches))
    }
}

/// By media time; then what others need, then pictures before sound before text.
fn rank(fetch: &Fetch, resources: &[Resource], tracks: &[Track]) -> (u64, u8, TrackKind, u32, u64) {
    let resource = usize::try_from(fetch.resource).ok().and_then(|at| resources.get(at));
    let class = match resource.map(|resource| resource.role) {
        Some(Role::Key) => 0,
        Some(Role::Map) => 1,
        Some(Role::Segment | Role::File) | None => 2,
        Some(Role::SessionData | Role::Subtitle | Role::Thumbnail) => 3,
    };
    let track = resource.and_then(|resource| tracks.get(usize::try_from(resource.playlist).ok()?));
    let kind = track.map_or(TrackKind::Video, |track| track.kind);
    (fetch.at_millis, class, kind, fetch.resource, fetch.start)
}

fn check_scheme(url: &Url, playlist: impl FnOnce() -> String, line: u32) -> Result<(), PlanError> {
    match url.scheme() {
        "http" | "https" | "data" => Ok(()),
        scheme => Err(PlanError::SchemeNotAllowed { playlist: playlist(), line, scheme: scheme.to_owned() }),
    }
}
