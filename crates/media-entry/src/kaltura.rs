//! Kaltura's backend: what it answers about an entry, as an entry.
//!
//! An answer is that of `baseEntry.getPlaybackContext` alone, or of a multirequest that holds it in any place, with the
//! entry itself (`baseEntry.list` or `.get`) in another. All of it is JSON as the backend writes it for `format=1`.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;
use url::form_urlencoded;

use crate::drm::{Certificate, DrmParams, DrmScheme};
use crate::entry::{ExternalSubtitle, MediaEntry, MediaType};
use crate::error::{Error, ErrorKind, ServerText};
use crate::json::{BASE64, Fields, parsed};
use crate::request::PlayManifest;
use crate::source::{MediaFormat, MediaSource};

/// What was asked of Kaltura's backend.
///
/// `Debug` does not show the session.
#[derive(Clone, PartialEq, Eq)]
pub struct KalturaRequest {
    /// The entry that was asked for; the answer's own word, where it has one, goes before it.
    pub entry_id: String,
    /// The Kaltura session (KS) that the sources are to be fetched with; `None`: as they come.
    ///
    /// It is added to addresses of the play-manifest service only, and only where none is there.
    pub session: Option<String>,
}

impl KalturaRequest {
    /// A request without a session.
    #[must_use]
    pub fn new(entry_id: impl Into<String>) -> Self {
        Self { entry_id: entry_id.into(), session: None }
    }

    /// The same request with a session.
    #[must_use]
    pub fn with_session(self, session: impl Into<String>) -> Self {
        Self { session: Some(session.into()), ..self }
    }
}

impl fmt::Debug for KalturaRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = self.session.is_some();
        f.debug_struct("KalturaRequest").field("entry_id", &self.entry_id).field("session", &session).finish()
    }
}

/// The answers that matter, of all that a multirequest brought.
#[derive(Default)]
struct Answers {
    entry: Option<Value>,
    context: Option<Value>,
}

pub(crate) fn read(text: &str, request: &KalturaRequest) -> Result<MediaEntry, Error> {
    let mut answers = Answers::default();
    answers.take(parsed(text)?)?;
    let context = answers.context.ok_or_else(|| Error::new("", ErrorKind::NoPlaybackContext))?;
    let mut context = Fields::of(String::new(), context)?;
    refuse_blocked(&mut context)?;
    let mut entry = match answers.entry {
        Some(entry) => base(Fields::of("objects[0]".to_owned(), entry)?, request),
        None => MediaEntry::new(&*request.entry_id),
    };
    let sounds = sounds(&mut context)?;
    for (source, number) in context.objects("sources")?.into_iter().zip(1..) {
        entry.sources.push(self::source(source, &entry.id, number, (request, &sounds))?);
    }
    for caption in context.objects("playbackCaptions")? {
        entry.external_subtitles.extend(caption_of(caption));
    }
    // Films before the film are nothing to download with it: kept as they came.
    if let Some(bumpers) = context.rest.shift_remove("bumperData") {
        entry.extras.insert("bumperData", bumpers);
    }
    Ok(entry)
}

impl Answers {
    /// Sorts out one answer, or each of several; an exception in any of them is the answer.
    fn take(&mut self, value: Value) -> Result<(), Error> {
        let mut object = match value {
            Value::Array(answers) => return answers.into_iter().try_for_each(|answer| self.take(answer)),
            Value::Object(object) => object,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(()),
        };
        if let Some(exception) = exception(&object) {
            return Err(exception);
        }
        let is = |key: &str| object.get(key).is_some_and(Value::is_array);
        let kind = object.get("objectType").and_then(Value::as_str).unwrap_or_default();
        if is("sources") || kind == "KalturaPlaybackContext" {
            self.context.get_or_insert(Value::Object(object));
        } else if is("objects") {
            let Some(Value::Array(objects)) = object.shift_remove("objects") else { return Ok(()) };
            let is_entry =
                |it: &Value| is_entry(it.get("objectType").and_then(Value::as_str).unwrap_or_default());
            self.entry = self.entry.take().or_else(|| objects.into_iter().find(is_entry));
        } else if is_entry(kind) {
            self.entry.get_or_insert(Value::Object(object));
        } else if let Some(result) = object.shift_remove("result") {
            return self.take(result);
        }
        Ok(())
    }
}

