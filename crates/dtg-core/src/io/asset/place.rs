//! Where an asset lies: beside its destination until it is complete and durable, then at it.
//!
//! So whatever is at the destination is complete. The last steps are renames, each of which may be the last one
//! that a process gets to: the next task finds the mark that the asset is finished, and takes the steps that are left.

use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::AssetRecord;
use super::planned::tracks_at;
use crate::asset_task::DownloadedAsset;
use crate::error::{Error, ErrorKind};
use crate::io::codec;
use crate::io::disk::{Disk, Held, StoreError};
use crate::io::folder::ItemFolder;
use crate::item::{ItemId, ItemLocation};
use crate::layout::{AssetPaths, ItemPaths, MEDIA};
use crate::plan::{Master, OriginSet, Plan};
use crate::relocate::{self, AnotherEncode};
use crate::select::SelectedTrack;

/// No record of an asset is larger.
const SMALL: u64 = 16 << 20;

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
        self.check_ours()?;
        self.disk.ensure_dir(work.folder()).map_err(StoreError::at(work.folder()))?;
        let owner = std::process::id().to_string();
        let held = self.disk.lock(&work.lock(), &owner).map_err(StoreError::at(work.lock()))?;
        let writer = || {
            let pid = self.disk.read(&work.lock(), 20).ok().and_then(|pid| String::from_utf8(pid).ok());
            pid.and_then(|pid| pid.parse().ok()).unwrap_or(0)
        };
        held.ok_or_else(|| Error::new(ErrorKind::Locked(writer())))
    }

    /// Nothing that is not ours is touched: at the destination, or where the asset is downloaded.
    fn check_ours(&self) -> Result<(), Error> {
        let (work, there) = (self.paths.work(), self.paths.destination());
        let taken = |path: &Utf8Path| Error::new(ErrorKind::DestinationTaken(path.to_owned()));
        let is_ready = self.is_ready()?;
        let mark = self.paths.finished().finished();
        let is_asset = self.has(&mark)?;
        let names = self.disk.list(there).unwrap_or_default();
        if !is_ready && !is_asset && (self.has(there)? || !names.is_empty()) {
            return Err(taken(there));
        }
        let ours = ["lock", "item", "item.new", "asset", "asset.new", "origin", "media"];
        let names = self.disk.list(work.folder()).unwrap_or_default();
        let is_ours =
            is_ready || self.has(&work.item())? || names.iter().all(|name| ours.contains(&name.as_str()));
        if is_ours { Ok(()) } else { Err(taken(work.folder())) }
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
        self.has(&self.paths.work().finished())
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

    /// Marks the asset as finished and puts it in its place.
    pub(super) fn finish(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        let (mark, plan) = (self.paths.work().finished(), self.plan_of(&self.paths.work())?);
        let file = if plan.master == Master::File { plan.master_file() } else { Utf8PathBuf::new() };
        self.disk.write_atomic(&mark, file.as_str().as_bytes()).map_err(StoreError::at(mark))?;
        self.put_in_place(id)
    }

    /// Puts a finished asset in its place, in steps that may each be the last. The mark names the media file that
    /// the asset is; for one that is a folder it is empty.
    pub(super) fn put_in_place(&self, id: &ItemId) -> Result<ItemLocation, Error> {
        let (work, there) = (self.paths.work(), self.paths.destination());
        let mark = self.disk.read(&work.finished(), SMALL).map_err(StoreError::at(work.finished()))?;
        let mark = String::from_utf8_lossy(&mark);
        if let Some(name) = Utf8Path::new(mark.as_ref()).file_name() {
            let file = work.media().join(name);
            if self.has(&file)? {
                self.rename(&file, there)?;
            }
            self.clear_ready()?;
            return Ok(self.file_location(id));
        }
        if self.has(&self.paths.finished().finished())? {
            self.rename(there, &work.replaced())?;
        }
        self.rename(work.folder(), there)?;
        self.sweep()?;
        Ok(self.location(id, &self.plan_of(&self.paths.finished())?))
    }

    /// Deletes what was around the media file that is in its place now: the mark last, which says so.
    fn clear_ready(&self) -> Result<(), Error> {
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

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), StoreError> {
        self.disk.rename(from, to).map_err(StoreError::at(from))?;
        self.disk.sync_dir(self.paths.above()).map_err(StoreError::at(self.paths.above()))
    }

    /// Deletes what a finished asset does not need.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        let asset = self.paths.finished();
        self.disk.remove_dir_all(&asset.replaced()).map_err(StoreError::at(asset.replaced()))?;
        self.disk.remove_file(&asset.lock()).map_err(StoreError::at(asset.lock()))
    }

    /// Deletes what is unfinished.
    pub(super) fn clear_work(&self) -> Result<(), Error> {
        let work = self.paths.work();
        Ok(self.disk.remove_dir_all(work.folder()).map_err(StoreError::at(work.folder()))?)
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

    fn location(&self, id: &ItemId, plan: &Plan) -> ItemLocation {
        ItemLocation {
            id: id.clone(),
            root: self.paths.destination().to_owned(),
            folder: MEDIA.into(),
            master: plan.master_file(),
            sidecars: Vec::new(),
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
        let item = ItemFolder::of_asset(Arc::clone(self.disk), paths.clone()).record()?;
        let title = self.record(&paths)?.title;
        let duration = (!plan.playlists.is_empty()).then_some(plan.duration);
        let (location, tracks) = (self.location(&item.id, &plan), item.selected_tracks);
        Ok(Some(DownloadedAsset { id: item.id, title, location, tracks, duration }))
    }
}
