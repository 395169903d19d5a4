//! Answers made by hand in the documented shape.

use super::*;
use crate::platform::Platform;
use crate::prefer::{Mechanism, Policy, Reason, for_download};

/// A clip in HLS (clear and FairPlay), DASH and as files.
const CONTEXT: &str = r#"{
    "sources": [
        {"deliveryProfileId": 11, "format": "mpegdash", "protocols": "http,https", "flavorIds": "f1,f2",
         "url": "https://k.test/p/1/playManifest/entryId/1_abc/format/mpegdash/a.mpd",
         "drm": [{"scheme": "drm.WIDEVINE_CENC", "licenseURL": "https://u.test/cenc?custom_data=c"}],
         "objectType": "KalturaPlaybackSource"},
        {"deliveryProfileId": 12, "format": "applehttp", "protocols": "http,https", "flavorIds": "f1,f2",
         "url": "https://k.test/p/1/playManifest/entryId/1_abc/format/applehttp/a.m3u8",
         "drm": [{"scheme": "fairplay.FAIRPLAY", "licenseURL": "https://u.test/fps?custom_data=c&signature=s",
                  "certificate": "Y2Vy\ndA==", "objectType": "KalturaFairPlayPlaybackPluginData"}],
         "objectType": "KalturaPlaybackSource"},
        {"deliveryProfileId": 13, "format": "url", "protocols": "http,https", "flavorIds": "f1",
         "url": "https://k.test/p/1/playManifest/entryId/1_abc/format/url/a.mp4?x=1", "drm": [],
         "objectType": "KalturaPlaybackSource"},
        {"deliveryProfileId": 14, "format": "url", "protocols": "http", "flavorIds": "f3",
         "url": "http://cdn.test/a.mp3", "drm": [], "objectType": "KalturaPlaybackSource"}
    ],
    "playbackCaptions": [
        {"label": "English", "language": "English", "languageCode": "en", "isDefault": true, "format": "3",
         "webVttUrl": "https://k.test/captions/en.vtt", "url": "https://k.test/captions/en.xml"},
        {"label": "Deutsch", "languageCode": "de", "webVttUrl": "", "url": "https://k.test/captions/de.srt"},
        {"label": "none", "languageCode": "xx"}
    ],
    "flavorAssets": [
        {"id": "f1", "fileExt": "mp4", "bitrate": 900}, {"id": "f2", "fileExt": "mp4"}, {"id": "f3", "fileExt": "mp3"}
    ],
    "bumperData": [{"entryId": "1_bump", "clickThroughUrl": "https://ad.test", "objectType": "KalturaBumper"}],
    "actions": [{"type": 3, "objectType": "KalturaAccessControlLimitFlavorsAction"}],
    "messages": [{"message": "Fine", "code": "OK", "objectType": "KalturaAccessControlMessage"}],
    "objectType": "KalturaPlaybackContext"
}"#;

const LIST: &str = r#"{"totalCount": 1, "objectType": "KalturaBaseEntryListResponse", "objects": [
    {"id": "1_abc", "name": "Film", "type": 1, "mediaType": 1, "duration": 25, "tags": "a, 360",
     "thumbnailUrl": "https://k.test/t.jpg", "objectType": "KalturaMediaEntry"}]}"#;

const SESSION: &str =
    r#"{"partnerId": 1, "ks": "djJ8canary", "objectType": "KalturaStartWidgetSessionResponse"}"#;
const METADATA: &str =
    r#"{"objects": [{"id": 7, "xml": "<metadata/>", "objectType": "KalturaMetadata"}], "totalCount": 1}"#;

fn read_all(answers: &[&str], request: &KalturaRequest) -> Result<MediaEntry, Error> {
    MediaEntry::from_kaltura(&format!("[{}]", answers.join(",")), request)
}

fn request() -> KalturaRequest {
    KalturaRequest::new("1_asked").with_session("djJ8MTIz+/=")
}

