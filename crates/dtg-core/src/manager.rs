//! The one who is told what to do: adds, plans, starts, pauses, removes, and says where items play from.
//!
//! Every command is alike: look the item up, ask the state table, write the new state down, then make
//! the downloads match it. A command that is repeated changes nothing.

mod builder;

use std::num::{NonZeroU16, NonZeroU64};
use std::sync::Arc;
use std::time::SystemTime;

use camino::Utf8PathBuf;

use crate::error::Error;
use crate::events::Events;
use crate::hold::Hold;
use crate::io::desk::Desk;
use crate::item::{Item, ItemId, ItemLocation, NewItem};
use crate::options::{BitRate, SelectionOptions};
use crate::requirements::{Device, Requirements};
use crate::state::ItemState;
use crate::storage::{ItemStorage, Storage};
use crate::verify::Verification;

pub use builder::Builder;

/// Downloads items into a folder, keeps them, and says where they play from.
///
/// One manager has a folder at a time ([`ErrorKind::Locked`](crate::ErrorKind::Locked)); readers work
/// beside it ([`ContentReader`](crate::ContentReader)). All calls may come from any thread; those that
/// wait for the network say so. Dropping it is [`ContentManager::close`].
#[derive(Debug)]
pub struct ContentManager {
    desk: Arc<Desk>,
}

/// What [`ContentManager::start_items`] and [`ContentManager::resume_all`] did.
#[derive(Debug, Default)]
pub struct Started {
    /// The items that are in progress now.
    pub ids: Vec<ItemId>,
    /// Why others are not; each names its item.
    pub refused: Vec<Error>,
}

impl ContentManager {
    /// A manager of the items below `root`, yet to be opened.
    #[must_use]
    pub fn builder(root: impl Into<Utf8PathBuf>) -> Builder {
        Builder::new(root.into())
    }

    /// Opens the folder with every setting at its default.
    ///
    /// # Errors
    /// See [`Builder::open`].
    pub fn open(root: impl Into<Utf8PathBuf>) -> Result<Self, Error> {
        Self::builder(root).open()
    }

    /// Adds an item: its id and URL are durable when this answers; nothing is fetched.
    ///
    /// # Errors
    /// [`ErrorKind::ItemExists`](crate::ErrorKind::ItemExists) when the id is taken;
    /// [`ErrorKind::InvalidUrl`](crate::ErrorKind::InvalidUrl) and
    /// [`ErrorKind::SchemeNotAllowed`](crate::ErrorKind::SchemeNotAllowed) for what can't be fetched.
    pub fn add_item(&self, id: &ItemId, url: &str) -> Result<Item, Error> {
        self.add_item_with(NewItem { id: id.clone(), url: url.to_owned(), sidecars: Vec::new() })
    }

    /// Adds an item with files that are downloaded beside it: external subtitles, a thumbnail.
    ///
    /// # Errors
    /// As [`ContentManager::add_item`], for each URL.
    pub fn add_item_with(&self, item: NewItem) -> Result<Item, Error> {
        let id = item.id.clone();
        self.desk.add(item).map_err(|error| error.of(&id))
    }

    /// Fetches the item's playlists, chooses tracks, and stores the plan. Waits for the network.
    ///
    /// `options` is a [`SelectionOptions`], or a [`BitRate`] as the least video bit rate: then all audio
    /// and text languages are taken, AVC of at least that rate, HEVC of at least 0.7 of it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) unless the item is new, and whatever
    /// keeps the presentation from being downloaded; the item stays new and keeps the failure.
    pub fn load_item_metadata(
        &self,
        id: &ItemId,
        options: impl Into<SelectionOptions>,
    ) -> Result<Item, Error> {
        self.desk.load_metadata(id, &options.into()).map_err(|error| error.of(id))
    }

    /// Starts the item or lets it go on; answers at once. In progress already: nothing changes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) when it is new or completed;
    /// [`ErrorKind::NoSpace`](crate::ErrorKind::NoSpace) when it would not fit;
    /// [`ErrorKind::Requirements`](crate::ErrorKind::Requirements) when the device lacks what it asks for;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when it is paused or removed in the same moment.
    pub fn start_item(&self, id: &ItemId) -> Result<(), Error> {
        self.desk.start(id).map_err(|error| error.of(id))
    }

    /// Starts every item that is in one of these states; new and completed ones can't be started.
    ///
    /// # Errors
    /// Only when the catalog can't be read; an item that can't start is reported in the answer.
    pub fn start_items(&self, states: &[ItemState]) -> Result<Started, Error> {
        let mut started = Started::default();
        for id in self.desk.ids_in(states)? {
            match self.start_item(&id) {
                Ok(()) => started.ids.push(id),
                Err(error) => started.refused.push(error),
            }
        }
        Ok(started)
    }

