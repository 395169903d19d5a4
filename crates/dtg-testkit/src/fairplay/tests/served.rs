//! The key server over real HTTP, and a device's half of an exchange.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::rng;
use crate::fairplay::*;
use crate::{Fault, RetryAfter};

/// What is sent, with the fields that a protocol wants around it.
fn body(protocol: &Protocol, spc: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(spc);
    match protocol.spc {
        SpcShape::Raw => spc.to_vec(),
        SpcShape::Base64 => text.into_bytes(),
        SpcShape::Form(field) => {
            let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
            format!("{field}={encoded}&assetId=x").into_bytes()
        }
        SpcShape::Json(pointer) => {
            let names = pointer.trim_start_matches('/').rsplit('/');
            let json = names.fold(serde_json::json!(text), |inner, name| serde_json::json!({ name: inner }));
            json.to_string().into_bytes()
        }
    }
}

/// The CKC of a body, where the protocol has it.
fn ckc(protocol: &Protocol, body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let text = match protocol.ckc {
        CkcShape::Raw => return body.to_vec(),
        CkcShape::Base64 => text.into_owned(),
        CkcShape::Tag => text.trim().replace("<ckc>", "").replace("</ckc>", ""),
        CkcShape::Json { path, .. } => {
            let json: serde_json::Value = serde_json::from_slice(body).unwrap();
            json.pointer(&format!("/{}", path.join("/"))).unwrap().as_str().unwrap().to_owned()
        }
    };
    STANDARD.decode(text).unwrap()
}

pub(super) fn post(url: &str, body: &[u8], headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let request =
        headers.iter().fold(agent.post(url), |request, (name, value)| request.header(*name, *value));
    let mut response = request.send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
}

fn content() -> ContentKey {
    ContentKey::derived(b"movie-1")
}

fn server() -> KeyServer {
    let server = KeyServer::start(7).unwrap();
    server.add_content("movie-1", content());
    server
}

fn begin(server: &KeyServer, seed: u64) -> (Vec<u8>, Exchange) {
    let content = SpcContent { asset_id: b"movie-1", device: [4; 20], created: 1_700_000_000, sync: None };
    Exchange::begin(&content, server.certificate(), &Deployment::test(), &mut rng(seed)).unwrap()
}

/// Asks for a license in one protocol, and opens it.
fn licensed(server: &KeyServer, protocol: &Protocol, seed: u64) -> Result<License, Malformed> {
    let (spc, exchange) = begin(server, seed);
    let (status, answer) = post(&server.license_url(protocol), &body(protocol, &spc), &[]);
    assert_eq!(status, 200, "{}: {}", protocol.name, String::from_utf8_lossy(&answer));
    exchange.open(&ckc(protocol, &answer))
}

#[test]
fn every_protocol_gives_the_content_key() {
    let server = server();
    let names: BTreeSet<_> = Protocol::ALL.iter().map(|protocol| protocol.name).collect();
    assert_eq!(names.len(), Protocol::ALL.len());
    for (seed, protocol) in (1..).zip(&Protocol::ALL) {
        let license = licensed(&server, protocol, seed).unwrap();
        assert_eq!(license.content_key.key, content().key, "{}", protocol.name);
        assert_eq!(license.content_key.iv, content().iv);
        assert_eq!(license.duration.unwrap().kind, KeyKind::Persist);
    }
    assert_eq!(server.granted(), Protocol::ALL.len());
    let first = server.exchanges().remove(0);
    let spc = first.spc.unwrap();
    assert_eq!((spc.asset_id, spc.device, spc.version), (b"movie-1".to_vec(), [4; 20], 1));
    assert_eq!(first.token.as_deref(), Some("e30="));
}

#[test]
fn an_spc_has_what_every_spc_has_in_an_order_that_its_seed_decides() {
    let must = [
        tag::SESSION_KEY_R1,
        tag::INTEGRITY,
        tag::ANTI_REPLAY_SEED,
        tag::R2,
        tag::RETURN_REQUEST,
        tag::ASSET_ID,
        tag::TRANSACTION_ID,
        tag::VERSIONS_SUPPORTED,
        tag::VERSION_USED,
        tag::STREAMING_INDICATOR,
        tag::PLAYBACK_STATE,
        tag::CAPABILITIES,
        tag::OFFLINE_SYNC,
    ];
    for (credentials, version) in [(Credentials::test_1024(), 1), (Credentials::test_2048(), 2)] {
        let mut orders = BTreeSet::new();
        for seed in 0..20 {
            let content = SpcContent { asset_id: b"movie-1", device: [4; 20], created: 9, sync: None };
            let made =
                Exchange::begin(&content, &credentials.certificate, &Deployment::test(), &mut rng(seed));
            let spc = SpcContainer::read(&made.unwrap().0).unwrap();
            assert_eq!(spc.version.number(), version);
            let tllvs = spc.open(&credentials.private_key, Reading::Strict).unwrap();
            let tags: Vec<u64> = tllvs.all.iter().map(|tllv| tllv.tag).collect();
            assert!(must.iter().all(|tag| tags.contains(tag)) && tags.len() > must.len(), "{tags:x?}");
            orders.insert(tags.iter().position(|tag| *tag == tag::ASSET_ID));
        }
        assert!(orders.len() > 5, "{orders:?}");
    }
}

