//! AES-128-CBC over some blocks of many, in place.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::Pattern;
use crate::fairplay::{Block, Key};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Encrypt,
    Decrypt,
}

/// Encrypts or decrypts regions; the chain begins with the IV at each.
pub(super) struct Cipher {
    aes: Aes128,
    way: Way,
    pattern: Pattern,
}

impl Cipher {
    pub(super) fn new(key: Key, way: Way, pattern: Pattern) -> Self {
        Self { aes: Aes128::new(&key.0.into()), way, pattern }
    }

    /// The blocks of a region that the pattern names; what fills no block stays as it is.
    pub(super) fn apply(&self, iv: Block, region: &mut [u8]) {
        let (encrypted, clear) = (usize::from(self.pattern.encrypted), usize::from(self.pattern.clear));
        let period = encrypted + clear;
        let mut previous = iv;
        let (blocks, _) = region.as_chunks_mut::<16>();
        for (number, block) in blocks.iter_mut().enumerate() {
            if number.checked_rem(period).is_none_or(|place| place < encrypted) {
                previous = self.block(previous, block);
            }
        }
    }

    /// One block of the chain; what comes back is the ciphertext that the next begins with.
    fn block(&self, previous: Block, block: &mut Block) -> Block {
        let before = *block;
        let xor = |block: &mut Block| block.iter_mut().zip(previous).for_each(|(to, with)| *to ^= with);
        match self.way {
            Way::Encrypt => {
                xor(block);
                let mut cipher = (*block).into();
                self.aes.encrypt_block(&mut cipher);
                *block = cipher.into();
                *block
            }
            Way::Decrypt => {
                let mut cipher = before.into();
                self.aes.decrypt_block(&mut cipher);
                *block = cipher.into();
                xor(block);
                before
            }
        }
    }
}
