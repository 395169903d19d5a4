//! The text of a media playlist.

use std::io::{self, Write};
use std::time::Duration;

use super::lines::Lines;
use super::low_latency;
use super::spell::Speller;
use super::tags;
use crate::tree::{Asset, DateRange, Hosts, MapTag, MediaPlaylist, PlaylistType, Range, Segment, Tag, Tree};

pub(super) fn write(tree: &Tree, hosts: &Hosts, it: &MediaPlaylist, out: &mut dyn Write) -> io::Result<()> {
    let speller = Speller::new(tree, hosts, &it.location, &it.defines);
    let mut lines = Lines::new(it.style, out)?;
    head(it, &mut lines)?;
    for segment in &it.segments {
        segment_lines(segment, &speller, &mut lines)?;
    }
    for segment in it.run.iter().flat_map(|run| run.segments()) {
        lines.lines(&media(segment.duration, "", None, speller.place(&segment.location)))?;
    }
    it.tail.iter().try_for_each(|tag| lines.line(&tag_text(tag, &speller)))?;
    if it.end_list {
        lines.line("#EXT-X-ENDLIST")?;
    }
    lines.finish()
}

fn head(it: &MediaPlaylist, lines: &mut Lines<'_>) -> io::Result<()> {
    let start = it.start.as_ref().and_then(tags::start);
    let unsaid_start = it.start.as_ref().filter(|_| start.is_none());
    let head = m3u8_rs::MediaPlaylist {
        version: it.version.and_then(|version| usize::try_from(version).ok()),
        target_duration: it.target_duration(),
        media_sequence: it.media_sequence.unwrap_or(0),
        discontinuity_sequence: it.discontinuity_sequence.unwrap_or(0),
        playlist_type: it.playlist_type.map(|kind| match kind {
            PlaylistType::Vod => m3u8_rs::MediaPlaylistType::Vod,
            PlaylistType::Event => m3u8_rs::MediaPlaylistType::Event,
        }),
        i_frames_only: it.i_frames_only,
        independent_segments: it.independent_segments,
        start,
        ..m3u8_rs::MediaPlaylist::default()
    };
    lines.lines(&tags::said(|out| head.write_to(out)))?;
    if it.media_sequence == Some(0) {
        lines.line("#EXT-X-MEDIA-SEQUENCE:0")?;
    }
    if it.discontinuity_sequence == Some(0) {
        lines.line("#EXT-X-DISCONTINUITY-SEQUENCE:0")?;
    }
    if let Some(start) = unsaid_start {
        lines.line(&tags::start_text(start))?;
    }
    it.defines.iter().try_for_each(|define| lines.line(&tags::define(define)))?;
    low_latency::head(&it.low_latency).try_for_each(|line| lines.line(&line))?;
    it.head.iter().try_for_each(|line| lines.line(line))
}

fn segment_lines(segment: &Segment, speller: &Speller<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    segment.before.iter().try_for_each(|tag| lines.line(&tag_text(tag, speller)))?;
    lines.lines(&media(segment.duration, &segment.title, segment.range, speller.link(&segment.uri)))
}

/// EXTINF, BYTERANGE and the URI line.
fn media(duration: Duration, title: &str, range: Option<Range>, uri: String) -> String {
    let exact = tags::seconds(duration);
    match exact.parse::<f32>() {
        Ok(seconds) if seconds.to_string() == exact => said_media(seconds, title, range, uri),
        Ok(_) | Err(_) => {
            let range = range.map(|range| format!("#EXT-X-BYTERANGE:{}\n", byte_range(range)));
            format!("{}#EXTINF:{exact},{title}\n{uri}", range.unwrap_or_default())
        }
    }
}

/// The same, where the duration is one that m3u8-rs, which counts in `f32`, prints exactly.
fn said_media(duration: f32, title: &str, range: Option<Range>, uri: String) -> String {
    let segment = m3u8_rs::MediaSegment {
        uri,
        duration,
        title: Some(title.to_owned()).filter(|title| !title.is_empty()),
        byte_range: range.map(tags::byte_range),
        ..m3u8_rs::MediaSegment::default()
    };
    let playlist = m3u8_rs::MediaPlaylist { segments: vec![segment], ..m3u8_rs::MediaPlaylist::default() };
    let text = tags::said(|out| playlist.write_to(out));
    let head = "#EXTM3U\n#EXT-X-TARGETDURATION:0\n";
    text.strip_prefix(head).unwrap_or(&text).to_owned()
}

fn byte_range(range: Range) -> String {
    tags::said(|out| tags::byte_range(range).write_value_to(out))
}

fn tag_text(tag: &Tag, speller: &Speller<'_>) -> String {
    match tag {
        Tag::Key(key) => {
            let key = tags::key(key, speller);
            format!("#EXT-X-KEY:{}", tags::said(|out| key.write_attributes_to(out)))
        }
        Tag::Map(map) => format!("#EXT-X-MAP:{}", map_text(map, speller)),
        Tag::Discontinuity => "#EXT-X-DISCONTINUITY".to_owned(),
        Tag::Gap => "#EXT-X-GAP".to_owned(),
        Tag::ProgramDateTime(time) => format!("#EXT-X-PROGRAM-DATE-TIME:{time}"),
        Tag::Bitrate(rate) => format!("#EXT-X-BITRATE:{rate}"),
        Tag::DateRange(range) => date_range(range, speller),
        Tag::LowLatency(tag) => low_latency::tag(tag, speller),
        Tag::Raw(line) => line.clone(),
    }
}

fn map_text(map: &MapTag, speller: &Speller<'_>) -> String {
    let byte_range = map.range.map(tags::byte_range);
    let map = m3u8_rs::Map { uri: speller.link(&map.uri), byte_range, ..m3u8_rs::Map::default() };
    tags::said(|out| map.write_attributes_to(out))
}

/// As text: m3u8-rs prints the attributes in no fixed order and respells the dates.
fn date_range(range: &DateRange, speller: &Speller<'_>) -> String {
    let class = range.class.as_ref().map(|class| format!("CLASS=\"{class}\""));
    let duration = range.duration.as_ref().map(|duration| format!("DURATION={duration}"));
    let asset = range.asset.as_ref().map(|asset| match asset {
        Asset::Uri(link) => format!("X-ASSET-URI=\"{}\"", speller.link(link)),
        Asset::List(link) => format!("X-ASSET-LIST=\"{}\"", speller.link(link)),
    });
    let mut attributes = vec![format!("ID=\"{}\"", range.id)];
    attributes.extend(class);
    attributes.push(format!("START-DATE=\"{}\"", range.start));
    attributes.extend(duration.into_iter().chain(asset));
    attributes.extend(range.attributes.iter().cloned());
    format!("#EXT-X-DATERANGE:{}", attributes.join(","))
}
