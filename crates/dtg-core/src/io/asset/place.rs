//! Where an asset lies: beside its destination until it is complete and durable, then at it.
//!
//! So whatever is at the destination is complete. The last steps are renames, each of which may be the last one
//! that a process gets to: the next task finds the mark that the asset is finished, and takes the steps that are left.

use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::AssetRecord;
use super::planned::tracks_at;
use super::strangers::stranger;
use crate::asset_task::DownloadedAsset;
use crate::error::{Error, ErrorKind};
use crate::io::codec;
use crate::io::disk::{Disk, Entry, Held, StoreError};
use crate::io::folder::{ItemFolder, ItemRecord, downloaded};
use crate::item::{ItemId, ItemLocation, LocalSidecar};
use crate::layout::{AssetPaths, ItemPaths, MEDIA};
use crate::plan::{Master, OriginSet, Plan, Resource, UriRef};
use crate::relocate::{self, AnotherEncode};
use crate::select::SelectedTrack;

/// No record of an asset is larger.
const SMALL: u64 = 16 << 20;

/// How often the folder may slip away while it is taken.
const ATTEMPTS: u32 = 8;

/// What is to be put in its place.
#[derive(Debug, PartialEq, Eq)]
enum Ready {
    /// The whole folder.
    Folder,
    /// This file.
    File(Utf8PathBuf),
    /// Nothing any more: what is left is to be deleted.
    FileInPlace,
}

/// An asset's place on a disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'t> {
    pub(super) disk: &'t Arc<dyn Disk>,
    pub(super) paths: &'t AssetPaths,
}

