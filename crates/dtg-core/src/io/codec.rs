//! The only place that knows how records are spelled in bytes.
//!
//! A record in a file or in the catalog is `magic | schema | kind | length | checksum | payload`; one in
//! a journal is `length | checksum | kind | payload`. Payloads are bincode of frozen structs ([`v1`]),
//! never of the types that the program works with, so that those may change; a kind whose frozen struct was
//! replaced ([`v2`], [`v3`]) still reads the earlier ones, each made into the next by `From`. Checksums find damage, not
//! forgery: halves and quarters of XXH3-128.

mod v1;
mod v2;
mod v3;

use bincode::Options as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use twox_hash::XxHash3_128;

use super::journal::Record;

const MAGIC: [u8; 4] = *b"DTGr";
/// Magic, schema, kind, length, checksum.
const HEADER: usize = 4 + 2 + 2 + 8 + 8;
/// A journal record's length and checksum.
const FRAME: usize = 2 + 4;

/// How a record can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum CodecError {
    /// It is no record of ours, or one of another kind.
    #[error("not the record that was expected")]
    Foreign,
    /// A later version of this program wrote it.
    #[error("written by a later version (schema {0})")]
    Later(u16),
    /// Its length or checksum is wrong.
    #[error("damaged")]
    Damaged,
    /// The bytes are as they were written, but this can't be right.
    #[error("damaged: {0} can't be right")]
    Value(&'static str),
}

pub(crate) use v1::state_number;

/// What is kept as a record of its own.
pub(crate) trait Stored: Sized {
    /// Tells one kind of record from another.
    const KIND: u16;
    /// The schema that is written.
    const SCHEMA: u16 = 1;
    /// How that schema spells it.
    type Frozen: Serialize + DeserializeOwned;
    /// The value as that schema spells it.
    fn freeze(&self) -> Self::Frozen;
    /// The value that that schema spelled.
    fn thaw(frozen: Self::Frozen) -> Result<Self, CodecError>;
    /// The value in a payload of an earlier schema.
    fn thaw_earlier(_schema: u16, _payload: &[u8]) -> Result<Self, CodecError> {
        Err(CodecError::Damaged)
    }
}

/// The whole record of a value.
pub(crate) fn encode<T: Stored>(value: &T) -> Vec<u8> {
    seal::<T>(&payload_of(&value.freeze()))
}

/// The whole record around a payload.
pub(crate) fn seal<T: Stored>(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER.saturating_add(payload.len()));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&T::SCHEMA.to_le_bytes());
    bytes.extend_from_slice(&T::KIND.to_le_bytes());
    bytes.extend_from_slice(&length_of(payload).to_le_bytes());
    bytes.extend_from_slice(&checksum(payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The value of a whole record.
pub(crate) fn decode<T: Stored>(bytes: &[u8]) -> Result<T, CodecError> {
    match check::<T>(bytes)? {
        (schema, payload) if schema == T::SCHEMA => T::thaw(value_of(payload)?),
        (schema, payload) => T::thaw_earlier(schema, payload),
    }
}

/// Schema and payload of a record whose head and checksum are right.
pub(crate) fn check<T: Stored>(bytes: &[u8]) -> Result<(u16, &[u8]), CodecError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(CodecError::Foreign)?;
    let (schema, rest) = rest.split_first_chunk().ok_or(CodecError::Damaged)?;
    let (kind, rest) = rest.split_first_chunk().ok_or(CodecError::Damaged)?;
    let (length, rest) = rest.split_first_chunk().ok_or(CodecError::Damaged)?;
    let (sum, payload) = rest.split_first_chunk().ok_or(CodecError::Damaged)?;
    if u16::from_le_bytes(*kind) != T::KIND {
        return Err(CodecError::Foreign);
    }
    let schema = u16::from_le_bytes(*schema);
    match schema {
        0 => return Err(CodecError::Damaged),
        later if later > T::SCHEMA => return Err(CodecError::Later(later)),
        _ => {}
    }
    let is_whole = u64::from_le_bytes(*length) == length_of(payload);
    let is_sound = is_whole && u64::from_le_bytes(*sum) == checksum(payload);
    if is_sound { Ok((schema, payload)) } else { Err(CodecError::Damaged) }
}

/// Appends a journal record to `out`.
pub(crate) fn encode_record(record: &Record, out: &mut Vec<u8>) {
    let (kind, payload) = v1::freeze_record(record);
    seal_record(kind, &payload, out);
}

/// Appends a journal record around a payload to `out`.
pub(crate) fn seal_record(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    // Every payload is a few words and at most one short text, cut before it gets here.
    let length = u16::try_from(payload.len().saturating_add(1)).unwrap_or(u16::MAX);
    let start = out.len();
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.push(kind);
    out.extend_from_slice(payload);
    // In one piece, which is several times as fast as by a hasher for so few bytes.
    if let Some((head, body)) = out.get_mut(start..).and_then(|record| record.split_at_mut_checked(FRAME))
        && let Some(place) = head.last_chunk_mut()
    {
        *place = short_checksum(body).to_le_bytes();
    }
}

/// The first journal record of `bytes`, and how many bytes it takes.
///
/// `None` for a record of a kind that a later version added: it is sound, and nothing is known of it.
pub(crate) fn decode_record(bytes: &[u8]) -> Result<(Option<Record>, usize), CodecError> {
    let (length, rest) = bytes.split_first_chunk().ok_or(CodecError::Damaged)?;
    let (sum, rest) = rest.split_first_chunk().ok_or(CodecError::Damaged)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let body = rest.get(..length).ok_or(CodecError::Damaged)?;
    let (kind, payload) = body.split_first().ok_or(CodecError::Damaged)?;
    if u32::from_le_bytes(*sum) != short_checksum(body) {
        return Err(CodecError::Damaged);
    }
    Ok((v1::thaw_record(*kind, payload)?, FRAME.saturating_add(length)))
}

fn payload_of(value: &impl Serialize) -> Vec<u8> {
    options().serialize(value).expect("plain structs without a size limit always serialize")
}

/// A length in the bytes that isn't true ends in an error, before anything of that length is made.
fn value_of<T: DeserializeOwned>(payload: &[u8]) -> Result<T, CodecError> {
    options()
        .with_limit(length_of(payload))
        .deserialize(payload)
        .map_err(|_| CodecError::Value("its content"))
}

fn options() -> impl bincode::Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_little_endian().reject_trailing_bytes()
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn checksum(payload: &[u8]) -> u64 {
    let [low, _] = halves(XxHash3_128::oneshot(payload));
    low
}

fn short_checksum(body: &[u8]) -> u32 {
    let [low, _] = halves(XxHash3_128::oneshot(body));
    let [a, b, c, d, ..] = low.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn halves(hash: u128) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = hash.to_le_bytes();
    [u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes(rest)]
}

#[cfg(test)]
mod tests;
