//! Which variants are downloaded.

use std::collections::{HashMap, HashSet};

use hls_parse::{Decimal, Multivariant, Resolution, Variant};

use super::codec::{MainCodec, carries, main_codec};
use super::{SelectError, SkipReason, Skipped, name_of_uri};
use crate::item::TrackKind;
use crate::options::{AudioCodec, Decoders, SelectionOptions, Variants, VideoCodec};

/// The variants that are downloaded, and the others.
pub(super) struct Choice {
    /// Their indexes and what they carry, the one to start with first.
    pub(super) chosen: Vec<(usize, TrackKind)>,
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
    fn bit_rate(&self) -> u64 {
        ranking_rate(self.variant)
    }

    /// The order by bit rate; what states none is last.
    fn rate_rank(&self) -> (bool, u64) {
        (self.bit_rate() == 0, self.bit_rate())
    }

    fn height(&self) -> u64 {
        self.variant.resolution.map_or(0, |size| size.height)
    }

    fn width(&self) -> u64 {
        self.variant.resolution.map_or(0, |size| size.width)
    }

    fn has_size(&self) -> bool {
        self.height() > 0 && self.width() > 0
    }
}

/// BANDWIDTH, else AVERAGE-BANDWIDTH; 0 where neither says anything: it reaches no minimum.
pub(crate) fn ranking_rate(variant: &Variant<'_>) -> u64 {
    let rates = [variant.bandwidth, variant.average_bandwidth];
    rates.into_iter().flatten().find(|rate| *rate > 0).unwrap_or(0)
}

/// Variants that are left out, by index.
type Rejected = Vec<(usize, SkipReason)>;

/// How large a variant must be; `None` and 0: that it need not be.
#[derive(Clone, Copy, Default)]
struct Least {
    height: Option<u64>,
    width: Option<u64>,
    bit_rate: u64,
}

impl Least {
    /// What is asked for in sizes counts only where any are stated.
    fn of_sizes(options: &SelectionOptions, sizes_stated: bool) -> Self {
        let asked = |size: Option<u32>| size.filter(|_| sizes_stated).map(u64::from);
        Self { height: asked(options.min_height), width: asked(options.min_width), bit_rate: 0 }
    }

    /// What keeps a variant from being enough.
    fn judge(&self, candidate: &Candidate<'_, '_>) -> Result<(), SkipReason> {
        let is_below = |size: u64, least: Option<u64>| least.is_some_and(|least| size < least);
        if is_below(candidate.height(), self.height) || is_below(candidate.width(), self.width) {
            return Err(SkipReason::TooSmall);
        }
        if candidate.bit_rate() < self.bit_rate { Err(too_low(candidate)) } else { Ok(()) }
    }

    /// The order among those that are enough: by the sizes that are asked for, if any are, then by bit rate.
    fn rank(&self, candidate: &Candidate<'_, '_>) -> (u64, u64, (bool, u64)) {
        let (height, width) = (candidate.height(), candidate.width());
        match (self.height, self.width) {
            (Some(_), _) => (height, width, candidate.rate_rank()),
            (None, Some(_)) => (width, height, candidate.rate_rank()),
            (None, None) => (0, 0, candidate.rate_rank()),
        }
    }
}

fn too_low(candidate: &Candidate<'_, '_>) -> SkipReason {
    if candidate.bit_rate() == 0 { SkipReason::NoBitRate } else { SkipReason::BitRateTooLow }
}

