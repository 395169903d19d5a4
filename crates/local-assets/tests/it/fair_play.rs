//! FairPlay assets from registration to renewal, against a real key server.

use std::time::Duration;

use dtg_core::ItemId;
use dtg_testkit::fairplay::{Flaw, Grant, LicenseOutcome, OfflineSync, Policy, Stated, Step};
use dtg_testkit::{Ending, Fault};
use fairplay_keys::{
    Answer, AssetId, Cancel, ContentKeySystem, Intent, KeyErrorKind, KeyUri, Online, Phase, PlanWarning,
    Released, StoreError, SystemFault, Timestamp, UserAction, read_fpskey,
};
use local_assets::{DataStore, Delivery, ErrorKind, LocalAssetsManager, Protection};
use media_entry::{DrmParams, MediaSource, Platform};

use crate::world::*;

const DAY: u32 = 86_400;

#[test]
fn a_registered_asset_plays_without_a_network() {
    let Downloaded { world, content, location, assets } = downloaded(&movie());
    world.server.set_policy(Policy::granting(Grant::PersistFor(30 * DAY)));
    let registration =
        assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap();
    assert_eq!((registration.protection, registration.warnings.len()), (Protection::FairPlay, 0));
    let (key_uri, info) = &registration.keys[0];
    assert_eq!((key_uri.as_str(), info.remaining), ("skd://movie-1", Some(Duration::from_secs(30 * 86_400))));
    let asked = &world.server.origin().requests()[0];
    assert!(
        asked.target.ends_with("&playSessionId=s-1&clientTag=dtg%2Ftest&referrer=YXBw"),
        "{}",
        asked.target
    );

    world.server.origin().stop();
    drop(assets);
    let assets = world.assets(world.folder());
    assets.recover(&content).unwrap();
    assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored));
    world.check_answers();
}

#[test]
fn registering_twice_asks_once_and_needs_no_license_address_the_second_time() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    let source = world.source("https://h.test/a.m3u8");
    let first = assets.register_downloaded_asset(&location, &source).unwrap();
    let bare = MediaSource::new("hls", "https://h.test/a.m3u8");
    assert_eq!(assets.register_downloaded_asset(&location, &bare).unwrap(), first);
    assert_eq!(world.server.granted(), 1);
}

#[test]
fn every_key_of_the_downloaded_tracks_is_obtained_and_no_other() {
    let site = site(&["uhd-1", "movie-1"], &["movie-1"], &["audio-1"]);
    let Downloaded { world, location, assets, .. } = downloaded(&site);
    world.server.set_policy_of("uhd-1", Policy::denying(403, "not for you"));
    let registration =
        assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap();
    let keys: Vec<&str> = registration.keys.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["skd://movie-1", "skd://audio-1"]);
    for id in ["movie-1", "audio-1"] {
        assert_eq!(world.plays(&assets, id), Ok(Answer::Stored));
    }
}

#[test]
fn a_key_that_no_session_key_names_is_found_with_a_warning() {
    let Downloaded { world, location, assets, .. } = downloaded(&site(&[], &["movie-1"], &["movie-1"]));
    let registration =
        assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap();
    assert!(
        matches!(&registration.warnings[..], [PlanWarning::NoSessionKey(key)] if key.as_str() == "skd://movie-1")
    );
    assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored));
}

#[test]
fn a_presentation_without_any_key_is_refused_with_the_line_that_is_missing() {
    let Downloaded { world, location, assets, .. } = downloaded(&site(&[], &[], &[]));
    let error =
        assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error.kind(), ErrorKind::NoSessionKey { .. }), "{message}");
    for part in ["master.m3u8", "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://", "Allow FairPlay Offline"]
    {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(world.server.exchanges().len(), 0);
}

#[test]
fn clear_content_is_registered_at_once_with_fair_play_set_up() {
    let world = World::new();
    let content = world.content();
    let location = world.download(&content, "1_abc", &site(&[], &[], &[]));
    let source = MediaSource::new("hls", "https://h.test/a.m3u8");
    let registration = world.assets(world.folder()).register_downloaded_asset(&location, &source).unwrap();
    assert_eq!((registration.protection, registration.keys.len()), (Protection::Clear, 0));
}

