//! Why bytes are no container.

/// A container or a part of one that cannot be read, or cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The bytes end within a field.
    #[error("at byte {at}: {needed} bytes are needed, {left} are left")]
    Ends {
        /// Where the field begins.
        at: usize,
        /// Its bytes.
        needed: usize,
        /// What is there of them.
        left: usize,
    },
    /// The version is none that is known here.
    #[error("version {0:#010x} is not known")]
    Version(u32),
    /// What looks like a version is the beginning of a certificate in DER.
    #[error("this is a certificate in DER, not a container: was the certificate sent where the SPC belongs?")]
    Certificate,
    /// The payload is not made of whole AES blocks.
    #[error("the payload has {0} bytes, which is not a multiple of 16")]
    Blocks(usize),
    /// More bytes than the container's length field says.
    #[error("{0} bytes follow the end of the container")]
    Trailing(usize),
    /// A TLLV's block is not a multiple of 16 bytes.
    #[error("TLLV {tag:016x} at byte {at}: its block has {length} bytes, which is not a multiple of 16")]
    Block {
        /// Where the TLLV begins.
        at: usize,
        /// Its tag.
        tag: u64,
        /// The length that it says.
        length: usize,
    },
    /// A TLLV's value is longer than its block.
    #[error("TLLV {tag:016x} at byte {at}: a value of {value} bytes in a block of {block}")]
    Value {
        /// Where the TLLV begins.
        at: usize,
        /// Its tag.
        tag: u64,
        /// The value's length.
        value: usize,
        /// The block's.
        block: usize,
    },
    /// A tag comes twice.
    #[error("TLLV {0:016x} comes twice")]
    Duplicate(u64),
    /// A TLLV that has to be there is not.
    #[error("there is no TLLV {tag:016x} ({name})")]
    Missing {
        /// Its tag.
        tag: u64,
        /// What it is.
        name: &'static str,
    },
    /// A TLLV's value is not of the size or form that it has to have.
    #[error("TLLV {tag:016x} ({name}): {length} bytes are not its form")]
    Form {
        /// Its tag.
        tag: u64,
        /// What it is.
        name: &'static str,
        /// The value's length.
        length: usize,
    },
    /// The wrapped key does not open with this private key.
    #[error("the wrapped key does not open with this private key")]
    Unwrap,
    /// The private key or the certificate cannot be used.
    #[error("{0}")]
    Key(&'static str),
    /// Two values that have to be equal are not.
    #[error("{0} does not match")]
    Mismatch(&'static str),
}
