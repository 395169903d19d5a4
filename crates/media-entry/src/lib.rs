//! Media entries in PlayKit form, and which of their sources to download.
//!
#![doc = include_str!("../README.md")]
//! # What goes in, what comes out
//!
//! [`MediaEntry::from_json`] reads an entry, [`MediaEntry::from_kaltura`] makes one of a backend's answers, [`MediaEntry::to_json`] writes it back, [`for_download`] picks the
//! source to download and the [`Mechanism`] to do it with, and [`PlayManifest`] completes the addresses of media
//! requests. All of it is pure: no I/O, no clock; the only randomness is the id of a source that has none, and
//! [`MediaEntry::from_json_with`] takes that from the caller.
//! Out of scope: fetching anything, reading playlists, asking for licenses.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod entry; // the values
mod source;
mod drm;
mod extras;
mod json; // to and from PlayKit JSON: the only room that knows key names
mod kaltura; // from the backend's answers
mod platform; // the decision
mod prefer;
mod request; // what is added to a media request
mod error;
mod redact;

pub use drm::{Certificate, DrmParams, DrmScheme};
pub use entry::{ExternalSubtitle, MediaEntry, MediaType};
pub use error::{Error, ErrorKind, ServerText};
pub use extras::Extras;
pub use kaltura::KalturaRequest;
pub use platform::{IosVersion, Platform};
pub use prefer::{Choice, Mechanism, NoSource, PassedOver, Policy, Reason, Why, for_download};
pub use request::{PlayManifest, RequestParams};
pub use source::{MediaFormat, MediaSource};
