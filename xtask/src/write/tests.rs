//! What is written can be read, kept on disk and served.

use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::presets::Preset;
use crate::strategy::{self, Feature, Features, Options};
use crate::tree::{
    Body, HintKind, LastLine, LineEnds, Link, Location, LowLatency, LowLatencyTag, Mark, MediaPlaylist,
    Offset, Part, PreloadHint, Range, RenditionReport, ServerControl, Tag, TextStyle,
};

fn media_folder() -> camino::Utf8PathBuf {
    camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/media")
}

fn preset(preset: Preset) -> Tree {
    preset.tree(&media_folder()).unwrap()
}

fn hosts(tree: &Tree) -> Hosts {
    Hosts::placeholders(&tree.hosts)
}

#[track_caller]
fn check_style(style: TextStyle, expected: &str) {
    let playlist = MediaPlaylist { style, head: vec!["#a".into()], ..MediaPlaylist::default() };
    let text = playlist_text(&Tree::default(), &Hosts::new(Vec::new()), Entry::Media(&playlist));
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn a_style_decides_on_line_ends_and_mark() {
    let style = TextStyle::default();
    check_style(style, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#a\n");
    let crlf = TextStyle { line_ends: LineEnds::CrLf, mark: Mark::Utf8, ..style };
    check_style(crlf, "\u{feff}#EXTM3U\r\n#EXT-X-TARGETDURATION:1\r\n#a\r\n");
    let mixed = TextStyle { line_ends: LineEnds::Mixed, last_line: LastLine::Open, ..style };
    check_style(mixed, "#EXTM3U\r\n#EXT-X-TARGETDURATION:1\n#a");
}

#[test]
fn low_latency_lines_say_what_their_values_say() {
    let mut tree = Tree::new(1, &["origin"]);
    let at = |target: &str| Location::new(0, target);
    let file = tree.add_file(at("/v/part.mp4"), Body::Noise(10));
    let other =
        tree.add_playlist(MediaPlaylist { location: at("/a/index.m3u8"), ..MediaPlaylist::default() });
    let uri = Link::relative(file);
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let control = ServerControl {
        can_block_reload: true,
        can_skip_until: seconds(24),
        hold_back: None,
        part_hold_back: Some(Duration::from_millis(1500)),
    };
    let range = Some(Range { offset: 40, length: 10, written: Offset::Explicit });
    let part = Part { uri: uri.clone(), duration: Duration::from_millis(500), range, independent: true };
    let hint = PreloadHint { kind: HintKind::Map, uri, start: 3, length: Some(7) };
    let report = RenditionReport { uri: Link::relative(other), last_msn: 4, last_part: Some(1) };
    let tags =
        [LowLatencyTag::Part(part), LowLatencyTag::PreloadHint(hint), LowLatencyTag::RenditionReport(report)];
    let playlist = MediaPlaylist {
        location: at("/v/index.m3u8"),
        low_latency: LowLatency {
            server_control: Some(control),
            part_target: Some(Duration::from_millis(500)),
            skipped: Some(2),
        },
        tail: tags.map(Tag::LowLatency).into(),
        ..MediaPlaylist::default()
    };
    let text = playlist_text(&tree, &hosts(&tree), Entry::Media(&playlist));
    let expected = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n\
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,PART-HOLD-BACK=1.5\n\
        #EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n\
        #EXT-X-PART:DURATION=0.5,URI=\"part.mp4\",BYTERANGE=\"10@40\",INDEPENDENT=YES\n\
        #EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"part.mp4\",BYTERANGE-START=3,BYTERANGE-LENGTH=7\n\
        #EXT-X-RENDITION-REPORT:URI=\"../a/index.m3u8\",LAST-MSN=4,LAST-PART=1\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

/// Text that m3u8-rs is known to read right: none of what dependencies.md would call its weak points.
fn simple() -> Options {
    let features = [Feature::ByteRanges, Feature::Discontinuities, Feature::UriForms, Feature::Queries];
    Options { features: features.into_iter().collect(), ..Options::default() }
}

proptest! {
    #[test]
    fn m3u8_rs_reads_back_what_it_can(tree in strategy::trees(&simple())) {
        let hosts = hosts(&tree);
        for (_, entry) in tree.texts() {
            let text = playlist_text(&tree, &hosts, entry);
            match (entry, m3u8_rs::parse_playlist_res(&text)) {
                (Entry::Multivariant(it), Ok(m3u8_rs::Playlist::MasterPlaylist(read))) => {
                    prop_assert_eq!(read.variants.len(), it.variants.len() + it.i_frame_variants.len());
                    prop_assert_eq!(read.alternatives.len(), it.renditions.len());
                    let rates: Vec<u64> = read.variants.iter().map(|variant| variant.bandwidth).collect();
                    prop_assert_eq!(rates, it.variants.iter().map(|it| it.bandwidth).collect::<Vec<_>>());
                }
                (Entry::Media(it), Ok(m3u8_rs::Playlist::MediaPlaylist(read))) => {
                    prop_assert_eq!(read.segments.len(), it.segments.len());
                    for (read, segment) in read.segments.iter().zip(&it.segments) {
                        prop_assert!((f64::from(read.duration) - segment.duration.as_secs_f64()).abs() < 1e-5);
                        prop_assert_eq!(read.byte_range.as_ref().map(|range| range.length), segment.range.map(|range| range.length));
                    }
                }
                (_, read) => prop_assert!(false, "{read:?} from {}", String::from_utf8_lossy(&text)),
            }
        }
    }

    #[test]
    fn every_range_lies_within_its_file(tree in strategy::trees(&Options::default())) {
        for segment in tree.playlists.iter().flat_map(|playlist| &playlist.segments) {
            let length = tree.file(segment.uri.to).unwrap().body.len();
            if let Some(range) = segment.range {
                prop_assert!(range.offset + range.length <= length.unwrap());
            }
        }
    }

    #[test]
    fn no_two_resources_share_a_place(tree in strategy::trees(&Options::default())) {
        let mut places: Vec<Location> = tree.resources().map(|it| it.location.into_owned()).collect();
        let count = places.len();
        places.sort();
        places.dedup();
        prop_assert_eq!(places.len(), count);
    }
}

#[test]
fn a_place_holds_what_is_listed_there_and_nothing_else() {
    let tree = preset(Preset::DrmMixed);
    for resource in tree.resources() {
        assert_eq!(tree.get(&resource.location), Some(resource.clone()));
    }
    assert_eq!(tree.get(&Location::new(0, "/absent.ts")), None);
    assert_eq!(tree.get(&Location::new(1, "/master.m3u8")), None);
}

#[test]
fn the_folder_holds_what_the_truth_says() {
    let folder = camino_tempfile::tempdir().unwrap();
    let tree = preset(Preset::DrmMixed);
    let summary = write_to(&tree, &hosts(&tree), folder.path()).unwrap();
    let json = std::fs::read(folder.path().join("tree.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let resources = json["resources"].as_array().unwrap();
    assert_eq!(resources.len() as u64, summary.files);
    assert_eq!(resources.len(), tree.resources().count());
    for (facts, resource) in resources.iter().zip(tree.resources()) {
        let bytes = std::fs::read(folder.path().join(facts["file"].as_str().unwrap())).unwrap();
        assert_eq!(bytes, resource.bytes(&tree, &hosts(&tree)));
        assert_eq!(facts["length"], bytes.len());
        assert_eq!(facts["blake3"], blake3::hash(&bytes).to_string());
    }
}

#[test]
fn a_run_is_written_to_disk_like_listed_segments() {
    let folder = camino_tempfile::tempdir().unwrap();
    let tree = crate::presets::huge(1500);
    let summary = write_to(&tree, &hosts(&tree), folder.path()).unwrap();
    assert_eq!(summary.files, 1501);
    let text = std::fs::read_to_string(folder.path().join("origin/huge/index.m3u8")).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("#EXTINF:4.004,")).count(), 1500);
    let last = text.lines().rfind(|line| line.ends_with(".ts")).unwrap();
    assert_eq!(last, "0001/499.ts");
    assert_eq!(std::fs::metadata(folder.path().join("origin/huge").join(last)).unwrap().len(), 64);
}

/// The body of an answer on a connection of its own.
fn fetch(url: &str, range: &str) -> Vec<u8> {
    let (address, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET /{target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{range}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

#[test]
fn origins_serve_every_host_of_a_tree() {
    let tree = Arc::new(preset(Preset::DrmMixed));
    let origins = Origins::start(Arc::clone(&tree)).unwrap();
    assert_eq!(origins.all().len(), 2);
    assert!(origins.entry().ends_with("/master.m3u8"));
    for resource in tree.resources() {
        let bytes = resource.bytes(&tree, origins.hosts());
        let url = origins.hosts().url(&resource.location);
        assert_eq!(fetch(&url, ""), bytes, "{url}");
        assert_eq!(fetch(&url, "Range: bytes=3-9\r\n"), bytes[3..10], "{url}");
    }
}

#[test]
fn features_that_are_off_leave_plain_text() {
    let options = Options { features: Features::none(), ..Options::default() };
    for seed in 0..50 {
        let tree = strategy::tree_of_seed(seed, &options);
        assert_eq!(tree.hosts.len(), 1);
        for (_, entry) in tree.texts() {
            let text = String::from_utf8(playlist_text(&tree, &hosts(&tree), entry)).unwrap();
            let odd = ["KEY", "MAP", "BYTERANGE", "DISCONTINUITY", "GAP", "DATERANGE", "http", "\r", "../"];
            let found: Vec<_> = odd.into_iter().filter(|odd| text.contains(odd)).collect();
            assert_eq!(found, [""; 0], "seed {seed}: {text}");
        }
    }
}
