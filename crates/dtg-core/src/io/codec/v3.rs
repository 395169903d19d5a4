//! Schema 3 of a row, frozen: what schema 2 has, how long the item is wanted, and when it was used.

use serde::{Deserialize, Serialize};

use super::{CodecError, Stored, v1, v2, value_of};
use crate::io::catalog::CatalogRow;
use crate::storage::{Keep, Moment};

/// Moments are milliseconds since 1970.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    second: v2::Row,
    pinned: bool,
    expires_at: Option<u64>,
    completed_at: Option<u64>,
    played_at: Option<u64>,
}

impl From<v2::Row> for Row {
    fn from(second: v2::Row) -> Self {
        Self { second, pinned: false, expires_at: None, completed_at: None, played_at: None }
    }
}

impl Stored for CatalogRow {
    const KIND: u16 = 2;
    const SCHEMA: u16 = 3;
    type Frozen = Row;

    fn freeze(&self) -> Row {
        let millis = |moment: Moment| moment.0;
        Row {
            second: self.into(),
            pinned: self.keep.pinned,
            expires_at: self.keep.expires_at.map(millis),
            completed_at: self.completed_at.map(millis),
            played_at: self.played_at.map(millis),
        }
    }

    fn thaw(row: Row) -> Result<Self, CodecError> {
        Ok(Self {
            keep: Keep { pinned: row.pinned, expires_at: row.expires_at.map(Moment) },
            completed_at: row.completed_at.map(Moment),
            played_at: row.played_at.map(Moment),
            ..row.second.thaw()?
        })
    }

    fn thaw_earlier(schema: u16, payload: &[u8]) -> Result<Self, CodecError> {
        let second = match schema {
            1 => value_of::<v1::Row>(payload)?.into(),
            _ => value_of::<v2::Row>(payload)?,
        };
        Self::thaw(second.into())
    }
}
