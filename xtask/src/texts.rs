//! Playlists as long as a bench wants them, in the words of one kind of line.

use std::fmt::Write;

/// A playlist for on-demand playback: about 80 bytes a segment, a date every hundred.
#[must_use]
pub fn segments(count: u64) -> Vec<u8> {
    let mut text = head(7);
    for number in 0..count {
        if number % 100 == 0 {
            let (day, hour, minute) = (number / 14400 % 28 + 1, number / 600 % 24, number / 10 % 60);
            say(
                &mut text,
                format_args!("#EXT-X-PROGRAM-DATE-TIME:2026-01-{day:02}T{hour:02}:{minute:02}:00.000Z"),
            );
        }
        let noise = scrambled(number);
        say(&mut text, format_args!("#EXTINF:5.{:06},", noise % 1_000_000));
        say(&mut text, format_args!("video/1080p/{noise:016x}/segment_{number:08}.ts?v=1&t={number}"));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text.into_bytes()
}

/// So many variants, each in the group of the one rendition.
#[must_use]
pub fn variants(count: u64) -> Vec<u8> {
    let mut text = "#EXTM3U\n".to_owned();
    say(
        &mut text,
        format_args!(r#"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",URI="a.m3u8""#),
    );
    for number in 0..count {
        let (bandwidth, height) = (100_000 + number, 90 + number % 500 * 2);
        say(
            &mut text,
            format_args!(
                "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={}x{height},CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"a\"",
                height * 16 / 9
            ),
        );
        say(&mut text, format_args!("video/{number}/index.m3u8"));
    }
    text.into_bytes()
}

/// So many segments, each under a key of its own.
#[must_use]
pub fn keys(count: u64) -> Vec<u8> {
    let mut text = head(6);
    for number in 0..count {
        say(
            &mut text,
            format_args!("#EXT-X-KEY:METHOD=AES-128,URI=\"keys/{number}.key\",IV=0x{number:032x}"),
        );
        say(&mut text, format_args!("#EXTINF:6,\nvideo/{number}.ts"));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text.into_bytes()
}

/// One segment whose URI line has so many bytes.
#[must_use]
pub fn one_line(bytes: usize) -> Vec<u8> {
    let mut text = head(6);
    say(&mut text, format_args!("#EXTINF:6,\n{}", "u".repeat(bytes)));
    text.into_bytes()
}

fn head(target: u32) -> String {
    format!("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-PLAYLIST-TYPE:VOD\n")
}

/// Looks like noise, and is the same each time.
const fn scrambled(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

fn say(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to memory does not fail");
}
