//! Presentation (b): fragmented MP4, one file a rendition, addressed by byte ranges.

use std::fs;

use anyhow::{Context, Result};
use camino::Utf8Path;
use hls_parse::ByteRange;

use super::ffmpeg::{self, FRAME_RATE, Picture, Piece, Tone};
use super::measure::{Rates, avc_codec};

const PICTURES: [Picture; 2] = [
    Picture { width: 320, height: 180, kbps: 85, level: "1.3" },
    Picture { width: 160, height: 90, kbps: 40, level: "1.1" },
];
const TONE: Tone = Tone { hertz: 330, kbps: 24 };

/// Makes the presentation in an empty folder.
pub(super) fn encode(folder: &Utf8Path) -> Result<()> {
    let (header, pieces) = ffmpeg::audio_file(TONE, &folder.join("audio.mp4"))?;
    let sound = Rates::of(&pieces);
    fs::write(folder.join("audio.m3u8"), playlist("audio.mp4", header, &pieces))?;

    let mut master = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\
                      #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a1\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,\
                      AUTOSELECT=YES,CHANNELS=\"1\",URI=\"audio.m3u8\"\n"
        .to_owned();
    for picture in PICTURES {
        let Picture { width, height, .. } = picture;
        let name = format!("video-{height}p");
        let file = folder.join(&name).with_extension("mp4");
        let (header, pieces) = ffmpeg::video_file(picture, &file)?;
        fs::write(file.with_extension("m3u8"), playlist(&format!("{name}.mp4"), header, &pieces))?;
        let codec = avc_codec(&fs::read(&file)?).context("no parameter set")?;
        let Rates { peak, average } = Rates::of(&pieces).with(sound);
        master.push_str(&format!(
            "#EXT-X-STREAM-INF:CODECS=\"{codec},mp4a.40.2\",BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},\
             RESOLUTION={width}x{height},FRAME-RATE={FRAME_RATE},AUDIO=\"a1\"\n./{name}.m3u8\n"
        ));
    }
    fs::write(folder.join("master.m3u8"), master)?;
    fs::write(folder.join("entry.json"), include_str!("entries/fmp4.json"))?;
    Ok(())
}

/// States every other offset, and leaves the rest to be continued from the range before.
fn playlist(file: &str, header: ByteRange, pieces: &[Piece]) -> String {
    let ByteRange { offset, length } = header;
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXT-X-MAP:URI=\"{file}\",BYTERANGE=\"{length}@{offset}\"\n"
    );
    for (number, Piece { duration, bytes, .. }) in pieces.iter().enumerate() {
        let offset = if number % 2 == 0 { format!("@{}", bytes.offset) } else { String::new() };
        let seconds = duration.as_secs_f64();
        text.push_str(&format!("#EXTINF:{seconds:.5},\n#EXT-X-BYTERANGE:{}{offset}\n{file}\n", bytes.length));
    }
    text + "#EXT-X-ENDLIST\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_other_offset_is_left_to_be_continued() {
        let piece = |offset, length| Piece {
            file: "a.mp4".to_owned(),
            duration: Duration::from_secs(4),
            bytes: ByteRange { offset, length },
        };
        let header = ByteRange { offset: 0, length: 10 };
        let text = playlist("a.mp4", header, &[piece(10, 5), piece(15, 6), piece(21, 7)]);
        let ranges: Vec<&str> = text.lines().filter(|line| line.contains("BYTERANGE:")).collect();
        assert_eq!(ranges, ["#EXT-X-BYTERANGE:5@10", "#EXT-X-BYTERANGE:6", "#EXT-X-BYTERANGE:7@21"]);
    }
}
