//! Files: bytes that are a pure function of the tree's seed and the file's place.

use std::sync::Arc;

use super::Location;

/// Something with a URI that is not a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub location: Location,
    /// What is in it.
    pub body: Body,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// This many bytes of [`Noise`].
    Noise(u64),
    /// These bytes, under this media type.
    Stored(Arc<[u8]>),
    /// There is no such file: the host answers 404.
    Missing,
}

impl Body {
    /// Length in bytes; `None` when there is no such file.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Noise(length) => Some(*length),
            Self::Stored(bytes) => Some(bytes.len() as u64),
            Self::Missing => None,
        }
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len().is_none_or(|length| length == 0)
    }
}

/// An endless stream of bytes, any range of which can be made without the rest.
///
/// It depends on the seed, the logical host and the target, not on base URLs: BLAKE3's extendable output.
#[derive(Debug, Clone)]
pub struct Noise(blake3::Hasher);

impl Noise {
    /// The stream of one place in one tree.
    #[must_use]
    pub fn new(seed: u64, location: &Location) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(&(location.host as u64).to_le_bytes());
        hasher.update(location.target.as_bytes());
        Self(hasher)
    }

    /// Fills `buffer` with the bytes from `offset` on.
    pub fn fill(&self, offset: u64, buffer: &mut [u8]) {
        let mut stream = self.0.finalize_xof();
        stream.set_position(offset);
        stream.fill(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_equals_the_same_range_of_the_whole() {
        let noise = Noise::new(7, &Location::new(0, "/a.ts"));
        let mut whole = [0; 1000];
        noise.fill(0, &mut whole);
        for (start, length) in [(0, 1), (63, 2), (64, 64), (129, 700), (999, 1)] {
            let mut part = vec![0; length];
            noise.fill(start as u64, &mut part);
            assert_eq!(part, whole[start..start + length]);
        }
    }

    #[test]
    fn seed_host_and_target_each_make_other_bytes() {
        let bytes = |seed, host, target: &str| {
            let mut bytes = [0; 32];
            Noise::new(seed, &Location::new(host, target)).fill(0, &mut bytes);
            bytes
        };
        let plain = bytes(1, 0, "/a.ts");
        assert_eq!(plain, bytes(1, 0, "/a.ts"));
        for other in [bytes(2, 0, "/a.ts"), bytes(1, 1, "/a.ts"), bytes(1, 0, "/a.ts?n=1")] {
            assert_ne!(plain, other);
        }
    }

    #[test]
    fn the_bytes_are_the_same_on_every_platform() {
        let mut bytes = [0; 8];
        Noise::new(1, &Location::new(0, "/a.ts")).fill(5, &mut bytes);
        assert_eq!(bytes, [243, 252, 231, 251, 216, 241, 183, 112]);
    }
}
