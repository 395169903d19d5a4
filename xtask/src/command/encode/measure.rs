//! What a master playlist says of its renditions, measured from the files.

use std::time::Duration;

use super::ffmpeg::Piece;

/// Bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) peak: u64,
    pub(super) average: u64,
}

impl Rates {
    /// The rates of these segments: the peak is that of the busiest one.
    pub(super) fn of(pieces: &[Piece]) -> Self {
        let peak = pieces.iter().map(|piece| rate(piece.bytes.length, piece.duration)).max().unwrap_or(0);
        let bytes = pieces.iter().map(|piece| piece.bytes.length).sum();
        Self { peak, average: rate(bytes, pieces.iter().map(|piece| piece.duration).sum()) }
    }

    /// The rates of two renditions that are played together.
    pub(super) fn with(self, other: Self) -> Self {
        Self { peak: self.peak + other.peak, average: self.average + other.average }
    }

    /// The higher of each.
    pub(super) fn or(self, other: Self) -> Self {
        Self { peak: self.peak.max(other.peak), average: self.average.max(other.average) }
    }
}

fn rate(bytes: u64, duration: Duration) -> u64 {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    (bytes * 8 * 1_000_000).checked_div(micros).unwrap_or(0)
}

/// The RFC 6381 name of the H.264 in a transport stream or an MP4 header, from the first sequence
/// parameter set in it.
pub(super) fn avc_codec(bytes: &[u8]) -> Option<String> {
    let mut windows = bytes.windows(8);
    windows.find_map(|window| match window {
        // An Annex B start code and the SPS's type; or an avcC box and its version.
        [0, 0, 1, 0x67, profile, flags, level, _] | [b'a', b'v', b'c', b'C', 1, profile, flags, level] => {
            Some(format!("avc1.{profile:02X}{flags:02X}{level:02X}"))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hls_parse::ByteRange;

    fn piece(millis: u64, length: u64) -> Piece {
        let bytes = ByteRange { offset: 7, length };
        Piece { file: String::new(), duration: Duration::from_millis(millis), bytes }
    }

    #[test]
    fn the_peak_is_the_busiest_segment_and_the_average_that_of_all() {
        let rates = Rates::of(&[piece(4_000, 1_000), piece(1_000, 2_000)]);
        assert_eq!(rates, Rates { peak: 16_000, average: 4_800 });
        assert_eq!(Rates::of(&[]), Rates { peak: 0, average: 0 });
    }

    #[test]
    fn a_codec_is_named_from_the_parameter_set_of_either_container() {
        let stream = [0x47, 0, 0, 0, 1, 0x67, 0x4d, 0x40, 0x0d, 0x96];
        let header = b"xxavcC\x01\x4d\x40\x15\xff";
        assert_eq!(avc_codec(&stream).as_deref(), Some("avc1.4D400D"));
        assert_eq!(avc_codec(header).as_deref(), Some("avc1.4D4015"));
        assert_eq!(avc_codec(b"no video here"), None);
    }
}
