//! From an item's URL to a plan: fetches the playlists that a selection needs, and no others.

mod entry;

use hls_parse::{MediaPlaylist, Multivariant, ParseOptions, Parsed, Playlist, Variables};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use url::Url;

use super::cancel::CancelToken;
use super::http::Http;
use crate::error::{Error, ErrorKind};
use crate::http_settings::HttpSettings;
use crate::item::Sidecar;
use crate::options::{Decoders, SelectionOptions};
use crate::plan::{Origin, OriginSet, Planned, draft, plan_file};
use crate::relocate::{self, AnotherEncode};
use crate::select::{Selection, select};
use entry::Entry;

/// A playlist of more bytes than this is refused.
const PLAYLIST_LIMIT: u64 = 256 << 20;
/// Media playlists that are fetched at the same time.
const PARALLEL: usize = 8;

/// What an item's metadata is.
#[derive(Debug)]
pub struct Loaded {
    /// The playlists as they came.
    pub origins: OriginSet,
    /// What was chosen; `None` when the URL gave a media playlist, or no playlist at all.
    pub selection: Option<Selection>,
    /// The plan and the local playlists.
    pub planned: Planned,
}

/// What a load needs beside the network.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// What is chosen of a multivariant playlist.
    pub(crate) choose: &'a Choose<'a>,
    pub(crate) sidecars: &'a [Sidecar],
}

/// Chooses among what a multivariant playlist lists.
pub(crate) type Choose<'a> = dyn Fn(&Multivariant<'_>) -> Result<Selection, Error> + 'a;

/// An http or https URL.
pub(crate) fn remote_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| Error::new(ErrorKind::InvalidUrl(error)).at(text))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(Error::new(ErrorKind::SchemeNotAllowed(other.to_owned())).at(text)),
    }
}

/// Fetches one playlist's text; `home` is the item's URL.
pub(crate) fn fetch(http: &Http, url: &Url, home: &Url, token: &CancelToken) -> Result<Origin, Error> {
    let _entered = token.enter();
    let text = http.text(url, home, PLAYLIST_LIMIT)?;
    Ok(Origin { url: text.url, text: text.bytes })
}

/// Fetches what the URL gives, chooses, fetches the chosen media playlists and plans.
pub(crate) fn load(http: &Http, url: &str, wish: Wish<'_>, token: &CancelToken) -> Result<Loaded, Error> {
    let home = remote_url(url)?;
    let under = Under { home: &home, token };
    match entry::open(http, under)? {
        Entry::Playlist(entry) => load_playlists(http, entry, wish, under),
        Entry::File(entry, file) => {
            let planned =
                plan_file(&file, wish.sidecars).map_err(|error| Error::from(error).at(&entry.url))?;
            let origins = OriginSet { entry, media: Vec::new() };
            Ok(Loaded { origins, selection: None, planned })
        }
    }
}

fn load_playlists(http: &Http, entry: Origin, wish: Wish<'_>, under: Under<'_>) -> Result<Loaded, Error> {
    let mut origins = OriginSet { entry, media: Vec::new() };
    let first = parse(&origins.entry, None)?;
    let Playlist::Multivariant(multivariant) = &first.playlist else {
        let planned = plan_alone(&origins, first, wish.sidecars)?;
        return Ok(Loaded { origins, selection: None, planned });
    };
    let selection = (wish.choose)(multivariant).map_err(|error| error.at(&origins.entry.url))?;
    let media = fetch_media(http, &origins.entry.url, &selection, under)?;
    drop(first);
    origins.media = media;
    let planned = plan_chosen(&origins, &selection, wish.sidecars)?;
    Ok(Loaded { origins, selection: Some(selection), planned })
}

/// What playlists that were loaded before are planned as: equal inputs give equal plans.
pub(crate) fn planned_again(origins: &OriginSet, wish: Wish<'_>) -> Result<Planned, Error> {
    let entry = parse(&origins.entry, None)?;
    let Playlist::Multivariant(multivariant) = &entry.playlist else {
        return plan_alone(origins, entry, wish.sidecars);
    };
    let selection = (wish.choose)(multivariant).map_err(|error| error.at(&origins.entry.url))?;
    drop(entry);
    plan_chosen(origins, &selection, wish.sidecars)
}

/// Plans a media playlist that came alone.
fn plan_alone(origins: &OriginSet, entry: Parsed<'_>, sidecars: &[Sidecar]) -> Result<Planned, Error> {
    let draft = draft(origins, &entry.playlist, &[], None);
    drop(entry);
    draft
        .and_then(|draft| draft.planned(origins, None, sidecars))
        .map_err(|error| Error::from(error).at(&origins.entry.url))
}

/// The tracks that were chosen of `known` before, by the same options and in the same order.
pub(crate) fn chosen_again(
    fresh: &Multivariant<'_>,
    known: &OriginSet,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Selection, Error> {
    let Some(multivariant) = relocate::multivariant_of(known) else {
        return Err(AnotherEncode::Unreadable.into());
    };
    let known = select(&multivariant, options, decoders)?;
    Ok(relocate::in_order_of(&known, select(fresh, options, decoders)?)?)
}

/// What the requests of one load are under.
#[derive(Clone, Copy)]
struct Under<'a> {
    home: &'a Url,
    token: &'a CancelToken,
}

fn fetch_media(
    http: &Http,
    base: &str,
    selection: &Selection,
    under: Under<'_>,
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
    pool(urls.len())?
        .install(|| urls.par_iter().map(|url| fetch(http, url, under.home, under.token)).collect())
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
    let draft = draft(origins, &entry.playlist, &media, Some(selection));
    drop(media);
    draft
        .and_then(|draft| draft.planned(origins, Some((multivariant, selection)), sidecars))
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
    let (http, url) = (lone_client()?, remote_url(url)?);
    fetch(&http, &url, &url, &CancelToken::default())
}

/// Loads an item's metadata as [`ContentManager::load_item_metadata`](crate::ContentManager::load_item_metadata)
/// would. Waits for the network; nothing is stored.
///
/// # Errors
/// Whatever keeps the presentation from being downloaded.
pub fn dry_run(url: &str, options: &SelectionOptions, decoders: &Decoders) -> Result<Loaded, Error> {
    let choose = |fresh: &Multivariant<'_>| Ok(select(fresh, options, decoders)?);
    load(&lone_client()?, url, Wish { choose: &choose, sidecars: &[] }, &CancelToken::default())
}

fn lone_client() -> Result<Http, Error> {
    Http::new(HttpSettings::default(), u16::try_from(PARALLEL).unwrap_or(u16::MAX))
}