#[test]
fn a_multirequest_becomes_an_entry_with_every_source_in_the_backends_order() {
    let entry = read_all(&[SESSION, LIST, CONTEXT, METADATA], &request()).unwrap();
    assert_eq!((entry.id.as_str(), entry.name.as_deref()), ("1_abc", Some("Film")));
    assert_eq!((entry.duration, entry.media_type), (Some(Duration::from_secs(25)), Some(MediaType::Vod)));
    assert_eq!(entry.thumbnail_url.as_deref(), Some("https://k.test/t.jpg"));
    assert!(entry.is_vr());
    let sources: Vec<_> =
        entry.sources.iter().map(|it| (it.id.as_str(), it.format(), it.url.as_str())).collect();
    let ks = "ks=djJ8MTIz%2B%2F%3D";
    let manifest = "https://k.test/p/1/playManifest/entryId/1_abc/format";
    let expected = [
        ("1_abc_11", MediaFormat::Unknown, format!("{manifest}/mpegdash/a.mpd?{ks}")),
        ("1_abc_12", MediaFormat::Hls, format!("{manifest}/applehttp/a.m3u8?{ks}")),
        ("1_abc_13", MediaFormat::Mp4, format!("{manifest}/url/a.mp4?x=1&{ks}")),
        ("1_abc_14", MediaFormat::Mp3, "http://cdn.test/a.mp3".to_owned()),
    ];
    assert_eq!(sources, expected.each_ref().map(|(id, format, url)| (*id, *format, url.as_str())));
    let fair_play = entry.sources[1].drm_of(DrmScheme::FairPlay).unwrap();
    assert_eq!(fair_play.license_uri.as_deref(), Some("https://u.test/fps?custom_data=c&signature=s"));
    assert_eq!(fair_play.fps_certificate.as_ref().unwrap().as_bytes(), b"cert");
    assert_eq!(entry.sources[1].extras.get("flavorIds").and_then(Value::as_str), Some("f1,f2"));
    assert!(entry.extras.get("bumperData").is_some(), "kept as it came");
    let captions: Vec<_> =
        entry.external_subtitles.iter().map(|it| (it.url.as_str(), it.language.as_deref())).collect();
    let expected =
        [("https://k.test/captions/en.vtt", Some("en")), ("https://k.test/captions/de.srt", Some("de"))];
    assert_eq!(captions, expected);
    let again = MediaEntry::from_json(&entry.to_json()).unwrap();
    assert_eq!(again, entry, "it is stored as PlayKit JSON");
}

#[test]
fn an_entry_of_the_backend_is_downloaded_like_any_other() {
    let entry = read_all(&[LIST, CONTEXT], &request()).unwrap();
    let choice = |platform| {
        let choice = for_download(&entry, &platform, Policy::SeedGates).unwrap();
        (choice.source.id.clone(), choice.mechanism, choice.reason)
    };
    let hls = "1_abc_12".to_owned();
    let by_task = (hls.clone(), Mechanism::AssetDownloadTask, Reason::HlsWithFairPlayByTaskOnly);
    assert_eq!(choice(Platform::ios(10, 2)), by_task);
    assert_eq!(choice(Platform::ios(11, 0)), (hls, Mechanism::DownloadToGo, Reason::HlsWithFairPlay));
    let file = ("1_abc_13".to_owned(), Mechanism::DownloadToGo, Reason::SingleFile(MediaFormat::Mp4));
    assert_eq!(choice(Platform::desktop()), file);
}

#[test]
fn a_lone_playback_context_has_the_id_that_was_asked_for() {
    for answer in [CONTEXT.to_owned(), format!("{{\"result\": {CONTEXT}, \"executionTime\": 0.1}}")] {
        let entry = MediaEntry::from_kaltura(&answer, &KalturaRequest::new("1_asked")).unwrap();
        assert_eq!((entry.id.as_str(), entry.sources.len(), entry.name), ("1_asked", 4, None));
        assert_eq!(entry.sources[1].id, "1_asked_12");
        assert!(!entry.sources[1].url.contains("ks="));
    }
}

#[test]
fn live_entries_are_told_apart() {
    let entry = |more: &str| {
        let live = format!("{{\"id\": \"1\", {more}, \"objectType\": \"KalturaLiveStreamEntry\"}}");
        read_all(&[&live, CONTEXT], &request()).unwrap().media_type
    };
    assert_eq!(entry("\"type\": 7, \"dvrStatus\": 0"), Some(MediaType::Live));
    assert_eq!(entry("\"type\": \"7\", \"dvrStatus\": 1"), Some(MediaType::DvrLive));
    assert_eq!(entry("\"type\": 5"), None);
}

