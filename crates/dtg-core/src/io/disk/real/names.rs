//! What a name stands for, and names that take nobody's place.

use std::fs;
use std::io;

use camino::Utf8Path;

use super::absent_is;

/// Whether this path names that file.
#[cfg(unix)]
pub(super) fn is_at(file: &fs::Metadata, path: &Utf8Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (file.dev(), file.ino())),
        Err(error) => absent_is(false, error),
    }
}

/// Windows neither renames nor deletes what is open: what has its name is that file.
#[cfg(not(unix))]
pub(super) fn is_at(_file: &fs::Metadata, _path: &Utf8Path) -> io::Result<bool> {
    Ok(true)
}

/// In one step where the volume knows such a one.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(super) fn rename_new(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from.as_str(), CWD, to.as_str(), RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => look_and_rename(from, to),
        renamed => Ok(renamed?),
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn rename_new(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    look_and_rename(from, to)
}

fn look_and_rename(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) => absent_is((), error).and_then(|()| fs::rename(from, to)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use camino_tempfile::Utf8TempDir;

    use super::*;
    use crate::io::disk::RealDisk;

    #[test]
    fn a_lock_counts_only_where_its_name_still_is() {
        let root = Utf8TempDir::new().unwrap();
        let (folder, path) = (root.path().join("a"), root.path().join("a/lock"));
        let open = || {
            fs::create_dir_all(&folder).unwrap();
            RealDisk::new().create(&path).unwrap()
        };
        let file = open();
        assert!(is_at(&file.metadata().unwrap(), &path).unwrap());
        fs::rename(&folder, root.path().join("b")).unwrap();
        assert!(!is_at(&file.metadata().unwrap(), &path).unwrap(), "its folder was renamed");
        let other = open();
        assert!(!is_at(&file.metadata().unwrap(), &path).unwrap(), "another one has its name");
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&other.metadata().unwrap(), &path).unwrap(), "it was deleted");
    }

    #[test]
    fn a_new_name_takes_nobodys_place() {
        let root = Utf8TempDir::new().unwrap();
        let [from, file, folder, link, free] =
            ["from", "file", "folder", "link", "free"].map(|name| root.path().join(name));
        fs::create_dir(&from).unwrap();
        fs::write(&file, "mine").unwrap();
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        for rename in [rename_new, look_and_rename] {
            for taken in [&file, &folder, &link] {
                assert_eq!(rename(&from, taken).unwrap_err().kind(), io::ErrorKind::AlreadyExists, "{taken}");
            }
            rename(&from, &free).unwrap();
            rename(&free, &from).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }
}
