//! Which playlists are planned, each with what the planner has to know of it.

use std::collections::HashMap;
use std::time::Duration;

use hls_parse::{MediaPlaylist, Playlist, Segment, Variables};
use url::Url;

use super::{Origin, OriginSet, PlanError, PlannedPlaylist};
use crate::error::public_part;
use crate::item::TrackKind;
use crate::options::BitRate;
use crate::select::Selection;

/// What stays of a media playlist when its segments are read.
#[derive(Debug)]
pub(crate) struct Track {
    /// Its place among the plan's playlists.
    pub(crate) number: u32,
    /// Its place in the [`OriginSet`].
    pub(crate) origin: u32,
    /// What errors call it.
    pub(crate) name: String,
    /// What it carries.
    pub(crate) kind: TrackKind,
    /// What its track is said to need; `None` where nothing is said.
    pub(crate) bit_rate: Option<BitRate>,
    /// How long it plays.
    pub(crate) duration: Duration,
    /// What it defines.
    pub(crate) variables: Variables,
}

impl Track {
    /// The playlist as the plan lists it.
    pub(crate) const fn planned(&self) -> PlannedPlaylist {
        PlannedPlaylist { kind: self.kind, origin: self.origin, duration: self.duration }
    }
}

/// A media playlist to plan.
#[derive(Debug)]
pub(crate) struct Input<'p, 'a> {
    /// Its place among the plan's playlists.
    pub(crate) number: u32,
    /// Its place in the [`OriginSet`].
    pub(crate) origin: u32,
    /// Its final URL.
    pub(crate) base: Url,
    /// What it carries.
    pub(crate) kind: TrackKind,
    /// What its track is said to need; `None` where nothing is said.
    pub(crate) bit_rate: Option<BitRate>,
    /// The playlist.
    pub(crate) media: &'p MediaPlaylist<'a>,
}

impl<'p, 'a> Input<'p, 'a> {
    fn new(origins: &OriginSet, origin: u32, media: &'p MediaPlaylist<'a>) -> Result<Self, PlanError> {
        let from = origins.get(origin).ok_or(PlanError::WrongPlaylists { expected: 1, found: 0 })?;
        let input = Self {
            number: origin.saturating_sub(1),
            origin,
            base: base_of(from)?,
            kind: TrackKind::Video,
            bit_rate: None,
            media,
        };
        input.check()?;
        Ok(input)
    }

    /// What errors call it.
    pub(crate) fn name(&self) -> String {
        public_part(self.base.as_str())
    }

    /// What stays of it.
    pub(crate) fn track(&self) -> Track {
        Track {
            number: self.number,
            origin: self.origin,
            name: self.name(),
            kind: self.kind,
            bit_rate: self.bit_rate,
            duration: self.media.duration(),
            variables: self.media.variables.clone(),
        }
    }

    fn check(&self) -> Result<(), PlanError> {
        if self.media.skip.is_some() {
            return Err(PlanError::DeltaUpdate { playlist: self.name() });
        }
        if !self.media.end_list {
            return Err(PlanError::Live { playlist: self.name() });
        }
        if self.media.segments.is_empty() {
            return Err(PlanError::Empty { playlist: self.name() });
        }
        Ok(())
    }

    /// Bytes that a segment is expected to have; 0 where nothing is known.
    pub(crate) fn expected_bytes(&self, segment: &Segment<'_>) -> u64 {
        let stated = segment.bitrate.map(|kilobits| BitRate(u64::from(kilobits) * 1000));
        stated.or(self.bit_rate).map_or(0, |rate| rate.bytes_in(segment.duration))
    }
}

pub(super) fn base_of(origin: &Origin) -> Result<Url, PlanError> {
    Url::parse(&origin.url).map_err(|_| PlanError::InvalidUri { playlist: public_part(&origin.url), line: 0 })
}

/// The playlists to plan: the chosen ones, or the one that came instead of a multivariant playlist.
pub(super) fn inputs<'p, 'a>(
    origins: &OriginSet,
    entry: &'p Playlist<'a>,
    media: &'p [MediaPlaylist<'a>],
    selection: Option<&Selection>,
) -> Result<Vec<Input<'p, 'a>>, PlanError> {
    match (entry, selection) {
        (Playlist::Media(only), _) => {
            let input = Input::new(origins, 0, only)?;
            Ok(vec![Input { kind: kind_of(only), ..input }])
        }
        (Playlist::Multivariant(_), Some(selection)) => chosen(origins, media, selection),
        (Playlist::Multivariant(_), None) => {
            Err(PlanError::WrongPlaylists { expected: 1, found: media.len() })
        }
    }
}

fn chosen<'p, 'a>(
    origins: &OriginSet,
    media: &'p [MediaPlaylist<'a>],
    selection: &Selection,
) -> Result<Vec<Input<'p, 'a>>, PlanError> {
    let expected = selection.playlists().len();
    if expected != media.len() || expected != origins.media.len() {
        return Err(PlanError::WrongPlaylists { expected, found: media.len().min(origins.media.len()) });
    }
    let mut first_tracks = HashMap::new();
    for track in selection.tracks.iter().rev() {
        first_tracks.insert(track.uri.as_deref(), track);
    }
    let uris = selection.playlists();
    let mut inputs = Vec::with_capacity(media.len());
    for ((uri, media), origin) in uris.into_iter().zip(media).zip(1..) {
        let input = Input::new(origins, origin, media)?;
        let track = first_tracks.get(&Some(uri));
        let kind = track.map_or(TrackKind::Video, |track| track.kind);
        inputs.push(Input { kind, bit_rate: track.and_then(|track| track.bit_rate), ..input });
    }
    Ok(inputs)
}

/// What a media playlist carries that came alone, by the names of its segments.
fn kind_of(media: &MediaPlaylist<'_>) -> TrackKind {
    let extension = media.segments.first().and_then(|first| super::extension::of_uri(&first.uri.text));
    match extension.as_deref() {
        Some("vtt" | "webvtt" | "srt" | "ttml") => TrackKind::Text,
        Some("aac" | "m4a" | "mp3" | "ac3" | "ec3" | "eac3" | "cmfa") => TrackKind::Audio,
        _ => TrackKind::Video,
    }
}

/// Milliseconds, for fetches.
pub(super) fn millis(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}
