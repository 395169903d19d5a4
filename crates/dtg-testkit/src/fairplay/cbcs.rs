//! `cbcs` (ISO/IEC 23001-7): fragmented MP4 encrypted sample by sample, as HLS calls SAMPLE-AES.
//!
//! AES-128-CBC under a constant IV, which each subsample begins with again. Of video one block in ten is encrypted, from
//! behind the first [`CLEAR_LEADER`] bytes of each slice on; of sound every whole block of a sample. What does not fill a
//! block stays clear. An initialization segment gets `encv` or `enca` with `sinf`, `schm` and `tenc`; a media segment
//! `saiz`, `saio` and `senc`, where there is something to say. Decrypting takes them away again: what comes out is what
//! went in, byte for byte. It reads per-sample IVs and other patterns too. Keys that change within a segment (`seig`)
//! are refused.

mod boxes; // the format
mod fields;
mod error;
mod track; // what an initialization segment says
mod init;
mod fragment; // where samples are
mod subsamples; // what of a sample
mod pattern; // how

pub use error::BadMedia;
pub use subsamples::CLEAR_LEADER;
pub use track::Pattern;

use super::{ContentKey, Key};
use boxes::Boxes;
use fragment::Fragments;

/// Encrypts an initialization segment: its tracks are said to be protected.
///
/// # Errors
/// What is no MP4, or has a track that is not understood, or is encrypted already.
pub fn encrypt_init(init: &[u8], key: &ContentKey) -> Result<Vec<u8>, BadMedia> {
    let mut boxes = Boxes::read(init)?;
    init::protect(&mut boxes, key)?;
    Ok(boxes.to_bytes())
}

/// The inverse of [`encrypt_init`].
///
/// # Errors
/// What is no MP4; a track that is not protected stays as it is.
pub fn decrypt_init(init: &[u8]) -> Result<Vec<u8>, BadMedia> {
    let mut boxes = Boxes::read(init)?;
    init::unprotect(&mut boxes)?;
    Ok(boxes.to_bytes())
}

/// Encrypts a media segment; `init` is its initialization segment, clear or encrypted.
///
/// # Errors
/// What is no MP4, or has samples that are not where it says.
pub fn encrypt_segment(init: &[u8], segment: &[u8], key: &ContentKey) -> Result<Vec<u8>, BadMedia> {
    let tracks = track::tracks(&Boxes::read(init)?)?;
    let mut boxes = Boxes::read(segment)?;
    let mut fragments = Fragments::read(&boxes, &tracks)?;
    fragments.encrypt(&mut boxes, key)?;
    fragments.move_samples(&mut boxes)?;
    Ok(boxes.to_bytes())
}

/// Decrypts a media segment; `init` is its initialization segment, as it was encrypted.
///
/// # Errors
/// What is no MP4, what is not protected by `cbcs`, and samples that are not where it says.
pub fn decrypt_segment(init: &[u8], segment: &[u8], key: Key) -> Result<Vec<u8>, BadMedia> {
    let tracks = track::tracks(&Boxes::read(init)?)?;
    let mut boxes = Boxes::read(segment)?;
    let mut fragments = Fragments::read(&boxes, &tracks)?;
    fragments.decrypt(&mut boxes, key)?;
    fragments.move_samples(&mut boxes)?;
    Ok(boxes.to_bytes())
}

/// The identifiers of the keys that an initialization segment's tracks are protected with, each once.
///
/// # Errors
/// What is no MP4.
pub fn key_ids(init: &[u8]) -> Result<Vec<super::Block>, BadMedia> {
    let tracks = track::tracks(&Boxes::read(init)?)?;
    let mut ids: Vec<_> =
        tracks.iter().filter_map(|track| track.protection.as_ref()).map(|it| it.key_id).collect();
    ids.dedup();
    Ok(ids)
}

#[cfg(test)]
mod tests;
