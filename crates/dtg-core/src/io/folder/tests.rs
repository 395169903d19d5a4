//! What a folder tells after it was stored, downloaded into, damaged or thrown away.

use std::time::{Duration, Instant};

use hls_parse::Span;
use twox_hash::XxHash3_128;

use super::*;
use crate::estimate::Estimate;
use crate::io::journal::Record;
use crate::io::memory::MemoryDisk;
use crate::item::TrackKind;
use crate::plan::{
    Extension, Extent, Fetch, FetchId, Length, LocalPlaylist, Master, Origin, OriginSet, Planned,
    PlannedPlaylist, Resource, Role, UriRef,
};

const ROOT: &str = "/store";

fn disk() -> Arc<MemoryDisk> {
    let disk = MemoryDisk::default();
    for folder in ["items", "trash"] {
        disk.create_dir_all(&Utf8Path::new(ROOT).join(folder)).unwrap();
    }
    Arc::new(disk)
}

fn folder(disk: &Arc<MemoryDisk>) -> ItemFolder {
    let disk: Arc<dyn Disk> = disk.clone();
    ItemFolder::new(disk, Utf8Path::new(ROOT), "a")
}

pub(crate) fn record(id: &str) -> ItemRecord {
    ItemRecord {
        id: ItemId::new(id).unwrap(),
        url: "http://h/m.m3u8?token=1".into(),
        order: 4,
        sidecars: Vec::new(),
        options: None,
        available_tracks: Vec::new(),
        selected_tracks: Vec::new(),
        generation: Some(0),
        requirements: None,
        keep: Keep::default(),
    }
}

/// Two fetches of one segment's file, and one whole segment.
pub(crate) fn loaded() -> Loaded {
    let uri = UriRef::Playlist { origin: 1, span: Span { start: 0, end: 4 } };
    let segment =
        |number| Resource { role: Role::Segment, playlist: 0, number, extension: Extension::Ts, uri };
    let fetch = |resource, start, length, extent| Fetch { resource, start, length, extent, at_millis: 0 };
    let origin = |url: &str, text: &str| Origin { url: url.into(), text: text.into() };
    let plan = Plan {
        playlists: vec![PlannedPlaylist {
            kind: TrackKind::Audio,
            origin: 1,
            duration: Duration::from_secs(4),
        }],
        resources: vec![segment(0), segment(1)],
        fetches: vec![
            fetch(0, 0, Length::Exact(4), Extent::Range),
            fetch(0, 4, Length::Exact(4), Extent::Range),
            fetch(1, 0, Length::About(10), Extent::Whole),
        ],
        duration: Duration::from_secs(4),
        estimate: Estimate::default(),
        master: Master::Multivariant,
    };
    let local = |path: &str| LocalPlaylist { path: path.into(), text: path.into() };
    Loaded {
        origins: OriginSet {
            entry: origin("http://h/m", "entry"),
            media: vec![origin("http://h/a?t=1", "media")],
        },
        selection: None,
        planned: Planned {
            plan,
            local: vec![local("master.m3u8"), local("audio/0.m3u8")],
            dropped: Vec::new(),
        },
    }
}

fn stored(disk: &Arc<MemoryDisk>) -> ItemFolder {
    let folder = folder(disk);
    folder.create(&record("a")).unwrap();
    folder.store(&SelectionOptions::default(), &loaded()).unwrap();
    folder
}

/// Writes a fetch's bytes and its record, as a run does.
pub(crate) fn finish(folder: &ItemFolder, opened: &Opened, fetch: u32, bytes: &[u8]) {
    let planned = opened.plan.fetches[fetch as usize];
    let file = folder.media_file(&opened.plan, planned.resource).unwrap();
    file.write_at(bytes, planned.start).unwrap();
    let hash = XxHash3_128::oneshot(bytes);
    let record = Record::Finished { fetch: FetchId(fetch), length: bytes.len() as u64, hash };
    let validator = (planned.extent == Extent::Range).then(|| "\"v\"".to_owned());
    let version = Record::Resource { resource: planned.resource, total: None, validator };
    opened.journal.append(&[version, record]).unwrap();
}

fn done(opened: &Opened) -> Vec<u32> {
    let mut done: Vec<u32> = opened.finished().map(|fetch| fetch.0).collect();
    done.sort_unstable();
    done
}

#[test]
fn a_folder_gives_back_what_was_stored() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    assert_eq!((opened.plan.clone(), opened.origins.clone()), (loaded().planned.plan, loaded().origins));
    assert_eq!((opened.downloaded_bytes(), opened.expected_bytes(), opened.fetches_done()), (0, 18, 0));
    let options = Some(SelectionOptions::default());
    assert_eq!(folder.record().unwrap(), ItemRecord { options, generation: Some(1), ..record("a") });
    let master = Utf8Path::new("/store/items/a/media/audio/0.m3u8");
    assert_eq!(disk.read(master, 100).unwrap(), b"audio/0.m3u8");
}

#[test]
fn a_new_folder_has_a_record_and_no_plan() {
    let disk = disk();
    let folder = folder(&disk);
    folder.create(&record("a")).unwrap();
    assert_eq!((folder.record().unwrap(), folder.plan().unwrap()), (record("a"), None));
    assert!(matches!(folder.open(), Err(StoreError::Io { .. })));
}

#[test]
fn finished_fetches_are_found_again_with_their_real_lengths() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    finish(&folder, &opened, 0, b"0123");
    finish(&folder, &opened, 2, b"twelve bytes");
    let again = folder.open().unwrap();
    assert_eq!(done(&again), [0, 2]);
    assert_eq!((again.downloaded_bytes(), again.expected_bytes()), (16, 20));
    assert_eq!(again.fetches_done(), 2);
}

