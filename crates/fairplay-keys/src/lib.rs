//! FairPlay key URIs, content identifiers and key demands for offline assets.
//!
#![doc = include_str!("../README.md")]
//! # What goes in, what comes out
//!
//! Key lines go into [`demands`], as whoever reads the playlists found them; [`KeyDemands`] come out: each key once,
//! session keys first. A [`ContentIdRule`] makes a [`KeyUri`] into the [`ContentId`] that a license is asked for with.
//! What a platform, a license service, a store and a clock have to be for keys to be obtained and kept is said by traits:
//! [`ContentKeySystem`], [`LicenseProvider`], [`Transport`], [`KeyStore`], [`Clock`]. All of it blocks; no I/O, no clock,
//! no HLS text, no HTTP client here.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod key_uri; // the values
mod content_id;
mod demand; // from key lines to keys
mod plan;
mod asset;
mod secret; // what nobody may see
mod tolerant;
mod container;
mod certificate;
mod terms;
mod time;
mod system; // the platform's side
mod http; // the license service's side
mod provider;
mod store; // where keys are kept
mod record;
mod kaltura_import;
mod expiry; // what is left of a key's time
mod engine; // obtains, keeps, answers, renews, gives up
mod error;
mod key_error;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use asset::{AssetId, InvalidAssetId};
pub use certificate::{Certificate, CertificateFault};
pub use container::{Ckc, CkcFault, Spc, SpcFault};
pub use content_id::{ContentId, ContentIdRule};
pub use demand::{KEY_FORMAT, KeyDemand, KeyDemands, KeyLine, Oddity, OddityKind, Place, demands};
pub use engine::{
    Answer, AssetKeys, AssetStatus, DueKey, Engine, EngineParts, EnginePolicy, KeyEvent, KeyOutcome,
    KeyStatus, LicenseSource, Obtained, Online, PendingRelease, Recovered, Released,
};
pub use error::{Error, ErrorKind};
pub use http::{HttpRequest, HttpResponse, Method, RequestFault, Transport, TransportError};
pub use kaltura_import::{ImportFault, ImportedKey, read_fpskey};
pub use key_error::{KeyError, KeyErrorKind, ReplyFault, UserAction};
pub use key_uri::KeyUri;
pub use plan::{KeyPlan, NoKeyUri, PlanWarning};
pub use provider::{
    AdaptedProvider, Address, Body, FormPart, Freshness, LicenseContext, LicenseProvider, LicenseReply,
    LicenseRequestAdapter, LicenseService, LicenseUrl, NoToken, Purpose, ReplyForm, TemplateProvider,
    TokenError, TokenNeed, TokenSource, Value, ZeroDuration,
};
pub use secret::{Fingerprint, PersistableKey, SecretBytes, Token};
pub use store::{Generation, KeyStore, MemoryStore, NoStore, Slot, StoreError, Stored};
pub use system::{
    Accepted, Capabilities, Challenge, ContentKeySystem, Intent, Invalidation, KeyRequest, KeyUpdate,
    Persistence, SystemFault, UpdateListener,
};
pub use terms::{Confidence, ExpirationInfo, KeyType, LicenseTerms, Limit, Phase, TermsSource};
pub use time::{Cancel, Clock, Timestamp};
