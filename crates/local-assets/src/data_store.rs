//! Where keys are kept: a folder on disk, what the application has, or nowhere.

mod dir;
mod disk; // the only file that touches it
mod file; // a record as a file

use std::sync::Arc;

use camino::Utf8PathBuf;
use fairplay_keys::{KeyStore, NoStore, StoreError};

pub use dir::FolderStore;

/// Where a manager keeps keys.
#[derive(Debug, Clone)]
pub enum DataStore {
    /// In this folder, which is made for it; nobody else may read it.
    Folder(Utf8PathBuf),
    /// Where the application keeps them.
    Given(Arc<dyn KeyStore>),
    /// Nowhere: protected assets cannot be registered.
    None,
}

impl DataStore {
    pub(crate) fn open(self) -> Result<Arc<dyn KeyStore>, StoreError> {
        Ok(match self {
            Self::Folder(folder) => Arc::new(FolderStore::open(&folder)?),
            Self::Given(store) => store,
            Self::None => Arc::new(NoStore),
        })
    }
}
