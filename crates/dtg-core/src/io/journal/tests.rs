//! What a journal still says after it was torn, marked, taken back or overwritten.

use camino::Utf8PathBuf;
use proptest::prelude::*;

use super::*;
use crate::io::memory::MemoryDisk;

fn disk() -> (MemoryDisk, Utf8PathBuf) {
    let disk = MemoryDisk::default();
    disk.create_dir_all(Utf8Path::new("/item")).unwrap();
    (disk, "/item/journal".into())
}

/// Ten fetches to a resource, ten resources.
fn resource_of(fetch: FetchId) -> Option<u32> {
    (fetch.0 < 100).then_some(fetch.0 / 10)
}

fn open(disk: &MemoryDisk, path: &Utf8Path) -> (Journal, Replay) {
    Journal::open(disk, path, resource_of).unwrap()
}

/// `"5 7+"`: fetches 5 and 7 are done, 7 durably.
fn done(replay: &Replay) -> String {
    let mut done: Vec<_> = replay.finished.iter().collect();
    done.sort_unstable_by_key(|(fetch, _)| **fetch);
    let words = done.iter().map(|(fetch, it)| format!("{}{}", fetch.0, if it.is_durable { "+" } else { "" }));
    words.collect::<Vec<_>>().join(" ")
}

fn finished(fetch: u32) -> Record {
    Record::Finished { fetch: FetchId(fetch), length: u64::from(fetch) + 1, hash: u128::from(fetch) << 70 }
}

fn version(total: u64) -> Version {
    Version { validator: Some("\"v\"".to_owned()), total: Some(total) }
}

fn seen(resource: u32, total: u64) -> Record {
    Record::Resource { resource, total: Some(total), validator: Some("\"v\"".to_owned()) }
}

/// What a journal with these records says after it is opened again.
#[track_caller]
fn check(records: &[Record], expected: &str) {
    let (disk, path) = disk();
    let (journal, replay) = open(&disk, &path);
    assert_eq!(done(&replay), "", "a new journal says nothing");
    journal.append(records).unwrap();
    drop(journal);
    assert_eq!(done(&replay_only(&disk, &path)), expected);
    assert_eq!(done(&open(&disk, &path).1), expected);
}

fn replay_only(disk: &MemoryDisk, path: &Utf8Path) -> Replay {
    replay(disk, path, resource_of).unwrap()
}

#[test]
fn a_finished_fetch_is_found_again() {
    check(&[finished(5), finished(7)], "5 7");
    let (disk, path) = disk();
    open(&disk, &path).0.append(&[finished(5)]).unwrap();
    let expected = Finished { length: 6, hash: 5 << 70, is_durable: false };
    assert_eq!(open(&disk, &path).1.finished[&FetchId(5)], expected);
}

#[test]
fn a_mark_vouches_for_what_stands_before_its_position() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    journal.append(&[finished(1)]).unwrap();
    let position = journal.position();
    journal.append(&[finished(2)]).unwrap();
    journal.mark(position).unwrap();
    journal.append(&[finished(3)]).unwrap();
    assert_eq!(done(&open(&disk, &path).1), "1+ 2 3");
}

#[test]
fn a_mark_never_vouches_for_what_comes_after_it() {
    check(&[Record::Mark { position: 1 << 40 }, finished(1)], "1");
}

#[test]
fn a_restart_takes_back_its_own_resource_only() {
    check(&[finished(1), finished(11), Record::Restarted { resource: 0 }, finished(2)], "2 11");
}

#[test]
fn a_void_fetch_is_not_done_until_it_is_finished_again() {
    check(&[finished(1), finished(2), Record::Void { fetch: FetchId(1) }], "2");
    check(&[finished(1), Record::Void { fetch: FetchId(1) }, finished(1)], "1");
}

#[test]
fn a_fetch_that_is_not_in_the_plan_is_ignored() {
    check(&[finished(1), finished(100)], "1");
}

#[test]
fn versions_are_kept_until_a_restart() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    journal.append(&[seen(1, 10), seen(2, 20), seen(1, 11)]).unwrap();
    journal.append(&[Record::Restarted { resource: 2 }]).unwrap();
    assert_eq!(open(&disk, &path).1.versions, HashMap::from([(1, version(11))]));
}

fn partial(fetch: u32, length: u64) -> Record {
    let hash = u128::from(length) << 70;
    Record::Partial { fetch: FetchId(fetch), length, hash, validator: "\"v\"".to_owned() }
}

/// `"5:600"`: fetch 5 broke off after 600 bytes.
#[track_caller]
fn check_unfinished(records: &[Record], expected: &str) {
    let (disk, path) = disk();
    open(&disk, &path).0.append(records).unwrap();
    let unfinished = open(&disk, &path).1.unfinished;
    let mut seen: Vec<_> =
        unfinished.iter().map(|(fetch, it)| format!("{}:{}", fetch.0, it.length)).collect();
    seen.sort_unstable();
    assert_eq!(seen.join(" "), expected);
}

