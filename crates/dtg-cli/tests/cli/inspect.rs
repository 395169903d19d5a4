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
    let url = world.show();
    assert_eq!(world.json(&["inspect", &url]), world.json(&["inspect", "a.m3u8", "--base-url", &url]));
}

#[test]
fn whole_urls_stand_beside_the_written_ones_where_the_base_is_known() {
    let (_world, ran) = inspect(MEDIA, &["--json", "--base-url", "https://h.test/b/a.m3u8"]);
    let known: Value = serde_json::from_str(&ran.exits(0).stdout()).unwrap();
    assert_eq!(known["segments"][0]["url"], "https://h.test/b/all.mp4");
    assert_eq!(known["segments"][1]["keys"][0]["url"], "https://h.test/b/key.bin?t=1");
    assert_eq!(known["segments"][2]["keys"][1]["url"], "skd://one");
    assert_eq!(known["segments"][0]["map"]["url"], "https://h.test/b/all.mp4");
    assert_eq!(document(MEDIA)["segments"][0]["url"], Value::Null, "a file alone does not tell");
}

#[test]
fn definitions_are_imported_from_the_multivariant_playlist_that_is_named() {
    let text = "#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"x\"\n#EXTINF:1,\n{$x}.ts\n";
    let (world, ran) = inspect(text, &["--json"]);
    assert!(ran.exits(1).stdout().contains("import-undefined"), "opened directly it must be refused");
    let menu = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"y\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";
    std::fs::write(world.folder.path().join("m.m3u8"), menu).unwrap();
    let document = world.json(&["inspect", "a.m3u8", "--multivariant", "m.m3u8"]);
    assert_eq!(document["segments"][0]["substituted_uri"], "y.ts");
}

#[test]
fn what_is_said_besides_streams_is_shown_to_people() {
    let menu = "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-START:TIME-OFFSET=-6.25,PRECISE=YES\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"y\"\n\
        #EXT-X-SESSION-DATA:DATA-ID=\"com.t\",VALUE=\"title\",LANGUAGE=\"en\"\n\
        #EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer\",PATHWAY-ID=\"CDN-A\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";
    insta::assert_snapshot!("inspect-menu-words", inspect(menu, &[]).1.exits(0).stdout());
    let live = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-VERSION:6\n\
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=24,HOLD-BACK=11\n\
        #EXT-X-PART-INF:PART-TARGET=0.5\n#EXTINF:4.5,\na.ts\n#EXT-X-PART:DURATION=0.5,URI=\"p.ts\"\n";
    insta::assert_snapshot!("inspect-live-words", inspect(live, &[]).1.exits(0).stdout());
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

#[test]
fn an_implicit_iv_is_printed_as_what_it_is() {
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:2680\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\na.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n#EXTINF:4,\nb.ts\n";
    let (_world, ran) = inspect(text, &["--json"]);
    let document: Value = serde_json::from_str(&ran.exits(0).stdout()).unwrap();
    let ivs = |segment: usize| {
        let key = &document["segments"][segment]["keys"][0];
        (key["iv"].as_str(), key["implicit_iv"].as_str())
    };
    assert_eq!(ivs(0), (None, Some("0x00000000000000000000000000000a78")));
    assert_eq!(ivs(1), (Some("0x00000000000000000000000000000001"), None));
}

#[test]
fn no_captions_are_told_from_a_group_that_is_named_so() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=NONE\na\n\
        #EXT-X-STREAM-INF:BANDWIDTH=2,CLOSED-CAPTIONS=\"NONE\"\nb\n";
    let (_world, ran) = inspect(text, &["--json"]);
    let document: Value = serde_json::from_str(&ran.exits(0).stdout()).unwrap();
    let none = |variant: usize| document["variants"][variant]["closed_captions_none"].as_bool();
    assert_eq!((none(0), none(1)), (Some(true), Some(false)));
}

const KEY: &str = "METHOD=SAMPLE-AES,URI=\"skd://one?t=1\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"";

/// What `inspect` says of session keys, of a presentation with this line in its multivariant playlist.
fn session_key_warnings(line: &str, what: &[&str]) -> Vec<String> {
    let world = World::new();
    let write = |name: &str, text: String| std::fs::write(world.folder.path().join(name), text).unwrap();
    write("a.m3u8", format!("#EXTM3U\n{line}#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"));
    write(
        "v.m3u8",
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:{KEY}\n#EXTINF:4,\n0.ts\n#EXT-X-ENDLIST\n"),
    );
    let document: Value =
        serde_json::from_str(&world.run(&[&["inspect", "--json"], what].concat()).exits(0).stdout()).unwrap();
    let diagnostics = document["diagnostics"].as_array().unwrap().iter();
    let ours = diagnostics.filter(|it| it["rule"] == "fairplay-session-key");
    ours.map(|it| it["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_fairplay_key_that_no_session_key_names_is_warned_of_with_the_line_that_is_missing() {
    for what in [&["a.m3u8"][..], &["v.m3u8", "--multivariant", "a.m3u8"]] {
        let warnings = session_key_warnings("", what);
        assert_eq!(warnings.len(), 1, "{what:?}");
        for part in ["#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://one\"", "Allow FairPlay Offline"] {
            assert!(warnings[0].contains(part), "{warnings:?}");
        }
        assert!(!warnings[0].contains("t=1"));
        let named = format!("#EXT-X-SESSION-KEY:{KEY}\n");
        assert!(session_key_warnings(&named, what).is_empty(), "{what:?}");
    }
}
