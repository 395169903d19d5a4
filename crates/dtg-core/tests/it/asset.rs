//! Asset download tasks: the application owns task and place, and keys come during the download.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod augment; // more renditions for a finished asset
mod keys; // what its media is encrypted with
mod places; // what is where an asset is to be

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use camino_tempfile::Utf8TempDir;
use dtg_core::{
    AssetDownloadTask, Cancellation, ContentConfiguration, DownloadedAsset, Error, ErrorKind, ItemLocation,
    ItemState, KeyLoadError, KeyLoader, KeyPlace, KeyRequest, Languages, Remedy, RemoteAsset,
    SelectionOptions, Sidecar, SidecarRole,
};
use dtg_testkit::{Fault, Origin, Rule};

use crate::support::{ONCE, bytes, id, origin};

/// Four segments of 4 s in the variant, and two of 8 s in each of three languages.
fn presentation(key: &str) -> BTreeMap<String, Vec<u8>> {
    let mut master = "#EXTM3U\n".to_owned();
    let mut files = BTreeMap::new();
    for (language, default) in [("en", "YES"), ("fr", "NO"), ("de", "NO")] {
        master.push_str(&format!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"{language}\",LANGUAGE=\"{language}\",DEFAULT={default},URI=\"{language}.m3u8\"\n"
        ));
        add(&mut files, language, 2, 8, "");
    }
    master.push_str(
        "#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"a\"\nv.m3u8\n",
    );
    add(&mut files, "v", 4, 4, key);
    files.insert("/master.m3u8".to_owned(), master.into_bytes());
    files
}

fn add(files: &mut BTreeMap<String, Vec<u8>>, name: &str, segments: usize, seconds: usize, key: &str) {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{seconds}\n{key}");
    for n in 0..segments {
        text.push_str(&format!("#EXTINF:{seconds},\n{name}-{n}.ts\n"));
        files.insert(format!("/{name}-{n}.ts"), segment(name, n));
    }
    files.insert(format!("/{name}.m3u8"), (text + "#EXT-X-ENDLIST\n").into_bytes());
}

fn segment(name: &str, n: usize) -> Vec<u8> {
    bytes(n + usize::from(name.as_bytes()[0]), 5000)
}

/// A folder for assets, and the place of one in it.
struct Shelf(Utf8TempDir);

impl Shelf {
    fn new() -> Self {
        Self(Utf8TempDir::new().expect("a temporary folder"))
    }

    fn film(&self) -> Utf8PathBuf {
        self.0.path().join("shelf/film")
    }

    /// What lies on the shelf.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = self.0.path().join("shelf").read_dir_utf8() else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|it| it.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }

    fn task(&self, origin: &Origin) -> AssetDownloadTask {
        self.task_of(RemoteAsset::new(id("x"), origin.url("/master.m3u8")))
    }

    fn task_of(&self, asset: RemoteAsset) -> AssetDownloadTask {
        let connections = std::num::NonZeroU16::new(2).unwrap();
        AssetDownloadTask::builder(asset, self.film())
            .title("Film")
            .transfers(|it| it.connections(connections).retry(ONCE))
            .build()
            .expect("a sound task")
    }
}

fn in_language(language: &str) -> ContentConfiguration {
    SelectionOptions { audio: Languages::Only(vec![language.into()]), ..SelectionOptions::default() }.into()
}

/// The paths of the media that the origin was asked for, sorted.
fn media_asked(origin: &Origin) -> String {
    let paths = origin.requests().into_iter().map(|it| it.path().trim_matches('/').to_owned());
    let mut paths: Vec<String> = paths.filter(|path| path.ends_with(".ts")).collect();
    paths.sort();
    paths.join(" ")
}