/// `KalturaMediaEntry`, `KalturaLiveStreamEntry` and the like.
fn is_entry(object_type: &str) -> bool {
    object_type.starts_with("Kaltura") && object_type.ends_with("Entry")
}

/// A `KalturaAPIException`, as such or under `error`.
fn exception(object: &serde_json::Map<String, Value>) -> Option<Error> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_exception =
        |value: &Value| value.get("objectType").and_then(Value::as_str) == Some("KalturaAPIException");
    let under = object.get("error").filter(|error| error.is_object());
    let whole = Value::Object(object.clone());
    let found = Some(&whole).filter(|whole| is_exception(whole)).or(under)?;
    let (code, message) = (text(found, "code"), ServerText::new(text(found, "message")));
    Some(Error::new("", ErrorKind::ServerException { code, message }))
}

/// An action of type BLOCK forbids playback; the messages say why.
fn refuse_blocked(context: &mut Fields) -> Result<(), Error> {
    let is_block = |action: &Fields| match action.rest.get("type") {
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::String(text)) => text == "1",
        _ => false,
    };
    let is_blocked = context.objects("actions")?.iter().any(is_block);
    let mut messages =
        context.objects("messages")?.into_iter().map(|mut it| (it.text("code"), it.text("message")));
    let why = messages.find(|(code, _)| code.as_deref().is_some_and(|code| code != "OK"));
    if !is_blocked {
        return Ok(());
    }
    let (code, message) = why.unwrap_or_default();
    let message = ServerText::new(message.unwrap_or_default());
    Err(Error::new("", ErrorKind::Blocked { code: code.unwrap_or_else(|| "BLOCK".to_owned()), message }))
}

/// What the entry says of itself.
fn base(mut fields: Fields, request: &KalturaRequest) -> MediaEntry {
    let dvr = fields.take("dvrStatus", Value::as_u64) == Some(1);
    MediaEntry {
        id: fields.id().unwrap_or_else(|| request.entry_id.clone()),
        name: fields.text("name"),
        duration: fields.take("duration", |value| Duration::try_from_secs_f64(value.as_f64()?).ok()),
        // KalturaEntryType: 1 is a clip, 7 a live stream, 8 a live channel.
        media_type: fields.take("type", |value| {
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            match (number, dvr) {
                (1, _) => Some(MediaType::Vod),
                (7 | 8, true) => Some(MediaType::DvrLive),
                (7 | 8, false) => Some(MediaType::Live),
                _ => None,
            }
        }),
        thumbnail_url: fields.text("thumbnailUrl"),
        tags: fields.text("tags").filter(|tags| !tags.is_empty()),
        ..MediaEntry::default()
    }
}

/// The ids of the flavors that are MP3.
fn sounds(context: &mut Fields) -> Result<Vec<String>, Error> {
    let flavors = context.objects("flavorAssets")?.into_iter();
    let is_sound = |mut flavor: Fields| {
        let is_mp3 = flavor.text("fileExt").is_some_and(|it| it.eq_ignore_ascii_case("mp3"));
        flavor.id().filter(|_| is_mp3)
    };
    Ok(flavors.filter_map(is_sound).collect())
}

