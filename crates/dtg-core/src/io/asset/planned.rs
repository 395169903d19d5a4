//! What a task downloads of its presentation: planned once, then kept with the asset.

use hls_parse::Multivariant;
use twox_hash::XxHash3_128;

use super::{Task, Wanted};
use crate::asset_content::choose;
use crate::cause::Stage;
use crate::error::{Error, ErrorKind};
use crate::io::again::again;
use crate::io::cancel::CancelToken;
use crate::io::folder::{ItemFolder, ItemRecord, Relocation};
use crate::io::http::Http;
use crate::io::load::{Loaded, Wish, load};
use crate::item::Sidecar;
use crate::key_loader::{NeededKey, needed_keys};
use crate::layout::ItemPaths;
use crate::options::SelectionOptions;
use crate::plan::{Master, Plan};
use crate::relocate::{self, Placed, relocated};
use crate::select::{SelectedTrack, Selection, TrackSource, all_tracks};
use crate::storage::Keep;

/// What is kept of an asset beside its item record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetRecord {
    pub(crate) title: String,
    /// What was chosen, of each multivariant playlist that may be the asset's: of two while one takes the other's place.
    pub(crate) chosen: Vec<Chosen>,
}

/// What was chosen of one multivariant playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// XXH3-128 of the playlist; `None`: of whichever the asset has (not known of what an early version made).
    pub(crate) playlist: Option<u128>,
    /// By their places in it, and in the order of the local playlists.
    pub(crate) tracks: Vec<TrackSource>,
}

impl Chosen {
    fn of(loaded: &Loaded) -> Self {
        let tracks = loaded.selection.iter().flat_map(|it| &it.tracks).map(|it| it.source).collect();
        Self { playlist: Some(XxHash3_128::oneshot(&loaded.origins.entry.text)), tracks }
    }
}

impl AssetRecord {
    /// What was chosen of this multivariant playlist.
    pub(super) fn chosen_of(&self, playlist: &[u8]) -> Option<&Chosen> {
        let hash = XxHash3_128::oneshot(playlist);
        self.chosen.iter().find(|it| it.playlist.is_none_or(|of| of == hash))
    }
}

impl Task {
    /// Loads the playlists and stores the plan, unless that was done before; at another address, places it anew.
    pub(super) fn plan(&self, folder: &ItemFolder, http: &Http, token: &CancelToken) -> Result<(), Error> {
        let stored = if folder.plan()?.is_some() { Some(folder.record()?) } else { None };
        match stored {
            Some(record) if record.url == self.asset.url => self.check_owner(&record.id),
            Some(record) => {
                self.check_owner(&record.id)?;
                self.place_anew(folder, http, token)
            }
            None => {
                let decoders = &self.settings.decoders;
                let choose = |fresh: &Multivariant<'_>| Ok(choose(fresh, &self.wanted.contents, decoders)?);
                let loaded =
                    self.load(http, Wish { choose: &choose, sidecars: &self.wanted.sidecars }, token)?;
                let Wanted { title, sidecars, .. } = &self.wanted;
                self.store(folder, (title.clone(), sidecars.clone()), &loaded)
            }
        }
    }

    pub(super) fn load(&self, http: &Http, wish: Wish<'_>, token: &CancelToken) -> Result<Loaded, Error> {
        again(&self.settings.retry, token, || load(http, &self.asset.url, wish, token))
            .map_err(|error| error.during(Stage::Metadata))
    }

    pub(super) fn store(
        &self,
        folder: &ItemFolder,
        (title, sidecars): (String, Vec<Sidecar>),
        loaded: &Loaded,
    ) -> Result<(), Error> {
        self.check_keys(loaded)?;
        if loaded.planned.plan.master == Master::File && !sidecars.is_empty() {
            return Err(Error::new(ErrorKind::Setting("a single media file has no folder for sidecars")));
        }
        folder.create(&self.record(sidecars))?;
        if folder.plan()?.is_some() {
            // The tracks are of the new playlists: no earlier plan may be found beside them.
            folder.clear()?;
        }
        self.place().write_record(&AssetRecord { title, chosen: vec![Chosen::of(loaded)] })?;
        folder.store(&SelectionOptions::default(), loaded)?;
        Ok(())
    }

    /// The title of this task, or where it has none the one that the asset has.
    pub(super) fn title_over(&self, paths: &ItemPaths) -> Result<String, Error> {
        if self.wanted.title.is_empty() {
            Ok(self.place().record(paths)?.title)
        } else {
            Ok(self.wanted.title.clone())
        }
    }

    fn record(&self, sidecars: Vec<Sidecar>) -> ItemRecord {
        ItemRecord {
            id: self.asset.id.clone(),
            url: self.asset.url.clone(),
            order: 0,
            sidecars,
            options: None,
            available_tracks: Vec::new(),
            selected_tracks: Vec::new(),
            generation: None,
            requirements: None,
            keep: Keep::default(),
        }
    }

    /// A presentation whose keys nobody obtains is refused before anything of it is stored.
    pub(super) fn check_keys(&self, loaded: &Loaded) -> Result<(), Error> {
        self.check_needed(&needed_keys(&self.asset.id, &loaded.planned.plan, &loaded.origins)?)
    }

    pub(super) fn check_needed(&self, keys: &[NeededKey]) -> Result<(), Error> {
        match keys.first() {
            Some(key) if !self.asset.has_key_loader() => {
                Err(Error::new(ErrorKind::NoKeyLoader(key.request.shown())))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The task has another address than what is there came from: the same encode goes on, another one is refused.
    pub(super) fn place_anew(
        &self,
        folder: &ItemFolder,
        http: &Http,
        token: &CancelToken,
    ) -> Result<(), Error> {
        let (plan, origins) = folder.placed()?;
        let known = self.place().tracks(&self.paths.work(), &origins)?;
        let choose = |fresh: &Multivariant<'_>| Ok(selection(relocate::found_again(&known, fresh)?));
        let fresh = self.load(http, Wish { choose: &choose, sidecars: &folder.record()?.sidecars }, token)?;
        let plan = relocated(
            Placed { plan: &plan, origins: &origins },
            Placed { plan: &fresh.planned.plan, origins: &fresh.origins },
        )?;
        self.relocate(folder, self.title_over(&self.paths.work())?, fresh, plan)
    }

    /// Takes over fresh playlists and the plan as it is placed in them. The tracks' places in them are recorded before.
    pub(super) fn relocate(
        &self,
        folder: &ItemFolder,
        title: String,
        fresh: Loaded,
        plan: Plan,
    ) -> Result<(), Error> {
        let known = self.place().record(&self.paths.work())?;
        let before = known.chosen_of(&folder.placed()?.1.entry.text).cloned();
        let chosen = std::iter::once(Chosen::of(&fresh)).chain(before).collect();
        self.place().write_record(&AssetRecord { title, chosen })?;
        Ok(folder.relocate(&Relocation { url: self.asset.url.clone(), origins: fresh.origins, plan })?)
    }
}

/// These tracks, as a selection that leaves nothing out.
pub(super) fn selection(tracks: Vec<SelectedTrack>) -> Selection {
    Selection { tracks, available: Vec::new(), skipped: Vec::new() }
}

/// The tracks at these places of a playlist.
pub(super) fn tracks_at(
    multivariant: &Multivariant<'_>,
    sources: &[TrackSource],
) -> Option<Vec<SelectedTrack>> {
    let all = all_tracks(multivariant);
    let found = sources.iter().map(|source| all.iter().find(|it| it.source == *source).cloned());
    found.collect()
}
