//! What the low-latency extension adds to a media playlist (rfc8216bis 4.4.3.7, 4.4.3.8, 4.4.4.9 and 4.4.5).

use std::time::Duration;

use super::{FileId, Link, PlaylistId, Range};

/// What it adds to the head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LowLatency {
    /// EXT-X-SERVER-CONTROL.
    pub server_control: Option<ServerControl>,
    /// EXT-X-PART-INF: PART-TARGET.
    pub part_target: Option<Duration>,
    /// EXT-X-SKIP: so many segments are left out in front of the first. That makes it a delta update.
    pub skipped: Option<u64>,
}

/// EXT-X-SERVER-CONTROL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerControl {
    /// CAN-BLOCK-RELOAD=YES.
    pub can_block_reload: bool,
    /// CAN-SKIP-UNTIL, at least six target durations.
    pub can_skip_until: Option<Duration>,
    /// HOLD-BACK, at least three target durations.
    pub hold_back: Option<Duration>,
    /// PART-HOLD-BACK, at least two of PART-TARGET.
    pub part_hold_back: Option<Duration>,
}

/// A line before a segment, or behind the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LowLatencyTag {
    /// EXT-X-PART.
    Part(Part),
    /// EXT-X-PRELOAD-HINT.
    PreloadHint(PreloadHint),
    /// EXT-X-RENDITION-REPORT.
    RenditionReport(RenditionReport),
}

/// EXT-X-PART: a part of the segment behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file it is in.
    pub uri: Link<FileId>,
    /// DURATION.
    pub duration: Duration,
    /// BYTERANGE.
    pub range: Option<Range>,
    /// INDEPENDENT=YES.
    pub independent: bool,
}

/// EXT-X-PRELOAD-HINT: what will be needed next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreloadHint {
    /// TYPE.
    pub kind: HintKind,
    /// URI.
    pub uri: Link<FileId>,
    /// BYTERANGE-START; written unless it is 0.
    pub start: u64,
    /// BYTERANGE-LENGTH.
    pub length: Option<u64>,
}

/// TYPE of a preload hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintKind {
    /// PART.
    Part,
    /// MAP.
    Map,
}

impl HintKind {
    /// The word in the playlist.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Part => "PART",
            Self::Map => "MAP",
        }
    }
}

/// EXT-X-RENDITION-REPORT: how far another playlist is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenditionReport {
    /// URI.
    pub uri: Link<PlaylistId>,
    /// LAST-MSN.
    pub last_msn: u64,
    /// LAST-PART.
    pub last_part: Option<u64>,
}
