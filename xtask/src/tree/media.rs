//! Media playlists: lines that stand before segments, and segments.

use std::time::Duration;

use super::{Define, FileId, Key, Link, Location, LowLatency, LowLatencyTag, Start, TextStyle};

/// A media playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// Where it is.
    pub location: Location,
    /// How its text is spelled.
    pub style: TextStyle,
    /// EXT-X-VERSION.
    pub version: Option<u32>,
    /// EXT-X-MEDIA-SEQUENCE.
    pub media_sequence: Option<u64>,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: Option<u64>,
    /// EXT-X-PLAYLIST-TYPE.
    pub playlist_type: Option<PlaylistType>,
    /// EXT-X-ENDLIST.
    pub end_list: bool,
    /// EXT-X-I-FRAMES-ONLY.
    pub i_frames_only: bool,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-START.
    pub start: Option<Start>,
    /// EXT-X-DEFINE, in order, before any line that uses them.
    pub defines: Vec<Define>,
    /// What the low-latency extension adds to the head.
    pub low_latency: LowLatency,
    /// Lines behind the head, before the segments, written as they are: unknown tags, comments, blank lines.
    pub head: Vec<String>,
    /// Segments.
    pub segments: Vec<Segment>,
    /// More segments behind those, all alike.
    pub run: Option<Run>,
    /// Lines after the last segment.
    pub tail: Vec<Tag>,
}

/// EXT-X-PLAYLIST-TYPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaylistType {
    /// VOD.
    Vod,
    /// EVENT.
    Event,
}

impl PlaylistType {
    /// The word in the playlist.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vod => "VOD",
            Self::Event => "EVENT",
        }
    }
}

/// A media segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The lines before it, in order, EXTINF and BYTERANGE apart.
    pub before: Vec<Tag>,
    /// EXTINF.
    pub duration: Duration,
    /// What follows the comma of EXTINF; empty for nothing.
    pub title: String,
    /// The file it is in.
    pub uri: Link<FileId>,
    /// EXT-X-BYTERANGE.
    pub range: Option<Range>,
}

/// Some bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Offset of the first byte.
    pub offset: u64,
    /// How many.
    pub length: u64,
    /// Whether the text says the offset. Only EXT-X-BYTERANGE may leave it out.
    pub written: Offset,
}

/// Whether a byte range states its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// `100@200`.
    Explicit,
    /// `100`: it begins where the previous segment, which is in the same file, ends.
    Implied,
}

/// A line before a segment, or behind the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// EXT-X-KEY.
    Key(Key),
    /// EXT-X-MAP.
    Map(MapTag),
    /// EXT-X-DISCONTINUITY.
    Discontinuity,
    /// EXT-X-GAP.
    Gap,
    /// EXT-X-PROGRAM-DATE-TIME, as written.
    ProgramDateTime(String),
    /// EXT-X-BITRATE, in kilobits a second.
    Bitrate(u64),
    /// EXT-X-DATERANGE.
    DateRange(DateRange),
    /// EXT-X-PART, EXT-X-PRELOAD-HINT or EXT-X-RENDITION-REPORT.
    LowLatency(LowLatencyTag),
    /// Any other line, written as it is.
    Raw(String),
}

/// EXT-X-MAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapTag {
    /// The file it is in.
    pub uri: Link<FileId>,
    /// BYTERANGE; its offset is always written.
    pub range: Option<Range>,
}

/// EXT-X-DATERANGE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateRange {
    /// ID.
    pub id: String,
    /// CLASS.
    pub class: Option<String>,
    /// START-DATE, as written.
    pub start: String,
    /// DURATION, as written, in seconds.
    pub duration: Option<String>,
    /// X-ASSET-URI or X-ASSET-LIST.
    pub asset: Option<Asset>,
    /// Further attributes, as written: `X-COM-ACME-AD="1"`.
    pub attributes: Vec<String>,
}

/// What an interstitial leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asset {
    /// X-ASSET-URI.
    Uri(Link<FileId>),
    /// X-ASSET-LIST.
    List(Link<FileId>),
}

/// Many segments without anything special, made one at a time: `PREFIX0000007SUFFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How many.
    pub count: u64,
    /// Where they are, up to the number.
    pub prefix: Location,
    /// What follows the number, which has [`Run::DIGITS`] digits with a slash behind the fourth.
    pub suffix: String,
    /// EXTINF of each.
    pub duration: Duration,
    /// Length of each file, in bytes.
    pub length: u64,
}

/// One segment of a [`Run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSegment {
    /// Where it is.
    pub location: Location,
    /// EXTINF.
    pub duration: Duration,
    /// Length of the file, in bytes.
    pub length: u64,
}

impl Run {
    /// Digits of a number: `0012/345` is 12345.
    pub const DIGITS: usize = 7;

    /// The segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = RunSegment> + '_ {
        (0..self.count).map(|number| self.segment(number))
    }

    fn segment(&self, number: u64) -> RunSegment {
        let (folder, rest) = (number / 1000, number % 1000);
        let target = format!("{}{folder:04}/{rest:03}{}", self.prefix.target, self.suffix);
        let location = Location::new(self.prefix.host, target);
        RunSegment { location, duration: self.duration, length: self.length }
    }

    /// The segment at a place, if one of these is there.
    #[must_use]
    pub fn find(&self, location: &Location) -> Option<RunSegment> {
        let rest = location.target.strip_prefix(&self.prefix.target)?.strip_suffix(&self.suffix)?;
        let number = rest.replacen('/', "", 1).parse().ok().filter(|number| *number < self.count)?;
        Some(self.segment(number)).filter(|segment| segment.location == *location)
    }
}

impl MediaPlaylist {
    /// The sum of all segments' durations.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let listed: Duration = self.segments.iter().map(|segment| segment.duration).sum();
        let each = |run: &Run| run.duration.saturating_mul(u32::try_from(run.count).unwrap_or(u32::MAX));
        listed.saturating_add(self.run.as_ref().map(each).unwrap_or_default())
    }

    /// EXT-X-TARGETDURATION: the longest segment, rounded to whole seconds, at least 1.
    #[must_use]
    pub fn target_duration(&self) -> u64 {
        let listed = self.segments.iter().map(|segment| segment.duration);
        let longest = listed.chain(self.run.as_ref().map(|run| run.duration)).max().unwrap_or_default();
        longest.saturating_add(Duration::from_millis(500)).as_secs().max(1)
    }

    /// How many segments there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.segments.len() as u64 + self.run.as_ref().map_or(0, |run| run.count)
    }

    /// Whether there is no segment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_finds_its_own_segments_and_no_others() {
        let run = Run {
            count: 2000,
            prefix: Location::new(1, "/seg/"),
            suffix: ".ts".into(),
            duration: Duration::from_secs(4),
            length: 9,
        };
        for segment in run.segments() {
            assert_eq!(run.find(&segment.location), Some(segment));
        }
        for (host, target) in [(1, "/seg/0002/000.ts"), (1, "/seg/0001000.ts"), (0, "/seg/0001/000.ts")] {
            assert_eq!(run.find(&Location::new(host, target)), None, "{host} {target}");
        }
    }
}
