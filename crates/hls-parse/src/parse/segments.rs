//! What lines say about the segments behind them, carried along until a URI line takes it (RFC 8216 4.3.2).

use std::borrow::Cow;
use std::time::Duration;

use memchr::memchr;

use super::common::{byte_range, value_span, value_text};
use super::context::Context;
use super::key::{self, KeyState};
use super::tag::Tag;
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::key::KeySetId;
use crate::line::{Line, LineKind, Span, position};
use crate::media::{Map, MapId, Segment};
use crate::value::{ByteRange, DateTime, Uri, duration_prefix, integer};

pub(super) struct Segments<'a> {
    pub(super) list: Vec<Segment<'a>>,
    pub(super) maps: Vec<Map<'a>>,
    pub(super) keys: KeyState<'a>,
    /// The number of the next segment; none behind 2^64-1.
    pub(super) next_sequence: Option<u64>,
    /// Counted from EXT-X-DISCONTINUITY-SEQUENCE.
    pub(super) discontinuities: u64,
    pub(super) longest: Duration,
    bitrate: Option<u64>,
    map: Option<MapId>,
    pending: Pending<'a>,
}

/// What applies to the next URI line only.
#[derive(Default)]
struct Pending<'a> {
    inf: Option<Inf<'a>>,
    range: Option<(u64, Option<u64>)>,
    date: Option<DateTime>,
    discontinuity: bool,
    gap: bool,
}

/// An EXTINF line.
struct Inf<'a> {
    duration: Duration,
    title: Option<Cow<'a, str>>,
    line: u32,
    span: Span,
}

impl<'a> Segments<'a> {
    pub(super) fn new() -> Self {
        Self {
            list: Vec::new(),
            maps: Vec::new(),
            keys: KeyState::new(),
            next_sequence: Some(0),
            discontinuities: 0,
            longest: Duration::ZERO,
            bitrate: None,
            map: None,
            pending: Pending::default(),
        }
    }

    /// EXTINF (RFC 8216 4.3.2.1).
    pub(super) fn inf(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        let LineKind::Tag { value, .. } = line.kind else { return Ok(()) };
        let bytes = value.map_or(&b""[..], |(bytes, _)| bytes.trim_ascii_start());
        let (duration, used) = match duration_prefix(bytes) {
            Some((_, used)) if matches!(bytes.get(used), Some(b'e' | b'E')) => (None, used),
            Some((duration, used)) => (Some(duration), used),
            None => (None, 0),
        };
        if duration.is_none() {
            context.odd(line, value_span(line), Rule::Duration)?;
        }
        let rest = bytes.get(used..).unwrap_or_default();
        let title = match rest {
            [b',', title @ ..] => title,
            [] => {
                context.odd(line, line.span, Rule::NoComma)?;
                rest
            }
            _ => {
                if duration.is_some() {
                    context.odd(line, value_span(line), Rule::DurationSyntax)?;
                }
                memchr(b',', rest).and_then(|comma| rest.get(comma + 1..)).unwrap_or_default()
            }
        };
        let title = (!title.is_empty()).then(|| String::from_utf8_lossy(title));
        if self.pending.inf.is_some() {
            self.drop_inf(context)?;
        }
        let duration = duration.unwrap_or_default();
        self.pending.inf = Some(Inf { duration, title, line: line.number, span: line.span });
        Ok(())
    }

    /// Another EXTINF or the end came where a URI line should have been.
    pub(super) fn drop_inf(&mut self, context: &mut Context<'a, '_>) -> Result<(), Error> {
        match self.pending.inf.take() {
            Some(inf) => context.odd_at(inf.line, inf.span, Rule::NoSegmentUri),
            None => Ok(()),
        }
    }

    /// EXT-X-BYTERANGE; resolved when the URI is known.
    pub(super) fn byte_range(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        let text = value_text(line).unwrap_or_default();
        self.pending.range = Some(byte_range(context, line, text.trim_matches('"'))?);
        Ok(())
    }

    pub(super) fn discontinuity(&mut self, line: &Line<'a>) -> Result<(), Error> {
        self.pending.discontinuity = true;
        let overflow = || Error::at(line, ErrorKind::Rule(Rule::SequenceOverflow));
        self.discontinuities = self.discontinuities.checked_add(1).ok_or_else(overflow)?;
        Ok(())
    }

    pub(super) const fn gap(&mut self) {
        self.pending.gap = true;
    }

