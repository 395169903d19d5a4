//! The playlists in a folder: the origin's as they came, and the local ones that a player opens.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use twox_hash::XxHash3_128;

use super::{ItemFolder, LARGE, Relocation, SMALL, file_of};
use crate::error::{Error, ErrorKind};
use crate::io::codec::{self, CodecError};
use crate::io::disk::{Entry, StoreError};
use crate::io::load::Loaded;
use crate::layout;
use crate::plan::{FetchId, LocalPlaylist, Master, Origin, OriginSet, Plan, Planned};
use crate::verify::{Damage, Fault};

/// What a file is, if it is what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) length: u64,
    /// XXH3-128 of its bytes.
    pub(crate) hash: u128,
}

impl Sum {
    fn of(bytes: &[u8]) -> Self {
        Self { length: u64::try_from(bytes.len()).unwrap_or(u64::MAX), hash: XxHash3_128::oneshot(bytes) }
    }
}

/// The stored playlists of the origin, the entry's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginIndex(pub(crate) Vec<OriginRecord>);

/// A stored playlist of the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginRecord {
    /// Its final URL.
    pub(crate) url: String,
    /// Not known of what an early version stored.
    pub(crate) sum: Option<Sum>,
}

/// The local playlists, by their path in the media folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaylistSums(pub(crate) Vec<(Utf8PathBuf, Sum)>);

/// Whether a record is gone or damaged, rather than out of reach or a later version's.
fn is_mendable(error: &StoreError) -> bool {
    match error {
        StoreError::Record { fault, .. } => !matches!(fault, CodecError::Later(_)),
        StoreError::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
        StoreError::Locked { .. } | StoreError::Catalog(_) => false,
    }
}

fn sums_of(local: &[LocalPlaylist]) -> PlaylistSums {
    PlaylistSums(local.iter().map(|it| (it.path.clone(), Sum::of(&it.text))).collect())
}

impl ItemFolder {
    pub(super) fn write_origins(&self, origins: &OriginSet) -> Result<(), StoreError> {
        let all = || std::iter::once(&origins.entry).chain(&origins.media);
        for (n, origin) in all().enumerate() {
            let path = self.paths.origin(n);
            self.disk.write(&path, &origin.text).map_err(StoreError::at(path))?;
        }
        let record = |it: &Origin| OriginRecord { url: it.url.clone(), sum: Some(Sum::of(&it.text)) };
        let index = OriginIndex(all().map(record).collect());
        let path = self.paths.origin_index();
        self.disk.write(&path, &codec::encode(&index)).map_err(StoreError::at(path))
    }

    /// The origin's playlists, if they are what came.
    pub(crate) fn origins(&self) -> Result<OriginSet, StoreError> {
        let path = self.paths.origin_index();
        let index: OriginIndex = self.stored(path.clone(), SMALL)?;
        let mut origins = index.0.into_iter().enumerate().map(|(n, OriginRecord { url, sum })| {
            let path = self.paths.origin(n);
            let text = self.disk.read(&path, LARGE).map_err(StoreError::at(&path))?;
            // Another text would lead to other addresses.
            match sum {
                Some(sum) if sum != Sum::of(&text) => Err(StoreError::in_record(path)(CodecError::Damaged)),
                _ => Ok(Origin { url, text }),
            }
        });
        let nothing = || Err(StoreError::in_record(path)(CodecError::Value("a list of no playlists")));
        let entry = origins.next().unwrap_or_else(nothing)?;
        Ok(OriginSet { entry, media: origins.collect::<Result<_, _>>()? })
    }

    /// Writes the local playlists and what they are; durable with the next sync.
    pub(super) fn write_playlists(&self, local: &[LocalPlaylist]) -> Result<(), StoreError> {
        for playlist in local {
            let path = self.media(&playlist.path)?;
            self.disk.write(&path, &playlist.text).map_err(StoreError::at(path))?;
        }
        let path = self.paths.playlists();
        self.disk.write(&path, &codec::encode(&sums_of(local))).map_err(StoreError::at(path))
    }