#[test]
fn what_a_license_takes_and_a_source_lacks_is_named() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    let check = |drm: Vec<DrmParams>, expected: &str| {
        let source = MediaSource { drm, ..MediaSource::new("hls", "https://h.test/a.m3u8") };
        let error = assets.register_downloaded_asset(&location, &source).unwrap_err();
        assert_eq!(error.to_string(), format!("asset `1_abc`: {expected}"));
    };
    let takes = |what: &str| format!("its source has no {what}, which a FairPlay license takes");
    check(vec![], &takes("FairPlay parameters"));
    check(
        vec![DrmParams { license_uri: None, ..DrmParams::fair_play("", *b"c") }],
        &takes("license address"),
    );
    check(
        vec![DrmParams::fair_play("https://l.test/", *b"<html>")],
        "a web page where the certificate is due",
    );
    check(
        vec![DrmParams::fair_play("http://l.test/fps?token=canary", world.server.certificate())],
        "key `skd://movie-1`, http://l.test/fps: licenses are asked for over https only",
    );
}

#[test]
fn without_a_key_store_an_asset_is_refused_before_its_license_is_asked_for() {
    let world = World::new();
    let content = world.content();
    let location = world.download(&content, "1_abc", &movie());
    let assets = world.assets(DataStore::None);
    let error =
        assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap_err();
    let ErrorKind::Key(error) = error.kind() else { panic!("{error}") };
    assert_eq!(error.kind(), &KeyErrorKind::Store(StoreError::NoStore));
    assert_eq!(world.server.exchanges().len(), 0);
}

#[test]
fn a_renewal_gives_fresh_time_and_one_that_fails_takes_none() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    world.server.set_policy(Policy::granting(Grant::PersistFor(10 * DAY)));
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    assert!(assets.due(Timestamp(NOW)).unwrap().is_empty());
    world.clock.advance(Duration::from_secs(u64::from(9 * DAY) + 1));
    let due = assets.due(Timestamp(NOW + i64::from(9 * DAY) + 1)).unwrap();
    assert_eq!(due[0].assets[0].as_str(), "1_abc");

    world.server.set_policy(Policy::denying(403, "rented out"));
    let error = assets.renew_downloaded_asset(&location, &source, &Cancel::new()).unwrap_err();
    let ErrorKind::Key(error) = error.kind() else { panic!("{error}") };
    assert_eq!(error.user_action(), UserAction::Purchase);
    assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored));

    world.server.set_policy(Policy::granting(Grant::PersistFor(10 * DAY)));
    let renewed = assets.renew_downloaded_asset(&location, &source, &Cancel::new()).unwrap();
    assert_eq!(renewed.keys[0].1.remaining, Some(Duration::from_secs(u64::from(10 * DAY))));
    assert!(assets.due(Timestamp(NOW + i64::from(9 * DAY) + 1)).unwrap().is_empty());
    world.check_answers();
}

#[test]
fn a_renewal_obtains_the_keys_too_that_never_were() {
    let Downloaded { world, location, assets, .. } =
        downloaded(&site(&["movie-1"], &["movie-1"], &["audio-1"]));
    let source = world.source("https://h.test/a.m3u8");
    let (asset, key_uri) = (AssetId::new("1_abc").unwrap(), KeyUri::new("skd://movie-1").unwrap());
    let license = assets.license_source(&source).unwrap();
    let met = assets.keys().unwrap().acquire_more(&asset, &key_uri, &license, &Cancel::new());
    assert!(met.unwrap().result.is_ok());
    let renewed = assets.renew_downloaded_asset(&location, &source, &Cancel::new()).unwrap();
    assert_eq!((renewed.keys.len(), world.server.granted()), (2, 3));
    for id in ["movie-1", "audio-1"] {
        assert_eq!(world.plays(&assets, id), Ok(Answer::Stored));
    }
}

#[test]
fn a_renewal_that_fails_at_any_step_of_device_server_or_network_leaves_the_working_key() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    let check = |what: &dyn std::fmt::Debug| {
        assert!(assets.renew_downloaded_asset(&location, &source, &Cancel::new()).is_err(), "{what:?}");
        assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored), "{what:?}");
    };
    for step in [Step::Open, Step::Spc, Step::Accept] {
        world.device.fail_next(step, SystemFault::Other { code: -1, message: "no".to_owned() });
        check(&step);
    }
    for flaw in [Flaw::OtherR1, Flaw::NothingReturned, Flaw::EarlierExchange, Flaw::Cut, Flaw::Version] {
        world.server.set_policy(Policy::with_flaw(flaw));
        check(&flaw);
    }
    world.server.set_policy(Policy::default());
    let faults = [
        Fault::Html,
        Fault::Empty,
        Fault::NoAnswer(Ending::Reset),
        Fault::Cut { after: 100, ending: Ending::Fin },
        Fault::LengthOff(10),
        Fault::GzipBomb(1 << 26),
        Fault::RedirectLoop,
        Fault::Redirect { status: 302, location: "https://h.test/".to_owned() },
    ];
    for fault in faults {
        world.server.origin().fault(fault.clone());
        check(&fault);
        world.server.origin().clear_faults();
    }
    world.server.origin().stop();
    check(&"nobody there");
    world.check_answers();
}

