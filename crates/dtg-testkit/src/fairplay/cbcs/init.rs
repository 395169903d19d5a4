//! Initialization segments: sample entries become protected ones, and back.

use super::BadMedia;
use super::boxes::{Boxes, Mp4Box};
use super::track::Pattern;
use crate::fairplay::ContentKey;

pub(super) fn protect(init: &mut Boxes, key: &ContentKey) -> Result<(), BadMedia> {
    entries(init, |entry| {
        let (kind, pattern) = match &entry.kind {
            b"avc1" | b"avc3" | b"hvc1" | b"hev1" => (*b"encv", Pattern::VIDEO),
            b"mp4a" | b"ac-3" | b"ec-3" => (*b"enca", Pattern::WHOLE),
            b"encv" | b"enca" => return Err(BadMedia::Encrypted),
            other => return Err(BadMedia::Entry(other.escape_ascii().to_string())),
        };
        let was = std::mem::replace(&mut entry.kind, kind);
        entry.within.0.push(sinf(was, pattern, key));
        Ok(())
    })
}

pub(super) fn unprotect(init: &mut Boxes) -> Result<(), BadMedia> {
    entries(init, |entry| {
        let Some(sinf) = entry.within.find(b"sinf") else { return Ok(()) };
        let frma = sinf.within.path(&[b"frma"])?;
        entry.kind = frma.head.as_slice().try_into().map_err(|_| BadMedia::Form("frma"))?;
        entry.within.0.retain(|it| it.kind != *b"sinf");
        Ok(())
    })
}

fn entries(
    init: &mut Boxes,
    mut change: impl FnMut(&mut Mp4Box) -> Result<(), BadMedia>,
) -> Result<(), BadMedia> {
    let moov = init.path_mut(&[b"moov"])?;
    for trak in moov.within.all_mut(b"trak") {
        let stsd = trak.within.path_mut(&[b"mdia", b"minf", b"stbl", b"stsd"])?;
        stsd.within.0.iter_mut().try_for_each(&mut change)?;
    }
    Ok(())
}

/// ISO/IEC 14496-12, 8.12, and 23001-7, 8.2.
fn sinf(was: [u8; 4], pattern: Pattern, key: &ContentKey) -> Mp4Box {
    let schm = [&[0; 4][..], b"cbcs", &0x0001_0000_u32.to_be_bytes()].concat();
    let blocks = (pattern.encrypted << 4) | (pattern.clear & 0x0f);
    // Version 1; reserved, pattern, isProtected, no IV in the samples; the constant IV has 16 bytes.
    let tenc = [&[1, 0, 0, 0, 0, blocks, 1, 0][..], &key.key_id, &[16], &key.iv].concat();
    Mp4Box::of(
        *b"sinf",
        vec![
            Mp4Box::new(*b"frma", was.to_vec()),
            Mp4Box::new(*b"schm", schm),
            Mp4Box::of(*b"schi", vec![Mp4Box::new(*b"tenc", tenc)]),
        ],
    )
}