#[test]
fn half_a_file_whose_version_nothing_shows_is_nothing() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    let unproven = Record::Resource { resource: 0, total: Some(8), validator: None };
    finish(&folder, &opened, 0, b"0123");
    opened.journal.append(std::slice::from_ref(&unproven)).unwrap();
    assert_eq!(folder.done(&opened.plan).unwrap().len(), 0);
    let again = folder.open().unwrap();
    assert_eq!(done(&again), [0; 0]);
    finish(&folder, &again, 0, b"0123");
    finish(&folder, &again, 1, b"4567");
    again.journal.append(&[unproven]).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0, 1], "a whole one is whole");
}

#[test]
fn a_record_behind_the_mark_is_believed_only_when_the_bytes_are_there() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    finish(&folder, &opened, 0, b"0123");
    finish(&folder, &opened, 1, b"4567");
    let file = folder.media_file(&opened.plan, 0).unwrap();
    file.write_at(b"\0", 5).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0]);
    file.set_len(3).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0; 0]);
}

#[test]
fn what_was_not_believed_once_is_not_believed_after_a_later_mark() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    finish(&folder, &opened, 2, b"segment");
    folder.media_file(&opened.plan, 1).unwrap().write_at(b"SEGMENT", 0).unwrap();
    let again = folder.open().unwrap();
    again.journal.mark(again.journal.position()).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0; 0]);
    assert_eq!(folder.done(&again.plan).unwrap().len(), 0);
}

#[test]
fn a_record_before_the_mark_is_believed_unless_its_file_is_gone_or_too_short() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    finish(&folder, &opened, 2, b"segment");
    finish(&folder, &opened, 0, b"0123");
    opened.journal.mark(opened.journal.position()).unwrap();
    disk.remove_file(Utf8Path::new("/store/items/a/media/audio/0/000001.ts")).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0]);
    folder.media_file(&opened.plan, 0).unwrap().set_len(3).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0; 0]);
}

#[test]
fn looking_at_what_is_done_changes_nothing() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    finish(&folder, &opened, 2, b"segment");
    let journal = Utf8Path::new("/store/items/a/journal");
    let file = disk.open(journal).unwrap();
    file.write_at(b"torn", file.len().unwrap()).unwrap();
    let before = disk.read(journal, 1000).unwrap();
    assert_eq!(folder.done(&opened.plan).unwrap().len(), 1);
    assert_eq!(disk.read(journal, 1000).unwrap(), before);
}

#[test]
fn a_new_plan_starts_with_nothing_done() {
    let disk = disk();
    let folder = stored(&disk);
    let opened = folder.open().unwrap();
    finish(&folder, &opened, 2, b"segment");
    folder.store(&SelectionOptions::default(), &loaded()).unwrap();
    assert_eq!(done(&folder.open().unwrap()), [0; 0]);
    let journal = Utf8Path::new("/store/items/a/journal");
    folder.store(&SelectionOptions::default(), &loaded()).unwrap();
    assert_eq!(disk.len(journal).unwrap(), None, "it told of the earlier plan");
    assert_eq!(disk.len(Utf8Path::new("/store/items/a/media/audio/0/000001.ts")).unwrap(), None);
}

#[test]
fn a_full_disk_leaves_no_plan_behind() {
    let disk = disk();
    let folder = folder(&disk);
    folder.create(&record("a")).unwrap();
    let used = u64::MAX - disk.free_space(Utf8Path::new(ROOT)).unwrap();
    for room in 0..400 {
        disk.set_capacity(used + room);
        let full = folder.store(&SelectionOptions::default(), &loaded());
        assert_eq!(full.is_ok(), folder.plan().unwrap().is_some(), "{room} bytes free");
        disk.set_capacity(u64::MAX);
        folder.store(&SelectionOptions::default(), &loaded()).unwrap();
        assert_eq!(folder.open().unwrap().origins, loaded().origins);
        folder.clear().unwrap();
        folder.create(&record("a")).unwrap();
    }
}

#[test]
fn a_discarded_folder_is_gone_at_once_and_deleted_in_the_background() {
    let disk = disk();
    let folder = stored(&disk);
    folder.discard().unwrap();
    folder.discard().unwrap();
    assert!(matches!(folder.record(), Err(StoreError::Io { .. })));
    assert_eq!(disk.list(Utf8Path::new("/store/items")).unwrap(), [""; 0]);
    let since = now();
    while !disk.list(Utf8Path::new("/store/trash")).unwrap().is_empty() {
        assert!(now().duration_since(since) < Duration::from_secs(10));
        std::thread::yield_now();
    }
}

#[expect(clippy::disallowed_methods, reason = "a bound for a test that waits for another thread")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(unix)]
#[test]
fn a_link_in_the_media_folder_is_not_written_through() {
    use crate::io::disk::RealDisk;
    let temporary = camino_tempfile::Utf8TempDir::new().unwrap();
    let root = temporary.path().join("root");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new());
    for folder in ["items", "trash"] {
        disk.create_dir_all(&root.join(folder)).unwrap();
    }
    let folder = ItemFolder::new(Arc::clone(&disk), &root, "a");
    folder.create(&record("a")).unwrap();
    folder.store(&SelectionOptions::default(), &loaded()).unwrap();
    let outside = temporary.path().join("outside");
    disk.create_dir_all(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("items/a/media/audio/0")).unwrap();
    let folder = ItemFolder::new(Arc::clone(&disk), &root, "a");
    assert!(matches!(folder.media_file(&loaded().planned.plan, 0), Err(StoreError::Io { .. })));
    assert_eq!(disk.list(&outside).unwrap(), [""; 0]);
}
