//! Presentation (a): transport streams in three sizes, two languages of packed audio, two of WebVTT, key frames.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use camino::Utf8Path;
use hls_parse::ByteRange;

use super::ffmpeg::{self, FRAME_RATE, Picture, Piece, SECONDS, Tone};
use super::measure::{Rates, avc_codec};
use super::text::{TEXT_SECONDS, audio_timestamp, web_vtt_file, web_vtt_segment};

/// Two transport stream packets and one more: the service, program and stream tables before the first frame.
const TABLES: ByteRange = ByteRange { offset: 0, length: 3 * 188 };

const PICTURES: [Picture; 3] = [
    Picture { width: 160, height: 90, kbps: 50, level: "1.1" },
    Picture { width: 320, height: 180, kbps: 250, level: "1.3" },
    Picture { width: 480, height: 270, kbps: 300, level: "2.1" },
];
const VOICES: [(&str, Tone); 2] =
    [("eng", Tone { hertz: 440, kbps: 24 }), ("fra", Tone { hertz: 550, kbps: 24 })];
const TEXTS: [(&str, &str); 2] = [("en", "Caption"), ("fr", "Légende")];

struct Variant {
    picture: Picture,
    codec: String,
    rates: Rates,
}

/// Makes the presentation in an empty folder.
pub(super) fn encode(folder: &Utf8Path) -> Result<()> {
    let variants =
        PICTURES.iter().map(|picture| encode_variant(*picture, folder)).collect::<Result<Vec<_>>>()?;
    let start = ffmpeg::first_timestamp(&folder.join("video/90p/0.ts"))?;
    let voices = VOICES.map(|(language, tone)| encode_voice(language, tone, start, folder));
    let voices = voices.into_iter().collect::<Result<Vec<_>>>()?;
    let sound = voices.into_iter().reduce(Rates::or).context("two languages")?;
    for (language, line) in TEXTS {
        write_text(language, line, start, folder)?;
    }
    let key_frames = write_key_frames(folder)?;
    fs::write(folder.join("master.m3u8"), master(&variants, sound, key_frames))?;
    ffmpeg::still(PICTURES[1], &folder.join("thumbnail.jpg"))?;
    fs::write(folder.join("subtitles-de.vtt"), web_vtt_file("Untertitel"))?;
    fs::write(folder.join("entry.json"), include_str!("entries/ts.json"))?;
    Ok(())
}

fn encode_variant(picture: Picture, root: &Utf8Path) -> Result<Variant> {
    let folder = root.join(format!("video/{}p", picture.height));
    fs::create_dir_all(&folder)?;
    let pieces = ffmpeg::transport_stream(picture, None, &folder)?;
    fs::write(folder.join("index.m3u8"), video_playlist(picture, &pieces))?;
    let codec = avc_codec(&fs::read(folder.join("0.ts"))?).context("no parameter set")?;
    Ok(Variant { picture, codec, rates: Rates::of(&pieces) })
}

/// Each size in another packager's manner.
fn video_playlist(picture: Picture, pieces: &[Piece]) -> String {
    let mut text =
        "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n".to_owned();
    if picture.height == 180 {
        text.push_str(
            "## made by the fixture packager\n#EXT-X-FIXTURE-PACKAGER:rendition=180p,build=\"7\"\n",
        );
    }
    for (number, piece) in pieces.iter().enumerate() {
        if picture.height == 270 {
            text.push_str(&format!("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:{:02}.000Z\n", number * 4));
        }
        let query = if picture.height == 180 { format!("?sid=5f1c&n={number}") } else { String::new() };
        text.push_str(&format!("#EXTINF:{:.3},\n{}{query}\n", piece.duration.as_secs_f64(), piece.file));
    }
    text + "#EXT-X-ENDLIST\n"
}

fn encode_voice(language: &str, tone: Tone, start: u64, root: &Utf8Path) -> Result<Rates> {
    let folder = root.join("audio").join(language);
    fs::create_dir_all(&folder)?;
    let mut pieces = ffmpeg::packed_audio(tone, &folder)?;
    let mut at = Duration::ZERO;
    for piece in &mut pieces {
        let path = folder.join(&piece.file);
        let ticks = start + u64::try_from(at.as_micros() * 9 / 100)?;
        let bytes = [audio_timestamp(ticks), fs::read(&path)?].concat();
        piece.bytes.length = u64::try_from(bytes.len())?;
        fs::write(&path, bytes)?;
        at += piece.duration;
    }
    fs::write(folder.join("index.m3u8"), audio_playlist(&pieces))?;
    Ok(Rates::of(&pieces))
}

