//! Why media cannot be encrypted or decrypted.

/// Media that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadMedia {
    /// A box ends behind what it is in, or is shorter than its head.
    #[error("at byte {at}: this is no MP4 box")]
    Box {
        /// Where it begins.
        at: usize,
    },
    /// A box that has to be there is not.
    #[error("there is no box `{0}`")]
    Missing(&'static str),
    /// A box has other fields than its kind.
    #[error("the box `{0}` is not of its form")]
    Form(&'static str),
    /// The sample entry is of a kind that cannot be protected here.
    #[error("samples of the kind `{0}` are not understood")]
    Entry(String),
    /// The track is encrypted, but not by `cbcs`.
    #[error("the scheme of protection is `{0}`, not `cbcs`")]
    Scheme(String),
    /// It is encrypted already.
    #[error("it is encrypted already")]
    Encrypted,
    /// It is not encrypted.
    #[error("it is not encrypted")]
    Clear,
    /// A sample is not within the segment's media data.
    #[error("a sample of {length} bytes at byte {at} is not within the media data")]
    Sample {
        /// Where it should begin, counted from the segment's beginning.
        at: u64,
        /// Its bytes.
        length: usize,
    },
    /// A sample's length units or subsamples do not add up to the sample.
    #[error("the parts of a sample of {0} bytes do not add up")]
    Parts(usize),
    /// Something that is legal and not understood here.
    #[error("{0} is not understood")]
    Unsupported(&'static str),
}
