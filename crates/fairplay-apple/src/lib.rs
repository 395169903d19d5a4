//! fairplay-keys' content key system on Apple's platforms, over AVContentKeySession. Empty elsewhere.
//!
#![cfg_attr(target_vendor = "apple", doc = include_str!("../README.md"))]
#![deny(missing_docs)]

#[cfg(any(target_vendor = "apple", apple_typecheck))]
mod convert; // bytes, identifiers, errors
#[cfg(any(target_vendor = "apple", apple_typecheck))]
mod delegate; // what AVFoundation calls
#[cfg(any(target_vendor = "apple", apple_typecheck))]
mod request;
#[cfg(any(target_vendor = "apple", apple_typecheck))]
mod system;
#[cfg(any(target_vendor = "apple", apple_typecheck, test))]
mod waiting; // who waits for what

#[cfg(any(target_vendor = "apple", apple_typecheck))]
pub use delegate::HandleRequest;
#[cfg(any(target_vendor = "apple", apple_typecheck))]
pub use system::{AppleKeySystem, Options, PlayerSession};
