//! Which bytes of a sample are protected.

use std::ops::Range;

use super::BadMedia;
use super::fields::Fields;
use super::track::{Protection, Samples, padded_iv};
use crate::fairplay::Block;

/// Bytes at the beginning of each slice that stay clear: its header, with much room.
///
/// ISO/IEC 23001-7, 10.4.2 asks for clear slice headers; SAMPLE-AES in transport streams has always left 32 bytes.
pub const CLEAR_LEADER: usize = 32;

/// Bytes that are clear, and those behind them that are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subsample {
    pub(super) clear: u16,
    pub(super) protected: u32,
}

/// What `senc` says of one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Auxiliary {
    pub(super) iv: Block,
    /// Empty for a sample that is protected as a whole.
    pub(super) subsamples: Vec<Subsample>,
}

/// The parts of a sample that is to be encrypted.
pub(super) fn subsamples(samples: Samples, sample: &[u8]) -> Result<Vec<Subsample>, BadMedia> {
    let mut parts = Parts::default();
    let (length_size, is_slice): (usize, fn(u8) -> bool) = match samples {
        Samples::Whole => return Ok(Vec::new()),
        // nal_unit_type: ISO/IEC 14496-10, table 7-1, and 23008-2, table 7-1
        Samples::Avc(size) => (size, |head| matches!(head & 0x1f, 1 | 5)),
        Samples::Hevc(size) => (size, |head| (head >> 1) & 0x3f < 32),
    };
    let mut rest = sample;
    let torn = BadMedia::Parts(sample.len());
    while !rest.is_empty() {
        let (length, after) = rest.split_at_checked(length_size).ok_or_else(|| torn.clone())?;
        let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        let (unit, after) = after.split_at_checked(length).ok_or_else(|| torn.clone())?;
        let leader = match unit.first() {
            Some(head) if is_slice(*head) => length.min(CLEAR_LEADER),
            _ => length,
        };
        parts.add(length_size + leader, length - leader);
        rest = after;
    }
    Ok(parts.finish())
}

/// Subsamples in the making: clear bytes are put together, and said in 16 bits.
#[derive(Debug, Default)]
struct Parts {
    done: Vec<Subsample>,
    clear: usize,
}

impl Parts {
    fn add(&mut self, clear: usize, protected: usize) {
        self.clear += clear;
        if protected >= 16 {
            self.end(u32::try_from(protected).unwrap_or(u32::MAX));
        } else {
            self.clear += protected;
        }
    }

    fn end(&mut self, protected: u32) {
        while let Some(more) = self.clear.checked_sub(usize::from(u16::MAX)).filter(|more| *more > 0) {
            self.done.push(Subsample { clear: u16::MAX, protected: 0 });
            self.clear = more;
        }
        let clear = u16::try_from(std::mem::take(&mut self.clear)).unwrap_or(u16::MAX);
        self.done.push(Subsample { clear, protected });
    }

    fn finish(mut self) -> Vec<Subsample> {
        if self.clear > 0 {
            self.end(0);
        }
        self.done
    }
}

/// The protected bytes of a sample, as ranges in it.
pub(super) fn regions(auxiliary: &Auxiliary, length: usize) -> Result<Vec<Range<usize>>, BadMedia> {
    let torn = BadMedia::Parts(length);
    let (mut at, mut regions) = (0_usize, Vec::new());
    for part in &auxiliary.subsamples {
        let start = at.checked_add(usize::from(part.clear)).ok_or_else(|| torn.clone())?;
        let protected = usize::try_from(part.protected).map_err(|_| torn.clone())?;
        at = start.checked_add(protected).ok_or_else(|| torn.clone())?;
        regions.push(start..at);
    }
    if auxiliary.subsamples.is_empty() {
        regions.push(0..length);
        at = length;
    }
    if at == length { Ok(regions) } else { Err(torn) }
}

/// Reads `senc` (ISO/IEC 23001-7, 7.2); without it, all samples are protected as a whole under the constant IV.
pub(super) fn read_senc(
    senc: Option<&[u8]>,
    protection: &Protection,
    count: usize,
) -> Result<Vec<Auxiliary>, BadMedia> {
    let whole = || Auxiliary { iv: protection.iv, subsamples: Vec::new() };
    let Some(head) = senc else {
        let has_iv = protection.iv_size == 0;
        return if has_iv { Ok(vec![whole(); count]) } else { Err(BadMedia::Missing("senc")) };
    };
    let (mut fields, _, flags) = Fields::full(head, "senc")?;
    if fields.length()? != count {
        return Err(BadMedia::Form("senc"));
    }
    let mut one = || {
        let mut sample = whole();
        if protection.iv_size > 0 {
            sample.iv = padded_iv(fields.take(protection.iv_size)?)?;
        }
        if flags & 2 != 0 {
            let parts = fields.u16()?;
            sample.subsamples = (0..parts)
                .map(|_| Ok(Subsample { clear: fields.u16()?, protected: fields.u32()? }))
                .collect::<Result<_, BadMedia>>()?;
        }
        Ok(sample)
    };
    let read = (0..count).map(|_| one()).collect::<Result<_, BadMedia>>()?;
    if fields.rest().is_empty() { Ok(read) } else { Err(BadMedia::Form("senc")) }
}

/// The heads of `saiz` and `senc` for samples under a constant IV; `None` where there is nothing to say of any.
pub(super) fn written(samples: &[Vec<Subsample>]) -> Option<(Vec<u8>, Vec<u8>)> {
    samples.iter().any(|parts| !parts.is_empty()).then(|| {
        let count = u32::try_from(samples.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut saiz = [&[0; 5][..], &count].concat();
        let mut senc = [&2_u32.to_be_bytes()[..], &count].concat();
        for parts in samples {
            saiz.push(u8::try_from(2 + 6 * parts.len()).unwrap_or(u8::MAX));
            senc.extend(u16::try_from(parts.len()).unwrap_or(u16::MAX).to_be_bytes());
            for part in parts {
                senc.extend(part.clear.to_be_bytes().iter().chain(&part.protected.to_be_bytes()));
            }
        }
        (saiz, senc)
    })
}
