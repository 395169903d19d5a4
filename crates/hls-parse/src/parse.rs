//! Text to values: the one reader of both kinds of playlist.

use serde::Serialize;

use crate::define::Variables;
use crate::diagnose::{Diagnostic, Rule};
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind, Span, bom, lines};
use crate::media::MediaPlaylist;
use crate::multivariant::Multivariant;

mod context; // what both kinds share
mod tag;
mod common;
mod key;
mod multivariant;
mod segments;
mod media;
mod low_latency;
mod date_range;
mod check; // rules about a playlist as a whole
mod passing; // lines without values

pub(crate) use context::{EXPANDED, Facts};
pub(crate) use passing::Passing;

use context::Context;

/// How to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParseOptions<'v> {
    /// What to do about broken rules.
    pub reading: Reading,
    /// How much to read.
    pub limits: Limits,
    /// The playlist's own URL, after redirects: where EXT-X-DEFINE with QUERYPARAM looks.
    pub url: Option<&'v str>,
    /// The multivariant playlist's variables: where EXT-X-DEFINE with IMPORT looks.
    pub imports: Option<&'v Variables>,
}

/// What to do about broken rules; see [`Rule::severity`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Read what players read, and report each oddity.
    #[default]
    Lenient,
    /// Refuse what breaks a rule.
    Strict,
}

/// How much text is read before it is refused with [`ErrorKind::Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all; also bytes that variables expand to.
    pub bytes: u32,
    /// Lines.
    pub lines: u32,
    /// Bytes in one line.
    pub line_bytes: u32,
    /// Attributes of one tag.
    pub attributes: u32,
    /// Key formats in effect at once.
    pub key_formats: u32,
    /// Diagnostics that are kept; more are counted, see [`Parsed::diagnostics_left_out`].
    pub diagnostics: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            lines: 8_000_000,
            line_bytes: 1 << 20,
            attributes: 256,
            key_formats: 8,
            diagnostics: 10_000,
        }
    }
}

/// A playlist, and what is odd about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parsed<'a> {
    /// The playlist.
    pub playlist: Playlist<'a>,
    /// Oddities, by line.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more oddities there are than [`Limits::diagnostics`] lets in.
    pub diagnostics_left_out: u32,
}

/// Either kind of playlist.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Playlist<'a> {
    /// Streams and renditions to choose from.
    Multivariant(Multivariant<'a>),
    /// Segments to play.
    Media(MediaPlaylist<'a>),
}

impl<'a> Playlist<'a> {
    /// The multivariant playlist, if it is one.
    #[must_use]
    pub const fn as_multivariant(&self) -> Option<&Multivariant<'a>> {
        match self {
            Self::Multivariant(playlist) => Some(playlist),
            Self::Media(_) => None,
        }
    }

    /// The media playlist, if it is one.
    #[must_use]
    pub const fn as_media(&self) -> Option<&MediaPlaylist<'a>> {
        match self {
            Self::Media(playlist) => Some(playlist),
            Self::Multivariant(_) => None,
        }
    }

    /// What EXT-X-DEFINE defined.
    #[must_use]
    pub const fn variables(&self) -> &Variables {
        match self {
            Self::Multivariant(playlist) => &playlist.variables,
            Self::Media(playlist) => &playlist.variables,
        }
    }
}

/// Reads a playlist of either kind. The values borrow from `text`.
///
/// It is a multivariant playlist if it has EXT-X-STREAM-INF, or any other tag of that kind and no tag of media
/// playlists; else a media playlist, which may have no segments.
///
/// # Errors
/// [`ErrorKind::NotAPlaylist`], [`ErrorKind::Encoding`], [`ErrorKind::Limit`], [`ErrorKind::Attributes`],
/// [`ErrorKind::UndefinedVariable`]; [`ErrorKind::Rule`] for rules of severity
/// [`Fatal`](crate::Severity::Fatal) and, in the strict reading, [`Violation`](crate::Severity::Violation).
pub fn parse<'a>(text: &'a [u8], options: &ParseOptions<'_>) -> Result<Parsed<'a>, Error> {
    let mut context = begin(text, options)?;
    let playlist = if is_multivariant(text) {
        Playlist::Multivariant(multivariant::read(&mut context)?)
    } else {
        Playlist::Media(media::read(&mut context)?)
    };
    Ok(context.finish(playlist))
}

