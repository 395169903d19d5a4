//! The other mechanism: the application owns the task and the place, and keys are obtained during the download.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::asset_content::ContentConfiguration;
use crate::asset_progress::AssetProgress;
use crate::error::{Error, ErrorKind, public_part};
use crate::events::Events;
use crate::io::asset::{Job, Task, Wanted, open_finished, remove_at};
use crate::io::load::remote_url;
use crate::item::{ItemId, ItemLocation, Sidecar, Track};
use crate::key_loader::{KeyLoader, LoaderHook};
use crate::layout::AssetPaths;
use crate::manager::{Builder, ContentManager};
use crate::state::ItemState;

/// An asset at its origin: what it is called, where it is, and who obtains its keys.
///
/// `Debug` shows the address without its query.
#[derive(Clone)]
pub struct RemoteAsset {
    /// What its keys, and what is downloaded of it, are known by.
    pub id: ItemId,
    /// A playlist or a media file: http or https; may hold a token.
    pub url: String,
    pub(crate) key_loader: Option<LoaderHook>,
}

impl RemoteAsset {
    /// An asset without a key loader: clear, or encrypted with key files.
    #[must_use]
    pub fn new(id: ItemId, url: impl Into<String>) -> Self {
        Self { id, url: url.into(), key_loader: None }
    }

    /// The same asset with somebody who obtains its keys while it is downloaded.
    #[must_use]
    pub fn with_key_loader(mut self, loader: impl KeyLoader + 'static) -> Self {
        self.key_loader = Some(LoaderHook(Arc::new(loader)));
        self
    }

    /// Whether somebody obtains its keys.
    #[must_use]
    pub const fn has_key_loader(&self) -> bool {
        self.key_loader.is_some()
    }
}

impl fmt::Debug for RemoteAsset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteAsset")
            .field("id", &self.id)
            .field("url", &public_part(&self.url))
            .field("has_key_loader", &self.has_key_loader())
            .finish()
    }
}

/// Downloads one asset to a place of the application's choosing, without a manager and its catalog.
///
/// What is at the destination is complete: a folder that plays, or, for a single media file, that file. Until then
/// the asset is beside it, in a folder with `.download` behind its name. That folder describes itself: a task with the
/// same destination goes on with it, also in another process after a kill. Nothing that a task did not make is replaced
/// or deleted, at either place. All calls may come from any thread.
///
/// ```no_run
/// use dtg_core::{AssetDownloadTask, ItemId, Languages, RemoteAsset, SelectionOptions};
///
/// let asset = RemoteAsset::new(ItemId::new("1_abc")?, "https://cdn.example/master.m3u8");
/// let task = AssetDownloadTask::builder(asset, "/home/me/films/alien")
///     .title("Alien")
///     .auxiliary(SelectionOptions { audio: Languages::Only(vec!["fr".into()]), ..Default::default() })
///     .build()?;
/// let location = task.run()?; // waits; suspend, resume and cancel from another thread
/// println!("open {}", location.master_path());
/// # Ok::<(), dtg_core::Error>(())
/// ```
pub struct AssetDownloadTask {
    task: Task,
}

/// Without what it is doing: URLs and keys may hold tokens.
impl fmt::Debug for AssetDownloadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Task { asset, wanted: Wanted { title, .. }, .. } = &self.task;
        f.debug_struct("AssetDownloadTask")
            .field("asset", asset)
            .field("title", title)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// What [`AssetDownloadTask::builder`] collects.
#[derive(Debug)]
pub struct AssetTaskBuilder {
    asset: RemoteAsset,
    destination: Utf8PathBuf,
    title: String,
    primary: ContentConfiguration,
    auxiliary: Vec<ContentConfiguration>,
    sidecars: Vec<Sidecar>,
    settings: Builder,
}

impl AssetTaskBuilder {
    /// What the asset is called for people; kept with it.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The content that the asset plays with first. Of the presentation's default, if none is named.
    #[must_use]
    pub fn primary(mut self, content: impl Into<ContentConfiguration>) -> Self {
        self.primary = content.into();
        self
    }

