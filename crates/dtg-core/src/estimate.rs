//! How large a download will be, before it is made.

use crate::plan::Input;
use crate::resource::{Fetch, Resource, Role};

/// How many bytes a download is expected to bring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Estimate {
    /// The expected bytes; 0 when nothing is known.
    pub bytes: u64,
    /// What the number comes from.
    pub basis: Basis,
}

/// What an estimate comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Nothing that says a size: not an estimate of 0 bytes.
    #[default]
    Unknown,
    /// The bit rates that the multivariant playlist states.
    BitRates,
    /// The byte ranges and EXT-X-BITRATE tags of a media playlist that came without a multivariant one.
    Segments,
}

/// The reference's rule: each track's bit rate times the presentation's duration.
///
/// A media playlist that came alone has no stated bit rate: its byte ranges and EXT-X-BITRATE tags
/// are summed, if every segment has one.
pub(crate) fn estimate(inputs: &[Input<'_, '_>], resources: &[Resource], fetches: &[Fetch]) -> Estimate {
    let duration = inputs.first().map(|first| first.media.duration()).unwrap_or_default();
    let rates = inputs.iter().filter_map(|input| input.bit_rate);
    let bytes = rates.map(|rate| rate.bytes_in(duration)).fold(0, u64::saturating_add);
    if bytes > 0 {
        return Estimate { bytes, basis: Basis::BitRates };
    }
    let is_media = |fetch: &&Fetch| {
        let resource = usize::try_from(fetch.resource).ok().and_then(|at| resources.get(at));
        resource.is_some_and(|resource| resource.role == Role::Segment)
    };
    let lengths = || fetches.iter().filter(is_media).map(|fetch| fetch.length.bytes());
    if lengths().any(|bytes| bytes == 0) {
        return Estimate::default();
    }
    match lengths().fold(0, u64::saturating_add) {
        0 => Estimate::default(),
        bytes => Estimate { bytes, basis: Basis::Segments },
    }
}