    /// Lets everything go on that was in progress or interrupted: after a restart, or when the network is back.
    ///
    /// # Errors
    /// As [`ContentManager::start_items`].
    pub fn resume_all(&self) -> Result<Started, Error> {
        self.start_items(&[ItemState::InProgress, ItemState::Interrupted])
    }

    /// Pauses the item; answers at once. An item that isn't running is left as it is.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn pause_item(&self, id: &ItemId) -> Result<(), Error> {
        self.desk.pause(id).map_err(|error| error.of(id))
    }

    /// Makes the item more or less wanted than others, whose priority is 0; at once if it runs.
    ///
    /// Of two items that run, the one of the higher priority gets all connections that it has use for:
    /// requests of the other one are cut off for it, and go on later. It holds as long as this manager.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound).
    pub fn set_priority(&self, id: &ItemId, priority: i32) -> Result<(), Error> {
        self.desk.set_priority(id, priority).map_err(|error| error.of(id))
    }

    /// Changes how many requests are in flight at once, over all items; those in flight beyond it end first.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) when the system has no more threads to give.
    pub fn set_connections(&self, connections: NonZeroU16) -> Result<(), Error> {
        self.desk.set_limits(|limits| limits.connections = connections.get().into())
    }

    /// Changes how many requests to one host are in flight at once; `None`: as many as in all.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when the manager is closed.
    pub fn set_connections_per_host(&self, connections: Option<NonZeroU16>) -> Result<(), Error> {
        let per_host = connections.map_or(u32::MAX, |cap| cap.get().into());
        self.desk.set_limits(|limits| limits.per_host = per_host)
    }

    /// Changes how many bytes a second may come at the most, over all items, at once; `None`: no limit.
    ///
    /// Over any time, no more comes than the rate allows and what a quarter of a second brings (at least
    /// 16 KiB), beside what each connection had received when it began to wait. Playlists do not count.
    pub fn set_rate_limit(&self, bytes_per_second: Option<NonZeroU64>) {
        self.desk.throttle.set_rate(bytes_per_second);
    }

    /// Gives a resting item another address, such as one whose signature has not run out. Waits for the network.
    ///
    /// Of an item with a plan the playlists are fetched anew; its parts are matched by rendition, media
    /// sequence and byte range, and what was downloaded stays.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) while it is in progress;
    /// [`ErrorKind::AnotherEncode`](crate::ErrorKind::AnotherEncode) when it is not the same presentation in
    /// the same encoding; whatever keeps the playlists from being loaded. The item is then unchanged.
    pub fn set_url(&self, id: &ItemId, url: &str) -> Result<Item, Error> {
        self.desk.set_url(id, url).map_err(|error| error.of(id))
    }

    /// What this item asks of the device; `None`: what [`Builder::requirements`] says. Kept over a restart.
    ///
    /// A running item that they don't hold for is interrupted; it goes on by itself when they hold again.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn set_requirements(&self, id: &ItemId, needs: Option<Requirements>) -> Result<(), Error> {
        self.desk.set_requirements(id, needs).map_err(|error| error.of(id))
    }

    /// Tells what the device is like now: its network and its power. Nothing else is watched.
    ///
    /// Running items that ask for more are interrupted; those that were interrupted for that, or for want of
    /// space, go on by themselves when nothing is missing any more.
    ///
    /// # Errors
    /// Only the store's.
    pub fn set_device(&self, device: Device) -> Result<(), Error> {
        self.desk.set_device(device)
    }

    /// Everything that holds the item: its state, what stopped it, what the device lacks, and whom it waits for.
    ///
    /// Empty while it is downloaded as fast as it can be.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn why(&self, id: &ItemId) -> Result<Vec<Hold>, Error> {
        self.desk.why(id).map_err(|error| error.of(id))
    }

    /// Looks at every byte of the item, and answers with what is not as it was recorded. Waits for the disk.
    ///
    /// What is damaged is not done any more: a completed item is interrupted then, and listeners are told. Pausing,
    /// removing or closing cuts it off.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) when it is new or in progress;
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) when its plan can't be read.
    pub fn verify_item(&self, id: &ItemId) -> Result<Verification, Error> {
        self.desk.verify(id).map_err(|error| error.of(id))
    }

    /// Verifies the item and starts it, so that only what is missing or damaged is fetched; [`ContentManager::wait`]
    /// waits for that. A completed item that is sound is left as it is.
    ///
    /// Local playlists and the plan are made again from the origin's playlists; a link or folder in the place of a
    /// file is removed, and what it leads to stays.
    ///
    /// # Errors
    /// As [`ContentManager::verify_item`] and [`ContentManager::start_item`].
    pub fn repair_item(&self, id: &ItemId) -> Result<Verification, Error> {
        self.desk.repair(id).map_err(|error| error.of(id))
    }

    /// Removes the item and its files, whatever its state. It is gone when this answers; the files
    /// are deleted in the background, or at the next opening.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn remove_item(&self, id: &ItemId) -> Result<(), Error> {
        self.desk.remove(id).map_err(|error| error.of(id))
    }

    /// Keeps the item: no quota removes it.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn pin_item(&self, id: &ItemId) -> Result<Item, Error> {
        self.desk.set_keep(id, |keep| keep.pinned = true).map_err(|error| error.of(id))
    }

    /// Lets a quota remove the item again.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn unpin_item(&self, id: &ItemId) -> Result<Item, Error> {
        self.desk.set_keep(id, |keep| keep.pinned = false).map_err(|error| error.of(id))
    }

    /// Says from when on the item is not wanted any more: it is the first that a quota removes then. It is not
    /// removed for that alone, and still plays.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn set_expiry(&self, id: &ItemId, at: Option<SystemTime>) -> Result<Item, Error> {
        self.desk.set_keep(id, |keep| keep.expires_at = at.map(Into::into)).map_err(|error| error.of(id))
    }

    /// Says when the item was played: what was played last is the last that a quota removes.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn set_played(&self, id: &ItemId, at: SystemTime) -> Result<Item, Error> {
        self.desk.set_played(id, at).map_err(|error| error.of(id))
    }

    /// Limits how many bytes the media of all items may take; `None`: no limit. Kept over a restart.
    ///
    /// What is too much is removed at once, and whenever an item is started or completed: as
    /// [`evictions`](crate::evictions) says. Answers with what was removed now; listeners are told.
    ///
    /// # Errors
    /// Only the store's. When not enough may be removed, the limit holds for what is started from now on:
    /// [`ErrorKind::OverQuota`](crate::ErrorKind::OverQuota).
    pub fn set_quota(&self, bytes: Option<u64>) -> Result<Vec<ItemId>, Error> {
        self.desk.set_quota(bytes)
    }

    /// How many bytes the media of all items may take.
    ///
    /// # Errors
    /// Only the store's.
    pub fn quota(&self) -> Result<Option<u64>, Error> {
        self.desk.quota()
    }

    /// What every item takes of the disk, to the byte. Looks at every file.
    ///
    /// # Errors
    /// Only the store's.
    pub fn storage(&self) -> Result<Storage, Error> {
        self.desk.storage()
    }

    /// What one item takes of the disk, to the byte, and what removing it gives back.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn item_storage(&self, id: &ItemId) -> Result<ItemStorage, Error> {
        self.desk.item_storage(id).map_err(|error| error.of(id))
    }

    /// The item as it is now.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound).
    pub fn item(&self, id: &ItemId) -> Result<Item, Error> {
        self.desk.item(id).map_err(|error| error.of(id))
    }

    /// All items, in the order they were added. The first time each is held against its folder.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn items(&self) -> Result<Vec<Item>, Error> {
        self.desk.items()
    }

    /// The items in one state, in the order they were added.
    ///
    /// One whose folder was exchanged by hand since the last manager is found by its earlier state until [`Self::items`]
    /// or it is asked for.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn items_by_state(&self, state: ItemState) -> Result<Vec<Item>, Error> {
        self.desk.items_in(state)
    }

    /// Where a completed item plays from.
    ///
    /// # Errors
    /// [`ErrorKind::NotCompleted`](crate::ErrorKind::NotCompleted) before it is.
    pub fn playback_location(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        self.desk.playback_location(id).map_err(|error| error.of(id))
    }

    /// Listens to what happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        self.desk.subscribe()
    }

    /// Waits until the item is not in progress, and answers with it.
    ///
    /// Interrupted and failed are answers too: see [`Item::failure`].
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), also when it is removed meanwhile;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when the manager is closed.
    pub fn wait(&self, id: &ItemId) -> Result<Item, Error> {
        self.desk.wait(id).map_err(|error| error.of(id))
    }

    /// Cuts off all downloads, makes what is there durable, and gives the folder back.
    ///
    /// Items in progress are found interrupted by the next one to open the folder. Later commands
    /// answer [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub fn close(&self) {
        self.desk.close();
    }
}

#[cfg(feature = "_bench")]
impl ContentManager {
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }
}

impl Drop for ContentManager {
    fn drop(&mut self) {
        self.close();
    }
}

impl From<BitRate> for SelectionOptions {
    fn from(bit_rate: BitRate) -> Self {
        Self::preferred_video_bitrate(bit_rate)
    }
}
