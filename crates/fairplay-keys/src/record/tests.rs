//! Records come back as they were written, and nothing else does.

use proptest::prelude::*;

use super::*;

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        Just(Limit::Unspecified),
        Just(Limit::Unlimited),
        any::<u64>().prop_map(|seconds| Limit::Within(std::time::Duration::from_secs(seconds))),
    ]
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of(any::<i64>().prop_map(Timestamp))
}

fn asset() -> impl Strategy<Value = AssetId> {
    "\\PC{1,20}".prop_map(|id| AssetId::new(id).unwrap())
}

prop_compose! {
    fn key_record()(
        key in proptest::collection::vec(any::<u8>(), 0..100),
        limits in [limit(), limit(), limit(), limit()],
        key_type in proptest::sample::select(KEY_TYPES.to_vec()),
        (not_after, created, first_played) in (moment(), any::<i64>(), moment()),
        assets in proptest::collection::btree_set(asset(), 0..4),
        certificate in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)),
        service in proptest::option::of("\\PC{0,20}".prop_map(LicenseUrl::new)),
    ) -> KeyRecord {
        let [storage, playback, lease, stated] = limits;
        let terms = LicenseTerms { storage, playback, lease, key_type };
        let (key, created) = (PersistableKey::new(key), Timestamp(created));
        KeyRecord { key, terms, stated, not_after, created, first_played, assets, certificate, service }
    }
}

proptest! {
    #[test]
    fn a_key_comes_back_as_it_was_written(record in key_record()) {
        prop_assert_eq!(KeyRecord::decode(&record.encode()).unwrap(), record);
    }

    #[test]
    fn an_asset_and_a_release_come_back_as_they_were_written(
        asset in asset(), since in any::<i64>(), bytes in proptest::collection::vec(any::<u8>(), 0..50), standing in proptest::sample::select(vec![Standing::Wanted, Standing::Removing, Standing::Releasing]),
    ) {
        let keys = vec![KeyUri::new("skd://a:b").unwrap(), KeyUri::new("SKD:c").unwrap()];
        let record = AssetRecord { keys, standing };
        prop_assert_eq!(AssetRecord::decode(&record.encode()).unwrap(), record);
        let steps = vec![
            ReleaseStep::Prove(SecretBytes::new(bytes.clone())),
            ReleaseStep::Invalidate { key: PersistableKey::new(bytes.clone()), certificate: Some(bytes.clone()) },
            ReleaseStep::Invalidate { key: PersistableKey::new(bytes.clone()), certificate: None },
        ];
        let stage = |step| ReleaseStage {
            key: Fingerprint::of(&bytes),
            asset: asset.clone(),
            since: Timestamp(since),
            service: Some(LicenseUrl::new("https://h.test/")),
            step,
        };
        let record = ReleaseRecord { stages: steps.into_iter().map(stage).collect() };
        prop_assert_eq!(ReleaseRecord::decode(&record.encode()).unwrap(), record);
        prop_assert_eq!(decode_mark(&encode_mark(Timestamp(since))).unwrap(), Timestamp(since));
    }

    #[test]
    fn a_cut_record_is_refused(record in key_record(), cut in any::<proptest::sample::Index>()) {
        let bytes = record.encode();
        let cut = cut.index(bytes.len());
        prop_assert!(KeyRecord::decode(&SecretBytes::new(&bytes.expose()[..cut])).is_err());
        let longer = [bytes.expose(), &[0]].concat();
        prop_assert!(KeyRecord::decode(&SecretBytes::new(longer)).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (version, kind) in (1..=2).flat_map(|version| (1..=4).map(move |kind| (version, kind))) {
            let bytes = SecretBytes::new([&[version, kind], bytes.as_slice()].concat());
            let _ = (KeyRecord::decode(&bytes), AssetRecord::decode(&bytes), ReleaseRecord::decode(&bytes));
        }
    }
}

#[test]
fn a_record_of_a_later_version_says_so() {
    let error = KeyRecord::decode(&SecretBytes::new(*b"\x03\x01")).unwrap_err();
    assert_eq!(error.to_string(), "a stored record cannot be read: it is of a later version");
}

#[test]
fn keys_of_version_1_stay_readable() {
    let golden = b"\x01\x01\0\0\0\x03key\x02\0\0\0\0\0\0\0\x0a\x01\0\0\x05\0\x01\0\0\0\0\0\0\0\x07\0\0\0\0\x01\0\0\0\x01a\0";
    let record = KeyRecord::decode(&SecretBytes::new(*golden)).unwrap();
    let terms = LicenseTerms {
        storage: Limit::Within(std::time::Duration::from_secs(10)),
        playback: Limit::Unlimited,
        lease: Limit::Unspecified,
        key_type: KeyType::PersistLimited,
    };
    let assets = [AssetId::new("a").unwrap()].into();
    let expected = KeyRecord { terms, assets, ..KeyRecord::new(PersistableKey::new(*b"key"), Timestamp(7)) };
    assert_eq!(record, expected);
}

#[test]
fn assets_and_releases_of_version_1_stay_readable() {
    let decode = |bytes: &[u8]| AssetRecord::decode(&SecretBytes::new(bytes)).unwrap();
    let asset = decode(b"\x01\x02\x00\0\0\0\x01\0\0\0\x07skd://a");
    let expected = AssetRecord { keys: vec![KeyUri::new("skd://a").unwrap()], standing: Standing::Wanted };
    assert_eq!(asset, expected);
    let removing = decode(b"\x01\x02\x01\0\0\0\0");
    assert_eq!(removing, AssetRecord { keys: vec![], standing: Standing::Removing });

    let golden = b"\x01\x03\0\0\0\x01a\x01\0\0\0\0\0\0\0\x07\0\0\0\x02\x00\0\0\0\x03key\x01\0\0\0\x01c\x01\0\0\0\x05proof";
    let key = PersistableKey::new(*b"key");
    let stage = |key: Fingerprint, step| ReleaseStage {
        key,
        asset: AssetId::new("a").unwrap(),
        since: Timestamp(7),
        service: None,
        step,
    };
    let expected = vec![
        stage(key.fingerprint(), ReleaseStep::Invalidate { key, certificate: Some(b"c".to_vec()) }),
        stage(Fingerprint::of(b"proof"), ReleaseStep::Prove(SecretBytes::new(*b"proof"))),
    ];
    assert_eq!(ReleaseRecord::decode(&SecretBytes::new(*golden)).unwrap().stages, expected);
}

#[test]
fn version_2_stays_as_it_is() {
    let key = PersistableKey::new(*b"key");
    let mut record = KeyRecord::new(key.clone(), Timestamp(7));
    record.service = Some(LicenseUrl::new("u"));
    assert_eq!(
        record.encode().expose(),
        b"\x02\x01\0\0\0\x03key\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x01\0\0\0\x01u"
    );
    let record = AssetRecord { keys: vec![], standing: Standing::Releasing };
    assert_eq!(record.encode().expose(), b"\x02\x02\x02\0\0\0\0");
    let stage = ReleaseStage {
        key: Fingerprint::from_bytes(*b"12345678"),
        asset: AssetId::new("a").unwrap(),
        since: Timestamp(7),
        service: None,
        step: ReleaseStep::Invalidate { key, certificate: None },
    };
    assert_eq!(
        ReleaseRecord { stages: vec![stage] }.encode().expose(),
        b"\x02\x03\0\0\0\x0112345678\0\0\0\x01a\x01\0\0\0\0\0\0\0\x07\0\0\0\0\0\x03key\0"
    );
}
