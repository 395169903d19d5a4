//! Plays downloaded items on loopback, under an unguessable token.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod library; // what can be played
mod media_type;
mod address; // how it is named in a URL
mod token;
mod access; // who may ask
mod answer;
mod server; // the sockets
mod error;

pub use error::{Error, ErrorKind};
pub use library::{Library, Presentation};
pub use server::{Builder, PlaybackServer};
