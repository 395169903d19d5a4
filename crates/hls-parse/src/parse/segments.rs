//! What lines say about the segments behind them, carried along until a URI line takes it (RFC 8216 4.3.2).

use std::time::Duration;

use super::common::{byte_range, value_span, value_text};
use super::context::Context;
use super::key::{self, KeyState};
use super::tag::Tag;
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::inf::{Ending, Inf};
use crate::key::KeySetId;
use crate::line::{Line, LineKind, Span};
use crate::media::{Map, MapId, Segment};
use crate::value::{ByteRange, DateTime, Uri, integer};

pub(super) struct Segments<'a> {
    pub(super) list: Vec<Segment<'a>>,
    pub(super) maps: Vec<Map<'a>>,
    pub(super) keys: KeyState<'a>,
    /// The number of the next segment; none behind 2^64-1.
    pub(super) next_sequence: Option<u64>,
    /// Counted from EXT-X-DISCONTINUITY-SEQUENCE.
    pub(super) discontinuities: u64,
    pub(super) longest: Duration,
    /// Whether there is an EXT-X-PROGRAM-DATE-TIME.
    pub(super) dated: bool,
    /// Before which segment a delta update leaves others out.
    pub(super) skipped_before: Option<usize>,
    bitrate: Option<u32>,
    map: Option<MapId>,
    pending: Pending<'a>,
}

/// Room for so many segments is made at first.
const FIRST_ROOM: usize = 32;

