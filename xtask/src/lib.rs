//! Fixture HLS trees: presentations as values, as files, as truth to compare with, and as proptest strategies.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod tree;
pub mod write;
pub mod truth;
pub mod strategy;
pub mod presets;
pub mod texts;
