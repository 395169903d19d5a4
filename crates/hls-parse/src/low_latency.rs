//! What low-latency media playlists add (rfc8216bis 4.4.3.8, 4.4.4.9, 4.4.5).

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::key::KeySetId;
use crate::line::Span;
use crate::media::MapId;
use crate::value::{ByteRange, Uri};

/// How the server delivers the playlist: the EXT-X-SERVER-CONTROL tag (rfc8216bis 4.4.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ServerControl {
    /// CAN-SKIP-UNTIL: older segments than this can be skipped.
    pub can_skip_until: Option<Duration>,
    /// CAN-SKIP-DATERANGES.
    pub can_skip_date_ranges: bool,
    /// HOLD-BACK: the distance from the end at which to play.
    pub hold_back: Option<Duration>,
    /// PART-HOLD-BACK: the same, when playing parts.
    pub part_hold_back: Option<Duration>,
    /// CAN-BLOCK-RELOAD.
    pub can_block_reload: bool,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// A part of a segment: an EXT-X-PART tag (rfc8216bis 4.4.4.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part<'a> {
    /// URI.
    pub uri: Uri<'a>,
    /// DURATION; zero when unreadable, which is also a diagnostic.
    pub duration: Duration,
    /// INDEPENDENT: it begins with an independent frame.
    pub independent: bool,
    /// BYTERANGE, resolved; `None`: the whole resource.
    pub byte_range: Option<ByteRange>,
    /// GAP: it is missing.
    pub gap: bool,
    /// The number of the segment that it is a part of.
    pub media_sequence: u64,
    /// The keys in effect.
    pub keys: KeySetId,
    /// The initialization section in effect.
    pub map: Option<MapId>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// A resource that will be needed: an EXT-X-PRELOAD-HINT tag (rfc8216bis 4.4.5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreloadHint<'a> {
    /// TYPE.
    pub kind: HintKind,
    /// URI.
    pub uri: Uri<'a>,
    /// BYTERANGE-START; 0 when absent.
    pub start: u64,
    /// BYTERANGE-LENGTH; `None`: up to the resource's end.
    pub length: Option<u64>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// What a preload hint is of (rfc8216bis 4.4.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HintKind {
    /// PART.
    Part,
    /// MAP.
    Map,
}

/// How far another rendition is: an EXT-X-RENDITION-REPORT tag (rfc8216bis 4.4.5.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenditionReport<'a> {
    /// URI: that rendition's playlist.
    pub uri: Uri<'a>,
    /// LAST-MSN: the number of its last segment.
    pub last_msn: Option<u64>,
    /// LAST-PART: the index of its last part.
    pub last_part: Option<u64>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// Segments left out of a delta update: the EXT-X-SKIP tag (rfc8216bis 4.4.5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skip<'a> {
    /// SKIPPED-SEGMENTS: how many.
    pub segments: u64,
    /// RECENTLY-REMOVED-DATERANGES: ids with tabs between, as written.
    pub recently_removed_date_ranges: Option<Cow<'a, str>>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}
