//! A plan in two steps: what the segments are read for, and all the rest, for which they need not be there.

use hls_parse::{MediaPlaylist, Multivariant, Playlist};

use super::book::{Book, Links};
use super::inputs::{Input, Track, inputs};
use super::{Master, OriginSet, Plan, PlanError, Planned};
use crate::estimate::estimate;
use crate::item::Sidecar;
use crate::localize::Localizer;
use crate::select::Selection;

/// All that is read of a presentation's segments: the parsed playlists, by far the largest part of it, can go.
#[derive(Debug)]
pub(crate) struct Draft {
    book: Book,
    tracks: Vec<Track>,
    links: Vec<Links>,
    master: Master,
}

/// Reads what is needed, and where each URI leads; see [`plan`](super::plan).
pub(crate) fn draft(
    origins: &OriginSet,
    entry: &Playlist<'_>,
    media: &[MediaPlaylist<'_>],
    selection: Option<&Selection>,
) -> Result<Draft, PlanError> {
    let inputs = inputs(origins, entry, media, selection)?;
    let mut book = Book::default();
    let links = inputs.iter().map(|input| book.add_playlist(input)).collect::<Result<_, _>>()?;
    let tracks = inputs.iter().map(Input::track).collect();
    let master = if matches!(entry, Playlist::Media(_)) { Master::Media } else { Master::Multivariant };
    Ok(Draft { book, tracks, links, master })
}

impl Draft {
    /// The plan, and the local playlists. `chosen` is the multivariant playlist and what was selected of it.
    pub(crate) fn planned(
        self,
        origins: &OriginSet,
        chosen: Option<(&Multivariant<'_>, &Selection)>,
        sidecars: &[Sidecar],
    ) -> Result<Planned, PlanError> {
        let Self { mut book, tracks, links, master } = self;
        let master_links = match chosen {
            Some((multivariant, _)) => book.add_multivariant(origins, multivariant)?,
            None => Links::default(),
        };
        book.add_sidecars(sidecars)?;
        let (resources, fetches) = book.finish(&tracks)?;
        let plan = Plan {
            estimate: estimate(&tracks, &resources, &fetches),
            duration: tracks.first().map(|first| first.duration).unwrap_or_default(),
            master,
            playlists: tracks.iter().map(Track::planned).collect(),
            resources,
            fetches,
        };
        let mut local = Localizer::new(&plan, origins);
        for (track, links) in tracks.iter().zip(&links) {
            local.media(track, links)?;
        }
        if let Some((multivariant, selection)) = chosen {
            local.multivariant(multivariant, selection, &master_links)?;
        }
        let (local, dropped) = local.finish();
        Ok(Planned { plan, local, dropped })
    }
}
