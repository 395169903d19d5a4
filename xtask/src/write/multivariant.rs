//! The text of a multivariant playlist.

use std::collections::HashMap;
use std::io::{self, Write};

use m3u8_rs::{AlternativeMedia, ClosedCaptionGroupId, MasterPlaylist, SessionDataField, VariantStream};

use super::lines::Lines;
use super::spell::Speller;
use super::tags;
use crate::tree::{
    AttributeValue, ClosedCaptions, Hosts, Multivariant, Rendition, SessionData, SessionValue, Tree, Variant,
};

pub(super) fn write(tree: &Tree, hosts: &Hosts, it: &Multivariant, out: &mut dyn Write) -> io::Result<()> {
    let speller = Speller::new(tree, hosts, &it.location, &it.defines);
    let mut lines = Lines::new(it.style, out)?;
    head(it, &speller, &mut lines)?;
    for rendition in &it.renditions {
        lines.line(&rendition_text(rendition, &speller))?;
    }
    for variant in &it.variants {
        stream(variant, StreamKind::Variant, &speller, &mut lines)?;
    }
    for variant in &it.i_frame_variants {
        stream(variant, StreamKind::IFrames, &speller, &mut lines)?;
    }
    for key in &it.session_keys {
        let key = m3u8_rs::SessionKey(tags::key(key, &speller));
        lines.lines(&said(MasterPlaylist { session_key: vec![key], ..MasterPlaylist::default() }))?;
    }
    for data in &it.session_data {
        let data = session_data(data, &speller);
        lines.lines(&said(MasterPlaylist { session_data: vec![data], ..MasterPlaylist::default() }))?;
    }
    it.tail.iter().try_for_each(|line| lines.line(line))?;
    lines.finish()
}

fn head(it: &Multivariant, speller: &Speller<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    let start = it.start.as_ref().and_then(tags::start);
    let unsaid_start = it.start.as_ref().filter(|_| start.is_none());
    let version = it.version.and_then(|version| usize::try_from(version).ok());
    let independent_segments = it.independent_segments;
    lines.line("#EXTM3U")?;
    lines.lines(&said(MasterPlaylist {
        version,
        independent_segments,
        start,
        ..MasterPlaylist::default()
    }))?;
    if let Some(start) = unsaid_start {
        lines.line(&tags::start_text(start))?;
    }
    it.defines.iter().try_for_each(|define| lines.line(&tags::define(define)))?;
    if let Some(server) = &it.content_steering {
        lines.line(&format!("#EXT-X-CONTENT-STEERING:SERVER-URI=\"{}\"", speller.link(server)))?;
    }
    it.head.iter().try_for_each(|line| lines.line(line))
}

/// What m3u8-rs writes for a playlist that has little in it, without its first line.
fn said(playlist: MasterPlaylist) -> String {
    let text = tags::said(|out| playlist.write_to(out));
    text.strip_prefix("#EXTM3U\n").unwrap_or(&text).to_owned()
}

fn rendition_text(rendition: &Rendition, speller: &Speller<'_>) -> String {
    let media = AlternativeMedia {
        media_type: rendition.kind.as_str().parse().unwrap_or_default(),
        uri: rendition.uri.as_ref().map(|uri| speller.link(uri)),
        group_id: rendition.group.clone(),
        language: rendition.language.clone(),
        name: rendition.name.clone(),
        default: rendition.default,
        autoselect: rendition.autoselect,
        forced: rendition.forced,
        instream_id: rendition.instream_id.as_ref().and_then(|id| id.parse().ok()),
        characteristics: rendition.characteristics.clone(),
        channels: rendition.channels.clone(),
        ..AlternativeMedia::default()
    };
    said(MasterPlaylist { alternatives: vec![media], ..MasterPlaylist::default() }).trim_end().to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StreamKind {
    Variant,
    IFrames,
}

/// The tag, and for a variant its URI line.
fn stream(it: &Variant, kind: StreamKind, speller: &Speller<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    let said_rate = it.frame_rate.as_deref().and_then(tags::as_number);
    let variant = VariantStream {
        is_i_frame: kind == StreamKind::IFrames,
        uri: speller.link(&it.uri),
        bandwidth: it.bandwidth,
        average_bandwidth: it.average_bandwidth,
        codecs: it.codecs.clone(),
        resolution: it.resolution.map(|(width, height)| m3u8_rs::Resolution { width, height }),
        frame_rate: said_rate,
        audio: it.audio.clone(),
        video: it.video.clone(),
        subtitles: it.subtitles.clone(),
        closed_captions: it.closed_captions.as_ref().map(captions),
        ..VariantStream::default()
    };
    let text = said(MasterPlaylist { variants: vec![variant], ..MasterPlaylist::default() });
    let (tag, uri) = text.split_once('\n').unwrap_or((&text, ""));
    lines.line(&format!("{tag}{}", unsaid(it)))?;
    lines.lines(uri)
}

fn captions(captions: &ClosedCaptions) -> ClosedCaptionGroupId {
    match captions {
        ClosedCaptions::None => ClosedCaptionGroupId::None,
        ClosedCaptions::Group(group) => ClosedCaptionGroupId::GroupId(group.clone()),
    }
}

/// The attributes that m3u8-rs would print otherwise, or in no fixed order.
fn unsaid(it: &Variant) -> String {
    let rate = it.frame_rate.iter().filter(|rate| tags::as_number(rate).is_none());
    let rate = rate.map(|rate| format!(",FRAME-RATE={rate}"));
    let others = it.attributes.iter().map(|(name, value)| match value {
        AttributeValue::Quoted(text) => format!(",{name}=\"{text}\""),
        AttributeValue::Plain(text) => format!(",{name}={text}"),
    });
    rate.chain(others).collect()
}

fn session_data(data: &SessionData, speller: &Speller<'_>) -> m3u8_rs::SessionData {
    let field = match &data.value {
        SessionValue::Text(text) => SessionDataField::Value(text.clone()),
        SessionValue::File(link) => SessionDataField::Uri(speller.link(link)),
    };
    let other_attributes: Option<HashMap<_, _>> = None;
    m3u8_rs::SessionData {
        data_id: data.id.clone(),
        field,
        language: data.language.clone(),
        other_attributes,
    }
}
