//! What earlier lines say about each segment.

use super::{Facts, SegmentFacts, bytes, nanoseconds};
use crate::tree::{Hosts, Key, MapTag, MediaPlaylist, Method, RunSegment, Segment, Tag, Tree};

/// The facts of a media playlist's segments, in order, one at a time.
#[must_use]
pub fn segments<'a>(tree: &'a Tree, hosts: &'a Hosts, playlist: &'a MediaPlaylist) -> Segments<'a> {
    let run = playlist.run.iter().flat_map(|run| run.segments());
    let state = State {
        media_sequence: first_number(playlist),
        discontinuities: playlist.discontinuity_sequence.unwrap_or(0),
        ..State::default()
    };
    Segments { facts: Facts { tree, hosts }, state, listed: playlist.segments.iter(), run: Box::new(run) }
}

/// An iterator over [`SegmentFacts`].
#[expect(missing_debug_implementations, reason = "an iterator over values that can be printed")]
pub struct Segments<'a> {
    facts: Facts<'a>,
    state: State<'a>,
    listed: std::slice::Iter<'a, Segment>,
    run: Box<dyn Iterator<Item = RunSegment> + 'a>,
}

impl Iterator for Segments<'_> {
    type Item = SegmentFacts;

    fn next(&mut self) -> Option<SegmentFacts> {
        if let Some(segment) = self.listed.next() {
            let (mut discontinuity, mut gap) = (false, false);
            for tag in &segment.before {
                self.state.see(tag);
                discontinuity |= matches!(tag, Tag::Discontinuity);
                gap |= matches!(tag, Tag::Gap);
            }
            let (url, duration_ns) = (self.facts.url(&segment.uri), nanoseconds(segment.duration));
            let range = segment.range.map(bytes);
            let facts = self.state.segment(url, duration_ns);
            let bitrate = facts.bitrate.filter(|_| range.is_none());
            return Some(SegmentFacts { range, discontinuity, gap, bitrate, ..facts });
        }
        let segment = self.run.next()?;
        let url = self.facts.hosts.url(&segment.location);
        Some(self.state.segment(url, nanoseconds(segment.duration)))
    }
}

/// What the lines so far leave in effect.
#[derive(Debug, Default)]
struct State<'a> {
    media_sequence: u64,
    discontinuities: u64,
    stated_keys: usize,
    keys: Vec<(usize, &'a Key)>,
    stated_maps: usize,
    bitrate: Option<u64>,
}

impl<'a> State<'a> {
    fn see(&mut self, tag: &'a Tag) {
        match tag {
            Tag::Key(key) => self.see_key(key),
            Tag::Map(_) => self.stated_maps += 1,
            Tag::Discontinuity => self.discontinuities += 1,
            Tag::Bitrate(rate) => self.bitrate = Some(*rate),
            Tag::Gap | Tag::ProgramDateTime(_) | Tag::DateRange(_) | Tag::LowLatency(_) | Tag::Raw(_) => {}
        }
    }

    /// A key replaces the one of its format; NONE ends them all.
    fn see_key(&mut self, key: &'a Key) {
        if key.method == Method::None {
            self.keys.clear();
            return;
        }
        self.keys.retain(|(_, other)| other.format() != key.format());
        self.keys.push((self.stated_keys, key));
        self.stated_keys += 1;
    }

    fn key_indexes(&self) -> Vec<usize> {
        self.keys.iter().map(|(index, _)| *index).collect()
    }

    /// The facts of the next segment; its number is used up.
    fn segment(&mut self, url: String, duration_ns: u64) -> SegmentFacts {
        let media_sequence = self.media_sequence;
        self.media_sequence = media_sequence.saturating_add(1);
        SegmentFacts {
            url,
            duration_ns,
            media_sequence,
            range: None,
            discontinuity: false,
            discontinuity_sequence: self.discontinuities,
            gap: false,
            keys: self.key_indexes(),
            map: self.stated_maps.checked_sub(1),
            bitrate: self.bitrate,
        }
    }
}

/// The number of the first segment that is listed.
pub(super) fn first_number(playlist: &MediaPlaylist) -> u64 {
    let skipped = playlist.low_latency.skipped.unwrap_or(0);
    playlist.media_sequence.unwrap_or(0).saturating_add(skipped)
}

/// The key that a line states; none for METHOD=NONE.
pub(super) fn stated_key(tag: &Tag) -> Option<&Key> {
    match tag {
        Tag::Key(key) if key.method != Method::None => Some(key),
        Tag::Key(_)
        | Tag::Map(_)
        | Tag::Discontinuity
        | Tag::Gap
        | Tag::ProgramDateTime(_)
        | Tag::Bitrate(_)
        | Tag::DateRange(_)
        | Tag::LowLatency(_)
        | Tag::Raw(_) => None,
    }
}

/// The maps in order, each with the keys in effect where it stands.
pub(super) fn maps(playlist: &MediaPlaylist) -> impl Iterator<Item = (&MapTag, Vec<usize>)> {
    let tags = playlist.segments.iter().flat_map(|segment| &segment.before).chain(&playlist.tail);
    let mut state = State::default();
    tags.filter_map(move |tag| {
        state.see(tag);
        match tag {
            Tag::Map(map) => Some((map, state.key_indexes())),
            Tag::Key(_)
            | Tag::Discontinuity
            | Tag::Gap
            | Tag::ProgramDateTime(_)
            | Tag::Bitrate(_)
            | Tag::DateRange(_)
            | Tag::LowLatency(_)
            | Tag::Raw(_) => None,
        }
    })
}
