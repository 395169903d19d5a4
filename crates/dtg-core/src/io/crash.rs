//! What holds of the whole engine whenever the power goes, or the process is killed.
//!
//! The disk is one in memory that holds everything, the catalog's database too; the network is a real
//! origin on loopback. `PROPTEST_CASES` sets how many cases there are (256 without it).

mod promise;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use camino::Utf8Path;
use dtg_testkit::{Origin, Request, Response};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use twox_hash::XxHash3_128;

use super::disk::Disk as _;
use super::folder::ItemFolder;
use super::journal;
use super::memory::{MemoryDisk, Survival};
use super::reader::ContentReader;
use crate::durability::SyncPolicy;
use crate::item::ItemId;
use crate::manager::ContentManager;
use crate::options::BitRate;
use crate::plan::FetchId;
use crate::requirements::Requirements;
use crate::retry::RetryPolicy;
use crate::state::ItemState;

const ROOT: &str = "/store";
/// Bytes of a segment, and of a range.
const LENGTH: u64 = 600;

/// A presentation, and how it is downloaded.
#[derive(Debug, Clone, Copy)]
struct Story {
    /// Segments in files of their own.
    segments: u64,
    /// Segments that are ranges of one file.
    ranges: u64,
    connections: u16,
    /// Fetches in a batch.
    batch: u64,
}

/// When the power goes, and what is left then.
#[derive(Debug, Clone, Copy)]
struct Cut {
    phase: Phase,
    at: Index,
    survival: Survival,
}

/// During which operations the power may go.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Any,
    /// While media comes in: that is a small part of all operations.
    Media,
}

fn any_story() -> impl Strategy<Value = Story> {
    (0..6_u64, 0..6_u64, 1..=3_u16, 1..=8_u64)
        .prop_filter("something to fetch", |(segments, ranges, ..)| segments + ranges > 0)
        .prop_map(|(segments, ranges, connections, batch)| Story { segments, ranges, connections, batch })
}

fn any_cut() -> impl Strategy<Value = Cut> {
    let some = any::<u64>().prop_map(Survival::Some);
    let survival = prop_oneof![1 => Just(Survival::Nothing), 1 => Just(Survival::Everything), 6 => some];
    let phase = prop_oneof![1 => Just(Phase::Any), 2 => Just(Phase::Media)];
    (phase, any::<Index>(), survival).prop_map(|(phase, at, survival)| Cut { phase, at, survival })
}

impl Cut {
    /// Which operation of a life that starts its download after `started` ones and has `all`, counted from 1.
    fn operation(self, (started, all): (u64, u64)) -> u64 {
        let before = match self.phase {
            Phase::Any => 0,
            Phase::Media => started.min(all - 1),
        };
        before + u64::try_from(self.at.index(usize::try_from(all - before).unwrap())).unwrap() + 1
    }
}

fn origin() -> Origin {
    Origin::start(respond).expect("loopback has a free port")
}

/// `/SEGMENTS/RANGES/item.m3u8`, `/.../seg-N.ts` and `/.../all.ts`.
fn respond(request: &Request) -> Response {
    let words: Vec<&str> = request.target.split('/').collect();
    let [_, segments, ranges, name] = words[..] else { return Response::status(404) };
    let (segments, ranges): (u64, u64) = (segments.parse().unwrap(), ranges.parse().unwrap());
    match name {
        "item.m3u8" => Response::ok(playlist(segments, ranges).into_bytes()),
        "all.ts" => Response::ok(bytes(99, ranges * LENGTH)).header("etag", "\"one\""),
        name => {
            let number = name.strip_prefix("seg-").and_then(|name| name.strip_suffix(".ts")).unwrap();
            Response::ok(bytes(number.parse().unwrap(), LENGTH)).header("etag", "\"one\"")
        }
    }
}

/// Ranges lie 30 s apart, so that each is a request of its own.
fn playlist(segments: u64, ranges: u64) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:30\n".to_owned();
    for n in 0..segments {
        text.push_str(&format!("#EXTINF:30,\nseg-{n}.ts\n"));
    }
    for n in 0..ranges {
        text.push_str(&format!("#EXTINF:30,\n#EXT-X-BYTERANGE:{LENGTH}@{}\nall.ts\n", n * LENGTH));
    }
    text + "#EXT-X-ENDLIST\n"
}

