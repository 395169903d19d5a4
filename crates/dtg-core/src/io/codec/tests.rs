//! Golden bytes of every schema, and what damage and foreign hands may do to a record.

use std::fmt::Write as _;
use std::time::Duration;

use hls_parse::Span;
use proptest::prelude::*;

use super::*;
use crate::cause::{Remedy, Stage, StoredFailure};
use crate::estimate::{Basis, Estimate};
use crate::io::asset::{AssetRecord, Chosen};
use crate::io::catalog::CatalogRow;
use crate::io::folder::{ItemRecord, OriginIndex, OriginRecord, PlaylistSums, Sum};
use crate::item::{ItemId, NewItem, Sidecar, SidecarRole, Track, TrackKind};
use crate::options::{BitRate, Languages, SelectionOptions, Variants, VideoCodec};
use crate::plan::{
    Extension, Extent, Fetch, FetchId, Length, Master, Plan, PlannedPlaylist, Resource, Role, UriRef,
};
use crate::requirements::{PowerNeed, Requirements};
use crate::select::TrackSource;
use crate::state::ItemState;
use crate::storage::{Keep, Moment};

fn needs() -> Requirements {
    Requirements { reserve_bytes: 5, power: PowerNeed::Charging, ..Requirements::default() }
}

fn record() -> ItemRecord {
    let sidecar = Sidecar {
        role: SidecarRole::Thumbnail,
        url: "http://h/t.jpg".into(),
        language: None,
        name: None,
        mime_type: Some("image/jpeg".into()),
    };
    let options = SelectionOptions {
        variants: Variants::Heights(vec![360, 720]),
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
        generation: Some(2),
        requirements: Some(needs()),
        keep: Keep { pinned: true, expires_at: Some(Moment(1_700_000_000_000)) },
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
            stage: Some(Stage::Fetch(Role::Key)),
            url: Some("http://h/k".into()),
            attempts: 2,
            remedy: Remedy::CheckUrl,
        }),
        requirements: Some(needs()),
        keep: Keep { pinned: true, expires_at: Some(Moment(1_700_000_000_000)) },
        completed_at: Some(Moment(1_600_000_000_000)),
        played_at: Some(Moment(1_650_000_000_000)),
        ..CatalogRow::new(item, 3)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// What an earlier version wrote.
#[track_caller]
fn check_read<T: Stored + PartialEq + std::fmt::Debug>(value: &T, golden: &str) {
    let golden: String = golden.split_whitespace().collect();
    let bytes: Vec<u8> =
        (0..golden.len()).step_by(2).map(|at| u8::from_str_radix(&golden[at..at + 2], 16).unwrap()).collect();
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
}

#[track_caller]
fn check_golden<T: Stored + PartialEq + std::fmt::Debug>(value: &T, golden: &str) {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    assert_eq!(hex(&bytes), golden.split_whitespace().collect::<String>());
}

/// As schema 1 kept it: not what it is kept by.
#[test]
fn an_item_record_of_schema_1_is_read() {
    let expected = ItemRecord { generation: None, requirements: None, keep: Keep::default(), ..record() };
    check_read(
        &expected,
        "
         4454477201000100da000000000000006104665e2e0e19d20300000000000000315f610a00000000000000687474703a
         2f2f682f6d07000000000000000100000000000000010e00000000000000687474703a2f2f682f742e6a70670000010a
         00000000000000696d6167652f6a7065670101020000000000000068010000d002000002010000000000000002000000
         00000000667203000000000000000001000000000000000100000000000000000001d0020000010000000000000000e0
         930400000000000001000000000000000101020000000000000066720001000000000000000101020000000000000066
         7200",
    );
}

#[test]
fn an_item_record_is_these_bytes() {
    check_golden(
        &record(),
        "
         4454477202000100f80000000000000004e99b977bac0fd70300000000000000315f610a0000000000000068747470
         3a2f2f682f6d07000000000000000100000000000000010e00000000000000687474703a2f2f682f742e6a70670000
         010a00000000000000696d6167652f6a7065670101020000000000000068010000d002000002010000000000000002
         00000000000000667203000000000000000001000000000000000100000000000000000001d0020000010000000000
         000000e093040000000000000100000000000000010102000000000000006672000100000000000000010102000000
         00000000667200010200000000000000010500000000000000000101010068e5cf8b010000",
    );
}

/// The row as schema 1 kept it: less was known of its failure.
#[test]
fn a_row_of_schema_1_is_read() {
    let failure = row().failure.map(|it| StoredFailure {
        stage: None,
        url: None,
        attempts: 0,
        remedy: Remedy::TryAgain,
        ..it
    });
    check_read(
        &CatalogRow { failure, requirements: None, ..earlier_row() },
        "
        4454477201000200e0000000000000004604d1858399a3380300000000000000315f610a00000000000000687474703a
        2f2f682f6d0300000000000000000000000000000000000000000000000000000000000000000300000000000000315f
        61010000000000000006010900000000000000080000000000000007000000000000000106000000000000000065cd1d
        0600000005000000010b000000000000006d61737465722e6d3375380100000000000000000000000f00000000000000
        7468756d626e61696c2f302e6a70670106000000000000007374617475730f0000000000000048545450207374617475
        7320343034019401",
    );
}

