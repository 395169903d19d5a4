//! One item's folder: it describes itself, and what it says wins over the catalog.
//!
//! The plan is written last, so that a folder with a plan has all that the plan refers to; the journal
//! belongs to that plan and to no other.

mod playlists;
mod opened;
mod examine;
mod relocation;
mod trash;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::codec::{self, CodecError, Stored};
use super::disk::{Disk, DiskFile, Entry, StoreError};
use super::load::Loaded;
use crate::item::{ItemId, Sidecar, Track};
use crate::layout::{ItemPaths, RootPaths};
use crate::options::SelectionOptions;
use crate::plan::{FetchId, Plan};
use crate::requirements::Requirements;
use crate::select::{SelectedTrack, Selection};
use crate::storage::Keep;
use camino::{Utf8Path, Utf8PathBuf};
pub(crate) use examine::Examined;
pub(crate) use opened::{Opened, downloaded, expected};
pub(crate) use playlists::{OriginIndex, OriginRecord, PlaylistSums, Sum};
pub(crate) use relocation::Relocation;
pub(crate) use trash::empty_trash;

/// No record but the plan is larger.
const SMALL: u64 = 16 << 20;
/// No plan and no playlist is larger.
const LARGE: u64 = 2 << 30;

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
    /// Counts the plans that the folder has had; not known of what an early version made.
    pub(crate) generation: Option<u64>,
    pub(crate) requirements: Option<Requirements>,
    pub(crate) keep: Keep,
}

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

impl ItemFolder {
    /// The folder called `name` below a root.
    pub(crate) fn new(disk: Arc<dyn Disk>, root: &Utf8Path, name: &str) -> Self {
        let root = RootPaths::new(root);
        let paths = root.item(name);
        Self { disk, root, name: name.to_owned(), paths, checked: Mutex::default() }
    }

    /// A folder that is nobody's item: an asset download task's own.
    pub(crate) fn of_asset(disk: Arc<dyn Disk>, paths: ItemPaths) -> Self {
        Self {
            disk,
            root: RootPaths::new(paths.folder()),
            name: String::new(),
            paths,
            checked: Mutex::default(),
        }
    }

    /// Makes the folder with its record, durably.
    pub(crate) fn create(&self, record: &ItemRecord) -> Result<(), StoreError> {
        for folder in [self.paths.folder(), &self.paths.origin_folder(), &self.paths.media()] {
            self.disk.ensure_dir(folder).map_err(StoreError::at(folder))?;
        }
        self.write_record(record)?;
        self.paths.folder().parent().map_or(Ok(()), |above| self.sync_dir(above))
    }

    /// Makes a record that is gone or damaged anew, in a folder that is there.
    pub(crate) fn restore_record(&self, record: &ItemRecord) -> Result<(), StoreError> {
        let path = self.paths.folder();
        let is_there = self.disk.entry(path).map_err(StoreError::at(path))? == Some(Entry::Folder);
        match self.record() {
            Ok(_) => Ok(()),
            Err(_) if is_there => self.write_record(record),
            Err(_) => Ok(()),
        }
    }

    /// Makes the record anew, durably.
    pub(crate) fn write_record(&self, record: &ItemRecord) -> Result<(), StoreError> {
        let path = self.paths.item();
        self.disk.write_atomic(&path, &codec::encode(record)).map_err(StoreError::at(path))
    }

    /// What the folder says of its item.
    pub(crate) fn record(&self) -> Result<ItemRecord, StoreError> {
        self.is_itself()?;
        self.stored(self.paths.item(), SMALL)
    }

    /// Links are not followed: what stands in the place of a folder must be one.
    fn is_itself(&self) -> Result<(), StoreError> {
        for path in [self.paths.folder(), &self.paths.origin_folder(), &self.paths.media()] {
            match self.disk.entry(path).map_err(StoreError::at(path))? {
                None | Some(Entry::Folder) => {}
                Some(Entry::File(_) | Entry::Other) => {
                    return Err(StoreError::at(path)(std::io::ErrorKind::NotADirectory.into()));
                }
            }
        }
        Ok(())
    }

    fn stored<T: Stored>(&self, path: Utf8PathBuf, limit: u64) -> Result<T, StoreError> {
        let bytes = self.disk.read(&path, limit).map_err(StoreError::at(&path))?;
        codec::decode(&bytes).map_err(StoreError::in_record(path))
    }

    /// Stores the playlists and the plan, durably, and answers how many plans the folder has had. What was
    /// downloaded for an earlier plan is gone.
    pub(crate) fn store(&self, options: &SelectionOptions, loaded: &Loaded) -> Result<u64, StoreError> {
        let selection = loaded.selection.as_ref();
        let before = self.record()?;
        let generation = before.generation.unwrap_or(0).saturating_add(1);
        let record = ItemRecord {
            generation: Some(generation),
            options: Some(options.clone()),
            available_tracks: selection.map(|it| it.available.clone()).unwrap_or_default(),
            selected_tracks: selected_tracks(loaded),
            ..before
        };
        self.clear()?;
        self.write_origins(&loaded.origins)?;
        self.write_playlists(&loaded.planned.local)?;
        self.write_record(&record)?;
        self.disk.sync(self.root.root()).map_err(StoreError::at(self.root.root()))?;
        self.write_plan(&loaded.planned.plan)?;
        Ok(generation)
    }

    fn write_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        let path = self.paths.plan();
        self.disk.write_atomic(&path, &codec::encode(plan)).map_err(StoreError::at(path))
    }

    /// Forgets an earlier plan: first the plan itself, so that nothing refers to what goes after it.
    pub(crate) fn clear(&self) -> Result<(), StoreError> {
        for path in [self.paths.moved(), self.paths.plan(), self.paths.journal(), self.paths.playlists()] {
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

    /// The plan; `None` before one is stored.
    pub(crate) fn plan(&self) -> Result<Option<Plan>, StoreError> {
        self.is_itself()?;
        let path = self.paths.plan();
        match self.disk.len(&path).map_err(StoreError::at(&path))? {
            Some(_) => self.stored(path, LARGE).map(Some),
            None => Ok(None),
        }
    }

    /// The local file of a resource, made if need be.
    pub(crate) fn media_file(&self, plan: &Plan, resource: u32) -> Result<Box<dyn DiskFile>, StoreError> {
        let path = self.media(&file_of(plan, resource)?)?;
        self.disk.open(&path).map_err(StoreError::at(path))
    }

    /// The path of a file in the media folder; the folders above it are made if need be, and are no links.
    pub(crate) fn media(&self, name: &Utf8Path) -> Result<Utf8PathBuf, StoreError> {
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

/// The renditions that were chosen beside the variants.
pub(crate) fn selected_tracks(loaded: &Loaded) -> Vec<Track> {
    let chosen = loaded.selection.iter().flat_map(Selection::renditions);
    let track =
        |it: &SelectedTrack| Track { kind: it.kind, language: it.language.clone(), title: it.title.clone() };
    chosen.map(track).collect()
}

fn resource_of(plan: &Plan, fetch: FetchId) -> Option<u32> {
    plan.fetches.get(usize::try_from(fetch.0).ok()?).map(|fetch| fetch.resource)
}

fn file_of(plan: &Plan, resource: u32) -> Result<Utf8PathBuf, StoreError> {
    plan.resource(resource).map(|resource| plan.file_of(resource)).ok_or_else(unplanned)
}

/// A fetch of a resource that is not there; the codec lets none through.
fn unplanned() -> StoreError {
    StoreError::in_record("plan")(CodecError::Value("a fetch"))
}

#[cfg(test)]
pub(crate) mod tests;
