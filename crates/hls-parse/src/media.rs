//! Media playlists: segments, with everything that earlier lines say about them resolved (RFC 8216 4.3.2, 4.3.3).

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::date_range::DateRange;
use crate::define::Variables;
use crate::key::{Key, KeySetId};
use crate::line::Span;
use crate::low_latency::{Part, PreloadHint, RenditionReport, ServerControl, Skip};
use crate::value::{ByteRange, DateTime, Start, Uri};

/// A media playlist (RFC 8216 4.3.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MediaPlaylist<'a> {
    /// EXT-X-VERSION.
    pub version: Option<u32>,
    /// EXT-X-TARGETDURATION. `None`: missing or unreadable, which is also a diagnostic.
    pub target_duration: Option<Duration>,
    /// EXT-X-MEDIA-SEQUENCE: the number of the first segment; 0 when absent.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE; 0 when absent.
    pub discontinuity_sequence: u64,
    /// EXT-X-PLAYLIST-TYPE.
    pub playlist_type: Option<PlaylistType>,
    /// EXT-X-ENDLIST: nothing will be added.
    pub end_list: bool,
    /// EXT-X-I-FRAMES-ONLY.
    pub i_frames_only: bool,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-START.
    pub start: Option<Start>,
    /// What EXT-X-DEFINE defined.
    pub variables: Variables,
    /// The segments, in order.
    pub segments: Vec<Segment<'a>>,
    /// Sets of keys that are in effect somewhere, one key a KEYFORMAT; the first is the empty set.
    pub key_sets: Vec<Vec<Key<'a>>>,
    /// EXT-X-MAP, in order; a line that repeats the one in effect is not listed again.
    pub maps: Vec<Map<'a>>,
    /// EXT-X-SERVER-CONTROL.
    pub server_control: Option<ServerControl>,
    /// EXT-X-PART-INF: the target duration of parts.
    pub part_inf: Option<Duration>,
    /// EXT-X-PART, in order.
    pub parts: Vec<Part<'a>>,
    /// EXT-X-PRELOAD-HINT, in order.
    pub preload_hints: Vec<PreloadHint<'a>>,
    /// EXT-X-RENDITION-REPORT, in order.
    pub rendition_reports: Vec<RenditionReport<'a>>,
    /// EXT-X-SKIP: this is a delta update, useless without what came before.
    pub skip: Option<Skip<'a>>,
    /// EXT-X-DATERANGE, in order.
    pub date_ranges: Vec<DateRange<'a>>,
}

impl<'a> MediaPlaylist<'a> {
    /// The sum of all segments' durations.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.segments.iter().fold(Duration::ZERO, |sum, segment| sum.saturating_add(segment.duration))
    }

    /// When each segment begins, in order: as its own EXT-X-PROGRAM-DATE-TIME says, else when the one before ends.
    ///
    /// `None` before the first date, and from an EXT-X-DISCONTINUITY to the next date: times behind it have nothing to
    /// do with those before it (RFC 8216 4.3.2.3, 4.3.2.6).
    pub fn dates(&self) -> impl Iterator<Item = Option<DateTime>> {
        let mut end: Option<DateTime> = None;
        self.segments.iter().map(move |segment| {
            let continued = end.filter(|_| !segment.discontinuity);
            let date = segment.program_date_time.or(continued);
            end = date.and_then(|date| date.checked_add(segment.duration));
            date
        })
    }

    /// The keys in effect at a segment of this playlist; none: not encrypted.
    #[must_use]
    pub fn keys_of(&self, segment: &Segment<'a>) -> &[Key<'a>] {
        self.key_set(segment.keys)
    }

    /// The keys of one set; none for an id from elsewhere.
    #[must_use]
    pub fn key_set(&self, id: KeySetId) -> &[Key<'a>] {
        self.key_sets.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The initialization section in effect at a segment of this playlist.
    #[must_use]
    pub fn map_of(&self, segment: &Segment<'a>) -> Option<&Map<'a>> {
        segment.map.and_then(|id| self.maps.get(id.index()))
    }
}

/// EXT-X-PLAYLIST-TYPE (RFC 8216 4.3.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PlaylistType {
    /// VOD: never changes.
    Vod,
    /// EVENT: only grows.
    Event,
}

impl PlaylistType {
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "VOD" => Some(Self::Vod),
            "EVENT" => Some(Self::Event),
            _ => None,
        }
    }
}

/// A media segment (RFC 8216 4.3.2): a URI line and everything that applies to it.
// 144 bytes: a playlist of a day has tens of thousands, and their size is most of the time that reading takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment<'a> {
    /// The media.
    pub uri: Uri<'a>,
    /// EXTINF, exact to the nanosecond; zero when unreadable, which is also a diagnostic.
    pub duration: Duration,
    /// What follows the comma of EXTINF, if anything does; up to the first byte that is not UTF-8, which is also a diagnostic.
    pub title: Option<&'a str>,
    /// EXT-X-BYTERANGE, resolved; `None`: the whole resource.
    pub byte_range: Option<ByteRange>,
    /// Its number: what an implicit IV is made of.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY stands before it.
    pub discontinuity: bool,
    /// How many discontinuities came before it, counted from EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: u64,
    /// EXT-X-GAP: the media is missing and not to be fetched.
    pub gap: bool,
    /// The keys in effect; see [`MediaPlaylist::keys_of`].
    pub keys: KeySetId,
    /// The initialization section in effect; see [`MediaPlaylist::map_of`].
    pub map: Option<MapId>,
    /// EXT-X-BITRATE in effect: kilobits per second, as the tag states it.
    pub bitrate: Option<u32>,
    /// EXT-X-PROGRAM-DATE-TIME, where one stands before this very segment.
    pub program_date_time: Option<DateTime>,
    /// The URI's line number.
    pub line: u32,
}

/// Which initialization section (RFC 8216 4.3.2.5): an index into [`MediaPlaylist::maps`].
// One more than the index, so that an `Option` is no larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(NonZeroU32);

impl MapId {
    /// The id of the section at `index`; the last one for more than there can be.
    #[must_use]
    pub fn new(index: usize) -> Self {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    /// Its place in [`MediaPlaylist::maps`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// As the index.
impl Serialize for MapId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.index().serialize(serializer)
    }
}

/// An initialization section: an EXT-X-MAP tag (RFC 8216 4.3.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Map<'a> {
    /// URI.
    pub uri: Uri<'a>,
    /// BYTERANGE; `None`: the whole resource.
    pub byte_range: Option<ByteRange>,
    /// The keys in effect where the tag stands; see [`MediaPlaylist::key_set`].
    pub keys: KeySetId,
    /// The tag's line number.
    pub line: u32,
    /// The tag's line, without terminator.
    pub tag: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_takes_144_bytes() {
        assert_eq!(size_of::<Segment<'_>>(), 144);
    }
}
