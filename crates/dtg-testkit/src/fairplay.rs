//! FairPlay Streaming in software (feature `fairplay`): containers, a key server, a content key system, encrypted media.
//!
//! The containers are the real ones: SPC of versions 1 and 2, CKC of versions 1 and 2. What is not public is our own and
//! works with nothing but itself: the derivation of the key of an SPC's session key and R1 ([`AskDerivation`]), and the
//! form of stored keys ([`TestCdm`]). Nothing here decrypts what a production key server protects.

mod bytes; // big-endian fields
mod malformed;
mod cipher; // AES-128, SHA-1, HMAC
mod tllv; // the payloads
pub mod tag;
mod terms;
mod credentials; // who may open an SPC
mod spc; // the containers
mod ckc;
mod ask; // what is ours, not Apple's
mod payload; // the two sides of an exchange
mod exchange;
mod ksm;
mod cdm;
mod content; // the media
pub mod cbcs;
mod inspect; // containers for the eye

pub use ask::{Ask, AskDerivation, Deployment, FixedDask, TestDerivation};
pub use bytes::from_hex;
pub use cdm::{Answer, RequestLog, Step, TestCdm, TestClock};
pub use cipher::{Block, Key};
pub use ckc::{CkcContainer, CkcFields};
pub use content::ContentKey;
pub use credentials::{Credentials, PrivateKey};
pub use exchange::{Exchange, License, SpcContent};
pub use inspect::{InspectedTllv, Inspection, Keys, inspect};
pub use ksm::{
    CkcShape, Denial, Flaw, Grant, Hdcp, KeyServer, LicenseExchange, LicenseOutcome, OpenedSpc, Policy,
    Protocol, Refusal, SpcShape, Stated, TokenPlace, offline_id,
};
pub use malformed::Malformed;
pub use spc::{SessionKeyR1, SpcContainer, SpcFields, SpcVersion};
pub use terms::{Duration, KeyKind, OfflineKey, OfflineSync, sync_flag};
pub use tllv::{Reading, Tllv, Tllvs};

#[cfg(test)]
mod tests;
