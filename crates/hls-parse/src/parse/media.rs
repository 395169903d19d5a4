//! Lines to a media playlist (RFC 8216 4.3.2, 4.3.3).

use std::time::Duration;

use super::common::{Common, once, value_span, value_text};
use super::context::Context;
use super::date_range::DateRanges;
use super::segments::Segments;
use super::{TagKind, check, kind_of, low_latency};
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind, lines};
use crate::media::{MediaPlaylist, PlaylistType};
use crate::value::{duration_prefix, integer, integer_prefix};

pub(super) fn read<'a>(context: &mut Context<'a, '_>) -> Result<MediaPlaylist<'a>, Error> {
    let mut reader = Reader::new();
    for line in lines(context.text) {
        context.admit(&line)?;
        match line.kind {
            LineKind::Uri(bytes) => reader.uri(context, &line, bytes)?,
            LineKind::Tag { name: "EXTINF", .. } => reader.segments.inf(context, &line)?,
            LineKind::Tag { name, .. } => reader.tag(context, line, name)?,
            LineKind::Blank | LineKind::Comment(_) => {}
        }
    }
    reader.finish(context)
}

struct Reader<'a> {
    common: Common,
    playlist: MediaPlaylist<'a>,
    segments: Segments<'a>,
    date_ranges: DateRanges<'a>,
    sequence_stated: bool,
    discontinuity_sequence_stated: bool,
}

impl<'a> Reader<'a> {
    fn new() -> Self {
        Self {
            common: Common::default(),
            playlist: MediaPlaylist::default(),
            segments: Segments::new(),
            date_ranges: DateRanges::default(),
            sequence_stated: false,
            discontinuity_sequence_stated: false,
        }
    }

    fn tag(&mut self, context: &mut Context<'a, '_>, line: Line<'a>, name: &str) -> Result<(), Error> {
        match name {
            "EXT-X-BYTERANGE" => self.segments.byte_range(context, &line),
            "EXT-X-PROGRAM-DATE-TIME" => self.segments.date(context, &line),
            "EXT-X-KEY" => self.segments.key(context, line),
            "EXT-X-DISCONTINUITY" => self.segments.discontinuity(&line),
            "EXT-X-MAP" => self.segments.map(context, line),
            "EXT-X-BITRATE" => self.segments.bitrate(context, &line),
            "EXT-X-GAP" => {
                self.segments.gap();
                Ok(())
            }
            "EXT-X-PART" => {
                let previous = self.playlist.parts.last();
                let part = low_latency::part(context, line, &mut self.segments, previous)?;
                self.playlist.parts.extend(part);
                Ok(())
            }
            "EXT-X-DATERANGE" => {
                self.playlist.date_ranges.push(self.date_ranges.read(context, line)?);
                Ok(())
            }
            _ => self.playlist_tag(context, line, name),
        }
    }

    /// Tags that speak about the playlist as a whole.
    fn playlist_tag(
        &mut self,
        context: &mut Context<'a, '_>,
        line: Line<'a>,
        name: &str,
    ) -> Result<(), Error> {
        match name {
            "EXT-X-TARGETDURATION" => self.target_duration(context, &line)?,
            "EXT-X-MEDIA-SEQUENCE" => self.media_sequence(context, &line)?,
            "EXT-X-DISCONTINUITY-SEQUENCE" => self.discontinuity_sequence(context, &line)?,
            "EXT-X-PLAYLIST-TYPE" => self.playlist_type(context, &line)?,
            "EXT-X-ENDLIST" => {
                once(context, &line, self.playlist.end_list)?;
                self.playlist.end_list = true;
            }
            "EXT-X-I-FRAMES-ONLY" => {
                once(context, &line, self.playlist.i_frames_only)?;
                self.playlist.i_frames_only = true;
                context.needs_version(4);
            }
            "EXT-X-SERVER-CONTROL" => {
                once(context, &line, self.playlist.server_control.is_some())?;
                self.playlist.server_control = Some(low_latency::server_control(context, line)?);
            }
            "EXT-X-PART-INF" => {
                once(context, &line, self.playlist.part_inf.is_some())?;
                self.playlist.part_inf = low_latency::part_inf(context, line)?;
            }
            "EXT-X-SKIP" => self.skip(context, line)?,
            "EXT-X-PRELOAD-HINT" => {
                let earlier = &self.playlist.preload_hints;
                let hint = low_latency::preload_hint(context, line, earlier)?;
                self.playlist.preload_hints.extend(hint);
            }
            "EXT-X-RENDITION-REPORT" => {
                self.playlist.rendition_reports.extend(low_latency::rendition_report(context, line)?);
            }
            _ => return self.other_tag(context, line, name),
        }
        Ok(())
    }

