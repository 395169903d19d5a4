//! Schema 2, frozen: of a row, with more of why an item stopped; of an item, with what it is kept by; of the origin's
//! playlists, with what they are.

use serde::{Deserialize, Serialize};

use super::{CodecError, Stored, v1, value_of};
use crate::cause::{Remedy, Stage, StoredFailure};
use crate::io::catalog::CatalogRow;
use crate::io::folder::{ItemRecord, OriginIndex, OriginRecord, PlaylistSums, Sum};
use crate::requirements::{NetworkNeed, PowerNeed, Requirements};
use crate::storage::{Keep, Moment};

#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    first: v1::Row,
    /// Of the failure in it.
    cause: Option<Cause>,
    requirements: Option<Needs>,
}

#[derive(Serialize, Deserialize)]
struct Cause {
    stage: Option<String>,
    url: Option<String>,
    attempts: u32,
    remedy: String,
}

#[derive(Serialize, Deserialize)]
struct Needs {
    reserve_bytes: u64,
    unmetered: bool,
    charging: bool,
}

impl From<&StoredFailure> for Cause {
    fn from(failure: &StoredFailure) -> Self {
        Self {
            stage: failure.stage.map(|stage| stage.as_str().to_owned()),
            url: failure.url.clone(),
            attempts: failure.attempts,
            remedy: failure.remedy.as_str().to_owned(),
        }
    }
}

impl From<Requirements> for Needs {
    fn from(it: Requirements) -> Self {
        Self {
            reserve_bytes: it.reserve_bytes,
            unmetered: it.network == NetworkNeed::Unmetered,
            charging: it.power == PowerNeed::Charging,
        }
    }
}

impl From<Needs> for Requirements {
    fn from(it: Needs) -> Self {
        Self {
            reserve_bytes: it.reserve_bytes,
            network: if it.unmetered { NetworkNeed::Unmetered } else { NetworkNeed::Any },
            power: if it.charging { PowerNeed::Charging } else { PowerNeed::Any },
        }
    }
}

impl From<&CatalogRow> for Row {
    fn from(row: &CatalogRow) -> Self {
        let cause = row.failure.as_ref().map(Cause::from);
        Self { first: row.into(), cause, requirements: row.requirements.map(Needs::from) }
    }
}

/// Schema 1 kept no more of a failure than its code, words and status.
impl From<v1::Row> for Row {
    fn from(first: v1::Row) -> Self {
        let cause = first.failure.as_ref().map(|failure| {
            let remedy = if failure.code == "no-space" { Remedy::MakeRoom } else { Remedy::TryAgain };
            Cause { stage: None, url: None, attempts: 0, remedy: remedy.as_str().to_owned() }
        });
        Self { first, cause, requirements: None }
    }
}

impl Row {
    pub(super) fn thaw(self) -> Result<CatalogRow, CodecError> {
        let mut thawed = self.first.thaw()?;
        thawed.requirements = self.requirements.map(Requirements::from);
        if let (Some(failure), Some(cause)) = (&mut thawed.failure, self.cause) {
            let named = |name: &String| Stage::ALL.into_iter().find(|stage| stage.as_str() == name);
            failure.stage = cause.stage.as_ref().and_then(named);
            failure.url = cause.url;
            failure.attempts = cause.attempts;
            let remedy = Remedy::ALL.into_iter().find(|remedy| remedy.as_str() == cause.remedy);
            failure.remedy = remedy.ok_or(CodecError::Value("a remedy"))?;
        }
        Ok(thawed)
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Item {
    first: v1::Item,
    /// Not known of what schema 1 kept.
    generation: Option<u64>,
    requirements: Option<Needs>,
    pinned: bool,
    /// Milliseconds since 1970.
    expires_at: Option<u64>,
}

impl From<v1::Item> for Item {
    fn from(first: v1::Item) -> Self {
        Self { first, generation: None, requirements: None, pinned: false, expires_at: None }
    }
}

impl Stored for ItemRecord {
    const KIND: u16 = 1;
    const SCHEMA: u16 = 2;
    type Frozen = Item;

    fn freeze(&self) -> Item {
        Item {
            first: self.into(),
            generation: self.generation,
            requirements: self.requirements.map(Needs::from),
            pinned: self.keep.pinned,
            expires_at: self.keep.expires_at.map(|at| at.0),
        }
    }

    fn thaw(item: Item) -> Result<Self, CodecError> {
        Ok(Self {
            generation: item.generation,
            requirements: item.requirements.map(Requirements::from),
            keep: Keep { pinned: item.pinned, expires_at: item.expires_at.map(Moment) },
            ..item.first.thaw()?
        })
    }

    fn thaw_earlier(_schema: u16, payload: &[u8]) -> Result<Self, CodecError> {
        Self::thaw(value_of::<v1::Item>(payload)?.into())
    }
}

/// Length and XXH3-128 of a file.
type FileSum = (u64, u128);

/// Final URL and, if it is known, what the text is: the entry's first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Origins(Vec<(String, Option<FileSum>)>);

impl From<v1::Origins> for Origins {
    fn from(first: v1::Origins) -> Self {
        Self(first.0.into_iter().map(|url| (url, None)).collect())
    }
}

impl Stored for OriginIndex {
    const KIND: u16 = 3;
    const SCHEMA: u16 = 2;
    type Frozen = Origins;

    fn freeze(&self) -> Origins {
        let frozen = |it: &OriginRecord| (it.url.clone(), it.sum.map(|sum| (sum.length, sum.hash)));
        Origins(self.0.iter().map(frozen).collect())
    }

    fn thaw(origins: Origins) -> Result<Self, CodecError> {
        let sum = |(length, hash)| Sum { length, hash };
        let thawed = |(url, it): (_, Option<FileSum>)| OriginRecord { url, sum: it.map(sum) };
        Ok(Self(origins.0.into_iter().map(thawed).collect()))
    }

    fn thaw_earlier(_schema: u16, payload: &[u8]) -> Result<Self, CodecError> {
        Self::thaw(value_of::<v1::Origins>(payload)?.into())
    }
}

/// Each local playlist by its path in the media folder: new in this schema.
#[derive(Serialize, Deserialize)]
pub(crate) struct Playlists(Vec<(String, FileSum)>);

impl Stored for PlaylistSums {
    const KIND: u16 = 6;
    type Frozen = Playlists;

    fn freeze(&self) -> Playlists {
        Playlists(self.0.iter().map(|(path, sum)| (path.to_string(), (sum.length, sum.hash))).collect())
    }

    fn thaw(playlists: Playlists) -> Result<Self, CodecError> {
        let thawed = playlists.0.into_iter().map(|(path, (length, hash))| {
            let path = camino::Utf8PathBuf::from(path);
            let is_inside = path.components().all(|it| matches!(it, camino::Utf8Component::Normal(_)));
            if is_inside {
                Ok((path, Sum { length, hash }))
            } else {
                Err(CodecError::Value("a playlist's path"))
            }
        });
        Ok(Self(thawed.collect::<Result<_, _>>()?))
    }
}
