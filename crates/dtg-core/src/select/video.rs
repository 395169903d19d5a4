//! Which variant is downloaded.

use hls_parse::{Multivariant, Variant};

use super::codec::{MainCodec, main_codec};
use super::{SelectError, SkipReason, Skipped, name_of_uri};
use crate::item::TrackKind;
use crate::options::{AudioCodec, Decoders, SelectionOptions, VideoCodec};

/// The variant that is downloaded, and the others.
pub(super) struct Choice {
    /// Its index.
    pub(super) index: usize,
    /// What it carries.
    pub(super) kind: TrackKind,
    /// Every other variant, in the playlist's order.
    pub(super) skipped: Vec<Skipped>,
}

/// A variant that can be played.
#[derive(Clone, Copy)]
struct Candidate<'p, 'a> {
    index: usize,
    variant: &'p Variant<'a>,
    codec: MainCodec,
}

impl Candidate<'_, '_> {
    /// BANDWIDTH; a variant without one is ranked last.
    fn bandwidth(&self) -> u64 {
        self.variant.bandwidth.unwrap_or(u64::MAX)
    }

    fn height(&self) -> u64 {
        self.variant.resolution.map_or(0, |size| size.height)
    }

    fn width(&self) -> u64 {
        self.variant.resolution.map_or(0, |size| size.width)
    }

    fn pixels(&self) -> u128 {
        u128::from(self.width()) * u128::from(self.height())
    }
}

/// Variants that are left out, by index.
type Rejected = Vec<(usize, SkipReason)>;

/// Chooses the variant: the smallest that is enough, of the codec that is wanted most.
pub(super) fn choose(
    multivariant: &Multivariant<'_>,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Choice, SelectError> {
    let mut rejected = Rejected::new();
    let mut playable = playable(multivariant, options, decoders, &mut rejected);
    playable.sort_by_key(Candidate::bandwidth);
    let sizes_stated = playable.iter().any(|it| it.pixels() > 0);
    let best_codec = best_codec(&mut playable, options, &mut rejected);
    let enough = match best_codec {
        Some(MainCodec::Video(codec)) => big_enough(playable, codec, options, sizes_stated, &mut rejected),
        Some(MainCodec::Audio(_)) | None => playable,
    };
    let wants_size = sizes_stated && (options.min_height.is_some() || options.min_width.is_some());
    let chosen = if wants_size {
        enough.iter().min_by_key(|it| (it.pixels(), it.bandwidth())).copied()
    } else {
        enough.first().copied()
    };
    let Some(chosen) = chosen else {
        let skipped = names(multivariant, rejected);
        let nothing = skipped.is_empty();
        return Err(if nothing { SelectError::NoVariant } else { SelectError::NothingPlayable { skipped } });
    };
    rejected.extend(enough.iter().filter(|it| it.index != chosen.index).map(|it| {
        let reason = if stands_in(it.variant, chosen.variant) {
            SkipReason::Backup
        } else {
            SkipReason::LargerThanNeeded
        };
        (it.index, reason)
    }));
    let kind = match chosen.codec {
        MainCodec::Audio(_) if chosen.variant.resolution.is_none() => TrackKind::Audio,
        MainCodec::Audio(_) | MainCodec::Video(_) => TrackKind::Video,
    };
    Ok(Choice { index: chosen.index, kind, skipped: names(multivariant, rejected) })
}

fn playable<'p, 'a>(
    multivariant: &'p Multivariant<'a>,
    options: &SelectionOptions,
    decoders: &Decoders,
    rejected: &mut Rejected,
) -> Vec<Candidate<'p, 'a>> {
    let mut playable = Vec::new();
    for (index, variant) in multivariant.variants.iter().enumerate() {
        match main_codec(variant, decoders, options.inefficient_codecs) {
            Ok(codec) => playable.push(Candidate { index, variant, codec }),
            Err(reason) => rejected.push((index, reason)),
        }
    }
    playable
}