#[test]
fn certificates_of_2048_bits_are_served_too() {
    let credentials = vec![Credentials::test_2048()];
    let server = KeyServer::start_with(1, Deployment::test(), credentials).unwrap();
    server.add_content("movie-1", content());
    assert_eq!(licensed(&server, &Protocol::RAW, 1).unwrap().content_key.key, content().key);
    assert_eq!(server.exchanges()[0].spc.as_ref().unwrap().version, 2);
}

#[test]
fn the_certificate_is_handed_out() {
    let server = server();
    let mut answer = ureq::get(server.certificate_url()).call().unwrap();
    assert_eq!(answer.body_mut().read_to_vec().unwrap(), server.certificate());
}

#[track_caller]
fn check_refused(server: &KeyServer, spc: &[u8], status: u16, refusal: Refusal) {
    let (got, _) = post(&server.license_url(&Protocol::RAW), spc, &[]);
    assert_eq!(got, status);
    assert_eq!(server.exchanges().pop().unwrap().outcome, LicenseOutcome::Refused(refusal));
}

#[test]
fn an_spc_is_answered_once_and_only_by_who_can_open_it() {
    let server = server();
    let (spc, exchange) = begin(&server, 1);
    let url = server.license_url(&Protocol::RAW);
    let (_, answer) = post(&url, &spc, &[]);
    assert!(exchange.open(&answer).is_ok());
    check_refused(&server, &spc, 400, Refusal::Replayed);
    check_refused(&server, server.certificate(), 400, Refusal::Spc(Malformed::Certificate));

    let other = KeyServer::start_with(1, Deployment::test(), vec![Credentials::test_2048()]).unwrap();
    check_refused(&other, &begin(&server, 2).0, 400, Refusal::Certificate);
    let deployment = Deployment { ask: Ask([1; 16]), ..Deployment::test() };
    let other = KeyServer::start_with(1, deployment, vec![Credentials::test_1024()]).unwrap();
    let mismatch = Malformed::Mismatch("the integrity of session key and R1");
    check_refused(&other, &begin(&server, 3).0, 400, Refusal::Spc(mismatch));
    let empty = KeyServer::start(1).unwrap();
    check_refused(&empty, &begin(&server, 4).0, 404, Refusal::Content);
}

#[test]
fn a_request_without_an_spc_or_an_allowed_token_is_refused() {
    let server = server();
    let url = server.license_url(&Protocol::KALTURA);
    assert_eq!(post(&url, b"not base64!", &[]).0, 400);
    assert_eq!(server.exchanges()[0].outcome, LicenseOutcome::NoSpc);
    assert_eq!(ureq::get(&url).call().unwrap_err().to_string(), "http status: 405");

    server.allow_tokens(["fresh"]);
    let with = |seed, token: &str| {
        let spc = begin(&server, seed).0;
        post(&server.license_url(&Protocol::AXINOM), &spc, &[("X-AxDRM-Message", token)]).0
    };
    assert_eq!((with(1, "stale"), with(2, "fresh")), (401, 200));
    assert_eq!(post(&url, &body(&Protocol::KALTURA, &begin(&server, 3).0), &[]).0, 401);
}

#[test]
fn a_denial_is_said_in_the_body_with_the_status_that_is_wished() {
    let server = server();
    server.set_policy(Policy::denying(200, "internal server error"));
    let (spc, _) = begin(&server, 1);
    let (status, answer) =
        post(&server.license_url(&Protocol::KALTURA), &body(&Protocol::KALTURA, &spc), &[]);
    let expected = r#"{"message":"internal server error","reference":null,"status_code":500}"#;
    assert_eq!((status, String::from_utf8(answer).unwrap().as_str()), (200, expected));
    assert_eq!(server.exchanges()[0].outcome, LicenseOutcome::Denied);
    server.set_policy_of("movie-1", Policy::default());
    assert!(licensed(&server, &Protocol::RAW, 2).is_ok());
}

#[track_caller]
fn check_flaw(flaw: Flaw, expected: Option<Malformed>) {
    let server = server();
    assert!(licensed(&server, &Protocol::RAW, 1).is_ok());
    server.set_policy(Policy::with_flaw(flaw));
    let opened = licensed(&server, &Protocol::RAW, 2);
    match expected {
        Some(expected) => assert_eq!(opened.unwrap_err(), expected, "{flaw:?}"),
        None => assert!(opened.is_ok(), "{flaw:?}"),
    }
}

