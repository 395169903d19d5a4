//! The comparison notices what a player would: the fixture itself stands in for a downloaded item.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use camino_tempfile::Utf8TempDir;
use dtg_core::ItemId;
use playback_server::{Library, PlaybackServer, Presentation};

use super::*;
use crate::media_folder;

struct Folder(Utf8PathBuf);

impl Library for Folder {
    fn open(&self, _: &str) -> Option<Presentation> {
        Some(Presentation { folder: self.0.clone(), master: "master.m3u8".into() })
    }

    fn ids(&self) -> Vec<String> {
        vec!["item".to_owned()]
    }
}

/// Plays a copy of presentation (b) after `change` was made to its folder.
fn played(change: impl Fn(&Utf8Path)) -> Result<Played> {
    let folder = Utf8TempDir::new()?;
    for entry in media_folder().join("fmp4").read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name() != "entry.json" {
            fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
        }
    }
    change(folder.path());
    let server = PlaybackServer::start(Arc::new(Folder(folder.path().to_owned())))?;
    let location = ItemLocation {
        id: ItemId::new("item")?,
        root: folder.path().to_owned(),
        folder: "".into(),
        master: "master.m3u8".into(),
        sidecars: Vec::new(),
    };
    let local = Url::parse(&server.url_for("item", "master.m3u8"))?;
    let origin = Url::parse("http://origin.test/fmp4/master.m3u8")?;
    play(&local, &server.url_for("item", ""), &origin, &location)
}

#[track_caller]
fn check_noticed(change: impl Fn(&Utf8Path), complaint: &str) {
    let error = format!("{:#}", played(change).unwrap_err());
    assert!(error.contains(complaint), "{error}");
}

fn edit(file: Utf8PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_presentation_that_equals_the_fixture_plays_whole() {
    let played = played(|_| {}).unwrap();
    assert_eq!((played.variants, played.audio, played.playlists), (2, 1, 4));
    assert_eq!(played.parts, 3 * (1 + 6), "each rendition has a map and six segments");
}

#[test]
fn a_changed_byte_is_noticed() {
    let change = |folder: &Utf8Path| {
        let file = folder.join("video-90p.mp4");
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(file, bytes).unwrap();
    };
    check_noticed(change, "/video-90p.mp4 differs from /fmp4/video-90p.mp4");
}

#[test]
fn a_missing_segment_a_lost_map_and_other_times_are_noticed() {
    let list = |folder: &Utf8Path| folder.join("video-90p.m3u8");
    check_noticed(
        |folder| edit(list(folder), "#EXTINF:4.00000,\n#EXT-X-BYTERANGE:20522\nvideo-90p.mp4\n", ""),
        "another number of segments",
    );
    check_noticed(|folder| edit(list(folder), "#EXT-X-MAP", "#EXT-X-MOP"), "a map or key is missing");
    check_noticed(|folder| edit(list(folder), "#EXTINF:4.00000", "#EXTINF:4.001"), "segment 1: ");
    check_noticed(|folder| edit(list(folder), "SEQUENCE:1", "SEQUENCE:0"), "segment 1: ");
    check_noticed(|folder| edit(list(folder), "#EXT-X-ENDLIST", ""), "does not end");
}

#[test]
fn a_way_out_of_the_item_is_noticed() {
    let key = "#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"https://origin.test/k\"";
    check_noticed(
        |folder| edit(folder.join("master.m3u8"), "#EXTM3U", key),
        "leads elsewhere: SessionKey https://origin.test/k",
    );
    let variant = ["./video-90p.m3u8", "/video-90p.m3u8"];
    check_noticed(
        |folder| edit(folder.join("master.m3u8"), variant[0], variant[1]),
        "leads elsewhere: Variant",
    );
}

#[test]
fn a_file_that_nobody_plays_is_noticed() {
    check_noticed(|folder| fs::write(folder.join("left.tmp"), b"over").unwrap(), "of which");
}
