//! What items take of the disk, and which of them go when a quota is exceeded.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::item::ItemId;

/// Milliseconds since 1970: how moments are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(pub(crate) u64);

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        // Before 1970 is as good as 1970: long ago.
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Moment {
    /// `None` when it is further away than this machine's clock can tell.
    pub(crate) fn time(self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.0))
    }
}

/// How long an item is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Keep {
    /// No quota removes it.
    pub(crate) pinned: bool,
    /// From then on it is the first to go.
    pub(crate) expires_at: Option<Moment>,
}

/// What an item's files take of the disk, to the byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemStorage {
    /// The item.
    pub id: ItemId,
    /// Bytes of all its files: media, playlists, plan and journal.
    pub bytes: u64,
    /// Bytes that the volume gets back when it is removed: whole blocks, and nothing for what other names share.
    pub freed_bytes: u64,
}

/// What a root takes of its volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Each item, in the order they were added.
    pub items: Vec<ItemStorage>,
    /// Bytes of what was removed and is not deleted yet.
    pub trash_bytes: u64,
    /// Bytes that may still be written to the volume.
    pub free_bytes: u64,
    /// What the items' media may take together, if that is limited.
    pub quota: Option<u64>,
    /// What the quota counts: the media that is there, and of items in progress all that they will have.
    pub counted_bytes: u64,
}

/// An item as a quota sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// The item.
    pub id: ItemId,
    /// Bytes of media that it has; while it is downloaded, that it will have.
    pub bytes: u64,
    /// Whether it may go.
    pub tenure: Tenure,
    /// When it is not wanted any more.
    pub expires_at: Option<SystemTime>,
    /// When it was played last, or else completed; `None`: it is not completed.
    pub used_at: Option<SystemTime>,
}

/// Whether a quota may remove an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tenure {
    /// It rests, and may go.
    Resting,
    /// Somebody is at work on it.
    Busy,
    /// The user keeps it.
    Pinned,
}

/// What a quota asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Eviction {
    /// The items that go, in this order: no more than need be.
    pub ids: Vec<ItemId>,
    /// Bytes that are too many all the same.
    pub excess_bytes: u64,
}

/// Which items go so that all the others take at most `quota` bytes. No I/O.
///
/// First those that have expired, the longest expired first; then those that are completed, the least recently used
/// first: used is played, or else completed. What is pinned or at work never goes, and an item that is neither
/// expired nor completed stays: somebody is waiting for it.
#[must_use]
pub fn evictions(items: &[Occupant], quota: u64, now: SystemTime) -> Eviction {
    let total = items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.bytes));
    let mut excess = total.saturating_sub(quota);
    let mut candidates: Vec<(Turn, &Occupant)> =
        items.iter().filter_map(|item| Some((turn(item, now)?, item))).collect();
    candidates.sort_by_key(|(turn, _)| *turn);
    let mut ids = Vec::new();
    for (_, item) in candidates {
        if excess == 0 {
            break;
        }
        excess = excess.saturating_sub(item.bytes);
        ids.push(item.id.clone());
    }
    Eviction { ids, excess_bytes: excess }
}

/// When an item's turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Expired(SystemTime),
    Used(SystemTime),
}

fn turn(item: &Occupant, now: SystemTime) -> Option<Turn> {
    if item.tenure != Tenure::Resting || item.bytes == 0 {
        return None;
    }
    let expired = item.expires_at.filter(|at| *at <= now).map(Turn::Expired);
    expired.or(item.used_at.map(Turn::Used))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// `a:10 used=5`, `b:20 expires=3 pinned`: bytes, then what is known.
    fn occupant(text: &str) -> Occupant {
        let mut words = text.split(' ');
        let (id, bytes) = words.next().unwrap().split_once(':').unwrap();
        let mut item = Occupant {
            id: ItemId::new(id).unwrap(),
            bytes: bytes.parse().unwrap(),
            tenure: Tenure::Resting,
            expires_at: None,
            used_at: None,
        };
        for word in words {
            match word.split_once('=') {
                Some(("used", second)) => item.used_at = Some(at(second.parse().unwrap())),
                Some(("expires", second)) => item.expires_at = Some(at(second.parse().unwrap())),
                _ => item.tenure = if word == "pinned" { Tenure::Pinned } else { Tenure::Busy },
            }
        }
        item
    }

    /// At second 100: who goes, and what is too much all the same.
    #[track_caller]
    fn check(items: &[&str], quota: u64, expected: &str) {
        let items: Vec<Occupant> = items.iter().map(|item| occupant(item)).collect();
        let Eviction { ids, excess_bytes } = evictions(&items, quota, at(100));
        let ids: Vec<&str> = ids.iter().map(ItemId::as_str).collect();
        assert_eq!(format!("{} +{excess_bytes}", ids.join(" ")), expected);
    }

    #[test]
    fn nothing_goes_while_everything_fits() {
        check(&["a:10 used=1", "b:10 expires=1"], 20, " +0");
    }

    #[test]
    fn expired_items_go_first_and_then_the_least_recently_used() {
        let items = ["a:10 used=9", "b:10 used=3", "c:10 used=90 expires=50", "d:10 used=1 expires=99"];
        check(&items, 39, "c +0");
        check(&items, 25, "c d +0");
        check(&items, 19, "c d b +0");
        check(&items, 0, "c d b a +0");
    }

    #[test]
    fn what_has_yet_to_expire_is_as_good_as_any() {
        check(&["a:10 used=5 expires=101", "b:10 used=4"], 10, "b +0");
        check(&["a:10 used=5 expires=100", "b:10 used=4"], 10, "a +0");
    }

    #[test]
    fn pinned_and_busy_items_never_go() {
        check(&["a:10 used=1 pinned", "b:10 used=2 busy", "c:10 used=3"], 5, "c +15");
        check(&["a:10 used=1 expires=1 pinned"], 5, " +5");
    }

    #[test]
    fn an_item_that_is_not_completed_goes_only_when_it_has_expired() {
        check(&["a:10", "b:10 used=1"], 5, "b +5");
        check(&["a:10 expires=1", "b:10 used=1"], 10, "a +0");
    }

    #[test]
    fn nothing_goes_that_gives_nothing_back() {
        check(&["a:0 expires=1", "b:10 used=1"], 5, "b +0");
    }
}