#[test]
fn an_expired_key_is_renewed_at_playback_by_what_the_source_says() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    world.server.set_policy(Policy::granting(Grant::PersistFor(DAY)));
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    world.clock.advance(Duration::from_secs(u64::from(DAY) + 1));
    let (asset, license) = (AssetId::new("1_abc").unwrap(), assets.license_source(&source).unwrap());
    let request = world.device.open(&KeyUri::new("skd://movie-1").unwrap(), Intent::Play).unwrap();
    let online = Online { asset: &asset, license: &license, deadline: Duration::from_secs(600) };
    assert_eq!(assets.keys().unwrap().answer_online(request, online), Ok(Answer::Renewed));
    assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored));
    world.check_answers();
}

#[test]
fn dual_expiry_is_the_devices_and_ours_alike() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    world.server.set_policy(Policy::granting(Grant::Dual { storage: 30 * DAY, playback: DAY }));
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    let id = ItemId::new("1_abc").unwrap();
    let info = || assets.license_expiration_info(&id).unwrap().unwrap().expiration().unwrap();
    assert_eq!(info().phase, Phase::Storage);
    assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored));
    assert!(matches!(info().phase, Phase::Playback { since: Timestamp(NOW) }));
    world.clock.advance(Duration::from_secs(u64::from(DAY)));
    assert_eq!(world.plays(&assets, "movie-1"), Ok(Answer::Stored), "the updated key is what is stored");
    world.clock.advance(Duration::from_secs(1));
    let expired = world.plays(&assets, "movie-1").unwrap_err();
    assert!(matches!(expired.kind(), KeyErrorKind::Expired { phase: Phase::Playback { .. }, .. }));
    assert_eq!(expired.user_action(), UserAction::Renew);
    world.check_answers();
}

#[test]
fn a_devices_report_on_a_key_is_taken_by_the_server_that_says_what_is_left() {
    let world = World::new();
    world.server.set_policy(Policy::granting(Grant::Dual { storage: 30 * DAY, playback: DAY }));
    let content = world.content();
    let location = world.download(&content, "1_abc", &movie());
    let assets = world.assets(world.folder());
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    world.clock.advance(Duration::from_secs(u64::from(DAY)));
    let (asset, key_uri) = (AssetId::new("1_abc").unwrap(), KeyUri::new("skd://movie-1").unwrap());
    let license = assets.license_source(&source).unwrap();
    let info = assets.keys().unwrap().ask_expiration(&asset, &key_uri, &license, &Cancel::new()).unwrap();
    assert_eq!(info.remaining, Some(Duration::from_secs(u64::from(29 * DAY))));
    let last = world.server.exchanges().pop().unwrap();
    assert_eq!(last.outcome, LicenseOutcome::Reported);
    let Some(OfflineSync::Remaining { seconds, .. }) = last.spc.unwrap().sync else { panic!("no report") };
    assert_eq!(seconds, 29 * DAY, "server and device agree with us");
}

#[test]
fn the_times_that_servers_state_are_taken_as_they_are_written() {
    let check = |stated: &str, expected: Result<u64, &str>| {
        let world = World::new();
        world.server.set_policy(Policy { stated: Stated::Json(stated.to_owned()), ..Policy::default() });
        let content = world.content();
        let location = world.download(&content, "1_abc", &movie());
        let assets = world.assets(world.folder());
        let registered = assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8"));
        let got =
            registered.map(|it| it.keys[0].1.remaining.unwrap().as_secs()).map_err(|error| error.to_string());
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{stated}"),
            (Err(got), Err(expected)) => assert!(got.contains(expected), "{stated}: {got}"),
            (got, _) => panic!("{stated}: {got:?}"),
        }
    };
    check("\"86400\"", Ok(86_400));
    check("86400.5", Ok(86_400));
    check("0", Err("states a time that is none: `0`"));
    check("-1", Err("states a time that is none: `-1`"));
}

