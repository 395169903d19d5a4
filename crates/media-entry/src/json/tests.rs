//! PlayKit JSON: what is read, what is kept, what is refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read_value(value: &Value) -> Result<MediaEntry, Error> {
    let mut count = 0;
    MediaEntry::from_json_with(&value.to_string(), &mut || {
        count += 1;
        format!("fresh-{count}")
    })
}

#[track_caller]
fn check_kept(value: Value) -> MediaEntry {
    let entry = read_value(&value).unwrap();
    let written: Value = serde_json::from_str(&entry.to_json()).unwrap();
    assert_eq!(written, value);
    entry
}

#[track_caller]
fn check_refused(value: Value, message: &str) {
    assert_eq!(read_value(&value).unwrap_err().to_string(), message);
}

#[test]
fn an_entry_is_read_whole_and_written_back() {
    let entry = check_kept(json!({
        "id": "1_abc", "name": "Film", "mediaType": "Vod", "duration": 25.12, "tags": "a,360",
        "thumbnailUrl": "https://h.test/t.jpg", "metadata": {"genre": "drama"},
        "sources": [{
            "id": "s1", "url": "https://h.test/a.m3u8?ks=1", "mimeType": "application/x-mpegURL", "sourceType": 0,
            "drmData": [{"licenseUri": "https://h.test/l?custom_data=x", "scheme": 3, "fpsCertificate": "Y2VydA=="}]
        }],
        "externalSubtitles": [{"id": "c1", "url": "https://h.test/en.vtt", "language": "en", "name": "English",
            "mimeType": "text/vtt"}]
    }));
    assert_eq!(entry.id, "1_abc");
    assert_eq!(entry.duration, Some(Duration::from_millis(25_120)));
    assert_eq!(entry.media_type, Some(MediaType::Vod));
    assert_eq!(entry.metadata.get("genre").map(String::as_str), Some("drama"));
    assert_eq!(entry.sources[0].drm, [DrmParams::fair_play("https://h.test/l?custom_data=x", *b"cert")]);
    assert_eq!(entry.external_subtitles[0].name.as_deref(), Some("English"));
    assert!(entry.extras.is_empty());
}

#[test]
fn unknown_keys_are_kept_at_every_level() {
    let entry = check_kept(json!({
        "id": "1", "x": {"deep": [1, 2.5, null]}, "metadata": {"t": "text", "n": 5},
        "sources": [{"id": "s", "url": "u", "y": true, "drmData": [{"licenseUri": "l", "z": "pssh"}]}],
        "externalSubtitles": [{"url": "v", "isDefault": false, "characteristics": ""}]
    }));
    assert_eq!(entry.extras.get("x").and_then(|it| it.pointer("/deep/1")), Some(&json!(2.5)));
    assert_eq!(entry.metadata.len(), 1);
}

#[test]
fn what_is_not_understood_is_kept_and_read_as_absent() {
    let entry = check_kept(json!({
        "id": "1", "mediaType": "Radio", "duration": -1, "name": null, "tags": ["a"], "metadata": {}, "sources": [{
            "id": "s", "url": "u", "sourceType": 99, "mimeType": 5, "drmData": [{"scheme": "fairplay"}]
        }], "externalSubtitles": []
    }));
    assert_eq!((entry.media_type, entry.duration, entry.name), (None, None, None));
    assert_eq!(entry.sources[0].source_type, None);
    assert_eq!(entry.sources[0].drm[0].scheme(), DrmScheme::Unknown, "still protected");
}

#[test]
fn a_value_that_was_set_replaces_one_that_was_not_understood() {
    let mut entry = read_value(&json!({"id": "1", "mediaType": "Radio", "name": null})).unwrap();
    entry.media_type = Some(MediaType::Live);
    assert_eq!(entry.to_json(), r#"{"id":"1","mediaType":"Live","name":null}"#);
}

#[test]
fn a_source_without_an_id_gets_a_fresh_one() {
    let value =
        json!({"id": "1", "sources": [{"url": "a"}, {"id": "b", "url": "b"}, {"id": null, "url": "c"}]});
    let entry = read_value(&value).unwrap();
    let ids: Vec<&str> = entry.sources.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["fresh-1", "b", "fresh-2"]);
}

