//! What downloaded folders need to play, by their playlists and by their source.

use camino_tempfile::Utf8TempDir;
use media_entry::{DrmParams, DrmScheme, Platform};

use super::*;
use crate::LocalAssetsManager;

const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo/0.m3u8\n";
const SKD: &str =
    r#"METHOD=SAMPLE-AES,URI="skd://a:b c",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1""#;
const AES: &str = r#"METHOD=AES-128,URI="../key/000.key""#;
const WIDEVINE: &str =
    r#"METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9""#;

/// A media playlist of one segment under these keys.
fn media(keys: &[&str]) -> String {
    let keys: String = keys.iter().map(|key| format!("#EXT-X-KEY:{key}\n")).collect();
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{keys}#EXTINF:4,\n000000.ts\n#EXT-X-ENDLIST\n")
}

/// A downloaded item of these files; the first is what a player opens.
fn register_files(files: &[(&str, &str)], source: &MediaSource) -> Result<Registration, Error> {
    let root = Utf8TempDir::new().unwrap();
    let folder = "items/x/media";
    for (name, text) in files {
        let path = root.path().join(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let location = ItemLocation {
        id: ItemId::new("1_abc").unwrap(),
        root: root.path().to_owned(),
        folder: folder.into(),
        master: files[0].0.into(),
        sidecars: Vec::new(),
    };
    LocalAssetsManager::new(Platform::desktop()).register_downloaded_asset(&location, source)
}

fn clear_source() -> MediaSource {
    MediaSource::new("s", "https://h.test/a.m3u8")
}

fn source_with(drm: DrmParams) -> MediaSource {
    MediaSource { drm: vec![drm], ..clear_source() }
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: Protection) {
    let registration = register_files(files, &clear_source()).unwrap();
    assert_eq!((registration.asset.as_str(), registration.protection), ("1_abc", expected));
}

#[track_caller]
fn check_refused(files: &[(&str, &str)], source: &MediaSource, message: &str) {
    assert_eq!(register_files(files, source).unwrap_err().to_string(), format!("asset `1_abc`: {message}"));
}

const FAIR_PLAY: &str = "protected by FairPlay, which this manager is not set up for";
const FAIR_PLAY_KEY: &str = "protected by FairPlay, which this manager is not set up for (key `skd://a:b c`)";

#[test]
fn a_clear_asset_is_registered_at_once() {
    check(&[("master.m3u8", MASTER), ("video/0.m3u8", &media(&[]))], Protection::Clear);
    check(&[("video/0.m3u8", &media(&[]))], Protection::Clear);
}

#[test]
fn an_aes_128_asset_is_registered_at_once() {
    check(&[("master.m3u8", MASTER), ("video/0.m3u8", &media(&[AES]))], Protection::KeyFiles);
    check(&[("master.m3u8", MASTER), ("video/0.m3u8", &media(&[AES, WIDEVINE]))], Protection::KeyFiles);
}

#[test]
fn registering_twice_answers_the_same() {
    let files = [("video/0.m3u8", media(&[AES]))];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let source = clear_source();
    assert_eq!(register_files(&files, &source).unwrap(), register_files(&files, &source).unwrap());
}

#[test]
fn an_skd_key_in_any_local_playlist_means_fair_play_even_if_the_entry_says_nothing() {
    let session = format!("#EXTM3U\n#EXT-X-SESSION-KEY:{SKD}\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo/0.m3u8\n");
    check_refused(
        &[("master.m3u8", &session), ("video/0.m3u8", &media(&[]))],
        &clear_source(),
        FAIR_PLAY_KEY,
    );

    check_refused(
        &[("master.m3u8", MASTER), ("video/0.m3u8", &media(&[SKD]))],
        &clear_source(),
        FAIR_PLAY_KEY,
    );
    check_refused(&[("video/0.m3u8", &media(&[WIDEVINE, SKD]))], &clear_source(), FAIR_PLAY_KEY);

    let audio = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"audio/0.m3u8\"\n";
    let master = format!("{MASTER}{audio}");
    let files = [("master.m3u8", &*master), ("video/0.m3u8", &media(&[])), ("audio/0.m3u8", &media(&[SKD]))];
    check_refused(&files, &clear_source(), FAIR_PLAY_KEY);

    let master = format!("{MASTER}#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"iframe/0.m3u8\"\n");
    let files = [("master.m3u8", &*master), ("video/0.m3u8", &media(&[])), ("iframe/0.m3u8", &media(&[SKD]))];
    check_refused(&files, &clear_source(), FAIR_PLAY_KEY);
}

#[test]
fn a_key_without_a_key_format_is_fair_play_when_its_uri_is_skd() {
    let bare = r#"METHOD=SAMPLE-AES,URI="skd://a:b c""#;
    check_refused(&[("video/0.m3u8", &media(&[bare]))], &clear_source(), FAIR_PLAY_KEY);
}

#[test]
fn a_fair_play_source_is_refused_whatever_the_playlists_hold() {
    let source = source_with(DrmParams::fair_play("https://h.test/l", *b"cert"));
    check_refused(&[("video/0.m3u8", &media(&[]))], &source, FAIR_PLAY);
    let refused = register_files(&[("video/0.m3u8", &media(&[SKD]))], &source).unwrap_err();
    let ErrorKind::FairPlayNotSupported { keys } = refused.kind() else { panic!("{refused}") };
    assert_eq!(keys, &[KeyUri::new("skd://a:b c").unwrap()]);
}

#[test]
fn all_drm_entries_of_a_source_count_not_only_the_first() {
    let widevine = DrmParams { stated_scheme: Some(DrmScheme::WidevineCenc), ..DrmParams::default() };
    let mut source = source_with(widevine);
    source.drm.push(DrmParams::fair_play("https://h.test/l", *b"cert"));
    check_refused(&[("video/0.m3u8", &media(&[]))], &source, FAIR_PLAY);
}

#[test]
fn media_under_another_drm_system_only_is_refused() {
    check_refused(
        &[("video/0.m3u8", &media(&[WIDEVINE]))],
        &clear_source(),
        "protected by DRM other than FairPlay (KEYFORMAT `urn:uuid:edef8ba9`)",
    );
}

#[test]
fn a_session_key_of_another_system_alone_protects_nothing() {
    let master =
        format!("#EXTM3U\n#EXT-X-SESSION-KEY:{WIDEVINE}\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo/0.m3u8\n");
    check(&[("master.m3u8", &master), ("video/0.m3u8", &media(&[]))], Protection::Clear);
}

#[test]
fn a_folder_that_cannot_play_alone_is_refused_with_the_file() {
    let source = clear_source();
    let missing = register_files(&[("master.m3u8", MASTER)], &source).unwrap_err();
    assert!(missing.to_string().starts_with("asset `1_abc`: `video/0.m3u8`: "), "{missing}");
    assert!(matches!(missing.kind(), ErrorKind::Unreadable { .. }), "{missing}");
    check_refused(
        &[("master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttps://h.test/v.m3u8?ks=1\n")],
        &source,
        "`master.m3u8`: refers to `https://h.test/v.m3u8`, which is not in the folder",
    );
    check_refused(
        &[("master.m3u8", MASTER), ("video/0.m3u8", MASTER)],
        &source,
        "`video/0.m3u8`: a multivariant playlist where a media playlist is due",
    );
    let refused = register_files(&[("master.m3u8", "<html>")], &source).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Playlist { .. }), "{refused}");
}

#[test]
fn a_playlist_that_two_lines_refer_to_is_read_once() {
    let twice = format!("{MASTER}#EXT-X-STREAM-INF:BANDWIDTH=2\n./video/0.m3u8\n");
    check(&[("master.m3u8", &twice), ("video/0.m3u8", &media(&[AES]))], Protection::KeyFiles);
}

#[test]
fn a_key_line_is_read_by_its_attributes_not_by_its_text() {
    let fake = r#"METHOD=AES-128,X-URI="skd://fake",URI="../key/000.key""#;
    check(&[("video/0.m3u8", &media(&[fake]))], Protection::KeyFiles);
    let odd = "METHOD=SAMPLE-AES,X-NOTE=\"𝄞,URI=skd://fake,\",URI=\"SKD://Ab/c.d:e?f=1,2;g%3D+@\"";
    let refused = register_files(&[("video/0.m3u8", &media(&[odd]))], &clear_source()).unwrap_err();
    let ErrorKind::FairPlayNotSupported { keys } = refused.kind() else { panic!("{refused}") };
    assert_eq!(keys, &[KeyUri::new("SKD://Ab/c.d:e?f=1,2;g%3D+@").unwrap()]);
}
