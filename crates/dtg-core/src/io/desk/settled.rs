//! A row and its folder are held against each other when the item is first asked for or listed: the folder wins.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use super::Desk;
use crate::error::Error;
use crate::io::catalog::{CatalogRow, Fit, fitted};
use crate::item::ItemId;

impl Desk {
    pub(super) fn settled(&self) -> MutexGuard<'_, HashSet<ItemId>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An item's row, which fits its folder.
    pub(super) fn row(&self, id: &ItemId) -> Result<CatalogRow, Error> {
        let row = self.known(id)?;
        Ok(self.settle(&row)?.unwrap_or(row))
    }

    /// The rows as their folders have them; one whose folder can't be understood stays, and its own command says why.
    pub(super) fn all_fitting(&self, rows: Vec<CatalogRow>) -> Vec<CatalogRow> {
        rows.into_iter().map(|row| self.settle(&row).ok().flatten().unwrap_or(row)).collect()
    }

    /// Holds a row against its folder, the first time; answers the row where it is another one now.
    fn settle(&self, row: &CatalogRow) -> Result<Option<CatalogRow>, Error> {
        // Once is enough: nobody else writes while this manager has the root.
        if self.settled().contains(&row.id) {
            return Ok(None);
        }
        let folder = self.folder(row);
        let anew = match fitted(row, &folder)? {
            Fit::Right => None,
            Fit::Anew(anew) => {
                self.catalog.put(&anew)?;
                if anew.state != row.state {
                    self.tell(&anew, None);
                }
                Some(*anew)
            }
            Fit::Unknown => {
                folder.restore_record(&row.record())?;
                None
            }
        };
        self.settled().insert(row.id.clone());
        Ok(anew)
    }
}
