//! WebVTT, and the timestamp that HLS wants before packed audio.

use super::ffmpeg::SECONDS;

/// How long a segment of text is: not that of a media segment, as with most packagers.
pub(super) const TEXT_SECONDS: u32 = 6;
const CUE_SECONDS: u32 = 4;

/// The cues of one segment of text, those that reach into it from the one before included.
///
/// `timestamp` is where the media begins, in ticks of 90 kHz.
pub(super) fn web_vtt_segment(number: u32, line: &str, timestamp: u64) -> String {
    let (from, to) = (number * TEXT_SECONDS, (number + 1) * TEXT_SECONDS);
    let mut text = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{timestamp},LOCAL:00:00:00.000\n");
    for cue in
        (0..SECONDS / CUE_SECONDS).filter(|cue| cue * CUE_SECONDS < to && (cue + 1) * CUE_SECONDS > from)
    {
        push_cue(&mut text, cue, line);
    }
    text
}

/// A whole file of cues, as a sidecar has it.
pub(super) fn web_vtt_file(line: &str) -> String {
    let mut text = "WEBVTT\n".to_owned();
    for cue in 0..SECONDS / CUE_SECONDS {
        push_cue(&mut text, cue, line);
    }
    text
}

fn push_cue(text: &mut String, cue: u32, line: &str) {
    let (start, end) = (cue * CUE_SECONDS, (cue + 1) * CUE_SECONDS - 1);
    text.push_str(&format!(
        "\n{number}\n00:00:{start:02}.000 --> 00:00:{end:02}.500\n{line} {number}\n",
        number = cue + 1
    ));
}

/// The ID3 tag that tells when packed audio begins (RFC 8216, 3.4), in ticks of 90 kHz.
pub(super) fn audio_timestamp(ticks: u64) -> Vec<u8> {
    const OWNER: &[u8] = b"com.apple.streaming.transportStreamTimestamp\0";
    // All lengths are below 128, so that ID3's seven-bit digits are plain bytes.
    let body = u8::try_from(OWNER.len() + 8).expect("53 fits");
    let tag = [b"ID3\x04\0\0\0\0\0".as_slice(), &[body + 10], b"PRIV\0\0\0", &[body], b"\0\0"].concat();
    [&tag, OWNER, &(ticks & 0x1_ffff_ffff).to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_that_crosses_a_segment_s_end_is_in_both_segments() {
        let [first, second] = [0, 1].map(|number| web_vtt_segment(number, "line", 126_000));
        assert!(first.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n\n1\n"));
        let crossing = "00:00:04.000 --> 00:00:07.500\nline 2\n";
        assert!(first.contains(crossing) && second.contains(crossing));
        assert!(!second.contains("line 1\n") && second.contains("line 3\n") && !second.contains("line 4\n"));
    }

    #[test]
    fn a_packed_audio_timestamp_is_one_private_frame() {
        let tag = audio_timestamp(0x1_0000_0002);
        assert_eq!(tag.len(), 10 + 10 + 45 + 8);
        assert_eq!(usize::from(tag[9]), tag.len() - 10, "the tag's size");
        assert_eq!(usize::from(tag[17]), tag.len() - 20, "the frame's size");
        assert_eq!(tag[tag.len() - 8..], [0, 0, 0, 1, 0, 0, 0, 2]);
    }
}
