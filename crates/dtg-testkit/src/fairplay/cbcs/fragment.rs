//! Movie fragments: where their samples are, and what is said beside them.

use std::ops::Range;

use super::BadMedia;
use super::boxes::{Boxes, Mp4Box};
use super::fields::Fields;
use super::pattern::{Cipher, Way};
use super::subsamples::{Auxiliary, read_senc, regions, subsamples, written};
use super::track::{Pattern, Protection, Samples, Track};
use crate::fairplay::{ContentKey, Key};

/// The fragments of a segment: one for each `traf`.
#[derive(Debug)]
pub(super) struct Fragments {
    all: Vec<Fragment>,
    /// Where each box of the segment began when it was read.
    starts: Vec<u64>,
}

#[derive(Debug)]
struct Fragment {
    /// The number of its `moof` among the segment's boxes.
    moof: usize,
    /// Its number among the boxes of the `moof`.
    traf: usize,
    samples: Samples,
    protection: Option<Protection>,
    places: Vec<Place>,
    /// Bytes that its `traf` has gained, or lost.
    growth: i64,
}

/// Where a sample is: the number of its `mdat` among the segment's boxes, and its bytes in there.
#[derive(Debug, Clone)]
struct Place {
    mdat: usize,
    bytes: Range<usize>,
}

const EXPLICIT_BASE: u32 = 0x01;
const BASE_IS_MOOF: u32 = 0x02_0000;

impl Fragments {
    pub(super) fn read(segment: &Boxes, tracks: &[Track]) -> Result<Self, BadMedia> {
        let starts = segment.0.iter().scan(0_u64, |at, it| {
            let start = *at;
            *at += it.len() as u64;
            Some(start)
        });
        let starts = starts.collect();
        let mut read = Self { all: Vec::new(), starts };
        for (moof, it) in segment.0.iter().enumerate().filter(|(_, it)| it.kind == *b"moof") {
            for (number, traf) in it.within.0.iter().enumerate().filter(|(_, it)| it.kind == *b"traf") {
                let fragment = read.fragment(segment, (moof, number), traf, tracks)?;
                read.all.push(fragment);
            }
        }
        if read.all.is_empty() { Err(BadMedia::Missing("moof")) } else { Ok(read) }
    }

    pub(super) fn encrypt(&mut self, segment: &mut Boxes, key: &ContentKey) -> Result<(), BadMedia> {
        self.all.iter_mut().try_for_each(|fragment| fragment.encrypt(segment, key))
    }

    pub(super) fn decrypt(&mut self, segment: &mut Boxes, key: Key) -> Result<(), BadMedia> {
        self.all.iter_mut().try_for_each(|fragment| fragment.decrypt(segment, key))
    }

    fn fragment(
        &self,
        segment: &Boxes,
        (moof, number): (usize, usize),
        traf: &Mp4Box,
        tracks: &[Track],
    ) -> Result<Fragment, BadMedia> {
        let tfhd = traf.within.find(b"tfhd").ok_or(BadMedia::Missing("tfhd"))?;
        let (mut fields, _, flags) = Fields::full(&tfhd.head, "tfhd")?;
        let id = fields.u32()?;
        if flags & EXPLICIT_BASE != 0 || flags & BASE_IS_MOOF == 0 {
            return Err(BadMedia::Unsupported("a data offset that does not count from its moof"));
        }
        for flag in [0x02, 0x08] {
            fields.u32_if(flags, flag)?;
        }
        let track = tracks.iter().find(|track| track.id == id).ok_or(BadMedia::Missing("trak"))?;
        let default_size = fields.u32_if(flags, 0x10)?.unwrap_or(track.default_size);
        let mut groups = traf.within.all(b"sgpd").chain(traf.within.all(b"sbgp"));
        if groups.any(|group| group.head.get(4..8) == Some(b"seig")) {
            return Err(BadMedia::Unsupported("a key that changes within a segment"));
        }
        let base = self.starts.get(moof).copied().unwrap_or_default();
        let mut places = Vec::new();
        for trun in traf.within.all(b"trun") {
            // The first sample that is not there ends it: a count that lies costs nothing.
            read_trun(trun, base, default_size, &mut |at, length| {
                places.push(self.place(segment, at, length)?);
                Ok(())
            })?;
        }
        let (samples, protection) = (track.samples, track.protection.clone());
        Ok(Fragment { moof, traf: number, samples, protection, places, growth: 0 })
    }

    fn place(&self, segment: &Boxes, at: u64, length: usize) -> Result<Place, BadMedia> {
        let bytes_in = |start: u64, it: &Mp4Box| {
            let from = usize::try_from(at.checked_sub(start)?.checked_sub(it.head_len() as u64)?).ok()?;
            let bytes = from..from.checked_add(length)?;
            it.head.get(bytes.clone()).map(|_| bytes)
        };
        let mut boxes = segment.0.iter().zip(&self.starts).enumerate();
        let found = boxes.find_map(|(mdat, (it, start))| {
            if it.kind != *b"mdat" {
                return None;
            }
            bytes_in(*start, it).map(|bytes| Place { mdat, bytes })
        });
        found.ok_or(BadMedia::Sample { at, length })
    }

