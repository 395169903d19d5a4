//! Big-endian fields, taken one by one from bytes that may end too soon.

use super::Malformed;

/// What is left to be read, and how far reading has got.
#[derive(Debug, Clone)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let ends = Malformed::Ends { at: self.at, needed: length, left: self.rest.len() };
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ends)?;
        self.rest = rest;
        self.at = self.at.saturating_add(length);
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// A length in 32 bits.
    pub(super) fn length(&mut self) -> Result<usize, Malformed> {
        let at = self.at;
        let said = self.u32()?;
        usize::try_from(said).map_err(|_| Malformed::Ends { at, needed: usize::MAX, left: self.rest.len() })
    }
}

/// A length that the formats write in 32 bits; what is longer cannot be written, and is said as the most that can.
pub(super) fn length_field(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

/// The bytes that hexadecimal digits stand for; `None` for any other text.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| {
        pairs.map(|pair| pair.iter().fold(0_u8, |byte, digit| byte.wrapping_shl(4) | digit)).collect()
    })
}
