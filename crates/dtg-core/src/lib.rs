//! Downloads HLS presentations into folders that play offline, and survives being stopped.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod item; // reading order: the values ...
mod state;
mod options;
mod select;
mod resource;
mod plan;
mod layout;
mod localize;
mod estimate;
mod requirements; // ... the decisions ...
mod retry;
mod session;
mod schedule;
mod manager; // ... the one who is told what to do ...
mod events;
mod io; // ... and the only room that touches disk, network, threads and clock.
mod data_url;
mod error;
#[cfg(feature = "_fuzz")]
#[doc(hidden)]
pub mod fuzzing;

pub use error::{BadAnswer, Error, ErrorKind};
pub use estimate::{Basis, Estimate};
pub use events::{Event, Events, Progress};
pub use io::load::{Loaded, dry_run, fetch_playlist};
pub use io::reader::ContentReader;
pub use item::{
    InvalidItemId, Item, ItemId, ItemLocation, LocalSidecar, NewItem, Sidecar, SidecarRole, StoredFailure,
    Track, TrackKind,
};
pub use manager::{Builder, ContentManager, Started};
pub use options::{
    AudioCodec, BitRate, Decoders, InefficientCodecs, Languages, SelectionOptions, VideoCodec,
};
pub use plan::{
    DropReason, Dropped, LocalPlaylist, Locator, Master, Origin, OriginSet, Plan, PlanError, Planned,
    PlannedPlaylist, plan,
};
pub use requirements::Requirements;
pub use resource::{Extension, Extent, Fetch, FetchId, Length, Resource, Role, UriRef};
pub use retry::{Failure, RetryPolicy, Verdict};
pub use select::{SelectError, SelectedTrack, Selection, SkipReason, Skipped, TrackSource, select};
pub use state::{InvalidTransition, ItemEvent, ItemState};
