//! The other mechanism: keys are obtained while the asset is downloaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use dtg_core::AssetDownloadTask;
use dtg_testkit::fairplay::Policy;
use dtg_testkit::{Memory, Origin};
use fairplay_keys::{Answer, Cancel, Token, TokenError, TokenNeed, TokenSource};
use local_assets::{ErrorKind, FairPlaySetup, LocalAssetsManager, Protection};
use media_entry::{MediaEntry, MediaSource, Platform};

use crate::world::*;

fn origin(session: &[&str], video: &[&str], audio: &[&str]) -> Origin {
    let files: BTreeMap<String, Vec<u8>> = site(session, video, audio)
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.into_bytes()))
        .chain([("/0.ts".to_owned(), vec![0x47; 1880])])
        .collect();
    Origin::start(Memory::new(files)).unwrap()
}

#[test]
fn a_prepared_asset_is_registered_once_its_download_is_complete() {
    let world = World::new();
    let assets = world.assets(world.folder());
    let origin = origin(&["movie-1"], &["movie-1"], &["audio-1"]);
    let mut entry = MediaEntry::new("1_abc");
    entry.sources = vec![world.source(&origin.url("/master.m3u8"))];
    let (asset, source) = assets.prepare_entry_for_download(&entry).unwrap();
    let task = AssetDownloadTask::builder(asset, world.root.path().join("film")).build().unwrap();
    let location = task.run().unwrap();
    origin.stop();
    assert_eq!(world.server.granted(), 2);
    world.server.origin().stop();

    let registration = assets.register_downloaded_asset(&location, source).unwrap();
    assert_eq!((registration.protection, registration.keys.len()), (Protection::FairPlay, 2));
    for id in ["movie-1", "audio-1"] {
        assert_eq!(world.plays(&assets, id), Ok(Answer::Stored));
    }
    world.check_answers();
}

#[test]
fn a_refused_license_ends_the_task_and_the_next_run_goes_on() {
    let world = World::new();
    let assets = world.assets(world.folder());
    let origin = origin(&["movie-1"], &["movie-1"], &["audio-1"]);
    let source = world.source(&origin.url("/master.m3u8"));
    let run = || {
        let asset = assets.prepare_for_download(remote(&source), &source).unwrap();
        AssetDownloadTask::builder(asset, world.root.path().join("film")).build().unwrap().run()
    };
    world.server.set_policy_of("audio-1", Policy::denying(403, "not for you"));
    let error = run().unwrap_err();
    assert!(error.to_string().contains("HTTP status 403"), "{error}");
    world.server.set_policy_of("audio-1", Policy::default());
    let location = run().unwrap();
    assert_eq!(world.server.granted(), 2, "the key that was there stayed");
    assert!(assets.register_downloaded_asset(&location, &source).is_ok());
}

/// A part of the application's that panics.
#[derive(Debug)]
struct Panics;

impl TokenSource for Panics {
    #[expect(clippy::panic, reason = "that is what is tested")]
    fn token(&self, _: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        panic!("a token source of the application's")
    }
}

#[test]
fn a_token_source_that_panics_during_a_download_ends_the_task_with_an_error() {
    let world = World::new();
    let setup = FairPlaySetup { tokens: Arc::new(Panics), ..world.setup(world.folder()) };
    let assets = LocalAssetsManager::new(Platform::desktop()).with_fair_play(setup).unwrap();
    let origin = origin(&["movie-1"], &["movie-1"], &["movie-1"]);
    let source = world.source(&origin.url("/master.m3u8"));
    let asset = assets.prepare_for_download(remote(&source), &source).unwrap();
    let task = AssetDownloadTask::builder(asset, world.root.path().join("film")).build().unwrap();
    let error = task.run().unwrap_err();
    assert!(error.to_string().contains("a part of the application's panicked"), "{error}");
    world.check_answers();
}

#[test]
fn what_needs_no_keys_is_prepared_without_and_what_cannot_be_is_refused() {
    let world = World::new();
    let assets = LocalAssetsManager::new(Platform::desktop());
    let clear = MediaSource::new("hls", "https://h.test/a.m3u8");
    assert!(!assets.prepare_for_download(remote(&clear), &clear).unwrap().has_key_loader());
    let source = world.source("https://h.test/a.m3u8");
    let error = assets.prepare_for_download(remote(&source), &source).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FairPlayNotSupported { .. }), "{error}");
    let error = assets.prepare_entry_for_download(&MediaEntry::new("1_abc")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoSource(_)), "{error}");
}
