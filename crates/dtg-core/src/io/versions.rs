//! Which version of each remote file was seen, and what of it is there.
//!
//! All parts of a file come from one version of it: parts that came by different requests are put together
//! only under a strong validator. A file without one comes in one piece, by one request at a time.

use std::collections::{HashMap, HashSet};

use twox_hash::XxHash3_128;

use super::fetch::judge::content_range;
use super::http::{Answer, Framing};
use super::journal::Unfinished;
use crate::plan::{Extent, FetchId, Plan};

/// A file that was started over so often comes in one piece: servers that share an address may each call the
/// same file another version.
const RESTARTS: u32 = 2;

/// Which version of a remote file was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// A strong validator.
    pub(crate) validator: Option<String>,
    /// The file's length.
    pub(crate) total: Option<u64>,
}

impl Version {
    pub(crate) fn of(answer: &Answer) -> Self {
        let total = match (answer.status, answer.framing) {
            (206, _) => {
                answer.content_range.as_deref().and_then(content_range).and_then(|(_, _, total)| total)
            }
            (_, Framing::Length(length)) => Some(length),
            (_, Framing::Marked | Framing::Unknown) => None,
        };
        Self { validator: answer.validator.clone(), total }
    }

    /// Whether an answer comes from another version than this one.
    pub(crate) fn is_another(&self, answer: &Answer) -> bool {
        self.differs(&Self::of(answer))
    }

    fn differs(&self, other: &Self) -> bool {
        let unequal = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        unequal(&self.validator, &other.validator)
            || matches!((self.total, other.total), (Some(a), Some(b)) if a != b)
    }
}

/// Counts how often a file was started over: what began in an earlier epoch is of another version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Epoch(u32);

/// The first bytes of a fetch that broke off, under a strong validator.
#[derive(Debug, Clone)]
pub(crate) struct Partial {
    pub(crate) length: u64,
    pub(crate) validator: String,
    pub(crate) hash: Hashed,
}

/// The hash of a partial fetch's bytes.
#[derive(Clone)]
pub(crate) enum Hashed {
    /// They were written by this run.
    Running(Box<XxHash3_128>),
    /// As the journal says: to be believed when the file's bytes agree.
    Claimed(u128),
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Running(_)) { "Running" } else { "Claimed" })
    }
}

impl From<Unfinished> for Partial {
    fn from(unfinished: Unfinished) -> Self {
        let Unfinished { length, hash, validator } = unfinished;
        Self { length, validator, hash: Hashed::Claimed(hash) }
    }
}

/// Whether a fetch may go ahead where its file comes in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its file's parts may come by requests of their own.
    Apart,
    /// Its file comes in one piece, and nobody is at it.
    OnePiece,
    /// Its file comes in one piece, and other requests are at it.
    Busy,
}

/// What a file that is started over loses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The fetches that were recorded as done.
    pub(crate) recorded: Vec<FetchId>,
    /// Bytes of fetches that broke off.
    pub(crate) partial_bytes: u64,
}

/// The versions of a run's files whose parts come one by one, and what of them is there.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    known: HashMap<u32, Version>,
    /// How often a file was started over in this run.
    restarts: HashMap<u32, u32>,
    /// The fetches of each file that has several.
    siblings: HashMap<u32, Vec<FetchId>>,
    /// Of those, the ones that are recorded as done.
    recorded: HashSet<FetchId>,
    /// Files that come in one piece; whether a request is at it.
    one_piece: HashMap<u32, bool>,
    /// How many requests are each at a part of a file.
    apart: HashMap<u32, u32>,
    partials: HashMap<FetchId, Partial>,
}

impl Versions {
    /// What a journal said of a plan's files.
    pub(crate) fn new(
        plan: &Plan,
        known: HashMap<u32, Version>,
        done: impl Iterator<Item = FetchId>,
        unfinished: impl Iterator<Item = (FetchId, Unfinished)>,
    ) -> Self {
        let siblings = siblings(plan);
        let recorded = done.filter(|fetch| has_siblings(plan, &siblings, *fetch)).collect();
        let partials = unfinished.map(|(fetch, it)| (fetch, it.into())).collect();
        Self { known, siblings, recorded, partials, ..Self::default() }
    }

