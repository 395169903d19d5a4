//! From an item's URL to a plan: fetches the playlists that a selection needs, and no others.

use hls_parse::{MediaPlaylist, Multivariant, ParseOptions, Parsed, Playlist, Variables};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use url::Url;

use super::cancel::CancelToken;
use super::http::{Http, HttpOptions};
use crate::error::{Error, ErrorKind};
use crate::item::Sidecar;
use crate::options::{Decoders, SelectionOptions};
use crate::plan::{Origin, OriginSet, Planned, plan};
use crate::select::{Selection, select};

/// A playlist of more bytes than this is refused.
const PLAYLIST_LIMIT: u64 = 256 << 20;
/// Media playlists that are fetched at the same time.
const PARALLEL: usize = 8;

/// What an item's metadata is.
#[derive(Debug)]
pub struct Loaded {
    /// The playlists as they came.
    pub origins: OriginSet,
    /// What was chosen; `None` when the URL gave a media playlist.
    pub selection: Option<Selection>,
    /// The plan and the local playlists.
    pub planned: Planned,
}

/// What a load needs beside the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) options: &'a SelectionOptions,
    pub(crate) decoders: &'a Decoders,
    pub(crate) sidecars: &'a [Sidecar],
}

/// An http or https URL.
pub(crate) fn remote_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| Error::new(ErrorKind::InvalidUrl(error)).at(text))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(Error::new(ErrorKind::SchemeNotAllowed(other.to_owned())).at(text)),
    }
}

/// Fetches one playlist's text.
pub(crate) fn fetch(http: &Http, url: &Url, token: &CancelToken) -> Result<Origin, Error> {
    let _entered = token.enter();
    let text = http.text(url, PLAYLIST_LIMIT)?;
    Ok(Origin { url: text.url, text: text.bytes })
}

/// Fetches what the URL gives, chooses, fetches the chosen media playlists and plans.
pub(crate) fn load(http: &Http, url: &str, wish: Wish<'_>, token: &CancelToken) -> Result<Loaded, Error> {
    let entry = fetch(http, &remote_url(url)?, token)?;
    let mut origins = OriginSet { entry, media: Vec::new() };
    let first = parse(&origins.entry, None)?;
    let Playlist::Multivariant(multivariant) = &first.playlist else {
        let planned = plan(&origins, &first.playlist, &[], None, wish.sidecars)
            .map_err(|error| Error::from(error).at(&origins.entry.url))?;
        drop(first);
        return Ok(Loaded { origins, selection: None, planned });
    };
    let selection = select(multivariant, wish.options, wish.decoders)
        .map_err(|error| Error::from(error).at(&origins.entry.url))?;
    let media = fetch_media(http, &origins.entry.url, &selection, token)?;
    drop(first);
    origins.media = media;
    let planned = plan_chosen(&origins, &selection, wish.sidecars)?;
    Ok(Loaded { origins, selection: Some(selection), planned })
}

fn fetch_media(
    http: &Http,
    base: &str,
    selection: &Selection,
    token: &CancelToken,
) -> Result<Vec<Origin>, Error> {
    let base = remote_url(base)?;
    let urls: Vec<Url> = selection
        .playlists()
        .into_iter()
        .map(|uri| {
            let url = hls_parse::resolve(&base, uri)?;
            remote_url(url.as_str())
        })
        .collect::<Result<_, Error>>()?;
    pool(urls.len())?.install(|| urls.par_iter().map(|url| fetch(http, url, token)).collect())
}

/// A few threads for one load: the transfers' own pool is busy with transfers.
fn pool(playlists: usize) -> Result<ThreadPool, Error> {
    ThreadPoolBuilder::new()
        .num_threads(playlists.clamp(1, PARALLEL))
        .thread_name(|n| format!("dtg-load-{n}"))
        .build()
        .map_err(|error| Error::from(std::io::Error::other(error)))
}

fn plan_chosen(origins: &OriginSet, selection: &Selection, sidecars: &[Sidecar]) -> Result<Planned, Error> {
    let entry = parse(&origins.entry, None)?;
    let Playlist::Multivariant(multivariant) = &entry.playlist else {
        return Err(Error::new(ErrorKind::NestedMultivariant).at(&origins.entry.url));
    };
    let media = parse_media(&origins.media, multivariant)?;
    plan(origins, &entry.playlist, &media, Some(selection), sidecars)
        .map_err(|error| Error::from(error).at(&origins.entry.url))
}

fn parse_media<'a>(
    origins: &'a [Origin],
    multivariant: &Multivariant<'_>,
) -> Result<Vec<MediaPlaylist<'a>>, Error> {
    origins
        .iter()
        .map(|origin| match parse(origin, Some(&multivariant.variables))?.playlist {
            Playlist::Media(media) => Ok(media),
            Playlist::Multivariant(_) => Err(Error::new(ErrorKind::NestedMultivariant).at(&origin.url)),
        })
        .collect()
}

/// Reads a playlist with its own URL's query and the multivariant's definitions at hand.
fn parse<'a>(origin: &'a Origin, imports: Option<&Variables>) -> Result<Parsed<'a>, Error> {
    let options = ParseOptions { url: Some(&origin.url), imports, ..ParseOptions::default() };
    hls_parse::parse(&origin.text, &options).map_err(|error| Error::from(error).at(&origin.url))
}

/// Fetches one playlist, as it is. Waits for the network; nothing is stored.
///
/// # Errors
/// Whatever keeps it from being fetched; its text is not judged.
pub fn fetch_playlist(url: &str) -> Result<Origin, Error> {
    fetch(&Http::new(&HttpOptions::default()), &remote_url(url)?, &CancelToken::default())
}

/// Loads an item's metadata as [`ContentManager::load_item_metadata`](crate::ContentManager::load_item_metadata)
/// would. Waits for the network; nothing is stored.
///
/// # Errors
/// Whatever keeps the presentation from being downloaded.
pub fn dry_run(url: &str, options: &SelectionOptions, decoders: &Decoders) -> Result<Loaded, Error> {
    let wish = Wish { options, decoders, sidecars: &[] };
    load(&Http::new(&HttpOptions::default()), url, wish, &CancelToken::default())
}
