//! The facade over real servers, files and a content key system in software.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod download;
mod dtg_flow;
mod fair_play;
mod killed;
mod preparing;
mod removing;
mod secrets;
mod world;
