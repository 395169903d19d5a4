//! `cbcs`, held against the standard by hand and against ffmpeg.

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::boxes::Mp4Box;
use super::fields::Fields;
use super::pattern::{Cipher, Way};
use super::subsamples::{Auxiliary, Subsample, read_senc, regions, subsamples};
use super::track::{Protection, Samples};
use super::*;

const KEY: ContentKey = ContentKey { key: Key([7; 16]), iv: [9; 16], key_id: [5; 16] };

/// A rendition of the fixtures: its initialization segment and its media segments.
struct Media {
    name: &'static str,
    init: Vec<u8>,
    segments: Vec<Vec<u8>>,
}

fn media(name: &'static str) -> Media {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/media/fmp4").join(name);
    let boxes = Boxes::read(&fs::read(path).unwrap()).unwrap();
    let (init, media) = boxes.0.split_at(boxes.0.iter().position(|it| it.kind == *b"sidx").unwrap());
    let segments = media.chunks(3).map(|it| Boxes(it.to_vec()).to_bytes()).collect();
    Media { name, init: Boxes(init.to_vec()).to_bytes(), segments }
}

fn all_media() -> [Media; 3] {
    ["video-90p.mp4", "video-180p.mp4", "audio.mp4"].map(media)
}

fn encrypted(media: &Media) -> Media {
    let init = encrypt_init(&media.init, &KEY).unwrap();
    let segments =
        media.segments.iter().map(|segment| encrypt_segment(&media.init, segment, &KEY).unwrap()).collect();
    Media { name: media.name, init, segments }
}

#[test]
fn what_is_decrypted_is_what_was_encrypted_byte_for_byte() {
    for clear in all_media() {
        let encrypted = encrypted(&clear);
        assert_eq!(key_ids(&encrypted.init).unwrap(), [KEY.key_id]);
        assert_eq!(key_ids(&clear.init).unwrap(), [[0; 16]; 0]);
        assert!(decrypt_init(&encrypted.init).unwrap() == clear.init, "{}", clear.name);
        assert_eq!(clear.segments.len(), 6);
        for (segment, expected) in encrypted.segments.iter().zip(&clear.segments) {
            assert!(segment != expected);
            assert!(decrypt_segment(&encrypted.init, segment, KEY.key).unwrap() == *expected);
            assert!(decrypt_segment(&encrypted.init, segment, Key([8; 16])).unwrap() != *expected);
        }
    }
}

fn mdat(segment: &[u8]) -> Vec<u8> {
    Boxes::read(segment).unwrap().find(b"mdat").unwrap().head.clone()
}

/// How many bytes differ, of how many.
fn differ(a: &[u8], b: &[u8]) -> (usize, usize) {
    assert_eq!(a.len(), b.len());
    (a.iter().zip(b).filter(|(a, b)| a != b).count(), a.len())
}

#[test]
fn of_video_about_a_tenth_is_encrypted_and_of_sound_nearly_all() {
    for clear in all_media() {
        let encrypted = encrypted(&clear);
        let (changed, all) = differ(&mdat(&clear.segments[2]), &mdat(&encrypted.segments[2]));
        let percent = changed * 100 / all;
        let expected = if clear.name == "audio.mp4" { 85..=99 } else { 3..=11 };
        assert!(expected.contains(&percent), "{}: {percent} %", clear.name);
    }
}

/// A NAL unit of H.264 behind its length.
fn unit(head: u8, length: u32) -> Vec<u8> {
    [&length.to_be_bytes()[..], &[head], &vec![0xee; length as usize - 1]].concat()
}

#[track_caller]
fn check_parts(units: &[(u8, u32)], expected: &[(u16, u32)]) {
    let sample: Vec<u8> = units.iter().flat_map(|(head, length)| unit(*head, *length)).collect();
    let parts = subsamples(Samples::Avc(4), &sample).unwrap();
    let found: Vec<_> = parts.iter().map(|part| (part.clear, part.protected)).collect();
    assert_eq!(found, expected);
    let auxiliary = Auxiliary { iv: [0; 16], subsamples: parts };
    regions(&auxiliary, sample.len()).unwrap();
}