    /// Says where samples and fragments are now that boxes have gained or lost bytes.
    pub(super) fn move_samples(&self, segment: &mut Boxes) -> Result<(), BadMedia> {
        for (number, moof) in segment.0.iter_mut().enumerate().filter(|(_, it)| it.kind == *b"moof") {
            let growth: i64 = self.all.iter().filter(|it| it.moof == number).map(|it| it.growth).sum();
            let mut before = moof.head_len() as u64;
            for inner in &mut moof.within.0 {
                if inner.kind == *b"traf" {
                    move_truns(inner, growth)?;
                    point_saio(inner, before)?;
                }
                before += inner.len() as u64;
            }
        }
        self.resize_references(segment)
    }

    /// `sidx` (ISO/IEC 14496-12, 8.16.3): each reference gets the bytes that its fragments have gained.
    fn resize_references(&self, segment: &mut Boxes) -> Result<(), BadMedia> {
        let start = |number: usize| self.starts.get(number).copied().unwrap_or_default();
        let gained = |range: Range<u64>| -> i64 {
            let within = self.all.iter().filter(|it| range.contains(&start(it.moof)));
            within.map(|it| it.growth).sum()
        };
        for (number, sidx) in segment.0.iter_mut().enumerate().filter(|(_, it)| it.kind == *b"sidx") {
            let end = start(number).saturating_add(sidx.len() as u64);
            resize_sidx(sidx, end, &gained)?;
        }
        Ok(())
    }
}

impl Fragment {
    fn encrypt(&mut self, segment: &mut Boxes, key: &ContentKey) -> Result<(), BadMedia> {
        if self.traf(segment)?.within.0.iter().any(|it| matches!(&it.kind, b"senc" | b"saiz" | b"saio")) {
            return Err(BadMedia::Encrypted);
        }
        let pattern = match self.samples {
            Samples::Whole => Pattern::WHOLE,
            Samples::Avc(_) | Samples::Hevc(_) => Pattern::VIDEO,
        };
        let cipher = Cipher::new(key.key, Way::Encrypt, pattern);
        let mut all = Vec::with_capacity(self.places.len());
        for place in &self.places {
            let sample = sample(segment, place)?;
            let parts = subsamples(self.samples, sample)?;
            let auxiliary = Auxiliary { iv: key.iv, subsamples: parts };
            apply(&cipher, &auxiliary, sample)?;
            all.push(auxiliary.subsamples);
        }
        let Some((saiz, senc)) = written(&all) else { return Ok(()) };
        // One offset, which `point_saio` sets.
        let saio = [&[0; 4][..], &1_u32.to_be_bytes(), &[0; 4]].concat();
        let boxes = [(*b"saiz", saiz), (*b"saio", saio), (*b"senc", senc)];
        let boxes: Vec<Mp4Box> = boxes.into_iter().map(|(kind, head)| Mp4Box::new(kind, head)).collect();
        let added: usize = boxes.iter().map(Mp4Box::len).sum();
        self.growth = i64::try_from(added).unwrap_or(i64::MAX);
        self.traf(segment)?.within.0.extend(boxes);
        Ok(())
    }

    fn decrypt(&mut self, segment: &mut Boxes, key: Key) -> Result<(), BadMedia> {
        let protection = self.protection.clone().ok_or(BadMedia::Clear)?;
        let cipher = Cipher::new(key, Way::Decrypt, protection.pattern);
        let senc = self.traf(segment)?.within.find(b"senc").map(|senc| senc.head.clone());
        let auxiliary = read_senc(senc.as_deref(), &protection, self.places.len())?;
        for (place, auxiliary) in self.places.iter().zip(&auxiliary) {
            apply(&cipher, auxiliary, sample(segment, place)?)?;
        }
        let traf = self.traf(segment)?;
        let before = traf.within.len();
        traf.within.0.retain(|it| !matches!(&it.kind, b"senc" | b"saiz" | b"saio"));
        let lost = before - traf.within.len();
        self.growth = i64::try_from(lost).map_or(i64::MIN, |lost| -lost);
        Ok(())
    }

    fn traf<'a>(&self, segment: &'a mut Boxes) -> Result<&'a mut Mp4Box, BadMedia> {
        let moof = segment.0.get_mut(self.moof).ok_or(BadMedia::Missing("moof"))?;
        moof.within.0.get_mut(self.traf).ok_or(BadMedia::Missing("traf"))
    }
}

