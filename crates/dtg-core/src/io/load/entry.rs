//! What an item's URL gives: the text of a playlist, or a media file of which only the head is looked at.

use std::io::Read as _;

use url::Url;

use super::{PLAYLIST_LIMIT, Under};
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::io::http::{Answer, Ask, Http, Request, broken};
use crate::io::versions::Version;
use crate::plan::{Access, Origin, RemoteFile};
use crate::request::RequestRole;
use crate::sniff::{self, Sniffed, sniff};

/// What an item's URL gave.
#[derive(Debug)]
pub(super) enum Entry {
    /// A playlist, unless its text says otherwise.
    Playlist(Origin),
    /// A media file; its origin has no text, and the URL that was asked for: one that it was redirected
    /// to may not live as long.
    File(Origin, RemoteFile),
}

/// Asks for an item's URL: in one request where its name says what it is, else in two.
pub(super) fn open(http: &Http, under: Under<'_>) -> Result<Entry, Error> {
    let _entered = under.token.enter();
    let url = under.home;
    let ask = if sniff::is_named_like_media(url.path()) { first_bytes() } else { Ask::Text };
    opened(http, url, ask, LOOKS).map_err(|error| error.at(url.as_str()))
}

/// A server that says something else each time is not asked for ever.
const LOOKS: u32 = 3;

fn first_bytes<'a>() -> Ask<'a> {
    let last = u64::try_from(sniff::ENOUGH).ok().map(|enough| enough - 1);
    Ask::Range { first: 0, last, if_range: None }
}

fn opened(http: &Http, url: &Url, ask: Ask<'_>, looks: u32) -> Result<Entry, Error> {
    let Some(looks) = looks.checked_sub(1) else { return Err(BadAnswer::Changed.into_error()) };
    let mut answer = http.get(&Request { url, ask, role: RequestRole::Playlist, home: url })?;
    if !matches!((answer.status, ask), (200, _) | (206, Ask::Range { .. })) {
        return Err(Error::new(ErrorKind::Status(answer.status)).again_after(answer.retry_after));
    }
    let (sniffed, text) = look(http, &mut answer, url)?;
    match (sniffed, ask) {
        (Sniffed::Wvm, _) => Err(Error::new(ErrorKind::WidevineClassic)),
        // A playlist under the name of a media file.
        (Sniffed::Playlist, _) if answer.status == 206 => opened(http, url, Ask::Text, looks),
        (Sniffed::Playlist, _) => Ok(Entry::Playlist(Origin { url: answer.url, text })),
        (Sniffed::File(_), Ask::Text | Ask::Whole) => {
            drop(answer);
            opened(http, url, first_bytes(), looks)
        }
        (Sniffed::File(extension), Ask::Range { .. }) => {
            let Version { validator, total } = Version::of(&answer);
            let is_cut = answer.status == 206 && validator.is_some();
            let access = if is_cut { Access::Ranges } else { Access::Whole };
            let origin = Origin { url: url.to_string(), text: Vec::new() };
            Ok(Entry::File(origin, RemoteFile { extension, length: total, access }))
        }
    }
}

/// Reads enough of the answer to tell what it is, and all of it if that is a text.
fn look(http: &Http, answer: &mut Answer, url: &Url) -> Result<(Sniffed, Vec<u8>), Error> {
    let path = match Url::parse(&answer.url) {
        Ok(end) if sniff::is_named_like_media(end.path()) => end.path().to_owned(),
        _ => url.path().to_owned(),
    };
    let (mime_type, framing, status) = (answer.mime_type.clone(), answer.framing, answer.status);
    // One reader for all of it: a second one would begin to decode in the middle.
    let mut body = answer.reader();
    let mut first = Vec::new();
    let enough = u64::try_from(sniff::ENOUGH).unwrap_or(u64::MAX);
    body.by_ref().take(enough).read_to_end(&mut first).map_err(|error| Error::new(broken(&error)))?;
    match sniff(&path, mime_type.as_deref(), &first) {
        Sniffed::Playlist if status == 200 => {
            Ok((Sniffed::Playlist, http.read_text(body, first, framing, PLAYLIST_LIMIT)?))
        }
        sniffed @ (Sniffed::Playlist | Sniffed::File(_) | Sniffed::Wvm) => Ok((sniffed, Vec::new())),
    }
}
