//! The `dtg` program from outside: its words, its results, its exit codes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests and their helpers may be blunt")]

mod world;

mod bad_input;
mod inspect;
mod items;
mod keeping;
mod plan;
mod schema;
mod stopping;
