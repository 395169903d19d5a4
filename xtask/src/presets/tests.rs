//! Presets: what is committed is what they make.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::*;

fn fixtures() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn read_all(folder: &Utf8Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => read_all(entry.path(), &format!("{name}/"), found),
            false => drop(found.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
}

/// The generator still makes the committed tree, byte for byte. `UPDATE_GOLDEN=1` writes it anew.
#[track_caller]
fn check(name: &str, tree: &Tree) {
    check_files(name, tree, |_| true);
}

/// The same for some of the files: `tree.json` has a hash of each.
#[track_caller]
fn check_files(name: &str, tree: &Tree, is_committed: fn(&str) -> bool) {
    let golden = fixtures().join("trees").join(name);
    let folder = camino_tempfile::tempdir().unwrap();
    let hosts = Hosts::placeholders(&tree.hosts);
    write_to(tree, &hosts, folder.path()).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = fs::remove_dir_all(&golden);
        write_to(tree, &hosts, &golden).unwrap();
        let mut written = BTreeMap::new();
        read_all(&golden, "", &mut written);
        written
            .keys()
            .filter(|name| !is_committed(name))
            .for_each(|name| fs::remove_file(golden.join(name)).unwrap());
    }
    let (mut expected, mut made) = (BTreeMap::new(), BTreeMap::new());
    read_all(&golden, "", &mut expected);
    read_all(folder.path(), "", &mut made);
    made.retain(|name, _| is_committed(name));
    assert!(expected.keys().eq(made.keys()), "{name}: {:?} became {:?}", expected.keys(), made.keys());
    for (file, bytes) in &expected {
        assert!(made[file] == *bytes, "{name}/{file}: {}", String::from_utf8_lossy(&made[file]));
    }
}

#[test]
fn tiny_is_the_committed_tree() {
    check("tiny", &synthetic::tiny());
}

#[test]
fn fairplay_is_the_committed_tree() {
    check_files("fairplay", &media(Preset::Fairplay), |name| {
        !name.ends_with("mp4") && !name.ends_with("m4s")
    });
}

#[test]
fn fairplay_s_media_is_that_of_vod_fmp4_once_it_is_decrypted() {
    use crate::tree::{Body, FileId, Key, KeyUri, Tag};
    use dtg_testkit::fairplay::cbcs;

    let (clear, tree) = (media(Preset::VodFmp4), media(Preset::Fairplay));
    let bytes = |tree: &Tree, file: FileId| {
        let Body::Stored(bytes) = &tree.file(file).unwrap().body else { panic!() };
        bytes.to_vec()
    };
    let (mut encrypted, mut in_clear) = (0, 0);
    for playlist in &tree.playlists {
        let same = |it: &&crate::tree::MediaPlaylist| it.location == playlist.location;
        let clear_playlist = clear.playlists.iter().find(same).unwrap();
        let (mut key, mut init) = (None, Vec::new());
        for (segment, clear_segment) in playlist.segments.iter().zip(&clear_playlist.segments) {
            for tag in &segment.before {
                if let Tag::Map(map) = tag {
                    init = bytes(&tree, map.uri.to);
                }
                if let Tag::Key(Key { uri, .. }) = tag {
                    let is_its = |it: &&crate::tree::ContentKeyOf| *uri == Some(KeyUri::Text(it.uri.clone()));
                    key = tree.content_keys.iter().find(is_its);
                }
            }
            let expected = bytes(&clear, clear_segment.uri.to);
            let found = bytes(&tree, segment.uri.to);
            match key {
                None => {
                    in_clear += 1;
                    assert!(found == expected);
                }
                Some(key) => {
                    encrypted += 1;
                    assert_eq!(cbcs::key_ids(&init).unwrap(), [key.key.key_id]);
                    assert!(cbcs::decrypt_segment(&init, &found, key.key.key).unwrap() == expected);
                }
            }
        }
    }
    assert_eq!((encrypted, in_clear), (11, 1));
}

#[test]
fn drm_mixed_is_the_committed_tree() {
    check("drm-mixed", &synthetic::drm_mixed());
}

#[test]
fn a_generated_tree_is_the_committed_tree() {
    let options = Options { segment_bytes: 1..=200, ..Options::default() };
    // A small one in which most tags occur.
    check("seed-2926", &tree_of_seed(2926, &options));
}

#[test]
fn every_preset_has_its_name_and_can_be_made() {
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse(), Ok(preset));
        let tree = preset.tree(&fixtures().join("media")).unwrap();
        assert!(tree.entry().is_some(), "{}", preset.name());
        assert!(tree.playlists.iter().all(|playlist| !playlist.is_empty()), "{}", preset.name());
    }
    assert!("tin".parse::<Preset>().is_err());
}

#[test]
fn presets_have_the_sizes_they_promise() {
    assert_eq!(huge(1_000_000).playlists[0].len(), 1_000_000);
    assert_eq!(wide(2_000).multivariant.unwrap().variants.len(), 2_000);
}

fn media(preset: Preset) -> Tree {
    preset.tree(&fixtures().join("media")).unwrap()
}

/// The bytes of a segment, wherever they are.
fn segments(tree: &Tree, playlist: usize) -> Vec<Vec<u8>> {
    let bytes = |segment: &crate::tree::Segment| {
        let crate::tree::Body::Stored(bytes) = &tree.file(segment.uri.to).unwrap().body else { panic!() };
        let all = 0..bytes.len();
        let at = |offset: u64| usize::try_from(offset).unwrap();
        let range = segment.range.map(|it| at(it.offset)..at(it.offset + it.length));
        bytes[range.unwrap_or(all)].to_vec()
    };
    tree.playlists[playlist].segments.iter().map(bytes).collect()
}

#[test]
fn files_of_their_own_hold_the_same_media_as_byte_ranges() {
    let (ranges, files) = (media(Preset::Byterange), media(Preset::VodFmp4));
    assert_eq!(ranges.playlists.len(), files.playlists.len());
    for playlist in 0..ranges.playlists.len() {
        assert_eq!(segments(&ranges, playlist), segments(&files, playlist));
    }
}

#[test]
fn media_presets_keep_what_they_are_named_after() {
    let two_keys = |tag: &&crate::tree::Tag| matches!(tag, crate::tree::Tag::Key(_));
    let aes = media(Preset::AesRotation);
    let keys = aes.playlists[0].segments.iter().flat_map(|segment| &segment.before).filter(two_keys);
    assert_eq!(keys.count(), 2);
    assert_eq!(media(Preset::MultiAudio).multivariant.unwrap().renditions.len(), 2);
    let audio = media(Preset::AudioOnly).multivariant.unwrap();
    assert!(audio.renditions.is_empty() && audio.variants.iter().all(|it| it.resolution.is_none()));
    assert_eq!(media(Preset::VodTs).multivariant.unwrap().variants.len(), 3);
}
