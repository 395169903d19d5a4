//! Obtaining keys.

use std::time::Duration;

use super::world::*;
use crate::*;

fn kind(result: Result<AssetKeys, KeyError>) -> KeyErrorKind {
    match result {
        Err(error) => error.kind().clone(),
        Ok(keys) => keys.first_error().expect("a key failed").kind().clone(),
    }
}

#[test]
fn keys_are_obtained_once_and_stay() {
    let world = World::new().with_terms(Limit::Within(DAY * 30), Limit::Unspecified);
    let keys = world.acquire("a", &["k1", "k2"]).unwrap();
    assert!(keys.is_ready());
    let infos: Vec<_> = keys.keys.iter().map(|key| key.result.clone().unwrap()).collect();
    assert!(infos.iter().all(|(how, info)| (*how, info.remaining) == (Obtained::Licensed, Some(DAY * 30))));
    let again = world.acquire("a", &["k1", "k2"]).unwrap();
    assert!(again.keys.iter().all(|key| key.result.as_ref().unwrap().0 == Obtained::Stored));
    assert_eq!(world.server.asked(), 2);
    world.check_answers();
}

#[test]
fn an_asset_without_fair_play_is_not_protected_at_once() {
    let world = World::new();
    assert_eq!(kind(world.acquire("a", &[])), KeyErrorKind::NotProtected);
    assert_eq!(world.server.asked(), 0);
}