fn source(
    mut fields: Fields,
    entry: &str,
    number: u32,
    (request, sounds): (&KalturaRequest, &[String]),
) -> Result<MediaSource, Error> {
    let format = fields.required_text("format")?;
    let url = fields.required_text("url")?;
    let profile = fields.take("deliveryProfileId", |value| value.as_i64().map(|id| id.to_string()));
    let drm = fields.objects("drm")?.into_iter().map(drm).collect::<Result<Vec<_>, _>>()?;
    let flavors = fields.text("flavorIds").unwrap_or_default();
    let is_sound = !flavors.is_empty() && flavors.split(',').all(|id| sounds.iter().any(|it| it == id));
    let classic = drm.iter().any(|it| it.scheme() == DrmScheme::WidevineClassic);
    let (source_type, mime_type) = match (format.as_str(), classic, is_sound) {
        ("applehttp", ..) => (MediaFormat::Hls, Some("application/x-mpegURL")),
        ("url", true, _) => (MediaFormat::Wvm, Some("video/wvm")),
        ("url", false, true) => (MediaFormat::Mp3, Some("audio/mpeg")),
        ("url", false, false) => (MediaFormat::Mp4, Some("video/mp4")),
        ("mpegdash", ..) => (MediaFormat::Unknown, Some("application/dash+xml")),
        _ => (MediaFormat::Unknown, None),
    };
    let mut source = MediaSource {
        id: format!("{entry}_{}", profile.unwrap_or_else(|| number.to_string())),
        url: with_session(&url, request.session.as_deref()),
        mime_type: mime_type.map(str::to_owned),
        source_type: Some(source_type),
        drm,
        extras: fields.rest.into(),
    };
    source.extras.insert("format", format.into());
    source.extras.insert("flavorIds", flavors.into());
    Ok(source)
}

fn drm(mut fields: Fields) -> Result<DrmParams, Error> {
    const CERTIFICATE: &str = "certificate";
    let scheme = fields.take("scheme", |value| {
        Some(match value.as_str()? {
            "drm.WIDEVINE_CENC" => DrmScheme::WidevineCenc,
            "drm.PLAYREADY_CENC" => DrmScheme::PlayReadyCenc,
            "widevine.WIDEVINE" => DrmScheme::WidevineClassic,
            "fairplay.FAIRPLAY" => DrmScheme::FairPlay,
            _ => return None,
        })
    });
    let bytes = fields.text(CERTIFICATE).filter(|text| !text.is_empty()).map(|text| {
        let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        BASE64.decode(dense).map_err(|_| fields.error(CERTIFICATE, ErrorKind::NotBase64))
    });
    Ok(DrmParams {
        license_uri: fields.text("licenseURL"),
        stated_scheme: Some(scheme.unwrap_or_default()),
        fps_certificate: bytes.transpose()?.map(Certificate::new),
        extras: fields.rest.into(),
    })
}

/// Captions with an address; as WebVTT where the backend offers that.
fn caption_of(mut fields: Fields) -> Option<ExternalSubtitle> {
    let (vtt, other) = (fields.text("webVttUrl"), fields.text("url"));
    let is_vtt = vtt.as_ref().is_some_and(|url| !url.is_empty());
    let url = vtt.filter(|_| is_vtt).or(other).filter(|url| !url.is_empty())?;
    let (code, word) = (fields.text("languageCode"), fields.text("language"));
    let mime_type = is_vtt.then(|| "text/vtt".to_owned());
    let name = fields.text("label");
    Some(ExternalSubtitle {
        id: fields.id(),
        url,
        language: code.or(word),
        name,
        mime_type,
        extras: fields.rest.into(),
    })
}

/// The address with the session, where it is one of the play-manifest service and has none.
fn with_session(url: &str, session: Option<&str>) -> String {
    let Some(session) = session.filter(|it| !it.is_empty() && PlayManifest::concerns(url)) else {
        return url.to_owned();
    };
    let (address, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
    let is_there =
        path.contains("/ks/") || query.is_some_and(|it| it.split('&').any(|it| it.starts_with("ks=")));
    if is_there {
        return url.to_owned();
    }
    let session: String = form_urlencoded::byte_serialize(session.as_bytes()).collect();
    match query {
        Some(query) => format!("{path}?{query}&ks={session}{fragment}"),
        None => format!("{path}?ks={session}{fragment}"),
    }
}

#[cfg(test)]
mod tests;
