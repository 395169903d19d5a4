//! Lines to a multivariant playlist (RFC 8216 4.3.4).

use std::borrow::Cow;
use std::collections::HashSet;

use super::common::{Common, once};
use super::context::Context;
use super::tag::Tag;
use super::{TagKind, key, kind_of};
use crate::diagnose::Rule;
use crate::error::Error;
use crate::key::KeyMethod;
use crate::line::{Line, LineKind, lines};
use crate::multivariant::{
    ClosedCaptions, ContentSteering, IFrameVariant, MediaKind, Multivariant, Rendition, SessionData, Variant,
};
use crate::value::Uri;

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
    check_groups(context, &playlist)?;
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
                self.playlist.i_frame_variants.push(i_frame_variant(context, line)?)
            }
            "EXT-X-MEDIA" => self.playlist.renditions.extend(rendition(context, line)?),
            "EXT-X-SESSION-KEY" => self.session_key(context, line)?,
            "EXT-X-SESSION-DATA" => self.playlist.session_data.push(session_data(context, line)?),
            "EXT-X-CONTENT-STEERING" => {
                once(context, &line, self.playlist.content_steering.is_some())?;
                self.playlist.content_steering = Some(content_steering(context, line)?);
            }
            _ if kind == TagKind::Segment => context.odd(&line, line.span, Rule::Mixed)?,
            _ => context.odd(&line, line.span, Rule::Misplaced)?,
        }
        Ok(())
    }

    fn uri(&mut self, context: &mut Context<'a, '_>, line: &Line<'a>, bytes: &'a [u8]) -> Result<(), Error> {
        let Some((_, mut variant)) = self.pending.take() else {
            return context.odd(line, line.span, Rule::StrayUri);
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
        let key = key::read(context, line)?;
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
    let (bandwidth, average_bandwidth) = bandwidth(&mut tag)?;
    Ok(Variant {
        uri: Uri { text: Cow::Borrowed(""), span: line.span },
        bandwidth,
        average_bandwidth,
        codecs: tag.text("CODECS")?,
        supplemental_codecs: tag.text("SUPPLEMENTAL-CODECS")?,
        resolution: tag.resolution()?,
        frame_rate: tag.decimal("FRAME-RATE")?,
        score: tag.decimal("SCORE")?,
        hdcp_level: tag.word("HDCP-LEVEL")?,
        allowed_cpc: tag.text("ALLOWED-CPC")?,
        video_range: tag.word("VIDEO-RANGE")?,
        req_video_layout: tag.text("REQ-VIDEO-LAYOUT")?,
        stable_variant_id: tag.text("STABLE-VARIANT-ID")?,
        pathway_id: tag.text("PATHWAY-ID")?,
        audio: tag.text("AUDIO")?,
        video: tag.text("VIDEO")?,
        subtitles: tag.text("SUBTITLES")?,
        closed_captions: closed_captions(&mut tag)?,
        name: tag.text("NAME")?,
        tag: line.span,
        tag_line: line.number,
        uri_line: 0,
    })
}

fn i_frame_variant<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<IFrameVariant<'a>, Error> {
    let mut tag = Tag::read(context, line)?;
    let (bandwidth, average_bandwidth) = bandwidth(&mut tag)?;
    Ok(IFrameVariant {
        uri: tag.required_uri("URI")?,
        bandwidth,
        average_bandwidth,
        codecs: tag.text("CODECS")?,
        supplemental_codecs: tag.text("SUPPLEMENTAL-CODECS")?,
        resolution: tag.resolution()?,
        score: tag.decimal("SCORE")?,
        hdcp_level: tag.word("HDCP-LEVEL")?,
        allowed_cpc: tag.text("ALLOWED-CPC")?,
        video_range: tag.word("VIDEO-RANGE")?,
        req_video_layout: tag.text("REQ-VIDEO-LAYOUT")?,
        stable_variant_id: tag.text("STABLE-VARIANT-ID")?,
        pathway_id: tag.text("PATHWAY-ID")?,
        video: tag.text("VIDEO")?,
        name: tag.text("NAME")?,
        tag: line.span,
        tag_line: line.number,
    })
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
        stable_rendition_id: tag.text("STABLE-RENDITION-ID")?,
        bit_depth: tag.integer("BIT-DEPTH")?,
        sample_rate: tag.integer("SAMPLE-RATE")?,
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

fn content_steering<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<ContentSteering<'a>, Error> {
    let mut tag = Tag::read(context, line)?;
    Ok(ContentSteering {
        server_uri: tag.required_uri("SERVER-URI")?,
        pathway_id: tag.text("PATHWAY-ID")?,
        tag: line.span,
        tag_line: line.number,
    })
}

/// Every group that a variant names has a rendition, and names differ within a group.
fn check_groups(context: &mut Context<'_, '_>, playlist: &Multivariant<'_>) -> Result<(), Error> {
    let mut groups = HashSet::new();
    let mut names = HashSet::new();
    for rendition in &playlist.renditions {
        groups.insert((rendition.kind, &*rendition.group_id));
        if !names.insert((rendition.kind, &*rendition.group_id, &*rendition.name)) {
            context.odd_at(rendition.tag_line, rendition.tag, Rule::RenditionName)?;
        }
    }
    for variant in &playlist.variants {
        let captions = match &variant.closed_captions {
            Some(ClosedCaptions::Group(group)) => Some(group),
            Some(ClosedCaptions::None) | None => None,
        };
        let named = [
            (MediaKind::Audio, variant.audio.as_ref()),
            (MediaKind::Video, variant.video.as_ref()),
            (MediaKind::Subtitles, variant.subtitles.as_ref()),
            (MediaKind::ClosedCaptions, captions),
        ];
        let missing = |(kind, group): (MediaKind, Option<&Cow<'_, str>>)| {
            group.is_some_and(|group| !groups.contains(&(kind, &**group)))
        };
        if named.into_iter().any(missing) {
            context.odd_at(variant.tag_line, variant.tag, Rule::MissingGroup)?;
        }
    }
    Ok(())
}
