//! What holds of an asset whenever the power goes, or the process is killed, in whichever step of its life.

use std::num::NonZeroU16;
use std::sync::LazyLock;

use camino::Utf8Path;
use dtg_testkit::{Origin, Request, Response};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::asset_task::{AssetDownloadTask, RemoteAsset};
use crate::error::Error;
use crate::io::memory::{MemoryDisk, Survival};
use crate::item::{ItemId, ItemLocation};
use crate::options::{Languages, SelectionOptions};
use crate::requirements::Requirements;
use crate::retry::RetryPolicy;

static ORIGIN: LazyLock<Origin> = LazyLock::new(|| Origin::start(respond).expect("loopback has a free port"));

const ENGLISH: &str =
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",LANGUAGE=\"en\",DEFAULT=YES,URI=\"PREen.m3u8\"\n";
const FRENCH: &str =
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"fr\",LANGUAGE=\"fr\",URI=\"PREfr.m3u8\"\n";

fn master(renditions: [&str; 2], prefix: &str) -> Response {
    let [first, second] = renditions;
    let text = format!("#EXTM3U\n{first}{second}#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nPREv.m3u8\n");
    Response::ok(text.replace("PRE", prefix).into_bytes())
}

/// `/master.m3u8`, `/v.m3u8`, `/v-0.ts`, `/film.mp4` and the like; no byte of media is zero.
///
/// `/moved.m3u8` is the same with its lines in another order, and `/half.m3u8` lacks the last segments.
fn respond(request: &Request) -> Response {
    let name = request.target.trim_start_matches('/');
    match name.split_once('.') {
        Some(("master", _)) => master([ENGLISH, FRENCH], ""),
        Some(("moved", _)) => master([FRENCH, ENGLISH], ""),
        Some(("half", _)) => master([ENGLISH, FRENCH], "half-"),
        Some((segment, "ts")) if segment.starts_with("half") && segment.ends_with('1') => {
            Response::status(404)
        }
        Some((track, "m3u8")) => {
            let segments = format!("#EXTINF:4,\n{track}-0.ts\n#EXTINF:4,\n{track}-1.ts\n");
            let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{segments}#EXT-X-ENDLIST\n");
            Response::ok(text.into_bytes())
        }
        _ => Response::ok(media(name.trim_start_matches("half-"))).header("etag", "\"one\""),
    }
}

fn media(name: &str) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypisom".to_vec();
    bytes.extend(
        (0..600_usize).map(|at| {
            u8::try_from((at * 31 + name.len() + usize::from(name.as_bytes()[0])) % 255 + 1).unwrap()
        }),
    );
    bytes
}

fn task(disk: &MemoryDisk, name: &str) -> AssetDownloadTask {
    let once = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
    let asset = RemoteAsset::new(ItemId::new("x").unwrap(), ORIGIN.url(name));
    AssetDownloadTask::builder(asset, "/shelf/film")
        .transfers(|it| {
            let it = it.connections(NonZeroU16::new(2).unwrap()).retry(once).disk(disk);
            it.requirements(Requirements { reserve_bytes: 0, ..Requirements::default() })
        })
        .build()
        .unwrap()
}

/// A step of an asset's life.
#[derive(Debug, Clone, Copy)]
enum Step {
    Folder,
    File,
    Augment,
    /// A download goes on at another address, and its asset is augmented there.
    Move,
}

impl Step {
    fn take(self, disk: &MemoryDisk) -> Result<ItemLocation, Error> {
        let french = Languages::Only(vec!["fr".into()]);
        let french = SelectionOptions { audio: french, ..SelectionOptions::default() }.into();
        match self {
            Self::Folder => task(disk, "/master.m3u8").run(),
            Self::File => task(disk, "/film.mp4").run(),
            Self::Augment => task(disk, "/master.m3u8").augment(&[french]),
            Self::Move => {
                task(disk, "/moved.m3u8").run()?;
                task(disk, "/moved.m3u8").augment(&[french])
            }
        }
    }

    /// What is there before it.
    fn before(self) -> MemoryDisk {
        let disk = MemoryDisk::default();
        match self {
            Self::Folder | Self::File => {}
            Self::Augment => drop(Self::Folder.take(&disk).unwrap()),
            Self::Move => drop(task(&disk, "/half.m3u8").run().unwrap_err()),
        }
        disk
    }

