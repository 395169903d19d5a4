//! One item's folder: it describes itself, and what it says wins over the catalog.
//!
//! The plan is written last, so that a folder with a plan has all that the plan refers to; the journal
//! belongs to that plan and to no other.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use twox_hash::XxHash3_128;

use super::codec::{self, CodecError, Stored};
use super::disk::{Disk, DiskFile, StoreError};
use super::journal::{self, Finished, Journal, Record, Replay};
use super::load::Loaded;
use super::run::Version;
use crate::item::{ItemId, Sidecar, Track};
use crate::layout::{ItemPaths, RootPaths};
use crate::options::SelectionOptions;
use crate::plan::{FetchId, Origin, OriginSet, Plan};
use crate::select::SelectedTrack;

/// No record but the plan is larger.
const SMALL: u64 = 16 << 20;
/// No plan and no playlist is larger.
const LARGE: u64 = 2 << 30;
/// Bytes that are hashed at a time.
const BUFFER: usize = 256 << 10;

/// Enough of an item to find it again when the catalog is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemRecord {
    pub(crate) id: ItemId,
    pub(crate) url: String,
    /// Its place in the order of adding.
    pub(crate) order: u64,
    pub(crate) sidecars: Vec<Sidecar>,
    /// What its tracks were chosen by; `None` before its metadata is loaded.
    pub(crate) options: Option<SelectionOptions>,
    pub(crate) available_tracks: Vec<Track>,
    pub(crate) selected_tracks: Vec<Track>,
}

/// The final URLs of the stored playlists, the entry's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginIndex(pub(crate) Vec<String>);

/// An item's folder, by name; it need not be there.
#[derive(Debug)]
pub(crate) struct ItemFolder {
    disk: Arc<dyn Disk>,
    root: RootPaths,
    name: String,
    paths: ItemPaths,
    /// Folders that are known to be there, and to be no links.
    checked: Mutex<BTreeSet<Utf8PathBuf>>,
}

/// What a run needs of a folder.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) plan: Plan,
    pub(crate) origins: OriginSet,
    pub(crate) journal: Journal,
    pub(crate) versions: HashMap<u32, Version>,
    done: HashMap<FetchId, Finished>,
}

impl Opened {
    /// The fetches that are done: their bytes are there.
    pub(crate) fn finished(&self) -> impl Iterator<Item = FetchId> {
        self.done.keys().copied()
    }

    /// How many fetches are done.
    pub(crate) fn fetches_done(&self) -> u32 {
        u32::try_from(self.done.len()).unwrap_or(u32::MAX)
    }

    /// Bytes that are there.
    pub(crate) fn downloaded_bytes(&self) -> u64 {
        downloaded(&self.done)
    }

    /// Bytes of all fetches: of those that are done as they are, of the others as planned.
    pub(crate) fn expected_bytes(&self) -> u64 {
        expected(&self.plan, &self.done)
    }
}

/// Bytes of the fetches that are done.
pub(crate) fn downloaded(done: &HashMap<FetchId, Finished>) -> u64 {
    done.values().fold(0, |sum, finished| sum.saturating_add(finished.length))
}

/// Bytes of all fetches of a plan, where some of them are done.
pub(crate) fn expected(plan: &Plan, done: &HashMap<FetchId, Finished>) -> u64 {
    (0..).zip(&plan.fetches).fold(0, |sum: u64, (id, fetch)| {
        let real = done.get(&FetchId(id)).map(|finished| finished.length);
        sum.saturating_add(real.unwrap_or(fetch.length.bytes()))
    })
}

impl ItemFolder {
    /// The folder called `name` below a root.
    pub(crate) fn new(disk: Arc<dyn Disk>, root: &Utf8Path, name: &str) -> Self {
        let root = RootPaths::new(root);
        let paths = root.item(name);
        Self { disk, root, name: name.to_owned(), paths, checked: Mutex::default() }
    }

    /// Makes the folder with its record, durably.
    pub(crate) fn create(&self, record: &ItemRecord) -> Result<(), StoreError> {
        for folder in [self.paths.folder(), &self.paths.origin_folder(), &self.paths.media()] {
            self.disk.ensure_dir(folder).map_err(StoreError::at(folder))?;
        }
        self.write_record(record)?;
        self.sync_dir(&self.root.items())
    }

    fn write_record(&self, record: &ItemRecord) -> Result<(), StoreError> {
        let path = self.paths.item();
        self.disk.write_atomic(&path, &codec::encode(record)).map_err(StoreError::at(path))
    }

    /// What the folder says of its item.
    pub(crate) fn record(&self) -> Result<ItemRecord, StoreError> {
        self.stored(self.paths.item(), SMALL)
    }

    fn stored<T: Stored>(&self, path: Utf8PathBuf, limit: u64) -> Result<T, StoreError> {
        let bytes = self.disk.read(&path, limit).map_err(StoreError::at(&path))?;
        codec::decode(&bytes).map_err(StoreError::in_record(path))
    }

