//! What a tree is made of: choices that stand alone.

use crate::tree::{Kind, TextStyle, Tree, UriForm};

/// All choices for a tree. [`Recipe::tree`] turns those that make no sense where they are into plainer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The tree's seed.
    pub seed: u64,
    /// How many hosts, at least 1.
    pub hosts: usize,
    /// Whether there is a multivariant playlist.
    pub subject: Subject,
    /// Variants, at least 1.
    pub variants: Vec<VariantRecipe>,
    /// Renditions.
    pub renditions: Vec<RenditionRecipe>,
    /// What else is in the multivariant playlist.
    pub extras: Extras,
}

impl Recipe {
    /// The tree: equal recipes give equal trees.
    #[must_use]
    pub fn tree(&self) -> Tree {
        super::cook::tree(self)
    }
}

/// What a player is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A multivariant playlist.
    Multivariant,
    /// The first variant's media playlist, and nothing else.
    BareMedia,
}

/// What else is in the multivariant playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extras {
    /// How its text is spelled.
    pub text: TextRecipe,
    /// EXT-X-SESSION-KEY.
    pub session_keys: bool,
    /// EXT-X-SESSION-DATA.
    pub session_data: bool,
    /// EXT-X-CONTENT-STEERING.
    pub steering: bool,
    /// An I-frame playlist.
    pub i_frames: bool,
}

/// How a playlist's text is spelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextRecipe {
    /// Line ends and the like.
    pub style: TextStyle,
    /// Unknown tags, comments and blank lines in the head.
    pub notes: Vec<Note>,
    /// EXT-X-START.
    pub start: bool,
}

/// A line that says nothing to a player: an index into a list of such, modulo its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note(pub usize);

/// A variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantRecipe {
    /// Its media playlist.
    pub track: TrackRecipe,
    /// Whether it has the previous variant's playlist instead, where there is one.
    pub shares: bool,
    /// BANDWIDTH in kilobits a second.
    pub kilobits: u64,
    /// Picture height.
    pub height: u64,
    /// How many of the further attributes it states, 0 to 5.
    pub attributes: usize,
    /// How its URI is spelled.
    pub spelling: Spelling,
}

/// A rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenditionRecipe {
    /// TYPE.
    pub kind: Kind,
    /// Its media playlist; `None`: the media is in the variants.
    pub track: Option<TrackRecipe>,
    /// LANGUAGE: an index into a list of such, modulo its length.
    pub language: usize,
    /// How its URI is spelled.
    pub spelling: Spelling,
}

/// How a reference is spelled, and what it leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spelling {
    /// The spelling.
    pub form: UriForm,
    /// The host, modulo their number.
    pub host: usize,
    /// Whether it has a query.
    pub query: bool,
    /// Whether it has a fragment.
    pub fragment: bool,
    /// What is in its name: an index into a list of such, modulo its length.
    pub name: usize,
    /// Where its folder is, seen from the playlist: the same, below, aside.
    pub folder: usize,
}

/// A media playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackRecipe {
    /// How its text is spelled.
    pub text: TextRecipe,
    /// EXT-X-MEDIA-SEQUENCE.
    pub media_sequence: Option<u64>,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: Option<u64>,
    /// EXT-X-DEFINE.
    pub define: Option<DefineChoice>,
    /// How it ends, if it does.
    pub ending: Ending,
    /// Whether it says what the low-latency extension asks for; without that, no segment lists its parts.
    pub low_latency: bool,
    /// Segments.
    pub segments: Vec<SegmentRecipe>,
    /// Lines after the last segment.
    pub tail: TagsRecipe,
}

/// How a playlist ends, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// EXT-X-ENDLIST and EXT-X-PLAYLIST-TYPE:VOD.
    Vod,
    /// EXT-X-ENDLIST alone.
    Untyped,
    /// EXT-X-ENDLIST and EXT-X-PLAYLIST-TYPE:EVENT.
    Event,
    /// Not yet: live.
    Live,
    /// Not yet: EXT-X-PLAYLIST-TYPE:EVENT.
    OpenEvent,
    /// EXT-X-ENDLIST, in an update that leaves out a segment: EXT-X-SKIP.
    Delta,
}

/// Where a variable's value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefineChoice {
    /// NAME and VALUE.
    Value,
    /// IMPORT.
    Import,
    /// QUERYPARAM.
    QueryParam,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRecipe {
    /// EXTINF in microseconds.
    pub microseconds: u32,
    /// Whether EXTINF has a title.
    pub title: bool,
    /// Length.
    pub bytes: u64,
    /// What it is a part of.
    pub place: Place,
    /// How its URI is spelled.
    pub spelling: Spelling,
    /// The lines before it.
    pub tags: TagsRecipe,
}

/// What a segment is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A file of its own.
    Own,
    /// A range of the track's shared file.
    Shared(RangeChoice),
    /// The same bytes as the previous segment.
    Again,
}

/// Where a range begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeChoice {
    /// Behind the previous one, and the text says so.
    Stated,
    /// Behind the previous one, and the text leaves it out where it may.
    Implied,
    /// Within the previous one.
    Overlapping,
    /// A few bytes behind the previous one.
    AfterAHole,
}

/// The lines before a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagsRecipe {
    /// EXT-X-KEY.
    pub key: Option<KeyChoice>,
    /// EXT-X-MAP.
    pub map: Option<MapChoice>,
    /// EXT-X-DISCONTINUITY.
    pub discontinuity: bool,
    /// EXT-X-GAP.
    pub gap: bool,
    /// EXT-X-PROGRAM-DATE-TIME.
    pub time: bool,
    /// EXT-X-BITRATE.
    pub bitrate: Option<u64>,
    /// EXT-X-PART, or behind the last segment EXT-X-PRELOAD-HINT and EXT-X-RENDITION-REPORT.
    pub parts: bool,
    /// EXT-X-DATERANGE.
    pub date_range: Option<DateRangeChoice>,
    /// Any other line.
    pub note: Option<Note>,
}

/// Which keys a segment gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChoice {
    /// METHOD=NONE.
    Clear,
    /// AES-128 with a key file, and an IV of this byte.
    Aes128(u8, Option<u8>),
    /// SAMPLE-AES with a key file, and an IV of this byte.
    SampleAes(u8, u8),
    /// AES-128 with the key in the URI.
    Data(u8),
    /// FairPlay, Widevine and PlayReady.
    Drm(u8),
    /// The same, and an identity key.
    DrmAndIdentity(u8),
}

/// Where an initialization section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapChoice {
    /// A file of its own.
    Own,
    /// The next range of a file that has only such.
    Shared,
    /// A range of the track's shared media file.
    InMedia,
    /// The track's first one again.
    First,
}

/// What a date range has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateRangeChoice {
    /// A time.
    Plain,
    /// X-ASSET-URI.
    AssetUri,
    /// X-ASSET-LIST.
    AssetList,
}
