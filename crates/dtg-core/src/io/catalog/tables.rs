//! The catalog's tables, and what keeps them in step.

use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _, Table, TableDefinition,
    TableError,
};

use super::{CatalogRow, fault};
use crate::io::codec::{self, state_number};
use crate::io::disk::StoreError;
use crate::state::ItemState;

/// Id to order of adding and row.
pub(super) const ITEMS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("items");
/// State and order of adding to id: an index over [`ITEMS`], made anew where an early version had none.
pub(super) const BY_STATE: TableDefinition<'_, (u8, u64), &str> = TableDefinition::new("by-state");
/// Numbers that hold for all items.
pub(super) const SETTINGS: TableDefinition<'_, &str, u64> = TableDefinition::new("settings");
/// In [`SETTINGS`]: how many bytes all media may take.
pub(super) const QUOTA: &str = "quota";

/// What rows said of the bytes of their media, together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// Before they were replaced or removed; `None` when one of them can't be read.
    pub(super) before: Option<u64>,
    pub(super) after: u64,
}

impl Change {
    /// The bytes of all media after it, where they were `known` before.
    pub(super) fn on(self, known: u64) -> Option<u64> {
        self.before.map(|before| known.saturating_sub(before).saturating_add(self.after))
    }
}

/// Writes and removes rows in one durable transaction.
pub(super) fn change(
    database: &Database,
    put: &[&CatalogRow],
    removed: &[&str],
) -> Result<Change, StoreError> {
    let after = put.iter().fold(0, |sum: u64, row| sum.saturating_add(row.downloaded_bytes));
    let mut change = Change { before: Some(0), after };
    let mut transaction = database.begin_write().map_err(fault)?;
    // Opening stays fast after an unclean end.
    transaction.set_quick_repair(true);
    {
        let mut items = transaction.open_table(ITEMS).map_err(fault)?;
        let mut by_state = transaction.open_table(BY_STATE).map_err(fault)?;
        for row in put {
            let bytes = codec::encode(*row);
            let old = items.insert(row.id.as_str(), (row.order, bytes.as_slice())).map_err(fault)?;
            let place = (state_number(row.state), row.order);
            if let Some(old) = old {
                let (order, bytes) = old.value();
                let media = forget(&mut by_state, order, bytes)?;
                change.before = change.before.zip(media).map(|(sum, media)| sum.saturating_add(media));
            }
            by_state.insert(place, row.id.as_str()).map_err(fault)?;
        }
        for id in removed {
            if let Some(old) = items.remove(id).map_err(fault)? {
                let (order, bytes) = old.value();
                let media = forget(&mut by_state, order, bytes)?;
                change.before = change.before.zip(media).map(|(sum, media)| sum.saturating_add(media));
            }
        }
    }
    transaction.commit().map_err(fault)?;
    Ok(change)
}

/// Takes a row's earlier place out of the index, and answers the bytes of its media; the place of a row that can't be
/// read is any.
fn forget(
    by_state: &mut Table<'_, (u8, u64), &str>,
    order: u64,
    bytes: &[u8],
) -> Result<Option<u64>, StoreError> {
    let (states, media) = match codec::decode::<CatalogRow>(bytes) {
        Ok(row) => (vec![row.state], Some(row.downloaded_bytes)),
        Err(_) => (ItemState::ALL.to_vec(), None),
    };
    for state in states {
        by_state.remove((state_number(state), order)).map_err(fault)?;
    }
    Ok(media)
}

/// Makes the index anew where it has not one entry for each row.
pub(super) fn ensure_index(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_read().map_err(fault)?;
    let items = match transaction.open_table(ITEMS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        opened => opened.map_err(fault)?,
    };
    let indexed = match transaction.open_table(BY_STATE) {
        Err(TableError::TableDoesNotExist(_)) => 0,
        opened => opened.map_err(fault)?.len().map_err(fault)?,
    };
    if items.len().map_err(fault)? == indexed {
        return Ok(());
    }
    drop((items, transaction));
    let mut transaction = database.begin_write().map_err(fault)?;
    transaction.set_quick_repair(true);
    transaction.delete_table(BY_STATE).map_err(fault)?;
    {
        let items = transaction.open_table(ITEMS).map_err(fault)?;
        let mut by_state = transaction.open_table(BY_STATE).map_err(fault)?;
        for entry in items.iter().map_err(fault)? {
            let (id, value) = entry.map_err(fault)?;
            let (order, bytes) = value.value();
            // A row that can't be read is made anew from its folder, and comes in then.
            if let Ok(row) = codec::decode::<CatalogRow>(bytes) {
                by_state.insert((state_number(row.state), order), id.value()).map_err(fault)?;
            }
        }
    }
    transaction.commit().map_err(fault)
}

/// Sets or takes away a number that holds for all items, durably.
pub(super) fn set(database: &Database, name: &str, number: Option<u64>) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(fault)?;
    transaction.set_quick_repair(true);
    {
        let mut settings = transaction.open_table(SETTINGS).map_err(fault)?;
        match number {
            Some(number) => settings.insert(name, number).map_err(fault)?,
            None => settings.remove(name).map_err(fault)?,
        };
    }
    transaction.commit().map_err(fault)
}