    /// Stores the playlists and the plan, durably. What was downloaded for an earlier plan is gone.
    pub(crate) fn store(&self, options: &SelectionOptions, loaded: &Loaded) -> Result<(), StoreError> {
        let selection = loaded.selection.as_ref();
        let record = ItemRecord {
            options: Some(options.clone()),
            available_tracks: selection.map(|it| it.available.clone()).unwrap_or_default(),
            selected_tracks: selected_tracks(loaded),
            ..self.record()?
        };
        self.clear()?;
        self.write_origins(&loaded.origins)?;
        for playlist in &loaded.planned.local {
            let path = self.media(&playlist.path)?;
            self.disk.write(&path, &playlist.text).map_err(StoreError::at(path))?;
        }
        self.write_record(&record)?;
        self.disk.sync(self.root.root()).map_err(StoreError::at(self.root.root()))?;
        let path = self.paths.plan();
        self.disk.write_atomic(&path, &codec::encode(&loaded.planned.plan)).map_err(StoreError::at(path))
    }

    /// Forgets an earlier plan: first the plan itself, so that nothing refers to what goes after it.
    fn clear(&self) -> Result<(), StoreError> {
        for path in [self.paths.plan(), self.paths.journal()] {
            self.disk.remove_file(&path).map_err(StoreError::at(path))?;
            self.sync_dir(self.paths.folder())?;
        }
        self.lock_checked().clear();
        for path in [self.paths.media(), self.paths.origin_folder()] {
            self.disk.remove_dir_all(&path).map_err(StoreError::at(&path))?;
            self.disk.ensure_dir(&path).map_err(StoreError::at(path))?;
        }
        Ok(())
    }

    fn write_origins(&self, origins: &OriginSet) -> Result<(), StoreError> {
        let all = || std::iter::once(&origins.entry).chain(&origins.media);
        for (n, origin) in all().enumerate() {
            let path = self.paths.origin(n);
            self.disk.write(&path, &origin.text).map_err(StoreError::at(path))?;
        }
        let index = OriginIndex(all().map(|origin| origin.url.clone()).collect());
        let path = self.paths.origin_index();
        self.disk.write(&path, &codec::encode(&index)).map_err(StoreError::at(path))
    }

    fn origins(&self) -> Result<OriginSet, StoreError> {
        let path = self.paths.origin_index();
        let index: OriginIndex = self.stored(path.clone(), SMALL)?;
        let mut origins = index.0.into_iter().enumerate().map(|(n, url)| {
            let path = self.paths.origin(n);
            Ok(Origin { url, text: self.disk.read(&path, LARGE).map_err(StoreError::at(path))? })
        });
        let nothing = || Err(StoreError::in_record(path)(CodecError::Value("a list of no playlists")));
        let entry = origins.next().unwrap_or_else(nothing)?;
        Ok(OriginSet { entry, media: origins.collect::<Result<_, _>>()? })
    }

    /// The plan; `None` before one is stored.
    pub(crate) fn plan(&self) -> Result<Option<Plan>, StoreError> {
        let path = self.paths.plan();
        match self.disk.len(&path).map_err(StoreError::at(&path))? {
            Some(_) => self.stored(path, LARGE).map(Some),
            None => Ok(None),
        }
    }

    /// Opens the folder for a run. Records behind the last mark are held against the files: those that
    /// don't fit are void.
    pub(crate) fn open(&self) -> Result<Opened, StoreError> {
        let plan: Plan = self.stored(self.paths.plan(), LARGE)?;
        let origins = self.origins()?;
        let path = self.paths.journal();
        let resource_of = |fetch| resource_of(&plan, fetch);
        let (journal, Replay { mut finished, versions }) =
            Journal::open(self.disk.as_ref(), &path, resource_of)?;
        let wrong = self.disbelieved(&plan, &finished)?;
        let void: Vec<Record> = wrong.iter().map(|fetch| Record::Void { fetch: *fetch }).collect();
        if !void.is_empty() {
            journal.append(&void).map_err(StoreError::at(path))?;
            finished.retain(|fetch, _| wrong.binary_search(fetch).is_err());
        }
        Ok(Opened { plan, origins, journal, versions, done: finished })
    }

    /// The fetches that are done, judged as [`ItemFolder::open`] does but without touching anything.
    pub(crate) fn done(&self, plan: &Plan) -> Result<HashMap<FetchId, Finished>, StoreError> {
        let path = self.paths.journal();
        let mut done = journal::replay(self.disk.as_ref(), &path, |fetch| resource_of(plan, fetch))?.finished;
        let wrong = self.disbelieved(plan, &done)?;
        done.retain(|fetch, _| wrong.binary_search(fetch).is_err());
        Ok(done)
    }

