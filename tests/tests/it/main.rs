//! The workspace's stories, one module each, over real servers, real files and real processes.
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may be blunt")]

mod asset_download_task_flow;
mod bad_input;
mod dtg_flow;
mod fairplay;
mod full_disk;
mod kill;
mod players;
mod support;
