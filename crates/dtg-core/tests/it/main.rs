//! The manager against an origin that lies, cuts, changes its mind or takes its time.

mod addresses;
mod asset;
mod chaos;
mod commands;
mod folders;
mod holding;
mod keeping;
mod lies;
mod raw;
mod resume;
mod sharing;
mod single;
mod stopping;
mod support;
mod transport;
mod verify;
mod versions;
mod wire;
