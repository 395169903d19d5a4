//! Schema 1, frozen: these structs never change. A new schema gets structs of its own, and a `From` these.

mod code;
mod plan;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CodecError, Stored, payload_of, value_of};
use crate::io::catalog::CatalogRow;
use crate::io::folder::{ItemRecord, OriginIndex};
use crate::io::journal::Record;
use crate::item::{self, ItemId};
use crate::options::{BitRate, Languages, SelectionOptions};
use crate::plan::FetchId;
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

#[derive(Serialize, Deserialize)]
pub(crate) struct Options {
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

impl Stored for ItemRecord {
    const KIND: u16 = 1;
    type V1 = Item;

    fn freeze(&self) -> Item {
        Item {
            id: self.id.as_str().to_owned(),
            url: self.url.clone(),
            order: self.order,
            sidecars: self.sidecars.iter().map(Into::into).collect(),
            options: self.options.as_ref().map(Into::into),
            available_tracks: self.available_tracks.iter().map(Into::into).collect(),
            selected_tracks: self.selected_tracks.iter().map(Into::into).collect(),
        }
    }

    fn thaw(item: Item) -> Result<Self, CodecError> {
        Ok(Self {
            id: id_of(item.id)?,
            url: item.url,
            order: item.order,
            sidecars: all(item.sidecars, Sidecar::thaw)?,
            options: item.options.map(Options::thaw).transpose()?,
            available_tracks: all(item.available_tracks, Track::thaw)?,
            selected_tracks: all(item.selected_tracks, Track::thaw)?,
        })
    }
}

fn id_of(id: String) -> Result<ItemId, CodecError> {
    ItemId::new(id).map_err(|_| CodecError::Value("an item's id"))
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Failure {
    code: String,
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
    failure: Option<Failure>,
}

impl Stored for CatalogRow {
    const KIND: u16 = 2;
    type V1 = Row;

    fn freeze(&self) -> Row {
        let failure =
            self.failure.clone().map(|it| Failure { code: it.code, message: it.message, status: it.status });
        let sidecar_files = self.sidecar_files.iter().map(|(sidecar, file)| (*sidecar, file.to_string()));
        Row {
            item: self.record().freeze(),
            folder: self.folder.clone(),
            generation: self.generation,
            state: self.state.code(),
            estimated_bytes: self.estimated_bytes,
            expected_bytes: self.expected_bytes,
            downloaded_bytes: self.downloaded_bytes,
            duration: self.duration,
            fetches: self.fetches,
            fetches_done: self.fetches_done,
            master: self.master.as_ref().map(ToString::to_string),
            sidecar_files: sidecar_files.collect(),
            failure,
        }
    }

    fn thaw(row: Row) -> Result<Self, CodecError> {
        let record = ItemRecord::thaw(row.item)?;
        let failure = row.failure.map(|Failure { code, message, status }| item::StoredFailure {
            code,
            message,
            status,
        });
        Ok(Self {
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
            ..Self::of(record)
        })
    }
}

/// Final URLs, the entry's first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Origins(Vec<String>);

impl Stored for OriginIndex {
    const KIND: u16 = 3;
    type V1 = Origins;

    fn freeze(&self) -> Origins {
        Origins(self.0.clone())
    }

    fn thaw(origins: Origins) -> Result<Self, CodecError> {
        Ok(Self(origins.0))
    }
}

/// The longest validator that is kept; without one a file that stops half way comes again.
const LONGEST_VALIDATOR: usize = 1024;

/// Fetch, length, hash.
type Finished = (u32, u64, u128);
/// Resource, length of the remote file, strong validator.
type Version = (u32, Option<u64>, Option<String>);

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
        _ => return Ok(None),
    }))
}