    /// Which records are not true, sorted: the file is too short, or, behind the last mark, has other bytes.
    fn disbelieved(
        &self,
        plan: &Plan,
        done: &HashMap<FetchId, Finished>,
    ) -> Result<Vec<FetchId>, StoreError> {
        let mut lengths: HashMap<u32, Option<u64>> = HashMap::new();
        let mut buffer = vec![0; BUFFER];
        let mut wrong = Vec::new();
        for (&id, finished) in done {
            let Some(fetch) = usize::try_from(id.0).ok().and_then(|id| plan.fetches.get(id)) else {
                continue;
            };
            let path = self.paths.media().join(file_of(plan, fetch.resource)?);
            let length = match lengths.get(&fetch.resource) {
                Some(length) => *length,
                None => self.disk.len(&path).map_err(StoreError::at(&path))?,
            };
            lengths.insert(fetch.resource, length);
            let end = fetch.start.saturating_add(finished.length);
            let is_true = length.is_some_and(|length| length >= end)
                && (finished.is_durable || self.has_bytes(&path, fetch.start, finished, &mut buffer)?);
            if !is_true {
                wrong.push(id);
            }
        }
        wrong.sort_unstable();
        Ok(wrong)
    }

    fn has_bytes(
        &self,
        path: &Utf8Path,
        start: u64,
        finished: &Finished,
        buffer: &mut [u8],
    ) -> Result<bool, StoreError> {
        let file = self.disk.open(path).map_err(StoreError::at(path))?;
        let mut hasher = XxHash3_128::new();
        let mut at = 0;
        while at < finished.length {
            let room =
                usize::try_from(finished.length.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
            let window = buffer.get_mut(..room).unwrap_or_default();
            let read = file.read_at(window, start.saturating_add(at)).map_err(StoreError::at(path))?;
            if read == 0 {
                return Ok(false);
            }
            hasher.write(window.get(..read).unwrap_or_default());
            at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        Ok(hasher.finish_128() == finished.hash)
    }

    /// The local file of a resource, made if need be.
    pub(crate) fn media_file(&self, plan: &Plan, resource: u32) -> Result<Box<dyn DiskFile>, StoreError> {
        let path = self.media(&file_of(plan, resource)?)?;
        self.disk.open(&path).map_err(StoreError::at(path))
    }

    /// The path of a file in the media folder; the folders above it are made if need be, and are no links.
    fn media(&self, name: &Utf8Path) -> Result<Utf8PathBuf, StoreError> {
        let media = self.paths.media();
        let mut above: Vec<&Utf8Path> = name.ancestors().skip(1).collect();
        above.reverse();
        for folder in above {
            // The empty ancestor stands for the media folder itself.
            let folder = if folder.as_str().is_empty() { media.clone() } else { media.join(folder) };
            if !self.lock_checked().contains(&folder) {
                self.disk.ensure_dir(&folder).map_err(StoreError::at(&folder))?;
                self.lock_checked().insert(folder);
            }
        }
        Ok(media.join(name))
    }

    fn lock_checked(&self) -> std::sync::MutexGuard<'_, BTreeSet<Utf8PathBuf>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_dir(&self, path: &Utf8Path) -> Result<(), StoreError> {
        self.disk.sync_dir(path).map_err(StoreError::at(path))
    }

    /// Throws the folder away: it is gone when this answers, and deleted in the background.
    pub(crate) fn discard(&self) -> Result<(), StoreError> {
        let trash = self.root.trash();
        let taken = self.disk.list(&trash).map_err(StoreError::at(&trash))?;
        let number = |name: &String| name.split_once('-').and_then(|(n, _)| n.parse::<u32>().ok());
        let next = taken.iter().filter_map(number).max().map_or(0, |n| n.saturating_add(1));
        match self.disk.rename(self.paths.folder(), &self.root.trashed(next, &self.name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(StoreError::at(self.paths.folder()))?,
        }
        self.sync_dir(&trash)?;
        self.sync_dir(&self.root.items())?;
        empty_trash(&self.disk, &self.root);
        Ok(())
    }
}

/// Deletes in the background what was thrown away, also by a process that ended before it could.
pub(crate) fn empty_trash(disk: &Arc<dyn Disk>, root: &RootPaths) {
    let (disk, trash) = (Arc::clone(disk), root.trash());
    let emptied = thread::Builder::new().name("dtg-trash".into()).spawn(move || {
        for name in disk.list(&trash).unwrap_or_default() {
            if let Err(error) = disk.remove_dir_all(&trash.join(name)) {
                tracing::debug!(%error, "the trash is emptied at the next start");
            }
        }
    });
    if let Err(error) = emptied {
        tracing::debug!(%error, "the trash is emptied at the next start");
    }
}

/// The renditions that were chosen beside the variant.
pub(crate) fn selected_tracks(loaded: &Loaded) -> Vec<Track> {
    let chosen = loaded.selection.iter().flat_map(|selection| selection.tracks.iter().skip(1));
    let track =
        |it: &SelectedTrack| Track { kind: it.kind, language: it.language.clone(), title: it.title.clone() };
    chosen.map(track).collect()
}

fn resource_of(plan: &Plan, fetch: FetchId) -> Option<u32> {
    plan.fetches.get(usize::try_from(fetch.0).ok()?).map(|fetch| fetch.resource)
}

fn file_of(plan: &Plan, resource: u32) -> Result<Utf8PathBuf, StoreError> {
    let unknown = || StoreError::in_record("plan")(CodecError::Value("a fetch"));
    plan.resource(resource).map(|resource| plan.file_of(resource)).ok_or_else(unknown)
}

#[cfg(test)]
pub(crate) mod tests;
