//! A media source: one address of an entry, and what is found there.

use std::fmt;

use crate::drm::{DrmParams, DrmScheme};
use crate::extras::Extras;
use crate::redact::shown;

/// One address an entry can be had from.
#[derive(Clone, Default, PartialEq)]
pub struct MediaSource {
    /// Its id; unique within the entry.
    pub id: String,
    /// Where it is; may hold a token.
    pub url: String,
    /// Its MIME type, as stated.
    pub mime_type: Option<String>,
    /// Its format, as stated; see [`MediaSource::format`].
    pub source_type: Option<MediaFormat>,
    /// What a license takes, one entry a DRM system; empty for clear and AES-128 content.
    pub drm: Vec<DrmParams>,
    /// Keys this crate does not know, and values it could not read, to be written back.
    pub extras: Extras,
}

/// What kind of file or stream a source is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaFormat {
    /// HTTP Live Streaming.
    Hls,
    /// Widevine Classic.
    Wvm,
    /// One MP4 or QuickTime file.
    Mp4,
    /// One file of sound: MP3 or M4A.
    Mp3,
    /// None of these.
    #[default]
    Unknown,
}

impl MediaSource {
    /// A source with an id and an address.
    #[must_use]
    pub fn new(id: impl Into<String>, url: impl Into<String>) -> Self {
        Self { id: id.into(), url: url.into(), ..Self::default() }
    }

    /// The format as stated, else by MIME type, else by the address's extension (its query is ignored).
    #[must_use]
    pub fn format(&self) -> MediaFormat {
        let known = |format: &MediaFormat| *format != MediaFormat::Unknown;
        self.source_type
            .filter(known)
            .or_else(|| self.mime_type.as_deref().map(MediaFormat::of_mime_type).filter(known))
            .unwrap_or_else(|| MediaFormat::of_url(&self.url))
    }

    /// Whether this is FairPlay: HLS with FairPlay among its DRM systems.
    ///
    /// All of [`MediaSource::drm`] is looked at, not only the first.
    #[must_use]
    pub fn is_fair_play(&self) -> bool {
        self.format() == MediaFormat::Hls && self.drm_of(DrmScheme::FairPlay).is_some()
    }

    /// What a license of this DRM system takes; the first, if there are several.
    #[must_use]
    pub fn drm_of(&self, scheme: DrmScheme) -> Option<&DrmParams> {
        self.drm.iter().find(|it| it.scheme() == scheme)
    }
}

impl MediaFormat {
    /// The format that a MIME type names; letter case and parameters (`; charset=...`) don't count.
    #[must_use]
    pub fn of_mime_type(mime_type: &str) -> Self {
        let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-mpegurl"
            | "application/mpegurl"
            | "application/vnd.apple.mpegurl"
            | "audio/x-mpegurl"
            | "audio/mpegurl" => Self::Hls,
            "video/wvm" => Self::Wvm,
            "video/mp4" | "video/x-m4v" | "video/quicktime" => Self::Mp4,
            "audio/mpeg" | "audio/mp3" | "audio/mp4" | "audio/x-m4a" => Self::Mp3,
            _ => Self::Unknown,
        }
    }

    /// The format that an address's extension names; query and fragment don't count.
    #[must_use]
    pub fn of_url(url: &str) -> Self {
        let address = url.split(['?', '#']).next().unwrap_or_default();
        let path = match address.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => address,
        };
        let file = path.rsplit('/').next().unwrap_or_default();
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension.to_ascii_lowercase().as_str() {
            "m3u8" => Self::Hls,
            "wvm" => Self::Wvm,
            "mp4" | "mov" => Self::Mp4,
            "mp3" | "m4a" => Self::Mp3,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for MediaFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hls => "HLS",
            Self::Wvm => "Widevine Classic",
            Self::Mp4 => "MP4",
            Self::Mp3 => "MP3",
            Self::Unknown => "unknown format",
        })
    }
}

impl fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaSource")
            .field("id", &self.id)
            .field("url", &shown(&self.url))
            .field("mime_type", &self.mime_type)
            .field("source_type", &self.source_type)
            .field("drm", &self.drm)
            .field("extras", &self.extras)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_url(url: &str, expected: MediaFormat) {
        assert_eq!(MediaSource::new("1", url).format(), expected, "{url}");
    }

    #[test]
    fn the_extension_tells_the_format_and_the_query_does_not() {
        check_url("https://h.test/p/a.m3u8?x=b.mp4", MediaFormat::Hls);
        check_url("https://h.test/p/a.M3U8#b.mp4", MediaFormat::Hls);
        check_url("a.wvm", MediaFormat::Wvm);
        check_url("https://h.test/a.mov", MediaFormat::Mp4);
        check_url("https://h.test/a.mp4?ks=1/2.mp3", MediaFormat::Mp4);
        check_url("https://h.test/a.m4a", MediaFormat::Mp3);
        check_url("https://h.test/a.mp3", MediaFormat::Mp3);
        check_url("https://h.test/a.mpd", MediaFormat::Unknown);
        check_url("https://h.test/m3u8", MediaFormat::Unknown);
        check_url("https://h.mp4", MediaFormat::Unknown);
        check_url("https://h.test/a.mp4/", MediaFormat::Unknown);
        check_url("", MediaFormat::Unknown);
    }

    #[test]
    fn a_stated_type_goes_before_the_mime_type_and_that_before_the_extension() {
        let mut source = MediaSource::new("1", "https://h.test/a.mp3");
        source.mime_type = Some("Application/X-mpegURL; charset=utf-8".to_owned());
        assert_eq!(source.format(), MediaFormat::Hls);
        source.source_type = Some(MediaFormat::Mp4);
        assert_eq!(source.format(), MediaFormat::Mp4);
    }

    #[test]
    fn what_is_unknown_does_not_hide_what_is_known() {
        let mut source = MediaSource::new("1", "https://h.test/a.m3u8");
        source.mime_type = Some("application/octet-stream".to_owned());
        source.source_type = Some(MediaFormat::Unknown);
        assert_eq!(source.format(), MediaFormat::Hls);
    }

    #[test]
    fn any_fair_play_entry_makes_an_hls_source_fair_play() {
        let widevine = DrmParams { stated_scheme: Some(DrmScheme::WidevineCenc), ..DrmParams::default() };
        let fair_play = DrmParams { stated_scheme: Some(DrmScheme::FairPlay), ..DrmParams::default() };
        let mut source = MediaSource::new("1", "https://h.test/a.m3u8");
        source.drm = vec![widevine.clone()];
        assert!(!source.is_fair_play());
        source.drm = vec![widevine, fair_play];
        assert!(source.is_fair_play());
        source.url = "https://h.test/a.mp4".to_owned();
        assert!(!source.is_fair_play(), "FairPlay is HLS");
    }
}
