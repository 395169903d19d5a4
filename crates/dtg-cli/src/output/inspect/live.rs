//! What low-latency playlists and date ranges add to a media playlist.

use std::borrow::Cow;

use hls_parse::{ClientValue, DateRange, HintKind, MediaPlaylist, Part, PreloadHint, RenditionReport};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, RangeView, Reference};
use crate::output::text::seconds;

/// Parts, hints, reports, skipped segments and date ranges.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Live")]
pub(super) struct LiveView<'a> {
    /// EXT-X-SERVER-CONTROL.
    pub(super) server_control: Option<ServerControlView>,
    /// EXT-X-PART-INF: target duration of parts in seconds.
    pub(super) part_target: Option<f64>,
    pub(super) parts: Vec<PartView<'a>>,
    preload_hints: Vec<PreloadHintView<'a>>,
    rendition_reports: Vec<RenditionReportView<'a>>,
    /// EXT-X-SKIP: this is a delta update.
    pub(super) skip: Option<SkipView<'a>>,
    pub(super) date_ranges: Vec<DateRangeView<'a>>,
}

/// An EXT-X-SERVER-CONTROL; times in seconds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServerControl")]
pub(super) struct ServerControlView {
    pub(super) can_skip_until: Option<f64>,
    can_skip_date_ranges: bool,
    pub(super) hold_back: Option<f64>,
    pub(super) part_hold_back: Option<f64>,
    pub(super) can_block_reload: bool,
}

/// An EXT-X-PART.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Part")]
pub(super) struct PartView<'a> {
    #[serde(flatten)]
    reference: Reference<'a>,
    /// Seconds.
    duration: f64,
    independent: bool,
    byte_range: Option<RangeView>,
    gap: bool,
    /// The number of the segment that it is a part of.
    media_sequence: u64,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-PRELOAD-HINT.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PreloadHint")]
struct PreloadHintView<'a> {
    /// TYPE.
    #[serde(rename = "type")]
    kind: HintName,
    #[serde(flatten)]
    reference: Reference<'a>,
    /// The first byte.
    start: u64,
    /// How many bytes; null: up to the end.
    length: Option<u64>,
    /// The tag's line, from 1.
    line: u32,
}

/// TYPE of an EXT-X-PRELOAD-HINT.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "HintType")]
enum HintName {
    Part,
    Map,
}

/// An EXT-X-RENDITION-REPORT.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RenditionReport")]
struct RenditionReportView<'a> {
    #[serde(flatten)]
    reference: Reference<'a>,
    last_msn: Option<u64>,
    last_part: Option<u64>,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-SKIP.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Skip")]
pub(super) struct SkipView<'a> {
    /// How many segments are left out.
    pub(super) skipped_segments: u64,
    /// Ids of date ranges that are gone.
    recently_removed_date_ranges: Vec<&'a str>,
    /// The tag's line, from 1.
    line: u32,
}

/// An EXT-X-DATERANGE; times in seconds, dates as RFC 3339.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DateRange")]
pub(super) struct DateRangeView<'a> {
    pub(super) id: &'a str,
    pub(super) class: Option<&'a str>,
    pub(super) start_date: Option<String>,
    end_date: Option<String>,
    cue: Option<&'a str>,
    pub(super) duration: Option<f64>,
    planned_duration: Option<f64>,
    end_on_next: bool,
    scte35_cmd: Option<&'a str>,
    scte35_out: Option<&'a str>,
    scte35_in: Option<&'a str>,
    /// The attributes whose names begin with `X-`, in order.
    client_attributes: Vec<ClientAttributeView<'a>>,
    /// The tag's line, from 1.
    line: u32,
}

/// An attribute that an application gave a meaning.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ClientAttribute")]
struct ClientAttributeView<'a> {
    name: &'a str,
    /// Text without its quotes, a number or digits as they are written.
    value: Cow<'a, str>,
}

impl<'a> LiveView<'a> {
    pub(super) fn new(media: &'a MediaPlaylist<'a>, page: Page<'a>) -> Self {
        Self {
            server_control: media.server_control.as_ref().map(|control| ServerControlView {
                can_skip_until: control.can_skip_until.map(seconds),
                can_skip_date_ranges: control.can_skip_date_ranges,
                hold_back: control.hold_back.map(seconds),
                part_hold_back: control.part_hold_back.map(seconds),
                can_block_reload: control.can_block_reload,
            }),
            part_target: media.part_inf.map(seconds),
            parts: media.parts.iter().map(|part| PartView::new(part, page)).collect(),
            preload_hints: media.preload_hints.iter().map(|hint| PreloadHintView::new(hint, page)).collect(),
            rendition_reports: media
                .rendition_reports
                .iter()
                .map(|it| RenditionReportView::new(it, page))
                .collect(),
            skip: media.skip.as_ref().map(|skip| SkipView {
                skipped_segments: skip.segments,
                recently_removed_date_ranges: skip
                    .recently_removed_date_ranges
                    .as_deref()
                    .map_or_else(Vec::new, |ids| ids.split('\t').collect()),
                line: skip.tag_line,
            }),
            date_ranges: media.date_ranges.iter().map(DateRangeView::new).collect(),
        }
    }
}

impl<'a> PartView<'a> {
    fn new(part: &'a Part<'a>, page: Page<'a>) -> Self {
        Self {
            reference: Reference::new(&part.uri, page),
            duration: seconds(part.duration),
            independent: part.independent,
            byte_range: part.byte_range.map(RangeView::from),
            gap: part.gap,
            media_sequence: part.media_sequence,
            line: part.tag_line,
        }
    }
}

impl<'a> PreloadHintView<'a> {
    fn new(hint: &'a PreloadHint<'a>, page: Page<'a>) -> Self {
        Self {
            kind: match hint.kind {
                HintKind::Part => HintName::Part,
                HintKind::Map => HintName::Map,
            },
            reference: Reference::new(&hint.uri, page),
            start: hint.start,
            length: hint.length,
            line: hint.tag_line,
        }
    }
}

impl<'a> RenditionReportView<'a> {
    fn new(report: &'a RenditionReport<'a>, page: Page<'a>) -> Self {
        Self {
            reference: Reference::new(&report.uri, page),
            last_msn: report.last_msn,
            last_part: report.last_part,
            line: report.tag_line,
        }
    }
}

impl<'a> DateRangeView<'a> {
    fn new(range: &'a DateRange<'a>) -> Self {
        Self {
            id: &range.id,
            class: range.class.as_deref(),
            start_date: range.start_date.map(|date| date.to_string()),
            end_date: range.end_date.map(|date| date.to_string()),
            cue: range.cue.as_deref(),
            duration: range.duration.map(seconds),
            planned_duration: range.planned_duration.map(seconds),
            end_on_next: range.end_on_next,
            scte35_cmd: range.scte35_cmd.as_deref(),
            scte35_out: range.scte35_out.as_deref(),
            scte35_in: range.scte35_in.as_deref(),
            client_attributes: range.client_attributes.iter().map(ClientAttributeView::new).collect(),
            line: range.tag_line,
        }
    }
}

impl<'a> ClientAttributeView<'a> {
    fn new(attribute: &'a hls_parse::ClientAttribute<'a>) -> Self {
        Self {
            name: &attribute.name,
            value: match &attribute.value {
                ClientValue::Text(text) | ClientValue::Hex(text) | ClientValue::Other(text) => {
                    text.as_ref().into()
                }
                ClientValue::Number(number) => number.to_string().into(),
            },
        }
    }
}
