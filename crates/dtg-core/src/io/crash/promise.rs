//! The promise of the README, a test a sentence.

use super::*;

/// Two connections, and batches of two fetches.
const STORY: Story = Story { segments: 12, ranges: 0, connections: 2, batch: 2 };

fn url(origin: &Origin) -> String {
    origin.url(&format!("/{}/{}/item.m3u8", STORY.segments, STORY.ranges))
}

fn load(manager: &ContentManager, origin: &Origin) {
    manager.add_item(&id(), &url(origin)).unwrap();
    manager.load_item_metadata(&id(), BitRate(1)).unwrap();
}

/// Downloads until these segments are asked for, and answers with the disk at that moment.
fn stopped_at(origin: &Origin, segments: &[u64], is_stopped: impl Fn(&ContentManager) -> bool) -> MemoryDisk {
    let disk = MemoryDisk::default();
    let names: Vec<String> = segments.iter().map(|n| format!("/seg-{n}.ts")).collect();
    let hold = origin.hold(move |request| names.iter().any(|name| request.path().ends_with(name)));
    let manager = STORY.open(&disk).unwrap();
    load(&manager, origin);
    manager.start_item(&id()).unwrap();
    hold.wait_for(segments.len());
    while !is_stopped(&manager) {
        std::thread::yield_now();
    }
    // From now on nothing reaches the disk: neither what is held nor the manager's farewell.
    disk.cut_power_at(disk.operations());
    hold.release();
    disk
}

/// Goes on with what is on a disk to its end; the segments that were asked for, and whether all is right.
fn gone_on(disk: &MemoryDisk, origin: &Origin) -> BTreeSet<(String, Option<String>)> {
    origin.clear_requests();
    let mut told = Told::default();
    STORY.live(disk, origin, &mut told);
    assert!(told.completed, "{}", told.last);
    let undisturbed = MemoryDisk::default();
    let asked = answered(origin);
    STORY.live(&undisturbed, origin, &mut told);
    assert_eq!(media(disk), media(&undisturbed));
    asked
}

#[test]
fn an_item_and_its_plan_are_durable_before_the_first_byte_of_media_is_fetched() {
    let origin = origin();
    let disk = stopped_at(&origin, &[0, 1], |_| true).after_power_cut(Survival::Nothing);
    origin.clear_requests();
    let manager = STORY.open(&disk).unwrap();
    let item = manager.item(&id()).unwrap();
    assert_eq!((item.fetches, item.fetches_done), (12, 0));
    manager.start_item(&id()).unwrap();
    assert_eq!(manager.wait(&id()).unwrap().state, ItemState::Completed);
    assert!(origin.requests().iter().all(|it| it.target.ends_with(".ts")), "no playlist is fetched again");
}

#[test]
fn what_a_killed_process_had_finished_is_not_fetched_again() {
    let origin = origin();
    let done = |manager: &ContentManager| manager.item(&id()).unwrap().fetches_done == 5;
    let disk = stopped_at(&origin, &[5, 6], done).after_power_cut(Survival::Everything);
    let asked = gone_on(&disk, &origin);
    let expected: BTreeSet<_> = (5..12).map(|n| (format!("/12/0/seg-{n}.ts"), None)).collect();
    assert_eq!(asked, expected);
}

#[test]
fn what_a_power_cut_loses_is_what_was_finished_since_the_last_sync_began_and_is_fetched_again() {
    let origin = origin();
    let done = |manager: &ContentManager| manager.item(&id()).unwrap().fetches_done == 9;
    let disk = stopped_at(&origin, &[9, 10], done).after_power_cut(Survival::Nothing);
    let asked = gone_on(&disk, &origin);
    // Nine were done: a batch of two waits to be durable, another one may be under way, and one fills the first up.
    let again = asked.len() - 3;
    assert!(again <= 5, "{asked:?}");
}

#[test]
fn behind_the_last_sync_a_record_counts_only_when_the_file_has_the_bytes_it_tells_of() {
    let origin = origin();
    let done = |manager: &ContentManager| manager.item(&id()).unwrap().fetches_done == 1;
    // One fetch is no batch: its record stands behind the last mark.
    let disk = stopped_at(&origin, &[1, 2], done).after_power_cut(Survival::Everything);
    let file = disk.open(Utf8Path::new("/store/items/x/media/video/0/000000.ts")).unwrap();
    file.write_at(&[0], 300).unwrap();
    let asked = gone_on(&disk, &origin);
    assert_eq!(asked.len(), 12, "the journal tells of the first one, and it is not believed");
}

#[test]
fn an_item_is_completed_only_when_every_part_is_there_and_synced_and_then_it_stays_so() {
    let (disk, origin) = (MemoryDisk::default(), origin());
    let policy = SyncPolicy { every: Duration::from_secs(60), bytes: u64::MAX, backlog: u64::MAX };
    let manager = ContentManager::builder(ROOT).sync(policy).disk(&disk).open().unwrap();
    load(&manager, &origin);
    disk.hold_syncs();
    manager.start_item(&id()).unwrap();
    while manager.item(&id()).unwrap().fetches_done < 12 {
        std::thread::yield_now();
    }
    assert_eq!(manager.item(&id()).unwrap().state, ItemState::InProgress, "all is there, and not synced");
    disk.release_syncs();
    assert_eq!(manager.wait(&id()).unwrap().state, ItemState::Completed);
    let whole = media(&disk);
    let after = disk.after_power_cut(Survival::Nothing);
    assert_eq!(STORY.open(&after).unwrap().item(&id()).unwrap().state, ItemState::Completed);
    assert_eq!(media(&after), whole);
}