#[test]
fn an_asset_is_unregistered_by_its_id_when_its_media_are_gone_and_the_server_is_told_later() {
    let Downloaded { world, content, location, assets } = downloaded(&movie());
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    let id = ItemId::new("1_abc").unwrap();
    content.remove_item(&id).unwrap();
    let released = assets.unregister_downloaded_asset(&id).unwrap();
    assert!(matches!(&released[..], [(key, Released::Queued)] if key.as_str() == "skd://movie-1"));
    assert_eq!(assets.unregister_downloaded_asset(&id).unwrap(), []);
    assert_eq!(assets.license_expiration_info(&id).unwrap(), None);
    assert!(world.plays(&assets, "movie-1").is_err());
    let pending = assets.keys().unwrap().pending_releases().unwrap();
    assert_eq!(pending[0].asset.as_str(), "1_abc");
    let delivered = assets.deliver_releases(&Cancel::new()).unwrap();
    assert!(matches!(&delivered[..], [Delivery { result: Ok(()), .. }]));
    assert_eq!(assets.keys().unwrap().pending_releases().unwrap(), []);
    assert_eq!(world.server.exchanges().last().unwrap().outcome, LicenseOutcome::Reported);
}

#[test]
fn each_proof_goes_to_its_own_service_and_a_refusal_of_one_holds_up_no_other() {
    let (world, other) = (World::new(), World::new());
    let content = world.content();
    let assets = world.assets(world.folder());
    let ids: Vec<ItemId> = ["1_abc", "2_def"].map(|id| ItemId::new(id).unwrap()).to_vec();
    let sources = [world.source("https://h.test/a.m3u8"), other.source("https://h.test/b.m3u8")];
    let sites = [movie(), site(&["uhd-1"], &["uhd-1"], &["uhd-1"])];
    for ((id, source), site) in ids.iter().zip(&sources).zip(&sites) {
        let location = world.download(&content, id.as_str(), site);
        assets.register_downloaded_asset(&location, source).unwrap();
        assets.unregister_downloaded_asset(id).unwrap();
    }
    let delivered = |world: &World| {
        let exchanges = world.server.exchanges();
        exchanges.iter().filter(|it| it.outcome == LicenseOutcome::Reported).count()
    };
    world.server.origin().fault(Fault::Status { status: 403, retry_after: None });
    let results: Vec<_> =
        assets.deliver_releases(&Cancel::new()).unwrap().into_iter().map(|it| it.result.is_ok()).collect();
    assert_eq!(results.iter().filter(|taken| **taken).count(), 1);
    assert_eq!((delivered(&world), delivered(&other)), (0, 1));
    world.server.origin().clear_faults();
    let again = assets.deliver_releases(&Cancel::new()).unwrap();
    assert!(
        matches!(&again[..], [Delivery { release, result: Ok(()) }] if release.asset.as_str() == "1_abc")
    );
    assert_eq!((delivered(&world), delivered(&other)), (1, 1));
    assert!(assets.deliver_releases(&Cancel::new()).unwrap().is_empty());
    assets.deliver_release(&again[0].release, &sources[0], &Cancel::new()).unwrap();
    assert_eq!(delivered(&world), 1, "what was taken is not sent again");
}

#[test]
fn without_a_key_store_there_is_nothing_to_unregister() {
    let world = World::new();
    let id = ItemId::new("1_abc").unwrap();
    assert_eq!(world.assets(DataStore::None).unregister_downloaded_asset(&id).unwrap(), []);
}

#[test]
fn a_license_server_that_stumbles_is_asked_again_with_a_new_spc() {
    let Downloaded { world, location, assets, .. } = downloaded(&movie());
    world.server.origin().fault(Fault::Status { status: 503, retry_after: None }.first(2));
    let source = world.source("https://h.test/a.m3u8");
    assets.register_downloaded_asset(&location, &source).unwrap();
    assert_eq!(world.server.origin().requests().len(), 3);
    assert_eq!(world.server.granted(), 1);
    world.check_answers();
}

#[test]
fn a_key_of_kalturas_player_is_taken_over() {
    let world = World::new();
    let content = world.content();
    let location = world.download(&content, "1_abc", &movie());
    let source = world.source("https://h.test/a.m3u8");
    let first = world.assets(world.folder());
    first.register_downloaded_asset(&location, &source).unwrap();
    let imported = read_fpskey("movie-1.fpskey", b"raw key of an old version").unwrap();
    let id = AssetId::new("1_abc").unwrap();
    first.keys().unwrap().import(&id, &imported).unwrap();
    assert_eq!(world.plays(&first, "movie-1"), Ok(Answer::Stored), "a key that is there stays");
}

#[test]
fn a_manager_without_fair_play_says_that_it_is_not_set_up() {
    let world = World::new();
    let content = world.content();
    let location = world.download(&content, "1_abc", &movie());
    let assets = LocalAssetsManager::new(Platform::desktop());
    let error =
        assets.register_downloaded_asset(&location, &world.source("https://h.test/a.m3u8")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FairPlayNotSupported { .. }), "{error}");
}
