//! Strategies: the same for the same seed, and able to make everything they promise.

use std::collections::BTreeSet;

use super::*;
use crate::tree::{Hosts, PlaylistType};
use crate::write::playlist_text;

fn all_text(tree: &Tree) -> String {
    let hosts = Hosts::placeholders(&tree.hosts);
    let texts = tree.texts().map(|(_, entry)| playlist_text(tree, &hosts, entry));
    texts.map(|text| String::from_utf8(text).unwrap()).collect()
}

#[test]
fn equal_seeds_give_equal_trees_and_others_do_not() {
    let options = Options::default();
    assert_eq!(tree_of_seed(7, &options), tree_of_seed(7, &options));
    assert_ne!(tree_of_seed(7, &options), tree_of_seed(8, &options));
}

/// The generator's own answer, so that no platform and no update changes what a seed means without notice.
#[test]
fn a_seed_means_the_same_text_everywhere() {
    let texts: String = (0..20).map(|seed| all_text(&tree_of_seed(seed, &Options::default()))).collect();
    assert_eq!(
        blake3::hash(texts.as_bytes()).to_string(),
        "f573cf7f123ea9322fc4cbb4121b9c4b5fed8c65f3d5bab3b5069400e343d122"
    );
}

#[test]
fn every_feature_shows_in_some_tree() {
    let wanted = [
        "#EXT-X-BYTERANGE:",
        "#EXT-X-MAP:",
        "BYTERANGE=\"40@40\"",
        "METHOD=AES-128",
        "METHOD=SAMPLE-AES,URI=\"../../keys",
        "METHOD=NONE",
        "data:application/octet-stream",
        "skd://",
        "com.microsoft.playready",
        "KEYFORMAT=\"identity\"",
        "#EXT-X-DISCONTINUITY\n",
        "#EXT-X-GAP",
        "X-ASSET-URI",
        "X-ASSET-LIST",
        "IMPORT=",
        "QUERYPARAM=",
        "{$s}",
        "#EXT-X-SESSION-KEY",
        "#EXT-X-SESSION-DATA",
        "#EXT-X-CONTENT-STEERING",
        "#EXT-X-I-FRAME-STREAM-INF",
        "#EXT-X-COM-ACME",
        "#EXT-X-PART:",
        "#EXT-X-PART-INF:PART-TARGET=5\n",
        "#EXT-X-PRELOAD-HINT:TYPE=PART",
        "#EXT-X-PRELOAD-HINT:TYPE=MAP",
        "#EXT-X-RENDITION-REPORT",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "\r\n",
        "\u{feff}",
        "//h1.test",
        "\n?seg=",
        "http://h2.test",
        "?n=",
        "#t=1",
        "%2e%2e%2f",
        "TYPE=CLOSED-CAPTIONS",
        "#EXT-X-MEDIA-SEQUENCE:9007199254740993",
        "#EXT-X-DISCONTINUITY-SEQUENCE:77",
        "#EXT-X-PROGRAM-DATE-TIME",
        "#EXT-X-BITRATE",
        "#EXT-X-START",
        ",A title, with",
    ];
    let mut missing: BTreeSet<&str> = wanted.into_iter().collect();
    for seed in 0..600 {
        let text = all_text(&tree_of_seed(seed, &Options::default()));
        missing.retain(|wanted| !text.contains(wanted));
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn playlists_that_have_not_ended_are_made_only_when_asked_for() {
    let unended = |features| {
        let options = Options { features, ..Options::default() };
        let playlists = (0..100).flat_map(move |seed| tree_of_seed(seed, &options).playlists);
        playlists.filter(|it| !it.end_list || it.low_latency.skipped.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(unended(Features::all()), []);
    let unended = unended(Features::all() | Feature::Live);
    let open = |kind| unended.iter().any(|it| !it.end_list && it.playlist_type == kind);
    assert!(open(None) && open(Some(PlaylistType::Event)));
    assert!(unended.iter().any(|it| it.end_list && it.low_latency.skipped == Some(1)));
}

/// Simplifies a failure as far as it goes, and says which text is left.
fn text_of_smallest(fails: impl Fn(&Tree) -> bool) -> String {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = trees(&Options::default());
    let mut failing = loop {
        let tree = strategy.new_tree(&mut runner).unwrap();
        if fails(&tree.current()) {
            break tree;
        }
    };
    let mut smallest = failing.current();
    let mut more = failing.simplify();
    while more {
        more = if fails(&failing.current()) {
            smallest = failing.current();
            failing.simplify()
        } else {
            failing.complicate()
        };
    }
    all_text(&smallest)
}

#[test]
fn a_failure_shrinks_to_a_tree_of_a_few_lines() {
    for tag in ["#EXT-X-MAP:", "#EXT-X-GAP", "METHOD=AES-128", "X-ASSET-URI", "\n?seg="] {
        let text = text_of_smallest(|tree| all_text(tree).contains(tag));
        assert!(text.lines().count() <= 24, "{tag}:\n{text}");
    }
}