/// Every segment that the local playlists name, in their order, is the origin's.
fn check_plays(location: &ItemLocation, tracks: &[(&str, &str, usize)]) {
    let master = fs::read_to_string(location.master_path()).unwrap();
    assert!(!master.contains("http"), "{master}");
    for (playlist, name, segments) in tracks {
        assert!(master.contains(playlist), "{playlist} is in {master}");
        let file = location.folder_path().join(playlist);
        let text = fs::read_to_string(&file).unwrap();
        let uris: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        assert_eq!(uris.len(), *segments);
        for (n, uri) in uris.into_iter().enumerate() {
            assert!(
                fs::read(file.with_file_name("").join(uri)).unwrap() == segment(name, n),
                "{playlist} {uri}"
            );
        }
    }
}

const VIDEO: (&str, &str, usize) = ("video/0.m3u8", "v", 4);
const ENGLISH: (&str, &str, usize) = ("audio/1.m3u8", "en", 2);

fn kind_of<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    answer.expect_err("it is refused").code().to_owned()
}

#[test]
fn an_asset_is_at_its_destination_when_it_is_complete_and_not_before() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let hold = origin.hold(|it| it.target.starts_with("/v-3.ts"));
    let task = Arc::new(shelf.task(&origin));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    hold.wait_for(1);
    assert_eq!(shelf.names(), ["film.download"]);
    assert_eq!(task.state(), ItemState::InProgress);
    assert!(DownloadedAsset::open(shelf.film()).unwrap().is_none());
    hold.release();
    let location = running.join().unwrap().unwrap();

    assert_eq!(shelf.names(), ["film"]);
    check_plays(&location, &[VIDEO, ENGLISH]);
    assert_eq!((location.root.as_path(), location.folder.as_str()), (shelf.film().as_path(), "media"));
    assert_eq!(task.state(), ItemState::Completed);
    let asset = DownloadedAsset::open(shelf.film()).unwrap().unwrap();
    assert_eq!((asset.title.as_str(), &asset.location), ("Film", &location));
    assert_eq!(asset.tracks.iter().filter_map(|it| it.language.as_deref()).collect::<Vec<_>>(), ["en"]);
    assert_eq!(asset.duration, Some(Duration::from_secs(16)));

    origin.clear_requests();
    assert_eq!(task.run().unwrap(), location);
    assert_eq!(shelf.task(&origin).run().unwrap(), location);
    assert!(origin.requests().is_empty(), "a finished asset is not asked for again");
}

#[test]
fn auxiliary_contents_come_in_the_same_asset() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8"));
    let task = AssetDownloadTask::builder(asset, shelf.film()).auxiliary(in_language("fr")).build().unwrap();
    check_plays(&task.run().unwrap(), &[VIDEO, ENGLISH, ("audio/2.m3u8", "fr", 2)]);
}

#[test]
fn a_single_media_file_is_the_file_at_its_destination() {
    let shelf = Shelf::new();
    let mut film = bytes(3, 20 << 20);
    film.splice(0..12, *b"\0\0\0\x18ftypisom");
    let origin = origin(BTreeMap::from([("/film.mp4".to_owned(), film.clone())]));
    let second = "bytes=8388608-16777215";
    origin.fault(Rule::from(Fault::status(500)).when(move |it| it.header("range") == Some(second)).first(1));
    let destination = shelf.0.path().join("shelf/film.mp4");
    let asset = RemoteAsset::new(id("x"), origin.url("/film.mp4"));
    let task = || {
        let one = std::num::NonZeroU16::MIN;
        let task = AssetDownloadTask::builder(asset.clone(), &destination);
        task.transfers(|it| it.retry(ONCE).connections(one)).build().unwrap()
    };
    assert_eq!(kind_of(task().run()), "status");
    assert_eq!(shelf.names(), ["film.mp4.download"]);
    let task = task();
    let location = task.run().unwrap();

    assert_eq!(shelf.names(), ["film.mp4"]);
    assert_eq!(location.master_path(), destination);
    assert!(fs::read(&destination).unwrap() == film);
    let first = origin.requests().iter().filter(|it| it.header("range") == Some("bytes=0-8388607")).count();
    assert_eq!(first, 1, "what is done is not fetched again");
    assert_eq!(task.run().unwrap(), location, "the task knows what it has done");
    let progress = task.progress();
    assert_eq!((progress.downloaded_bytes, progress.duration, progress.loaded.len()), (20 << 20, None, 0));
}

