//! MP4 boxes as a tree that is written as it was read (ISO/IEC 14496-12, 4.2).

use super::BadMedia;

/// Boxes in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Boxes(pub(super) Vec<Mp4Box>);

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mp4Box {
    pub(super) kind: [u8; 4],
    size: Size,
    /// What stands before the boxes within it; of a box without boxes, all of it.
    pub(super) head: Vec<u8>,
    pub(super) within: Boxes,
}

/// How a box states its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Short,
    Long,
    /// Up to the end of the file.
    Rest,
}

/// Deeper than any box is that is looked at here.
const DEEPEST: usize = 12;

/// How many bytes stand before the boxes within a box of this kind; `None` where there are no boxes, or none of interest.
fn head_length(kind: [u8; 4]) -> Option<usize> {
    match &kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"mvex" | b"moof" | b"traf" | b"sinf" | b"schi" => {
            Some(0)
        }
        b"stsd" => Some(8),
        b"avc1" | b"avc3" | b"hvc1" | b"hev1" | b"encv" => Some(78),
        b"mp4a" | b"ac-3" | b"ec-3" | b"enca" => Some(28),
        _ => None,
    }
}

impl Boxes {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadMedia> {
        Self::read_at(bytes, 0, DEEPEST)
    }

    fn read_at(bytes: &[u8], start: usize, depth: usize) -> Result<Self, BadMedia> {
        let (mut boxes, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let at = start.saturating_add(bytes.len() - rest.len());
            let (read, after) = Mp4Box::read(rest, at, depth).ok_or(BadMedia::Box { at })??;
            boxes.push(read);
            rest = after;
        }
        Ok(Self(boxes))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        self.0.iter().for_each(|it| it.write(bytes));
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Mp4Box::len).sum()
    }

    pub(super) fn all(&self, kind: &[u8; 4]) -> impl Iterator<Item = &Mp4Box> {
        self.0.iter().filter(move |it| it.kind == *kind)
    }

    pub(super) fn all_mut(&mut self, kind: &[u8; 4]) -> impl Iterator<Item = &mut Mp4Box> {
        self.0.iter_mut().filter(move |it| it.kind == *kind)
    }

    pub(super) fn find(&self, kind: &[u8; 4]) -> Option<&Mp4Box> {
        self.all(kind).next()
    }

    /// The box that a path of kinds leads to.
    pub(super) fn path(&self, path: &[&'static [u8; 4]]) -> Result<&Mp4Box, BadMedia> {
        let missing = |kind: &'static [u8; 4]| BadMedia::Missing(name(kind));
        let (last, parents) = path.split_last().ok_or(BadMedia::Missing("any"))?;
        let found = parents
            .iter()
            .try_fold(self, |boxes, kind| boxes.find(kind).map(|it| &it.within).ok_or_else(|| missing(kind)));
        found?.find(last).ok_or_else(|| missing(last))
    }

    pub(super) fn path_mut(&mut self, path: &[&'static [u8; 4]]) -> Result<&mut Mp4Box, BadMedia> {
        let (first, rest) = path.split_first().ok_or(BadMedia::Missing("any"))?;
        let found = self.all_mut(first).next().ok_or_else(|| BadMedia::Missing(name(first)))?;
        if rest.is_empty() { Ok(found) } else { found.within.path_mut(rest) }
    }
}

/// A kind as text; those that are asked for are all ASCII.
fn name(kind: &'static [u8; 4]) -> &'static str {
    std::str::from_utf8(kind).unwrap_or("?")
}

impl Mp4Box {
    pub(super) const fn new(kind: [u8; 4], head: Vec<u8>) -> Self {
        Self { kind, size: Size::Short, head, within: Boxes(Vec::new()) }
    }

    pub(super) const fn of(kind: [u8; 4], within: Vec<Self>) -> Self {
        Self { kind, size: Size::Short, head: Vec::new(), within: Boxes(within) }
    }

    /// The first box, and what follows it; `None` where the bytes end too soon.
    fn read(bytes: &[u8], at: usize, depth: usize) -> Option<Result<(Self, &[u8]), BadMedia>> {
        let (short, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (size, length, rest) = match u32::from_be_bytes(*short) {
            0 => (Size::Rest, bytes.len(), rest),
            1 => {
                let (long, rest) = rest.split_first_chunk::<8>()?;
                (Size::Long, usize::try_from(u64::from_be_bytes(*long)).ok()?, rest)
            }
            short => (Size::Short, usize::try_from(short).ok()?, rest),
        };
        let (content, after) = rest.split_at_checked(length.checked_sub(bytes.len() - rest.len())?)?;
        let head_length = head_length(*kind).filter(|_| depth > 0).unwrap_or(content.len());
        let (head, within) = content.split_at_checked(head_length)?;
        let start = at.saturating_add(bytes.len() - rest.len()).saturating_add(head_length);
        let boxes = Boxes::read_at(within, start, depth.saturating_sub(1));
        let read = boxes.map(|within| Self { kind: *kind, size, head: head.to_vec(), within });
        Some(read.map(|read| (read, after)))
    }

    pub(super) fn len(&self) -> usize {
        self.head_len() + self.head.len() + self.within.len()
    }

    /// The bytes of size and kind.
    pub(super) fn head_len(&self) -> usize {
        let short = self.head.len() + self.within.len() + 8;
        if self.size == Size::Long || u32::try_from(short).is_err() { 16 } else { 8 }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let length = self.len();
        match (self.size, u32::try_from(length)) {
            (Size::Rest, _) => bytes.extend([0; 4].iter().chain(&self.kind)),
            (Size::Short, Ok(length)) => bytes.extend(length.to_be_bytes().iter().chain(&self.kind)),
            (Size::Short | Size::Long, _) => {
                bytes.extend(1_u32.to_be_bytes().iter().chain(&self.kind));
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(&self.head);
        self.within.write(bytes);
    }
}
