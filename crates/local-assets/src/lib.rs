//! Picks, registers and plays back downloaded assets.
//!
#![doc = include_str!("../README.md")]
//! # What goes in, what comes out
//!
//! A [`MediaEntry`](media_entry::MediaEntry) goes in and [`LocalAssetsManager`] picks its source; once
//! [`ContentManager`](dtg_core::ContentManager) has downloaded it, the
//! [`ItemLocation`](dtg_core::ItemLocation) goes in: [`Registration`] says that the asset has all it needs to play, and
//! a local entry comes out. The only I/O is reading the playlists of the downloaded folder.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod manager; // the facade
mod local_entry; // between entries and items
mod register; // what an asset needs to play
mod folder; // the playlists of a downloaded folder
mod error;

pub use error::{Error, ErrorKind};
pub use local_entry::sidecars_of;
pub use manager::LocalAssetsManager;
pub use register::{Protection, Registration};