impl Place<'_> {
    /// Takes the folder that the asset is downloaded in, and makes it if need be.
    pub(super) fn hold(&self) -> Result<Held, Error> {
        let (work, above) = (self.paths.work(), self.paths.above());
        self.disk.create_dir_all(above).map_err(StoreError::at(above))?;
        let owner = std::process::id().to_string();
        // Who had it before may rename or delete the folder between its being made and its being locked.
        for _ in 0..ATTEMPTS {
            self.check_ours()?;
            self.disk.ensure_dir(work.folder()).map_err(StoreError::at(work.folder()))?;
            match self.disk.lock(&work.lock(), &owner) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                held => return held.map_err(StoreError::at(work.lock()))?.ok_or_else(|| self.locked()),
            }
        }
        Err(self.locked())
    }

    fn locked(&self) -> Error {
        let pid =
            self.disk.read(&self.paths.work().lock(), 20).ok().and_then(|pid| String::from_utf8(pid).ok());
        Error::new(ErrorKind::Locked(pid.and_then(|pid| pid.parse().ok()).unwrap_or(0)))
    }

    /// Nothing that is not ours is touched: at the destination, or where the asset is downloaded.
    fn check_ours(&self) -> Result<(), Error> {
        match self.entry(self.paths.destination())? {
            None => {}
            Some(Entry::Folder) if self.has(&self.paths.finished().finished())? => {}
            // The media file that this asset is, and beside it what is to be deleted.
            Some(Entry::File(_)) if self.ready()?.is_some_and(|ready| ready == Ready::FileInPlace) => {}
            Some(_) => return Err(taken(self.paths.destination())),
        }
        match self.entry(self.paths.work().folder())? {
            None => Ok(()),
            Some(Entry::Folder) => self.check_work(),
            Some(Entry::File(_) | Entry::Other) => Err(taken(self.paths.work().folder())),
        }
    }

    fn check_work(&self) -> Result<(), Error> {
        self.check_folder(&self.paths.work())
    }

    /// An asset's folder is renamed and deleted as a whole only where nobody else put anything in it.
    fn check_folder(&self, folder: &ItemPaths) -> Result<(), Error> {
        stranger(self.disk.as_ref(), folder)?.map_or(Ok(()), |found| Err(taken(&found)))
    }

    /// Whether the finished asset may be replaced: nobody put anything in its folder.
    pub(super) fn check_finished(&self) -> Result<(), Error> {
        self.check_folder(&self.paths.finished())
    }

    /// How long the file at the destination is, if it is one.
    pub(super) fn file_bytes(&self) -> Result<Option<u64>, Error> {
        Ok(match self.entry(self.paths.destination())? {
            Some(Entry::File(bytes)) => Some(bytes),
            Some(Entry::Folder | Entry::Other) | None => None,
        })
    }

    fn entry(&self, path: &Utf8Path) -> Result<Option<Entry>, StoreError> {
        self.disk.entry(path).map_err(StoreError::at(path))
    }

    pub(super) fn write_record(&self, record: &AssetRecord) -> Result<(), StoreError> {
        let path = self.paths.work().asset();
        self.disk.write_atomic(&path, &codec::encode(record)).map_err(StoreError::at(path))
    }

    pub(super) fn record(&self, paths: &ItemPaths) -> Result<AssetRecord, StoreError> {
        let bytes = self.disk.read(&paths.asset(), SMALL).map_err(StoreError::at(paths.asset()))?;
        codec::decode(&bytes).map_err(StoreError::in_record(paths.asset()))
    }

    /// The tracks of an asset, by its playlists as they came.
    pub(super) fn tracks(&self, paths: &ItemPaths, origins: &OriginSet) -> Result<Vec<SelectedTrack>, Error> {
        let record = self.record(paths)?;
        let Some(multivariant) = relocate::multivariant_of(origins) else { return Ok(Vec::new()) };
        let chosen = record.chosen_of(&origins.entry.text).ok_or(AnotherEncode::Unreadable)?;
        Ok(tracks_at(&multivariant, &chosen.tracks).ok_or(AnotherEncode::Unreadable)?)
    }

    /// Whether all of it is there but not in its place.
    pub(super) fn is_ready(&self) -> Result<bool, Error> {
        Ok(self.ready()?.is_some())
    }

    /// What is to be put in its place. The mark names the media file that the asset is; for a folder it is empty.
    fn ready(&self) -> Result<Option<Ready>, Error> {
        let work = self.paths.work();
        let mark = work.finished();
        if self.entry(&mark)?.is_none() {
            return Ok(None);
        }
        let name = self.disk.read(&mark, SMALL).map_err(StoreError::at(mark))?;
        let name = String::from_utf8_lossy(&name);
        let Some(name) = Utf8Path::new(name.as_ref()).file_name() else { return Ok(Some(Ready::Folder)) };
        let file = work.media().join(name);
        let there = self.paths.destination();
        let is_in_place =
            !self.has(&file)? || self.disk.is_same(&file, there).map_err(StoreError::at(there))?;
        Ok(Some(if is_in_place { Ready::FileInPlace } else { Ready::File(file) }))
    }

    /// Whether there is a file at this path.
    fn has(&self, path: &Utf8Path) -> Result<bool, Error> {
        match self.disk.len(path) {
            // The one media file that the asset is.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
            length => Ok(length.map_err(StoreError::at(path))?.is_some()),
        }
    }

    /// Whose asset is being downloaded here; `None` where that is not known any more.
    pub(super) fn owner(&self) -> Result<Option<ItemId>, Error> {
        let work = self.paths.work();
        let is_known = self.has(&work.item())?;
        let record = is_known.then(|| ItemFolder::of_asset(Arc::clone(self.disk), work).record());
        Ok(record.transpose()?.map(|record| record.id))
    }

    /// What is there of another asset is left alone.
    pub(super) fn check_owner(&self, id: &ItemId, owner: &ItemId) -> Result<(), Error> {
        if id == owner { Ok(()) } else { Err(taken(self.paths.destination())) }
    }

    /// Marks the asset as finished and puts it in its place.
    pub(super) fn finish(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        let (mark, plan) = (self.paths.work().finished(), self.plan_of(&self.paths.work())?);
        let file = if plan.master == Master::File { plan.master_file() } else { Utf8PathBuf::new() };
        self.disk.write_atomic(&mark, file.as_str().as_bytes()).map_err(StoreError::at(mark))?;
        self.put_in_place(id)
    }

    /// Puts a finished asset in its place, in steps that may each be the last. What is there already stays, unless
    /// it is the asset that this one was made from.
    pub(super) fn put_in_place(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        let (work, there) = (self.paths.work(), self.paths.destination());
        match self.ready()? {
            Some(Ready::File(file)) => {
                self.rename(&file, there)?;
                self.clear_ready()?;
                return Ok(self.file_location(id));
            }
            Some(Ready::FileInPlace) => {
                self.clear_ready()?;
                return Ok(self.file_location(id));
            }
            Some(Ready::Folder) | None => {}
        }
        if self.has(&self.paths.finished().finished())? {
            self.check_finished()?;
            self.rename(there, &work.replaced())?;
        }
        self.rename(work.folder(), there)?;
        self.sweep()?;
        let folder = ItemFolder::of_asset(Arc::clone(self.disk), self.paths.finished());
        Ok(self.location(&folder.record()?, &self.plan_of(&self.paths.finished())?))
    }

    /// Deletes what was around the media file that is in its place now: the mark last, which says so.
    fn clear_ready(&self) -> Result<(), Error> {
        self.check_work()?;
        let work = self.paths.work();
        let mark = work.finished();
        for name in self.disk.list(work.folder()).map_err(StoreError::at(work.folder()))? {
            let path = work.folder().join(name);
            if self.has(&path)? && path != mark {
                self.disk.remove_file(&path).map_err(StoreError::at(path))?;
            } else if path != mark {
                self.disk.remove_dir_all(&path).map_err(StoreError::at(path))?;
            }
        }
        self.disk.sync_dir(work.folder()).map_err(StoreError::at(work.folder()))?;
        self.clear_work()
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error> {
        match self.disk.rename_new(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken(to)),
            renamed => renamed.map_err(StoreError::at(from))?,
        }
        Ok(self.disk.sync_dir(self.paths.above()).map_err(StoreError::at(self.paths.above()))?)
    }

    /// Deletes what a finished asset does not need.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        let asset = self.paths.finished();
        self.disk.remove_dir_all(&asset.replaced()).map_err(StoreError::at(asset.replaced()))?;
        self.disk.remove_file(&asset.lock()).map_err(StoreError::at(asset.lock()))
    }

    /// Deletes what is unfinished.
    pub(super) fn clear_work(&self) -> Result<(), Error> {
        self.check_work()?;
        let work = self.paths.work();
        Ok(self.disk.remove_dir_all(work.folder()).map_err(StoreError::at(work.folder()))?)
    }

    /// Deletes the finished asset, and what was begun beside it.
    pub(super) fn remove(&self, id: &ItemId) -> Result<(), Error> {
        let (_held, work) = (self.hold()?, self.paths.work());
        let owners = [self.owner()?, self.finished()?.map(|asset| asset.id)];
        owners.iter().flatten().try_for_each(|owner| self.check_owner(id, owner))?;
        self.unmark()?;
        if self.has(&self.paths.finished().finished())? {
            self.check_finished()?;
            self.disk.remove_dir_all(&work.replaced()).map_err(StoreError::at(work.replaced()))?;
            self.rename(self.paths.destination(), &work.replaced())?;
        }
        self.clear_work()
    }

    /// Deletes the file at the destination.
    pub(super) fn remove_file(&self) -> Result<(), StoreError> {
        let (there, above) = (self.paths.destination(), self.paths.above());
        self.disk.remove_file(there).map_err(StoreError::at(there))?;
        self.disk.sync_dir(above).map_err(StoreError::at(above))
    }

    /// Takes back, durably, that there is anything in the folder to be put in its place.
    fn unmark(&self) -> Result<(), StoreError> {
        let work = self.paths.work();
        self.disk.remove_file(&work.finished()).map_err(StoreError::at(work.finished()))?;
        self.disk.sync_dir(work.folder()).map_err(StoreError::at(work.folder()))
    }

    /// Deletes the folder if it was made for nothing. Whether it was.
    pub(super) fn clear_work_if_new(&self) -> Result<bool, Error> {
        let is_new = !self.has(&self.paths.work().item())?;
        if is_new { self.clear_work().map(|()| true) } else { Ok(false) }
    }

    fn plan_of(&self, paths: &ItemPaths) -> Result<Plan, Error> {
        let folder = ItemFolder::of_asset(Arc::clone(self.disk), paths.clone());
        folder.plan()?.ok_or_else(|| Error::new(ErrorKind::Damaged(format!("{} is not there", paths.plan()))))
    }

    fn location(&self, item: &ItemRecord, plan: &Plan) -> ItemLocation {
        let local = |resource: &Resource| match resource.uri {
            UriRef::Sidecar(sidecar) => {
                let sidecar = item.sidecars.get(usize::try_from(sidecar).ok()?)?.clone();
                Some(LocalSidecar { sidecar, file: plan.file_of(resource) })
            }
            UriRef::Playlist { .. } | UriRef::Entry => None,
        };
        ItemLocation {
            id: item.id.clone(),
            root: self.paths.destination().to_owned(),
            folder: MEDIA.into(),
            master: plan.master_file(),
            sidecars: plan.resources.iter().filter_map(local).collect(),
        }
    }

    fn file_location(&self, id: &ItemId) -> ItemLocation {
        ItemLocation {
            id: id.clone(),
            root: self.paths.above().to_owned(),
            folder: Utf8PathBuf::new(),
            master: self.paths.name().into(),
            sidecars: Vec::new(),
        }
    }

    /// The finished asset, if it is there: a folder. A single media file says nothing of itself.
    pub(super) fn finished(&self) -> Result<Option<DownloadedAsset>, Error> {
        let paths = self.paths.finished();
        if !self.has(&paths.finished())? {
            return Ok(None);
        }
        let plan = self.plan_of(&paths)?;
        let folder = ItemFolder::of_asset(Arc::clone(self.disk), paths.clone());
        let (item, bytes) = (folder.record()?, downloaded(&folder.done(&plan)?));
        let title = self.record(&paths)?.title;
        let duration = (!plan.playlists.is_empty()).then_some(plan.duration);
        let (location, tracks) = (self.location(&item, &plan), item.selected_tracks);
        Ok(Some(DownloadedAsset { id: item.id, title, location, tracks, duration, bytes }))
    }
}

fn taken(path: &Utf8Path) -> Error {
    Error::new(ErrorKind::DestinationTaken(path.to_owned()))
}
