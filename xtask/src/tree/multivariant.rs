//! Multivariant playlists: variants, renditions, session keys and session data.

use super::{Define, FileId, Key, Link, Location, PlaylistId, Start, TextStyle};

/// A multivariant playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Multivariant {
    /// Where it is.
    pub location: Location,
    /// How its text is spelled.
    pub style: TextStyle,
    /// EXT-X-VERSION.
    pub version: Option<u32>,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-START.
    pub start: Option<Start>,
    /// EXT-X-DEFINE, in order, before any line that uses them.
    pub defines: Vec<Define>,
    /// EXT-X-CONTENT-STEERING: its SERVER-URI.
    pub content_steering: Option<Link<FileId>>,
    /// Lines behind the head, written as they are.
    pub head: Vec<String>,
    /// EXT-X-MEDIA.
    pub renditions: Vec<Rendition>,
    /// EXT-X-STREAM-INF.
    pub variants: Vec<Variant>,
    /// EXT-X-I-FRAME-STREAM-INF.
    pub i_frame_variants: Vec<Variant>,
    /// EXT-X-SESSION-KEY.
    pub session_keys: Vec<Key>,
    /// EXT-X-SESSION-DATA.
    pub session_data: Vec<SessionData>,
    /// Lines at the end, written as they are.
    pub tail: Vec<String>,
}

/// A variant stream, or an I-frame stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The media playlist.
    pub uri: Link<PlaylistId>,
    /// BANDWIDTH, in bits a second.
    pub bandwidth: u64,
    /// AVERAGE-BANDWIDTH, in bits a second.
    pub average_bandwidth: Option<u64>,
    /// CODECS.
    pub codecs: Option<String>,
    /// RESOLUTION: width and height in pixels.
    pub resolution: Option<(u64, u64)>,
    /// FRAME-RATE, as written.
    pub frame_rate: Option<String>,
    /// AUDIO: a group.
    pub audio: Option<String>,
    /// VIDEO: a group.
    pub video: Option<String>,
    /// SUBTITLES: a group.
    pub subtitles: Option<String>,
    /// CLOSED-CAPTIONS.
    pub closed_captions: Option<ClosedCaptions>,
    /// Further attributes, in order.
    pub attributes: Vec<(String, AttributeValue)>,
}

impl Variant {
    /// A variant that states nothing but what it must.
    #[must_use]
    pub const fn new(uri: Link<PlaylistId>, bandwidth: u64) -> Self {
        Self {
            uri,
            bandwidth,
            average_bandwidth: None,
            codecs: None,
            resolution: None,
            frame_rate: None,
            audio: None,
            video: None,
            subtitles: None,
            closed_captions: None,
            attributes: Vec::new(),
        }
    }
}

/// The value of an attribute that the tree has no field for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// In quotes.
    Quoted(String),
    /// Without.
    Plain(String),
}

/// CLOSED-CAPTIONS of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosedCaptions {
    /// NONE.
    None,
    /// A group.
    Group(String),
}

/// A rendition: EXT-X-MEDIA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// TYPE.
    pub kind: Kind,
    /// GROUP-ID.
    pub group: String,
    /// NAME.
    pub name: String,
    /// LANGUAGE.
    pub language: Option<String>,
    /// URI; without one the media is in the variant's own segments.
    pub uri: Option<Link<PlaylistId>>,
    /// DEFAULT=YES.
    pub default: bool,
    /// AUTOSELECT=YES.
    pub autoselect: bool,
    /// FORCED=YES; subtitles only.
    pub forced: bool,
    /// INSTREAM-ID; closed captions only.
    pub instream_id: Option<String>,
    /// CHARACTERISTICS.
    pub characteristics: Option<String>,
    /// CHANNELS.
    pub channels: Option<String>,
}

impl Rendition {
    /// A rendition that states nothing but what it must.
    #[must_use]
    pub fn new(kind: Kind, group: &str, name: &str) -> Self {
        Self {
            kind,
            group: group.to_owned(),
            name: name.to_owned(),
            language: None,
            uri: None,
            default: false,
            autoselect: false,
            forced: false,
            instream_id: None,
            characteristics: None,
            channels: None,
        }
    }
}

/// TYPE of a rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// AUDIO.
    Audio,
    /// VIDEO.
    Video,
    /// SUBTITLES.
    Subtitles,
    /// CLOSED-CAPTIONS.
    ClosedCaptions,
}

impl Kind {
    /// The word in the playlist.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "AUDIO",
            Self::Video => "VIDEO",
            Self::Subtitles => "SUBTITLES",
            Self::ClosedCaptions => "CLOSED-CAPTIONS",
        }
    }
}

/// EXT-X-SESSION-DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionData {
    /// DATA-ID.
    pub id: String,
    /// VALUE or URI.
    pub value: SessionValue,
    /// LANGUAGE.
    pub language: Option<String>,
}

/// What session data says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionValue {
    /// VALUE.
    Text(String),
    /// URI: a JSON file.
    File(Link<FileId>),
}