    /// One more content beside the primary one: other languages, another variant. What it shares is downloaded once.
    #[must_use]
    pub fn auxiliary(mut self, content: impl Into<ContentConfiguration>) -> Self {
        self.auxiliary.push(content.into());
        self
    }

    /// Files that are downloaded beside the presentation, into its folder: an asset that is a single media file has none.
    #[must_use]
    pub fn sidecars(mut self, sidecars: Vec<Sidecar>) -> Self {
        self.sidecars = sidecars;
        self
    }

    /// How it transfers: the same settings as a manager's, but for its root and its `refresh`, which have no meaning here.
    #[must_use]
    pub fn transfers(mut self, set: impl FnOnce(Builder) -> Builder) -> Self {
        self.settings = set(self.settings);
        self
    }

    /// The task; nothing is touched before it runs.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] and [`ErrorKind::SchemeNotAllowed`] for what can't be fetched;
    /// [`ErrorKind::Setting`] for a destination without a name, such as `/`.
    pub fn build(self) -> Result<AssetDownloadTask, Error> {
        let Self { asset, destination, title, primary, auxiliary, sidecars, settings } = self;
        let urls = std::iter::once(&asset.url).chain(sidecars.iter().map(|it| &it.url));
        for url in urls {
            remote_url(url).map_err(|error| error.of(&asset.id))?;
        }
        let paths = paths_of(&destination).map_err(|error| error.of(&asset.id))?;
        let wanted =
            Wanted { title, contents: std::iter::once(primary).chain(auxiliary).collect(), sidecars };
        Ok(AssetDownloadTask { task: Task::new(asset, wanted, paths, settings) })
    }
}

fn paths_of(destination: &Utf8Path) -> Result<AssetPaths, Error> {
    let no_name = || Error::new(ErrorKind::Setting("a destination is a path with a name at its end"));
    AssetPaths::new(destination).ok_or_else(no_name)
}

impl AssetDownloadTask {
    /// A task that downloads the asset to this place, yet to be configured.
    ///
    /// The destination is the path of the asset itself, not of a folder for it. A single media file keeps the name
    /// that is given here, so that its extension is the application's choice.
    #[must_use]
    pub fn builder(asset: RemoteAsset, destination: impl Into<Utf8PathBuf>) -> AssetTaskBuilder {
        AssetTaskBuilder {
            asset,
            destination: destination.into(),
            title: String::new(),
            primary: ContentConfiguration::default(),
            auxiliary: Vec::new(),
            sidecars: Vec::new(),
            settings: ContentManager::builder(""),
        }
    }

    /// Downloads the asset, or what is missing of it, and answers where it plays from. Waits for all of it.
    ///
    /// While the task is suspended it waits, too. An asset that is finished is answered at once; a single media
    /// file says nothing of itself, so that one which another task put there is in the way.
    ///
    /// # Errors
    /// [`ErrorKind::NoKeyLoader`] before anything is stored, when its keys take a license and nobody obtains them;
    /// [`ErrorKind::KeyNotLoaded`] when its loader does not; [`ErrorKind::Cancelled`] after [`AssetDownloadTask::cancel`];
    /// [`ErrorKind::Setting`] for sidecars of a single media file;
    /// [`ErrorKind::DestinationTaken`] when something else is in the way, [`ErrorKind::Locked`] while another task has
    /// the same destination; whatever keeps it from being downloaded. What was downloaded stays, and the next run
    /// goes on with it.
    pub fn run(&self) -> Result<ItemLocation, Error> {
        self.task.run(Job::Download)
    }

