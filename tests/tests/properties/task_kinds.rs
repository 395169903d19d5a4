//! A task is killed with a media file, while it augments an asset, and while it waits for a key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use dtg_core::{
    AssetDownloadTask, AssetTaskBuilder, Cancellation, ContentConfiguration, ItemLocation, KeyRequest,
    Languages, RemoteAsset, Requirements, SelectionOptions,
};
use dtg_testkit::{Memory, Origin};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use crate::chosen::failed;
use crate::download::{Files, files_below, folder, id};
use crate::worker::Worker;

/// Bytes that tell their place and whose they are.
fn media(name: &str, length: usize) -> Vec<u8> {
    let seed = name.bytes().fold(7_usize, |sum, byte| sum * 31 % 251 + usize::from(byte));
    let tail = (0..length).map(|at| u8::try_from((at * 13 + at / 251 + seed) % 251).expect("below 251"));
    b"\0\0\0\x18ftypisom".iter().copied().chain(tail).collect()
}

/// Video under so many keys, and audio in English and French.
fn presentation(keys: usize) -> Files {
    let mut files = BTreeMap::new();
    let mut master = "#EXTM3U\n".to_owned();
    for (language, default) in [("en", "YES"), ("fr", "NO")] {
        master += &format!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"{language}\",LANGUAGE=\"{language}\",DEFAULT={default},URI=\"{language}.m3u8\"\n"
        );
    }
    master += "#EXT-X-STREAM-INF:BANDWIDTH=400000,AUDIO=\"a\"\nv.m3u8\n";
    files.insert("/master.m3u8".to_owned(), master.into_bytes());
    for (track, keys) in [("v", keys), ("en", 0), ("fr", 0)] {
        let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n".to_owned();
        for n in 0..3 {
            if n < keys {
                text += &format!(
                    "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://{n}\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n"
                );
            }
            text += &format!("#EXTINF:4,\n{track}-{n}.ts\n");
            files.insert(format!("/{track}-{n}.ts"), media(&format!("{track}-{n}"), 3000));
        }
        files.insert(format!("/{track}.m3u8"), (text + "#EXT-X-ENDLIST\n").into_bytes());
    }
    files
}

fn builder(asset: RemoteAsset, root: &Utf8Path) -> AssetTaskBuilder {
    let requirements = Requirements { reserve_bytes: 0, ..Requirements::default() };
    AssetDownloadTask::builder(asset, root.join("asset")).transfers(|it| it.requirements(requirements))
}

fn all_audio() -> ContentConfiguration {
    SelectionOptions { audio: Languages::All, ..SelectionOptions::default() }.into()
}

/// The segments of these tracks are what the origin has.
fn check_media(location: &ItemLocation, tracks: &[(&str, &str)]) -> Result<(), TestCaseError> {
    let files = files_below(&location.folder_path());
    for (track, folder) in tracks {
        for n in 0..3 {
            let is_right =
                files.get(&format!("{folder}/{n:06}.ts")) == Some(&media(&format!("{track}-{n}"), 3000));
            prop_assert!(is_right, "{track}-{n} in {folder}");
        }
    }
    Ok(())
}

const TWO: [(&str, &str); 2] = [("v", "video/0"), ("en", "audio/1")];
const THREE: [(&str, &str); 3] = [("v", "video/0"), ("en", "audio/1"), ("fr", "audio/2")];

/// What lies where assets are.
fn names(root: &Utf8Path) -> BTreeSet<String> {
    let entries = root.read_dir_utf8().expect("a folder");
    entries.map(|it| it.expect("an entry").file_name().to_owned()).collect()
}

fn only_asset() -> BTreeSet<String> {
    BTreeSet::from(["asset".to_owned()])
}

proptest! {
    // A process for each case: an eighth of the cases that the others have.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..ProptestConfig::default() })]

    #[test]
    fn a_task_for_a_media_file_that_is_killed_at_any_byte_ends_with_that_file(
        length in 1_usize..100_000,
        byte in any::<Index>(),
        connections in 1_u16..=3,
    ) {
        let film = media("film", length);
        let origin = Origin::start(Memory::new(BTreeMap::from([("/film.mp4".to_owned(), film.clone())]))).expect("loopback");
        let (root, url) = (folder(), origin.url("/film.mp4"));
        let hold = origin.hold_body(byte.index(film.len()) as u64, |_| true);
        let mut worker = Worker::task("task", &root.path().join("asset"), &url, connections);
        hold.wait_for(1);
        worker.kill();
        hold.release();
        prop_assert!(!root.path().join("asset").exists(), "half is no asset");
        let location = builder(RemoteAsset::new(id(), &url), root.path()).build().map_err(failed)?.run().map_err(failed)?;
        prop_assert!(std::fs::read(location.master_path()).expect("a file") == film);
        prop_assert_eq!(names(root.path()), only_asset());
    }

    #[test]
    fn an_augmentation_that_is_killed_at_any_byte_leaves_the_asset_playing_and_the_next_one_ends_it(
        at in any::<Index>(),
        byte in any::<Index>(),
        connections in 1_u16..=3,
    ) {
        let files = presentation(0);
        let origin = Origin::start(Memory::new(files.clone())).expect("loopback");
        let (root, url) = (folder(), origin.url("/master.m3u8"));
        let task = || builder(RemoteAsset::new(id(), &url), root.path()).build().map_err(failed);
        let before = task()?.run().map_err(failed)?;
        let places = ["/master.m3u8", "/v.m3u8", "/fr.m3u8", "/fr-0.ts", "/fr-1.ts", "/fr-2.ts"];
        let place = *at.get(&places);
        let hold = origin.hold_body(byte.index(files[place].len()) as u64, move |request| request.path() == place);
        let mut worker = Worker::task("augment", &root.path().join("asset"), &url, connections);
        hold.wait_for(1);
        worker.kill();
        hold.release();
        check_media(&before, &TWO)?;
        let location = task()?.augment(&[all_audio()]).map_err(failed)?;
        check_media(&location, &THREE)?;
        prop_assert_eq!(names(root.path()), only_asset());
    }

    #[test]
    fn a_task_that_is_killed_while_it_waits_for_a_key_asks_for_all_of_them_again(
        keys in 2_usize..=3,
        connections in 1_u16..=3,
    ) {
        let origin = Origin::start(Memory::new(presentation(keys))).expect("loopback");
        let (root, url) = (folder(), origin.url("/master.m3u8"));
        let mut worker = Worker::task("keys", &root.path().join("asset"), &url, connections);
        worker.wait_for_word();
        worker.kill();
        prop_assert!(!root.path().join("asset").exists(), "without its keys it is no asset");
        let asked: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let loader = {
            let asked = Arc::clone(&asked);
            move |request: &KeyRequest, _: &Cancellation| {
                asked.lock().expect("nobody panicked").push(request.uri.clone());
                Ok(())
            }
        };
        let asset = RemoteAsset::new(id(), &url).with_key_loader(loader);
        let task = builder(asset, root.path()).primary(all_audio()).build().map_err(failed)?;
        let location = task.run().map_err(failed)?;
        check_media(&location, &THREE)?;
        let expected: Vec<_> = (0..keys).map(|n| Some(format!("skd://{n}"))).collect();
        prop_assert_eq!(&*asked.lock().expect("nobody panicked"), &expected);
        prop_assert_eq!(task.progress().keys, keys);
        prop_assert_eq!(names(root.path()), only_asset());
    }
}
