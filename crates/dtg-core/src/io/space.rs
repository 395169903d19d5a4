//! Sees to it, before and during a download, that what is still to come fits on the volume.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;

use super::disk::Disk;
use crate::error::{Error, ErrorKind};
use crate::requirements::Requirements;

/// The volume is asked each time that so many bytes have arrived.
const EVERY: u64 = 64 << 20;

/// Looks after the free space for one item.
#[derive(Debug)]
pub(crate) struct SpaceGuard {
    disk: Arc<dyn Disk>,
    root: Utf8PathBuf,
    requirements: Requirements,
    arrived: AtomicU64,
}

impl SpaceGuard {
    pub(crate) fn new(disk: Arc<dyn Disk>, root: Utf8PathBuf, requirements: Requirements) -> Self {
        Self { disk, root, requirements, arrived: AtomicU64::new(0) }
    }

    /// An error unless so many bytes, and the reserve, fit.
    pub(crate) fn check(&self, to_come: u64) -> Result<(), Error> {
        let free = self.disk.free_space(&self.root)?;
        match self.requirements.missing_space(to_come, free) {
            Some(needed) => Err(Error::new(ErrorKind::NoSpace { needed, free })),
            None => Ok(()),
        }
    }

    /// Counts bytes that have arrived, and checks now and then.
    pub(crate) fn arrived(&self, bytes: u64, to_come: impl FnOnce() -> u64) -> Result<(), Error> {
        let before = self.arrived.fetch_add(bytes, Ordering::Relaxed);
        let is_time = before / EVERY != before.saturating_add(bytes) / EVERY;
        if is_time { self.check(to_come()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryDisk;
    use super::*;

    #[test]
    fn a_volume_that_fills_up_meanwhile_is_noticed_every_64_mib() {
        let disk = Arc::new(MemoryDisk::with_capacity(1000));
        let guard = SpaceGuard::new(
            Arc::clone(&disk) as Arc<dyn Disk>,
            "/".into(),
            Requirements { reserve_bytes: 200, ..Requirements::default() },
        );
        assert!(guard.check(700).is_ok());
        disk.set_capacity(500);
        assert!(guard.arrived(EVERY - 1, || 700).is_ok(), "not asked yet");
        let error = guard.arrived(1, || 700).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NoSpace { needed: 900, free: 500 }), "{error}");
        assert!(error.interrupts());
        assert!(guard.arrived(EVERY, || 200).is_ok());
    }
}