#[test]
fn slices_are_protected_behind_their_leader_and_everything_else_is_clear() {
    let (slice, idr, sei, sps) = (0x41, 0x65, 0x06, 0x67);
    check_parts(&[(slice, 100)], &[(36, 68)]);
    check_parts(&[(sps, 100), (sei, 20), (idr, 48)], &[(104 + 24 + 36, 16)]);
    check_parts(&[(slice, 47)], &[(51, 0)]);
    check_parts(&[(idr, 100), (slice, 60), (sei, 30)], &[(36, 68), (36, 28), (34, 0)]);
    check_parts(&[(sei, 70_000), (slice, 64)], &[(65_535, 0), (4_505, 32)]);
    let torn = [&unit(slice, 100)[..], &[0, 0, 1]].concat();
    assert_eq!(subsamples(Samples::Avc(4), &torn), Err(BadMedia::Parts(107)));
    assert_eq!(subsamples(Samples::Whole, &torn), Ok(Vec::new()));
    // TRAIL_R, IDR_W_RADL, VPS of H.265.
    for (head, protected) in [(0x02, true), (0x26, true), (0x40, false)] {
        let parts = subsamples(Samples::Hevc(4), &unit(head, 100)).unwrap();
        assert_eq!(parts[0].protected > 0, protected, "{head:#x}");
    }
}

#[test]
fn one_block_in_ten_is_chained_to_the_one_before_it_and_the_rest_of_a_block_stays() {
    let clear: Vec<u8> = (0..16 * 23 + 7).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
    let mut region = clear.clone();
    Cipher::new(KEY.key, Way::Encrypt, Pattern::VIDEO).apply(KEY.iv, &mut region);
    let chosen: Vec<u8> = [0, 10, 20].iter().flat_map(|block| &clear[block * 16..][..16]).copied().collect();
    let chained = KEY.key.encrypt(KEY.iv, &chosen).unwrap();
    let mut expected = clear.clone();
    for (place, block) in [0, 10, 20].iter().zip(chained.chunks(16)) {
        expected[place * 16..][..16].copy_from_slice(block);
    }
    assert_eq!(region, expected);

    let mut whole = clear.clone();
    Cipher::new(KEY.key, Way::Encrypt, Pattern::WHOLE).apply(KEY.iv, &mut whole);
    assert_eq!(whole[..16 * 23], KEY.key.encrypt(KEY.iv, &clear[..16 * 23]).unwrap());
    assert_eq!(whole[16 * 23..], clear[16 * 23..]);
}

#[test]
fn samples_may_bring_ivs_and_may_be_without_senc_only_where_they_bring_none() {
    let protection = |iv_size| Protection { pattern: Pattern::VIDEO, iv_size, key_id: [0; 16], iv: [9; 16] };
    let senc = |flags: u8, tail: &[u8]| [&[0, 0, 0, flags, 0, 0, 0, 1][..], tail].concat();
    let read = |head: &[u8], iv_size| read_senc(Some(head), &protection(iv_size), 1);
    let eight = read(&senc(0, &[1, 2, 3, 4, 5, 6, 7, 8]), 8).unwrap();
    assert_eq!(eight[0].iv, [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    let parts = [&[3; 16][..], &[0, 1, 0, 36, 0, 0, 0, 68]].concat();
    let sixteen = read(&senc(2, &parts), 16).unwrap();
    assert_eq!((sixteen[0].iv, sixteen[0].subsamples[0]), ([3; 16], Subsample { clear: 36, protected: 68 }));
    assert_eq!(read_senc(None, &protection(0), 2).unwrap()[1].iv, [9; 16]);
    assert_eq!(read_senc(None, &protection(8), 2), Err(BadMedia::Missing("senc")));
    assert_eq!(read(&senc(0, &[1]), 0), Err(BadMedia::Form("senc")));
    assert_eq!(read_senc(Some(&senc(0, &[])), &protection(0), 2), Err(BadMedia::Form("senc")));
}

#[test]
fn sizes_and_offsets_are_those_of_the_longer_boxes() {
    for clear in all_media() {
        for segment in encrypted(&clear).segments {
            let boxes = Boxes::read(&segment).unwrap();
            let (sidx, moof) = (boxes.find(b"sidx").unwrap(), boxes.find(b"moof").unwrap());
            let (mut fields, ..) = Fields::full(&sidx.head, "sidx").unwrap();
            fields.take(8 + 16 + 4).unwrap();
            let referenced = fields.u32().unwrap() as usize;
            assert_eq!(referenced, segment.len() - sidx.len());
            let traf = moof.within.find(b"traf").unwrap();
            let Some(saio) = traf.within.find(b"saio") else { continue };
            let (mut fields, ..) = Fields::full(&saio.head, "saio").unwrap();
            assert_eq!(fields.u32(), Ok(1));
            let entries = sidx.len() + fields.u32().unwrap() as usize;
            let senc = traf.within.find(b"senc").unwrap();
            assert_eq!(segment[entries..entries + senc.head.len() - 8], senc.head[8..]);
        }
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let clear = media("audio.mp4");
    let encrypted = encrypted(&clear);
    assert_eq!(encrypt_init(&encrypted.init, &KEY), Err(BadMedia::Encrypted));
    assert_eq!(decrypt_segment(&clear.init, &clear.segments[0], KEY.key), Err(BadMedia::Clear));
    assert_eq!(encrypt_segment(&clear.init, &clear.init, &KEY), Err(BadMedia::Missing("moof")));
    assert_eq!(encrypt_segment(&clear.segments[0], &clear.segments[0], &KEY), Err(BadMedia::Missing("moov")));
    assert_eq!(encrypt_init(b"#EXTM3U\n#EXT-X", &KEY), Err(BadMedia::Box { at: 0 }));
    let short = &clear.segments[0][..clear.segments[0].len() - 1];
    assert_eq!(encrypt_segment(&clear.init, short, &KEY), Err(BadMedia::Box { at: 52 + 852 }));
    let ctr = [&encrypted.init[..]].concat();
    let at = ctr.windows(4).position(|four| four == b"cbcs").unwrap();
    let ctr = [&ctr[..at], b"cenc", &ctr[at + 4..]].concat();
    let refused = decrypt_segment(&ctr, &encrypted.segments[0], KEY.key);
    assert_eq!(refused, Err(BadMedia::Scheme("cenc".to_owned())));
    let cut = Boxes(vec![
        Boxes::read(&clear.segments[0]).unwrap().find(b"moof").unwrap().clone(),
        Mp4Box::new(*b"mdat", vec![0; 100]),
    ]);
    let refused = encrypt_segment(&clear.init, &cut.to_bytes(), &KEY);
    assert_eq!(refused, Err(BadMedia::Sample { at: 860, length: 102 }));
}

/// The MD5 of every decoded frame, as ffmpeg makes it; `None` where there is no ffmpeg, which only CI minds.
///
/// A segment at a time, as HLS players read them: ffmpeg 5.1 loses its way among the `senc` of several fragments.
fn frames(init: &[u8], segment: &[u8], key: Option<Key>) -> Option<String> {
    let folder = camino_tempfile::tempdir().unwrap();
    let file = folder.path().join("segment.mp4");
    fs::write(&file, [init, segment].concat()).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1"]);
    if let Some(key) = key {
        command.args(["-decryption_key", &crate::fairplay::bytes::hex(&key.0)]);
    }
    command.arg("-i").arg(&file).args(["-map", "0", "-f", "framemd5", "-"]);
    match command.output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "ffmpeg, which CI needs: {missing}");
            None
        }
    }
}

