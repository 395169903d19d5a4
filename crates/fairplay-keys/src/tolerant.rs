//! Base64 as it arrives: with line breaks, in either alphabet, with or without padding.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);

/// The bytes that a text is the base64 of; `None` where it is none, or empty.
pub(crate) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let standard = |letter| match letter {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    let text: String =
        text.trim().chars().filter(|letter| !matches!(letter, '\r' | '\n' | '\t')).map(standard).collect();
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_line_breaks_in_either_alphabet_with_or_without_padding() {
        let expected = Some(vec![0xfb, 0xef, 0xff, 0x01]);
        for text in ["++//AQ==", "--__AQ", "++/\r\n/A\tQ=="] {
            assert_eq!(base64_bytes(text), expected, "{text}");
        }
        assert_eq!(base64_bytes(""), None);
        assert_eq!(base64_bytes("*"), None);
        assert_eq!(base64_bytes("not found"), None, "words are none");
    }
}
