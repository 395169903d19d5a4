//! The workspace's stories, one module each, over real servers, real files and real processes.

mod bad_input;
mod flow;
mod full_disk;
mod kill;
mod players;
mod support;