#[test]
fn fresh_ids_are_unlike_each_other() {
    let text = r#"{"id": "1", "sources": [{"url": "a"}, {"url": "b"}]}"#;
    let entry = MediaEntry::from_json(text).unwrap();
    assert_ne!(entry.sources[0].id, entry.sources[1].id);
    assert_eq!(entry.sources[0].id.len(), 36);
}

#[test]
fn every_code_has_its_meaning() {
    for (code, format) in FORMATS.into_iter().enumerate() {
        let entry = check_kept(json!({"id": "1", "sources": [{"id": "s", "url": "u", "sourceType": code}]}));
        assert_eq!(entry.sources[0].format(), format);
    }
    for (code, scheme) in SCHEMES.into_iter().enumerate() {
        let drm = json!([{"licenseUri": "l", "scheme": code}]);
        let entry = check_kept(json!({"id": "1", "sources": [{"id": "s", "url": "u", "drmData": drm}]}));
        assert_eq!(entry.sources[0].drm[0].scheme(), scheme);
    }
    for (name, media_type) in MEDIA_TYPES {
        assert_eq!(check_kept(json!({"id": "1", "mediaType": name})).media_type, Some(media_type));
    }
}

#[test]
fn a_subtitle_keeps_the_spelling_it_came_in() {
    let mut entry = check_kept(json!({"id": "1", "externalSubtitles": [
        {"vttURLString": "a.vtt", "label": "A"},
        {"vttURLString": "b.vtt", "url": "other", "label": "B", "name": "other"},
        {"vttURLString": null, "url": "c.vtt", "name": "C"},
    ]}));
    let read: Vec<_> =
        entry.external_subtitles.iter().map(|it| (it.url.as_str(), it.name.as_deref())).collect();
    assert_eq!(read, [("a.vtt", Some("A")), ("b.vtt", Some("B")), ("c.vtt", Some("C"))]);

    entry.external_subtitles.truncate(1);
    entry.external_subtitles[0].url = "local.vtt".to_owned();
    assert_eq!(
        entry.to_json(),
        r#"{"id":"1","externalSubtitles":[{"vttURLString":"local.vtt","label":"A"}]}"#
    );
}

#[test]
fn ids_may_be_whole_numbers_and_a_byte_order_mark_may_lead() {
    let entry = MediaEntry::from_json("\u{feff}{\"id\": 363401, \"sources\": [{\"id\": 7, \"url\": \"u\"}]}")
        .unwrap();
    assert_eq!((entry.id.as_str(), entry.sources[0].id.as_str()), ("363401", "7"));
}

