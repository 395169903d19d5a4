//! Presentation (c): AES-128 with two keys, the first with an explicit IV, the second with the implied one.

use std::fs;

use anyhow::{Context, Result};
use camino::Utf8Path;

use super::ffmpeg::{self, FRAME_RATE, Picture, Piece, Tone, hex};
use super::measure::{Rates, avc_codec};

const PICTURE: Picture = Picture { width: 256, height: 144, kbps: 65, level: "1.2" };
const TONE: Tone = Tone { hertz: 660, kbps: 24 };
/// Not 0, so that an implied IV that is counted from 0 is noticed.
const FIRST_SEQUENCE: u64 = 7;
const KEYS: [&[u8; 16]; 2] = [b"dtg fixture key1", b"dtg fixture key2"];
const EXPLICIT_IV: [u8; 16] = *b"\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78\x87\x96\xa5\xb4\xc3\xd2\xe1\xf0";

/// Makes the presentation in an empty folder; `work` is an empty folder for what is not kept.
pub(super) fn encode(folder: &Utf8Path, work: &Utf8Path) -> Result<()> {
    let mut pieces = ffmpeg::transport_stream(PICTURE, Some(TONE), work)?;
    let codec = avc_codec(&fs::read(work.join("0.ts"))?).context("no parameter set")?;
    let second_run = pieces.len() / 2;
    for (number, piece) in pieces.iter_mut().enumerate() {
        let clear = work.join(&piece.file);
        let sequence = FIRST_SEQUENCE + u64::try_from(number)?;
        piece.file = format!("enc_{sequence:05}.ts");
        let encrypted = folder.join(&piece.file);
        match number < second_run {
            true => ffmpeg::encrypt(&clear, &encrypted, KEYS[0], &EXPLICIT_IV)?,
            false => ffmpeg::encrypt(&clear, &encrypted, KEYS[1], &hls_parse::implicit_iv(sequence))?,
        }
        piece.bytes.length = fs::metadata(&encrypted)?.len();
    }
    fs::create_dir_all(folder.join("keys"))?;
    for (number, key) in (1..).zip(KEYS) {
        fs::write(folder.join(format!("keys/{number}.key")), key)?;
    }
    fs::write(folder.join("media.m3u8"), playlist(&pieces, second_run))?;
    fs::write(folder.join("master.m3u8"), master(&codec, Rates::of(&pieces)))?;
    fs::write(folder.join("entry.json"), include_str!("entries/aes.json"))?;
    Ok(())
}

fn playlist(pieces: &[Piece], second_run: usize) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:{FIRST_SEQUENCE}\n\
         #EXT-X-ALLOW-CACHE:YES\n#EXT-X-KEY:METHOD=AES-128,URI=\"keys/1.key\",IV=0x{}\n",
        hex(&EXPLICIT_IV)
    );
    for (number, piece) in pieces.iter().enumerate() {
        if number == second_run {
            text.push_str("#EXT-X-KEY:METHOD=AES-128,URI=\"../aes/keys/2.key?session=abc,def\"\n");
        }
        text.push_str(&format!("#EXTINF:{:.6},\n{}\n", piece.duration.as_secs_f64(), piece.file));
    }
    text + "#EXT-X-ENDLIST\n"
}

fn master(codec: &str, rates: Rates) -> String {
    let (Picture { width, height, .. }, Rates { peak, average }) = (PICTURE, rates);
    format!(
        "#EXTM3U\n#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},\
         RESOLUTION={width}x{height},FRAME-RATE={FRAME_RATE}.000,CODECS=\"{codec}, mp4a.40.2\"\nmedia.m3u8\n"
    )
}
