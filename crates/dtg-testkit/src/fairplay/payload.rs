//! Payloads as real ones are: in any order, padded at will, full of tags that nobody knows.

use rsa::rand_core::RngCore;

use super::{Tllv, Tllvs, tag};

/// Random bytes.
pub(super) fn random<const N: usize>(rng: &mut impl RngCore) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A number below `end`, which is not 0; as even as it has to be here.
pub(super) fn below(end: usize, rng: &mut impl RngCore) -> usize {
    usize::try_from(rng.next_u32()).unwrap_or_default().checked_rem(end).unwrap_or_default()
}

/// A TLLV that means nothing, under a tag that is not known.
pub(super) fn filler(rng: &mut impl RngCore) -> Tllv {
    let tag = loop {
        let tag = rng.next_u64();
        if tag::name(tag) == "unknown" {
            break tag;
        }
    };
    let mut value = vec![0; below(49, rng)];
    rng.fill_bytes(&mut value);
    Tllv::new(tag, value)
}

/// These and up to four fillers in random order, each with random padding of its own.
pub(super) fn scattered(mut all: Vec<Tllv>, rng: &mut impl RngCore) -> Tllvs {
    for _ in 0..below(5, rng) {
        all.push(filler(rng));
    }
    for last in (1..all.len()).rev() {
        all.swap(last, below(last + 1, rng));
    }
    for tllv in &mut all {
        let more = 16 * below(3, rng);
        tllv.padding = vec![0; tllv.value.len().next_multiple_of(16) - tllv.value.len() + more];
        rng.fill_bytes(&mut tllv.padding);
    }
    all.into_iter().collect()
}
