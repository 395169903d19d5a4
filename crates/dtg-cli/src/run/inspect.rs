//! `inspect`: what a playlist says; a file is read without any network.

mod session_key;

use anyhow::Context as _;
use dtg_core::Origin;
use hls_parse::{ParseOptions, Playlist};
use url::Url;

use super::Outcome;
use super::source::{read, shown};
use crate::args::{Inspect, Source};
use crate::output::{Failure, InspectDocument, Out, Page, Refusal, inspect_text};

pub(super) fn inspect(wish: &Inspect, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let origin = read(&wish.source, wish.base_url.as_ref())?;
    let above =
        wish.multivariant.as_ref().map(|source| Ok::<_, anyhow::Error>((source, read(source, None)?)));
    let above = above.transpose()?;
    let above = above.as_ref().map(|(source, origin)| multivariant(source, origin)).transpose()?;
    let options = ParseOptions {
        reading: wish.reading,
        url: Some(&origin.url),
        imports: above.as_ref().map(Playlist::variables),
        ..ParseOptions::default()
    };
    let url = known_url(wish, &origin);
    match hls_parse::parse(&origin.text, &options) {
        Ok(parsed) => {
            let mut document = InspectDocument::new(&parsed, Page { text: &origin.text, url: url.as_ref() });
            let missing = match (&parsed.playlist, &above) {
                (Playlist::Multivariant(top), _) => session_key::of_multivariant(&wish.source, &origin, top),
                (Playlist::Media(media), Some(Playlist::Multivariant(top))) => {
                    session_key::missing(top, media)
                }
                (Playlist::Media(_), _) => None,
            };
            if let Some(message) = missing {
                document.warn_of_session_key(message);
            }
            out.result(&document, || inspect_text(&document))?;
            Ok(Outcome::Done)
        }
        Err(error) => {
            out.result(&InspectDocument::refused(Refusal::from(&error)), String::new)?;
            let message = format!("{}: {error}", shown(&wish.source, &origin));
            Ok(Outcome::Failed(Failure::new("playlist", message)))
        }
    }
}

/// What stands above a media playlist: its variables and session keys.
fn multivariant<'a>(source: &Source, origin: &'a Origin) -> anyhow::Result<Playlist<'a>> {
    let options = ParseOptions { url: Some(&origin.url), ..ParseOptions::default() };
    let parsed = hls_parse::parse(&origin.text, &options).with_context(|| shown(source, origin))?;
    Ok(parsed.playlist)
}

/// Where the playlist came from; a file alone does not tell.
fn known_url(wish: &Inspect, origin: &Origin) -> Option<Url> {
    let known = wish.base_url.is_some() || matches!(wish.source, Source::Url(_));
    if known { Url::parse(&origin.url).ok() } else { None }
}
