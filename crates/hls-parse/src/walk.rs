//! A playlist's lines with their values, one after the other: nothing is kept, so the text may be any size.

use std::time::Duration;

use crate::attributes::{Attributes, attributes};
use crate::diagnose::Rule;
use crate::inf::Inf;
use crate::line::{Line, LineKind, Lines, lines};
use crate::media::PlaylistType;
use crate::value::{DateTime, byte_range_parts, duration_prefix, integer};

/// A line and what it says.
#[derive(Debug, Clone)]
pub struct TypedLine<'a> {
    /// Its number and its places in the text.
    pub line: Line<'a>,
    /// What it says.
    pub content: Content<'a>,
}

/// What a line says, as written: what earlier lines say about it is not put in, and neither are variables.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// Nothing.
    Blank,
    /// What follows `#` on a line that is no tag.
    Comment(&'a [u8]),
    /// A URI.
    Uri(&'a str),
    /// A tag of RFC 8216 or its successor, with its value.
    Tag(Tag<'a>),
    /// A tag that neither knows.
    UnknownTag {
        /// The name without `#`.
        name: &'a str,
        /// What follows the first `:`.
        value: Option<&'a [u8]>,
    },
    /// A known tag or a URI whose value cannot be read, by this rule; [`Line::kind`] has its bytes.
    Unreadable(Rule),
}

/// A tag with its value.
///
/// Attribute lists are read when they are asked: [`Attributes::value_of`] finds one value, going over the list once,
/// and the list is an iterator. Errors in them are met there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Tag<'a> {
    /// EXTM3U (RFC 8216 4.3.1.1).
    M3u,
    /// EXT-X-VERSION (RFC 8216 4.3.1.2).
    Version(u32),
    /// EXT-X-INDEPENDENT-SEGMENTS (RFC 8216 4.3.5.1).
    IndependentSegments,
    /// EXT-X-START (RFC 8216 4.3.5.2).
    Start(Attributes<'a>),
    /// EXT-X-DEFINE (rfc8216bis 4.4.2.3).
    Define(Attributes<'a>),
    /// EXTINF (RFC 8216 4.3.2.1).
    Inf(Inf<'a>),
    /// EXT-X-BYTERANGE (RFC 8216 4.3.2.2).
    ByteRange {
        /// How many bytes.
        length: u64,
        /// Where they begin; `None`: where the range before ends.
        offset: Option<u64>,
    },
    /// EXT-X-DISCONTINUITY (RFC 8216 4.3.2.3).
    Discontinuity,
    /// EXT-X-KEY (RFC 8216 4.3.2.4).
    Key(Attributes<'a>),
    /// EXT-X-MAP (RFC 8216 4.3.2.5).
    Map(Attributes<'a>),
    /// EXT-X-PROGRAM-DATE-TIME (RFC 8216 4.3.2.6).
    ProgramDateTime(DateTime),
    /// EXT-X-DATERANGE (RFC 8216 4.3.2.7).
    DateRange(Attributes<'a>),
    /// EXT-X-GAP (rfc8216bis 4.4.4.7).
    Gap,
    /// EXT-X-BITRATE (rfc8216bis 4.4.4.8), in kilobits per second.
    Bitrate(u32),
    /// EXT-X-PART (rfc8216bis 4.4.4.9).
    Part(Attributes<'a>),
    /// EXT-X-TARGETDURATION (RFC 8216 4.3.3.1).
    TargetDuration(Duration),
    /// EXT-X-MEDIA-SEQUENCE (RFC 8216 4.3.3.2).
    MediaSequence(u64),
    /// EXT-X-DISCONTINUITY-SEQUENCE (RFC 8216 4.3.3.3).
    DiscontinuitySequence(u64),
    /// EXT-X-ENDLIST (RFC 8216 4.3.3.4).
    EndList,
    /// EXT-X-PLAYLIST-TYPE (RFC 8216 4.3.3.5).
    PlaylistType(PlaylistType),
    /// EXT-X-I-FRAMES-ONLY (RFC 8216 4.3.3.6).
    IFramesOnly,
    /// EXT-X-PART-INF (rfc8216bis 4.4.3.7).
    PartInf(Attributes<'a>),
    /// EXT-X-SERVER-CONTROL (rfc8216bis 4.4.3.8).
    ServerControl(Attributes<'a>),
    /// EXT-X-SKIP (rfc8216bis 4.4.5.2).
    Skip(Attributes<'a>),
    /// EXT-X-PRELOAD-HINT (rfc8216bis 4.4.5.3).
    PreloadHint(Attributes<'a>),
    /// EXT-X-RENDITION-REPORT (rfc8216bis 4.4.5.4).
    RenditionReport(Attributes<'a>),
    /// EXT-X-MEDIA (RFC 8216 4.3.4.1).
    Media(Attributes<'a>),
    /// EXT-X-STREAM-INF (RFC 8216 4.3.4.2).
    StreamInf(Attributes<'a>),
    /// EXT-X-I-FRAME-STREAM-INF (RFC 8216 4.3.4.3).
    IFrameStreamInf(Attributes<'a>),
    /// EXT-X-SESSION-DATA (RFC 8216 4.3.4.4).
    SessionData(Attributes<'a>),
    /// EXT-X-SESSION-KEY (RFC 8216 4.3.4.5).
    SessionKey(Attributes<'a>),
    /// EXT-X-CONTENT-STEERING (rfc8216bis 4.4.6.6).
    ContentSteering(Attributes<'a>),
}

/// The lines of `text` with their values: the way to read a playlist, of either kind, without keeping it.
///
/// It allocates nothing, takes time in proportion to the text and never fails: a line that cannot be read is
/// [`Content::Unreadable`], the next one is read again. It judges no line by another, refuses nothing and has no
/// limits but 4 GiB; [`parse`](crate::parse) does and has. Of values that are not what their tag asks for it reads less:
/// `parse` also takes dates in quotes or without a time, a PLAYLIST-TYPE in lower case, and a number that text follows.
///
/// ```
/// use hls_parse::{Content, Tag, walk};
/// use std::time::Duration;
///
/// let text = b"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"a.key\"\n#EXTINF:4.004,\n1.ts\n#EXTINF:2.5,\n2.ts\n";
/// let (mut duration, mut segments, mut keys) = (Duration::ZERO, 0, Vec::new());
/// for step in walk(text) {
///     match step.content {
///         Content::Tag(Tag::Inf(inf)) => duration += inf.duration.unwrap_or_default(),
///         Content::Tag(Tag::Key(list)) => keys.extend(list.value_of("URI").map(|it| it.text())),
///         Content::Uri(_) => segments += 1,
///         _ => {}
///     }
/// }
/// assert_eq!((duration.as_millis(), segments, keys), (6504, 2, vec!["a.key"]));
/// ```
#[must_use]
pub fn walk(text: &[u8]) -> Walk<'_> {
    Walk { lines: lines(text) }
}

/// The lines of a text with their values, in order; made by [`walk`].
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    lines: Lines<'a>,
}

impl<'a> Iterator for Walk<'a> {
    type Item = TypedLine<'a>;

    #[inline]
    fn next(&mut self) -> Option<TypedLine<'a>> {
        let line = self.lines.next()?;
        let content = match line.kind {
            LineKind::Blank => Content::Blank,
            LineKind::Comment(text) => Content::Comment(text),
            LineKind::Uri(bytes) => match str::from_utf8(bytes) {
                Ok(uri) => Content::Uri(uri),
                Err(_) => Content::Unreadable(Rule::NotUtf8),
            },
            LineKind::Tag { name: "EXTINF", value } => {
                Content::Tag(Tag::Inf(Inf::read(value.map_or(b"", |(bytes, _)| bytes)).0))
            }
            LineKind::Tag { name, value } => tag(&line, name, value.map(|(bytes, _)| bytes)),
        };
        Some(TypedLine { line, content })
    }
}

fn tag<'a>(line: &Line<'a>, name: &'a str, value: Option<&'a [u8]>) -> Content<'a> {
    let read = match name {
        "EXTM3U" => Ok(Tag::M3u),
        "EXT-X-INDEPENDENT-SEGMENTS" => Ok(Tag::IndependentSegments),
        "EXT-X-DISCONTINUITY" => Ok(Tag::Discontinuity),
        "EXT-X-GAP" => Ok(Tag::Gap),
        "EXT-X-ENDLIST" => Ok(Tag::EndList),
        "EXT-X-I-FRAMES-ONLY" => Ok(Tag::IFramesOnly),
        _ => match list_tag(name) {
            Some(tag) => Ok(tag(attributes(line))),
            None => match value_tag(name, value) {
                Some(read) => read,
                None => return Content::UnknownTag { name, value },
            },
        },
    };
    read.map_or_else(Content::Unreadable, Content::Tag)
}

/// Tags with an attribute list.
fn list_tag<'a>(name: &str) -> Option<fn(Attributes<'a>) -> Tag<'a>> {
    Some(match name {
        "EXT-X-KEY" => Tag::Key,
        "EXT-X-MAP" => Tag::Map,
        "EXT-X-PART" => Tag::Part,
        "EXT-X-STREAM-INF" => Tag::StreamInf,
        "EXT-X-MEDIA" => Tag::Media,
        "EXT-X-I-FRAME-STREAM-INF" => Tag::IFrameStreamInf,
        "EXT-X-DATERANGE" => Tag::DateRange,
        "EXT-X-START" => Tag::Start,
        "EXT-X-DEFINE" => Tag::Define,
        "EXT-X-PART-INF" => Tag::PartInf,
        "EXT-X-SERVER-CONTROL" => Tag::ServerControl,
        "EXT-X-SKIP" => Tag::Skip,
        "EXT-X-PRELOAD-HINT" => Tag::PreloadHint,
        "EXT-X-RENDITION-REPORT" => Tag::RenditionReport,
        "EXT-X-SESSION-DATA" => Tag::SessionData,
        "EXT-X-SESSION-KEY" => Tag::SessionKey,
        "EXT-X-CONTENT-STEERING" => Tag::ContentSteering,
        _ => return None,
    })
}

/// Tags with one value of another form.
fn value_tag<'a>(name: &str, value: Option<&[u8]>) -> Option<Result<Tag<'a>, Rule>> {
    let text = value.and_then(|bytes| str::from_utf8(bytes).ok()).map_or("", str::trim);
    let number = integer(text);
    let small = number.and_then(|number| u32::try_from(number).ok());
    Some(match name {
        "EXT-X-PROGRAM-DATE-TIME" => DateTime::parse(text).map(Tag::ProgramDateTime).ok_or(Rule::DateTime),
        "EXT-X-BYTERANGE" => {
            byte_range_parts(text.trim_matches('"')).map(|(length, offset)| Tag::ByteRange { length, offset })
        }
        "EXT-X-BITRATE" => small.map(Tag::Bitrate).ok_or(Rule::Bitrate),
        "EXT-X-VERSION" => small.map(Tag::Version).ok_or(Rule::TagValue),
        "EXT-X-TARGETDURATION" => {
            let duration = duration_prefix(text.as_bytes()).map(|(duration, _)| duration);
            duration.map(Tag::TargetDuration).ok_or(Rule::TargetDuration)
        }
        "EXT-X-MEDIA-SEQUENCE" => number.map(Tag::MediaSequence).ok_or(Rule::SequenceNumber),
        "EXT-X-DISCONTINUITY-SEQUENCE" => number.map(Tag::DiscontinuitySequence).ok_or(Rule::SequenceNumber),
        "EXT-X-PLAYLIST-TYPE" => PlaylistType::of(text).map(Tag::PlaylistType).ok_or(Rule::PlaylistType),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
