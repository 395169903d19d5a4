//! Reading and writing containers.

use proptest::prelude::*;

use crate::fairplay::bytes::hex;
use crate::fairplay::cipher::{anti_replay_key, sha1};
use crate::fairplay::*;

/// A TLLV as section by section of the format: tag, block, value's length, value, padding.
const TRANSACTION: &str = "47aa7ad3440577de 00000010 00000008 0102030405060708 a1a2a3a4a5a6a7a8";

fn bytes(text: &str) -> Vec<u8> {
    from_hex(&text.replace(' ', "")).unwrap()
}

#[track_caller]
fn check_payload(text: &str, expected: Result<&[(u64, &str)], Malformed>) {
    let read = Tllvs::read(&bytes(text), Reading::Strict);
    let read =
        read.map(|tllvs| tllvs.all.into_iter().map(|tllv| (tllv.tag, hex(&tllv.value))).collect::<Vec<_>>());
    assert_eq!(
        read,
        expected.map(|all| all.iter().map(|(tag, value)| (*tag, (*value).to_owned())).collect())
    );
}

#[test]
fn a_payload_is_a_row_of_tagged_values() {
    let transaction = (tag::TRANSACTION_ID, "0102030405060708");
    check_payload("", Ok(&[]));
    check_payload(TRANSACTION, Ok(&[transaction]));
    let unknown = "00000000000000ff 00000000 00000000";
    check_payload(&format!("{unknown}{TRANSACTION}"), Ok(&[(0xff, ""), transaction]));
    // 32 - 8 bytes of padding, and none at all.
    let other = "00000000000000fe 00000020 00000008 1112131415161718 000000000000000000000000000000000000000000000000";
    check_payload(other, Ok(&[(0xfe, "1112131415161718")]));
    let full = "00000000000000fd 00000010 00000010 00112233445566778899aabbccddeeff";
    check_payload(full, Ok(&[(0xfd, "00112233445566778899aabbccddeeff")]));
}

#[test]
fn strict_reading_refuses_what_breaks_a_rule() {
    let odd = "00000000000000ff 00000008 00000008 0102030405060708";
    check_payload(odd, Err(Malformed::Block { at: 0, tag: 0xff, length: 8 }));
    let long = "00000000000000ff 00000010 00000011 00112233445566778899aabbccddeeff00";
    check_payload(long, Err(Malformed::Value { at: 0, tag: 0xff, value: 17, block: 16 }));
    let huge = "00000000000000ff fffffff0 fffffff0";
    check_payload(huge, Err(Malformed::Ends { at: 16, needed: 0xffff_fff0, left: 0 }));
    check_payload(&format!("{TRANSACTION}{TRANSACTION}"), Err(Malformed::Duplicate(tag::TRANSACTION_ID)));
    check_payload(&format!("{TRANSACTION}0000"), Err(Malformed::Ends { at: 32, needed: 8, left: 2 }));
}

#[test]
fn lenient_reading_keeps_what_strict_reading_refuses() {
    let twice = bytes(&format!("{TRANSACTION}{TRANSACTION}0000"));
    let read = Tllvs::read(&twice, Reading::Lenient).unwrap();
    assert_eq!((read.all.len(), read.left_over.as_slice()), (2, &[0, 0][..]));
    assert_eq!(read.to_bytes(), twice);
    let odd = bytes("00000000000000ff 00000008 00000008 0102030405060708");
    assert_eq!(Tllvs::read(&odd, Reading::Lenient).unwrap().all.len(), 1);
}

/// An SPC written down field by field.
fn spc_by_hand(version: u32, key: usize, payload: &[u8]) -> Vec<u8> {
    let mut spc = bytes(&format!("{version:08x} 00000000"));
    spc.extend([0x11; 16]);
    spc.extend(vec![0x22; key]);
    spc.extend([0x33; 20]);
    spc.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    spc.extend(payload);
    spc
}

