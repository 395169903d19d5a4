//! Low-latency tags (rfc8216bis 4.4.3.7, 4.4.3.8, 4.4.4.9, 4.4.5).

use std::time::Duration;

use super::context::Context;
use super::segments::{Segments, absolute};
use super::tag::Tag;
use crate::diagnose::Rule;
use crate::error::Error;
use crate::line::Line;
use crate::low_latency::{HintKind, Part, PreloadHint, RenditionReport, ServerControl, Skip};
use crate::value::ByteRange;

/// EXT-X-PART; none without a URI. A range without offset continues the part before, if that is a range of the same resource; where a
/// delta update left that part out, it is read from 0, as players have it: parts are not downloaded.
pub(super) fn part<'a>(
    context: &mut Context<'a, '_>,
    line: Line<'a>,
    segments: &mut Segments<'a>,
    previous: Option<&Part<'a>>,
) -> Result<Option<Part<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    let Some(uri) = tag.tag_uri("URI")? else { return Ok(None) };
    let before = previous.filter(|part| part.uri.same_resource(&uri)).and_then(|part| part.byte_range);
    let byte_range = match tag.byte_range("BYTERANGE")? {
        None => None,
        Some((length, Some(offset))) => Some(absolute(&line, length, offset)?),
        Some((length, None)) => {
            if before.is_none() {
                tag.odd(Rule::PartRangeBase)?;
            }
            Some(absolute(&line, length, before.map_or(0, ByteRange::end))?)
        }
    };
    let (keys, map, media_sequence) = segments.here(tag.context, &line)?;
    Ok(Some(Part {
        uri,
        duration: tag.required_duration("DURATION")?,
        independent: tag.flag("INDEPENDENT")?,
        byte_range,
        gap: tag.flag("GAP")?,
        media_sequence,
        keys,
        map,
        tag: line.span,
        tag_line: line.number,
    }))
}

pub(super) fn part_inf<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<Option<Duration>, Error> {
    let mut tag = Tag::read(context, line)?;
    if !tag.has("PART-TARGET") {
        tag.odd(Rule::MissingAttribute)?;
    }
    tag.duration("PART-TARGET")
}

pub(super) fn server_control<'a>(
    context: &mut Context<'a, '_>,
    line: Line<'a>,
) -> Result<ServerControl, Error> {
    let mut tag = Tag::read(context, line)?;
    if tag.has("CAN-SKIP-DATERANGES") && !tag.has("CAN-SKIP-UNTIL") {
        tag.odd(Rule::SkipDateRanges)?;
    }
    Ok(ServerControl {
        can_skip_until: tag.duration("CAN-SKIP-UNTIL")?,
        can_skip_date_ranges: tag.flag("CAN-SKIP-DATERANGES")?,
        hold_back: tag.duration("HOLD-BACK")?,
        part_hold_back: tag.duration("PART-HOLD-BACK")?,
        can_block_reload: tag.flag("CAN-BLOCK-RELOAD")?,
        tag: line.span,
        tag_line: line.number,
    })
}

/// None without a URI or a known TYPE, of which there may be one hint.
pub(super) fn preload_hint<'a>(
    context: &mut Context<'a, '_>,
    line: Line<'a>,
    earlier: &[PreloadHint<'a>],
) -> Result<Option<PreloadHint<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    let kind = match tag.word("TYPE")?.as_deref() {
        Some("PART") => HintKind::Part,
        Some("MAP") => HintKind::Map,
        Some(_) | None => {
            tag.odd(Rule::MissingAttribute)?;
            return Ok(None);
        }
    };
    // Two hints are all that there can be without an oddity, so a long list is not searched.
    if earlier.iter().take(2).any(|it| it.kind == kind) {
        tag.odd(Rule::HintTwice)?;
    }
    let Some(uri) = tag.tag_uri("URI")? else { return Ok(None) };
    Ok(Some(PreloadHint {
        kind,
        uri,
        start: tag.spare_integer("BYTERANGE-START")?.unwrap_or(0),
        length: tag.spare_integer("BYTERANGE-LENGTH")?,
        tag: line.span,
        tag_line: line.number,
    }))
}

/// None without a URI.
pub(super) fn rendition_report<'a>(
    context: &mut Context<'a, '_>,
    line: Line<'a>,
) -> Result<Option<RenditionReport<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    let Some(uri) = tag.tag_uri("URI")? else { return Ok(None) };
    if has_scheme(&uri.text) {
        tag.odd(Rule::ReportUri)?;
    }
    Ok(Some(RenditionReport {
        uri,
        last_msn: tag.spare_integer("LAST-MSN")?,
        last_part: tag.spare_integer("LAST-PART")?,
        tag: line.span,
        tag_line: line.number,
    }))
}

/// Whether a reference is a whole URL (RFC 3986 4.3).
fn has_scheme(reference: &str) -> bool {
    let scheme = reference.split_once(':').map_or("", |(scheme, _)| scheme);
    let fits = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(fits)
}

pub(super) fn skip<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<Skip<'a>, Error> {
    let mut tag = Tag::read(context, line)?;
    let segments = tag.integer("SKIPPED-SEGMENTS")?;
    if segments.is_none() {
        tag.odd(Rule::MissingAttribute)?;
    }
    tag.context.needs_version(if tag.has("RECENTLY-REMOVED-DATERANGES") { 10 } else { 9 });
    Ok(Skip {
        segments: segments.unwrap_or(0),
        recently_removed_date_ranges: tag.text("RECENTLY-REMOVED-DATERANGES")?,
        tag: line.span,
        tag_line: line.number,
    })
}
