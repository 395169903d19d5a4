//! How large a download will be, before it is made.

use crate::item::TrackKind;
use crate::plan::Track;
use crate::resource::{Fetch, Resource, Role};

/// How many bytes a download is expected to bring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Estimate {
    /// The expected bytes; 0 when nothing is known.
    pub bytes: u64,
    /// What the number comes from.
    pub basis: Basis,
}

/// What an estimate comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Nothing that says a size: not an estimate of 0 bytes.
    #[default]
    Unknown,
    /// The bit rates that the multivariant playlist states.
    BitRates,
    /// The byte ranges and EXT-X-BITRATE tags of media playlists of which no bit rate is stated.
    Segments,
    /// The length that the server states of a single media file.
    File,
}

/// The reference's rule: each track's bit rate times the presentation's duration; subtitles count nothing.
///
/// A playlist that two tracks share is fetched, and counts, once. Where a track with pictures or sound has
/// no stated bit rate, as a media playlist that came alone, byte ranges and EXT-X-BITRATE tags are summed, if
/// every segment has one: what is known of a part is no estimate of the whole.
pub(crate) fn estimate(tracks: &[Track], resources: &[Resource], fetches: &[Fetch]) -> Estimate {
    let duration = tracks.first().map(|first| first.duration).unwrap_or_default();
    let rates = tracks.iter().filter_map(|track| track.bit_rate);
    let bytes = rates.map(|rate| rate.bytes_in(duration)).fold(0, u64::saturating_add);
    let is_stated = |track: &Track| track.bit_rate.is_some_and(|rate| rate.0 > 0);
    if bytes > 0 && tracks.iter().all(|track| track.kind == TrackKind::Text || is_stated(track)) {
        return Estimate { bytes, basis: Basis::BitRates };
    }
    let is_media = |fetch: &&Fetch| {
        let resource = usize::try_from(fetch.resource).ok().and_then(|at| resources.get(at));
        resource.is_some_and(|resource| resource.role == Role::Segment)
    };
    let lengths = || fetches.iter().filter(is_media).map(|fetch| fetch.length.bytes());
    if lengths().any(|bytes| bytes == 0) {
        return Estimate::default();
    }
    match lengths().fold(0, u64::saturating_add) {
        0 => Estimate::default(),
        bytes => Estimate { bytes, basis: Basis::Segments },
    }
}
