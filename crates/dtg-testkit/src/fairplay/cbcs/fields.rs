//! The fields of a box's head.

use super::BadMedia;

/// What is left of a head to be read.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    kind: &'static str,
}

impl<'a> Fields<'a> {
    /// Fields of a box of this kind, which errors name.
    pub(super) const fn new(head: &'a [u8], kind: &'static str) -> Self {
        Self { rest: head, kind }
    }

    /// Fields of a full box (version and flags come first), and these two.
    pub(super) fn full(head: &'a [u8], kind: &'static str) -> Result<(Self, u8, u32), BadMedia> {
        let mut fields = Self::new(head, kind);
        let word = fields.u32()?;
        let [version, ..] = word.to_be_bytes();
        Ok((fields, version, word & 0x00ff_ffff))
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], BadMedia> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(BadMedia::Form(self.kind))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BadMedia> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, BadMedia> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, BadMedia> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, BadMedia> {
        self.array().map(u32::from_be_bytes)
    }

    /// A length or a count in 32 bits.
    pub(super) fn length(&mut self) -> Result<usize, BadMedia> {
        let kind = self.kind;
        self.u32().and_then(|length| usize::try_from(length).map_err(|_| BadMedia::Form(kind)))
    }

    /// A field that is there where `flag` is among `flags`.
    pub(super) fn u32_if(&mut self, flags: u32, flag: u32) -> Result<Option<u32>, BadMedia> {
        (flags & flag != 0).then(|| self.u32()).transpose()
    }
}
