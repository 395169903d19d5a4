//! What a playlist says, as documents and for people.

use serde_json::{Value, json};

use crate::world::{MASTER, Ran, World};

const MEDIA: &str = "\u{feff}#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:10
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"800@0\"
#EXTINF:9.009,First
#EXT-X-BYTERANGE:1000@800
all.mp4
#EXT-X-KEY:METHOD=AES-128,URI=\"key.bin?t=1\",IV=0xAB
#EXTINF:9.009,
#EXT-X-BYTERANGE:500
all.mp4
#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://one\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,AA==\",KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\"
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z
#EXTINF:3.003,
other.mp4
#EXT-X-KEY:METHOD=NONE
#EXT-X-GAP
#EXTINF:1,
gap.mp4
#EXT-X-ENDLIST
";

fn inspect(text: &str, words: &[&str]) -> (World, Ran) {
    let world = World::new();
    std::fs::write(world.folder.path().join("a.m3u8"), text).unwrap();
    let ran = world.run(&[&["inspect", "a.m3u8"], words].concat());
    (world, ran)
}

fn document(text: &str) -> Value {
    serde_json::from_str(&inspect(text, &["--json"]).1.exits(0).stdout()).unwrap()
}

#[test]
fn a_media_playlist_as_a_document() {
    insta::assert_snapshot!("inspect-media", inspect(MEDIA, &["--json"]).1.exits(0).stdout());
}

#[test]
fn a_media_playlist_for_people() {
    insta::assert_snapshot!("inspect-media-words", inspect(MEDIA, &[]).1.exits(0).stdout());
}

#[test]
fn a_multivariant_playlist_as_a_document() {
    insta::assert_snapshot!("inspect-multivariant", inspect(MASTER, &["--json"]).1.exits(0).stdout());
}

#[test]
fn a_multivariant_playlist_for_people() {
    insta::assert_snapshot!("inspect-multivariant-words", inspect(MASTER, &[]).1.exits(0).stdout());
}

#[test]
fn inherited_state_is_resolved() {
    let segments = document(MEDIA)["segments"].clone();
    assert_eq!(segments[1]["byte_range"], json!({ "offset": 1800, "length": 500 }));
    assert_eq!(segments[1]["keys"][0]["iv"], "0x000000000000000000000000000000ab");
    assert_eq!(segments[2]["keys"].as_array().unwrap().len(), 3, "one for each KEYFORMAT");
    assert_eq!(segments[2]["map"]["byte_range"], json!({ "offset": 0, "length": 800 }));
    assert_eq!(segments[3]["keys"], json!([]));
    assert_eq!(segments[3]["media_sequence"], 10);
    assert_eq!(segments[3]["discontinuity_sequence"], 1);
}

#[test]
fn durations_keep_their_decimals() {
    let text = inspect(MEDIA, &["--json"]).1.exits(0).stdout();
    assert!(text.contains("\"duration\": 9.009,"), "{text}");
    assert!(text.contains("\"duration\": 22.021,"), "the sum is exact: {text}");
}

#[test]
fn a_url_is_inspected_as_a_file_is() {
    let world = World::new();
    std::fs::write(world.folder.path().join("a.m3u8"), MASTER).unwrap();
    assert_eq!(world.json(&["inspect", &world.show()]), world.json(&["inspect", "a.m3u8"]));
}

#[test]
fn a_file_is_inspected_without_any_network() {
    let world = World::new();
    std::fs::write(world.folder.path().join("a.m3u8"), MASTER).unwrap();
    world.run(&["inspect", "a.m3u8"]).exits(0);
    assert!(world.origin.requests().is_empty());
    assert!(!world.store().exists(), "and without a store");
}

#[test]
fn what_is_no_playlist_is_refused() {
    let (_world, ran) = inspect("<html>\n", &["--json"]);
    let ran = ran.exits(1);
    let document: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(document["schema"], "dtg.inspect/1");
    assert_eq!(document["verdict"], "refused");
    assert_eq!(document["kind"], Value::Null);
    assert_eq!(ran.line(), "dtg: a.m3u8: line 1: `<html>`: not a playlist: the first line is not `#EXTM3U`");
    assert_eq!(document["error"]["code"], "not-a-playlist");
}

#[test]
fn strict_refuses_what_is_only_odd_otherwise() {
    let odd = "#EXTM3U\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n";
    let (_world, ran) = inspect(odd, &["--json"]);
    let document: Value = serde_json::from_str(&ran.exits(0).stdout()).unwrap();
    assert!(!document["diagnostics"].as_array().unwrap().is_empty(), "a missing EXT-X-TARGETDURATION is odd");
    inspect(odd, &["--strict"]).1.exits(1);
}

#[test]
fn a_file_s_definitions_find_the_query_of_where_it_came_from() {
    let text = MEDIA
        .replace("#EXTINF:1,\n", "#EXT-X-DEFINE:QUERYPARAM=\"t\"\n#EXTINF:1,\n")
        .replace("gap.mp4", "gap.mp4?{$t}");
    let (_world, ran) = inspect(&text, &["--json", "--base-url", "https://h.test/a.m3u8?t=7"]);
    let document: Value = serde_json::from_str(&ran.exits(0).stdout()).unwrap();
    assert_eq!(document["segments"][3]["uri"], "gap.mp4?{$t}", "as written");
    assert_eq!(document["segments"][3]["substituted_uri"], "gap.mp4?7");
}

#[test]
fn control_characters_of_a_playlist_do_not_reach_the_terminal() {
    let text = MASTER.replace("NAME=\"English\"", "NAME=\"Eng\u{1b}[31mlish\"");
    assert!(!inspect(&text, &[]).1.stdout().contains('\u{1b}'));
}

#[test]
fn stdin_is_a_source() {
    let world = World::new();
    let file = world.folder.path().join("a.m3u8");
    std::fs::write(&file, MASTER).unwrap();
    let stdin = std::fs::File::open(&file).unwrap();
    let output = world.command(&["inspect", "-", "--json"]).stdin(stdin).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["kind"], "multivariant");
}