#[test]
fn more_keys_than_the_limit_are_refused_before_any_is_asked_for() {
    let world = World::new();
    let names: Vec<String> = (0..65).map(|key| format!("k{key}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(kind(world.acquire("a", &names)), KeyErrorKind::TooManyKeys { count: 65, limit: 64 });
    assert_eq!(world.server.asked(), 0);
    assert!(world.acquire("a", &names[..64]).unwrap().is_ready());
}

#[test]
fn a_platform_that_stores_no_keys_is_told_before_any_is_asked_for() {
    let world = World::new();
    *world.platform.no_persistence.lock().unwrap() = true;
    assert_eq!(kind(world.acquire("a", &["k1"])), SystemFault::PersistenceUnsupported.into());
    assert_eq!(world.server.asked(), 0);
}

#[test]
fn one_key_that_fails_leaves_the_others_and_the_next_call_goes_on() {
    let world = World::new();
    world.server.then([Mood::Licenses, Mood::Status(403, &[]), Mood::Licenses]);
    let keys = world.acquire("a", &["k1", "k2", "k3"]).unwrap();
    let ok: Vec<bool> = keys.keys.iter().map(|key| key.result.is_ok()).collect();
    assert_eq!(ok, [true, false, true]);
    assert!(!keys.is_ready());
    assert!(!world.engine.status(&asset("a")).unwrap().unwrap().is_playable());
    assert!(world.acquire("a", &["k1", "k2", "k3"]).unwrap().is_ready());
    assert_eq!(world.server.asked(), 4, "only what was missing is asked for again");
    world.check_answers();
}

#[test]
fn weather_is_tried_again_with_a_new_spc_and_a_refusal_is_not() {
    let weather = [Mood::Unreachable, Mood::Status(503, &[]), Mood::Status(429, &[("retry-after", "7")])];
    let world = World::new();
    world.server.then(weather);
    assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
    assert_eq!(world.server.asked(), 4);
    assert!(world.clock.monotonic() >= Duration::from_secs(1 + 2 + 7));
    world.check_answers();

    let refusals = [
        (Mood::Status(403, &[]), KeyErrorKind::Status { status: 403, retry_after: None }),
        (
            Mood::Body(b"{\"message\": \"no\"}"),
            KeyErrorKind::ServerRejected { code: None, message: "no".to_owned() },
        ),
        (Mood::Body(b"<html>"), ReplyFault::WebPage.into()),
        (Mood::Body(b""), ReplyFault::Empty.into()),
        (Mood::Body(&[0, 0, 0, 1]), CkcFault::TooShort(4).into()),
        (Mood::OtherLicense, SystemFault::Ckc.into()),
    ];
    for (mood, expected) in refusals {
        let world = World::new();
        world.server.then([mood]);
        assert_eq!(kind(world.acquire("a", &["k1"])), expected);
        assert_eq!((world.server.asked(), world.stored("k1")), (1, None));
        world.check_answers();
    }
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let world = World::new();
    *world.server.always.lock().unwrap() = Some(Mood::Unreachable);
    let keys = world.acquire("a", &["k1"]).unwrap();
    let message = keys.first_error().unwrap().to_string();
    assert_eq!(message, "key `skd://k1`, https://l.test/fps: connection refused after 4 attempts");
    world.check_answers();
}

#[derive(Debug)]
struct Tokens;

impl TokenSource for Tokens {
    fn token(&self, need: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        let text = if need.freshness == Freshness::Renewed { "fresh" } else { "old" };
        Ok(Some(Token::new(text)))
    }
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let source = LicenseSource { tokens: std::sync::Arc::new(Tokens), ..license() };
    let acquire = |moods: &[Mood]| {
        let world = World::new();
        world.server.then(moods.to_vec());
        let keys = world.engine.acquire(&asset("a"), &plan(&["k1"]), &source, &Cancel::new()).unwrap();
        world.check_answers();
        (keys.is_ready(), world.server.asked())
    };
    let refused = Mood::Status(401, &[]);
    assert_eq!(acquire(&[refused.clone(), Mood::Licenses]), (true, 2));
    assert_eq!(acquire(&[refused.clone(), refused]), (false, 2));
}

#[test]
fn what_the_server_states_beside_the_license_counts_with_it() {
    let check = |says: &'static str, expected: Result<Duration, &str>| {
        let world = World::new().with_terms(Limit::Within(DAY * 2), Limit::Unspecified);
        world.server.then([Mood::Says(says)]);
        let keys = world.acquire("a", &["k1"]).unwrap();
        let result = keys.keys[0].result.clone().map(|(_, info)| info.remaining.unwrap());
        let expected = expected.map_err(|text| ReplyFault::Duration(text.to_owned()).into());
        assert_eq!(result.map_err(|error| error.kind().clone()), expected);
        world.check_answers();
    };
    check(", \"persistence_duration\": 86400", Ok(DAY));
    check(", \"persistence_duration\": 864000", Ok(DAY * 2));
    check(", \"persistence_duration\": null", Ok(DAY * 2));
    check(", \"persistence_duration\": 0", Err("0"));
    check(", \"persistence_duration\": -1", Err("-1"));
}

#[test]
fn a_stated_time_that_is_none_does_not_hinder_playing_online() {
    let world = World::new();
    world.server.then([Mood::Says(", \"persistence_duration\": 0")]);
    assert_eq!(world.answer_online("k1", DAY), Ok(Answer::Streamed));
    world.check_answers();
}

#[test]
fn a_cancelled_call_ends_and_leaves_nothing_half_done() {
    let world = World::new();
    let cancel = Cancel::new();
    world.server.then([Mood::Cancels(cancel.clone())]);
    let keys = world.engine.acquire(&asset("a"), &plan(&["k1", "k2"]), &license(), &cancel).unwrap();
    assert!(keys.keys.iter().all(|key| *key.result.as_ref().unwrap_err().kind() == KeyErrorKind::Cancelled));
    assert_eq!((world.stored("k1"), world.stored("k2")), (None, None));
    world.check_answers();
}

#[test]
fn without_a_store_no_license_is_asked_for() {
    let world = World::new();
    let engine = Engine::new(EngineParts {
        system: world.platform.clone(),
        store: std::sync::Arc::new(NoStore),
        transport: world.server.clone(),
        clock: world.clock.clone(),
        policy: EnginePolicy::default(),
    });
    let result = engine.acquire(&asset("a"), &plan(&["k1"]), &license(), &Cancel::new());
    assert_eq!(kind(result), StoreError::NoStore.into());
    assert_eq!(world.server.asked(), 0);
}

#[test]
fn an_expired_key_is_asked_for_again_and_a_key_of_an_old_plan_goes() {
    let world = World::new().with_terms(Limit::Within(DAY), Limit::Unspecified);
    world.acquire("a", &["k1", "k2"]).unwrap();
    world.clock.advance(DAY + Duration::from_secs(1));
    assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
    assert_eq!(world.stored("k1").as_deref(), Some("skd://k1 #3"));
    assert_eq!(world.stored("k2"), None);
}

#[test]
fn a_store_that_fails_at_any_operation_leaves_all_keys_or_none_of_a_key() {
    for failing in FAILINGS {
        for after in 0.. {
            let mut world = World::new();
            world.store.failing(failing);
            world.store.fail_from(after);
            let result = world.acquire("a", &["k1"]);
            let failed = world.store.has_failed();
            assert_eq!(failed, !result.is_ok_and(|keys| keys.is_ready()), "{failing:?} {after} operations");
            world.check_answers();
            world.restart();
            assert_eq!(world.engine.recover().unwrap(), Recovered::default());
            assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
            if !failed {
                break;
            }
        }
    }
}

#[test]
fn imported_keys_play_and_have_the_end_they_came_with() {
    let world = World::new();
    let imported =
        read_fpskey("k1.fpskey", br#"{"expiryDate": 821692810, "data": "c2tkOi8vazEgb2xk"}"#).unwrap();
    world.engine.import(&asset("a"), &imported).unwrap();
    let status = world.engine.status(&asset("a")).unwrap().unwrap();
    let info = status.expiration().unwrap();
    assert_eq!((info.source, info.remaining), (TermsSource::Imported, Some(Duration::from_secs(10))));
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    assert_eq!(world.platform.last(), "stored skd://k1 old");
}

#[test]
fn keys_that_a_download_meets_one_by_one_are_all_the_assets() {
    let world = World::new();
    for key in ["k1", "k2", "k1"] {
        let outcome = world.engine.acquire_more(&asset("a"), &uri(key), &license(), &Cancel::new()).unwrap();
        assert!(outcome.result.is_ok());
    }
    assert_eq!(world.server.asked(), 2);
    assert!(world.engine.status(&asset("a")).unwrap().unwrap().is_playable());
    assert_eq!(world.engine.release(&asset("a")).unwrap().len(), 2);
}

/// A service of the application's that panics.
#[derive(Debug)]
struct Panics;

impl LicenseProvider for Panics {
    fn content_id(&self, key_uri: &KeyUri) -> Result<ContentId, Error> {
        ContentIdRule::WholeUri.apply(key_uri)
    }

    fn request(&self, _: &Spc, _: &LicenseContext<'_>) -> Result<HttpRequest, KeyError> {
        panic!("a provider of the application's")
    }

    fn parse(&self, _: &HttpResponse) -> Result<LicenseReply, KeyError> {
        panic!("a provider of the application's")
    }
}

#[test]
fn a_provider_that_panics_is_an_error_like_others_and_leaves_nothing_half_done() {
    let world = World::new();
    let source = LicenseSource { provider: std::sync::Arc::new(Panics), ..license() };
    let acquired = world.engine.acquire(&asset("a"), &plan(&["k1"]), &source, &Cancel::new());
    assert_eq!(kind(acquired), KeyErrorKind::Panicked);
    let failed = "failed: a part of the application's panicked";
    assert_eq!((world.platform.last().as_str(), world.stored("k1")), (failed, None));
    assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
    world.check_answers();
}

#[test]
fn a_certificate_that_the_platform_rejects_is_fetched_anew_once() {
    let world = World::new();
    let provider = TemplateProvider {
        content_id: ContentIdRule::WholeUri,
        certificate: Some(LicenseUrl::new("https://l.test/certificate")),
        ..TemplateProvider::kaltura()
    };
    let source = LicenseSource { provider: std::sync::Arc::new(provider), ..license() };
    let acquire = |key: &str| {
        world.engine.acquire_more(&asset("a"), &uri(key), &source, &Cancel::new()).unwrap().result
    };
    let fetched =
        || world.server.urls.lock().unwrap().iter().filter(|url| url.contains("certificate")).count();
    *world.platform.rejects.lock().unwrap() = vec![certificate(7)];
    assert!(acquire("k1").is_ok() && acquire("k2").is_ok());
    assert_eq!(fetched(), 1, "what was fetched is remembered");
    let stored = world.store.get(&Slot::Key(uri("k1"))).unwrap().unwrap();
    let record = record::KeyRecord::decode(&stored.record).unwrap();
    assert_eq!(
        record.certificate.unwrap(),
        certificate(8).as_der(),
        "proofs are made for the one that was taken"
    );

    *world.platform.rejects.lock().unwrap() = vec![certificate(7), certificate(8)];
    assert_eq!(acquire("k3").unwrap_err().kind(), &SystemFault::Certificate.into());
    assert_eq!(fetched(), 2, "once each time");
    assert_eq!(kind(world.acquire("b", &["k4"])), SystemFault::Certificate.into());
    world.check_answers();
}

#[test]
fn a_content_identifier_that_is_too_short_or_too_long_is_refused_before_any_network() {
    let host = TemplateProvider::kaltura();
    let source = LicenseSource { provider: std::sync::Arc::new(host), ..license() };
    for key in ["", "a", &"x".repeat(201)] {
        let world = World::new();
        let keys = world.engine.acquire(&asset("a"), &plan(&[key]), &source, &Cancel::new()).unwrap();
        assert!(matches!(keys.first_error().unwrap().kind(), KeyErrorKind::KeyUri(_)), "{key}");
        assert_eq!(world.server.asked(), 0);
        world.check_answers();
    }
}

#[test]
fn a_store_that_breaks_a_record_has_its_key_obtained_again() {
    let world = World::new();
    world.acquire("a", &["k1"]).unwrap();
    world.store.break_next();
    assert!(world.acquire("a", &["k1"]).unwrap().is_ready());
    assert_eq!(world.answer("k1"), Ok(Answer::Stored));
    world.check_answers();
}
