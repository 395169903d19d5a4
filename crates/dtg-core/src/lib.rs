//! Downloads HLS presentations into folders that play offline, and survives being stopped.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod item; // reading order: the values ...
mod cause;
mod hold;
mod state;
mod options;
mod select;
mod sniff;
mod resource;
mod plan;
mod layout;
mod localize;
mod estimate;
mod request; // ... what an application sets ...
mod http_settings;
mod durability;
mod refresh;
mod key_loader;
mod asset_content;
mod asset_progress;
mod asset_task;
mod relocate;
mod requirements; // ... the decisions ...
mod storage;
mod verify;
mod retry;
mod rate;
mod speed;
mod session;
mod schedule;
mod manager; // ... the one who is told what to do ...
mod events;
mod io; // ... and the only room that touches disk, network, threads and clock.
mod data_url;
mod error;
#[cfg(feature = "_bench")]
#[doc(hidden)]
pub mod benching;
#[cfg(feature = "_fuzz")]
#[doc(hidden)]
pub mod fuzzing;

pub use asset_content::{ContentConfiguration, VariantPreference};
pub use asset_progress::{AssetProgress, TimeRange};
pub use asset_task::{AssetDownloadTask, AssetTaskBuilder, DownloadedAsset, RemoteAsset};
pub use cause::{Remedy, Stage, StoredFailure};
pub use durability::SyncPolicy;
pub use error::{BadAnswer, Error, ErrorKind};
pub use estimate::{Basis, Estimate};
pub use events::{Event, Events, Progress};
pub use hold::Hold;
pub use http_settings::{HttpSettings, LowSpeed, PrivateAddresses, RootCertificates, UnknownLength};
pub use io::load::{Loaded, dry_run, fetch_playlist};
#[cfg(any(test, feature = "testing"))]
pub use io::memory::{MemoryDisk, Survival};
pub use io::reader::ContentReader;
pub use item::{
    InvalidItemId, Item, ItemId, ItemLocation, LocalSidecar, NewItem, Sidecar, SidecarRole, Track, TrackKind,
};
pub use key_loader::{Cancellation, KeyLoadError, KeyLoader, KeyPlace, KeyRequest};
pub use manager::{Builder, ContentManager, Started};
pub use options::{
    AudioCodec, BitRate, Decoders, InefficientCodecs, Languages, SelectionOptions, Variants, VideoCodec,
};
pub use plan::{
    DropReason, Dropped, LocalPlaylist, Locator, Master, Origin, OriginSet, Plan, PlanError, Planned,
    PlannedPlaylist, plan,
};
pub use refresh::{FreshUrl, UrlRefresh};
pub use relocate::AnotherEncode;
pub use request::{RequestAdapter, RequestParts, RequestRole};
pub use requirements::{Device, Network, NetworkNeed, Power, PowerNeed, Requirements, Space, Unmet, unmet};
pub use resource::{Extension, Extent, Fetch, FetchId, Length, Resource, Role, UriRef};
pub use retry::{Failure, RetryPolicies, RetryPolicy, Verdict};
pub use select::{
    SelectError, SelectReason, SelectedTrack, Selection, SkipReason, Skipped, TrackSource, select,
};
pub use state::{InvalidTransition, ItemEvent, ItemState};
pub use storage::{Eviction, ItemStorage, Occupant, Storage, Tenure, evictions};
pub use verify::{Damage, Fault, Verification};