#[test]
fn an_spc_has_its_fields_where_the_format_puts_them() {
    for (version, key, hash_at) in [(1, 128, 152), (2, 256, 280)] {
        let by_hand = spc_by_hand(version, key, &[0x44; 32]);
        assert_eq!(by_hand[hash_at..hash_at + 20], [0x33; 20]);
        let spc = SpcContainer::read(&by_hand).unwrap();
        assert_eq!(spc.version.number(), version);
        assert_eq!((spc.iv, spc.wrapped_key.len()), ([0x11; 16], key));
        assert_eq!(
            (spc.certificate_hash.as_slice(), spc.payload.as_slice()),
            (&[0x33; 20][..], &[0x44; 32][..])
        );
        assert_eq!(spc.to_bytes(), by_hand);
    }
}

#[test]
fn of_an_spc_of_version_3_the_outer_fields_are_read() {
    let mut by_hand = bytes("00000003 00000000");
    by_hand.extend([vec![0x11; 16], vec![0x22; 256], vec![0x33; 32], vec![0; 12]].concat());
    by_hand.extend([vec![0, 0, 0, 32], vec![0x44; 32], vec![0x55; 16]].concat());
    assert_eq!(by_hand[280..312], [0x33; 32]);
    let spc = SpcContainer::read(&by_hand).unwrap();
    assert_eq!((spc.certificate_hash.len(), spc.payload.len()), (32, 32));
    assert_eq!(spc.to_bytes(), by_hand);
    let key = Credentials::test_2048().private_key;
    assert_eq!(spc.open(&key, Reading::Strict), Err(Malformed::Version(3)));
}

#[track_caller]
fn check_no_spc(spc: &[u8], expected: Malformed) {
    assert_eq!(SpcContainer::read(spc), Err(expected));
}

#[test]
fn row_16_what_is_no_spc_is_named_and_a_certificate_gets_a_hint() {
    check_no_spc(&[], Malformed::Ends { at: 0, needed: 4, left: 0 });
    check_no_spc(&bytes("308204d3"), Malformed::Certificate);
    check_no_spc(&Credentials::test_1024().certificate, Malformed::Certificate);
    check_no_spc(&bytes("00000004"), Malformed::Version(4));
    let whole = spc_by_hand(1, 128, &[0x44; 32]);
    check_no_spc(&[&whole[..], &[0]].concat(), Malformed::Trailing(1));
    check_no_spc(&whole[..whole.len() - 1], Malformed::Ends { at: 176, needed: 32, left: 31 });
    check_no_spc(&spc_by_hand(1, 128, &[0x44; 31]), Malformed::Blocks(31));
    assert!(Malformed::Certificate.to_string().contains("certificate"));
}

fn ckc_by_hand(head: &str, length: u32, payload: &[u8]) -> Vec<u8> {
    [&bytes(head)[..], &[0x11; 16], &length.to_be_bytes(), payload].concat()
}

#[test]
fn row_20_a_ckc_is_refused_for_lengths_and_versions_and_not_for_what_is_reserved() {
    let payload = [0x44; 32];
    for head in ["00000001 00000000", "00000001 00000007", "00000002 00000000"] {
        let by_hand = ckc_by_hand(head, 32, &payload);
        let ckc = CkcContainer::read(&by_hand).unwrap();
        assert_eq!((ckc.iv, ckc.payload.as_slice()), ([0x11; 16], &payload[..]));
        assert_eq!(ckc.to_bytes(), by_hand);
    }
    let check = |ckc: &[u8], expected: Malformed| assert_eq!(CkcContainer::read(ckc), Err(expected));
    check(&[0, 0, 0, 1, 0, 0], Malformed::Ends { at: 4, needed: 4, left: 2 });
    check(&ckc_by_hand("00000000 00000000", 32, &payload), Malformed::Version(0));
    check(&ckc_by_hand("00000003 00000000", 32, &payload), Malformed::Version(3));
    check(&ckc_by_hand("00000001 00000000", 31, &payload[..31]), Malformed::Blocks(31));
    check(&ckc_by_hand("00000001 00000000", 16, &payload), Malformed::Trailing(16));
    check(&ckc_by_hand("00000001 00000000", 48, &payload), Malformed::Ends { at: 28, needed: 48, left: 32 });
    let lie = ckc_by_hand("00000001 00000000", u32::MAX, &payload);
    check(&lie, Malformed::Ends { at: 28, needed: 0xffff_ffff, left: 32 });
}

