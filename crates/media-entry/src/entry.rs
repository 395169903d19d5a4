//! A media entry: one title, and where it can be had.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::error::Error;
use crate::extras::Extras;
use crate::json;
use crate::kaltura::{self, KalturaRequest};
use crate::redact::shown;
use crate::source::MediaSource;

/// One title with the sources it can be had from, as Kaltura PlayKit describes it.
///
/// `Debug` prints addresses without their query and of [`Extras`] the keys only: both may hold tokens.
#[derive(Clone, Default, PartialEq)]
pub struct MediaEntry {
    /// Its id, as the backend gave it.
    pub id: String,
    /// Where it can be had, in the backend's order of preference.
    pub sources: Vec<MediaSource>,
    /// Playing time; `None` when the entry states none.
    pub duration: Option<Duration>,
    /// Whether it is live; `None` when the entry states nothing that is known.
    pub media_type: Option<MediaType>,
    /// Its title, for people.
    pub name: Option<String>,
    /// What the backend says about it, by name.
    pub metadata: BTreeMap<String, String>,
    /// Its picture.
    pub thumbnail_url: Option<String>,
    /// Subtitles that are not part of the presentation.
    pub external_subtitles: Vec<ExternalSubtitle>,
    /// Comma-separated words, as written; [`MediaEntry::tag_list`] splits them.
    pub tags: Option<String>,
    /// Keys this crate does not know, and values it could not read, to be written back.
    pub extras: Extras,
}

/// Whether an entry is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// Live, without a way back.
    Live,
    /// Live, with a window to go back in.
    DvrLive,
    /// On demand.
    Vod,
}

/// Subtitles in a file of their own.
#[derive(Clone, Default, PartialEq)]
pub struct ExternalSubtitle {
    /// Its id, when it has one.
    pub id: Option<String>,
    /// Where the file is.
    pub url: String,
    /// Its language (BCP 47 or ISO 639).
    pub language: Option<String>,
    /// Its name, for people.
    pub name: Option<String>,
    /// The file's MIME type.
    pub mime_type: Option<String>,
    /// Keys this crate does not know, to be written back.
    pub extras: Extras,
}

impl MediaEntry {
    /// An entry with nothing but an id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Reads PlayKit JSON; a source without an id gets a fresh random UUID.
    ///
    /// # Errors
    /// See [`MediaEntry::from_json_with`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::from_json_with(text, &mut || Uuid::new_v4().to_string())
    }

    /// Reads PlayKit JSON; a source without an id gets the next one of `fresh_id`.
    ///
    /// A value that is not understood (an unknown media type, a negative duration) is kept in
    /// [`MediaEntry::extras`] and written back; only what would change an entry's meaning is an error.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`](crate::ErrorKind::Syntax) for what is not JSON; otherwise the error names the key:
    /// an id or address that is missing, a list that is none, a certificate that is not base64.
    pub fn from_json_with(text: &str, fresh_id: &mut dyn FnMut() -> String) -> Result<Self, Error> {
        json::read(text, fresh_id)
    }

    /// Reads what Kaltura's backend answers about an entry: a playback context, alone or in a multirequest.
    ///
    /// Sources stay in the backend's order, those of unknown formats too; the delivery profile is part of their id.
    /// Captions become external subtitles; bumpers are kept in [`MediaEntry::extras`], metadata in XML is not read.
    ///
    /// # Errors
    /// [`ErrorKind::ServerException`](crate::ErrorKind::ServerException) when the backend answers with an exception,
    /// [`ErrorKind::Blocked`](crate::ErrorKind::Blocked) when access rules forbid playback,
    /// [`ErrorKind::NoPlaybackContext`](crate::ErrorKind::NoPlaybackContext) when there is none; otherwise as
    /// [`MediaEntry::from_json_with`].
    pub fn from_kaltura(text: &str, request: &KalturaRequest) -> Result<Self, Error> {
        kaltura::read(text, request)
    }

    /// Writes PlayKit JSON, without line breaks: known keys first, then [`Extras`].
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// The words of [`MediaEntry::tags`], trimmed; empty ones are left out.
    pub fn tag_list(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().flat_map(|tags| tags.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
    }

    /// Whether the entry is a 360-degree film: one of its tags is `360`.
    #[must_use]
    pub fn is_vr(&self) -> bool {
        self.tag_list().any(|tag| tag == "360")
    }
}

impl ExternalSubtitle {
    /// Subtitles with nothing but an address.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

impl fmt::Debug for MediaEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaEntry")
            .field("id", &self.id)
            .field("sources", &self.sources)
            .field("duration", &self.duration)
            .field("media_type", &self.media_type)
            .field("name", &self.name)
            .field("metadata", &self.metadata.keys())
            .field("thumbnail_url", &self.thumbnail_url.as_deref().map(shown))
            .field("external_subtitles", &self.external_subtitles)
            .field("tags", &self.tags)
            .field("extras", &self.extras)
            .finish()
    }
}

impl fmt::Debug for ExternalSubtitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalSubtitle")
            .field("id", &self.id)
            .field("url", &shown(&self.url))
            .field("language", &self.language)
            .field("name", &self.name)
            .field("mime_type", &self.mime_type)
            .field("extras", &self.extras)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_tags(tags: &str, expected: &[&str], vr: bool) {
        let entry = MediaEntry { tags: Some(tags.to_owned()), ..MediaEntry::new("1_abc") };
        assert_eq!(entry.tag_list().collect::<Vec<_>>(), expected);
        assert_eq!(entry.is_vr(), vr);
    }

    #[test]
    fn the_tag_360_means_vr() {
        check_tags("360", &["360"], true);
        check_tags("sport, 360 ,,hd", &["sport", "360", "hd"], true);
        check_tags("3600,x360", &["3600", "x360"], false);
        check_tags("", &[], false);
    }

    #[test]
    fn debug_shows_no_query_no_metadata_value_and_no_unknown_value() {
        let text = r#"{"id":"1","ks":"canary-1","metadata":{"k":"canary-2"},
            "thumbnailUrl":"https://me:canary-3@h.test/t.jpg?ks=canary-4",
            "externalSubtitles":[{"url":"https://h.test/s.vtt#canary-5","x":"canary-6"}],
            "sources":[{"id":"a","url":"https://h.test/a.m3u8?ks=canary-7","token":"canary-8",
              "drmData":[{"licenseUri":"https://h.test/l?custom_data=canary-9","pssh":"canary-10",
                "fpsCertificate":"Y2FuYXJ5LTEx"}]}]}"#;
        let printed = format!("{:?}", MediaEntry::from_json(text).unwrap());
        assert!(!printed.contains("canary") && !printed.contains("Y2FuYXJ5"), "{printed}");
        assert!(printed.contains("https://h.test/a.m3u8"), "{printed}");
    }
}
