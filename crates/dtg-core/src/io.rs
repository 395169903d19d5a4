//! The edge: disk, network, threads and the clock are touched here and nowhere else.

pub(crate) mod disk;
pub(crate) mod memory;
pub(crate) mod codec;
pub(crate) mod folder;
pub(crate) mod journal;
pub(crate) mod catalog;
pub(crate) mod http;
pub(crate) mod cancel;
pub(crate) mod connect;
pub(crate) mod load;
pub(crate) mod run;
pub(crate) mod fetch;
pub(crate) mod sync;
pub(crate) mod driver;
pub(crate) mod desk;
pub(crate) mod reader;