#[test]
fn terms_are_read_and_written_as_the_format_has_them() {
    let duration = bytes("ffffffff 00278d00 18f06048 86d34a3a");
    let read = Duration::read(&duration).unwrap();
    assert_eq!(read, Duration { lease: u32::MAX, rental: 2_592_000, kind: KeyKind::PersistLimited });
    assert_eq!(read.to_bytes(), bytes("ffffffff 00278d00 18f06048 00000000"));
    let content = "00112233445566778899aabbccddeeff";
    let v1 = bytes(&format!("00000001 00000000 {content} 00278d00 00015180"));
    let read = OfflineKey::read(&v1).unwrap();
    assert_eq!((read.storage, read.playback, read.title), (2_592_000, 86_400, None));
    assert_eq!(read.to_bytes(), v1);
    let v2 = bytes(&format!("00000002 00000000 {content} 00278d00 00015180 {content}"));
    assert_eq!(OfflineKey::read(&v2).unwrap().to_bytes(), v2);
    assert!(OfflineKey::read(&v2[..32]).is_err());
}

#[test]
fn a_sync_report_is_read_in_its_three_versions() {
    assert_eq!(OfflineSync::read(&[0; 28]), Ok(None));
    let content = "00112233445566778899aabbccddeeff";
    let v1 = bytes(&format!("00000001 00000000 {content} 00278cfb"));
    let read = OfflineSync::read(&v1).unwrap().unwrap();
    assert!(matches!(read, OfflineSync::Remaining { seconds, .. } if seconds == 2_592_000 - 5));
    assert_eq!(read.to_bytes(), v1);
    let head = format!("00000002 00000000 0102030405060708 0000000000010002 {content} 00000000");
    let v2 = bytes(&format!("{head} 00000002 {content} {content}"));
    let read = OfflineSync::read(&v2).unwrap().unwrap();
    let expected = sync_flag::SUCCESS | sync_flag::SECURE_INVALIDATION;
    assert!(
        matches!(&read, OfflineSync::Report { flags, contents, .. } if *flags == expected && contents.len() == 2)
    );
    assert_eq!(read.to_bytes(), v2);
    let many = bytes(&format!("{head} 000000fb {}", content.repeat(251)));
    assert!(OfflineSync::read(&many).is_err());
}

/// Fields of an SPC's payload that stand for themselves.
fn fields() -> Tllvs {
    let sizes =
        [(tag::ANTI_REPLAY_SEED, 16), (tag::R2, 21), (tag::RETURN_REQUEST, 8), (tag::TRANSACTION_ID, 8)];
    let mut all: Vec<_> = sizes.iter().map(|(tag, size)| Tllv::new(*tag, vec![7; *size])).collect();
    all.push(Tllv::new(tag::ASSET_ID, *b"asset"));
    all.push(Tllv::new(tag::INTEGRITY, [4; 16]));
    let session = session();
    all.push(Tllv::new(tag::SESSION_KEY_R1, session.seal(Key([9; 16]), [5; 16]).unwrap()));
    all.into_iter().collect()
}

fn session() -> SessionKeyR1 {
    SessionKeyR1 { session_key: Key([1; 16]), device: [2; 20], r1: [3; 44], integrity: [4; 16] }
}

#[test]
fn an_spc_opens_with_the_private_key_of_its_certificate_only() {
    for (credentials, other) in [
        (Credentials::test_1024(), Credentials::test_2048()),
        (Credentials::test_2048(), Credentials::test_1024()),
    ] {
        let spc = SpcContainer::seal(&fields(), &credentials.certificate, &mut super::rng(1)).unwrap();
        assert_eq!(spc.certificate_hash, sha1(&credentials.certificate));
        let again = SpcContainer::read(&spc.to_bytes()).unwrap();
        assert_eq!(again.open(&credentials.private_key, Reading::Strict), Ok(fields()));
        assert_eq!(again.open(&other.private_key, Reading::Strict), Err(Malformed::Unwrap));
    }
}