    /// The media of the finished asset: names in the media folder, or of the file itself.
    fn media(self) -> Vec<(&'static str, &'static str)> {
        let folder = [("video/0/000000.ts", "v-0.ts"), ("video/0/000001.ts", "v-1.ts")];
        let english = [("audio/1/000000.ts", "en-0.ts"), ("audio/1/000001.ts", "en-1.ts")];
        let french = [("audio/2/000000.ts", "fr-0.ts"), ("audio/2/000001.ts", "fr-1.ts")];
        match self {
            Self::Folder => [folder, english].concat(),
            Self::File => vec![("film", "film.mp4")],
            Self::Augment | Self::Move => [folder, english, french].concat(),
        }
    }
}

/// Every file of the finished asset has the origin's bytes.
fn check(disk: &MemoryDisk, location: &ItemLocation, media_files: &[(&str, &str)]) {
    let files = disk.files_below(&location.folder_path());
    for (file, name) in media_files {
        assert!(files.get(*file).is_some_and(|bytes| *bytes == media(name)), "{file}");
    }
}

/// Whatever lies at the destination is a whole asset: what it was before, or what it is to be.
fn check_no_half(disk: &MemoryDisk, step: Step) {
    let shelf = disk.files_below(Utf8Path::new("/shelf"));
    let plays = |media_files: &[(&str, &str)]| {
        media_files.iter().all(|(file, name)| {
            let path = if *file == "film" { "film".to_owned() } else { format!("film/media/{file}") };
            shelf.get(&path).is_some_and(|bytes| *bytes == media(name))
        })
    };
    let there: Vec<&String> =
        shelf.keys().filter(|path| path.starts_with("film/") || *path == "film").collect();
    assert!(there.is_empty() || plays(&step.media()) || plays(&Step::Folder.media()), "{there:?}");
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![Just(Step::Folder), Just(Step::File), Just(Step::Augment), Just(Step::Move)]
}

fn any_survival() -> impl Strategy<Value = Survival> {
    let some = any::<u64>().prop_map(Survival::Some);
    prop_oneof![1 => Just(Survival::Nothing), 2 => Just(Survival::Everything), 3 => some]
}

proptest! {
    #[test]
    fn whenever_the_power_goes_no_half_asset_is_at_the_destination_and_the_next_task_ends_it(
        step in any_step(),
        at in any::<Index>(),
        survival in any_survival(),
    ) {
        let whole = step.before();
        let first = whole.operations();
        step.take(&whole).unwrap();
        let operations = whole.operations() - first;

        let disk = step.before();
        disk.cut_power_at(disk.operations() + 1 + at.index(usize::try_from(operations).unwrap()) as u64);
        let taken = step.take(&disk);
        let left = disk.after_power_cut(survival);
        check_no_half(&left, step);
        let is_file_there = left.files_below(Utf8Path::new("/shelf")).keys().any(|path| path == "film");
        let is_swept = !left.files_below(Utf8Path::new("/shelf")).keys().any(|path| path.starts_with("film.download"));
        let taken_again = step.take(&left);
        prop_assert_eq!(left.shared_writes(), 0, "after {:?}", taken);
        match taken_again {
            Ok(location) => check(&left, &location, &step.media()),
            // A single file says nothing of itself: once all else is gone, it is in the way of another task.
            Err(error) => prop_assert!(
                matches!(step, Step::File) && is_file_there && is_swept,
                "{error}, after {taken:?}"
            ),
        }
    }
}

#[test]
fn wherever_an_augmentation_is_cut_off_the_next_one_writes_to_no_file_of_the_finished_asset() {
    let (step, first) = (Step::Augment, Step::Augment.before().operations());
    let whole = step.before();
    step.take(&whole).unwrap();
    for at in first + 1..=whole.operations() {
        let disk = step.before();
        disk.cut_power_at(at);
        let _ = step.take(&disk);
        let left = disk.after_power_cut(Survival::Everything);
        let location = step.take(&left).unwrap();
        check(&left, &location, &step.media());
        assert_eq!(left.shared_writes(), 0, "cut at {at}");
    }
}

#[test]
fn a_removal_that_is_cut_off_leaves_the_asset_whole_or_gone_and_the_next_one_ends_it() {
    for step in [Step::Folder, Step::Augment] {
        let finished = || {
            let disk = step.before();
            step.take(&disk).unwrap();
            disk
        };
        let whole = finished();
        let first = whole.operations();
        task(&whole, "/master.m3u8").remove().unwrap();
        for survival in [Survival::Nothing, Survival::Everything, Survival::Some(first)] {
            for at in 1..=whole.operations() - first {
                let disk = finished();
                disk.cut_power_at(disk.operations() + at);
                let _ = task(&disk, "/master.m3u8").remove();
                let left = disk.after_power_cut(survival);
                check_no_half(&left, step);
                task(&left, "/master.m3u8").remove().unwrap();
                assert!(left.files_below(Utf8Path::new("/shelf")).is_empty(), "{step:?}, cut at {at}");
            }
        }
    }
}
