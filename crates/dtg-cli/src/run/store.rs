//! Where the store is, and who opens it how.

use std::io;
use std::num::NonZeroU16;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use dtg_core::{ContentManager, ContentReader, Decoders, ErrorKind};
use etcetera::BaseStrategy as _;

use crate::args::Store;

/// The folder: as named, else `DTG_DIR`, else `dtg` in the platform's data folder.
fn folder(store: &Store) -> anyhow::Result<Utf8PathBuf> {
    if let Some(folder) = &store.0 {
        return Ok(folder.clone());
    }
    if let Some(folder) = std::env::var_os("DTG_DIR").filter(|folder| !folder.is_empty()) {
        return utf8(folder.into());
    }
    let base =
        etcetera::choose_base_strategy().context("there is no home folder; name a folder with --dir")?;
    utf8(base.data_dir().join("dtg"))
}

fn utf8(path: std::path::PathBuf) -> anyhow::Result<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(path)
        .map_err(|path| anyhow::anyhow!("the folder `{}` is not UTF-8", path.display()))
}

/// The one who may write.
pub(super) fn manager(
    store: &Store,
    connections: NonZeroU16,
    decoders: Decoders,
) -> anyhow::Result<ContentManager> {
    Ok(ContentManager::builder(folder(store)?).connections(connections).decoders(decoders).open()?)
}

/// One who reads beside a writer; `None` when nothing was ever stored there.
pub(super) fn reader(store: &Store) -> anyhow::Result<Option<ContentReader>> {
    match ContentReader::open(folder(store)?) {
        Ok(reader) => Ok(Some(reader)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// One who reads a store that must be there.
pub(super) fn existing(store: &Store) -> anyhow::Result<ContentReader> {
    Ok(ContentReader::open(folder(store)?)?)
}

fn is_missing(error: &dtg_core::Error) -> bool {
    matches!(error.kind(), ErrorKind::Store(error) if error.kind() == io::ErrorKind::NotFound)
}
