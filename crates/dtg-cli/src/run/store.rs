//! Where the store is, and who opens it how.

use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use dtg_core::{
    ContentManager, ContentReader, Decoders, ErrorKind, HttpSettings, RequestAdapter, RootCertificates,
};
use etcetera::BaseStrategy as _;

use crate::args::{Store, Transfer};

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

/// The one who may write; `adapter` completes its requests.
pub(super) fn manager(
    store: &Store,
    transfer: &Transfer,
    decoders: Decoders,
    adapter: Option<Arc<dyn RequestAdapter>>,
) -> anyhow::Result<ContentManager> {
    let http = HttpSettings {
        proxy: transfer.proxy.clone(),
        roots: roots(&transfer.certificates)?,
        private_addresses: transfer.private,
        adapters: adapter.into_iter().collect(),
        ..HttpSettings::default()
    };
    let builder =
        ContentManager::builder(folder(store)?).connections(transfer.connections).decoders(decoders);
    let builder = match transfer.per_host {
        Some(per_host) => builder.connections_per_host(per_host),
        None => builder,
    };
    Ok(builder.http(http).open()?)
}

fn roots(files: &[Utf8PathBuf]) -> anyhow::Result<RootCertificates> {
    if files.is_empty() {
        return Ok(RootCertificates::Platform);
    }
    let read = |file: &Utf8PathBuf| {
        std::fs::read(file).with_context(|| format!("the certificates in `{file}` can't be read"))
    };
    Ok(RootCertificates::Given(files.iter().map(read).collect::<anyhow::Result<_>>()?))
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
