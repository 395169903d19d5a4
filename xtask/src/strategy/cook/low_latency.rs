//! What a playlist of low latency has: nothing of it may be fetched or kept.

use std::time::Duration;

use super::track::Track;
use crate::strategy::recipe::{Ending, SegmentRecipe, Spelling, TrackRecipe};
use crate::tree::{
    Body, FileId, HintKind, Link, LowLatency, LowLatencyTag, Offset, Part, PlaylistId, PreloadHint, Range,
    RenditionReport, ServerControl, Tag,
};

/// No segment is longer than ten seconds, and a part is half of one.
const PART_TARGET: Duration = Duration::from_secs(5);
const PART_BYTES: u64 = 30;

pub(super) fn head(recipe: &TrackRecipe) -> LowLatency {
    let control = ServerControl {
        can_block_reload: true,
        can_skip_until: Some(Duration::from_secs(60)),
        hold_back: Some(Duration::from_millis(30_500)),
        part_hold_back: Some(PART_TARGET * 3),
    };
    LowLatency {
        server_control: recipe.low_latency.then_some(control),
        part_target: recipe.low_latency.then_some(PART_TARGET),
        skipped: (recipe.ending == Ending::Delta).then_some(1),
    }
}

impl Track<'_> {
    /// The two halves of a segment: a file of its own, and some bytes of the segment's.
    pub(super) fn parts(&mut self, recipe: &SegmentRecipe, file: FileId, range: Option<Range>) -> [Tag; 2] {
        let half = Duration::from_micros(recipe.microseconds.into()) / 2;
        let own = self.own(recipe.spelling, Body::Noise(PART_BYTES));
        let begin = range.map_or(0, |range| range.offset);
        let length = recipe.bytes.div_ceil(2);
        let second = Some(Range { offset: begin, length, written: Offset::Explicit });
        let part = |file, range, independent| {
            let uri = self.link(file, recipe.spelling);
            Tag::LowLatency(LowLatencyTag::Part(Part { uri, duration: half, range, independent }))
        };
        [part(own, None, true), part(file, second, false)]
    }

    /// Behind the last segment: what comes next, and how far the playlists are that are there already.
    pub(super) fn hint_and_reports(&mut self) -> Vec<Tag> {
        let next = self.own(Spelling::default(), Body::Noise(PART_BYTES));
        let hint = |kind, start, length| {
            let uri = Link::relative(next);
            Tag::LowLatency(LowLatencyTag::PreloadHint(PreloadHint { kind, uri, start, length }))
        };
        let report = |number| {
            let uri = Link::relative(PlaylistId(number));
            let report = RenditionReport { uri, last_msn: 7, last_part: (number > 0).then_some(1) };
            Tag::LowLatency(LowLatencyTag::RenditionReport(report))
        };
        let others = 0..self.kitchen.tree.playlists.len();
        let hints = [hint(HintKind::Part, 0, None), hint(HintKind::Map, 10, Some(20))];
        hints.into_iter().chain(others.map(report)).collect()
    }
}
