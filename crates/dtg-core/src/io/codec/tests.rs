//! Golden bytes of schema 1, and what damage and foreign hands may do to a record.

use std::fmt::Write as _;
use std::time::Duration;

use hls_parse::Span;
use proptest::prelude::*;

use super::*;
use crate::estimate::{Basis, Estimate};
use crate::io::catalog::CatalogRow;
use crate::io::folder::{ItemRecord, OriginIndex};
use crate::item::{ItemId, NewItem, Sidecar, SidecarRole, StoredFailure, Track, TrackKind};
use crate::options::{BitRate, Languages, SelectionOptions, VideoCodec};
use crate::plan::{
    Extension, Extent, Fetch, FetchId, Length, Master, Plan, PlannedPlaylist, Resource, Role, UriRef,
};
use crate::state::ItemState;

fn record() -> ItemRecord {
    let sidecar = Sidecar {
        role: SidecarRole::Thumbnail,
        url: "http://h/t.jpg".into(),
        language: None,
        name: None,
        mime_type: Some("image/jpeg".into()),
    };
    let options = SelectionOptions {
        audio: Languages::Only(vec!["fr".into()]),
        text: Languages::All,
        video_codecs: vec![VideoCodec::Hevc],
        min_height: Some(720),
        min_bit_rates: vec![(VideoCodec::Avc, BitRate(300_000))],
        ..SelectionOptions::default()
    };
    let track = Track { kind: TrackKind::Audio, language: Some("fr".into()), title: None };
    ItemRecord {
        id: ItemId::new("1_a").unwrap(),
        url: "http://h/m".into(),
        order: 7,
        sidecars: vec![sidecar],
        options: Some(options),
        available_tracks: vec![track.clone()],
        selected_tracks: vec![track],
    }
}

fn plan() -> Plan {
    let uri = UriRef::Playlist { origin: 1, span: Span { start: 10, end: 20 } };
    let resource = |role, extension, uri| Resource { role, playlist: 0, number: 3, extension, uri };
    let fetch = |resource, start, length, extent| Fetch { resource, start, length, extent, at_millis: 6000 };
    Plan {
        playlists: vec![PlannedPlaylist { kind: TrackKind::Video, origin: 1, duration: Duration::new(6, 5) }],
        resources: vec![
            resource(Role::Segment, Extension::Ts, uri),
            resource(Role::Subtitle, Extension::Vtt, UriRef::Sidecar(2)),
        ],
        fetches: vec![
            fetch(0, 100, Length::Exact(50), Extent::Range),
            fetch(1, 0, Length::About(0), Extent::Whole),
        ],
        duration: Duration::from_secs(6),
        estimate: Estimate { bytes: 1000, basis: Basis::BitRates },
        master: Master::Multivariant,
    }
}

