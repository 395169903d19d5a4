//! What the stories share: a small presentation, its origin, and an item that is ready to start.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::Duration;

use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, Builder, ContentManager, ErrorKind, Item, ItemId, RetryPolicy, UrlRefresh};
use dtg_testkit::{Memory, Origin};

/// Tries three times, a millisecond apart.
pub(crate) const QUICK: RetryPolicy = RetryPolicy {
    max_attempts: 3,
    first_delay: Duration::from_millis(1),
    max_delay: Duration::from_millis(1),
};
/// Tries once.
pub(crate) const ONCE: RetryPolicy = RetryPolicy { max_attempts: 1, ..QUICK };

/// Three segments of one TS rendition, each in a file of its own.
pub(crate) fn segments() -> BTreeMap<String, Vec<u8>> {
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n".to_owned();
    let mut files = BTreeMap::new();
    for n in 0..3 {
        text.push_str(&format!("#EXTINF:4,\nseg-{n}.ts\n"));
        files.insert(format!("/seg-{n}.ts"), bytes(n, 1000));
    }
    files.insert("/item.m3u8".to_owned(), (text + "#EXT-X-ENDLIST\n").into_bytes());
    files
}

/// `count` ranges of `each` bytes in one file; 30 s apart, so that each is a request of its own.
pub(crate) fn ranges(count: usize, each: usize) -> BTreeMap<String, Vec<u8>> {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:30\n".to_owned();
    for n in 0..count {
        text.push_str(&format!("#EXTINF:30,\n#EXT-X-BYTERANGE:{each}@{}\nall.ts\n", n * each));
    }
    let list = (text + "#EXT-X-ENDLIST\n").into_bytes();
    BTreeMap::from([("/item.m3u8".to_owned(), list), ("/all.ts".to_owned(), bytes(7, count * each))])
}

/// `length` bytes that no other `n` has.
pub(crate) fn bytes(n: usize, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| ((at * 31) ^ (at >> 8) ^ (n * 131)) & 0xFF)
        .filter_map(|byte| u8::try_from(byte).ok())
        .collect()
}

pub(crate) fn origin(files: BTreeMap<String, Vec<u8>>) -> Origin {
    Origin::start(Memory::new(files)).expect("loopback has a free port")
}

pub(crate) fn id(text: &str) -> ItemId {
    ItemId::new(text).expect("a test's id is an id")
}

/// A manager of a folder of its own, which goes with it.
pub(crate) struct Desk {
    pub(crate) manager: ContentManager,
    pub(crate) root: Utf8TempDir,
}

impl Desk {
    pub(crate) fn new(connections: u16, retry: RetryPolicy) -> Self {
        let root = Utf8TempDir::new().expect("a temporary folder");
        let manager = builder(&root, connections, retry).open().expect("a folder of its own");
        Self { manager, root }
    }

    /// A manager with a hook for fresh addresses, trying each request once.
    pub(crate) fn refreshing(hook: impl UrlRefresh + 'static) -> Self {
        let root = Utf8TempDir::new().expect("a temporary folder");
        let manager = builder(&root, 2, ONCE).refresh(hook).open().expect("a folder of its own");
        Self { manager, root }
    }

    /// Adds the item `x` of `/item.m3u8` and loads its metadata.
    pub(crate) fn load(&self, origin: &Origin) -> ItemId {
        let id = id("x");
        self.manager.add_item(&id, &origin.url("/item.m3u8")).expect("a new id");
        self.manager.load_item_metadata(&id, BitRate(1)).expect("a sound playlist");
        id
    }

    /// Starts the item `x` and waits for its rest.
    pub(crate) fn run(&self) -> Item {
        self.manager.start_item(&id("x")).expect("it can be started");
        self.manager.wait(&id("x")).expect("it is there")
    }

    /// A file of the completed item `x`.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        let location = self.manager.playback_location(&id("x")).expect("it is completed");
        std::fs::read(location.folder_path().join(name)).expect("its file is there")
    }

    /// The same folder, as the next process finds it.
    pub(crate) fn reopened(self) -> Self {
        let Self { manager, root } = self;
        drop(manager);
        let manager = builder(&root, 2, QUICK).open().expect("the folder was given back");
        Self { manager, root }
    }
}

pub(crate) fn builder(root: &Utf8TempDir, connections: u16, retry: RetryPolicy) -> Builder {
    let connections = NonZeroU16::new(connections).expect("at least one");
    ContentManager::builder(root.path()).connections(connections).retry(retry)
}

/// Downloads what `origin` has from its start to its rest.
pub(crate) fn downloaded(origin: &Origin) -> (Desk, Item) {
    let desk = Desk::new(2, QUICK);
    desk.load(origin);
    let item = desk.run();
    (desk, item)
}

/// Whether a command was refused because the manager is closed.
pub(crate) fn is_cancelled<T>(answer: Result<T, dtg_core::Error>) -> bool {
    answer.is_err_and(|error| matches!(error.kind(), ErrorKind::Cancelled))
}
