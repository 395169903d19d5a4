//! What was thrown away, until it is deleted.

use std::sync::Arc;
use std::thread;

use crate::io::disk::Disk;
use crate::layout::RootPaths;

/// Deletes in the background what was thrown away, also by a process that ended before it could.
pub(crate) fn empty_trash(disk: &Arc<dyn Disk>, root: &RootPaths) {
    let (disk, trash) = (Arc::clone(disk), root.trash());
    let emptied = thread::Builder::new().name("dtg-trash".into()).spawn(move || {
        for name in disk.list(&trash).unwrap_or_default() {
            if let Err(error) = disk.remove_dir_all(&trash.join(name)) {
                tracing::debug!(%error, "the trash is emptied at the next start");
            }
        }
    });
    if let Err(error) = emptied {
        tracing::debug!(%error, "the trash is emptied at the next start");
    }
}
