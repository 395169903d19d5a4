//! What the fuzz targets reach of the inside; no part of the API.

use std::fmt::Debug;

use crate::io::catalog::CatalogRow;
use crate::io::codec::{self, Stored};
use crate::io::fetch;
use crate::io::folder::{ItemRecord, OriginIndex, PlaylistSums};
use crate::io::journal;
use crate::plan::{FetchId, Plan};

/// A kind of record that has a file or a row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What an item's folder says of the item.
    Item,
    /// What the catalog says of it.
    Row,
    /// The URLs of its playlists.
    Origins,
    /// Its plan.
    Plan,
    /// What its local playlists are.
    Playlists,
}

/// Takes the bytes for a record, then for the payload of a sound one.
pub fn check_record(kind: Kind, bytes: &[u8]) {
    match kind {
        Kind::Item => check::<ItemRecord>(bytes),
        Kind::Row => check::<CatalogRow>(bytes),
        Kind::Origins => check::<OriginIndex>(bytes),
        Kind::Plan => check::<Plan>(bytes),
        Kind::Playlists => check::<PlaylistSums>(bytes),
    }
}

fn check<T: Stored + PartialEq + Debug>(bytes: &[u8]) {
    for record in [bytes, &codec::seal::<T>(bytes)] {
        if let Ok(value) = codec::decode::<T>(record) {
            assert_eq!(codec::decode(&codec::encode(&value)), Ok(value));
        }
    }
}

/// Takes the bytes for a journal, then for what one that is sound is made of: kind, length and payload of
/// each record.
pub fn check_journal(bytes: &[u8]) {
    check_replay(bytes);
    let mut journal = journal::HEADER.to_vec();
    let mut rest = bytes;
    while let [kind, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        let start = journal.len();
        codec::seal_record(*kind, payload, &mut journal);
        check_journal_record(journal.get(start..).unwrap_or_default());
        rest = after;
    }
    check_replay(&journal);
}

fn check_journal_record(bytes: &[u8]) {
    if let Ok((record, length)) = codec::decode_record(bytes) {
        assert_eq!(length, bytes.len());
        let Some(record) = record else { return };
        let mut again = Vec::new();
        codec::encode_record(&record, &mut again);
        assert_eq!(codec::decode_record(&again), Ok((Some(record), again.len())));
    }
}

/// What is cut off a journal because it is not sound changes nothing that it says.
fn check_replay(bytes: &[u8]) {
    let resource_of = |fetch: FetchId| Some(fetch.0 / 2);
    let Ok((replay, position)) = journal::understand(bytes, resource_of) else { return };
    let sound = usize::try_from(position).ok().and_then(|end| bytes.get(..end));
    let sound = sound.expect("the sound part is a part");
    assert_eq!(journal::understand(sound, resource_of), Ok((replay, position)));
}

/// First byte, last byte and total of a `Content-Range`.
#[must_use]
pub fn content_range(value: &str) -> Option<(u64, u64, Option<u64>)> {
    fetch::judge::content_range(value)
}
