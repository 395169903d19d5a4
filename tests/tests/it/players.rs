//! Real players read what was downloaded, with the origin gone.

use std::process::Command;
use std::sync::Arc;

use dtg_core::{BitRate, ContentManager};
use local_assets::LocalAssetsManager;
use media_entry::Platform;
use playback_server::PlaybackServer;
use tests::Shelf;

use crate::support::{entry_of, fixtures, folder, id};

/// What ffprobe reads through the playback URL: kind and number of packets of each stream.
///
/// `None` where ffprobe is not installed; CI has it.
fn probed(name: &'static str) -> Option<Vec<(String, u32)>> {
    let (origin, root) = (fixtures(), folder());
    let entry = entry_of(name, &origin);
    let content = ContentManager::open(root.path()).unwrap();
    let assets = LocalAssetsManager::new(Platform::desktop());
    let source = assets.preferred_downloadable_media_source(&entry).unwrap().source;
    content.add_item(&id(name), &source.url).unwrap();
    content.load_item_metadata(&id(name), BitRate(300_000)).unwrap();
    content.start_item(&id(name)).unwrap();
    content.wait(&id(name)).unwrap();
    let location = content.playback_location(&id(name)).unwrap();
    origin.stop();

    let server = PlaybackServer::start(Arc::new(Shelf(Arc::new(content)))).unwrap();
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-count_packets",
            "-show_entries",
            "stream=codec_type,nb_read_packets",
            "-of",
            "csv=p=0",
        ])
        .arg(server.url_for(name, location.master.as_str()))
        .output();
    let Ok(output) = output else {
        assert!(std::env::var_os("CI").is_none(), "CI has ffprobe");
        return None;
    };
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    let lines = String::from_utf8_lossy(&output.stdout);
    let mut streams: Vec<(String, u32)> = lines
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(kind, packets)| (kind.to_owned(), packets.trim_end_matches(',').parse().unwrap_or(0)))
        .collect();
    streams.sort();
    streams.dedup();
    Some(streams)
}

/// 24 s of pictures, 24 a second, and of sound, 1024 samples a packet.
#[track_caller]
fn check(name: &'static str, expected: &[(&str, std::ops::RangeInclusive<u32>)]) {
    let Some(streams) = probed(name) else { return };
    for (kind, packets) in expected {
        let found = streams.iter().filter(|(it, _)| it == kind);
        assert!(found.clone().any(|(_, count)| packets.contains(count)), "{name}: {kind} in {streams:?}");
    }
}

#[test]
fn a_ts_presentation_with_alternative_audio_and_subtitles_is_read_whole() {
    check("ts", &[("video", 576..=576), ("audio", 1000..=1200)]);
}

#[test]
fn an_fmp4_presentation_in_byte_ranges_is_read_whole() {
    check("fmp4", &[("video", 576..=576), ("audio", 1000..=1200)]);
}

#[test]
fn an_aes_128_presentation_with_two_keys_is_read_whole() {
    check("aes", &[("video", 576..=576)]);
}
