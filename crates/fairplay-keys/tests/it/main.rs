//! The engine with a content key system in software and a key server over HTTP: real SPCs, real CKCs.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod model;
mod protocols;
mod transport;