#[test]
fn a_suspended_task_waits_and_goes_on_where_it_was() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let hold = origin.hold(|it| it.target.starts_with("/v-2.ts"));
    let task = Arc::new(shelf.task(&origin));
    let events = task.subscribe();
    task.suspend();
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    let state = |expected: ItemState| {
        while let Some(event) = events.recv() {
            if matches!(event, dtg_core::Event::State { state, .. } if state == expected) {
                return;
            }
        }
        panic!("it is never {expected}");
    };
    state(ItemState::Paused);
    assert!(origin.requests().is_empty(), "suspended before it ran");
    task.resume();
    hold.wait_for(1);
    task.suspend();
    state(ItemState::Paused);
    hold.release();
    let before = media_asked(&origin);
    let kept = task.progress();
    assert!(kept.downloaded_bytes > 0 && kept.fraction < 1.0, "{kept:?}");
    origin.clear_requests();
    task.resume();
    check_plays(&running.join().unwrap().unwrap(), &[VIDEO, ENGLISH]);
    let again: Vec<_> = media_asked(&origin).split(' ').map(str::to_owned).collect();
    let twice = again.iter().filter(|path| before.contains(path.as_str())).count();
    assert!(twice <= 2, "only what was in flight is fetched again: {before} and {again:?}");
}

#[test]
fn a_cancelled_task_answers_so_and_leaves_what_is_there_for_another_one() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let hold = origin.hold(|it| it.target.starts_with("/v-3.ts"));
    let task = Arc::new(shelf.task(&origin));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    hold.wait_for(1);
    assert_eq!(kind_of(shelf.task(&origin).run()), "locked", "one task at a time has a destination");
    assert_eq!(kind_of(task.run()), "locked", "and one call at a time has a task");
    task.cancel();
    assert_eq!(kind_of(running.join().unwrap()), "cancelled");
    hold.release();
    assert_eq!(kind_of(task.run()), "cancelled", "for good");
    assert_eq!(shelf.names(), ["film.download"]);
    origin.clear_requests();
    check_plays(&shelf.task(&origin).run().unwrap(), &[VIDEO, ENGLISH]);
    assert!(!media_asked(&origin).contains("v-0.ts"), "{}", media_asked(&origin));
    assert!(origin.requests().iter().all(|it| !it.target.contains("m3u8")), "the playlists were stored");
}

#[test]
fn what_a_running_task_shows_of_itself_holds_no_token() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let hold = origin.hold(|it| it.target.starts_with("/v-1.ts"));
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8?token=canary"));
    let task = Arc::new(shelf.task_of(asset));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    hold.wait_for(1);
    let shown = format!("{task:?}");
    hold.release();
    running.join().unwrap().unwrap();
    assert!(shown.contains("master.m3u8") && !shown.contains("canary"), "{shown}");
}

#[test]
fn what_cannot_be_loaded_leaves_nothing_behind() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let task = shelf.task_of(RemoteAsset::new(id("x"), origin.url("/nothing.m3u8?ks=secret")));
    let error = task.run().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Status(404)) && !error.to_string().contains("secret"),
        "{error}"
    );
    assert_eq!(task.state(), ItemState::Failed);
    assert!(shelf.names().is_empty());
}

