//! HLS playlists as plain values: text in, [`Playlist`] out, and the text back with nothing else changed.
//!
#![doc = include_str!("../README.md")]
//! # What goes in, what comes out
//!
//! [`parse`] reads a playlist's bytes into a [`Playlist`]; [`rewrite`] and [`Edits`] give the bytes back with other
//! URIs and every other byte unchanged, [`rewrite_text`] without keeping values. No I/O, no clock, no panics. Unknown tags are kept, not judged.
//! Out of scope: fetching, live reloads, choosing renditions. Durations are [`std::time::Duration`], rates are bits
//! per second, URIs stay as written until [`resolve`] is called. Positions are byte offsets into the text ([`Span`]).
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod line; // text to lines, lines to attributes
mod attributes;
mod value; // the values
mod inf;
mod codecs;
mod language;
mod key;
mod multivariant;
mod media;
mod low_latency;
mod date_range;
mod walk; // text to values
mod parse;
mod define; // functions over them
mod resolve;
mod edits;
mod rewrite;
mod write;
mod diagnose;
mod error;
#[cfg(feature = "m3u8-rs")]
mod m3u8_rs;

pub use attributes::{Attribute, AttributeError, AttributeFault, AttributeValue, Attributes, attributes};
pub use codecs::{CodecFamily, codec_families};
pub use date_range::{ClientAttribute, ClientValue, DateRange};
pub use define::{UndefinedVariable, Variables};
pub use diagnose::{Diagnostic, Rule, Severity};
pub use edits::Edits;
pub use error::{Error, ErrorKind};
pub use inf::Inf;
pub use key::{Key, KeyMethod, KeySetId, implicit_iv};
pub use language::Language;
pub use line::{Line, LineKind, Lines, Span, bom, lines};
pub use low_latency::{HintKind, Part, PreloadHint, RenditionReport, ServerControl, Skip};
#[cfg(feature = "m3u8-rs")]
pub use m3u8_rs::text_of;
pub use media::{Map, MapId, MediaPlaylist, PlaylistType, Segment};
pub use multivariant::{
    ClosedCaptions, ContentSteering, MediaKind, Multivariant, Rendition, SessionData, Variant,
};
pub use parse::{Limits, ParseOptions, Parsed, Playlist, Reading, parse};
pub use resolve::resolve;
pub use rewrite::{UriRole, rewrite, rewrite_text};
pub use value::{ByteRange, DateTime, Decimal, Resolution, Start, Uri};
pub use walk::{Content, Tag, TypedLine, Walk, walk};
pub use write::Composer;
