//! Picks, registers and plays back downloaded assets.
//!
#![doc = include_str!("../README.md")]
//! # What goes in, what comes out
//!
//! A [`MediaEntry`](media_entry::MediaEntry) goes in and [`LocalAssetsManager`] picks its source; once
//! [`ContentManager`](dtg_core::ContentManager) has downloaded it, the
//! [`ItemLocation`](dtg_core::ItemLocation) goes in: [`Registration`] says that the asset has all it needs to play, and
//! a local entry comes out. For FairPlay it obtains the keys, keeps them in a
//! [`DataStore`], renews them and gives them up; without a [`FairPlaySetup`] the only I/O is reading playlists.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod manager; // the facade
mod local_entry; // between entries and items
mod download; // by whichever mechanism
mod register; // what an asset needs to play
mod folder; // the playlists of a downloaded folder
mod fair_play; // keys: what they take ...
mod license;
mod key_loader; // ... while a download is under way ...
mod remove; // ... and until the asset goes
mod data_store; // where keys are kept
mod transport; // who carries license requests
mod clock;
mod play_manifest; // what is added to requests for media
mod error;

pub use clock::SystemClock;
pub use data_store::{DataStore, FolderStore};
pub use download::{DownloadError, Downloaded, Downloads};
pub use error::{Error, ErrorKind, missing_session_key};
pub use fair_play::{Delivery, FairPlaySetup};
pub use license::KalturaLicenseAdapter;
pub use local_entry::sidecars_of;
pub use manager::LocalAssetsManager;
pub use play_manifest::PlayManifestAdapter;
pub use register::{Protection, Registration};
pub use remove::{Recovery, Removed};
pub use transport::{HttpsTransport, PlainHttp, TransportSettings};
