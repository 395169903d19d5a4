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

mod closure;
mod meaning;
mod determinism;
mod resume;
mod faults;
mod order;
