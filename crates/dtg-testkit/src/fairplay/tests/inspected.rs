//! Containers for the eye.

use super::rng;
use crate::fairplay::bytes::hex;
use crate::fairplay::cipher::anti_replay_key;
use crate::fairplay::*;

const DASK: Key = Key([9; 16]);

fn spc() -> Vec<u8> {
    let session =
        SessionKeyR1 { session_key: Key([1; 16]), device: [2; 20], r1: [3; 44], integrity: [4; 16] };
    let tllvs: Tllvs = [
        Tllv::new(0xff, [0; 3]),
        Tllv::new(tag::ASSET_ID, *b"asset-1"),
        Tllv::new(tag::SESSION_KEY_R1, session.seal(DASK, [5; 16]).unwrap()),
        Tllv::new(tag::INTEGRITY, [4; 16]),
        Tllv::new(tag::ANTI_REPLAY_SEED, [6; 16]),
        Tllv::new(tag::R2, [7; 21]),
        Tllv::new(tag::RETURN_REQUEST, tag::TRANSACTION_ID.to_be_bytes()),
        Tllv::new(tag::TRANSACTION_ID, [8; 8]),
    ]
    .into_iter()
    .collect();
    SpcContainer::seal(&tllvs, &Credentials::test_1024().certificate, &mut rng(3)).unwrap().to_bytes()
}

fn ckc() -> Vec<u8> {
    let duration = Duration { lease: u32::MAX, rental: 60, kind: KeyKind::PersistLimited };
    let tllvs: Tllvs = [
        Tllv::new(tag::R1, [3; 44]),
        Tllv::new(tag::CONTENT_KEY, [1; 32]),
        Tllv::new(tag::DURATION, duration.to_bytes()),
    ]
    .into_iter()
    .collect();
    CkcContainer::seal(&tllvs, anti_replay_key(&[3; 44], [6; 16]), [0; 16]).unwrap().to_bytes()
}

fn keys() -> Keys {
    let private_key = Some(Credentials::test_1024().private_key);
    Keys { private_key, dask: Some(DASK), spc: Some(spc()) }
}

/// What is said of the first TLLV with this name.
fn said(found: &Inspection, name: &str) -> String {
    let tllv = found.tllvs.iter().find(|tllv| tllv.name == name).unwrap();
    let fields: Vec<_> = tllv.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    fields.join(", ")
}

#[test]
fn without_a_key_the_outer_fields_are_shown() {
    let found = inspect(&spc(), &Keys::default()).unwrap();
    assert_eq!((found.kind, found.tllvs.len()), ("SPC", 0));
    assert!(found.fields.contains(&("version", "1".to_owned())));
    assert_eq!(found.remarks, ["the payload stays closed: no private key was given"]);
    assert_eq!(inspect(&ckc(), &Keys::default()).unwrap().kind, "CKC");
}

#[test]
fn with_the_private_key_every_tllv_of_an_spc_is_shown() {
    let found = inspect(&spc(), &Keys { dask: None, ..keys() }).unwrap();
    assert_eq!(found.remarks, [""; 0]);
    assert_eq!(found.tllvs.len(), 8);
    let unknown = &found.tllvs[0];
    assert_eq!((unknown.tag, unknown.length, unknown.block, unknown.value.as_str()), (0xff, 3, 16, "000000"));
    assert_eq!(found.tllvs[1].at, 32);
    assert_eq!(said(&found, "asset id"), "text: asset-1");
    assert_eq!(said(&found, "return request"), "asks back: 47aa7ad3440577de (transaction id)");
    assert_eq!(said(&found, "session key and R1"), "");
}

#[test]
fn with_the_derived_key_session_key_and_r1_open_and_the_ckc_does_too() {
    let found = inspect(&spc(), &keys()).unwrap();
    assert!(said(&found, "session key and R1").contains(&format!("R1: {}", "03".repeat(44))));
    let found = inspect(&ckc(), &keys()).unwrap();
    assert_eq!(found.remarks[0], "R1 is the SPC's");
    let expected = "lease: none, rental: 60 s, kind: 18f06048 (PersistLimited)";
    assert_eq!(said(&found, "content key duration"), expected);
}

#[test]
fn with_the_session_key_the_content_key_of_a_ckc_is_shown() {
    let found = inspect(&ckc(), &keys()).unwrap();
    let expected = hex(&Key([1; 16]).decrypt_block([1; 16]));
    assert!(said(&found, "encrypted content key").ends_with(&format!("content key: {expected}")));
}

#[test]
fn what_the_spc_asked_back_and_did_not_get_is_said() {
    let found = inspect(&ckc(), &keys()).unwrap();
    let missing = "the SPC asks 47aa7ad3440577de back, and it is not there as it was";
    assert_eq!(found.remarks, ["R1 is the SPC's", missing]);
}

#[test]
fn bytes_behind_a_container_are_said_and_do_not_hide_it() {
    for (container, kind) in [(spc(), "SPC"), (ckc(), "CKC")] {
        let found = inspect(&[&container[..], b"\r\n"].concat(), &keys()).unwrap();
        assert_eq!(found.kind, kind);
        assert_eq!(found.remarks.last().unwrap(), "2 bytes follow the end of the container");
    }
}

#[test]
fn private_keys_are_taken_as_they_come() {
    let pem = include_str!("../keys/test-1024.pem");
    let (head, rest) = pem.split_once('\n').unwrap();
    let (body, _) = rest.split_once("-----END").unwrap();
    let one_line: String = body.split_whitespace().collect();
    let tail = head.replace("BEGIN", "END");
    let open = |pem: &str| {
        let keys = Keys { private_key: Some(PrivateKey::from_pem(pem)?), ..Keys::default() };
        inspect(&spc(), &keys).map(|found| found.tllvs.len())
    };
    for pem in [
        pem.replace('\n', "\r\n"),
        format!("{head}\n{one_line}\n{tail}"),
        format!("Bag Attributes\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n{pem}"),
    ] {
        assert_eq!(open(&pem), Ok(8), "{pem}");
    }
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(open(encrypted), Err(Malformed::Key("the private key is encrypted")));
    for pem in ["", "x", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"] {
        assert!(matches!(open(pem), Err(Malformed::Key(_))), "{pem}");
    }
}

#[test]
fn keys_that_do_not_fit_are_said_and_what_is_outside_is_still_shown() {
    let wrong = Keys { private_key: Some(Credentials::test_2048().private_key), ..keys() };
    let found = inspect(&spc(), &wrong).unwrap();
    assert_eq!(
        found.remarks,
        ["the payload stays closed: the wrapped key does not open with this private key"]
    );
    let found = inspect(&spc(), &Keys { dask: Some(Key([8; 16])), ..keys() }).unwrap();
    assert_eq!(found.remarks, ["the integrity of session key and R1 does not match"]);
    assert_eq!(found.tllvs.len(), 8);
}

#[test]
fn what_is_no_container_is_refused_with_a_reason() {
    let certificate = Credentials::test_1024().certificate;
    assert_eq!(inspect(&certificate, &Keys::default()), Err(Malformed::Certificate));
    assert_eq!(
        inspect(&ckc()[..40], &Keys::default()),
        Err(Malformed::Ends { at: 28, needed: 144, left: 12 })
    );
}
