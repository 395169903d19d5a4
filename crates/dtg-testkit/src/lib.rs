//! A fault-injecting HTTP origin on loopback, for testing anything that downloads.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod origin;
mod error;
#[cfg(feature = "fairplay")]
pub mod fairplay;

pub use error::{Error, ErrorKind};
#[cfg(feature = "_fuzz")]
#[doc(hidden)]
pub use origin::fuzzing;
pub use origin::{
    Body, Ending, Fault, Files, Headers, Hold, Memory, Origin, Request, RequestRecord, Response, RetryAfter,
    Rule, Signed, Site, at_random, media_type, rules,
};
