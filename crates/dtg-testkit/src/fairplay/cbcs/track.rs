//! What an initialization segment says of its tracks.

use super::BadMedia;
use super::boxes::{Boxes, Mp4Box};
use super::fields::Fields;
use crate::fairplay::Block;

/// One track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) samples: Samples,
    /// `default_sample_size` of `trex`.
    pub(super) default_size: u32,
    /// `None` of a clear track.
    pub(super) protection: Option<Protection>,
}

/// What samples are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Samples {
    /// NAL units of H.264 behind lengths of so many bytes.
    Avc(usize),
    /// The same of H.265.
    Hevc(usize),
    /// Anything else: encrypted as a whole.
    Whole,
}

/// `tenc`: how a track is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protection {
    pub(super) pattern: Pattern,
    /// Bytes of the IV that each sample brings.
    pub(super) iv_size: usize,
    pub(super) key_id: Block,
    /// The IV where samples bring none.
    pub(super) iv: Block,
}

/// How many blocks are encrypted, and how many behind them are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// Blocks that are encrypted.
    pub encrypted: u8,
    /// Blocks that stay clear; 0 for every block encrypted.
    pub clear: u8,
}

impl Pattern {
    /// Of video: one block in ten.
    pub const VIDEO: Self = Self { encrypted: 1, clear: 9 };
    /// Of sound: every block.
    pub const WHOLE: Self = Self { encrypted: 0, clear: 0 };
}

/// The tracks of an initialization segment.
pub(super) fn tracks(init: &Boxes) -> Result<Vec<Track>, BadMedia> {
    let moov = init.find(b"moov").ok_or(BadMedia::Missing("moov"))?;
    moov.within.all(b"trak").map(|trak| track(moov, trak)).collect()
}

fn track(moov: &Mp4Box, trak: &Mp4Box) -> Result<Track, BadMedia> {
    let tkhd = trak.within.find(b"tkhd").ok_or(BadMedia::Missing("tkhd"))?;
    let (mut fields, version, _) = Fields::full(&tkhd.head, "tkhd")?;
    fields.take(if version == 1 { 16 } else { 8 })?;
    let id = fields.u32()?;
    let entry = entry(trak)?;
    Ok(Track {
        id,
        samples: samples(entry)?,
        default_size: default_size(moov, id)?,
        protection: protection(entry)?,
    })
}

fn entry(trak: &Mp4Box) -> Result<&Mp4Box, BadMedia> {
    let stsd = trak.within.path(&[b"mdia", b"minf", b"stbl", b"stsd"])?;
    match stsd.within.0.as_slice() {
        [entry] => Ok(entry),
        [] => Err(BadMedia::Missing("sample entry")),
        _ => Err(BadMedia::Unsupported("more than one sample entry")),
    }
}

fn samples(entry: &Mp4Box) -> Result<Samples, BadMedia> {
    // lengthSizeMinusOne: ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1
    let length = |kind: &'static str, head: &[u8], at: usize| {
        let byte = head.get(at).copied().ok_or(BadMedia::Form(kind))?;
        Ok(usize::from(byte & 3) + 1)
    };
    if let Some(avcc) = entry.within.find(b"avcC") {
        return length("avcC", &avcc.head, 4).map(Samples::Avc);
    }
    let hvcc = entry.within.find(b"hvcC").map(|hvcc| length("hvcC", &hvcc.head, 21).map(Samples::Hevc));
    hvcc.unwrap_or(Ok(Samples::Whole))
}

fn default_size(moov: &Mp4Box, id: u32) -> Result<u32, BadMedia> {
    let Some(mvex) = moov.within.find(b"mvex") else { return Ok(0) };
    for trex in mvex.within.all(b"trex") {
        let (mut fields, ..) = Fields::full(&trex.head, "trex")?;
        let (track, _, _, size) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
        if track == id {
            return Ok(size);
        }
    }
    Ok(0)
}

fn protection(entry: &Mp4Box) -> Result<Option<Protection>, BadMedia> {
    let Some(sinf) = entry.within.find(b"sinf") else { return Ok(None) };
    let schm = sinf.within.path(&[b"schm"])?;
    let (mut fields, ..) = Fields::full(&schm.head, "schm")?;
    let scheme: [u8; 4] = fields.array()?;
    if &scheme != b"cbcs" {
        return Err(BadMedia::Scheme(scheme.escape_ascii().to_string()));
    }
    let tenc = sinf.within.path(&[b"schi", b"tenc"])?;
    let (mut fields, version, _) = Fields::full(&tenc.head, "tenc")?;
    let (_, pattern, protected, iv_size) = (fields.u8()?, fields.u8()?, fields.u8()?, fields.u8()?);
    let pattern = if version == 0 { 0 } else { pattern };
    let key_id = fields.array()?;
    let iv_size = usize::from(iv_size);
    let iv = match (protected, iv_size) {
        (0, _) => return Ok(None),
        (_, 0) => {
            let length = usize::from(fields.u8()?);
            padded_iv(fields.take(length)?)?
        }
        (_, 8 | 16) => Block::default(),
        _ => return Err(BadMedia::Form("tenc")),
    };
    let pattern = Pattern { encrypted: pattern >> 4, clear: pattern & 0x0f };
    Ok(Some(Protection { pattern, iv_size, key_id, iv }))
}

/// An IV of 8 bytes is one of 16 with zeros behind.
pub(super) fn padded_iv(iv: &[u8]) -> Result<Block, BadMedia> {
    let mut block = Block::default();
    if !matches!(iv.len(), 8 | 16) {
        return Err(BadMedia::Form("tenc"));
    }
    block.iter_mut().zip(iv).for_each(|(to, from)| *to = *from);
    Ok(block)
}
