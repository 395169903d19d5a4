//! The plan in schema 1.

use std::time::Duration;

use hls_parse::Span;
use serde::{Deserialize, Serialize};

use super::all;
use super::code::Coded;
use crate::estimate::Estimate;
use crate::io::codec::{CodecError, Stored};
use crate::plan::{self, Length, UriRef};

#[derive(Serialize, Deserialize)]
pub(crate) struct Playlist {
    kind: u8,
    origin: u32,
    duration: Duration,
}

/// Stands for a playlist's number where the URI is a sidecar's, whose index is then in `start`.
const SIDECAR: u32 = u32::MAX;
/// Stands for a playlist's number where the URI is the item's own.
const ENTRY: u32 = u32::MAX - 1;

#[derive(Serialize, Deserialize)]
pub(crate) struct Resource {
    role: u8,
    playlist: u32,
    number: u32,
    extension: u8,
    origin: u32,
    start: u32,
    end: u32,
}

impl From<&plan::Resource> for Resource {
    fn from(it: &plan::Resource) -> Self {
        let (origin, start, end) = match it.uri {
            UriRef::Playlist { origin, span } => (origin, span.start, span.end),
            UriRef::Sidecar(index) => (SIDECAR, index, 0),
            UriRef::Entry => (ENTRY, 0, 0),
        };
        let (role, extension) = (it.role.code(), it.extension.code());
        Self { role, playlist: it.playlist, number: it.number, extension, origin, start, end }
    }
}

impl Resource {
    fn thaw(self) -> Result<plan::Resource, CodecError> {
        let uri = match self.origin {
            SIDECAR => UriRef::Sidecar(self.start),
            ENTRY => UriRef::Entry,
            origin => UriRef::Playlist { origin, span: Span { start: self.start, end: self.end } },
        };
        let (role, extension) = (Coded::of(self.role)?, Coded::of(self.extension)?);
        Ok(plan::Resource { role, playlist: self.playlist, number: self.number, extension, uri })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Fetch {
    resource: u32,
    start: u64,
    length: u64,
    is_exact: bool,
    extent: u8,
    at_millis: u64,
}

impl From<&plan::Fetch> for Fetch {
    fn from(it: &plan::Fetch) -> Self {
        Self {
            resource: it.resource,
            start: it.start,
            length: it.length.bytes(),
            is_exact: matches!(it.length, Length::Exact(_)),
            extent: it.extent.code(),
            at_millis: it.at_millis,
        }
    }
}

impl Fetch {
    fn thaw(self, resources: usize) -> Result<plan::Fetch, CodecError> {
        let is_there = usize::try_from(self.resource).is_ok_and(|resource| resource < resources);
        if !is_there || self.start.checked_add(self.length).is_none() {
            return Err(CodecError::Value("a fetch"));
        }
        let length = if self.is_exact { Length::Exact(self.length) } else { Length::About(self.length) };
        let (start, at_millis) = (self.start, self.at_millis);
        Ok(plan::Fetch { resource: self.resource, start, length, extent: Coded::of(self.extent)?, at_millis })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Plan {
    playlists: Vec<Playlist>,
    resources: Vec<Resource>,
    fetches: Vec<Fetch>,
    duration: Duration,
    estimated_bytes: u64,
    estimate_basis: u8,
    master: u8,
}

impl Stored for plan::Plan {
    const KIND: u16 = 4;
    type Frozen = Plan;

    fn freeze(&self) -> Plan {
        let playlist = |it: &plan::PlannedPlaylist| Playlist {
            kind: it.kind.code(),
            origin: it.origin,
            duration: it.duration,
        };
        Plan {
            playlists: self.playlists.iter().map(playlist).collect(),
            resources: self.resources.iter().map(Into::into).collect(),
            fetches: self.fetches.iter().map(Into::into).collect(),
            duration: self.duration,
            estimated_bytes: self.estimate.bytes,
            estimate_basis: self.estimate.basis.code(),
            master: self.master.code(),
        }
    }

    fn thaw(it: Plan) -> Result<Self, CodecError> {
        let playlist = |Playlist { kind, origin, duration }| {
            Ok(plan::PlannedPlaylist { kind: Coded::of(kind)?, origin, duration })
        };
        let resources = it.resources.len();
        Ok(Self {
            playlists: all(it.playlists, playlist)?,
            resources: all(it.resources, Resource::thaw)?,
            fetches: all(it.fetches, |fetch| fetch.thaw(resources))?,
            duration: it.duration,
            estimate: Estimate { bytes: it.estimated_bytes, basis: Coded::of(it.estimate_basis)? },
            master: Coded::of(it.master)?,
        })
    }
}