    /// Bytes of fetches that broke off.
    pub(crate) fn partial_bytes(&self) -> u64 {
        self.partials.values().fold(0, |sum, partial| sum.saturating_add(partial.length))
    }

    pub(crate) fn known(&self, resource: u32) -> Option<&Version> {
        self.known.get(&resource)
    }

    /// Takes a version in: whether it is the first of its file; `None` when it is another than before.
    pub(crate) fn note(&mut self, resource: u32, seen: Version) -> Option<bool> {
        match self.known.get(&resource) {
            Some(known) => (!known.differs(&seen)).then_some(false),
            None => {
                self.known.insert(resource, seen);
                Some(true)
            }
        }
    }

    pub(crate) fn epoch(&self, resource: u32) -> Epoch {
        Epoch(self.restarts.get(&resource).copied().unwrap_or(0))
    }

    /// Forgets all of a file; answers what is lost by it.
    pub(crate) fn restart(&mut self, resource: u32, fetches: &[FetchId]) -> Lost {
        self.known.remove(&resource);
        let restarts = self.restarts.entry(resource).or_default();
        *restarts += 1;
        if *restarts >= RESTARTS && self.is_split(resource) {
            self.one_piece.entry(resource).or_default();
        }
        let recorded = fetches.iter().copied().filter(|fetch| self.recorded.remove(fetch)).collect();
        let partial_bytes =
            fetches.iter().fold(0, |sum: u64, fetch| sum.saturating_add(self.drop_partial(*fetch)));
        Lost { recorded, partial_bytes }
    }

    /// Whether the file has other fetches, so that this one's bytes must agree with theirs.
    pub(crate) fn is_split(&self, resource: u32) -> bool {
        self.siblings.contains_key(&resource)
    }