    fn other_tag(&mut self, context: &mut Context<'a, '_>, line: Line<'a>, name: &str) -> Result<(), Error> {
        if self.common.read(context, &line, name)? {
            return Ok(());
        }
        match kind_of(&line) {
            Some(TagKind::Stream) => context.odd(&line, line.span, Rule::Mixed),
            Some(TagKind::Menu) => context.odd(&line, line.span, Rule::Misplaced),
            Some(TagKind::Segment | TagKind::Media | TagKind::Either) | None => Ok(()),
        }
    }

    fn uri(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>, bytes: &'a [u8]) -> Result<(), Error> {
        if self.playlist.end_list {
            context.odd(line, line.span, Rule::AfterEnd)?;
        }
        self.segments.uri(context, line, bytes)
    }

    fn target_duration(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        once(context, line, self.playlist.target_duration.is_some())?;
        let text = value_text(line).unwrap_or_default();
        let whole = integer(text).map(Duration::from_secs);
        let read = whole.or_else(|| duration_prefix(text.as_bytes()).map(|(duration, _)| duration));
        if whole.is_none() {
            context.odd(line, value_span(line), Rule::TargetDuration)?;
        }
        self.playlist.target_duration = read.or(self.playlist.target_duration);
        Ok(())
    }

    /// A number that must be exact, or IVs would be wrong: its leading digits, and 0 without, as players have it.
    fn sequence(context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<u64, Error> {
        let text = value_text(line).unwrap_or_default();
        if let Some(number) = integer(text) {
            return Ok(number);
        }
        let leading = integer_prefix(text).map_err(|rule| Error::at(line, ErrorKind::Rule(rule)))?;
        context.odd(line, value_span(line), Rule::SequenceNumber)?;
        Ok(leading.unwrap_or(0))
    }

    fn media_sequence(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        if !self.segments.list.is_empty() || !self.playlist.parts.is_empty() {
            return context.odd(line, line.span, Rule::LateTag);
        }
        let number = Self::sequence(context, line)?;
        once(context, line, self.sequence_stated)?;
        self.sequence_stated = true;
        self.playlist.media_sequence = number;
        let skipped = self.playlist.skip.as_ref().map_or(0, |skip| skip.segments);
        self.segments.next_sequence = number.checked_add(skipped);
        Ok(())
    }

    fn discontinuity_sequence(
        &mut self,
        context: &mut Context<'a, '_>,
        line: &Line<'a>,
    ) -> Result<(), Error> {
        if !self.segments.list.is_empty()
            || self.segments.discontinuities > self.playlist.discontinuity_sequence
        {
            return context.odd(line, line.span, Rule::LateTag);
        }
        let number = Self::sequence(context, line)?;
        once(context, line, self.discontinuity_sequence_stated)?;
        self.discontinuity_sequence_stated = true;
        self.playlist.discontinuity_sequence = number;
        self.segments.discontinuities = number;
        Ok(())
    }

    fn playlist_type(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>) -> Result<(), Error> {
        once(context, line, self.playlist.playlist_type.is_some())?;
        let word = value_text(line).unwrap_or_default();
        let read = PlaylistType::of(&word.to_ascii_uppercase());
        self.playlist.playlist_type = read.or(self.playlist.playlist_type);
        let as_it_should = read.is_some() && !word.contains(|c: char| c.is_ascii_lowercase());
        if as_it_should { Ok(()) } else { context.odd(line, value_span(line), Rule::PlaylistType) }
    }

    /// The segments left out count.
    fn skip(&mut self, context: &mut Context<'a, '_>, line: Line<'a>) -> Result<(), Error> {
        once(context, &line, self.playlist.skip.is_some())?;
        let skip = low_latency::skip(context, line)?;
        let next = self.segments.next_sequence.and_then(|number| number.checked_add(skip.segments));
        self.segments.next_sequence = next;
        self.segments.skipped_before = Some(self.segments.list.len());
        self.playlist.skip = Some(skip);
        Ok(())
    }

    fn finish(mut self, context: &mut Context<'a, '_>) -> Result<MediaPlaylist<'a>, Error> {
        self.segments.drop_inf(context)?;
        let mut playlist = self.playlist;
        playlist.version = self.common.version;
        playlist.independent_segments = self.common.independent_segments;
        playlist.start = self.common.start;
        playlist.variables = std::mem::take(&mut context.variables);
        playlist.segments = self.segments.list;
        playlist.maps = self.segments.maps;
        playlist.key_sets = self.segments.keys.into_sets();
        check::media(context, &playlist, self.segments.longest)?;
        if !playlist.date_ranges.is_empty() && !self.segments.dated {
            context.odd_as_a_whole(Rule::DateRangeWithoutDateTime)?;
        }
        Ok(playlist)
    }
}