/// What applies to the next URI line only.
#[derive(Default)]
struct Pending<'a> {
    /// With its line's number and place.
    inf: Option<(Inf<'a>, u32, Span)>,
    range: Option<(u64, Option<u64>)>,
    date: Option<DateTime>,
    discontinuity: bool,
    gap: bool,
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
            dated: false,
            skipped_before: None,
            bitrate: None,
            map: None,
            pending: Pending::default(),
        }
    }

    /// EXTINF (RFC 8216 4.3.2.1).
    pub(super) fn inf(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        let LineKind::Tag { value, .. } = line.kind else { return Ok(()) };
        let bytes: &[u8] = value.map_or(b"", |(bytes, _)| bytes);
        if context.version_needed < 3 && has_fraction(bytes) {
            context.needs_version(3);
        }
        let (inf, ending) = Inf::read(bytes);
        if inf.duration.is_none() || ending != Ending::Comma {
            odd_inf(context, line, &inf, ending)?;
        }
        if self.pending.inf.is_some() {
            self.drop_inf(context)?;
        }
        self.pending.inf = Some((inf, line.number, line.span));
        Ok(())
    }

    /// Another EXTINF or the end came where a URI line should have been.
    pub(super) fn drop_inf(&mut self, context: &mut Context<'a, '_>) -> Result<(), Error> {
        match self.pending.inf.take() {
            Some((_, line, span)) => context.odd_at(line, span, Rule::NoSegmentUri),
            None => Ok(()),
        }
    }

    /// EXT-X-BYTERANGE; resolved when the URI is known.
    pub(super) fn byte_range(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        context.needs_version(4);
        let text = value_text(line).unwrap_or_default().trim_matches('"');
        if text.is_empty() {
            return context.odd(line, line.span, Rule::TagValue);
        }
        self.pending.range = Some(byte_range(context, line, text)?);
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

    /// EXT-X-BITRATE; it says nothing of segments with a byte range (rfc8216bis 4.4.4.8).
    pub(super) fn bitrate(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        self.bitrate = value_text(line).and_then(integer).and_then(|rate| u32::try_from(rate).ok());
        if self.bitrate.is_none() { context.odd(line, value_span(line), Rule::Bitrate) } else { Ok(()) }
    }

    /// EXT-X-PROGRAM-DATE-TIME (RFC 8216 4.3.2.6).
    pub(super) fn date(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        self.dated = true;
        let text = value_text(line).unwrap_or_default();
        self.pending.date = DateTime::parse(text);
        if self.pending.date.is_some() {
            return Ok(());
        }
        self.pending.date = DateTime::parse_loosely(text);
        context.odd(line, value_span(line), Rule::DateTime)
    }

    pub(super) fn key(&mut self, context: &mut Context<'a, '_>, line: Line<'a>) -> Result<(), Error> {
        match key::read(context, line)? {
            Some(key) => self.keys.apply(context, &line, key),
            None => Ok(()),
        }
    }

    /// EXT-X-MAP (RFC 8216 4.3.2.5); without any attribute it says nothing.
    pub(super) fn map(&mut self, context: &mut Context<'a, '_>, line: Line<'a>) -> Result<(), Error> {
        let mut tag = Tag::read(context, line)?;
        if tag.attributes.is_empty() {
            return Ok(());
        }
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
        let keys = self.keys.in_effect(tag.context, &line)?;
        let same = |it: &Map<'a>| it.uri.text == uri.text && it.byte_range == byte_range && it.keys == keys;
        if !self.map_in_effect().is_some_and(same) {
            self.map = Some(MapId::new(self.maps.len()));
            self.maps.push(Map { uri, byte_range, keys, line: line.number, tag: line.span });
        }
        Ok(())
    }

    fn map_in_effect(&self) -> Option<&Map<'a>> {
        self.maps.get(self.map?.index())
    }

    /// Keys, map and number for something at this place.
    #[inline]
    pub(super) fn here(
        &mut self,
        context: &mut Context<'a, '_>,
        line: &Line<'a>,
    ) -> Result<(KeySetId, Option<MapId>, u64), Error> {
        let overflow = || Error::at(line, ErrorKind::Rule(Rule::SequenceOverflow));
        let keys = self.keys.in_effect(context, line)?;
        Ok((keys, self.map, self.next_sequence.ok_or_else(overflow)?))
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
        let Some((inf, ..)) = pending.inf.take() else {
            return context.stray_uri(line, bytes, Rule::NoDuration);
        };
        let discontinuity = std::mem::take(&mut pending.discontinuity);
        let uri = context.uri(line, bytes, line.content)?;
        let byte_range = match range {
            None => None,
            Some((length, Some(offset))) => Some(absolute(line, length, offset)?),
            Some((length, None)) => Some(absolute(line, length, self.continued_at(context, line, &uri)?)?),
        };
        let (keys, map, media_sequence) = self.here(context, line)?;
        self.next_sequence = media_sequence.checked_add(1);
        if self.list.len() == self.list.capacity() {
            self.make_room(line, context.text.len());
        }
        let duration = inf.duration.unwrap_or_default();
        self.longest = self.longest.max(duration);
        self.list.push(Segment {
            uri,
            duration,
            title: inf.title,
            byte_range,
            media_sequence,
            discontinuity,
            discontinuity_sequence: self.discontinuities,
            gap,
            keys,
            map,
            bitrate: if byte_range.is_none() { self.bitrate } else { None },
            program_date_time,
            line: line.number,
        });
        Ok(())
    }

    /// For as many segments as there will be if the text goes on like this; at most twice as many as there are.
    #[cold]
    fn make_room(&mut self, line: &Line<'a>, text_len: usize) {
        let so_far = self.list.len().max(FIRST_ROOM);
        let density = so_far as u64 * text_len as u64 / u64::from(line.full.end.max(1));
        let guess = usize::try_from(density + density / 64).unwrap_or(usize::MAX);
        let room = guess.clamp(so_far + so_far / 8, so_far * 2);
        self.list.reserve_exact(room - self.list.len());
    }

    /// Where the segment before ends, if it is a range of the same resource (RFC 8216 4.3.2.2).
    ///
    /// Where a delta update leaves that one out it is not known: such a playlist is of no use by itself, and not odd.
    fn continued_at(
        &self,
        context: &mut Context<'a, '_>,
        line: &Line<'a>,
        uri: &Uri<'a>,
    ) -> Result<u64, Error> {
        if self.skipped_before == Some(self.list.len()) {
            context.odd(line, line.span, Rule::SkippedRangeBase)?;
            return Ok(0);
        }
        let before = self.list.last().filter(|segment| segment.uri.same_resource(uri));
        let range = before.and_then(|segment| segment.byte_range);
        range.map(ByteRange::end).ok_or_else(|| Error::at(line, ErrorKind::Rule(Rule::ByteRangeBase)))
    }
}

#[cold]
fn odd_inf(
    context: &mut Context<'_, '_>,
    line: &Line<'_>,
    inf: &Inf<'_>,
    ending: Ending,
) -> Result<(), Error> {
    if inf.duration.is_none() {
        context.odd(line, value_span(line), Rule::Duration)?;
    }
    match ending {
        Ending::Nothing => context.odd(line, line.span, Rule::NoComma),
        Ending::Other if inf.duration.is_some() => context.odd(line, value_span(line), Rule::DurationSyntax),
        Ending::Comma | Ending::Other => Ok(()),
    }
}

/// Whether the number that the text begins with has a point.
fn has_fraction(text: &[u8]) -> bool {
    let text = text.trim_ascii_start().iter();
    text.take_while(|byte| byte.is_ascii_digit() || **byte == b'.').any(|byte| *byte == b'.')
}

pub(super) fn absolute(line: &Line<'_>, length: u64, offset: u64) -> Result<ByteRange, Error> {
    match offset.checked_add(length) {
        Some(_) => Ok(ByteRange { offset, length }),
        None => Err(Error::at(line, ErrorKind::Rule(Rule::ByteRangeOverflow))),
    }
}
