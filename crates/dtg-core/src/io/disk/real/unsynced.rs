//! Where no call makes a whole volume durable: the files that were opened since the last sync.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

/// Paths whose content or name may not be durable.
#[derive(Debug, Default)]
pub(super) struct Unsynced(Mutex<BTreeSet<Utf8PathBuf>>);

impl Unsynced {
    pub(super) fn add(&self, path: &Utf8Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }

    /// Syncs each file, then each folder between it and the root. After a fault all are kept for the next try.
    pub(super) fn sync(&self, root: &Utf8Path) -> io::Result<()> {
        let files = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let synced = sync_all(&files, root);
        if synced.is_err() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
        }
        synced
    }
}

fn sync_all(files: &BTreeSet<Utf8PathBuf>, root: &Utf8Path) -> io::Result<()> {
    for file in files {
        match File::options().write(true).open(file) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let above = |file: &Utf8PathBuf| {
        file.ancestors()
            .skip(1)
            .take_while(|it| it.starts_with(root))
            .map(Utf8Path::to_owned)
            .collect::<Vec<_>>()
    };
    let folders: BTreeSet<Utf8PathBuf> = files.iter().flat_map(above).collect();
    folders.iter().filter(|folder| folder.is_dir()).try_for_each(|folder| super::sync_folder(folder))
}