/// Chooses the variants: for each picture that is asked for the smallest that is enough, of the codec
/// that is wanted most; or all that are enough.
pub(super) fn choose(
    multivariant: &Multivariant<'_>,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Choice, SelectError> {
    let mut rejected = Rejected::new();
    let playable = playable(multivariant, options, decoders, &mut rejected);
    let least = Least::of_sizes(options, playable.iter().any(Candidate::has_size));
    let chosen = match &options.variants {
        Variants::One => smallest_of_each(playable, &[0], least, options, &mut rejected),
        Variants::Heights(heights) => {
            let heights = if heights.is_empty() { &[0] } else { heights.as_slice() };
            smallest_of_each(playable, heights, least, options, &mut rejected)
        }
        Variants::All => all(playable, least, options, &mut rejected),
    };
    if chosen.is_empty() {
        let skipped = names(multivariant, rejected);
        let nothing = skipped.is_empty();
        return Err(if nothing { SelectError::NoVariant } else { SelectError::NothingPlayable { skipped } });
    }
    let chosen = chosen.iter().map(|it| (it.index, carries(it.variant))).collect();
    Ok(Choice { chosen, skipped: names(multivariant, rejected) })
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

/// Of the codec that is wanted most, the smallest variant for each height; the lowest height's first.
///
/// What is left out has the reason that it has for the lowest height.
fn smallest_of_each<'p, 'a>(
    mut candidates: Vec<Candidate<'p, 'a>>,
    heights: &[u32],
    least: Least,
    options: &SelectionOptions,
    rejected: &mut Rejected,
) -> Vec<Candidate<'p, 'a>> {
    let sizes_stated = candidates.iter().any(Candidate::has_size);
    let Some(codec) = best_codec(&mut candidates, options, rejected) else { return Vec::new() };
    let mut heights: Vec<u64> = heights.iter().copied().map(u64::from).collect();
    heights.sort_unstable();
    let mut chosen: Vec<Candidate<'_, '_>> = Vec::new();
    let mut left_out = None;
    for height in heights {
        let least = match codec {
            MainCodec::Video(codec) => Least {
                height: least.height.max(Some(height).filter(|height| sizes_stated && *height > 0)),
                bit_rate: options.min_bit_rate(codec).0,
                ..least
            },
            MainCodec::Audio(_) => Least::default(),
        };
        let (smallest, others) = smallest(&candidates, &least);
        let is_known = |it: &Candidate<'_, '_>| {
            let stands_in = |known| why_not_too(it.variant, known) == SkipReason::Backup;
            chosen.iter().any(|known| stands_in(known.variant))
        };
        chosen.extend(smallest.filter(|it| !is_known(it)));
        left_out.get_or_insert(others);
    }
    let mut left_out = left_out.unwrap_or_default();
    left_out.retain(|(index, _)| !chosen.iter().any(|it| it.index == *index));
    rejected.extend(left_out);
    chosen
}

/// Leaves only the variants of the codec that is wanted most: pictures before sound alone.
fn best_codec(
    candidates: &mut Vec<Candidate<'_, '_>>,
    options: &SelectionOptions,
    rejected: &mut Rejected,
) -> Option<MainCodec> {
    let best = codecs_in_order(options).find(|codec| candidates.iter().any(|it| it.codec == *codec))?;
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

fn codecs_in_order(options: &SelectionOptions) -> impl Iterator<Item = MainCodec> {
    let video = options.video_codecs.iter().chain(&VideoCodec::ALL).copied().map(MainCodec::Video);
    let audio = options.audio_codecs.iter().chain(&AudioCodec::ALL).copied().map(MainCodec::Audio);
    video.chain(audio)
}

/// The smallest that is as high, as wide and as rich as asked for, and why the others are not taken.
///
/// By each measure in turn; where nothing reaches one, what comes closest is the only one left. What is alike by
/// one measure stays in the order of the one before, at first the playlist's: the last of the largest is left.
/// A least bit rate counts only where any is stated.
fn smallest<'p, 'a>(
    candidates: &[Candidate<'p, 'a>],
    least: &Least,
) -> (Option<Candidate<'p, 'a>>, Rejected) {
    let (mut left, mut others) = (candidates.to_vec(), Rejected::new());
    let mut keep = |left: &mut Vec<_>, size: Measure, least: u64, reason: fn(&Candidate<'_, '_>) -> _| {
        left.sort_by_key(size);
        others.extend(drop_below(left, size, least).iter().map(|it| (it.index, reason(it))));
    };
    keep(&mut left, |it| it.height(), least.height.unwrap_or(0), |_| SkipReason::TooSmall);
    keep(&mut left, |it| it.width(), least.width.unwrap_or(0), |_| SkipReason::TooSmall);
    let rates_stated = left.iter().any(|it| it.bit_rate() > 0);
    keep(&mut left, |it| it.bit_rate(), if rates_stated { least.bit_rate } else { 0 }, too_low);
    let chosen = left.iter().min_by_key(|it| least.rank(it)).copied();
    if let Some(chosen) = chosen {
        let larger = left.iter().filter(|it| it.index != chosen.index);
        others.extend(larger.map(|it| (it.index, why_not_too(it.variant, chosen.variant))));
    }
    (chosen, others)
}

/// By what candidates are compared.
type Measure = fn(&Candidate<'_, '_>) -> u64;

/// Drops what is below `least`, but never the largest; gives back what was dropped.
fn drop_below<'p, 'a>(
    candidates: &mut Vec<Candidate<'p, 'a>>,
    size: Measure,
    least: u64,
) -> Vec<Candidate<'p, 'a>> {
    let largest = candidates.iter().max_by_key(|it| size(it)).map(|it| it.index);
    let all_below = candidates.iter().all(|it| size(it) < least);
    let stays = |it: &Candidate<'_, '_>| size(it) >= least || (all_below && Some(it.index) == largest);
    let dropped = candidates.iter().copied().filter(|it| !stays(it)).collect();
    candidates.retain(stays);
    dropped
}

/// Why a variant that would be enough is not taken beside the one that is.
fn why_not_too(one: &Variant<'_>, taken: &Variant<'_>) -> SkipReason {
    let stands_in = one.uri.text == taken.uri.text || look(one) == look(taken);
    if stands_in { SkipReason::Backup } else { SkipReason::LargerThanNeeded }
}

/// What a variant looks and sounds like: where two are alike, one stands in for the other.
type Look<'p> = (u64, Option<Resolution>, Option<&'p str>, Option<Decimal>, Option<&'p str>);

fn look<'p>(variant: &'p Variant<'_>) -> Look<'p> {
    let Variant { resolution, codecs, frame_rate, video_range, .. } = variant;
    (ranking_rate(variant), *resolution, codecs.as_deref(), *frame_rate, video_range.as_deref())
}

/// Every variant that is enough, the one that would be taken alone first, then in the playlist's order.
///
/// The one that would be taken alone is taken in any case. Of the bit rates only those count that the caller
/// asks for, and only where one of that codec states any. Of variants that stand in for each other the first is taken.
fn all<'p, 'a>(
    mut candidates: Vec<Candidate<'p, 'a>>,
    least: Least,
    options: &SelectionOptions,
    rejected: &mut Rejected,
) -> Vec<Candidate<'p, 'a>> {
    let alone = smallest_of_each(candidates.clone(), &[0], least, options, &mut Rejected::new());
    let is_alone = |it: &Candidate<'_, '_>| alone.first().is_some_and(|first| first.index == it.index);
    candidates.sort_by_key(|it| (!is_alone(it), it.index));
    let states_rate = |it: &&Candidate<'_, '_>| it.bit_rate() > 0 && least.judge(it).is_ok();
    let rated: HashSet<MainCodec> = candidates.iter().filter(states_rate).map(|it| it.codec).collect();
    let mut known = Known::default();
    candidates.retain(|it| {
        let bit_rate = match it.codec {
            MainCodec::Video(codec) if rated.contains(&it.codec) => options.asked_bit_rate(codec),
            MainCodec::Video(_) | MainCodec::Audio(_) => None,
        };
        let least = Least { bit_rate: bit_rate.unwrap_or_default().0, ..least };
        let enough = if is_alone(it) { Ok(()) } else { least.judge(it) };
        let verdict = enough.and_then(|()| known.add(it.variant));
        verdict.map_err(|reason| rejected.push((it.index, reason))).is_ok()
    });
    candidates
}

/// The variants that are taken so far.
#[derive(Default)]
struct Known<'p> {
    uris: HashMap<Look<'p>, &'p str>,
    groups: HashSet<(&'p str, [Option<&'p str>; 3])>,
}

impl<'p> Known<'p> {
    /// Adds a variant unless it stands in for a known one: it looks like it and has other media, or the same
    /// media with the same groups.
    fn add(&mut self, variant: &'p Variant<'_>) -> Result<(), SkipReason> {
        let uri = variant.uri.text.as_ref();
        let has_same_media = *self.uris.entry(look(variant)).or_insert(uri) == uri;
        let Variant { audio, video, subtitles, .. } = variant;
        let groups = [audio.as_deref(), video.as_deref(), subtitles.as_deref()];
        let is_new = has_same_media && self.groups.insert((uri, groups));
        if is_new { Ok(()) } else { Err(SkipReason::Backup) }
    }
}

fn names(multivariant: &Multivariant<'_>, mut rejected: Rejected) -> Vec<Skipped> {
    rejected.sort_by_key(|(index, _)| *index);
    let named = |(index, reason): (usize, SkipReason)| {
        let variant = multivariant.variants.get(index)?;
        let what = name_of_uri(&variant.uri.text);
        Some(Skipped { kind: carries(variant), what, line: variant.tag_line, reason })
    };
    rejected.into_iter().filter_map(named).collect()
}
