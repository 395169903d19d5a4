//! A process that is killed loses nothing that was finished.

use std::process::{Child, Command, Stdio};

use camino::Utf8Path;
use dtg_core::{ContentManager, ContentReader, ItemState};
use dtg_testkit::Origin;

use crate::support::{Tiny, folder, id, media_bytes, segments_asked};

const TINY: Tiny = Tiny { segments: 12, bytes: 100_000 };

fn worker(root: &Utf8Path, origin: &Origin) -> Child {
    Command::new(env!("CARGO_BIN_EXE_worker"))
        .args([root.as_str(), "item", &origin.url("/master.m3u8"), "2"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the worker was built beside this test")
}

fn rest(worker: Child) -> String {
    let output = worker.wait_with_output().expect("the worker was started here");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Starts a worker and kills it when both its connections wait for a held segment.
fn killed_half_way(root: &Utf8Path, origin: &Origin) {
    let hold =
        origin.hold(|request| ["/seg-6.ts", "/seg-7.ts"].iter().any(|path| request.target.starts_with(path)));
    let mut worker = worker(root, origin);
    hold.wait_for(2);
    worker.kill().expect("the worker runs");
    worker.wait().expect("the worker was started here");
    hold.release();
}

#[test]
fn after_sigkill_no_finished_fetch_is_fetched_again_and_the_bytes_are_right() {
    let (root, origin) = (folder(), TINY.origin());
    killed_half_way(root.path(), &origin);

    let reader = ContentReader::open(root.path()).unwrap();
    let killed = reader.item(&id("item")).unwrap();
    assert_eq!((killed.state, killed.fetches_done, killed.fetches), (ItemState::Interrupted, 6, 12));
    assert!(reader.playback_location(&id("item")).is_err(), "half is not a presentation");
    drop(reader);

    origin.clear_requests();
    assert_eq!(rest(worker(root.path(), &origin)), "completed - 12/12");
    let mut asked = segments_asked(&origin);
    asked.sort();
    let missing = ["10", "11", "6", "7", "8", "9"].map(|n| format!("/seg-{n}.ts?token=secret"));
    assert_eq!(asked, missing);
    assert!(
        !origin.requests().iter().any(|request| request.target.contains("m3u8")),
        "the playlists were stored with the plan"
    );

    let manager = ContentManager::open(root.path()).unwrap();
    let location = manager.playback_location(&id("item")).unwrap();
    let expected: Vec<u8> = (0..TINY.segments).flat_map(|n| TINY.segment(n)).collect();
    assert_eq!(media_bytes(&location.folder_path()), expected);
}

#[test]
fn a_kill_between_two_runs_of_the_manager_is_found_by_the_next_one() {
    let (root, origin) = (folder(), TINY.origin());
    killed_half_way(root.path(), &origin);
    origin.clear_requests();

    let manager = ContentManager::open(root.path()).unwrap();
    assert!(segments_asked(&origin).is_empty(), "opening starts no traffic");
    let started = manager.resume_all().unwrap();
    assert_eq!(started.ids, [id("item")]);
    assert_eq!(manager.wait(&id("item")).unwrap().state, ItemState::Completed);
    assert_eq!(segments_asked(&origin).len(), 6);
}

#[test]
fn a_fetch_whose_file_was_damaged_after_the_kill_is_fetched_again() {
    let (root, origin) = (folder(), TINY.origin());
    killed_half_way(root.path(), &origin);
    origin.clear_requests();
    let segment = root.path().join("items/item/media/video/0/000002.ts");
    std::fs::write(&segment, b"torn").unwrap();

    let manager = ContentManager::open(root.path()).unwrap();
    manager.resume_all().unwrap();
    assert_eq!(manager.wait(&id("item")).unwrap().state, ItemState::Completed);
    let location = manager.playback_location(&id("item")).unwrap();
    let expected: Vec<u8> = (0..TINY.segments).flat_map(|n| TINY.segment(n)).collect();
    assert_eq!(media_bytes(&location.folder_path()), expected);
}
