//! Which variant and renditions are downloaded, and why the others are not.

mod codec;
mod renditions;
mod video;

use std::collections::HashSet;

use hls_parse::{Multivariant, Resolution, Variant};
use thiserror::Error;

use crate::item::{Track, TrackKind};
use crate::options::{BitRate, Decoders, SelectionOptions};

/// What is chosen of a presentation, and what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// What is downloaded; the first one is the variant.
    pub tracks: Vec<SelectedTrack>,
    /// The audio and text renditions that go with the variant, chosen or not.
    pub available: Vec<Track>,
    /// Every variant, rendition and I-frame list that is left out.
    pub skipped: Vec<Skipped>,
}

/// A variant or rendition that is downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedTrack {
    /// What it carries.
    pub kind: TrackKind,
    /// Which line of the multivariant playlist it is.
    pub source: TrackSource,
    /// Its playlist's URI after variable substitution; `None`: it is inside the variant's own segments.
    pub uri: Option<String>,
    /// LANGUAGE.
    pub language: Option<String>,
    /// NAME.
    pub title: Option<String>,
    /// AVERAGE-BANDWIDTH, else BANDWIDTH; 64 kb/s for an audio rendition; `None` where nothing is stated.
    pub bit_rate: Option<BitRate>,
    /// RESOLUTION.
    pub resolution: Option<Resolution>,
    /// CODECS.
    pub codecs: Option<String>,
}

/// Which line of a multivariant playlist a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackSource {
    /// An index into the playlist's variants.
    Variant(usize),
    /// An index into the playlist's renditions.
    Rendition(usize),
}

/// A variant, rendition or I-frame list that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What it carries.
    pub kind: TrackKind,
    /// Its name, or its URI without the query.
    pub what: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why something is not downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// The device can't decode this codec.
    #[error("the codec `{0}` can't be decoded here")]
    Codec(String),
    /// The device decodes this codec in software only.
    #[error("the codec `{0}` is decoded in software only")]
    InefficientCodec(String),
    /// A codec that is wanted more is there.
    #[error("another codec is preferred")]
    OtherCodec,
    /// It is smaller than asked for, and another is not.
    #[error("its picture is smaller than asked for")]
    TooSmall,
    /// Its bit rate is lower than asked for, and another's is not.
    #[error("its bit rate is lower than asked for")]
    BitRateTooLow,
    /// A smaller one is enough.
    #[error("a smaller one is enough")]
    LargerThanNeeded,
    /// It has the same media as the chosen variant, or stands in for it.
    #[error("a fail-over of the chosen variant")]
    Backup,
    /// It carries sound only, and the presentation has pictures.
    #[error("it has no pictures")]
    AudioOnly,
    /// Its group does not belong to the chosen variant.
    #[error("its group is not the chosen variant's")]
    OtherGroup,
    /// Its language was not asked for.
    #[error("its language was not asked for")]
    Language,
    /// It is not the presentation's default.
    #[error("it is not the default")]
    NotDefault,
    /// None of its kind was asked for.
    #[error("none of its kind was asked for")]
    NotAsked,
    /// Other views of the picture are not downloaded.
    #[error("other views are not downloaded")]
    AlternativeView,
    /// It needs a URI and has none.
    #[error("it has no URI")]
    NoUri,
    /// I-frame lists are not downloaded.
    #[error("i-frame lists are not downloaded")]
    IFrames,
}

/// Nothing can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The playlist lists no variant at all.
    #[error("the playlist has no variant")]
    NoVariant,
    /// Each variant has a codec that can't be decoded.
    #[error("no variant can be played here: {}", first_reason(.skipped))]
    NothingPlayable {
        /// Every variant, with its reason.
        skipped: Vec<Skipped>,
    },
}

fn first_reason(skipped: &[Skipped]) -> String {
    skipped.first().map(|first| first.reason.to_string()).unwrap_or_default()
}

/// Chooses what is downloaded: one variant, and renditions of its groups.
///
/// The outcome is that of the reference (codec, then height, width and bit rate, the smallest that is
/// enough), but for these: renditions marked as default are taken unless the caller says
/// [`Languages::None`](crate::options::Languages::None); a variant without a group attribute takes no
/// renditions; where a size is asked for, the smallest picture that is enough wins, whatever its bit rate.
///
/// # Errors
/// [`SelectError`] when there is no variant, or none that can be decoded.
pub fn select(
    multivariant: &Multivariant<'_>,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Selection, SelectError> {
    let choice = video::choose(multivariant, options, decoders)?;
    let variant = multivariant.variants.get(choice.index).ok_or(SelectError::NoVariant)?;
    let renditions = renditions::choose(multivariant, variant, options);
    let mut tracks = vec![variant_track(choice.index, choice.kind, variant)];
    tracks.extend(renditions.tracks);
    let mut skipped = choice.skipped;
    skipped.extend(renditions.skipped);
    skipped.extend(multivariant.i_frame_variants.iter().map(|list| Skipped {
        kind: TrackKind::Video,
        what: name_of_uri(&list.uri.text),
        reason: SkipReason::IFrames,
    }));
    Ok(Selection { tracks, available: renditions.available, skipped })
}

fn variant_track(index: usize, kind: TrackKind, variant: &Variant<'_>) -> SelectedTrack {
    SelectedTrack {
        kind,
        source: TrackSource::Variant(index),
        uri: Some(variant.uri.text.to_string()),
        language: None,
        title: variant.name.as_deref().map(str::to_owned),
        bit_rate: variant.average_bandwidth.or(variant.bandwidth).map(BitRate),
        resolution: variant.resolution,
        codecs: variant.codecs.as_deref().map(str::to_owned),
    }
}

impl Selection {
    /// The URIs of the playlists to fetch, each once, the variant's first.
    #[must_use]
    pub fn playlists(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let uris = self.tracks.iter().filter_map(|track| track.uri.as_deref());
        uris.filter(|uri| seen.insert(*uri)).collect()
    }
}

/// A URI as it may be shown: without query and fragment.
fn name_of_uri(uri: &str) -> String {
    crate::error::public_part(uri)
}

#[cfg(test)]
mod tests;