    /// What the local playlists are; not known of those that an early version wrote, or when the record is damaged.
    fn sums(&self) -> Result<Option<PlaylistSums>, StoreError> {
        let path = self.paths.playlists();
        if self.disk.len(&path).map_err(StoreError::at(&path))?.is_none() {
            return Ok(None);
        }
        match self.stored(path, SMALL) {
            Ok(sums) => Ok(Some(sums)),
            Err(later @ StoreError::Record { fault: CodecError::Later(_), .. }) => Err(later),
            Err(StoreError::Record { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds out again what the local playlists are, where that is not known, from the origin's as `planned` has them.
    pub(crate) fn recall_playlists(
        &self,
        plan: &Plan,
        planned: impl Fn() -> Result<Planned, Error>,
    ) -> Result<(), Error> {
        if self.sums()?.is_some() {
            return Ok(());
        }
        match planned() {
            Ok(planned) if planned.plan == *plan => {
                let path = self.paths.playlists();
                let sums = codec::encode(&sums_of(&planned.local));
                Ok(self.disk.write_atomic(&path, &sums).map_err(StoreError::at(path))?)
            }
            // Planned by other rules, or at an address since then: what was made of it is not known.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The local playlists, and what they are where that is known.
    pub(super) fn playlists(&self, plan: &Plan) -> Result<Vec<(Utf8PathBuf, Option<Sum>)>, StoreError> {
        if let Some(sums) = self.sums()? {
            return Ok(sums.0.into_iter().map(|(path, sum)| (path, Some(sum))).collect());
        }
        let media = (0..).zip(&plan.playlists).map(|(n, it)| layout::playlist_name(it.kind, n));
        let master = (plan.master == Master::Multivariant).then(|| layout::MASTER.into());
        Ok(master.into_iter().chain(media).map(|path| (path, None)).collect())
    }

    /// What is wrong with a local playlist.
    pub(super) fn playlist_fault(
        &self,
        name: &Utf8Path,
        sum: Option<Sum>,
    ) -> Result<Option<Damage>, StoreError> {
        let fault = self.text_fault(&self.paths.media().join(name), sum)?;
        let length = sum.map_or(0, |sum| sum.length);
        Ok(fault.map(|fault| Damage { file: name.to_owned(), offset: 0, length, fault }))
    }

    /// What is wrong with a file that should be these bytes.
    fn text_fault(&self, path: &Utf8Path, sum: Option<Sum>) -> Result<Option<Fault>, StoreError> {
        Ok(match self.disk.entry(path).map_err(StoreError::at(path))? {
            None => Some(Fault::Missing),
            Some(Entry::Folder | Entry::Other) => Some(Fault::NotAFile),
            Some(Entry::File(found)) => match (sum, self.disk.read(path, LARGE)) {
                (Some(sum), Ok(text)) if sum == Sum::of(&text) => None,
                (Some(sum), Ok(_)) if sum.length == found => Some(Fault::Bytes),
                (Some(_), Ok(_)) => Some(Fault::Length { found }),
                (None, Ok(_)) => None,
                (_, Err(error)) => Some(Fault::Unreadable(error.to_string())),
            },
        })
    }

    /// What is wrong with the kept playlists of the origin.
    pub(crate) fn origin_damage(&self) -> Result<Vec<Damage>, StoreError> {
        self.settle_move()?;
        let damage = |name: String, length, fault| {
            let file = Utf8PathBuf::from(format!("{}/{name}", layout::ORIGIN_FROM_MEDIA));
            Damage { file, offset: 0, length, fault }
        };
        let index = match self.stored::<OriginIndex>(self.paths.origin_index(), SMALL) {
            Ok(index) => index,
            Err(error) if is_mendable(&error) => {
                let is_there = matches!(error, StoreError::Record { .. });
                let fault = if is_there { Fault::Bytes } else { Fault::Missing };
                return Ok(vec![damage(layout::ORIGIN_INDEX.to_owned(), 0, fault)]);
            }
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for (n, OriginRecord { sum, .. }) in index.0.into_iter().enumerate() {
            if let Some(fault) = self.text_fault(&self.paths.origin(n), sum)? {
                found.push(damage(n.to_string(), sum.map_or(0, |sum| sum.length), fault));
            }
        }
        Ok(found)
    }

    /// Takes over playlists that came again, and the plan with them, if they are those that the item was made of.
    ///
    /// They are if the local playlists and the plan that they make are: addresses in them may be others by now.
    pub(crate) fn mend_origins(&self, url: &str, fresh: Loaded) -> Result<(), Error> {
        let Loaded { origins, planned: Planned { plan, local, .. }, .. } = fresh;
        let known = match self.settled_plan() {
            Ok(known) => Some(known),
            Err(error) if is_mendable(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let is_same = match (self.sums()?, known) {
            (Some(sums), known) => sums == sums_of(&local) && known.is_none_or(|known| known == plan),
            (None, known) => known.is_some_and(|known| known == plan),
        };
        if !is_same {
            let what = "the kept playlists of the origin can't be made again: it has other ones by now";
            return Err(Error::new(ErrorKind::Damaged(what.to_owned())));
        }
        self.clear_origins()?;
        Ok(self.relocate(&Relocation { url: url.to_owned(), origins, plan })?)
    }

    /// Clears the places of the origin's playlists of what is no file.
    fn clear_origins(&self) -> Result<(), StoreError> {
        let folder = self.paths.origin_folder();
        self.disk.ensure_dir(&folder).map_err(StoreError::at(&folder))?;
        for name in self.disk.list(&folder).map_err(StoreError::at(&folder))? {
            let path = folder.join(name);
            let removed = match self.disk.entry(&path).map_err(StoreError::at(&path))? {
                None | Some(Entry::File(_)) => Ok(()),
                Some(Entry::Folder) => self.disk.remove_dir_all(&path),
                Some(Entry::Other) => self.disk.remove_file(&path),
            };
            removed.map_err(StoreError::at(path))?;
        }
        Ok(())
    }

    /// Makes local playlists that are missing or damaged again from the origin's, as `planned` has them.
    ///
    /// What comes out must be what was recorded: a playlist that is nearly right plays something else.
    pub(crate) fn mend_playlists(
        &self,
        plan: &Plan,
        planned: impl Fn() -> Result<Planned, Error>,
    ) -> Result<(), Error> {
        self.recall_playlists(plan, &planned)?;
        let mut damaged = Vec::new();
        for (name, sum) in self.playlists(plan)? {
            if self.playlist_fault(&name, sum)?.is_some() {
                damaged.push((name, sum));
            }
        }
        if damaged.is_empty() {
            return Ok(());
        }
        let planned = planned()?;
        for (name, sum) in &damaged {
            let made = planned.local.iter().find(|made| made.path == *name);
            let is_right =
                |made: &&LocalPlaylist| sum.map_or(planned.plan == *plan, |sum| sum == Sum::of(&made.text));
            let made = made.filter(is_right).ok_or_else(|| {
                Error::new(ErrorKind::Damaged(format!("the local playlist {name} can't be made again")))
            })?;
            self.clear_place(name)?;
            let path = self.media(name)?;
            self.disk.write(&path, &made.text).map_err(StoreError::at(path))?;
        }
        Ok(self.disk.sync(self.root.root()).map_err(StoreError::at(self.root.root()))?)
    }

    /// Makes a plan that is gone or damaged again from the origin's playlists.
    ///
    /// It is the one that was stored if the local playlists that come with it are.
    pub(crate) fn mend_plan(
        &self,
        planned: impl FnOnce(&OriginSet) -> Result<Planned, Error>,
    ) -> Result<(), Error> {
        match self.settled_plan() {
            Ok(_) => return Ok(()),
            Err(error) if is_mendable(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let sums: PlaylistSums = self.stored(self.paths.playlists(), SMALL)?;
        let planned = planned(&self.origins()?)?;
        if sums_of(&planned.local) != sums {
            return Err(Error::new(ErrorKind::Damaged("the plan can't be made again".to_owned())));
        }
        Ok(self.write_plan(&planned.plan)?)
    }

    /// Clears the places of the files that are yet to come.
    pub(crate) fn clear_misplaced(&self) -> Result<(), StoreError> {
        let plan = self.settled_plan()?;
        let done = self.done(&plan)?;
        let coming = (0..).map(FetchId).zip(&plan.fetches).filter(|(id, _)| !done.contains_key(id));
        let files: BTreeSet<u32> = coming.map(|(_, fetch)| fetch.resource).collect();
        files.into_iter().try_for_each(|resource| self.clear_place(&file_of(&plan, resource)?))
    }

    /// Removes what stands in the place of a media file, or of a folder above it, and is none. A link goes, and
    /// what it leads to stays.
    fn clear_place(&self, name: &Utf8Path) -> Result<(), StoreError> {
        let media = self.paths.media();
        let mut places: Vec<&Utf8Path> = name.ancestors().collect();
        places.reverse();
        for place in places {
            let path = if place.as_str().is_empty() { media.clone() } else { media.join(place) };
            let removed = match self.disk.entry(&path).map_err(StoreError::at(&path))? {
                None => return Ok(()),
                Some(Entry::Folder) if place == name => self.disk.remove_dir_all(&path),
                Some(Entry::File(_)) if place == name => Ok(()),
                Some(Entry::Folder) => continue,
                Some(Entry::File(_) | Entry::Other) => self.disk.remove_file(&path),
            };
            self.lock_checked().clear();
            return removed.map_err(StoreError::at(path));
        }
        Ok(())
    }
}
