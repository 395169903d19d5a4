//! The same playlist with other URIs.

use crate::attributes::{AttributeValue, attributes};
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind, Span, lines};
use crate::parse::Playlist;
use crate::value::Uri;

/// What a URI in a playlist is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UriRole {
    /// A media segment.
    Segment,
    /// A variant's media playlist.
    Variant,
    /// An I-frame variant's media playlist.
    IFrameVariant,
    /// A rendition's media playlist.
    Rendition,
    /// An initialization section.
    Map,
    /// A key of segments.
    Key,
    /// A key announced by the multivariant playlist.
    SessionKey,
    /// A file of session data.
    SessionData,
    /// A part of a segment.
    Part,
    /// A resource hinted at.
    PreloadHint,
    /// Another rendition's media playlist, reported on.
    RenditionReport,
    /// A steering manifest.
    ContentSteering,
    /// X-ASSET-URI: an interstitial.
    AssetUri,
    /// X-ASSET-LIST: a list of interstitials.
    AssetList,
}

/// `text` with other URIs, and every other byte the same. `playlist` is what [`parse`](crate::parse) made of `text`.
///
/// `replacement` is asked for each URI in the order of the text, also for those that no value has because their line
/// says nothing new or nothing at all, and says the new one or `None` to leave it. With `None` throughout the result
/// equals `text`.
///
/// # Errors
/// [`ErrorKind::UnfitText`] for a replacement that is empty or would break its line: with a control character; in
/// quotes with a quote; on a line of its own with a leading `#` or blanks at an end.
pub fn rewrite<'a>(
    playlist: &Playlist<'a>,
    text: &'a [u8],
    mut replacement: impl FnMut(UriRole, &Uri<'a>) -> Option<String>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    for line in lines(text) {
        for_each_uri(&line, own_role(playlist), |place, role, written, span| {
            // What cannot be read was refused or passed over by `parse`: it stays as it is.
            if !matches!(place, Place::Line) && has_controls(written) {
                return Ok(());
            }
            let Ok(read) = playlist.variables().substitute(written) else { return Ok(()) };
            let Some(new) = replacement(role, &Uri { text: read, span }) else { return Ok(()) };
            if !place.fits(&new) {
                return Err(Error::at(&line, ErrorKind::UnfitText));
            }
            out.extend_from_slice(Span::new(done, span.start).of(text));
            out.extend_from_slice(new.as_bytes());
            done = span.end;
            Ok(())
        })?;
    }
    out.extend_from_slice(text.get(done as usize..).unwrap_or_default());
    Ok(out)
}

/// What a line's own URI is for.
const fn own_role(playlist: &Playlist<'_>) -> UriRole {
    match playlist {
        Playlist::Multivariant(_) => UriRole::Variant,
        Playlist::Media(_) => UriRole::Segment,
    }
}

/// What stands around a URI.
#[derive(Debug, Clone, Copy)]
enum Place {
    Line,
    Quotes,
    Commas,
}

impl Place {
    fn fits(self, new: &str) -> bool {
        let clean = !new.is_empty() && !has_controls(new);
        clean
            && match self {
                Self::Line => !new.starts_with('#') && new.trim() == new,
                Self::Quotes => !new.contains('"'),
                Self::Commas => !new.contains(['"', ',', ' ']),
            }
    }
}

/// Most text is ASCII, and needs no look at characters.
fn has_controls(text: &str) -> bool {
    let plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..0x7F));
    !plain && text.contains(char::is_control)
}

fn for_each_uri<'a>(
    line: &Line<'a>,
    own_role: UriRole,
    mut visit: impl FnMut(Place, UriRole, &'a str, Span) -> Result<(), Error>,
) -> Result<(), Error> {
    match line.kind {
        LineKind::Uri(bytes) => match str::from_utf8(bytes) {
            Ok(written) => visit(Place::Line, own_role, written, line.content),
            Err(_) => Ok(()),
        },
        LineKind::Tag { name, .. } => {
            let wanted = uri_attributes(name);
            if wanted.is_empty() {
                return Ok(());
            }
            for found in attributes(line).flatten().filter(|it| !it.value.text().is_empty()) {
                let Some((_, role)) = wanted.iter().find(|(name, _)| *name == found.name) else { continue };
                let place = match found.value {
                    AttributeValue::Quoted(_) => Place::Quotes,
                    AttributeValue::Unquoted(_) => Place::Commas,
                };
                visit(place, *role, found.value.text(), found.value_span)?;
            }
            Ok(())
        }
        LineKind::Blank | LineKind::Comment(_) => Ok(()),
    }
}

/// Which attributes of a tag are URIs.
const fn uri_attributes(tag: &str) -> &'static [(&'static str, UriRole)] {
    match tag.as_bytes() {
        b"EXT-X-KEY" => &[("URI", UriRole::Key)],
        b"EXT-X-MAP" => &[("URI", UriRole::Map)],
        b"EXT-X-PART" => &[("URI", UriRole::Part)],
        b"EXT-X-MEDIA" => &[("URI", UriRole::Rendition)],
        b"EXT-X-I-FRAME-STREAM-INF" => &[("URI", UriRole::IFrameVariant)],
        b"EXT-X-SESSION-KEY" => &[("URI", UriRole::SessionKey)],
        b"EXT-X-SESSION-DATA" => &[("URI", UriRole::SessionData)],
        b"EXT-X-CONTENT-STEERING" => &[("SERVER-URI", UriRole::ContentSteering)],
        b"EXT-X-PRELOAD-HINT" => &[("URI", UriRole::PreloadHint)],
        b"EXT-X-RENDITION-REPORT" => &[("URI", UriRole::RenditionReport)],
        b"EXT-X-DATERANGE" => &[("X-ASSET-URI", UriRole::AssetUri), ("X-ASSET-LIST", UriRole::AssetList)],
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
