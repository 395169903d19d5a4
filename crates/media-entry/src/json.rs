//! PlayKit JSON, both ways: the only room that knows its key names.
//!
//! A value that is read is taken out of its object; what is left becomes the [`Extras`]. So a value that is not
//! understood, or an empty list, is written back as it was.

mod fields;

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Number, Value};

pub(crate) use self::fields::Fields;
use self::fields::{object, texts};
use crate::drm::{Certificate, DrmParams, DrmScheme};
use crate::entry::{ExternalSubtitle, MediaEntry, MediaType};
use crate::error::{Error, ErrorKind};
use crate::source::{MediaFormat, MediaSource};

/// Writes with padding, reads with or without.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `sourceType` is the place in this list.
const FORMATS: [MediaFormat; 5] =
    [MediaFormat::Hls, MediaFormat::Wvm, MediaFormat::Mp4, MediaFormat::Mp3, MediaFormat::Unknown];

/// `scheme` is the place in this list.
const SCHEMES: [DrmScheme; 5] = [
    DrmScheme::WidevineCenc,
    DrmScheme::PlayReadyCenc,
    DrmScheme::WidevineClassic,
    DrmScheme::FairPlay,
    DrmScheme::Unknown,
];

const MEDIA_TYPES: [(&str, MediaType); 3] =
    [("Live", MediaType::Live), ("DvrLive", MediaType::DvrLive), ("Vod", MediaType::Vod)];

/// PlayKit for iOS calls a subtitle's address `vttURLString`, others `url`; the spelling that came is kept.
const SUBTITLE_URL: [&str; 2] = ["vttURLString", "url"];
const SUBTITLE_NAME: [&str; 2] = ["label", "name"];

pub(crate) fn read(text: &str, fresh_id: &mut dyn FnMut() -> String) -> Result<MediaEntry, Error> {
    entry(Fields::of(String::new(), parsed(text)?)?, fresh_id)
}

/// Any JSON; a byte order mark before it does not count.
pub(crate) fn parsed(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Error::new("", ErrorKind::Syntax { line: error.line(), column: error.column() }))
}

pub(crate) fn write(entry: &MediaEntry) -> String {
    let media_type = entry.media_type.and_then(|media_type| {
        MEDIA_TYPES.iter().find(|(_, known)| *known == media_type).map(|(name, _)| Value::from(*name))
    });
    object(
        &entry.extras,
        [
            ("id", Some(entry.id.as_str().into())),
            ("name", entry.name.as_deref().map(Value::from)),
            ("mediaType", media_type),
            ("duration", entry.duration.and_then(seconds)),
            ("thumbnailUrl", entry.thumbnail_url.as_deref().map(Value::from)),
            ("tags", entry.tags.as_deref().map(Value::from)),
            ("metadata", texts(&entry.metadata, entry.extras.get("metadata"))),
            ("sources", list(&entry.sources, write_source)),
            ("externalSubtitles", list(&entry.external_subtitles, write_subtitle)),
        ],
    )
    .to_string()
}

fn entry(mut fields: Fields, fresh_id: &mut dyn FnMut() -> String) -> Result<MediaEntry, Error> {
    Ok(MediaEntry {
        id: fields.id().ok_or_else(|| fields.error("id", ErrorKind::Missing))?,
        sources: fields
            .objects("sources")?
            .into_iter()
            .map(|it| source(it, fresh_id))
            .collect::<Result<_, _>>()?,
        duration: fields.take("duration", |value| Duration::try_from_secs_f64(value.as_f64()?).ok()),
        media_type: fields.take("mediaType", |value| {
            let stated = value.as_str()?;
            MEDIA_TYPES.iter().find(|(name, _)| *name == stated).map(|(_, media_type)| *media_type)
        }),
        name: fields.text("name"),
        metadata: fields.texts("metadata"),
        thumbnail_url: fields.text("thumbnailUrl"),
        external_subtitles: fields
            .objects("externalSubtitles")?
            .into_iter()
            .map(subtitle)
            .collect::<Result<_, _>>()?,
        tags: fields.text("tags"),
        extras: fields.rest.into(),
    })
}

