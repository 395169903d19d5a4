//! A record as a file: what it is, which generation, whether it is whole; and what the file is called.

use fairplay_keys::{Generation, SecretBytes, Slot};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A record that was read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredFile {
    pub(super) slot: Slot,
    pub(super) generation: Generation,
    pub(super) record: SecretBytes,
}

/// `magic | generation | length of the name | name | length of the record | record | SHA-256 of all before`.
const MAGIC: &[u8; 8] = b"DTGKEY\0\x01";
const HASH: usize = 32;
/// The largest record.
pub(super) const RECORD_LIMIT: usize = 1 << 20;
/// The largest file: record, name (a key URI, or an id) and the rest.
pub(super) const FILE_LIMIT: u64 = (RECORD_LIMIT as u64) * 2;

/// What the slot's file is called: a hash, since names come from playlists and applications.
pub(super) fn name_of(slot: &Slot) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = Sha256::digest(slot.to_text());
    let bits: Vec<bool> =
        hash.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let letter = |five: &[bool]| {
        five.iter().fold(0_usize, |letter, bit| letter * 2 + usize::from(*bit)) << (5 - five.len())
    };
    bits.chunks(5).filter_map(|five| ALPHABET.get(letter(five))).map(|letter| char::from(*letter)).collect()
}

pub(super) fn encode(slot: &Slot, generation: Generation, record: &SecretBytes) -> Zeroizing<Vec<u8>> {
    let name = slot.to_text();
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 + name.len() + record.len()));
    bytes.extend(MAGIC);
    bytes.extend(generation.0.to_be_bytes());
    for field in [name.as_bytes(), record.expose()] {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend(field);
    }
    let hash = Sha256::digest(&bytes);
    bytes.extend(hash);
    bytes
}

/// The record of a file, or what is wrong with it.
pub(super) fn decode(bytes: &[u8]) -> Result<StoredFile, &'static str> {
    let body = bytes.len().checked_sub(HASH).ok_or("it is cut off")?;
    let (body, hash) = bytes.split_at_checked(body).ok_or("it is cut off")?;
    let rest = body.strip_prefix(MAGIC).ok_or("it is none, or of another version")?;
    if Sha256::digest(body)[..] != *hash {
        return Err("its checksum does not match");
    }
    let (generation, rest) = number(rest).ok_or("it is cut off")?;
    let (name, rest) = field(rest).ok_or("it is cut off")?;
    let (record, rest) = field(rest).ok_or("it is cut off")?;
    let slot = std::str::from_utf8(name).ok().and_then(Slot::from_text).ok_or("its name is none")?;
    if !rest.is_empty() || generation == 0 {
        return Err("it makes no sense");
    }
    Ok(StoredFile { slot, generation: Generation(generation), record: SecretBytes::new(record) })
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairplay_keys::{AssetId, KeyUri};

    fn slot(uri: &str) -> Slot {
        Slot::Key(KeyUri::new(uri).unwrap())
    }

    #[test]
    fn a_record_comes_back_and_a_flipped_bit_or_a_cut_never_does() {
        let record = SecretBytes::new(*b"record");
        let bytes = encode(&slot("skd://a"), Generation(7), &record);
        let expected = StoredFile { slot: slot("skd://a"), generation: Generation(7), record };
        assert_eq!(decode(&bytes), Ok(expected));
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(decode(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
        assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_file_is_named_by_a_hash_never_by_the_key() {
        let name = name_of(&slot("skd://../../etc/passwd"));
        assert_eq!(name.len(), 52);
        assert!(name.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit()), "{name}");
        assert_ne!(name, name_of(&Slot::Asset(AssetId::new("skd://../../etc/passwd").unwrap())));
        // RFC 4648, base32, of SHA-256("clock").
        assert_eq!(name_of(&Slot::Clock), "3amy56rwatiwjbjunbqiyvppufelyvxdkzgvumbdfp4yxcvuhlvq");
    }
}