fn bytes(n: u64, length: u64) -> Vec<u8> {
    // No byte is zero: a hole is no content.
    (0..length).map(|at| u8::try_from((at * 31 + (at >> 8) + n * 131) % 255 + 1).unwrap()).collect()
}

fn id() -> ItemId {
    ItemId::new("x").unwrap()
}

impl Story {
    fn fetches(self) -> u64 {
        self.segments + self.ranges
    }

    fn policy(self) -> SyncPolicy {
        let bytes = self.batch * LENGTH;
        SyncPolicy { every: Duration::from_secs(60), bytes, backlog: bytes }
    }

    fn open(self, disk: &MemoryDisk) -> Result<ContentManager, crate::error::Error> {
        let once = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
        ContentManager::builder(ROOT)
            .connections(NonZeroU16::new(self.connections).unwrap())
            .retry(once)
            .requirements(Requirements { reserve_bytes: 0, ..Requirements::default() })
            .sync(self.policy())
            .disk(disk)
            .open()
    }

    /// Opens the disk and goes on with the item until it is completed or the power is gone.
    fn live(self, disk: &MemoryDisk, origin: &Origin, told: &mut Told) {
        let Ok(manager) = self.open(disk) else { return };
        let state = || manager.item(&id()).map(|item| item.state);
        if state().is_err() {
            let url = origin.url(&format!("/{}/{}/item.m3u8", self.segments, self.ranges));
            let Ok(_) = manager.add_item(&id(), &url) else { return };
            told.added = true;
        }
        if state().is_ok_and(|state| state == ItemState::New) {
            let Ok(_) = manager.load_item_metadata(&id(), BitRate(1)) else { return };
            told.loaded = true;
        }
        told.started = disk.operations();
        if state().is_ok_and(|state| state != ItemState::Completed) && manager.start_item(&id()).is_ok() {
            told.last = format!("{:?}", manager.wait(&id()).map(|item| (item.state, item.failure)));
        }
        // An answer that comes when the power is gone reaches nobody.
        told.completed |= state().is_ok_and(|state| state == ItemState::Completed) && disk.is_on();
    }
}

/// What the manager has answered with success.
#[derive(Debug, Clone, Default)]
struct Told {
    added: bool,
    loaded: bool,
    completed: bool,
    /// How many operations there were when it was last started.
    started: u64,
    /// How the last wait ended.
    last: String,
}

impl Told {
    const ALL: Self = Self { added: true, loaded: true, completed: true, started: 0, last: String::new() };
}

/// Name to length and hash of what is in it.
type Files = BTreeMap<String, (usize, u128)>;

fn media(disk: &MemoryDisk) -> Files {
    let files = disk.files_below(Utf8Path::new("/store/items/x/media")).into_iter();
    files.map(|(name, bytes)| (name, (bytes.len(), XxHash3_128::oneshot(&bytes)))).collect()
}

/// The requests for media that were answered whole: target and range.
fn answered(origin: &Origin) -> BTreeSet<(String, Option<String>)> {
    let requests = origin.requests().into_iter().filter(|it| it.finished && it.target.ends_with(".ts"));
    requests.map(|it| (it.target.clone(), it.headers.get("range").map(str::to_owned))).collect()
}

