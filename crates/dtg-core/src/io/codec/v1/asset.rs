//! What an asset download task keeps beside the item's record: schema 1, and schema 2 that knows of which playlists.

use serde::{Deserialize, Serialize};

use super::all;
use crate::io::asset::{AssetRecord, Chosen};
use crate::io::codec::{CodecError, Stored, value_of};
use crate::select::TrackSource;

#[derive(Serialize, Deserialize)]
struct First {
    title: String,
    tracks: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Asset {
    title: String,
    chosen: Vec<(Option<u128>, Vec<Line>)>,
}

/// 0: a variant, 1: a rendition; and its place among those of the multivariant playlist.
type Line = (u8, u64);

impl Stored for AssetRecord {
    const KIND: u16 = 16;
    const SCHEMA: u16 = 2;
    type Frozen = Asset;

    fn freeze(&self) -> Asset {
        let line = |track: &TrackSource| match *track {
            TrackSource::Variant(index) => (0, place(index)),
            TrackSource::Rendition(index) => (1, place(index)),
        };
        let lines = |it: &Chosen| (it.playlist, it.tracks.iter().map(line).collect());
        Asset { title: self.title.clone(), chosen: self.chosen.iter().map(lines).collect() }
    }

    fn thaw(asset: Asset) -> Result<Self, CodecError> {
        let chosen = |(playlist, tracks)| Ok(Chosen { playlist, tracks: all(tracks, track)? });
        Ok(Self { title: asset.title, chosen: all(asset.chosen, chosen)? })
    }

    fn thaw_earlier(_schema: u16, payload: &[u8]) -> Result<Self, CodecError> {
        let First { title, tracks } = value_of(payload)?;
        Self::thaw(Asset { title, chosen: vec![(None, tracks)] })
    }
}

fn track((kind, place): Line) -> Result<TrackSource, CodecError> {
    let index = usize::try_from(place).map_err(|_| CodecError::Value("a track"))?;
    match kind {
        0 => Ok(TrackSource::Variant(index)),
        1 => Ok(TrackSource::Rendition(index)),
        _ => Err(CodecError::Value("a track")),
    }
}

fn place(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}
