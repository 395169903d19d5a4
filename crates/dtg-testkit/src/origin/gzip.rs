//! Just enough of gzip (RFC 1951, 1952) to send it: stored blocks, and a bomb.

use super::Body;

const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The Huffman tables of that block, and its first few zeros.
const BLOCK_START: [u8; 14] =
    [0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a];

/// A gzip member that holds `bytes` as they are.
pub(super) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = HEAD.to_vec();
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        gzip.push(u8::from(blocks.peek().is_none()));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(block);
    }
    if bytes.is_empty() {
        gzip.extend([1, 0, 0, 0xff, 0xff]);
    }
    gzip.extend(crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or_default();
    gzip.extend(length.to_le_bytes());
    gzip
}

/// About `length` zero bytes in a thousandth of that: a block whose codes for "repeat 258 bytes at distance 1"
/// are one zero bit each, so that every zero byte on the wire stands for four such pairs.
pub(super) fn bomb(length: u64) -> Body {
    let start = [HEAD.as_slice(), &BLOCK_START].concat();
    let zeros = Body::made(length.div_ceil(4 * 258), |_, buffer| buffer.fill(0));
    Body::from(start).then(zeros)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}
