//! What in an asset's folder was not made by a task: it is neither deleted nor replaced.

use camino::{Utf8Path, Utf8PathBuf};

use crate::io::disk::{Disk, Entry, StoreError};
use crate::layout::{ItemPaths, is_media_name};

/// The files that may lie in an asset's folder beside `origin`, `media` and `replaced`.
const FILES: [&str; 8] = ["asset", "finished", "item", "journal", "lock", "moved", "plan", "playlists"];

/// The first thing in an asset's folder that no task made, if there is one.
pub(super) fn stranger(disk: &dyn Disk, asset: &ItemPaths) -> Result<Option<Utf8PathBuf>, StoreError> {
    let folder = asset.folder();
    let is_ours = |name: &str| match name.strip_suffix('/') {
        Some("origin" | "media" | "replaced") => true,
        Some(_) => false,
        None => FILES.contains(&name.strip_suffix(".new").unwrap_or(name)),
    };
    if let Some(found) = among(disk, folder, "", &is_ours)? {
        return Ok(Some(found));
    }
    let is_origin = |name: &str| name == "index" || name.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(found) = among(disk, &asset.origin_folder(), "", &is_origin)? {
        return Ok(Some(found));
    }
    below(disk, &asset.media(), "")
}

/// The same of the media folder, or of one below it, which is named with a `/` at its end.
fn below(disk: &dyn Disk, media: &Utf8Path, folder: &str) -> Result<Option<Utf8PathBuf>, StoreError> {
    let path = media.join(folder);
    if let Some(found) = among(disk, &path, folder, &is_media_name)? {
        return Ok(Some(found));
    }
    for name in disk.list(&path).map_err(StoreError::at(&path))? {
        let is_folder = entry(disk, &path.join(&name))? == Some(Entry::Folder);
        if is_folder && let Some(found) = below(disk, media, &format!("{folder}{name}/"))? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What in this folder has a name that is not ours. Folders are asked for with a `/` at their end.
fn among(
    disk: &dyn Disk,
    folder: &Utf8Path,
    prefix: &str,
    is_ours: &dyn Fn(&str) -> bool,
) -> Result<Option<Utf8PathBuf>, StoreError> {
    for name in disk.list(folder).map_err(StoreError::at(folder))? {
        let path = folder.join(&name);
        let is_right = match entry(disk, &path)? {
            Some(Entry::File(_)) => is_ours(&format!("{prefix}{name}")),
            Some(Entry::Folder) => is_ours(&format!("{prefix}{name}/")),
            Some(Entry::Other) => false,
            // Gone meanwhile.
            None => true,
        };
        if !is_right {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn entry(disk: &dyn Disk, path: &Utf8Path) -> Result<Option<Entry>, StoreError> {
    disk.entry(path).map_err(StoreError::at(path))
}
