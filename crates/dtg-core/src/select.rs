//! Which variant and renditions are downloaded, and why the others are not.

mod codec;
mod renditions;
mod video;

use std::collections::HashSet;

use hls_parse::{Multivariant, Resolution, Variant};
use thiserror::Error;

use crate::item::{Track, TrackKind};
use crate::options::{BitRate, Decoders, SelectionOptions};
pub(crate) use codec::video_codec;
pub(crate) use video::ranking_rate;

/// What is chosen of a presentation, and what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// What is downloaded: the variants first, and of them the one to start with.
    pub tracks: Vec<SelectedTrack>,
    /// The audio and text renditions that go with the variants, chosen or not.
    pub available: Vec<Track>,
    /// Every variant, rendition and I-frame list that is left out, once. Captions and views that are
    /// inside a chosen variant's segments come with it, and are not listed.
    pub skipped: Vec<Skipped>,
}

/// A variant or rendition that is downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedTrack {
    /// What it carries.
    pub kind: TrackKind,
    /// Which line of the multivariant playlist it is.
    pub source: TrackSource,
    /// Why it is downloaded.
    pub reason: SelectReason,
    /// Its playlist's URI after variable substitution; `None`: it is inside the variant's own segments.
    pub uri: Option<String>,
    /// LANGUAGE.
    pub language: Option<String>,
    /// NAME.
    pub title: Option<String>,
    /// AVERAGE-BANDWIDTH, else BANDWIDTH; 64 kb/s for an audio rendition; `None` where nothing, or 0, is stated.
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
    /// The line of its tag in the multivariant playlist, from 1.
    pub line: u32,
    /// Why.
    pub reason: SkipReason,
}

/// Why a track is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SelectReason {
    /// It is what was asked for.
    #[error("asked for")]
    Asked,
    /// The presentation marks it as its default.
    #[error("the default")]
    Default,
    /// It states no language, so it may be any.
    #[error("it states no language")]
    NoLanguage,
    /// It is inside a chosen variant's segments.
    #[error("inside the variant")]
    Inside,
    /// What was asked for is not there, and without it there would be no sound.
    #[error("what was asked for is not there")]
    StandIn,
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
    /// It states no bit rate, so that nothing says that it reaches what is asked for, and another does state one.
    #[error("it states no bit rate")]
    NoBitRate,
    /// A smaller one is enough.
    #[error("a smaller one is enough")]
    LargerThanNeeded,
    /// It has the same media as a chosen variant, or stands in for it.
    #[error("a fail-over of the chosen variant")]
    Backup,
    /// It carries sound only, and the presentation has pictures.
    #[error("it has no pictures")]
    AudioOnly,
    /// Its group belongs to no chosen variant.
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

/// Chooses what is downloaded: variants ([`Variants`](crate::options::Variants): one, if nothing else is
/// asked for), and renditions of their groups.
///
/// What can't be decoded is left out first; then what is not of the codec that is wanted most. Of the rest
/// the smallest that is enough is taken: at least as high as asked for, then as wide, then of the codec's
/// least bit rate; where none reaches one of these, the largest by it, of several the last. Several of one size
/// are ranked by bit rate, of one bit rate by their size, then by their place in the playlist. The bit rate is
/// BANDWIDTH, else AVERAGE-BANDWIDTH. One that states neither, or 0, is ranked last and reaches no least bit rate;
/// where none states any, the least bit rate doesn't count.
///
/// The outcome is that of Kaltura's DownloadToGo, but for these: renditions marked as default are taken
/// unless the caller says [`Languages::None`](crate::options::Languages::None), and so is one that keeps
/// the download from being silent; a variant without a group attribute takes no renditions; where a size is
/// asked for, the smallest picture that is enough wins, whatever its bit rate; `en` also means `en-US`;
/// `hev1` and `avc3` are HEVC and AVC; a variant that states a size has pictures, of avc where its CODECS name
/// sound only; codecs of text (subtitles, captions) never stand in the way.
///
/// # Errors
/// [`SelectError`] when there is no variant, or none that can be decoded.
pub fn select(
    multivariant: &Multivariant<'_>,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Selection, SelectError> {
    let video::Choice { chosen, mut skipped } = video::choose(multivariant, options, decoders)?;
    let of_choice = |(index, kind)| Some((index, kind, multivariant.variants.get(index)?));
    let chosen: Vec<_> = chosen.into_iter().filter_map(of_choice).collect();
    let variants: Vec<&Variant<'_>> = chosen.iter().map(|(_, _, variant)| *variant).collect();
    let renditions = renditions::choose(multivariant, &variants, options);
    let variants = chosen.into_iter().map(|(index, kind, variant)| variant_track(index, kind, variant));
    let tracks = variants.chain(renditions.tracks).collect();
    skipped.extend(renditions.skipped);
    skipped.extend(multivariant.i_frame_variants.iter().map(|list| Skipped {
        kind: TrackKind::Video,
        what: name_of_uri(&list.uri.text),
        line: list.tag_line,
        reason: SkipReason::IFrames,
    }));
    Ok(Selection { tracks, available: renditions.available, skipped })
}

/// Every variant and every audio, text and video rendition that a playlist lists, chosen or not.
pub(crate) fn all_tracks(multivariant: &Multivariant<'_>) -> Vec<SelectedTrack> {
    let variants = multivariant.variants.iter().enumerate();
    let variants = variants.map(|(index, it)| variant_track(index, codec::carries(it), it));
    let renditions = multivariant.renditions.iter().enumerate();
    let renditions = renditions.map(|(index, it)| renditions::track(index, it, SelectReason::Asked));
    variants.chain(renditions).collect()
}

fn variant_track(index: usize, kind: TrackKind, variant: &Variant<'_>) -> SelectedTrack {
    SelectedTrack {
        kind,
        source: TrackSource::Variant(index),
        reason: SelectReason::Asked,
        uri: Some(variant.uri.text.to_string()),
        language: None,
        title: variant.name.as_deref().map(str::to_owned),
        bit_rate: expected_rate(variant),
        resolution: variant.resolution,
        codecs: variant.codecs.as_deref().map(str::to_owned),
    }
}

/// What the variant's media is likely to take. A rate of 0 says nothing.
fn expected_rate(variant: &Variant<'_>) -> Option<BitRate> {
    let rates = [variant.average_bandwidth, variant.bandwidth];
    rates.into_iter().flatten().find(|rate| *rate > 0).map(BitRate)
}

impl Selection {
    /// The variants that are downloaded, the one to start with first.
    pub fn variants(&self) -> impl Iterator<Item = &SelectedTrack> {
        self.tracks.iter().filter(|track| matches!(track.source, TrackSource::Variant(_)))
    }

    /// The renditions that are downloaded or inside a variant, audio first.
    pub fn renditions(&self) -> impl Iterator<Item = &SelectedTrack> {
        self.tracks.iter().filter(|track| matches!(track.source, TrackSource::Rendition(_)))
    }

    /// This selection and what others choose beyond it, behind its tracks.
    pub(crate) fn and(mut self, other: Self) -> Self {
        let is_there = |track: &SelectedTrack| self.tracks.iter().any(|it| it.source == track.source);
        let more: Vec<_> = other.tracks.into_iter().filter(|track| !is_there(track)).collect();
        self.tracks.extend(more);
        let known: HashSet<Track> = self.available.iter().cloned().collect();
        self.available.extend(other.available.into_iter().filter(|track| !known.contains(track)));
        // Left out is what both leave out.
        let lines: HashSet<u32> = other.skipped.iter().map(|it| it.line).collect();
        self.skipped.retain(|it| lines.contains(&it.line));
        self
    }

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