/// What must hold of the disk as it came up again, before anything is done with it.
fn check_consistent(
    disk: &MemoryDisk,
    story: Story,
    told: &Told,
    whole: &Files,
) -> Result<(), TestCaseError> {
    if let Ok(reader) = ContentReader::open_in_memory(ROOT, disk)
        && reader.playback_location(&id()).is_ok()
    {
        prop_assert_eq!(&media(disk), whole, "a reader was told that it is completed");
    }
    let manager = story.open(disk).map_err(failed)?;
    let listed = manager.items().map_err(failed)?;
    let item = manager.item(&id()).ok();
    prop_assert_eq!(&listed, &item.iter().cloned().collect::<Vec<_>>(), "a listing shows what is");
    prop_assert!(item.is_some() || !told.added, "the item is lost");
    let state = item.map(|item| item.state);
    prop_assert!(!told.loaded || state != Some(ItemState::New), "the plan is lost");
    prop_assert!(
        !told.completed || state == Some(ItemState::Completed),
        "it was completed, and is {:?}",
        state
    );
    if state == Some(ItemState::Completed) {
        prop_assert_eq!(&media(disk), whole, "falsely completed");
    }
    Ok(())
}

/// What a killed process had recorded is in the files: the record comes after its bytes.
fn check_records(disk: &MemoryDisk) -> Result<(), TestCaseError> {
    let folder = ItemFolder::new(Arc::new(disk.clone()), Utf8Path::new(ROOT), "x");
    let Ok(Some(plan)) = folder.plan() else { return Ok(()) };
    let resource_of = |fetch: FetchId| plan.fetches.get(fetch.0 as usize).map(|fetch| fetch.resource);
    let journal = Utf8Path::new("/store/items/x/journal");
    let replay = journal::replay(disk, journal, resource_of).map_err(failed)?;
    let done = folder.done(&plan).map_err(failed)?;
    prop_assert_eq!(done.len(), replay.finished.len(), "recorded before it was written");
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

static CUT: LazyLock<Origin> = LazyLock::new(origin);

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn after_any_cut_nothing_is_false_nothing_durable_is_lost_and_the_bytes_are_right(
        story in any_story(),
        cuts in prop::collection::vec(any_cut(), 1..=2),
    ) {
        let origin = &*CUT;
        let mut disk = MemoryDisk::default();
        let mut told = Told::default();
        story.live(&disk, origin, &mut told);
        prop_assert!(told.completed, "a download that nothing disturbs is completed");
        let (whole, mut life) = (media(&disk), (told.started, disk.operations()));

        disk = MemoryDisk::default();
        told = Told::default();
        for cut in cuts {
            origin.clear_requests();
            let was_sound = check_records(&disk).is_ok();
            disk.cut_power_at(disk.operations() + cut.operation(life));
            story.live(&disk, origin, &mut told);
            let before = answered(origin);
            // An earlier cut may have left records of bytes that were lost.
            if was_sound {
                check_records(&disk.after_power_cut(Survival::Everything))?;
            }
            disk = disk.after_power_cut(cut.survival);
            check_consistent(&disk, story, &told, &whole)?;

            // What is fetched again was in flight, or waited to be durable.
            let trial = disk.after_power_cut(Survival::Everything);
            origin.clear_requests();
            let mut second = told.clone();
            story.live(&trial, origin, &mut second);
            prop_assert!(second.completed, "it does not go on: {}", second.last);
            life = (second.started, trial.operations());
            let again = answered(origin).intersection(&before).count() as u64;
            let in_flight = 2 * u64::from(story.connections);
            let window = if cut.survival == Survival::Everything { 0 } else { story.batch + in_flight };
            prop_assert!(again <= window + in_flight, "{} of {} fetched again", again, story.fetches());
            prop_assert_eq!(&media(&trial), &whole, "the bytes are right");
            let later = trial.after_power_cut(Survival::Nothing);
            check_consistent(&later, story, &Told::ALL, &whole)?;
        }
    }
}

impl Story {
    /// Verifies the item and fetches what is damaged; whether it is completed after that.
    fn repair(self, disk: &MemoryDisk) -> bool {
        let Ok(manager) = self.open(disk) else { return false };
        let repaired = manager.repair_item(&id()).and_then(|_| manager.wait(&id()));
        repaired.is_ok_and(|item| item.state == ItemState::Completed) && disk.is_on()
    }
}

