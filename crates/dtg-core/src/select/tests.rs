//! What is chosen, by small menus.

mod adversarial;
mod reference;
mod renditions;
mod variants;

use hls_parse::{ParseOptions, Playlist};

use super::*;
use crate::options::{AudioCodec, InefficientCodecs, Languages, Variants, VideoCodec};

/// `"360p@600/avc1.x 1000x540@1500"` is a menu: pictures in pixels (of 16:9 where only the height is
/// given), rates in kbit/s (`600~500` with its average, `-` for what is not stated), codecs where stated. The
/// word is the variant's URI.
fn menu(text: &str) -> String {
    let mut playlist = String::from("#EXTM3U\n");
    for word in text.split_whitespace() {
        let (size, codecs) = word.split_once('/').map_or((word, None), |(size, codecs)| (size, Some(codecs)));
        let (picture, rate) = size.split_once('@').unwrap();
        playlist.push_str("#EXT-X-STREAM-INF:");
        let (peak, average) = rate.split_once('~').unwrap_or((rate, "-"));
        for (name, rate) in [("BANDWIDTH", peak), ("AVERAGE-BANDWIDTH", average)] {
            if rate != "-" {
                playlist.push_str(&format!("{name}={},", rate.parse::<u64>().unwrap() * 1000));
            }
        }
        if let Some(height) = picture.strip_suffix('p') {
            playlist.push_str(&format!("RESOLUTION={}x{height},", height.parse::<u64>().unwrap() * 16 / 9));
        } else if picture.contains('x') {
            playlist.push_str(&format!("RESOLUTION={picture},"));
        }
        if let Some(codecs) = codecs {
            playlist.push_str(&format!("CODECS=\"{codecs}\","));
        }
        playlist.push_str(&format!("PATHWAY-ID=\".\"\n{word}\n"));
    }
    playlist
}

/// A wish in the command line's words: `"height=700 avc=900 codecs=avc"`, rates in kbit/s; `has=` says
/// which decoders there are.
fn wish(text: &str) -> (SelectionOptions, Decoders) {
    let mut options = SelectionOptions::default();
    let mut decoders = Decoders::default();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let rate = || BitRate(value.parse::<u64>().unwrap() * 1000);
        match name {
            "prefer" => options = SelectionOptions::preferred_video_bitrate(rate()),
            "height" => options.min_height = Some(value.parse().unwrap()),
            "width" => options.min_width = Some(value.parse().unwrap()),
            "avc" => options.min_bit_rates.push((VideoCodec::Avc, rate())),
            "hevc" => options.min_bit_rates.push((VideoCodec::Hevc, rate())),
            "codecs" => options.video_codecs = value.split(',').map(video_codec).collect(),
            "sound" => options.audio_codecs = value.split(',').map(audio_codec).collect(),
            "inefficient" => options.inefficient_codecs = InefficientCodecs::Allow,
            "all" => options.variants = Variants::All,
            "each" => {
                options.variants =
                    Variants::Heights(value.split(',').map(|it| it.parse().unwrap()).collect());
            }
            "has" => decoders = value.split(',').fold(Decoders::none(), with),
            other => panic!("`{other}` is no wish"),
        }
    }
    (options, decoders)
}

fn video_codec(name: &str) -> VideoCodec {
    VideoCodec::ALL.into_iter().find(|codec| codec.as_str() == name).unwrap()
}

fn audio_codec(name: &str) -> AudioCodec {
    AudioCodec::ALL.into_iter().find(|codec| codec.as_str() == name).unwrap()
}

fn with(decoders: Decoders, name: &str) -> Decoders {
    match name {
        "nothing" => decoders,
        "hw_hevc" => Decoders { hardware_hevc: true, ..decoders },
        "sw_hevc" => Decoders { software_hevc: true, ..decoders },
        "ac3" => Decoders { ac3: true, ..decoders },
        "eac3" => Decoders { eac3: true, ..decoders },
        "av1" => Decoders { av1: true, ..decoders },
        other => panic!("`{other}` is no decoder"),
    }
}

#[track_caller]
fn selected(
    playlist: &str,
    options: &SelectionOptions,
    decoders: &Decoders,
) -> Result<Selection, SelectError> {
    let parsed = hls_parse::parse(playlist.as_bytes(), &ParseOptions::default()).unwrap();
    match parsed.playlist {
        Playlist::Multivariant(multivariant) => select(&multivariant, options, decoders),
        Playlist::Media(_) => panic!("a media playlist"),
    }
}

/// The URIs of the chosen variants.
fn uris(selection: &Selection) -> Vec<&str> {
    selection.variants().filter_map(|track| track.uri.as_deref()).collect()
}

/// Checks what is chosen of a menu, and that each other one is left out once.
#[track_caller]
fn check(text: &str, asked: &str, expected: &str) {
    let (options, decoders) = wish(asked);
    let selection = selected(&menu(text), &options, &decoders).unwrap();
    let chosen = uris(&selection);
    assert_eq!(chosen.join(" "), expected, "`{text}` and `{asked}`: {:#?}", selection.skipped);
    let mut lines: Vec<u32> = selection.skipped.iter().map(|it| it.line).collect();
    lines.dedup();
    assert_eq!(lines.len(), selection.skipped.len(), "each once");
    assert_eq!(lines.len() + chosen.len(), text.split_whitespace().count(), "each other one has its reason");
}

/// Checks why the others are left out, in the order of the menu.
#[track_caller]
fn check_reasons(text: &str, asked: &str, expected: &[SkipReason]) {
    let (options, decoders) = wish(asked);
    let selection = selected(&menu(text), &options, &decoders).unwrap();
    let reasons: Vec<_> = selection.skipped.into_iter().map(|it| it.reason).collect();
    assert_eq!(reasons, expected, "`{text}` and `{asked}`");
}

#[test]
fn what_is_skipped_is_named_without_its_query_and_with_its_line() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=200000\nhttps://u:p@h/a?t=secret\n\
                #EXT-X-STREAM-INF:BANDWIDTH=900000\nhttps://u:p@h/b?t=secret\n";
    let selection = selected(text, &SelectionOptions::default(), &Decoders::default()).unwrap();
    let [skipped] = selection.skipped.as_slice() else { panic!("{:?}", selection.skipped) };
    assert_eq!((skipped.what.as_str(), skipped.line), ("https://h/b", 4));
}