fn source(mut fields: Fields, fresh_id: &mut dyn FnMut() -> String) -> Result<MediaSource, Error> {
    Ok(MediaSource {
        id: fields.id().unwrap_or_else(fresh_id),
        url: fields.required_text("url")?,
        mime_type: fields.text("mimeType"),
        source_type: fields.take("sourceType", |value| coded(value, &FORMATS)),
        drm: fields.objects("drmData")?.into_iter().map(drm).collect::<Result<_, _>>()?,
        extras: fields.rest.into(),
    })
}

fn drm(mut fields: Fields) -> Result<DrmParams, Error> {
    Ok(DrmParams {
        license_uri: fields.text("licenseUri"),
        stated_scheme: fields.take("scheme", |value| coded(value, &SCHEMES)),
        fps_certificate: certificate(&mut fields)?,
        extras: fields.rest.into(),
    })
}

/// There or not decides whether the source is FairPlay, so what is there must be one.
fn certificate(fields: &mut Fields) -> Result<Option<Certificate>, Error> {
    const KEY: &str = "fpsCertificate";
    if fields.rest.get(KEY).is_none_or(Value::is_null) {
        return Ok(None);
    }
    let text = fields.text(KEY).ok_or_else(|| fields.error(KEY, ErrorKind::Expected("text")))?;
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(dense).map_err(|_| fields.error(KEY, ErrorKind::NotBase64))?;
    Ok(Some(Certificate::new(bytes)))
}

fn subtitle(mut fields: Fields) -> Result<ExternalSubtitle, Error> {
    Ok(ExternalSubtitle {
        id: fields.id(),
        url: fields.text_as(SUBTITLE_URL).ok_or_else(|| fields.error("url", ErrorKind::Missing))?,
        language: fields.text("language"),
        name: fields.text_as(SUBTITLE_NAME),
        mime_type: fields.text("mimeType"),
        extras: fields.rest.into(),
    })
}

fn write_source(source: &MediaSource) -> Value {
    let code = source.source_type.and_then(|format| FORMATS.iter().position(|it| *it == format));
    object(
        &source.extras,
        [
            ("id", Some(source.id.as_str().into())),
            ("url", Some(source.url.as_str().into())),
            ("mimeType", source.mime_type.as_deref().map(Value::from)),
            ("sourceType", code.map(Value::from)),
            ("drmData", list(&source.drm, write_drm)),
        ],
    )
}

fn write_drm(drm: &DrmParams) -> Value {
    let code = drm.stated_scheme.and_then(|scheme| SCHEMES.iter().position(|it| *it == scheme));
    object(
        &drm.extras,
        [
            ("licenseUri", drm.license_uri.as_deref().map(Value::from)),
            ("scheme", code.map(Value::from)),
            ("fpsCertificate", drm.fps_certificate.as_ref().map(|it| BASE64.encode(it.as_bytes()).into())),
        ],
    )
}

fn write_subtitle(subtitle: &ExternalSubtitle) -> Value {
    object(
        &subtitle.extras,
        [
            ("id", subtitle.id.as_deref().map(Value::from)),
            (fields::spelling(&subtitle.extras, SUBTITLE_URL), Some(subtitle.url.as_str().into())),
            ("language", subtitle.language.as_deref().map(Value::from)),
            (fields::spelling(&subtitle.extras, SUBTITLE_NAME), subtitle.name.as_deref().map(Value::from)),
            ("mimeType", subtitle.mime_type.as_deref().map(Value::from)),
        ],
    )
}

fn coded<T: Copy>(value: &Value, table: &[T]) -> Option<T> {
    table.get(usize::try_from(value.as_u64()?).ok()?).copied()
}

/// Whole seconds as an integer, others as the decimal they are.
fn seconds(duration: Duration) -> Option<Value> {
    if duration.subsec_nanos() == 0 {
        return Some(duration.as_secs().into());
    }
    let decimal = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    decimal.parse().ok().and_then(Number::from_f64).map(Value::Number)
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Option<Value> {
    (!items.is_empty()).then(|| items.iter().map(write).collect())
}

#[cfg(test)]
mod tests;
