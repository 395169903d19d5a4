//! What an asset download task keeps beside the item's record, in schema 1.

use serde::{Deserialize, Serialize};

use super::all;
use crate::io::asset::AssetRecord;
use crate::io::codec::{CodecError, Stored};
use crate::select::TrackSource;

#[derive(Serialize, Deserialize)]
pub(crate) struct Asset {
    title: String,
    tracks: Vec<Line>,
}

/// 0: a variant, 1: a rendition; and its place among those of the multivariant playlist.
type Line = (u8, u64);

impl Stored for AssetRecord {
    const KIND: u16 = 16;
    type Frozen = Asset;

    fn freeze(&self) -> Asset {
        let line = |track: &TrackSource| match *track {
            TrackSource::Variant(index) => (0, place(index)),
            TrackSource::Rendition(index) => (1, place(index)),
        };
        Asset { title: self.title.clone(), tracks: self.tracks.iter().map(line).collect() }
    }

    fn thaw(asset: Asset) -> Result<Self, CodecError> {
        let track = |(kind, place): Line| {
            let index = usize::try_from(place).map_err(|_| CodecError::Value("a track"))?;
            match kind {
                0 => Ok(TrackSource::Variant(index)),
                1 => Ok(TrackSource::Rendition(index)),
                _ => Err(CodecError::Value("a track")),
            }
        };
        Ok(Self { title: asset.title, tracks: all(asset.tracks, track)? })
    }
}

fn place(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}