#[test]
fn ffmpeg_decrypts_to_the_frames_of_the_clear_media() {
    for clear in [media("video-90p.mp4"), media("audio.mp4")] {
        let encrypted = encrypted(&clear);
        for (segment, clear_segment) in encrypted.segments.iter().zip(&clear.segments) {
            let Some(expected) = frames(&clear.init, clear_segment, None) else { return };
            assert!(expected.lines().count() > 90, "{expected}");
            let made = frames(&encrypted.init, segment, Some(KEY.key)).unwrap();
            assert!(made == expected, "{}: {made}", clear.name);
        }
        let expected = frames(&clear.init, &clear.segments[0], None).unwrap();
        let other = frames(&encrypted.init, &encrypted.segments[0], Some(Key([8; 16]))).unwrap();
        assert!(other != expected, "{}", clear.name);
    }
}

proptest! {
    #[test]
    fn no_media_makes_a_reader_panic(at in 0_usize..2500, with in any::<[u8; 4]>(), cut in 0_usize..3000) {
        let clear = media("audio.mp4");
        let encrypted = encrypted(&clear);
        let spoiled = |bytes: &[u8]| {
            let mut bytes = bytes[..bytes.len() - cut.saturating_sub(1500).min(bytes.len())].to_vec();
            bytes.iter_mut().skip(at).zip(with).for_each(|(to, from)| *to = from);
            bytes
        };
        let (init, segment) = (spoiled(&encrypted.init), spoiled(&encrypted.segments[1]));
        drop(encrypt_init(&spoiled(&clear.init), &KEY));
        drop((decrypt_init(&init), key_ids(&init)));
        drop(decrypt_segment(&init, &encrypted.segments[1], KEY.key));
        drop(decrypt_segment(&encrypted.init, &segment, KEY.key));
        drop(encrypt_segment(&clear.init, &spoiled(&clear.segments[1]), &KEY));
        if let Ok(boxes) = Boxes::read(&segment) {
            prop_assert_eq!(boxes.to_bytes(), segment);
        }
    }
}
