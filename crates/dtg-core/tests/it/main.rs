//! The manager against an origin that lies, cuts, changes its mind or takes its time.

mod chaos;
mod commands;
mod lies;
mod support;
mod versions;