#[test]
fn a_fetch_that_broke_off_is_found_as_far_as_it_came_last() {
    check_unfinished(&[partial(5, 600), partial(5, 700), partial(7, 1)], "5:700 7:1");
    check_unfinished(&[partial(5, 600), finished(5)], "");
    check_unfinished(&[partial(5, 600), Record::Void { fetch: FetchId(5) }], "");
    check_unfinished(&[partial(5, 6), partial(15, 6), Record::Restarted { resource: 0 }], "15:6");
    check_unfinished(&[finished(5), Record::Restarted { resource: 0 }, partial(5, 6)], "5:6");
    check_unfinished(&[partial(100, 6)], "");
}

#[test]
fn a_torn_journal_is_cut_at_the_tear_and_goes_on_from_there() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    journal.append(&[finished(1), finished(2)]).unwrap();
    let file = disk.open(&path).unwrap();
    file.set_len(file.len().unwrap() - 1).unwrap();
    let (journal, replay) = open(&disk, &path);
    assert_eq!(done(&replay), "1");
    journal.append(&[finished(3)]).unwrap();
    assert_eq!(done(&open(&disk, &path).1), "1 3");
}

#[test]
fn nothing_behind_damage_is_believed() {
    let (disk, path) = disk();
    open(&disk, &path).0.append(&[finished(1), finished(2), finished(3)]).unwrap();
    disk.open(&path).unwrap().write_at(b"\xff\xff", 8 + 35 + 20).unwrap();
    assert_eq!(done(&open(&disk, &path).1), "1");
    assert_eq!(disk.len(&path).unwrap(), Some(8 + 35), "the rest is cut off");
}

#[test]
fn a_journal_without_a_sound_head_says_nothing() {
    for head in [b"".as_slice(), b"DTGj", b"\0\0\0\0\0\0\0\0\0\0\0\0"] {
        let (disk, path) = disk();
        disk.write(&path, head).unwrap();
        let (journal, replay) = open(&disk, &path);
        assert_eq!(done(&replay), "");
        journal.append(&[finished(1)]).unwrap();
        assert_eq!(done(&open(&disk, &path).1), "1");
    }
}

#[test]
fn a_journal_of_a_later_version_is_left_alone() {
    let (disk, path) = disk();
    disk.write(&path, b"DTGj\x02\0\0\0later").unwrap();
    let refused = Journal::open(&disk, &path, resource_of).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Record { fault: CodecError::Later(2), .. }), "{refused}");
    assert_eq!(disk.read(&path, 100).unwrap(), b"DTGj\x02\0\0\0later");
}

#[test]
fn what_takes_something_back_is_durable_before_its_bytes_are_overwritten() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    let syncs = |record| {
        let before = disk.file_syncs();
        journal.append(&[record]).unwrap();
        disk.file_syncs() - before
    };
    assert_eq!(syncs(Record::Restarted { resource: 1 }), 1);
    assert_eq!(syncs(Record::Void { fetch: FetchId(1) }), 1);
    assert_eq!(syncs(finished(1)), 0);
}

#[test]
fn a_full_disk_loses_the_record_and_nothing_before_or_after_it() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    journal.append(&[finished(1)]).unwrap();
    disk.set_capacity(50);
    let full = journal.append(&[finished(2)]).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    disk.set_capacity(1000);
    journal.append(&[finished(3)]).unwrap();
    assert_eq!(done(&open(&disk, &path).1), "1 3");
}

#[test]
fn threads_append_without_harming_each_other() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = &journal;
            scope.spawn(move || (0..25).for_each(|n| journal.append(&[finished(thread * 25 + n)]).unwrap()));
        }
    });
    assert_eq!(open(&disk, &path).1.finished.len(), 100);
}

proptest! {
    #[test]
    fn a_journal_cut_anywhere_says_what_stands_whole_before_the_cut(cut in 0..=(8 + 35 * 6_u64)) {
        let (disk, path) = disk();
        open(&disk, &path).0.append(&(0..6).map(finished).collect::<Vec<_>>()).unwrap();
        disk.open(&path).unwrap().set_len(cut).unwrap();
        let whole = cut.saturating_sub(8) / 35;
        prop_assert_eq!(open(&disk, &path).1.finished.len() as u64, whole);
    }
}

#[test]
fn what_a_failed_sync_was_to_make_durable_is_not_done_and_no_later_mark_vouches_for_it() {
    let (disk, path) = disk();
    let (journal, _) = open(&disk, &path);
    journal.append(&[finished(1)]).unwrap();
    journal.mark(journal.position()).unwrap();
    journal.append(&[finished(2)]).unwrap();
    journal.doubt().unwrap();
    journal.append(&[finished(3)]).unwrap_err();
    journal.mark(journal.position()).unwrap_err();
    drop(journal);
    assert_eq!(done(&open(&disk, &path).1), "1+");
}