    /// EXT-X-BITRATE (rfc8216bis 4.4.4.8).
    pub(super) fn bitrate(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        self.bitrate = value_text(line).and_then(integer);
        if self.bitrate.is_none() { context.odd(line, value_span(line), Rule::Bitrate) } else { Ok(()) }
    }

    /// EXT-X-PROGRAM-DATE-TIME (RFC 8216 4.3.2.6).
    pub(super) fn date(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        self.pending.date = value_text(line).and_then(DateTime::parse);
        if self.pending.date.is_none() { context.odd(line, value_span(line), Rule::DateTime) } else { Ok(()) }
    }

    pub(super) fn key(&mut self, context: &mut Context<'a, '_>, line: Line<'a>) -> Result<(), Error> {
        let key = key::read(context, line)?;
        self.keys.apply(context, &line, key)
    }

    /// EXT-X-MAP (RFC 8216 4.3.2.5).
    pub(super) fn map(&mut self, context: &mut Context<'a, '_>, line: Line<'a>) -> Result<(), Error> {
        let mut tag = Tag::read(context, line)?;
        let uri = tag.required_uri("URI")?;
        let byte_range = match tag.byte_range("BYTERANGE")? {
            None => None,
            Some((length, offset)) => {
                if offset.is_none() {
                    tag.odd(Rule::MapRange)?;
                }
                Some(absolute(&line, length, offset.unwrap_or(0))?)
            }
        };
        if self.keys.lacks_iv() {
            tag.odd(Rule::MapIv)?;
        }
        let keys = self.keys.in_effect();
        let same = |it: &Map<'a>| it.uri.text == uri.text && it.byte_range == byte_range && it.keys == keys;
        if !self.map_in_effect().is_some_and(same) {
            self.map = Some(MapId(position(self.maps.len())));
            self.maps.push(Map { uri, byte_range, keys, line: line.number, tag: line.span });
        }
        Ok(())
    }

    fn map_in_effect(&self) -> Option<&Map<'a>> {
        self.maps.get(self.map?.0 as usize)
    }

    /// Keys, map and number for something at this place.
    pub(super) fn here(&mut self, line: &Line<'a>) -> Result<(KeySetId, Option<MapId>, u64), Error> {
        let overflow = || Error::at(line, ErrorKind::Rule(Rule::SequenceOverflow));
        Ok((self.keys.in_effect(), self.map, self.next_sequence.ok_or_else(overflow)?))
    }

    /// A URI line.
    #[inline]
    pub(super) fn uri(
        &mut self,
        context: &mut Context<'a, '_>,
        line: &Line<'a>,
        bytes: &'a [u8],
    ) -> Result<(), Error> {
        let pending = &mut self.pending;
        let (range, program_date_time) = (pending.range.take(), pending.date.take());
        let gap = std::mem::take(&mut pending.gap);
        let Some(inf) = pending.inf.take() else { return context.odd(line, line.span, Rule::NoDuration) };
        let discontinuity = std::mem::take(&mut pending.discontinuity);
        let uri = context.uri(line, bytes, line.content)?;
        let byte_range = match range {
            None => None,
            Some((length, Some(offset))) => Some(absolute(line, length, offset)?),
            Some((length, None)) => Some(absolute(line, length, self.continued_at(line, &uri)?)?),
        };
        let (keys, map, media_sequence) = self.here(line)?;
        self.next_sequence = media_sequence.checked_add(1);
        self.longest = self.longest.max(inf.duration);
        self.list.push(Segment {
            uri,
            duration: inf.duration,
            title: inf.title,
            byte_range,
            media_sequence,
            discontinuity,
            discontinuity_sequence: self.discontinuities,
            gap,
            keys,
            map,
            bitrate: self.bitrate,
            program_date_time,
            line: line.number,
        });
        Ok(())
    }

    /// Where the segment before ends, if it is a range of the same resource (RFC 8216 4.3.2.2).
    fn continued_at(&self, line: &Line<'a>, uri: &Uri<'a>) -> Result<u64, Error> {
        let before = self.list.last().filter(|segment| segment.uri.same_resource(uri));
        let range = before.and_then(|segment| segment.byte_range);
        range.map(ByteRange::end).ok_or_else(|| Error::at(line, ErrorKind::Rule(Rule::ByteRangeBase)))
    }
}

pub(super) fn absolute(line: &Line<'_>, length: u64, offset: u64) -> Result<ByteRange, Error> {
    match offset.checked_add(length) {
        Some(_) => Ok(ByteRange { offset, length }),
        None => Err(Error::at(line, ErrorKind::Rule(Rule::ByteRangeOverflow))),
    }
}
