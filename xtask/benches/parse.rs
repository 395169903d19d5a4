//! hls-parse beside quick-m3u8 and m3u8-rs, on the same texts. `cargo xtask bench parse` makes tables of it.

#[path = "parse/readers.rs"]
mod readers;

use divan::Bencher;
use readers::{
    modelled, modelled_by_m3u8_rs, rewritten, rewritten_by_quick_m3u8, rewritten_in_passing, walked,
    walked_by_quick_m3u8,
};
use xtask::texts;

fn main() {
    divan::main();
}

const SIZES: [u64; 2] = [100_000, 1_000_000];

/// Times `read`; what it makes is dropped outside the time.
fn bench<'t, T>(bencher: Bencher<'_, '_>, text: &'t [u8], read: impl Fn(&'t [u8]) -> T) {
    bencher.bench_local(|| read(divan::black_box(text)));
}

#[divan::bench_group(sample_size = 1, sample_count = 15)]
mod walk {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn ours(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), walked);
    }

    #[divan::bench(args = SIZES)]
    fn quick_m3u8(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), walked_by_quick_m3u8);
    }
}

#[divan::bench_group(sample_size = 1, sample_count = 9)]
mod model {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn ours(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), modelled);
    }

    #[divan::bench(args = SIZES)]
    fn m3u8_rs(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), modelled_by_m3u8_rs);
    }
}

#[divan::bench_group(sample_size = 1, sample_count = 9)]
mod rewrite {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn ours(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), rewritten);
    }

    #[divan::bench(args = SIZES)]
    fn ours_in_passing(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), rewritten_in_passing);
    }

    #[divan::bench(args = SIZES)]
    fn quick_m3u8(bencher: Bencher<'_, '_>, segments: u64) {
        bench(bencher, &texts::segments(segments), rewritten_by_quick_m3u8);
    }
}

#[divan::bench_group(sample_size = 1, sample_count = 9)]
mod linear {
    use super::*;

    #[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000])]
    fn segments(bencher: Bencher<'_, '_>, count: u64) {
        bench(bencher, &texts::segments(count), modelled);
    }

    #[divan::bench(args = [1_000, 10_000, 100_000])]
    fn keys(bencher: Bencher<'_, '_>, count: u64) {
        bench(bencher, &texts::keys(count), modelled);
    }

    #[divan::bench(args = [1_000, 10_000, 100_000])]
    fn variants(bencher: Bencher<'_, '_>, count: u64) {
        bench(bencher, &texts::variants(count), modelled);
    }

    #[divan::bench(args = [1_000_000, 10_000_000, 50_000_000])]
    fn one_line(bencher: Bencher<'_, '_>, bytes: usize) {
        bench(bencher, &texts::one_line(bytes), modelled);
    }
}
