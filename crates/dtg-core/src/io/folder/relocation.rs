//! An item at another address: playlists and plan change together, or not at all.

use super::{ItemFolder, ItemRecord, LARGE};
use crate::io::codec;
use crate::io::disk::StoreError;
use crate::plan::{OriginSet, Plan};

/// A fresh address, the playlists that came from it, and the plan with its places in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relocation {
    pub(crate) url: String,
    pub(crate) origins: OriginSet,
    pub(crate) plan: Plan,
}

impl ItemFolder {
    /// Gives the item that has no plan yet another address.
    pub(crate) fn set_url(&self, url: &str) -> Result<(), StoreError> {
        self.write_record(&ItemRecord { url: url.to_owned(), ..self.record()? })
    }

    /// What the item was planned by.
    pub(crate) fn placed(&self) -> Result<(Plan, OriginSet), StoreError> {
        Ok((self.settled_plan()?, self.origins()?))
    }

    /// The plan as it is after a move that was begun is carried out.
    pub(crate) fn settled_plan(&self) -> Result<Plan, StoreError> {
        self.is_itself()?;
        self.settle_move()?;
        self.stored(self.paths.plan(), LARGE)
    }

    /// Takes over a fresh address: plan and playlists change together, or not at all.
    pub(crate) fn relocate(&self, relocation: &Relocation) -> Result<(), StoreError> {
        let path = self.paths.moved();
        self.disk.write_atomic(&path, &codec::encode(relocation)).map_err(StoreError::at(path))?;
        self.settle_move()
    }

    /// Carries a move out to its end, also one that a process before this one was ended in.
    pub(super) fn settle_move(&self) -> Result<(), StoreError> {
        let path = self.paths.moved();
        if self.disk.len(&path).map_err(StoreError::at(&path))?.is_none() {
            return Ok(());
        }
        let moved: Relocation = self.stored(path.clone(), LARGE)?;
        self.write_origins(&moved.origins)?;
        self.write_record(&ItemRecord { url: moved.url, ..self.record()? })?;
        self.write_plan(&moved.plan)?;
        self.disk.sync(self.root.root()).map_err(StoreError::at(self.root.root()))?;
        self.disk.remove_file(&path).map_err(StoreError::at(path))?;
        self.sync_dir(self.paths.folder())
    }
}
