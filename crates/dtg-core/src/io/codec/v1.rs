//! Schema 1, frozen: these structs never change. A new schema gets structs of its own, and a `From` these.

mod asset;
mod code;
mod plan;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CodecError, Stored, payload_of, value_of};
use crate::cause::{Remedy, StoredFailure};
use crate::io::catalog::CatalogRow;
use crate::io::fetch::LONGEST_VALIDATOR;
use crate::io::folder::{ItemRecord, Relocation};
use crate::io::journal::Record;
use crate::item::{self, ItemId};
use crate::options::{BitRate, Languages, SelectionOptions, Variants};
use crate::plan::{FetchId, Origin, OriginSet};
use crate::state::ItemState;
use crate::storage::Keep;
use code::Coded;

fn all<A, B>(values: Vec<A>, thaw: impl FnMut(A) -> Result<B, CodecError>) -> Result<Vec<B>, CodecError> {
    values.into_iter().map(thaw).collect()
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Sidecar {
    role: u8,
    url: String,
    language: Option<String>,
    name: Option<String>,
    mime_type: Option<String>,
}

impl From<&item::Sidecar> for Sidecar {
    fn from(sidecar: &item::Sidecar) -> Self {
        let item::Sidecar { role, url, language, name, mime_type } = sidecar.clone();
        Self { role: role.code(), url, language, name, mime_type }
    }
}

impl Sidecar {
    fn thaw(self) -> Result<item::Sidecar, CodecError> {
        let Self { role, url, language, name, mime_type } = self;
        Ok(item::Sidecar { role: Coded::of(role)?, url, language, name, mime_type })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Track {
    kind: u8,
    language: Option<String>,
    title: Option<String>,
}

impl From<&item::Track> for Track {
    fn from(track: &item::Track) -> Self {
        let item::Track { kind, language, title } = track.clone();
        Self { kind: kind.code(), language, title }
    }
}

impl Track {
    fn thaw(self) -> Result<item::Track, CodecError> {
        let Self { kind, language, title } = self;
        Ok(item::Track { kind: Coded::of(kind)?, language, title })
    }
}

/// 0: none, 1: default, 2: only these, 3: all.
type ChosenLanguages = (u8, Vec<String>);

fn freeze_languages(languages: &Languages) -> ChosenLanguages {
    match languages {
        Languages::None => (0, Vec::new()),
        Languages::Default => (1, Vec::new()),
        Languages::Only(languages) => (2, languages.clone()),
        Languages::All => (3, Vec::new()),
    }
}

fn thaw_languages((code, languages): ChosenLanguages) -> Result<Languages, CodecError> {
    match code {
        0 => Ok(Languages::None),
        1 => Ok(Languages::Default),
        2 => Ok(Languages::Only(languages)),
        3 => Ok(Languages::All),
        _ => Err(CodecError::Value("a choice of languages")),
    }
}

/// 0: one, 1: one for each of these heights, 2: all.
type ChosenVariants = (u8, Vec<u32>);

fn freeze_variants(variants: &Variants) -> ChosenVariants {
    match variants {
        Variants::One => (0, Vec::new()),
        Variants::Heights(heights) => (1, heights.clone()),
        Variants::All => (2, Vec::new()),
    }
}

fn thaw_variants((code, heights): ChosenVariants) -> Result<Variants, CodecError> {
    match code {
        0 => Ok(Variants::One),
        1 => Ok(Variants::Heights(heights)),
        2 => Ok(Variants::All),
        _ => Err(CodecError::Value("a choice of variants")),
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Options {
    variants: ChosenVariants,
    audio: ChosenLanguages,
    text: ChosenLanguages,
    video_codecs: Vec<u8>,
    audio_codecs: Vec<u8>,
    min_width: Option<u32>,
    min_height: Option<u32>,
    min_bit_rates: Vec<(u8, u64)>,
    inefficient_codecs: u8,
}

impl From<&SelectionOptions> for Options {
    fn from(options: &SelectionOptions) -> Self {
        Self {
            variants: freeze_variants(&options.variants),
            audio: freeze_languages(&options.audio),
            text: freeze_languages(&options.text),
            video_codecs: options.video_codecs.iter().map(|codec| codec.code()).collect(),
            audio_codecs: options.audio_codecs.iter().map(|codec| codec.code()).collect(),
            min_width: options.min_width,
            min_height: options.min_height,
            min_bit_rates: options.min_bit_rates.iter().map(|(codec, rate)| (codec.code(), rate.0)).collect(),
            inefficient_codecs: options.inefficient_codecs.code(),
        }
    }
}

impl Options {
    fn thaw(self) -> Result<SelectionOptions, CodecError> {
        Ok(SelectionOptions {
            variants: thaw_variants(self.variants)?,
            audio: thaw_languages(self.audio)?,
            text: thaw_languages(self.text)?,
            video_codecs: all(self.video_codecs, Coded::of)?,
            audio_codecs: all(self.audio_codecs, Coded::of)?,
            min_width: self.min_width,
            min_height: self.min_height,
            min_bit_rates: all(self.min_bit_rates, |(codec, rate)| Ok((Coded::of(codec)?, BitRate(rate))))?,
            inefficient_codecs: Coded::of(self.inefficient_codecs)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Item {
    id: String,
    url: String,
    order: u64,
    sidecars: Vec<Sidecar>,
    options: Option<Options>,
    available_tracks: Vec<Track>,
    selected_tracks: Vec<Track>,
}

impl From<&ItemRecord> for Item {
    fn from(record: &ItemRecord) -> Self {
        Self {
            id: record.id.as_str().to_owned(),
            url: record.url.clone(),
            order: record.order,
            sidecars: record.sidecars.iter().map(Into::into).collect(),
            options: record.options.as_ref().map(Into::into),
            available_tracks: record.available_tracks.iter().map(Into::into).collect(),
            selected_tracks: record.selected_tracks.iter().map(Into::into).collect(),
        }
    }
}

impl Item {
    pub(super) fn thaw(self) -> Result<ItemRecord, CodecError> {
        Ok(ItemRecord {
            id: id_of(self.id)?,
            url: self.url,
            order: self.order,
            sidecars: all(self.sidecars, Sidecar::thaw)?,
            options: self.options.map(Options::thaw).transpose()?,
            available_tracks: all(self.available_tracks, Track::thaw)?,
            selected_tracks: all(self.selected_tracks, Track::thaw)?,
            generation: None,
            requirements: None,
            keep: Keep::default(),
        })
    }
}

fn id_of(id: String) -> Result<ItemId, CodecError> {
    ItemId::new(id).map_err(|_| CodecError::Value("an item's id"))
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(super) code: String,
    message: String,
    status: Option<u16>,
}

/// A sidecar's index and its local file, relative to the media folder.
type SidecarFile = (u32, String);

#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    item: Item,
    folder: String,
    generation: u64,
    state: u8,
    estimated_bytes: Option<u64>,
    expected_bytes: u64,
    downloaded_bytes: u64,
    duration: Option<Duration>,
    fetches: u32,
    fetches_done: u32,
    master: Option<String>,
    sidecar_files: Vec<SidecarFile>,
    pub(super) failure: Option<Failure>,
}

impl From<&CatalogRow> for Row {
    fn from(row: &CatalogRow) -> Self {
        let failure =
            row.failure.clone().map(|it| Failure { code: it.code, message: it.message, status: it.status });
        let sidecar_files = row.sidecar_files.iter().map(|(sidecar, file)| (*sidecar, file.to_string()));
        Self {
            item: Item::from(&row.record()),
            folder: row.folder.clone(),
            generation: row.generation,
            state: row.state.code(),
            estimated_bytes: row.estimated_bytes,
            expected_bytes: row.expected_bytes,
            downloaded_bytes: row.downloaded_bytes,
            duration: row.duration,
            fetches: row.fetches,
            fetches_done: row.fetches_done,
            master: row.master.as_ref().map(ToString::to_string),
            sidecar_files: sidecar_files.collect(),
            failure,
        }
    }
}

impl Row {
    pub(super) fn thaw(self) -> Result<CatalogRow, CodecError> {
        let row = self;
        let record = row.item.thaw()?;
        let failure = row.failure.map(|Failure { code, message, status }| StoredFailure {
            remedy: Remedy::TryAgain,
            code,
            message,
            status,
            stage: None,
            url: None,
            attempts: 0,
        });
        Ok(CatalogRow {
            folder: row.folder,
            generation: row.generation,
            state: Coded::of(row.state)?,
            estimated_bytes: row.estimated_bytes,
            expected_bytes: row.expected_bytes,
            downloaded_bytes: row.downloaded_bytes,
            duration: row.duration,
            fetches: row.fetches,
            fetches_done: row.fetches_done,
            master: row.master.map(Into::into),
            sidecar_files: row
                .sidecar_files
                .into_iter()
                .map(|(sidecar, file)| (sidecar, file.into()))
                .collect(),
            failure,
            ..CatalogRow::of(record)
        })
    }
}

/// Final URLs, the entry's first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Origins(pub(super) Vec<String>);

#[derive(Serialize, Deserialize)]
pub(crate) struct Moved {
    url: String,
    /// URL and text of each playlist, the entry's first.
    origins: Vec<(String, Vec<u8>)>,
    plan: plan::Plan,
}

impl Stored for Relocation {
    const KIND: u16 = 5;
    type Frozen = Moved;

    fn freeze(&self) -> Moved {
        let all = std::iter::once(&self.origins.entry).chain(&self.origins.media);
        let origins = all.map(|origin| (origin.url.clone(), origin.text.clone())).collect();
        Moved { url: self.url.clone(), origins, plan: self.plan.freeze() }
    }

    fn thaw(moved: Moved) -> Result<Self, CodecError> {
        let mut origins = moved.origins.into_iter().map(|(url, text)| Origin { url, text });
        let entry = origins.next().ok_or(CodecError::Value("a list of no playlists"))?;
        let origins = OriginSet { entry, media: origins.collect() };
        Ok(Self { url: moved.url, origins, plan: Stored::thaw(moved.plan)? })
    }
}

/// The fixed number of a state.
pub(crate) fn state_number(state: ItemState) -> u8 {
    state.code()
}

/// Fetch, length, hash.
type Finished = (u32, u64, u128);
/// Resource, length of the remote file, strong validator.
type Version = (u32, Option<u64>, Option<String>);
/// Fetch, length so far, hash so far, strong validator.
type Partial = (u32, u64, u128, String);

/// A journal record's kind and payload.
pub(super) fn freeze_record(record: &Record) -> (u8, Vec<u8>) {
    match record {
        Record::Finished { fetch, length, hash } => {
            let finished: Finished = (fetch.0, *length, *hash);
            (1, payload_of(&finished))
        }
        Record::Resource { resource, total, validator } => {
            let validator = validator.clone().filter(|validator| validator.len() <= LONGEST_VALIDATOR);
            let version: Version = (*resource, *total, validator);
            (2, payload_of(&version))
        }
        Record::Restarted { resource } => (3, payload_of(resource)),
        Record::Void { fetch } => (4, payload_of(&fetch.0)),
        Record::Mark { position } => (5, payload_of(position)),
        Record::Partial { fetch, length, hash, validator } => {
            let partial: Partial = (fetch.0, *length, *hash, validator.clone());
            (6, payload_of(&partial))
        }
    }
}

/// The record of a kind and payload; `None` for a kind that schema 1 does not have.
pub(super) fn thaw_record(kind: u8, payload: &[u8]) -> Result<Option<Record>, CodecError> {
    Ok(Some(match kind {
        1 => {
            let (fetch, length, hash): Finished = value_of(payload)?;
            Record::Finished { fetch: FetchId(fetch), length, hash }
        }
        2 => {
            let (resource, total, validator): Version = value_of(payload)?;
            Record::Resource { resource, total, validator }
        }
        3 => Record::Restarted { resource: value_of(payload)? },
        4 => Record::Void { fetch: FetchId(value_of(payload)?) },
        5 => Record::Mark { position: value_of(payload)? },
        6 => {
            let (fetch, length, hash, validator): Partial = value_of(payload)?;
            Record::Partial { fetch: FetchId(fetch), length, hash, validator }
        }
        _ => return Ok(None),
    }))
}
