//! What a selection means for a tree: the pure part of a download, without network and disk.

use std::collections::BTreeSet;

use dtg_core::{Extent, Length, Locator, Origin, OriginSet, Planned, Selection, TrackSource, plan, select};
use hls_parse::{ClosedCaptions, MediaKind, MediaPlaylist, Multivariant, ParseOptions, Playlist, Variables};
use proptest::test_runner::TestCaseError;
use url::Url;
use xtask::write::playlist_text;

use crate::stage::{Ask, Show};
use crate::wish::Wish;

/// What is downloaded of a tree, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) origins: OriginSet,
    pub(crate) selection: Option<Selection>,
    pub(crate) planned: Planned,
}

/// A planned request that goes over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) url: Url,
    pub(crate) start: u64,
    pub(crate) length: Option<u64>,
    /// Its place among the plan's fetches.
    pub(crate) place: usize,
    /// The resource's local file.
    pub(crate) file: String,
}

impl Wire {
    pub(crate) fn is_range(&self) -> bool {
        self.length.is_some()
    }

    pub(crate) fn ask(&self) -> Ask {
        let range = self.length.map(|length| format!("bytes={}-{}", self.start, self.start + length - 1));
        Ask { url: self.url.to_string(), range }
    }
}

/// Chooses and plans as a download would. A tree of which nothing can be played is no case.
pub(crate) fn choose(show: &Show<'_>, wish: &Wish) -> Result<Chosen, TestCaseError> {
    let entry = origin(show, &show.url())?;
    let first = parse(&entry, None)?;
    let Playlist::Multivariant(multivariant) = &first else {
        let origins = OriginSet { entry: entry.clone(), media: Vec::new() };
        let planned = plan(&origins, &first, &[], None, &[]).map_err(failed)?;
        return Ok(Chosen { origins, selection: None, planned });
    };
    let selection = select(multivariant, &wish.options, &wish.decoders)
        .map_err(|_| TestCaseError::reject("nothing can be played"))?;
    let base = Url::parse(&entry.url).expect("a loopback URL is one");
    let media = selection.playlists().into_iter().map(|uri| {
        let mut url = base.join(uri).map_err(failed)?;
        url.set_fragment(None);
        origin(show, url.as_str())
    });
    let media: Vec<Origin> = media.collect::<Result<_, _>>()?;
    let origins = OriginSet { entry: entry.clone(), media };
    let parsed: Vec<MediaPlaylist<'_>> = origins
        .media
        .iter()
        .map(|origin| parsed_media(origin, Some(&multivariant.variables)))
        .collect::<Result<_, _>>()?;
    let planned = plan(&origins, &first, &parsed, Some(&selection), &[]).map_err(failed)?;
    drop(parsed);
    Ok(Chosen { origins, selection: Some(selection), planned })
}

pub(crate) fn failed(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

/// A playlist of the tree as it comes over the wire.
fn origin(show: &Show<'_>, url: &str) -> Result<Origin, TestCaseError> {
    let mut texts = show.tree.texts();
    let (_, entry) = texts
        .find(|(location, _)| show.hosts.url(location) == url)
        .ok_or_else(|| failed(format!("no playlist at {url}")))?;
    Ok(Origin { url: url.to_owned(), text: playlist_text(&show.tree, show.hosts, entry) })
}

pub(crate) fn parse<'a>(
    origin: &'a Origin,
    imports: Option<&Variables>,
) -> Result<Playlist<'a>, TestCaseError> {
    let options = ParseOptions { url: Some(&origin.url), imports, ..ParseOptions::default() };
    Ok(hls_parse::parse(&origin.text, &options).map_err(failed)?.playlist)
}

pub(crate) fn parsed_media<'a>(
    origin: &'a Origin,
    imports: Option<&Variables>,
) -> Result<MediaPlaylist<'a>, TestCaseError> {
    match parse(origin, imports)? {
        Playlist::Media(media) => Ok(media),
        Playlist::Multivariant(_) => Err(failed("a multivariant playlist in place of a media playlist")),
    }
}

impl Chosen {
    /// The requests of the plan, in its order; what is in a `data:` URI needs none.
    pub(crate) fn wires(&self) -> Vec<Wire> {
        let locator = Locator::new(self.origins.clone(), Vec::new()).expect("the playlists were planned");
        let plan = &self.planned.plan;
        let wires = plan.fetches.iter().enumerate().map(|(place, fetch)| {
            let resource = plan.resource(fetch.resource).expect("a fetch has a resource");
            let length = match (fetch.extent, fetch.length) {
                (Extent::Range, Length::Exact(length) | Length::About(length)) => Some(length),
                (Extent::Whole, _) => None,
            };
            let url = locator.url_of(plan, fetch.resource).expect("the playlists were planned");
            Wire { url, start: fetch.start, length, place, file: plan.file_of(resource).into_string() }
        });
        wires.filter(|wire| wire.url.scheme() != "data").collect()
    }
}

/// The lines of a multivariant playlist that stay.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Indexes of variants.
    pub(crate) variants: BTreeSet<usize>,
    /// Indexes of renditions.
    pub(crate) renditions: BTreeSet<usize>,
}

impl Kept {
    /// What was chosen, and what is inside the chosen variant's segments.
    pub(crate) fn new(multivariant: &Multivariant<'_>, selection: &Selection) -> Self {
        let mut kept = Self::default();
        for track in &selection.tracks {
            match track.source {
                TrackSource::Variant(index) => kept.variants.insert(index),
                TrackSource::Rendition(index) => kept.renditions.insert(index),
            };
        }
        let inside =
            kept.variants.iter().filter_map(|index| multivariant.variants.get(*index)).flat_map(|variant| {
                let captions = match &variant.closed_captions {
                    Some(ClosedCaptions::Group(group)) => Some(group.as_ref()),
                    Some(ClosedCaptions::None) | None => None,
                };
                let video = variant.video.as_deref();
                multivariant.renditions.iter().enumerate().filter(move |(_, rendition)| {
                    let group = Some(rendition.group_id.as_ref());
                    let named = match rendition.kind {
                        MediaKind::Video => group == video,
                        MediaKind::ClosedCaptions => group == captions,
                        MediaKind::Audio | MediaKind::Subtitles => false,
                    };
                    named && rendition.uri.is_none()
                })
            });
        let inside: Vec<usize> = inside.map(|(index, _)| index).collect();
        kept.renditions.extend(inside);
        kept
    }

    /// Whether a group of this kind has anything left.
    pub(crate) fn has_group(&self, multivariant: &Multivariant<'_>, kind: MediaKind, group: &str) -> bool {
        let kept = self.renditions.iter().filter_map(|index| multivariant.renditions.get(*index));
        kept.into_iter().any(|rendition| rendition.kind == kind && rendition.group_id == group)
    }
}