    /// The fetches of a split file; empty for any other.
    pub(crate) fn siblings(&self, resource: u32) -> &[FetchId] {
        self.siblings.get(&resource).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_recorded(&self, fetch: FetchId) -> bool {
        self.recorded.contains(&fetch)
    }

    /// Takes a fetch as recorded.
    pub(crate) fn recorded(&mut self, resource: u32, fetch: FetchId) {
        self.partials.remove(&fetch);
        if self.is_split(resource) {
            self.recorded.insert(fetch);
        }
    }

    pub(crate) fn way(&self, resource: u32) -> Way {
        match self.one_piece.get(&resource) {
            None => Way::Apart,
            Some(false) if !self.apart.contains_key(&resource) => Way::OnePiece,
            Some(_) => Way::Busy,
        }
    }

    /// A request sets out for a part of the file, where it may; see [`Versions::back`].
    pub(crate) fn set_out(&mut self, resource: u32) -> Way {
        let way = self.way(resource);
        if way == Way::Apart {
            *self.apart.entry(resource).or_default() += 1;
        }
        way
    }

    /// The request for a part of the file is over.
    pub(crate) fn back(&mut self, resource: u32) {
        let left = self.apart.remove(&resource).map_or(0, |count| count.saturating_sub(1));
        if left > 0 {
            self.apart.insert(resource, left);
        }
    }

    /// Makes the file one that comes in one piece, by the caller's request. `false`: not while other requests are
    /// at it, whose bytes may be of another version.
    pub(crate) fn claim(&mut self, resource: u32) -> bool {
        self.one_piece.entry(resource).or_default();
        let is_free = self.way(resource) == Way::OnePiece;
        if is_free {
            self.one_piece.insert(resource, true);
        }
        is_free
    }

    /// The claim's request is over.
    pub(crate) fn release(&mut self, resource: u32) {
        self.one_piece.insert(resource, false);
    }

    pub(crate) fn partial(&self, fetch: FetchId) -> Option<&Partial> {
        self.partials.get(&fetch)
    }

    pub(crate) fn set_partial(&mut self, fetch: FetchId, partial: Partial) {
        self.partials.insert(fetch, partial);
    }

    pub(crate) fn drop_partial(&mut self, fetch: FetchId) -> u64 {
        self.partials.remove(&fetch).map_or(0, |partial| partial.length)
    }
}

/// The fetches of each file that has several, by position.
fn siblings(plan: &Plan) -> HashMap<u32, Vec<FetchId>> {
    let mut all: HashMap<u32, Vec<FetchId>> = HashMap::new();
    let ids = (0..).map(FetchId);
    for (id, fetch) in ids.zip(&plan.fetches).filter(|(_, fetch)| fetch.extent == Extent::Range) {
        all.entry(fetch.resource).or_default().push(id);
    }
    all.retain(|_, fetches| fetches.len() > 1);
    let start = |id: &FetchId| fetch_of(plan, *id).map_or(0, |fetch| fetch.start);
    all.values_mut().for_each(|fetches| fetches.sort_by_key(start));
    all
}

fn has_siblings(plan: &Plan, siblings: &HashMap<u32, Vec<FetchId>>, id: FetchId) -> bool {
    fetch_of(plan, id).is_some_and(|fetch| siblings.contains_key(&fetch.resource))
}

fn fetch_of(plan: &Plan, id: FetchId) -> Option<&crate::plan::Fetch> {
    plan.fetches.get(usize::try_from(id.0).ok()?)
}

/// The files of which some parts are there and others not, and nothing could show that the others are of
/// the same version: what is there can't be gone on with.
pub(crate) fn unproven(
    plan: &Plan,
    known: &HashMap<u32, Version>,
    is_done: impl Fn(FetchId) -> bool,
) -> Vec<u32> {
    let is_proven = |resource| known.get(&resource).is_some_and(|version| version.validator.is_some());
    let mut torn: Vec<u32> = siblings(plan)
        .into_iter()
        .filter(|(resource, fetches)| {
            let done = fetches.iter().filter(|fetch| is_done(**fetch)).count();
            !is_proven(*resource) && done > 0 && done < fetches.len()
        })
        .map(|(resource, _)| resource)
        .collect();
    torn.sort_unstable();
    torn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_where_both_say_something_else() {
        let version =
            |validator: Option<&str>, total| Version { validator: validator.map(str::to_owned), total };
        assert!(version(Some("\"a\""), None).differs(&version(Some("\"b\""), None)));
        assert!(version(None, Some(1)).differs(&version(None, Some(2))));
        assert!(!version(Some("\"a\""), Some(1)).differs(&version(None, None)));
        assert!(!version(Some("\"a\""), Some(1)).differs(&version(Some("\"a\""), Some(1))));
    }

    #[test]
    fn a_file_that_is_started_over_loses_each_recorded_fetch_once() {
        let mut versions = Versions::default();
        let fetches = [FetchId(0), FetchId(1), FetchId(2)];
        versions.siblings.insert(7, fetches.to_vec());
        versions.recorded(7, FetchId(0));
        versions.recorded(7, FetchId(0));
        let validator = "\"a\"".to_owned();
        versions.set_partial(FetchId(1), Partial { length: 10, validator, hash: Hashed::Claimed(0) });
        let lost = Lost { recorded: vec![FetchId(0)], partial_bytes: 10 };
        assert_eq!(versions.restart(7, &fetches), lost);
        assert_eq!(versions.restart(7, &fetches), Lost::default());
    }

    #[test]
    fn one_request_at_a_time_brings_a_file_in_one_piece() {
        let mut versions = Versions::default();
        assert_eq!(versions.way(1), Way::Apart);
        assert!(versions.claim(1));
        assert!(!versions.claim(1));
        assert_eq!((versions.way(1), versions.way(2)), (Way::Busy, Way::Apart));
        versions.release(1);
        assert_eq!(versions.way(1), Way::OnePiece);
        assert!(versions.claim(1));
    }

    #[test]
    fn a_file_comes_in_one_piece_once_the_requests_for_its_parts_are_over() {
        let mut versions = Versions::default();
        assert_eq!((versions.set_out(1), versions.set_out(1)), (Way::Apart, Way::Apart));
        assert!(!versions.claim(1));
        assert_eq!(versions.set_out(1), Way::Busy);
        versions.back(1);
        assert!(!versions.claim(1));
        versions.back(1);
        assert_eq!(versions.set_out(1), Way::OnePiece);
        assert!(versions.claim(1));
    }
}
