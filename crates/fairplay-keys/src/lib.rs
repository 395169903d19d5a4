//! FairPlay key URIs, content identifiers and key demands for offline assets.
//!
#![doc = include_str!("../README.md")]
//! # What goes in, what comes out
//!
//! Key lines go into [`demands`], as whoever reads the playlists found them; [`KeyDemands`] come out: each key once,
//! session keys first. A [`ContentIdRule`] makes a [`KeyUri`] into the [`ContentId`] that a license is asked for with.
//! No I/O, no clock, no HLS text, no HTTP.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod key_uri; // the values
mod content_id;
mod demand; // from key lines to keys
mod error;

pub use content_id::{ContentId, ContentIdRule};
pub use demand::{KEY_FORMAT, KeyDemand, KeyDemands, KeyLine, Oddity, OddityKind, Place, demands};
pub use error::{Error, ErrorKind};
pub use key_uri::KeyUri;
