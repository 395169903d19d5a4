//! Lines to a multivariant playlist (RFC 8216 4.3.4).

use std::borrow::Cow;

use super::common::{Common, once};
use super::context::Context;
use super::tag::Tag;
use super::{TagKind, check, key, kind_of};
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::key::KeyMethod;
use crate::line::{Line, LineKind, lines};
use crate::multivariant::{
    ClosedCaptions, ContentSteering, MediaKind, Multivariant, Rendition, SessionData, Variant,
};
use crate::value::{Decimal, Uri, integer};

pub(super) fn read<'a>(context: &mut Context<'a, '_>) -> Result<Multivariant<'a>, Error> {
    context.multivariant = true;
    let mut reader = Reader::default();
    for line in lines(context.text) {
        context.admit(&line)?;
        match line.kind {
            LineKind::Tag { name, .. } => reader.tag(context, line, name)?,
            LineKind::Uri(bytes) => reader.uri(context, &line, bytes)?,
            LineKind::Blank | LineKind::Comment(_) => {}
        }
    }
    reader.drop_pending(context)?;
    let Reader { common, mut playlist, .. } = reader;
    playlist.version = common.version;
    playlist.independent_segments = common.independent_segments;
    playlist.start = common.start;
    playlist.variables = std::mem::take(&mut context.variables);
    check::multivariant(context, &playlist)?;
    Ok(playlist)
}

#[derive(Default)]
struct Reader<'a> {
    common: Common,
    playlist: Multivariant<'a>,
    /// A variant whose URI line has not come yet.
    pending: Option<(Line<'a>, Variant<'a>)>,
}

impl<'a> Reader<'a> {
    fn tag(&mut self, context: &mut Context<'a, '_>, line: Line<'a>, name: &str) -> Result<(), Error> {
        let Some(kind) = kind_of(&line) else { return Ok(()) };
        self.drop_pending(context)?;
        if self.common.read(context, &line, name)? {
            return Ok(());
        }
        match name {
            "EXT-X-STREAM-INF" => self.pending = Some((line, variant(context, line)?)),
            "EXT-X-I-FRAME-STREAM-INF" => {
                self.playlist.i_frame_variants.extend(i_frame_variant(context, line)?);
            }
            "EXT-X-MEDIA" => self.playlist.renditions.extend(rendition(context, line)?),
            "EXT-X-SESSION-KEY" => self.session_key(context, line)?,
            "EXT-X-SESSION-DATA" => self.playlist.session_data.push(session_data(context, line)?),
            "EXT-X-CONTENT-STEERING" => {
                once(context, &line, self.playlist.content_steering.is_some())?;
                self.playlist.content_steering = content_steering(context, line)?;
            }
            _ if kind == TagKind::Segment => context.odd(&line, line.span, Rule::Mixed)?,
            _ => context.odd(&line, line.span, Rule::Misplaced)?,
        }
        Ok(())
    }

    fn uri(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>, bytes: &'a [u8]) -> Result<(), Error> {
        let Some((_, mut variant)) = self.pending.take() else {
            return context.stray_uri(line, bytes, Rule::StrayUri);
        };
        variant.uri = context.uri(line, bytes, line.content)?;
        variant.uri_line = line.number;
        self.playlist.variants.push(variant);
        Ok(())
    }

    /// A known tag or the end of the text came where a variant's URI line should have been.
    fn drop_pending(&mut self, context: &mut Context<'a, '_>) -> Result<(), Error> {
        match self.pending.take() {
            Some((line, _)) => context.odd(&line, line.span, Rule::NoVariantUri),
            None => Ok(()),
        }
    }

    fn session_key(&mut self, context: &mut Context<'a, '_>, line: Line<'a>) -> Result<(), Error> {
        let key = match key::read(context, line) {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(()),
            Err(error) if *error.kind() == ErrorKind::Rule(Rule::MissingUri) => {
                return context.odd(&line, line.span, Rule::NoTagUri);
            }
            // The keys of the segments are what counts: this one is only announced.
            Err(error) if matches!(error.kind(), ErrorKind::Rule(Rule::KeyMethod | Rule::HexTooLong)) => {
                return context.odd(&line, line.span, Rule::SessionKeyUnreadable);
            }
            Err(error) => return Err(error),
        };
        if key.method == KeyMethod::None {
            return context.odd(&line, line.span, Rule::SessionKeyNone);
        }
        self.playlist.session_keys.push(key);
        Ok(())
    }
}