#[test]
fn widevine_classic_is_told_by_its_scheme() {
    let classic = CONTEXT.replace("fairplay.FAIRPLAY", "widevine.WIDEVINE").replace("applehttp\"", "url\"");
    let classic = classic.replace("\"certificate\": \"Y2Vy\\ndA==\",", "");
    let entry = MediaEntry::from_kaltura(&classic, &request()).unwrap();
    assert_eq!(entry.sources[1].format(), MediaFormat::Wvm);
}

#[track_caller]
fn check_refused(answer: &str, kind: &ErrorKind, shown: &str) {
    let error = MediaEntry::from_kaltura(answer, &request()).unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(error.to_string(), shown);
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[test]
fn an_exception_of_the_backend_is_the_answer_and_its_words_are_not_printed() {
    let exception = r#"{"code": "INVALID_KS", "message": "Invalid KS \"canary\"", "objectType": "KalturaAPIException", "args": []}"#;
    let message = ServerText::new("Invalid KS \"canary\"");
    let kind = ErrorKind::ServerException { code: "INVALID_KS".into(), message };
    for answer in [
        exception.to_owned(),
        format!("[{SESSION}, {exception}, {CONTEXT}]"),
        format!("{{\"result\": {{\"error\": {exception}}}}}"),
    ] {
        check_refused(&answer, &kind, "media entry: the backend answers INVALID_KS");
    }
}

#[test]
fn a_blocked_entry_is_refused_with_the_rules_code() {
    for (block, code, shown) in [
        (
            "\"actions\": [{\"type\": 1}], \"messages\": [{\"code\": \"OK\"}, {\"code\": \"COUNTRY_RESTRICTED\", \"message\": \"canary\"}]",
            "COUNTRY_RESTRICTED",
            "canary",
        ),
        ("\"actions\": [{\"type\": \"1\"}], \"messages\": []", "BLOCK", ""),
    ] {
        let answer = format!("{{\"sources\": [], {block}}}");
        let kind = ErrorKind::Blocked { code: code.into(), message: ServerText::new(shown) };
        check_refused(&answer, &kind, &format!("media entry: its access rules forbid playback ({code})"));
    }
}

#[test]
fn what_is_no_playback_context_is_refused_by_name() {
    check_refused(
        "[]",
        &ErrorKind::NoPlaybackContext,
        "media entry: no playback context is among the answers",
    );
    check_refused(
        "null",
        &ErrorKind::NoPlaybackContext,
        "media entry: no playback context is among the answers",
    );
    check_refused("{", &ErrorKind::Syntax { line: 1, column: 1 }, "media entry, line 1, column 1: not JSON");
    let no_url = r#"{"sources": [{"format": "applehttp"}]}"#;
    check_refused(no_url, &ErrorKind::Missing, "media entry, `sources[0].url`: missing");
    let certificate = CONTEXT.replace("Y2Vy\\ndA==", "canary!");
    let shown = "media entry, `sources[1].drm[0].certificate`: not base64";
    check_refused(&certificate, &ErrorKind::NotBase64, shown);
}

#[test]
fn a_session_goes_to_the_play_manifest_service_only_and_once() {
    let check = |url: &str, expected: &str| assert_eq!(with_session(url, Some("s")), expected);
    check("https://k.test/playManifest/a.m3u8#f", "https://k.test/playManifest/a.m3u8?ks=s#f");
    check("https://k.test/playManifest/ks/t/a.m3u8", "https://k.test/playManifest/ks/t/a.m3u8");
    check("https://k.test/playManifest/a.m3u8?ks=t", "https://k.test/playManifest/a.m3u8?ks=t");
    check("https://cdn.test/a.m3u8", "https://cdn.test/a.m3u8");
}

#[test]
fn a_request_does_not_print_its_session() {
    assert!(!format!("{:?}", request()).contains("djJ8"));
}