fn row() -> CatalogRow {
    let item = NewItem { id: ItemId::new("1_a").unwrap(), url: "http://h/m".into(), sidecars: Vec::new() };
    CatalogRow {
        state: ItemState::Failed,
        generation: 1,
        estimated_bytes: Some(9),
        expected_bytes: 8,
        downloaded_bytes: 7,
        duration: Some(Duration::from_millis(6500)),
        fetches: 6,
        fetches_done: 5,
        master: Some("master.m3u8".into()),
        sidecar_files: vec![(0, "thumbnail/0.jpg".into())],
        failure: Some(StoredFailure {
            code: "status".into(),
            message: "HTTP status 404".into(),
            status: Some(404),
        }),
        ..CatalogRow::new(item, 3)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[track_caller]
fn check_golden<T: Stored + PartialEq + std::fmt::Debug>(value: &T, golden: &str) {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    assert_eq!(hex(&bytes), golden.split_whitespace().collect::<String>());
}

#[test]
fn an_item_record_is_these_bytes() {
    check_golden(
        &record(),
        "
         4454477201000100c900000000000000136c6857aaf368e50300000000000000315f610a00000000000000687474703a
         2f2f682f6d07000000000000000100000000000000010e00000000000000687474703a2f2f682f742e6a70670000010a
         00000000000000696d6167652f6a70656701020100000000000000020000000000000066720300000000000000000100
         0000000000000100000000000000000001d0020000010000000000000000e09304000000000000010000000000000001
         010200000000000000667200010000000000000001010200000000000000667200",
    );
}

#[test]
fn a_row_is_these_bytes() {
    check_golden(
        &row(),
        "
         4454477201000200e0000000000000004604d1858399a3380300000000000000315f610a00000000000000687474703a
         2f2f682f6d0300000000000000000000000000000000000000000000000000000000000000000300000000000000315f
         61010000000000000006010900000000000000080000000000000007000000000000000106000000000000000065cd1d
         0600000005000000010b000000000000006d61737465722e6d3375380100000000000000000000000f00000000000000
         7468756d626e61696c2f302e6a70670106000000000000007374617475730f0000000000000048545450207374617475
         7320343034019401",
    );
}

#[test]
fn an_origin_index_is_these_bytes() {
    check_golden(
        &OriginIndex(vec!["http://h/m".into(), "http://h/v".into()]),
        "
         44544772010003002c0000000000000092cd076d949fbd6702000000000000000a00000000000000687474703a2f2f68
         2f6d0a00000000000000687474703a2f2f682f76",
    );
}

#[test]
fn a_plan_is_these_bytes() {
    check_golden(
        &plan(),
        "
         4454477201000400a70000000000000072031e2151ca736f010000000000000000010000000600000000000000050000
         00020000000000000000000000000300000000010000000a0000001400000004000000000300000009ffffffff020000
         000000000002000000000000000000000064000000000000003200000000000000010170170000000000000100000000
         00000000000000000000000000000000007017000000000000060000000000000000000000e8030000000000000100",
    );
}

#[track_caller]
fn check_record(record: &Record, golden: &str) {
    let mut bytes = Vec::new();
    encode_record(record, &mut bytes);
    assert_eq!(decode_record(&bytes), Ok((Some(record.clone()), bytes.len())));
    assert_eq!(hex(&bytes), golden);
}

#[test]
fn journal_records_are_these_bytes() {
    check_record(
        &Record::Finished { fetch: FetchId(5), length: 1000, hash: 0xabcd },
        "1d00f65120560105000000e803000000000000cdab0000000000000000000000000000",
    );
    let validator = Some("\"v1\"".to_owned());
    check_record(
        &Record::Resource { resource: 2, total: Some(9), validator },
        "1b00dba52980020200000001090000000000000001040000000000000022763122",
    );
    check_record(&Record::Restarted { resource: 2 }, "0500aff7c2390302000000");
    check_record(&Record::Void { fetch: FetchId(5) }, "05000d8628560405000000");
    check_record(&Record::Mark { position: 8 }, "09003a84acbe050800000000000000");
}

#[test]
fn a_planned_part_takes_at_most_96_bytes_on_disk_with_its_journal_record() {
    let size = |parts: usize| {
        let (resources, fetches) = (vec![plan().resources[0]; parts], vec![plan().fetches[0]; parts]);
        encode(&Plan { resources, fetches, ..plan() }).len()
    };
    let mut finished = Vec::new();
    encode_record(&Record::Finished { fetch: FetchId(1), length: 1, hash: 1 }, &mut finished);
    assert!(finished.len() <= 36, "{}", finished.len());
    let part = size(1001) - size(1000) + finished.len();
    assert!(part <= 96, "{part}");
}

#[test]
fn a_record_of_another_kind_or_of_no_kind_is_refused() {
    let bytes = encode(&record());
    assert_eq!(decode::<Plan>(&bytes), Err(CodecError::Foreign));
    assert_eq!(decode::<Plan>(b"#EXTM3U"), Err(CodecError::Foreign));
    assert_eq!(decode::<Plan>(b""), Err(CodecError::Foreign));
}

#[test]
fn a_record_of_a_later_version_is_told_from_a_damaged_one() {
    let mut bytes = encode(&record());
    bytes[4] = 2;
    assert_eq!(decode::<ItemRecord>(&bytes), Err(CodecError::Later(2)));
    bytes[4] = 0;
    assert_eq!(decode::<ItemRecord>(&bytes), Err(CodecError::Damaged));
}

#[test]
fn an_overlong_validator_is_left_out() {
    let mut bytes = Vec::new();
    encode_record(
        &Record::Resource { resource: 1, total: None, validator: Some("x".repeat(100_000)) },
        &mut bytes,
    );
    let kept = Record::Resource { resource: 1, total: None, validator: None };
    assert_eq!(decode_record(&bytes), Ok((Some(kept), bytes.len())));
}

#[test]
fn a_hostile_length_is_an_error_and_makes_nothing() {
    for length in [u64::MAX, 1 << 40, 1 << 20] {
        let payload = length.to_le_bytes();
        assert!(decode::<Plan>(&seal::<Plan>(&payload)).is_err());
        assert!(decode::<OriginIndex>(&seal::<OriginIndex>(&payload)).is_err());
        assert!(decode::<ItemRecord>(&seal::<ItemRecord>(&payload)).is_err());
    }
}

#[test]
fn a_fetch_of_a_resource_that_is_not_there_is_refused() {
    let mut foreign = plan();
    foreign.fetches[0].resource = 2;
    assert_eq!(decode::<Plan>(&encode(&foreign)), Err(CodecError::Value("a fetch")));
    let mut endless = plan();
    endless.fetches[0].start = u64::MAX;
    assert_eq!(decode::<Plan>(&encode(&endless)), Err(CodecError::Value("a fetch")));
}

proptest! {
    #[test]
    fn no_changed_byte_goes_unseen(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = encode(&plan());
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(decode::<Plan>(&bytes).is_err());
    }

    #[test]
    fn no_cut_goes_unseen(at in any::<prop::sample::Index>()) {
        let bytes = encode(&row());
        prop_assert!(decode::<CatalogRow>(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_payload_is_read_or_refused(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode::<Plan>(&seal::<Plan>(&payload));
        let _ = decode::<CatalogRow>(&seal::<CatalogRow>(&payload));
        let _ = decode_record(&payload);
    }
}
