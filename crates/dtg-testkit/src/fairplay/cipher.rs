//! AES-128 as the containers use it: whole blocks, no padding scheme.

use std::fmt;

use aes::Aes128;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit,
};
use hmac::Mac;
use sha1::Digest;

use super::Malformed;

/// 16 bytes of a block, a key or an IV.
pub type Block = [u8; 16];

/// A key of 16 bytes whose `Debug` says nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub Block);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(16 bytes)")
    }
}

impl Key {
    /// AES of one block.
    #[must_use]
    pub fn encrypt_block(self, block: Block) -> Block {
        let mut block = block.into();
        Aes128::new(&self.0.into()).encrypt_block(&mut block);
        block.into()
    }

    /// The inverse of [`Key::encrypt_block`].
    #[must_use]
    pub fn decrypt_block(self, block: Block) -> Block {
        let mut block = block.into();
        Aes128::new(&self.0.into()).decrypt_block(&mut block);
        block.into()
    }

    /// AES-CBC of whole blocks.
    pub(super) fn encrypt(self, iv: Block, clear: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut buffer = clear.to_vec();
        let cipher = cbc::Encryptor::<Aes128>::new(&self.0.into(), &iv.into());
        cipher
            .encrypt_padded::<NoPadding>(&mut buffer, clear.len())
            .map_err(|_| Malformed::Blocks(clear.len()))?;
        Ok(buffer)
    }

    /// The inverse of [`Key::encrypt`].
    pub(super) fn decrypt(self, iv: Block, encrypted: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut buffer = encrypted.to_vec();
        let cipher = cbc::Decryptor::<Aes128>::new(&self.0.into(), &iv.into());
        cipher.decrypt_padded::<NoPadding>(&mut buffer).map_err(|_| Malformed::Blocks(encrypted.len()))?;
        Ok(buffer)
    }
}

/// SHA-1, which certificates are known by and R1 is hashed with.
pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(bytes).into()
}

/// HMAC-SHA-256 over several pieces.
pub(super) fn hmac_sha256(key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
    let mut mac = hmac_of(key);
    pieces.iter().for_each(|piece| mac.update(piece));
    mac.finalize().into_bytes().into()
}

fn hmac_of(key: &[u8]) -> hmac::Hmac<sha2::Sha256> {
    Mac::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// The first 16 bytes of what has at least so many.
pub(super) fn first_block<const N: usize>(bytes: &[u8; N]) -> Block {
    let mut block = Block::default();
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    block
}

/// The key of a CKC's payload: AES of the anti-replay seed under the hash of R1.
pub(super) fn anti_replay_key(r1: &[u8], seed: Block) -> Key {
    Key(Key(first_block(&sha1(r1))).encrypt_block(seed))
}
