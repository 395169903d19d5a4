//! What holds for any presentation and any selection: generated trees, downloaded from a lying origin.
//!
//! `PROPTEST_CASES` sets how many cases each property has (256 without it). A failure prints the smallest tree
//! that was found for it and the seed that leads there again.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the cases that it is about")]

mod stage; // where a tree is served
mod wish; // what is asked of it
mod chosen; // what ought to come of that
mod facts;
mod text;
mod download; // what comes of it
mod presentation;
mod worker; // a process of its own

mod closure;
mod meaning;
mod determinism;
mod resume;
mod task;
mod task_kinds;
mod killed;
mod faults;
mod live;
mod order;

/// A failure is made as small as it gets: a tree has more to leave out than what properties are shrunk of elsewhere.
fn thorough() -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        max_shrink_iters: 1 << 15,
        max_shrink_time: 180_000,
        ..proptest::test_runner::Config::default()
    }
}
