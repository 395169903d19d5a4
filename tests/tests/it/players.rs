//! Real players play what was downloaded, with the origin gone: ffmpeg, and VLC, which reads HLS by code of its own.

use std::io;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use dtg_core::{BitRate, ContentManager, Languages, SelectionOptions};
use playback_server::PlaybackServer;
use tests::{Shelf, media_folder};
use xtask::presets::Preset;
use xtask::write::Origins;

use crate::support::{folder, id};

/// Each stream that a player found: its kind, and how many frames or packets it has.
type Streams = Vec<(String, u32)>;

/// What there has to be: 24 s of pictures, 24 a second, and of sound, 1024 samples a packet.
struct Expected {
    pictures: u32,
    sounds: usize,
}

const PICTURES: u32 = 576;
const SOUND: std::ops::RangeInclusive<u32> = 1000..=1200;

/// The preset, downloaded with all its languages from an origin that is stopped, is played at this URL.
fn play(preset: Preset, player: impl Fn(&str) -> Option<Streams>) -> Option<Streams> {
    let tree = preset.tree(&media_folder()).unwrap();
    let origins = Origins::start(Arc::new(tree)).unwrap();
    let (root, id) = (folder(), id(preset.name()));
    let content = ContentManager::open(root.path()).unwrap();
    content.add_item(&id, origins.entry()).unwrap();
    let least = SelectionOptions::from(BitRate(300_000));
    let all = SelectionOptions { audio: Languages::All, text: Languages::All, ..least };
    content.load_item_metadata(&id, all).unwrap();
    content.start_item(&id).unwrap();
    content.wait(&id).unwrap();
    let location = content.playback_location(&id).unwrap();
    drop(origins);
    let server = PlaybackServer::start(Arc::new(Shelf(Arc::new(content)))).unwrap();
    player(&server.url_for(id.as_str(), location.master.as_str()))
}

/// What a program said; `None` where it is not installed. CI has it.
fn installed<T>(name: &str, started: io::Result<T>) -> Option<T> {
    assert!(started.is_ok() || std::env::var_os("CI").is_none(), "CI has {name}");
    started.ok()
}

/// Every packet that ffmpeg reads, decoded to frames.
fn ffmpeg(url: &str) -> Option<Streams> {
    let words = ["-v", "error", "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames"];
    let output = Command::new("ffprobe").args(words).args(["-of", "csv=p=0", url]).output();
    installed("ffprobe", output).map(|output| streams(&output))
}

/// Every packet that VLC hands on, counted by ffprobe in the transport stream that it makes of them.
fn vlc(url: &str) -> Option<Streams> {
    let stream = "#std{access=file,mux=ts,dst=-}";
    let mut command = Command::new("timeout");
    command.args([
        "120",
        "vlc",
        "-I",
        "dummy",
        "--no-plugins-cache",
        "--play-and-exit",
        "--sout-all",
        "--sout",
    ]);
    command.args([stream, url, "vlc://quit"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let is_there = Command::new("vlc").arg("--version").output();
    installed("vlc", is_there)?;
    let mut vlc: Child = as_nobody(&mut command).spawn().unwrap();
    let words = ["-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets"];
    let output = Command::new("ffprobe")
        .args(words)
        .args(["-of", "csv=p=0", "pipe:0"])
        .stdin(vlc.stdout.take().unwrap())
        .output();
    assert!(vlc.wait().unwrap().success(), "vlc has ended by itself");
    installed("ffprobe", output).map(|output| streams(&output))
}

/// VLC refuses to be root.
fn as_nobody(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    match rustix::process::geteuid().is_root() {
        true => command.uid(NOBODY).gid(NOBODY).env("HOME", "/nonexistent"),
        false => command,
    }
}

/// The lines `KIND,COUNT`, each once: ffprobe lists a stream again for each programme.
fn streams(output: &Output) -> Streams {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    let lines = String::from_utf8_lossy(&output.stdout);
    let first = lines.split("\n\n").next().unwrap_or_default();
    let pairs = first.lines().filter_map(|line| line.split_once(','));
    pairs.map(|(kind, count)| (kind.to_owned(), count.trim_end_matches(',').parse().unwrap_or(0))).collect()
}

#[track_caller]
fn check(preset: Preset, expected: &Expected) {
    if let Some(streams) = play(preset, ffmpeg) {
        check_streams("ffmpeg", &streams, expected, PICTURES);
    }
    // VLC leaves out pictures whose order it can't tell at the end.
    if let Some(streams) = play(preset, vlc) {
        check_streams("vlc", &streams, expected, PICTURES - 48);
    }
}

#[track_caller]
fn check_streams(player: &str, streams: &Streams, expected: &Expected, least: u32) {
    let counts = |kind: &str| -> Vec<u32> {
        streams.iter().filter(|(it, _)| it == kind).map(|(_, count)| *count).collect()
    };
    let (pictures, sounds) = (counts("video"), counts("audio"));
    match expected.pictures {
        0 => assert!(pictures.is_empty(), "{player}: {streams:?}"),
        most => assert!(
            pictures.len() == 1 && pictures.iter().all(|count| (least..=most).contains(count)),
            "{player}: {streams:?}"
        ),
    }
    assert!(
        sounds.len() == expected.sounds && sounds.iter().all(|count| SOUND.contains(count)),
        "{player}: {streams:?}"
    );
}

#[test]
fn transport_streams_with_alternative_audio_and_subtitles_play_to_the_end() {
    check(Preset::VodTs, &Expected { pictures: PICTURES, sounds: 2 });
}

#[test]
fn fragmented_mp4_in_files_plays_to_the_end() {
    check(Preset::VodFmp4, &Expected { pictures: PICTURES, sounds: 1 });
}

#[test]
fn fragmented_mp4_in_byte_ranges_plays_to_the_end() {
    check(Preset::Byterange, &Expected { pictures: PICTURES, sounds: 1 });
}

#[test]
fn segments_under_two_aes_128_keys_play_to_the_end() {
    check(Preset::AesRotation, &Expected { pictures: PICTURES, sounds: 1 });
}

#[test]
fn every_audio_rendition_plays_to_the_end() {
    check(Preset::MultiAudio, &Expected { pictures: PICTURES, sounds: 2 });
}

#[test]
fn audio_alone_plays_to_the_end() {
    check(Preset::AudioOnly, &Expected { pictures: 0, sounds: 1 });
}

#[test]
fn a_single_mp4_file_is_played_whole() {
    let (origin, root, id) = (crate::support::fixtures(), folder(), id("mp4"));
    let content = ContentManager::open(root.path()).unwrap();
    content.add_item(&id, &origin.url("/fmp4/video-90p.mp4")).unwrap();
    content.load_item_metadata(&id, BitRate(300_000)).unwrap();
    content.start_item(&id).unwrap();
    content.wait(&id).unwrap();
    let location = content.playback_location(&id).unwrap();
    origin.stop();
    let server = PlaybackServer::start(Arc::new(Shelf(Arc::new(content)))).unwrap();
    let Some(streams) = ffmpeg(&server.url_for(id.as_str(), location.master.as_str())) else { return };
    assert!(streams.contains(&("video".to_owned(), PICTURES)), "{streams:?}");
}
