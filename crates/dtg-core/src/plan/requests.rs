//! Which requests bring the needed bytes: each byte once, few requests, none too long.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hls_parse::ByteRange;

use crate::resource::{Extent, Fetch, Length};

/// No request is for more bytes than this.
const LONGEST: u64 = 8 << 20;
/// Ranges that are merged span no more media than this.
const LONGEST_MILLIS: u64 = 20_000;

/// Bytes of a resource that are needed from a media time on.
// 40 bytes: a long presentation has a million of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    resource: u32,
    what: What,
    at: u64,
    /// For how long, in milliseconds; of more than can be said here: so long.
    span: u32,
}

/// What of a resource is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// The whole file, of about so many bytes.
    Whole(u64),
    /// From the first of these bytes to before the second.
    Range(u64, u64),
}

impl Need {
    pub(super) fn new(resource: u32, range: Option<ByteRange>, at_millis: u64) -> Self {
        let what = range.map_or(What::Whole(0), |range| What::Range(range.offset, range.end()));
        Self { resource, what, at: at_millis, span: 0 }
    }

    /// The media time at which it is played out.
    pub(super) fn until(self, until_millis: u64) -> Self {
        let span = until_millis.saturating_sub(self.at);
        Self { span: u32::try_from(span).unwrap_or(u32::MAX), ..self }
    }

    /// How many bytes the whole file is expected to have.
    pub(super) const fn about(self, bytes: u64) -> Self {
        match self.what {
            What::Whole(_) => Self { what: What::Whole(bytes), ..self },
            What::Range(..) => self,
        }
    }

    const fn is_whole(&self) -> bool {
        matches!(self.what, What::Whole(_))
    }

    const fn range(&self) -> Option<(u64, u64)> {
        match self.what {
            What::Whole(_) => None,
            What::Range(start, end) => Some((start, end)),
        }
    }

    const fn expected(&self) -> Option<u64> {
        match self.what {
            What::Whole(bytes) => Some(bytes),
            What::Range(..) => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.range().is_some_and(|(start, end)| start == end)
    }
}

/// The requests for what is needed, by resource and position.
pub(super) fn requests(mut needs: Vec<Need>) -> Vec<Fetch> {
    needs.sort_unstable();
    let mut fetches = Vec::with_capacity(needs.len());
    for of_one in needs.chunk_by(|a, b| a.resource == b.resource) {
        match of_one {
            [first, ..] if first.is_whole() => fetches.push(whole(first, of_one)),
            // A range may have no bytes, but the file that it is of must be there.
            [first, ..] if of_one.iter().all(Need::is_empty) => fetches.push(whole(first, of_one)),
            ranges => fetches.extend(merged(&pieces(ranges))),
        }
    }
    fetches
}

/// One request for the file: some playlist line wants all of it.
fn whole(first: &Need, needs: &[Need]) -> Fetch {
    let at = needs.iter().map(|need| need.at).min().unwrap_or(first.at);
    let about = needs.iter().filter_map(Need::expected).max();
    Fetch {
        resource: first.resource,
        start: 0,
        length: Length::About(about.unwrap_or(0)),
        extent: Extent::Whole,
        at_millis: at,
    }
}

/// A run of bytes that are needed at the same time.
#[derive(Debug, Clone, Copy)]
struct Piece {
    resource: u32,
    start: u64,
    end: u64,
    at: u64,
    until: u64,
}

/// Cuts ranges that overlap, so that each byte is in one piece, with the first time it is needed at.
fn pieces(ranges: &[Need]) -> Vec<Piece> {
    let mut bounds: Vec<u64> = ranges.iter().filter_map(Need::range).flat_map(<[u64; 2]>::from).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut coming = ranges.iter().filter_map(|need| need.range().map(|range| (range, need))).peekable();
    let mut active = BinaryHeap::new();
    let mut pieces = Vec::with_capacity(ranges.len());
    for (start, end) in bounds.iter().copied().zip(bounds.iter().copied().skip(1)) {
        while let Some(((_, its_end), need)) = coming.next_if(|((its_start, _), _)| *its_start <= start) {
            let until = need.at.saturating_add(need.span.into());
            active.push(Reverse((need.at, until, its_end, need.resource)));
        }
        while active.peek().is_some_and(|Reverse((_, _, its_end, _))| *its_end <= start) {
            active.pop();
        }
        if let Some(Reverse((at, until, _, resource))) = active.peek().copied() {
            pieces.push(Piece { resource, start, end, at, until });
        }
    }
    pieces
}

/// Merges neighbours, and splits what is too long.
fn merged(pieces: &[Piece]) -> Vec<Fetch> {
    let mut fetches = Vec::new();
    let mut current: Option<Piece> = None;
    for piece in pieces {
        match current.and_then(|run| join(run, piece)) {
            Some(longer) => current = Some(longer),
            None => {
                fetches.extend(current.into_iter().flat_map(split));
                current = Some(*piece);
            }
        }
    }
    fetches.extend(current.into_iter().flat_map(split));
    fetches
}

fn join(run: Piece, next: &Piece) -> Option<Piece> {
    let (at, until) = (run.at.min(next.at), run.until.max(next.until));
    let fits = run.end == next.start && next.end - run.start <= LONGEST && until - at <= LONGEST_MILLIS;
    fits.then_some(Piece { end: next.end, at, until, ..run })
}

fn split(run: Piece) -> impl Iterator<Item = Fetch> {
    let count = (run.end - run.start).div_ceil(LONGEST);
    (0..count).map(move |n| {
        let start = run.start + n * LONGEST;
        Fetch {
            resource: run.resource,
            start,
            length: Length::Exact((run.end - start).min(LONGEST)),
            extent: Extent::Range,
            at_millis: run.at,
        }
    })
}

#[cfg(test)]
mod tests;