    /// Adds renditions and variants to the finished asset. Waits for all of it, as [`AssetDownloadTask::run`] does.
    ///
    /// The playlists are fetched anew; files that the asset has are not. Until all that is new is there, the asset
    /// plays as before; a call that was ended in between, by whatever, is gone on with by the same call.
    ///
    /// # Errors
    /// [`ErrorKind::NotCompleted`] when the asset is not finished; [`ErrorKind::NotAugmentable`] when it is a single
    /// media file; [`ErrorKind::DestinationTaken`] when somebody put something of their own in its folder;
    /// [`ErrorKind::AnotherEncode`] when the address does not give the same presentation any more; otherwise as
    /// [`AssetDownloadTask::run`]. The finished asset is then unchanged.
    pub fn augment(&self, contents: &[ContentConfiguration]) -> Result<ItemLocation, Error> {
        self.task.run(Job::Augment(contents))
    }

    /// Cuts off its requests and keeps it waiting; answers at once. A task may be suspended before it runs.
    pub fn suspend(&self) {
        self.task.control.suspend();
    }

    /// Lets it go on where it was.
    pub fn resume(&self) {
        self.task.control.resume();
    }

    /// Ends it for good; answers at once. What was downloaded stays for another task with the same destination.
    pub fn cancel(&self) {
        self.task.control.cancel();
    }

    /// Ends it for good and deletes what is unfinished of the asset; a finished asset stays.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] while a run of it, or another task with the same destination, has not let go yet.
    pub fn discard(&self) -> Result<(), Error> {
        self.task.discard().map_err(|error| error.of(&self.task.asset.id))
    }

    /// Ends it for good and deletes all that there is of the asset, finished or not. May be called again.
    ///
    /// Its folder goes at once by a rename, and is deleted then; what a killed process leaves of it is deleted by the next
    /// call for the same destination. A finished single media file says nothing of itself: only the task that finished
    /// it deletes it, and to others it is in the way.
    ///
    /// # Errors
    /// As [`AssetDownloadTask::discard`]; [`ErrorKind::DestinationTaken`] for what no task of this asset made.
    pub fn remove(&self) -> Result<(), Error> {
        self.task.remove().map_err(|error| error.of(&self.task.asset.id))
    }

    /// The same without a task: all that there is of this asset at this destination.
    ///
    /// # Errors
    /// As [`AssetDownloadTask::remove`].
    pub fn remove_at(id: &ItemId, destination: impl AsRef<Utf8Path>) -> Result<(), Error> {
        paths_of(destination.as_ref()).and_then(|paths| remove_at(&paths, id)).map_err(|error| error.of(id))
    }

    /// How far it is. Nothing before it first runs.
    #[must_use]
    pub fn progress(&self) -> AssetProgress {
        self.task.progress()
    }

    /// What it is doing: `Paused` is suspended, `Interrupted` is cancelled or stopped by what may pass.
    #[must_use]
    pub fn state(&self) -> ItemState {
        self.task.control.state()
    }

    /// Listens to what happens from now on, as to a manager's item.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        self.task.hub.subscribe()
    }

    /// What it downloads.
    #[must_use]
    pub const fn asset(&self) -> &RemoteAsset {
        &self.task.asset
    }

    /// What the asset is called for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.task.wanted.title
    }
}

impl Drop for AssetDownloadTask {
    fn drop(&mut self) {
        self.task.hub.close();
    }
}

/// A finished asset that is a folder, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedAsset {
    /// What its keys are known by.
    pub id: ItemId,
    /// What it is called for people.
    pub title: String,
    /// Where it plays from.
    pub location: ItemLocation,
    /// Its audio and text tracks.
    pub tracks: Vec<Track>,
    /// How long it plays.
    pub duration: Option<Duration>,
    /// Bytes of its media.
    pub bytes: u64,
}

impl DownloadedAsset {
    /// The asset that was downloaded to this place; `None` when there is none, or it is not finished.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] or [`ErrorKind::Store`] when its records can't be read.
    pub fn open(destination: impl AsRef<Utf8Path>) -> Result<Option<Self>, Error> {
        open_finished(&paths_of(destination.as_ref())?)
    }
}