#[test]
fn durations_keep_their_decimals() {
    for text in ["0.001", "25.12", "3599.999999999", "8999999.123456", "120", "0"] {
        let entry = MediaEntry::from_json(&format!(r#"{{"id":"1","duration":{text}}}"#)).unwrap();
        assert_eq!(entry.to_json(), format!(r#"{{"id":"1","duration":{text}}}"#));
    }
}

#[test]
fn a_certificate_may_be_wrapped_or_unpadded() {
    for text in ["Y2VydA==", "Y2VydA", " Y2Vy\r\ndA==\n"] {
        let drm = json!([{"licenseUri": "l", "fpsCertificate": text}]);
        let entry = read_value(&json!({"id": "1", "sources": [{"url": "u", "drmData": drm}]})).unwrap();
        assert_eq!(entry.sources[0].drm[0].fps_certificate, Some(Certificate::new(*b"cert")));
    }
}

#[test]
fn what_would_change_the_meaning_is_refused_with_its_place() {
    let source = |source: Value| json!({"id": "1", "sources": [{"url": "u"}, source]});
    check_refused(json!([]), "media entry: not an object");
    check_refused(json!({}), "media entry, `id`: missing");
    check_refused(json!({"id": 1.5}), "media entry, `id`: missing");
    check_refused(json!({"id": "1", "sources": {}}), "media entry, `sources`: not a list");
    check_refused(source(json!(5)), "media entry, `sources[1]`: not an object");
    check_refused(source(json!({})), "media entry, `sources[1].url`: missing");
    check_refused(source(json!({"url": 5})), "media entry, `sources[1].url`: not text");
    check_refused(
        source(json!({"url": "u", "drmData": {"scheme": 3}})),
        "media entry, `sources[1].drmData`: not a list",
    );
    check_refused(
        source(json!({"url": "u", "drmData": [{"fpsCertificate": "***"}]})),
        "media entry, `sources[1].drmData[0].fpsCertificate`: not base64",
    );
    check_refused(
        source(json!({"url": "u", "drmData": [{"fpsCertificate": 5}]})),
        "media entry, `sources[1].drmData[0].fpsCertificate`: not text",
    );
    check_refused(
        json!({"id": "1", "externalSubtitles": [{}]}),
        "media entry, `externalSubtitles[0].url`: missing",
    );
}

#[test]
fn what_is_not_json_is_refused_with_line_and_column_and_without_its_text() {
    let error = MediaEntry::from_json("{\n  \"ks\": canary").unwrap_err();
    assert_eq!(error.to_string(), "media entry, line 2, column 9: not JSON");
    assert!(MediaEntry::from_json(&"[".repeat(100_000)).is_err(), "deep nesting is an error, not a crash");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,3}", inner), 0..3)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(words).prop_map(Value::from).boxed()
}

/// Objects with some of these keys, and some unknown ones.
fn objects(known: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let known: Vec<_> = known
        .into_iter()
        .map(|(key, value)| prop::option::of(value).prop_map(move |value| (key, value)))
        .collect();
    (known, prop::collection::vec(("_[a-z]{1,3}", any_json()), 0..3))
        .prop_map(|(known, unknown)| {
            let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
            Value::Object(known.chain(unknown).collect())
        })
        .boxed()
}

fn with(
    object: BoxedStrategy<Value>,
    key: &'static str,
    value: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    (object, value)
        .prop_map(move |(mut object, value)| {
            object.as_object_mut().unwrap().insert(key.to_owned(), value);
            object
        })
        .boxed()
}

fn list_of(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::vec(item, 0..3).prop_map(Value::from).boxed()
}

fn any_entry() -> BoxedStrategy<Value> {
    let code = || (0..7_u64).prop_map(Value::from).boxed();
    let text = || ".{0,12}".prop_map(Value::from).boxed();
    let odd = || any_json().prop_filter("ids may change type", |it| !it.is_i64() && !it.is_u64()).boxed();
    let drm = objects(vec![
        ("licenseUri", text()),
        ("scheme", code()),
        ("fpsCertificate", one_of(&["Y2VydA==", "", "AAECAw=="])),
    ]);
    let source = objects(vec![("mimeType", odd()), ("sourceType", code()), ("drmData", list_of(drm))]);
    let source = with(with(source, "id", text()), "url", text());
    let subtitle =
        objects(vec![("vttURLString", odd()), ("name", text()), ("label", text()), ("language", odd())]);
    let entry = objects(vec![
        ("name", odd()),
        ("mediaType", one_of(&["Live", "DvrLive", "Vod", "vod", ""])),
        ("duration", (0..10_000_000_u64).prop_map(|ms| seconds(Duration::from_millis(ms)).unwrap()).boxed()),
        ("tags", odd()),
        ("metadata", odd()),
        ("thumbnailUrl", odd()),
        ("sources", list_of(source)),
        ("externalSubtitles", list_of(with(subtitle, "url", text()))),
    ]);
    with(entry, "id", text())
}

proptest! {
    #[test]
    fn nothing_of_an_entry_is_lost(value in any_entry()) {
        let entry = read_value(&value).unwrap();
        let written = entry.to_json();
        prop_assert_eq!(&serde_json::from_str::<Value>(&written).unwrap(), &value);
        prop_assert_eq!(MediaEntry::from_json(&written).unwrap(), entry);
    }

    #[test]
    fn no_json_makes_reading_panic(value in any_json(), key in 0..6_usize) {
        let key = ["sources", "externalSubtitles", "metadata", "duration", "mediaType", "id"][key];
        let _ = read_value(&json!({"id": "1", key: value}));
    }
}
