//! `plan`: a dry run; nothing is stored.

use anyhow::Context as _;
use camino::Utf8Path;
use dtg_core::{Master, Origin, OriginSet, Selection};
use hls_parse::{MediaPlaylist, ParseOptions, Parsed, Playlist, Variables};
use url::Url;

use super::Outcome;
use super::source::{read, read_beside, shown, shown_beside};
use crate::args::{Plan, Source};
use crate::output::{Out, PlanDocument, Refused, plan_text};

pub(super) fn plan(wish: &Plan, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let document = match &wish.source {
        Source::Url(url) => online(url, wish)?,
        Source::File(path) => offline(path.parent().unwrap_or(Utf8Path::new("")), wish)?,
        Source::Stdin => offline(Utf8Path::new(""), wish)?,
    };
    out.result(&document, || plan_text(&document))?;
    Ok(Outcome::Done)
}

/// As `download` would do it.
fn online(url: &str, wish: &Plan) -> anyhow::Result<PlanDocument> {
    let loaded = dtg_core::dry_run(url, &wish.selection, &wish.decoders)?;
    if loaded.planned.plan.master == Master::File {
        return Ok(PlanDocument::chosen(None).planned(&loaded.planned));
    }
    let parsed = parse(&loaded.origins.entry, None)?;
    let choice = match (&loaded.selection, &parsed.playlist) {
        (Some(selection), Playlist::Multivariant(playlist)) => Some((selection, playlist)),
        _ => None,
    };
    Ok(PlanDocument::chosen(choice).planned(&loaded.planned))
}

/// From a file and what lies beside it, or from where it says that it came from.
fn offline(folder: &Utf8Path, wish: &Plan) -> anyhow::Result<PlanDocument> {
    let entry = read(&wish.source, wish.base_url.as_ref())?;
    let named = || shown(&wish.source, &entry);
    let parsed = parse(&entry, None).with_context(named)?;
    let Playlist::Multivariant(playlist) = &parsed.playlist else {
        let origins = OriginSet { entry: entry.clone(), media: Vec::new() };
        let planned = dtg_core::plan(&origins, &parsed.playlist, &[], None, &[]).with_context(named)?;
        return Ok(PlanDocument::chosen(None).planned(&planned));
    };
    let selection = dtg_core::select(playlist, &wish.selection, &wish.decoders).with_context(named)?;
    let document = PlanDocument::chosen(Some((&selection, playlist)));
    let (media, missing) = media_of(&selection, &entry, folder)?;
    if !missing.is_empty() {
        return Ok(document.lacking(missing));
    }
    let origins = OriginSet { entry: entry.clone(), media };
    let media = parse_media(&origins.media, &playlist.variables)?;
    let planned =
        dtg_core::plan(&origins, &parsed.playlist, &media, Some(&selection), &[]).with_context(named)?;
    Ok(document.planned(&planned))
}

/// The chosen media playlists, and the URIs of those that should be files and aren't there.
fn media_of(
    selection: &Selection,
    entry: &Origin,
    folder: &Utf8Path,
) -> anyhow::Result<(Vec<Origin>, Vec<String>)> {
    let base = Url::parse(&entry.url).context("the base is not a URL")?;
    let (mut media, mut missing) = (Vec::new(), Vec::new());
    for uri in selection.playlists() {
        match read_beside(folder, &hls_parse::resolve(&base, uri)?)? {
            Some(origin) => media.push(origin),
            None => missing.push(uri.to_owned()),
        }
    }
    Ok((media, missing))
}

fn parse_media<'a>(media: &'a [Origin], imports: &Variables) -> anyhow::Result<Vec<MediaPlaylist<'a>>> {
    media.iter().map(|origin| media_playlist(origin, imports)).collect()
}

fn media_playlist<'a>(origin: &'a Origin, imports: &Variables) -> anyhow::Result<MediaPlaylist<'a>> {
    match parse(origin, Some(imports)).with_context(|| shown_beside(origin))?.playlist {
        Playlist::Media(media) => Ok(media),
        Playlist::Multivariant(_) => Err(Refused {
            code: "nested-multivariant",
            message: format!(
                "{}: a media playlist was expected, and a multivariant playlist came",
                shown_beside(origin)
            ),
        }
        .into()),
    }
}

fn parse<'a>(origin: &'a Origin, imports: Option<&Variables>) -> Result<Parsed<'a>, hls_parse::Error> {
    let options = ParseOptions { url: Some(&origin.url), imports, ..ParseOptions::default() };
    hls_parse::parse(&origin.text, &options)
}
