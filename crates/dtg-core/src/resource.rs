//! What is fetched: remote files, and the requests for them.

use hls_parse::Span;

/// One remote file, and the local file that it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resource {
    /// What it is for.
    pub role: Role,
    /// The planned playlist that it was met in first; 0 for what belongs to the whole item.
    pub playlist: u32,
    /// Its number among the resources that share its folder: the local file name is made from it.
    pub number: u32,
    /// The local file's extension.
    pub extension: Extension,
    /// Where its URI is written.
    pub uri: UriRef,
}

/// What a resource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Media; a map whose URI is a segment's too is part of that file.
    Segment,
    /// A media initialization section (EXT-X-MAP) in a file of its own.
    Map,
    /// A content key, 16 bytes (32 for AES-256).
    Key,
    /// The value of an EXT-X-SESSION-DATA.
    SessionData,
    /// External subtitles (a sidecar).
    Subtitle,
    /// The item's picture (a sidecar).
    Thumbnail,
    /// The whole item: its URL gave one media file instead of a playlist.
    File,
}

impl Role {
    /// The role's fixed name, as listings and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Map => "map",
            Self::Key => "key",
            Self::SessionData => "session-data",
            Self::Subtitle => "subtitle",
            Self::Thumbnail => "thumbnail",
            Self::File => "file",
        }
    }
}

/// Where a resource's URI is written: the plan itself holds no URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UriRef {
    /// In a playlist of the origin.
    Playlist {
        /// 0 is what the item's URL gave; `n` is `OriginSet::media[n - 1]`.
        origin: u32,
        /// The URI's bytes in that playlist's text, without quotes.
        span: Span,
    },
    /// It is the URL of this sidecar of the item.
    Sidecar(u32),
    /// It is the item's own URL.
    Entry,
}

/// The closed list of local file extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// MPEG-2 transport stream.
    Ts,
    /// ISO base media file.
    Mp4,
    /// Fragment of an ISO base media file.
    M4s,
    /// ISO base media file with sound only.
    M4a,
    /// ISO base media file with pictures only.
    M4v,
    /// Packed AAC (ADTS).
    Aac,
    /// Packed AC-3.
    Ac3,
    /// Packed E-AC-3.
    Ec3,
    /// Packed MP3.
    Mp3,
    /// WebM.
    Webm,
    /// Matroska.
    Mkv,
    /// Ogg.
    Ogg,
    /// FLAC.
    Flac,
    /// WAVE.
    Wav,
    /// WebVTT.
    Vtt,
    /// SubRip.
    Srt,
    /// TTML.
    Ttml,
    /// A content key.
    Key,
    /// JSON.
    Json,
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
    /// Anything else.
    Bin,
}

impl Extension {
    /// Every extension.
    pub const ALL: [Self; 24] = [
        Self::Ts,
        Self::Mp4,
        Self::M4s,
        Self::M4a,
        Self::M4v,
        Self::Aac,
        Self::Ac3,
        Self::Ec3,
        Self::Mp3,
        Self::Webm,
        Self::Mkv,
        Self::Ogg,
        Self::Flac,
        Self::Wav,
        Self::Vtt,
        Self::Srt,
        Self::Ttml,
        Self::Key,
        Self::Json,
        Self::Jpg,
        Self::Png,
        Self::Webp,
        Self::Gif,
        Self::Bin,
    ];

    /// The extension without its dot.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ts => "ts",
            Self::Mp4 => "mp4",
            Self::M4s => "m4s",
            Self::M4a => "m4a",
            Self::M4v => "m4v",
            Self::Aac => "aac",
            Self::Ac3 => "ac3",
            Self::Ec3 => "ec3",
            Self::Mp3 => "mp3",
            Self::Webm => "webm",
            Self::Mkv => "mkv",
            Self::Ogg => "ogg",
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Ttml => "ttml",
            Self::Key => "key",
            Self::Json => "json",
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Bin => "bin",
        }
    }
}

/// A fetch's place in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u32);

/// One request's worth of a resource; done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// Which resource: an index into the plan's list.
    pub resource: u32,
    /// Its first byte in the remote and in the local file.
    pub start: u64,
    /// How many bytes.
    pub length: Length,
    /// How much of the file.
    pub extent: Extent,
    /// The media time in milliseconds at which the first of it is needed.
    pub at_millis: u64,
}

/// A fetch's length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// As the playlist's byte ranges say.
    Exact(u64),
    /// A guess from the bit rate; 0 where nothing is known.
    About(u64),
}

impl Length {
    /// The number, known or guessed.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Exact(bytes) | Self::About(bytes) => bytes,
        }
    }
}

/// How much of its resource a fetch brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// The file, without a Range header.
    Whole,
    /// The bytes from `start`, by a Range header.
    Range,
}