fn bandwidth(tag: &mut Tag<'_, '_, '_>) -> Result<(Option<u64>, Option<u64>), Error> {
    let peak = tag.integer("BANDWIDTH")?;
    let average = tag.integer("AVERAGE-BANDWIDTH")?;
    if !tag.has("BANDWIDTH") {
        tag.odd(Rule::NoBandwidth)?;
    }
    if average.zip(peak).is_some_and(|(average, peak)| average > peak) {
        tag.odd(Rule::AverageAbovePeak)?;
    }
    Ok((peak, average))
}

fn closed_captions<'a>(tag: &mut Tag<'a, '_, '_>) -> Result<Option<ClosedCaptions<'a>>, Error> {
    use crate::attributes::AttributeValue::Unquoted;
    if tag.find("CLOSED-CAPTIONS").is_some_and(|it| it.value == Unquoted("NONE")) {
        return Ok(Some(ClosedCaptions::None));
    }
    Ok(tag.text("CLOSED-CAPTIONS")?.map(ClosedCaptions::Group))
}

/// EXT-X-STREAM-INF; the URI comes later.
fn variant<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<Variant<'a>, Error> {
    let mut tag = Tag::read(context, line)?;
    let stream = stream(&mut tag)?;
    Ok(Variant {
        frame_rate: positive(&mut tag, "FRAME-RATE")?,
        audio: tag.text("AUDIO")?,
        subtitles: tag.text("SUBTITLES")?,
        closed_captions: closed_captions(&mut tag)?,
        ..stream
    })
}

/// EXT-X-I-FRAME-STREAM-INF; none without a URI.
fn i_frame_variant<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<Option<Variant<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    let stream = stream(&mut tag)?;
    match tag.uri("URI")? {
        Some(uri) => Ok(Some(Variant { uri, uri_line: line.number, ..stream })),
        None => {
            tag.odd(Rule::NoIFrameUri)?;
            Ok(None)
        }
    }
}

/// The attributes that both kinds of variant have.
fn stream<'a>(tag: &mut Tag<'a, '_, '_>) -> Result<Variant<'a>, Error> {
    let (bandwidth, average_bandwidth) = bandwidth(tag)?;
    let variant = Variant {
        uri: Uri { text: Cow::Borrowed(""), span: tag.line.span },
        bandwidth,
        average_bandwidth,
        codecs: tag.text("CODECS")?,
        supplemental_codecs: tag.text("SUPPLEMENTAL-CODECS")?,
        resolution: tag.resolution()?,
        frame_rate: None,
        score: positive(tag, "SCORE")?,
        hdcp_level: tag.word("HDCP-LEVEL")?,
        allowed_cpc: tag.text("ALLOWED-CPC")?,
        video_range: tag.word("VIDEO-RANGE")?,
        req_video_layout: tag.text("REQ-VIDEO-LAYOUT")?,
        stable_variant_id: tag.stable_id("STABLE-VARIANT-ID")?,
        pathway_id: tag.pathway_id()?,
        audio: None,
        video: tag.text("VIDEO")?,
        subtitles: None,
        closed_captions: None,
        name: tag.text("NAME")?,
        tag: tag.line.span,
        tag_line: tag.line.number,
        uri_line: 0,
    };
    if variant.req_video_layout.is_some() {
        tag.context.needs_version(12);
    }
    Ok(variant)
}

/// A number that should not be negative; one that is is reported, and read all the same.
fn positive(tag: &mut Tag<'_, '_, '_>, name: &str) -> Result<Option<Decimal>, Error> {
    let number = tag.decimal(name)?;
    if number.is_some_and(|number| number.billionths() < 0) {
        tag.odd(Rule::AttributeValue)?;
    }
    Ok(number)
}

