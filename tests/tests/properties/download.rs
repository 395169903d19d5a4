//! Downloads as an app makes them, into folders in memory where there is such a place.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use camino::Utf8Path;
use camino_tempfile::Utf8TempDir;
use dtg_core::{Builder, ContentManager, ErrorKind, Item, ItemId, ItemState, Requirements, RetryPolicy};
use proptest::test_runner::TestCaseError;

use crate::chosen::failed;
use crate::wish::Wish;

/// A file system in memory, where there is one.
const MEMORY: &str = "/dev/shm";

/// A folder's files: path below it, and bytes.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// How a manager downloads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) connections: u16,
    pub(crate) attempts: u32,
    /// How many requests an item may be ahead of the first one that is not done.
    pub(crate) run_ahead: u32,
}

impl Manner {
    /// Three requests at once, each tried five times.
    pub(crate) const PATIENT: Self = Self { connections: 3, attempts: 5, run_ahead: 256 };
}

pub(crate) fn folder() -> Utf8TempDir {
    Utf8TempDir::new_in(MEMORY)
        .or_else(|_| Utf8TempDir::new())
        .expect("the system has a folder for temporary files")
}

pub(crate) fn id() -> ItemId {
    ItemId::new("item").expect("a plain word is an id")
}

pub(crate) fn open(root: &Utf8Path, wish: &Wish, manner: Manner) -> ContentManager {
    builder(root, wish, manner).open().expect("nobody else has the folder")
}

pub(crate) fn builder(root: &Utf8Path, wish: &Wish, manner: Manner) -> Builder {
    let retry = RetryPolicy {
        max_attempts: manner.attempts,
        first_delay: Duration::from_micros(100),
        max_delay: Duration::from_millis(1),
    };
    ContentManager::builder(root)
        .connections(NonZeroU16::new(manner.connections).expect("at least one connection"))
        .decoders(wish.decoders)
        .requirements(Requirements { reserve_bytes: 0, ..Requirements::default() })
        .retry(retry)
        .run_ahead(NonZeroU32::new(manner.run_ahead).expect("at least one request"))
}

/// Adds the item and loads its metadata.
pub(crate) fn add(manager: &ContentManager, url: &str, wish: &Wish) -> Result<Item, TestCaseError> {
    manager.add_item(&id(), url).map_err(failed)?;
    manager.load_item_metadata(&id(), wish.options.clone()).map_err(|error| match error.kind() {
        ErrorKind::Select(_) => TestCaseError::reject("nothing can be played"),
        _ => failed(error),
    })
}

/// Starts the item and waits for the state it comes to rest in.
pub(crate) fn run(manager: &ContentManager) -> Result<Item, TestCaseError> {
    manager.start_item(&id()).map_err(failed)?;
    manager.wait(&id()).map_err(failed)
}

/// The presentation's files, and which of them a player opens.
pub(crate) fn presentation(manager: &ContentManager) -> Result<(Files, String), TestCaseError> {
    let location = manager.playback_location(&id()).map_err(failed)?;
    Ok((files_below(&location.folder_path()), location.master.into_string()))
}

/// Downloads into a folder of its own.
pub(crate) fn download(url: &str, wish: &Wish) -> Result<(Files, String), TestCaseError> {
    let root = folder();
    let manager = open(root.path(), wish, Manner::PATIENT);
    add(&manager, url, wish)?;
    let item = run(&manager)?;
    completed(&item)?;
    presentation(&manager)
}

pub(crate) fn completed(item: &Item) -> Result<(), TestCaseError> {
    match item.state {
        ItemState::Completed if item.fetches_done == item.fetches => Ok(()),
        state => {
            let Item { fetches_done, fetches, failure, .. } = item;
            Err(failed(format!("{state}, {fetches_done} of {fetches} fetches: {failure:?}")))
        }
    }
}

pub(crate) fn files_below(folder: &Utf8Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in next.read_dir_utf8().expect("an item folder can be listed") {
            let path = entry.expect("an entry of it").into_path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below").as_str().replace('\\', "/");
                files.insert(name, std::fs::read(&path).expect("a file that was just listed"));
            }
        }
    }
    files
}