fn audio_playlist(pieces: &[Piece]) -> String {
    // Lines that end in CR LF, as packagers on Windows write them.
    let mut text =
        "#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXT-X-TARGETDURATION:5\r\n#EXT-X-PLAYLIST-TYPE:VOD\r\n".to_owned();
    for piece in pieces {
        text.push_str(&format!("#EXTINF:{:.6},no title\r\n{}\r\n", piece.duration.as_secs_f64(), piece.file));
    }
    text + "#EXT-X-ENDLIST\r\n"
}

fn write_text(language: &str, line: &str, start: u64, root: &Utf8Path) -> Result<()> {
    let folder = root.join("text");
    fs::create_dir_all(&folder)?;
    let mut list =
        format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{TEXT_SECONDS}\n#EXT-X-MEDIA-SEQUENCE:0\n");
    for number in 0..SECONDS / TEXT_SECONDS {
        let name = format!("{language}-{number}.vtt");
        list.push_str(&format!("#EXTINF:{TEXT_SECONDS},\n../text/{name}\n"));
        fs::write(folder.join(name), web_vtt_segment(number, line, start))?;
    }
    // No newline after the last line: legal, and often seen.
    fs::write(folder.join(format!("{language}.m3u8")), list + "#EXT-X-ENDLIST")?;
    Ok(())
}

/// Writes the playlist of key frames over the smallest variant; the result is its peak rate.
fn write_key_frames(root: &Utf8Path) -> Result<u64> {
    let ByteRange { offset, length } = TABLES;
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n\
         #EXT-X-MAP:URI=\"../video/90p/0.ts\",BYTERANGE=\"{length}@{offset}\"\n"
    );
    let mut frames = Vec::new();
    for segment in 0..SECONDS / ffmpeg::SEGMENT_SECONDS {
        let file = format!("video/90p/{segment}.ts");
        for bytes in ffmpeg::key_frames(&root.join(&file))? {
            let ByteRange { offset, length } = bytes;
            text.push_str(&format!("#EXTINF:2.000,\n#EXT-X-BYTERANGE:{length}@{offset}\n../{file}\n"));
            frames.push(Piece { file: file.clone(), duration: Duration::from_secs(2), bytes });
        }
    }
    fs::create_dir_all(root.join("iframes"))?;
    fs::write(root.join("iframes/90p.m3u8"), text + "#EXT-X-ENDLIST\n")?;
    Ok(Rates::of(&frames).peak)
}

fn master(variants: &[Variant], sound: Rates, key_frames: u64) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-INDEPENDENT-SEGMENTS\n\n".to_owned();
    let voices = [("eng", "English", "YES"), ("fra", "Français", "NO")];
    for (language, name, default) in voices {
        text.push_str(&format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"{name}\",LANGUAGE=\"{language}\",DEFAULT={default},\
             AUTOSELECT=YES,CHANNELS=\"1\",URI=\"audio/{language}/index.m3u8\"\n"));
    }
    for (language, name) in [("en", "English"), ("fr", "Français")] {
        text.push_str(&format!("#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"{name}\",LANGUAGE=\"{language}\",DEFAULT=NO,\
             AUTOSELECT=YES,FORCED=NO,URI=\"text/{language}.m3u8\"\n"));
    }
    text.push_str("\n# the middle one first: it is what players should start with\n");
    for number in [1, 0, 2] {
        if let Some(variant) = variants.get(number) {
            push_variant(&mut text, variant, sound);
        }
    }
    if let Some(Variant { picture: Picture { width, height, .. }, codec, .. }) = variants.first() {
        text.push_str(&format!("\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={key_frames},CODECS=\"{codec}\",RESOLUTION={width}x{height},\
             URI=\"iframes/90p.m3u8\"\n"));
    }
    text
}

fn push_variant(text: &mut String, variant: &Variant, sound: Rates) {
    let Variant { picture: Picture { width, height, .. }, codec, rates } = variant;
    let Rates { peak, average } = rates.with(sound);
    text.push_str(&format!("#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"{codec},mp4a.40.2\",\
         RESOLUTION={width}x{height},FRAME-RATE={FRAME_RATE}.000,AUDIO=\"aac\",SUBTITLES=\"text\",CLOSED-CAPTIONS=NONE\n\
         video/{height}p/index.m3u8\n"));
}