/// EXT-X-MEDIA; none without a known TYPE.
fn rendition<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<Option<Rendition<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    let Some(kind) = tag.word("TYPE")?.and_then(|text| MediaKind::of(&text)) else {
        tag.odd(Rule::RenditionType)?;
        return Ok(None);
    };
    let rendition = Rendition {
        kind,
        uri: tag.uri("URI")?,
        group_id: tag.required_text("GROUP-ID")?,
        name: tag.required_text("NAME")?,
        language: tag.text("LANGUAGE")?,
        assoc_language: tag.text("ASSOC-LANGUAGE")?,
        default: tag.flag("DEFAULT")?,
        autoselect: tag.flag("AUTOSELECT")?,
        forced: tag.flag("FORCED")?,
        instream_id: tag.text("INSTREAM-ID")?,
        characteristics: tag.text("CHARACTERISTICS")?,
        channels: tag.text("CHANNELS")?,
        stable_rendition_id: tag.stable_id("STABLE-RENDITION-ID")?,
        bit_depth: tag.spare_integer("BIT-DEPTH")?,
        sample_rate: tag.spare_integer("SAMPLE-RATE")?,
        tag: line.span,
        tag_line: line.number,
    };
    check_rendition(&mut tag, &rendition)?;
    Ok(Some(rendition))
}

/// RFC 8216 4.3.4.1.
fn check_rendition(tag: &mut Tag<'_, '_, '_>, rendition: &Rendition<'_>) -> Result<(), Error> {
    let captions = rendition.kind == MediaKind::ClosedCaptions;
    let subtitles = rendition.kind == MediaKind::Subtitles;
    if captions && rendition.uri.is_some() || subtitles && rendition.uri.is_none() {
        tag.odd(Rule::RenditionUri)?;
    }
    if captions && rendition.instream_id.is_none() {
        tag.odd(Rule::InstreamId)?;
    }
    if rendition.default && tag.has("AUTOSELECT") && !rendition.autoselect {
        tag.odd(Rule::DefaultNotAutoselect)?;
    }
    if tag.has("FORCED") && !subtitles {
        tag.odd(Rule::ForcedNotSubtitles)?;
    }
    if rendition.kind != MediaKind::Audio
        && (rendition.bit_depth.is_some() || rendition.sample_rate.is_some())
    {
        tag.odd(Rule::NotAudio)?;
    }
    check_instream_id(tag, rendition)
}

/// `CC1` to `CC4`, or `SERVICE1` to `SERVICE63` from version 7 on; other types may have one from version 13 on.
fn check_instream_id(tag: &mut Tag<'_, '_, '_>, rendition: &Rendition<'_>) -> Result<(), Error> {
    let Some(id) = rendition.instream_id.as_deref() else { return Ok(()) };
    if rendition.kind != MediaKind::ClosedCaptions {
        tag.context.needs_version(13);
        return Ok(());
    }
    let among = |prefix, last| {
        let number = id.strip_prefix(prefix).filter(|text| !text.starts_with('0')).and_then(integer);
        number.is_some_and(|number| (1..=last).contains(&number))
    };
    if among("SERVICE", 63) {
        tag.context.needs_version(7);
    } else if !among("CC", 4) {
        tag.odd(Rule::InstreamIdValue)?;
    }
    Ok(())
}

fn session_data<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<SessionData<'a>, Error> {
    let mut tag = Tag::read(context, line)?;
    let data = SessionData {
        data_id: tag.required_text("DATA-ID")?,
        value: tag.text("VALUE")?,
        uri: tag.uri("URI")?,
        language: tag.text("LANGUAGE")?,
        format: tag.word("FORMAT")?,
        tag: line.span,
        tag_line: line.number,
    };
    if data.value.is_some() == data.uri.is_some() {
        tag.odd(Rule::SessionData)?;
    }
    Ok(data)
}

/// None without a URI.
fn content_steering<'a>(
    context: &mut Context<'a, '_>,
    line: Line<'a>,
) -> Result<Option<ContentSteering<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    let Some(server_uri) = tag.tag_uri("SERVER-URI")? else { return Ok(None) };
    Ok(Some(ContentSteering {
        server_uri,
        pathway_id: tag.pathway_id()?,
        tag: line.span,
        tag_line: line.number,
    }))
}