fn begin<'a, 'o>(text: &'a [u8], options: &'o ParseOptions<'o>) -> Result<Context<'a, 'o>, Error> {
    let limit = options.limits.bytes;
    if text.len() > limit as usize {
        return Err(Error::new(ErrorKind::Limit { what: "bytes", limit }));
    }
    if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") {
        return Err(Error::new(ErrorKind::Encoding));
    }
    let mut context = Context::new(text, options);
    check_beginning(&mut context)?;
    Ok(context)
}

/// `#EXTM3U` comes first. Leniently, a byte order mark or blank lines may stand before it, and words behind it.
fn check_beginning(context: &mut Context<'_, '_>) -> Result<(), Error> {
    let text = context.text;
    let Some(line) = lines(text).find(|line| line.kind != LineKind::Blank) else {
        return Err(Error::new(ErrorKind::NotAPlaylist));
    };
    let LineKind::Tag { name, .. } = line.kind else { return Err(Error::at(&line, ErrorKind::NotAPlaylist)) };
    let exactly = line.span.of(text) == b"#EXTM3U" && line.number == 1;
    if !exactly && name != "EXTM3U" && !name.starts_with("EXTM3U ") && !name.starts_with("EXTM3U\t") {
        return Err(Error::at(&line, ErrorKind::NotAPlaylist));
    }
    if let Some(span) = bom(text) {
        context.odd(&line, span, Rule::ByteOrderMark)?;
    }
    if !exactly {
        context.odd(&line, line.span, Rule::FirstLine)?;
    }
    Ok(())
}

/// Decided by the first EXTINF or EXT-X-STREAM-INF; without either, by what else there is.
fn is_multivariant(text: &[u8]) -> bool {
    let (mut menu, mut media) = (false, false);
    for line in lines(text) {
        match kind_of(&line) {
            Some(TagKind::Segment) => return false,
            Some(TagKind::Stream) => return true,
            Some(TagKind::Menu) => menu = true,
            Some(TagKind::Media) => media = true,
            Some(TagKind::Either) | None => {}
        }
    }
    menu && !media
}

/// Which kind of playlist a tag belongs to (RFC 8216 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagKind {
    /// EXTINF.
    Segment,
    /// EXT-X-STREAM-INF.
    Stream,
    /// Other tags of multivariant playlists.
    Menu,
    /// Other tags of media playlists.
    Media,
    /// Tags of both.
    Either,
}

/// `None`: no tag, or an unknown one.
fn kind_of(line: &Line<'_>) -> Option<TagKind> {
    let LineKind::Tag { name, .. } = line.kind else { return None };
    Some(match name {
        "EXTINF" => TagKind::Segment,
        "EXT-X-STREAM-INF" => TagKind::Stream,
        "EXT-X-I-FRAME-STREAM-INF"
        | "EXT-X-MEDIA"
        | "EXT-X-SESSION-DATA"
        | "EXT-X-SESSION-KEY"
        | "EXT-X-CONTENT-STEERING" => TagKind::Menu,
        "EXT-X-BYTERANGE"
        | "EXT-X-DISCONTINUITY"
        | "EXT-X-KEY"
        | "EXT-X-MAP"
        | "EXT-X-GAP"
        | "EXT-X-BITRATE"
        | "EXT-X-PROGRAM-DATE-TIME"
        | "EXT-X-PART"
        | "EXT-X-DATERANGE"
        | "EXT-X-SKIP"
        | "EXT-X-PRELOAD-HINT"
        | "EXT-X-RENDITION-REPORT"
        | "EXT-X-TARGETDURATION"
        | "EXT-X-MEDIA-SEQUENCE"
        | "EXT-X-DISCONTINUITY-SEQUENCE"
        | "EXT-X-ENDLIST"
        | "EXT-X-PLAYLIST-TYPE"
        | "EXT-X-I-FRAMES-ONLY"
        | "EXT-X-PART-INF"
        | "EXT-X-SERVER-CONTROL" => TagKind::Media,
        "EXTM3U" | "EXT-X-VERSION" | "EXT-X-INDEPENDENT-SEGMENTS" | "EXT-X-START" | "EXT-X-DEFINE" => {
            TagKind::Either
        }
        _ => return None,
    })
}

/// The place that belongs to no line.
const WHOLE: Span = Span::new(0, 0);

#[cfg(test)]
mod tests;
