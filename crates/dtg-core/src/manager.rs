//! The one who is told what to do: adds, plans, starts, pauses, removes, and says where items play from.
//!
//! Every command is alike: look the item up, ask the state table, write the new state down, then make
//! the downloads match it. A command that is repeated changes nothing.

use std::num::NonZeroU16;
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::error::Error;
use crate::events::Events;
use crate::io::desk::Desk;
use crate::item::{Item, ItemId, ItemLocation, NewItem};
use crate::options::{BitRate, Decoders, SelectionOptions};
use crate::requirements::Requirements;
use crate::retry::RetryPolicy;
use crate::state::ItemState;

/// Downloads items into a folder, keeps them, and says where they play from.
///
/// One manager has a folder at a time ([`ErrorKind::Locked`](crate::ErrorKind::Locked)); readers work
/// beside it ([`ContentReader`](crate::ContentReader)). All calls may come from any thread; those that
/// wait for the network say so. Dropping it is [`ContentManager::close`].
#[derive(Debug)]
pub struct ContentManager {
    desk: Arc<Desk>,
}

/// What [`ContentManager::builder`] collects.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(crate) root: Utf8PathBuf,
    pub(crate) connections: NonZeroU16,
    pub(crate) decoders: Decoders,
    pub(crate) requirements: Requirements,
    pub(crate) retry: RetryPolicy,
    pub(crate) user_agent: Option<String>,
}

/// What [`ContentManager::start_items`] and [`ContentManager::resume_all`] did.
#[derive(Debug, Default)]
pub struct Started {
    /// The items that are in progress now.
    pub ids: Vec<ItemId>,
    /// Why others are not; each names its item.
    pub refused: Vec<Error>,
}

impl Builder {
    /// How many requests are in flight at once, over all items. Default 16.
    #[must_use]
    pub const fn connections(mut self, connections: NonZeroU16) -> Self {
        self.connections = connections;
        self
    }

    /// What the device can decode: variants it can't play are not chosen.
    #[must_use]
    pub const fn decoders(mut self, decoders: Decoders) -> Self {
        self.decoders = decoders;
        self
    }

    /// What must hold for a download to start.
    #[must_use]
    pub const fn requirements(mut self, requirements: Requirements) -> Self {
        self.requirements = requirements;
        self
    }

    /// How often, and how far apart, a request is tried.
    #[must_use]
    pub const fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The User-Agent header of every request.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Takes the folder, which is made if need be. No traffic starts.
    ///
    /// A catalog that can't be read is moved aside and made anew from the item folders.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`](crate::ErrorKind::Locked) while another process has it;
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) when it can't be made, read or written.
    pub fn open(self) -> Result<ContentManager, Error> {
        Desk::open(self).map(|desk| ContentManager { desk })
    }
}

impl ContentManager {
    /// A manager of the items below `root`, yet to be opened.
    #[must_use]
    pub fn builder(root: impl Into<Utf8PathBuf>) -> Builder {
        Builder {
            root: root.into(),
            connections: NonZeroU16::new(16).unwrap_or(NonZeroU16::MIN),
            decoders: Decoders::default(),
            requirements: Requirements::default(),
            retry: RetryPolicy::default(),
            user_agent: None,
        }
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
    /// [`ErrorKind::NoSpace`](crate::ErrorKind::NoSpace) when it would not fit.
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

    /// Removes the item and its files, whatever its state. It is gone when this answers; the files
    /// are deleted in the background, or at the next opening.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound), or the store's.
    pub fn remove_item(&self, id: &ItemId) -> Result<(), Error> {
        self.desk.remove(id).map_err(|error| error.of(id))
    }

    /// The item as it is now.
    ///
    /// # Errors
    /// [`ErrorKind::ItemNotFound`](crate::ErrorKind::ItemNotFound).
    pub fn item(&self, id: &ItemId) -> Result<Item, Error> {
        self.desk.item(id).map_err(|error| error.of(id))
    }

    /// All items, in the order they were added.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn items(&self) -> Result<Vec<Item>, Error> {
        self.desk.items()
    }

    /// The items in one state, in the order they were added.
    ///
    /// # Errors
    /// Only when the catalog can't be read.
    pub fn items_by_state(&self, state: ItemState) -> Result<Vec<Item>, Error> {
        Ok(self.items()?.into_iter().filter(|item| item.state == state).collect())
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
