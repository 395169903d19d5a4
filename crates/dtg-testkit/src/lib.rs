#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod origin;
mod error;

pub use error::{Error, ErrorKind};
pub use origin::{
    Body, Ending, Fault, Files, Headers, Hold, Memory, Origin, Request, RequestRecord, Response, Rule,
    Signed, Site, at_random, media_type, rules,
};
