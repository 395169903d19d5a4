//! TLLV: tag, length of the block, length of the value, value, padding. Payloads are rows of them in any order.

use super::Malformed;
use super::bytes::{Bytes, length_field};

/// One tagged value with the padding that fills its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tllv {
    /// What it is: one of [`tag`](super::tag), or anything.
    pub tag: u64,
    /// The value.
    pub value: Vec<u8>,
    /// What fills the block; it means nothing.
    pub padding: Vec<u8>,
}

/// How exactly a payload has to keep to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// Blocks are multiples of 16 bytes, no tag comes twice, nothing follows the last TLLV.
    #[default]
    Strict,
    /// None of that is asked: of a tag that comes twice the first counts, and what no TLLV can be read from is left over.
    Lenient,
}

/// The TLLVs of a payload, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tllvs {
    /// Each TLLV as it came.
    pub all: Vec<Tllv>,
    /// What follows them; always empty where reading was strict.
    pub left_over: Vec<u8>,
}

impl Tllv {
    /// A value padded with zeros to whole blocks of 16 bytes.
    #[must_use]
    pub fn new(tag: u64, value: impl Into<Vec<u8>>) -> Self {
        let value = value.into();
        let padding = vec![0; value.len().next_multiple_of(16) - value.len()];
        Self { tag, value, padding }
    }

    /// The TLLV as bytes; a block or value of 4 GiB or more cannot be written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let block = length_field(self.value.len().saturating_add(self.padding.len()));
        let tag = self.tag.to_be_bytes();
        [&tag[..], &block, &length_field(self.value.len()), &self.value, &self.padding].concat()
    }

    fn read(bytes: &mut Bytes<'_>, reading: Reading) -> Result<Self, Malformed> {
        let at = bytes.at();
        let tag = bytes.u64()?;
        let (block, value) = (bytes.length()?, bytes.length()?);
        if reading == Reading::Strict && block % 16 != 0 {
            return Err(Malformed::Block { at, tag, length: block });
        }
        let padding = block.checked_sub(value).ok_or(Malformed::Value { at, tag, value, block })?;
        Ok(Self { tag, value: bytes.take(value)?.to_vec(), padding: bytes.take(padding)?.to_vec() })
    }
}

impl Tllvs {
    /// Reads a payload.
    ///
    /// # Errors
    /// What breaks the rules that `reading` asks for; lenient reading has none.
    pub fn read(payload: &[u8], reading: Reading) -> Result<Self, Malformed> {
        let mut bytes = Bytes::new(payload);
        let mut read = Self::default();
        while !bytes.rest().is_empty() {
            let before = bytes.rest();
            match (Tllv::read(&mut bytes, reading), reading) {
                (Ok(tllv), Reading::Strict) if read.find(tllv.tag).is_some() => {
                    return Err(Malformed::Duplicate(tllv.tag));
                }
                (Ok(tllv), _) => read.all.push(tllv),
                (Err(error), Reading::Strict) => return Err(error),
                (Err(_), Reading::Lenient) => {
                    read.left_over = before.to_vec();
                    break;
                }
            }
        }
        Ok(read)
    }

    /// The payload as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.all.iter().flat_map(Tllv::to_bytes).collect();
        bytes.extend(&self.left_over);
        bytes
    }

    /// The first TLLV of this tag.
    #[must_use]
    pub fn find(&self, tag: u64) -> Option<&Tllv> {
        self.all.iter().find(|tllv| tllv.tag == tag)
    }

    /// The value of a TLLV that has to be there.
    pub(super) fn value(&self, tag: u64) -> Result<&[u8], Malformed> {
        let missing = Malformed::Missing { tag, name: super::tag::name(tag) };
        self.find(tag).map(|tllv| tllv.value.as_slice()).ok_or(missing)
    }

    /// The value of a TLLV that has to be there and to have this size.
    pub(super) fn array<const N: usize>(&self, tag: u64) -> Result<[u8; N], Malformed> {
        let value = self.value(tag)?;
        value.try_into().map_err(|_| form(tag, value))
    }
}

pub(super) fn form(tag: u64, value: &[u8]) -> Malformed {
    Malformed::Form { tag, name: super::tag::name(tag), length: value.len() }
}

impl FromIterator<Tllv> for Tllvs {
    fn from_iter<I: IntoIterator<Item = Tllv>>(all: I) -> Self {
        Self { all: all.into_iter().collect(), left_over: Vec::new() }
    }
}
