//! The edge: disk, network, threads and the clock are touched here and nowhere else.

pub(crate) mod disk;
pub(crate) mod memory;
pub(crate) mod codec;
pub(crate) mod folder;
pub(crate) mod journal;
pub(crate) mod catalog;
pub(crate) mod address;
pub(crate) mod names;
pub(crate) mod reach;
pub(crate) mod pace;
pub(crate) mod http;
pub(crate) mod cancel;
pub(crate) mod chance;
pub(crate) mod clock;
pub(crate) mod usage;
pub(crate) mod connect;
pub(crate) mod again;
pub(crate) mod load;
pub(crate) mod tally;
pub(crate) mod versions;
pub(crate) mod space;
pub(crate) mod throttle;
pub(crate) mod run;
pub(crate) mod fetch;
pub(crate) mod sync;
pub(crate) mod driver;
pub(crate) mod open;
pub(crate) mod desk;
pub(crate) mod asset;
pub(crate) mod reader;
#[cfg(test)]
mod crash; // what holds of all of it, whenever the power goes