fn apply(cipher: &Cipher, auxiliary: &Auxiliary, sample: &mut [u8]) -> Result<(), BadMedia> {
    for region in regions(auxiliary, sample.len())? {
        if let Some(region) = sample.get_mut(region) {
            cipher.apply(auxiliary.iv, region);
        }
    }
    Ok(())
}

/// Calls `each` with place, from the segment's beginning, and length of each sample (ISO/IEC 14496-12, 8.8.8).
fn read_trun(
    trun: &Mp4Box,
    base: u64,
    default_size: u32,
    each: &mut dyn FnMut(u64, usize) -> Result<(), BadMedia>,
) -> Result<(), BadMedia> {
    let (mut fields, _, flags) = Fields::full(&trun.head, "trun")?;
    let count = fields.length()?;
    let offset = fields.u32_if(flags, 0x01)?.ok_or(BadMedia::Unsupported("a trun without a data offset"))?;
    fields.u32_if(flags, 0x04)?;
    if flags & 0xf00 == 0 && default_size == 0 && count > 0 {
        return Err(BadMedia::Form("trun"));
    }
    let mut at = base.saturating_add_signed(i64::from(offset.cast_signed()));
    for _ in 0..count {
        fields.u32_if(flags, 0x100)?;
        let size = fields.u32_if(flags, 0x200)?.unwrap_or(default_size);
        fields.u32_if(flags, 0x400)?;
        fields.u32_if(flags, 0x800)?;
        each(at, usize::try_from(size).map_err(|_| BadMedia::Form("trun"))?)?;
        at = at.saturating_add(u64::from(size));
    }
    Ok(())
}

fn sample<'a>(segment: &'a mut Boxes, place: &Place) -> Result<&'a mut [u8], BadMedia> {
    let mdat = segment.0.get_mut(place.mdat).ok_or(BadMedia::Missing("mdat"))?;
    mdat.head.get_mut(place.bytes.clone()).ok_or(BadMedia::Missing("mdat"))
}

/// Adds to each reference, of which the first begins at `end` and its offset, what its bytes have gained.
fn resize_sidx(sidx: &mut Mp4Box, end: u64, gained: &dyn Fn(Range<u64>) -> i64) -> Result<(), BadMedia> {
    let form = BadMedia::Form("sidx");
    let (mut fields, version, _) = Fields::full(&sidx.head, "sidx")?;
    fields.take(if version == 0 { 8 + 4 } else { 8 + 8 })?;
    let first = if version == 0 { u64::from(fields.u32()?) } else { u64::from_be_bytes(fields.array()?) };
    fields.u16()?;
    let count = fields.u16()?;
    let mut at = end.saturating_add(first);
    let references = sidx.head.len() - fields.rest().len();
    let references = sidx.head.get_mut(references..).ok_or_else(|| form.clone())?;
    let (references, _) = references.as_chunks_mut::<12>();
    for [a, b, c, d, ..] in references.iter_mut().take(usize::from(count)) {
        let word = u32::from_be_bytes([*a, *b, *c, *d]);
        let (kind, size) = (word & 0x8000_0000, word & 0x7fff_ffff);
        let range = at..at.saturating_add(u64::from(size));
        at = range.end;
        let now = i64::from(size).saturating_add(gained(range));
        let now = u32::try_from(now).ok().filter(|now| now & 0x8000_0000 == 0).ok_or_else(|| form.clone())?;
        [*a, *b, *c, *d] = (kind | now).to_be_bytes();
    }
    Ok(())
}

fn move_truns(traf: &mut Mp4Box, growth: i64) -> Result<(), BadMedia> {
    for trun in traf.within.all_mut(b"trun") {
        let offset = trun.head.get_mut(8..12).ok_or(BadMedia::Form("trun"))?;
        let mut bytes = [0; 4];
        bytes.copy_from_slice(offset);
        let moved = i64::from(i32::from_be_bytes(bytes)).saturating_add(growth);
        let moved = i32::try_from(moved).map_err(|_| BadMedia::Form("trun"))?;
        offset.copy_from_slice(&moved.to_be_bytes());
    }
    Ok(())
}

/// `saio` leads to the first entry of `senc`, counted from the `moof`; the `traf` begins at byte `before` of it.
fn point_saio(traf: &mut Mp4Box, before: u64) -> Result<(), BadMedia> {
    let mut at = before + traf.head_len() as u64;
    let mut entries = None;
    for it in &traf.within.0 {
        if it.kind == *b"senc" {
            entries = u32::try_from(at + it.head_len() as u64 + 8).ok();
        }
        at += it.len() as u64;
    }
    let (Some(entries), Some(saio)) = (entries, traf.within.all_mut(b"saio").next()) else { return Ok(()) };
    let offset = saio.head.get_mut(8..12).ok_or(BadMedia::Form("saio"))?;
    offset.copy_from_slice(&entries.to_be_bytes());
    Ok(())
}