#[test]
fn session_key_and_r1_open_with_the_derived_key_only() {
    let read = SpcFields::read(&fields()).unwrap();
    assert_eq!(read.asset_id, b"asset");
    assert_eq!(SessionKeyR1::open(&read, Key([9; 16])), Ok(session()));
    let refused = Malformed::Mismatch("the integrity of session key and R1");
    assert_eq!(SessionKeyR1::open(&read, Key([8; 16])), Err(refused));
}

#[test]
fn a_field_that_is_missing_or_of_another_size_is_named() {
    let mut tllvs = fields();
    tllvs.all.retain(|tllv| tllv.tag != tag::R2);
    assert_eq!(SpcFields::read(&tllvs), Err(Malformed::Missing { tag: tag::R2, name: "R2" }));
    tllvs.all.push(Tllv::new(tag::R2, [0; 20]));
    assert_eq!(SpcFields::read(&tllvs), Err(Malformed::Form { tag: tag::R2, name: "R2", length: 20 }));
}

#[test]
fn a_ckc_opens_with_the_anti_replay_key_of_its_spc() {
    let tllvs: Tllvs =
        [Tllv::new(tag::R1, [3; 44]), Tllv::new(tag::CONTENT_KEY, [6; 32])].into_iter().collect();
    let ckc = CkcContainer::seal(&tllvs, anti_replay_key(&[3; 44], [7; 16]), [8; 16]).unwrap();
    let opened = ckc.open(anti_replay_key(&[3; 44], [7; 16]), Reading::Strict).unwrap();
    let fields = CkcFields::read(&opened).unwrap();
    assert_eq!((fields.content_iv, fields.r1), ([6; 16], [3; 44]));
    assert!(ckc.open(anti_replay_key(&[3; 44], [6; 16]), Reading::Strict).is_err());
    // SHA-1(R1)[..16] as the key of AES-ECB over the seed, computed by openssl.
    assert_eq!(hex(&anti_replay_key(&[3; 44], [7; 16]).0), "9a7237dae23f9749864d04d7d84709a4");
}

fn any_tllvs() -> impl Strategy<Value = Tllvs> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let tllv = (any::<u64>(), bytes(), 0_usize..4, any::<u8>()).prop_map(|(tag, value, blocks, filler)| {
        let padding = value.len().next_multiple_of(16) - value.len() + 16 * blocks;
        Tllv { tag, value, padding: vec![filler; padding] }
    });
    proptest::collection::vec(tllv, 0..8).prop_map(|mut all| {
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|tllv| seen.insert(tllv.tag));
        all.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn payloads_of_any_order_and_padding_are_read_as_they_were_written(tllvs in any_tllvs()) {
        for reading in [Reading::Strict, Reading::Lenient] {
            prop_assert_eq!(Tllvs::read(&tllvs.to_bytes(), reading), Ok(tllvs.clone()));
        }
        let spc = SpcContainer::seal(&tllvs, &Credentials::test_1024().certificate, &mut super::rng(2)).unwrap();
        prop_assert_eq!(SpcContainer::read(&spc.to_bytes()), Ok(spc));
        let ckc = CkcContainer::seal(&tllvs, Key([1; 16]), [2; 16]).unwrap();
        prop_assert_eq!(CkcContainer::read(&ckc.to_bytes()), Ok(ckc.clone()));
        prop_assert_eq!(ckc.open(Key([1; 16]), Reading::Strict), Ok(tllvs));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), version in 0_u32..4) {
        let bytes = [&version.to_be_bytes()[..], &bytes].concat();
        if let Ok(spc) = SpcContainer::read(&bytes) {
            prop_assert_eq!(spc.to_bytes(), bytes.clone());
        }
        if let Ok(ckc) = CkcContainer::read(&bytes) {
            prop_assert_eq!(ckc.to_bytes(), bytes.clone());
        }
        prop_assert_eq!(Tllvs::read(&bytes, Reading::Lenient).unwrap().to_bytes(), bytes.as_slice());
        drop((OfflineSync::read(&bytes), OfflineKey::read(&bytes), Duration::read(&bytes)));
        drop(inspect(&bytes, &Keys::default()));
    }
}
