//! The same playlist with other URIs.

use std::borrow::Cow;

use crate::attributes::{AttributeValue, attributes};
use crate::define::Variables;
use crate::error::{Error, ErrorKind};
use crate::line::{Line, LineKind, Span, lines, position};
use crate::parse::{EXPANDED, Facts, Limits, ParseOptions, Passing, Playlist, Reading};
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
/// equals `text`. A URI with a variable that is not defined before it stays as it is.
///
/// # Errors
/// [`ErrorKind::UnfitText`] for a replacement that is empty or would break its line: with a control character; in
/// quotes with a quote; on a line of its own with a leading `#` or blanks at an end. [`ErrorKind::Limit`] where variables
/// stand for more bytes than [`Limits`] has by default and than `text` has itself.
pub fn rewrite<'a>(
    playlist: &Playlist<'a>,
    text: &'a [u8],
    replacement: impl FnMut(UriRole, &Uri<'a>) -> Option<String>,
) -> Result<Vec<u8>, Error> {
    let limit = Limits::default().bytes.max(position(text.len()));
    let mut writing = Writing::new(text, Facts::of(text), limit, replacement);
    let mut defined = Variables::default();
    // Each EXT-X-DEFINE of a text that was read has defined one.
    let mut coming = playlist.variables().iter();
    for line in lines(text) {
        writing.line(&line, own_role(playlist), &defined)?;
        if matches!(line.kind, LineKind::Tag { name: "EXT-X-DEFINE", .. })
            && let Some((name, value)) = coming.next()
        {
            // Its name was not taken, or the text would have been refused.
            let _ = defined.define(name, value.to_owned());
        }
    }
    Ok(writing.finish())
}

/// The same for a text of which nothing else is to be known: it goes by line by line, and no values are kept.
///
/// Of `options`, [`limits`](ParseOptions::limits), [`url`](ParseOptions::url) and [`imports`](ParseOptions::imports)
/// count. Rules are not checked, so that it also takes texts that [`parse`](crate::parse) refuses; where `parse` reads
/// the text, the result is that of [`rewrite`].
///
/// # Errors
/// Those of [`rewrite`]; [`ErrorKind::NotAPlaylist`], [`ErrorKind::Encoding`] and [`ErrorKind::Limit`]; for a broken
/// EXT-X-DEFINE [`ErrorKind::Attributes`], [`ErrorKind::UndefinedVariable`] and [`ErrorKind::Rule`].
///
/// ```
/// use hls_parse::{ParseOptions, rewrite_text};
///
/// let text = b"#EXTM3U\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:4,\n1.m4s\n";
/// let whole = rewrite_text(text, &ParseOptions::default(), |_role, uri| Some(format!("/cdn/{}", uri.as_str())))?;
/// assert_eq!(whole, b"#EXTM3U\n#EXT-X-MAP:URI=\"/cdn/i.mp4\"\n#EXTINF:4,\n/cdn/1.m4s\n");
/// # Ok::<(), hls_parse::Error>(())
/// ```
pub fn rewrite_text<'a>(
    text: &'a [u8],
    options: &ParseOptions<'_>,
    replacement: impl FnMut(UriRole, &Uri<'a>) -> Option<String>,
) -> Result<Vec<u8>, Error> {
    let options = ParseOptions { reading: Reading::Lenient, ..*options };
    let mut passing = Passing::begin(text, &options)?;
    let own_role = if passing.is_multivariant() { UriRole::Variant } else { UriRole::Segment };
    let mut writing = Writing::new(text, passing.facts(), options.limits.bytes, replacement);
    for line in lines(text) {
        passing.admit(&line)?;
        writing.line(&line, own_role, passing.variables())?;
    }
    Ok(writing.finish())
}

/// A text with other URIs as far as it is written.
struct Writing<'a, F> {
    text: &'a [u8],
    facts: Facts<'a>,
    replacement: F,
    out: Vec<u8>,
    /// How much of `text` is in `out`.
    done: u32,
    /// How many bytes variables may stand for, and how many of them are left.
    limit: u32,
    left: usize,
}

impl<'a, F: FnMut(UriRole, &Uri<'a>) -> Option<String>> Writing<'a, F> {
    fn new(text: &'a [u8], facts: Facts<'a>, limit: u32, replacement: F) -> Self {
        let out = Vec::with_capacity(text.len());
        Self { text, facts, replacement, out, done: 0, limit, left: limit as usize }
    }

    #[inline]
    fn line(&mut self, line: &Line<'a>, own_role: UriRole, variables: &Variables) -> Result<(), Error> {
        match line.kind {
            LineKind::Uri(bytes) => match self.facts.str_of(bytes, line.content) {
                Some(written) => {
                    let found = Found { place: Place::Line, role: own_role, written, span: line.content };
                    self.uri(line, variables, found)
                }
                None => Ok(()),
            },
            LineKind::Tag { name: "EXTINF", .. } | LineKind::Blank | LineKind::Comment(_) => Ok(()),
            LineKind::Tag { name, .. } => self.tag(line, uri_attributes(name), variables),
        }
    }

    fn tag(
        &mut self,
        line: &Line<'a>,
        wanted: &[(&str, UriRole)],
        variables: &Variables,
    ) -> Result<(), Error> {
        if wanted.is_empty() {
            return Ok(());
        }
        for found in attributes(line).flatten().filter(|it| !it.value.text().is_empty()) {
            let Some((_, role)) = wanted.iter().find(|(name, _)| *name == found.name) else { continue };
            let place = match found.value {
                AttributeValue::Quoted(_) => Place::Quotes,
                AttributeValue::Unquoted(_) => Place::Commas,
            };
            let written = found.value.text();
            // What cannot be read was refused or passed over by `parse`: it stays as it is.
            if !(self.facts.controls && has_controls(written)) {
                self.uri(line, variables, Found { place, role: *role, written, span: found.value_span })?;
            }
        }
        Ok(())
    }

    #[inline]
    fn uri(&mut self, line: &Line<'a>, variables: &Variables, found: Found<'a>) -> Result<(), Error> {
        let Found { place, role, written, span } = found;
        let read = match self.facts.references {
            true => variables.substitute_some(written, self.left),
            false => Ok(Cow::Borrowed(written)),
        };
        let Ok(read) = read else { return Ok(()) };
        if let Cow::Owned(expanded) = &read {
            let over = || Error::at(line, ErrorKind::Limit { what: EXPANDED, limit: self.limit });
            self.left = self.left.checked_sub(expanded.len()).ok_or_else(over)?;
        }
        let Some(new) = (self.replacement)(role, &Uri { text: read, span }) else { return Ok(()) };
        if !place.fits(&new) {
            return Err(Error::at(line, ErrorKind::UnfitText));
        }
        self.out.extend_from_slice(Span::new(self.done, span.start).of(self.text));
        self.out.extend_from_slice(new.as_bytes());
        self.done = span.end;
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(self.text.get(self.done as usize..).unwrap_or_default());
        self.out
    }
}

/// What a line's own URI is for.
const fn own_role(playlist: &Playlist<'_>) -> UriRole {
    match playlist {
        Playlist::Multivariant(_) => UriRole::Variant,
        Playlist::Media(_) => UriRole::Segment,
    }
}

/// A URI in a line.
struct Found<'a> {
    place: Place,
    role: UriRole,
    /// Before variables are substituted.
    written: &'a str,
    span: Span,
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