/// What schemas 1 and 2 did not know of a row.
fn earlier_row() -> CatalogRow {
    CatalogRow { keep: Keep::default(), completed_at: None, played_at: None, ..row() }
}

#[test]
fn a_row_of_schema_2_is_read() {
    check_read(
        &earlier_row(),
        "
         44544772020002002001000000000000bcbcd08a7bcdc0280300000000000000315f610a0000000000000068747470
         3a2f2f682f6d0300000000000000000000000000000000000000000000000000000000000000000300000000000000
         315f610100000000000000060109000000000000000800000000000000070000000000000001060000000000000000
         65cd1d0600000005000000010b000000000000006d61737465722e6d3375380100000000000000000000000f000000
         000000007468756d626e61696c2f302e6a70670106000000000000007374617475730f000000000000004854545020
         73746174757320343034019401010103000000000000006b6579010a00000000000000687474703a2f2f682f6b0200
         00000900000000000000636865636b2d75726c0105000000000000000001",
    );
}

#[test]
fn a_row_is_these_bytes() {
    check_golden(
        &row(),
        "
         44544772030002003c01000000000000f0c0ce7ee03748b00300000000000000315f610a0000000000000068747470
         3a2f2f682f6d0300000000000000000000000000000000000000000000000000000000000000000300000000000000
         315f610100000000000000060109000000000000000800000000000000070000000000000001060000000000000000
         65cd1d0600000005000000010b000000000000006d61737465722e6d3375380100000000000000000000000f000000
         000000007468756d626e61696c2f302e6a70670106000000000000007374617475730f000000000000004854545020
         73746174757320343034019401010103000000000000006b6579010a00000000000000687474703a2f2f682f6b0200
         00000900000000000000636865636b2d75726c010500000000000000000101010068e5cf8b0100000100806e877401
         00000100f4a92b80010000",
    );
}

fn origins(sum: Option<Sum>) -> OriginIndex {
    let origin = |url: &str| OriginRecord { url: url.into(), sum };
    OriginIndex(vec![origin("http://h/m"), origin("http://h/v")])
}

#[test]
fn an_origin_index_of_schema_1_is_read() {
    check_read(
        &origins(None),
        "
         44544772010003002c0000000000000092cd076d949fbd6702000000000000000a00000000000000687474703a2f2f68
         2f6d0a00000000000000687474703a2f2f682f76",
    );
}

#[test]
fn an_origin_index_is_these_bytes() {
    check_golden(
        &origins(Some(Sum { length: 9, hash: 0xabcd })),
        "
         44544772020003005e000000000000002a76e1a5a5e1798f02000000000000000a00000000000000687474703a2f2f
         682f6d010900000000000000cdab00000000000000000000000000000a00000000000000687474703a2f2f682f7601
         0900000000000000cdab0000000000000000000000000000",
    );
}

#[test]
fn the_sums_of_local_playlists_are_these_bytes() {
    check_golden(
        &PlaylistSums(vec![("video/0.m3u8".into(), Sum { length: 9, hash: 0xabcd })]),
        "
         44544772010006003400000000000000e0351a017a39dd6101000000000000000c00000000000000766964656f2f30
         2e6d3375380900000000000000cdab0000000000000000000000000000",
    );
}

#[test]
fn a_playlist_outside_the_media_folder_is_refused() {
    for path in ["../x", "/x", "a/../../x", "./x"] {
        let bytes = encode(&PlaylistSums(vec![(path.into(), Sum { length: 9, hash: 1 })]));
        assert_eq!(decode::<PlaylistSums>(&bytes), Err(CodecError::Value("a playlist's path")), "{path}");
    }
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

fn asset_record(playlist: Option<u128>) -> AssetRecord {
    let tracks = vec![TrackSource::Variant(2), TrackSource::Rendition(0)];
    AssetRecord { title: "T".into(), chosen: vec![Chosen { playlist, tracks }] }
}

#[test]
fn what_a_task_keeps_of_an_asset_is_written_like_this() {
    check_golden(
        &asset_record(Some(0xabcd)),
        "44544772 0200 1000 3c00000000000000 bf8dc940f9690206
         0100000000000000 54 0100000000000000 01 cdab0000000000000000000000000000
         0200000000000000 00 0200000000000000 01 0000000000000000",
    );
}

#[test]
fn what_a_task_of_schema_1_kept_of_an_asset_is_read() {
    check_read(
        &asset_record(None),
        "44544772 0100 1000 2300000000000000 b5c9e891e121817c
         0100000000000000 54 0200000000000000 00 0200000000000000 01 0000000000000000",
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
    let validator = "\"v1\"".to_owned();
    check_record(
        &Record::Partial { fetch: FetchId(5), length: 600, hash: 0xabcd, validator },
        "29007a17f95e06050000005802000000000000cdab0000000000000000000000000000040000000000000022763122",
    );
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
    bytes[4] = 3;
    assert_eq!(decode::<ItemRecord>(&bytes), Err(CodecError::Later(3)));
    let mut later = encode(&row());
    later[4] = 4;
    assert_eq!(decode::<CatalogRow>(&later), Err(CodecError::Later(4)));
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
