//! A row and its folder are held against each other when the item is first asked for or listed: the folder wins.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use super::Desk;
use crate::error::Error;
use crate::io::catalog::{CatalogRow, fitted};
use crate::item::ItemId;

impl Desk {
    pub(super) fn settled(&self) -> MutexGuard<'_, HashSet<ItemId>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An item's row, which fits its folder.
    pub(super) fn row(&self, id: &ItemId) -> Result<CatalogRow, Error> {
        self.fitting(self.known(id)?)
    }

    /// The rows as their folders have them; one whose folder can't be understood stays, and its own command says why.
    pub(super) fn all_fitting(&self, rows: Vec<CatalogRow>) -> Vec<CatalogRow> {
        rows.into_iter().map(|row| self.fitting(row.clone()).unwrap_or(row)).collect()
    }

    fn fitting(&self, row: CatalogRow) -> Result<CatalogRow, Error> {
        // Once is enough: nobody else writes while this manager has the root.
        if self.settled().contains(&row.id) {
            return Ok(row);
        }
        let folder = self.folder(&row);
        let row = match fitted(&row, &folder)? {
            Some(fitted) => {
                let is_told = fitted.state != row.state;
                self.catalog.put(&fitted)?;
                if is_told {
                    self.tell(&fitted, None);
                }
                fitted
            }
            None => {
                folder.restore_record(&row.record())?;
                row
            }
        };
        self.settled().insert(row.id.clone());
        Ok(row)
    }
}