static REPAIRED: LazyLock<Origin> = LazyLock::new(origin);

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn after_any_cut_while_damage_is_looked_for_and_repaired_another_repair_makes_it_whole(
        story in any_story(),
        damaged in any::<Index>(),
        cut in any_cut(),
    ) {
        let disk = MemoryDisk::default();
        story.live(&disk, &REPAIRED, &mut Told::default());
        let whole = media(&disk);
        let name = damaged.get(&whole.keys().collect::<Vec<_>>()).to_string();
        let file = disk.open(&Utf8Path::new("/store/items/x/media").join(name)).unwrap();
        file.write_at(&[0], 7).unwrap();
        file.sync().unwrap();
        let trial = disk.after_power_cut(Survival::Everything);
        prop_assert!(story.repair(&trial), "a repair that nothing disturbs");
        prop_assert_eq!(&media(&trial), &whole);

        let disk = disk.after_power_cut(Survival::Everything);
        disk.cut_power_at(disk.operations() + cut.operation((0, trial.operations())));
        let was_repaired = story.repair(&disk);
        let disk = disk.after_power_cut(cut.survival);
        prop_assert!(!was_repaired || media(&disk) == whole, "a repair that was answered is durable");
        prop_assert!(story.repair(&disk), "it can be repaired");
        prop_assert_eq!(&media(&disk), &whole);
    }
}

static STUCK: LazyLock<Origin> = LazyLock::new(origin);

#[test]
fn a_sync_that_hangs_holds_downloads_up_only_when_the_backlog_is_full() {
    let story = Story { segments: 40, ranges: 0, connections: 2, batch: 5 };
    let (disk, origin) = (MemoryDisk::default(), &*STUCK);
    let manager = story.open(&disk).unwrap();
    manager.add_item(&id(), &origin.url("/40/0/item.m3u8")).unwrap();
    manager.load_item_metadata(&id(), BitRate(1)).unwrap();
    disk.hold_syncs();
    manager.start_item(&id()).unwrap();
    // Five fetches wait for the sync; each connection adds one more, and waits for it.
    let done = || manager.item(&id()).unwrap().fetches_done;
    while done() < 6 {
        std::thread::yield_now();
    }
    manager.pause_item(&id()).unwrap();
    assert!(done() <= 8, "{}", done());
    assert_eq!(manager.item(&id()).unwrap().state, ItemState::Paused, "commands are answered");
    // The next run doesn't wait for the sync of the one before, nor is its journal touched by it.
    manager.start_item(&id()).unwrap();
    disk.release_syncs();
    assert_eq!(manager.wait(&id()).unwrap().state, ItemState::Completed);
    assert_eq!(answered(origin).len(), 40);
}

#[test]
fn what_a_batch_made_durable_is_marked_and_believed_without_a_look_at_the_file() {
    let story = Story { segments: 1, ranges: 0, connections: 1, batch: 1 };
    let (disk, origin) = (MemoryDisk::default(), origin());
    let mut told = Told::default();
    story.live(&disk, &origin, &mut told);
    let after = disk.after_power_cut(Survival::Nothing);
    assert!(told.completed);
    assert_eq!(media(&after), media(&disk));
}

#[test]
fn what_a_failed_sync_was_to_make_durable_is_fetched_again_before_the_item_is_completed() {
    let (disk, origin) = (MemoryDisk::default(), origin());
    let policy = SyncPolicy { every: Duration::from_secs(60), bytes: 1, backlog: u64::MAX };
    let manager = ContentManager::builder(ROOT).sync(policy).disk(&disk).open().unwrap();
    manager.add_item(&id(), &origin.url("/12/0/item.m3u8")).unwrap();
    manager.load_item_metadata(&id(), BitRate(1)).unwrap();
    disk.hold_syncs();
    manager.start_item(&id()).unwrap();
    while manager.item(&id()).unwrap().fetches_done < 12 {
        std::thread::yield_now();
    }
    disk.fail_syncs(1);
    disk.release_syncs();
    assert_ne!(manager.wait(&id()).unwrap().state, ItemState::Completed, "the syncs after it succeeded");
    let before = origin.requests().len();
    manager.start_item(&id()).unwrap();
    assert_eq!(manager.wait(&id()).unwrap().state, ItemState::Completed);
    assert!(origin.requests().len() > before);
}