#[test]
fn a_ckc_that_is_spoilt_is_not_taken() {
    check_flaw(Flaw::OtherR1, Some(Malformed::Mismatch("R1")));
    check_flaw(Flaw::NothingReturned, Some(Malformed::Mismatch("what the SPC asked back")));
    check_flaw(Flaw::Version, Some(Malformed::Version(3)));
    check_flaw(Flaw::NewerServer, None);
    for flaw in [Flaw::EarlierExchange, Flaw::Cut] {
        let server = server();
        assert!(licensed(&server, &Protocol::RAW, 1).is_ok());
        server.set_policy(Policy::with_flaw(flaw));
        assert!(licensed(&server, &Protocol::RAW, 2).is_err(), "{flaw:?}");
    }
}

/// The body of Kaltura's protocol under a policy.
fn kaltura(policy: Policy, seed: u64) -> String {
    let server = server();
    server.set_policy(policy);
    let (spc, _) = begin(&server, seed);
    let (_, answer) = post(&server.license_url(&Protocol::KALTURA), &body(&Protocol::KALTURA, &spc), &[]);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn replies_can_be_spoilt_in_every_way_that_is_known() {
    let flawed = |flaw| kaltura(Policy::with_flaw(flaw), 1);
    assert_eq!(flawed(Flaw::EmptyLicense), r#"{"ckc":""}"#);
    assert_eq!(flawed(Flaw::NullLicense), r#"{"ckc":null}"#);
    assert_eq!(flawed(Flaw::NoLicense), "{}");
    assert_eq!(flawed(Flaw::EmptyBody), "");
    assert!(flawed(Flaw::ByteOrderMark).starts_with("\u{feff}{"));
    assert!(flawed(Flaw::NotBase64).contains('!'));
    assert!(flawed(Flaw::Lines).contains(r"\r\n"));
    assert!(!flawed(Flaw::UrlBase64).contains(['=', '+']));
    let twice: serde_json::Value = serde_json::from_str(&flawed(Flaw::DoubleBase64)).unwrap();
    let once = STANDARD.decode(twice["ckc"].as_str().unwrap()).unwrap();
    assert!(CkcContainer::read(&STANDARD.decode(once).unwrap()).is_ok());
}

#[test]
fn what_is_granted_is_in_the_license_and_stated_beside_it() {
    let stated = |policy| {
        let json: serde_json::Value = serde_json::from_str(&kaltura(policy, 1)).unwrap();
        json.get("persistence_duration").cloned()
    };
    assert_eq!(stated(Policy::granting(Grant::PersistFor(60))), Some(60.into()));
    assert_eq!(stated(Policy::granting(Grant::Persist)), None);
    let policy = Policy { stated: Stated::Json(r#""86400""#.to_owned()), ..Policy::default() };
    assert_eq!(stated(policy), Some("86400".into()));
    let policy = Policy { stated: Stated::Nothing, ..Policy::granting(Grant::PersistFor(60)) };
    assert_eq!(stated(policy), None);

    let granted = |grant, seed| {
        let server = server();
        server.set_policy(Policy { hdcp: Some(Hdcp::Type1), ..Policy::granting(grant) });
        let license = licensed(&server, &Protocol::RAW, seed).unwrap();
        (
            license.duration.map(|it| (it.lease, it.rental, it.kind)),
            license.offline.map(|it| (it.storage, it.playback)),
        )
    };
    let never = u32::MAX;
    assert_eq!(granted(Grant::Unlimited, 1), (None, None));
    assert_eq!(granted(Grant::Lease(5), 2), (Some((5, 0, KeyKind::Lease)), None));
    assert_eq!(granted(Grant::Rental(5), 3), (Some((never, 5, KeyKind::Rental)), None));
    assert_eq!(granted(Grant::Persist, 4), (Some((never, 0, KeyKind::Persist)), None));
    assert_eq!(granted(Grant::PersistFor(5), 5), (Some((never, 5, KeyKind::PersistLimited)), None));
    let dual = Grant::Dual { storage: 30, playback: 2 };
    assert_eq!(granted(dual, 6), (Some((never, 30, KeyKind::PersistLimited)), Some((30, 2))));
}

#[test]
fn the_origin_s_faults_are_the_key_server_s() {
    let server = server();
    let ask = |seed| post(&server.license_url(&Protocol::RAW), &begin(&server, seed).0, &[]);
    server.origin().fault(Fault::Status { status: 429, retry_after: Some(RetryAfter::Seconds(9)) }.first(1));
    assert_eq!(ask(1).0, 429);
    server.origin().fault(Fault::Html.on("/license/*").first(1));
    let (status, page) = ask(2);
    assert!(status == 200 && page.starts_with(b"<"), "{}", String::from_utf8_lossy(&page));
    assert_eq!(ask(3).0, 200);
    assert_eq!(server.origin().requests().len(), 3);
    let url = server.license_url(&Protocol::RAW);
    server.origin().stop();
    assert!(ureq::post(&url).send(&b""[..]).is_err());
}
