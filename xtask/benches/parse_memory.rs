//! What a kept playlist takes in memory beside its text. Apart from `parse`: counting takes time.
#![expect(dead_code, reason = "the other bench times the rest")]

#[path = "parse/readers.rs"]
mod readers;

use divan::{AllocProfiler, Bencher, black_box};
use readers::{modelled, modelled_by_m3u8_rs, walked};
use xtask::texts;

#[global_allocator]
static ALLOCATED: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: [u64; 2] = [100_000, 1_000_000];

#[divan::bench_group(sample_size = 1, sample_count = 3)]
mod memory {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn walk(bencher: Bencher<'_, '_>, segments: u64) {
        let text = texts::segments(segments);
        bencher.bench_local(|| walked(black_box(&text)));
    }

    #[divan::bench(args = SIZES)]
    fn model(bencher: Bencher<'_, '_>, segments: u64) {
        let text = texts::segments(segments);
        bencher.bench_local(|| modelled(black_box(&text)));
    }

    #[divan::bench(args = SIZES)]
    fn m3u8_rs(bencher: Bencher<'_, '_>, segments: u64) {
        let text = texts::segments(segments);
        bencher.bench_local(|| modelled_by_m3u8_rs(black_box(&text)));
    }
}
