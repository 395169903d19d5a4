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
    use std::num::NonZeroU16;

    use dtg_testkit::{Body, Origin, Request, Response};

    use super::super::memory::MemoryDisk;
    use super::*;
    use crate::{BitRate, ContentManager, Device, ItemId, ItemState};

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

    #[test]
    fn an_item_that_ran_out_of_room_goes_on_by_itself_and_fetches_nothing_twice() {
        const PARTS: usize = 9;
        const EACH: usize = 8 << 20;
        let line = |n| format!("#EXTINF:30,\n#EXT-X-BYTERANGE:{EACH}@{}\nall.ts\n", n * EACH);
        let lines: String = (0..PARTS).map(line).collect();
        let list = format!("#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:30\n{lines}#EXT-X-ENDLIST\n");
        let origin = Origin::start(move |request: &Request| match request.path() {
            "/item.m3u8" => Response::ok(list.clone()),
            _ => {
                let length = u64::try_from(PARTS * EACH).unwrap();
                Response::ok(Body::made(length, |_, bytes| bytes.fill(7))).etag("1")
            }
        })
        .unwrap();
        let disk = MemoryDisk::with_capacity(1 << 30);
        let id = ItemId::new("x").unwrap();
        let one = NonZeroU16::MIN;
        let manager = ContentManager::builder("/root").connections(one).disk(&disk).open().unwrap();
        manager.add_item(&id, &origin.url("/item.m3u8")).unwrap();
        manager.load_item_metadata(&id, BitRate(1)).unwrap();
        // With the last byte of the eighth part the room is looked at.
        let eighth = format!("bytes={}-", 7 * EACH);
        let hold = origin.hold_body(u64::try_from(EACH - 1).unwrap(), move |request| {
            request.header("range").is_some_and(|range| range.starts_with(&eighth))
        });
        manager.start_item(&id).unwrap();
        hold.wait_for(1);
        disk.set_capacity(150 << 20);
        drop(hold);
        let item = manager.wait(&id).unwrap();
        let code = item.failure.map(|failure| failure.code);
        assert_eq!((item.state, code.as_deref()), (ItemState::Interrupted, Some("no-space")));
        disk.set_capacity(1 << 30);
        manager.set_device(Device::default()).unwrap();
        let item = manager.wait(&id).unwrap();
        assert_eq!((item.state, item.failure), (ItemState::Completed, None));
        let asked = origin.requests();
        let ranges: Vec<_> = asked.iter().filter_map(|it| Some((it.header("range")?, it.status))).collect();
        assert_eq!(ranges.len(), PARTS, "{ranges:?}");
        assert!(ranges.iter().all(|(_, status)| *status == Some(206)), "{ranges:?}");
    }
}