/// Leaves only the variants of the codec that is wanted most: pictures before sound alone.
fn best_codec(
    candidates: &mut Vec<Candidate<'_, '_>>,
    options: &SelectionOptions,
    rejected: &mut Rejected,
) -> Option<MainCodec> {
    let has = |codec: &MainCodec| candidates.iter().any(|it| it.codec == *codec);
    let video = in_order(&options.video_codecs, &VideoCodec::ALL).map(MainCodec::Video);
    let audio = in_order(&options.audio_codecs, &AudioCodec::ALL).map(MainCodec::Audio);
    let best = video.chain(audio).find(has)?;
    candidates.retain(|it| {
        let fits = it.codec == best;
        if !fits {
            let has_video = matches!(best, MainCodec::Video(_));
            let audio_only = has_video && matches!(it.codec, MainCodec::Audio(_));
            rejected
                .push((it.index, if audio_only { SkipReason::AudioOnly } else { SkipReason::OtherCodec }));
        }
        fits
    });
    Some(best)
}

fn in_order<'o, T: Copy>(asked: &'o [T], rest: &'o [T]) -> impl Iterator<Item = T> + use<'o, T> {
    asked.iter().chain(rest).copied()
}

/// What is as high, as wide and as rich as asked for; where nothing is, the one that comes closest.
fn big_enough<'p, 'a>(
    candidates: Vec<Candidate<'p, 'a>>,
    codec: VideoCodec,
    options: &SelectionOptions,
    sizes_stated: bool,
    rejected: &mut Rejected,
) -> Vec<Candidate<'p, 'a>> {
    let mut left = candidates;
    let mut keep =
        |left: &mut Vec<_>, size: fn(&Candidate<'_, '_>) -> u64, least: u64, reason: SkipReason| {
            rejected.extend(drop_below(left, size, least).into_iter().map(|index| (index, reason.clone())));
        };
    if let Some(height) = options.min_height.filter(|_| sizes_stated) {
        keep(&mut left, |it| it.height(), height.into(), SkipReason::TooSmall);
    }
    if let Some(width) = options.min_width.filter(|_| sizes_stated) {
        keep(&mut left, |it| it.width(), width.into(), SkipReason::TooSmall);
    }
    keep(&mut left, |it| it.bandwidth(), options.min_bit_rate(codec).0, SkipReason::BitRateTooLow);
    left
}

/// Drops what is below `least`, but never the largest; says what was dropped.
fn drop_below(
    candidates: &mut Vec<Candidate<'_, '_>>,
    size: fn(&Candidate<'_, '_>) -> u64,
    least: u64,
) -> Vec<usize> {
    let largest = candidates.iter().max_by_key(|it| size(it)).map(|it| it.index);
    let all_below = candidates.iter().all(|it| size(it) < least);
    let stays = |it: &Candidate<'_, '_>| size(it) >= least || (all_below && Some(it.index) == largest);
    let dropped = candidates.iter().filter(|it| !stays(it)).map(|it| it.index).collect();
    candidates.retain(stays);
    dropped
}

/// Whether one variant is there for when the other's server fails, or has the same media.
fn stands_in(one: &Variant<'_>, other: &Variant<'_>) -> bool {
    let what = |it: &Variant<'_>| (it.bandwidth, it.resolution, it.codecs.as_deref().map(str::to_owned));
    one.uri.text == other.uri.text || what(one) == what(other)
}

fn names(multivariant: &Multivariant<'_>, mut rejected: Rejected) -> Vec<Skipped> {
    rejected.sort_by_key(|(index, _)| *index);
    let named = |(index, reason): (usize, SkipReason)| {
        let variant = multivariant.variants.get(index)?;
        let kind = if reason == SkipReason::AudioOnly { TrackKind::Audio } else { TrackKind::Video };
        Some(Skipped { kind, what: name_of_uri(&variant.uri.text), reason })
    };
    rejected.into_iter().filter_map(named).collect()
}