#[test]
fn another_address_of_the_same_encode_goes_on_and_another_encode_is_refused() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    origin.fault(Rule::from(Fault::status(500)).on("/v-3.ts").first(1));
    assert_eq!(kind_of(shelf.task(&origin).run()), "status");
    origin.clear_requests();
    let mut other = presentation("");
    add(&mut other, "v", 3, 4, "");
    let elsewhere = crate::support::origin(other);
    assert_eq!(kind_of(shelf.task(&elsewhere).run()), "another-encode");
    let fresh = shelf.task_of(RemoteAsset::new(id("x"), origin.url("/master.m3u8?token=2")));
    check_plays(&fresh.run().unwrap(), &[VIDEO, ENGLISH]);
    assert!(!media_asked(&origin).contains("v-0.ts"), "{}", media_asked(&origin));
}

#[test]
fn loaded_time_ranges_tell_what_plays() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let hold = origin.hold(|it| it.target.starts_with("/v-2.ts"));
    let task = Arc::new(shelf.task(&origin));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    hold.wait_for(1);
    // The other connection goes on: until the last segment that is not held is there.
    while task.progress().loaded.len() < 2 {
        thread::yield_now();
    }
    let seconds = |progress: &dtg_core::AssetProgress| -> Vec<(u64, u64)> {
        progress.loaded.iter().map(|it| (it.start.as_secs(), it.end.as_secs())).collect()
    };
    let progress = task.progress();
    assert_eq!(seconds(&progress), [(0, 8), (12, 16)]);
    assert_eq!(progress.duration, Some(Duration::from_secs(16)));
    assert_eq!(progress.downloaded_bytes, 25_000);
    hold.release();
    running.join().unwrap().unwrap();
    let progress = task.progress();
    assert_eq!((seconds(&progress), progress.downloaded_bytes), (vec![(0, 16)], 30_000));
    assert!((progress.fraction - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_task_for_a_finished_asset_shows_how_much_there_is() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    shelf.task(&origin).run().unwrap();
    let task = shelf.task(&origin);
    task.run().unwrap();
    let progress = task.progress();
    assert_eq!((progress.downloaded_bytes, progress.estimated_bytes), (30_000, 30_000));
    assert_eq!(progress.loaded.len(), 1);
}

#[test]
fn a_finished_asset_stays_completed_whatever_is_cancelled() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let task = shelf.task(&origin);
    let location = task.run().unwrap();
    task.cancel();
    assert_eq!(task.run().unwrap(), location);
    assert_eq!(task.state(), ItemState::Completed);
    assert_eq!(kind_of(task.augment(&[in_language("fr")])), "cancelled");
    assert_eq!(task.state(), ItemState::Completed);
}

#[test]
fn sidecars_come_with_the_asset_and_stay_with_it() {
    let mut files = presentation("");
    files.insert("/poster.jpg".into(), b"a picture".to_vec());
    files.insert("/film.mp4".into(), segment("film", 0));
    let (shelf, origin) = (Shelf::new(), origin(files));
    let poster = Sidecar {
        role: SidecarRole::Thumbnail,
        url: origin.url("/poster.jpg"),
        language: None,
        name: None,
        mime_type: Some("image/jpeg".into()),
    };
    let task = |name: &str| {
        let asset = RemoteAsset::new(id("x"), origin.url(name));
        AssetDownloadTask::builder(asset, shelf.film()).sidecars(vec![poster.clone()]).build().unwrap()
    };
    assert_eq!(kind_of(task("/film.mp4").run()), "setting", "a file has no place for them");
    let check = |location: &ItemLocation| {
        let [local] = &location.sidecars[..] else { panic!("one sidecar") };
        assert_eq!(local.sidecar, poster);
        assert_eq!(fs::read(location.folder_path().join(&local.file)).unwrap(), b"a picture");
    };
    check(&task("/master.m3u8").run().unwrap());
    check(&task("/master.m3u8").augment(&[in_language("fr")]).unwrap());
    assert_eq!(origin.requests().iter().filter(|it| it.path() == "/poster.jpg").count(), 1, "fetched once");
    check(&DownloadedAsset::open(shelf.film()).unwrap().unwrap().location);
}
