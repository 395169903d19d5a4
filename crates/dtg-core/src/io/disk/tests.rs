//! What every disk does alike, run by the real one and by the one in memory.

use std::fs;

use camino_tempfile::Utf8TempDir;

use super::super::memory::MemoryDisk;
use super::*;

fn every_disk(check: impl Fn(&dyn Disk, &Utf8Path)) {
    let folder = Utf8TempDir::new().unwrap();
    check(&RealDisk::new(), &folder.path().join("root"));
    check(&MemoryDisk::default(), Utf8Path::new("/store"));
}

fn kind<T: fmt::Debug>(result: io::Result<T>) -> io::ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_whole_file_is_replaced_or_made() {
    every_disk(|disk, root| {
        disk.create_dir_all(root).unwrap();
        let path = root.join("item");
        for bytes in [b"first, and longer".as_slice(), b"second", b""] {
            disk.write_atomic(&path, bytes).unwrap();
            assert_eq!(disk.read(&path, 100).unwrap(), bytes);
        }
        disk.write(&path, b"third").unwrap();
        assert_eq!(disk.read(&path, 5).unwrap(), b"third");
        assert_eq!(kind(disk.read(&path, 4)), io::ErrorKind::FileTooLarge);
        assert_eq!(disk.list(root).unwrap(), ["item"], "nothing is left beside it");
    });
}

#[test]
fn an_open_file_is_made_but_never_cut() {
    every_disk(|disk, root| {
        disk.create_dir_all(root).unwrap();
        let path = root.join("a.ts");
        disk.open(&path).unwrap().write_at(b"cd", 2).unwrap();
        let file = disk.open(&path).unwrap();
        file.write_at(b"b", 1).unwrap();
        assert_eq!(disk.read(&path, 100).unwrap(), b"\0bcd");
        let mut buffer = [9; 3];
        assert_eq!(file.read_at(&mut buffer, 2).unwrap(), 2);
        assert_eq!(buffer, [b'c', b'd', 9]);
        assert_eq!(file.read_at(&mut buffer, 50).unwrap(), 0);
        file.set_len(1).unwrap();
        file.sync().unwrap();
        assert_eq!((file.len().unwrap(), disk.len(&path).unwrap()), (1, Some(1)));
        disk.sync(root).unwrap();
    });
}

#[test]
fn what_is_not_there_is_no_file_and_can_be_removed() {
    every_disk(|disk, root| {
        let nothing = root.join("nothing");
        assert_eq!(disk.len(&nothing).unwrap(), None);
        assert_eq!(kind(disk.read(&nothing, 1)), io::ErrorKind::NotFound);
        assert_eq!(kind(disk.open(&nothing)), io::ErrorKind::NotFound, "its folder is missing");
        assert_eq!(kind(disk.ensure_dir(&nothing)), io::ErrorKind::NotFound);
        assert_eq!(disk.list(&nothing).unwrap(), [""; 0]);
        disk.remove_file(&nothing).unwrap();
        disk.remove_dir_all(&nothing).unwrap();
    });
}

#[test]
fn folders_are_made_listed_renamed_and_removed() {
    every_disk(|disk, root| {
        disk.create_dir_all(&root.join("b/c")).unwrap();
        disk.ensure_dir(&root.join("a")).unwrap();
        disk.ensure_dir(&root.join("a")).unwrap();
        disk.write(&root.join("b/c/file"), b"x").unwrap();
        assert_eq!(kind(disk.ensure_dir(&root.join("b/c/file"))), io::ErrorKind::NotADirectory);
        assert_eq!(disk.list(root).unwrap(), ["a", "b"]);
        disk.rename(&root.join("b"), &root.join("d")).unwrap();
        assert_eq!(disk.read(&root.join("d/c/file"), 1).unwrap(), b"x");
        assert_eq!(kind(disk.rename(&root.join("b"), &root.join("e"))), io::ErrorKind::NotFound);
        disk.sync_dir(root).unwrap();
        disk.remove_dir_all(&root.join("d")).unwrap();
        assert_eq!(disk.list(root).unwrap(), ["a"]);
        assert!(disk.free_space(root).unwrap() > 0);
    });
}

#[test]
fn a_full_disk_refuses_to_grow_until_space_is_freed() {
    let disk = MemoryDisk::with_capacity(10);
    let root = Utf8Path::new("/store");
    disk.create_dir_all(root).unwrap();
    disk.write(&root.join("a"), b"12345678").unwrap();
    let file = disk.open(&root.join("b")).unwrap();
    assert_eq!(kind(file.write_at(b"123", 0)), io::ErrorKind::StorageFull);
    assert_eq!(disk.free_space(root).unwrap(), 2);
    disk.remove_file(&root.join("a")).unwrap();
    file.write_at(b"123", 0).unwrap();
    disk.set_capacity(3);
    assert_eq!(kind(disk.write_atomic(&root.join("c"), b"1")), io::ErrorKind::StorageFull);
    assert_eq!(disk.len(&root.join("c")).unwrap(), None);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn files_and_folders_are_for_their_owner_only() {
        let folder = Utf8TempDir::new().unwrap();
        let (disk, root) = (RealDisk::new(), folder.path().join("root"));
        disk.create_dir_all(&root.join("deep")).unwrap();
        disk.ensure_dir(&root.join("flat")).unwrap();
        disk.write_atomic(&root.join("a"), b"1").unwrap();
        disk.write(&root.join("b"), b"1").unwrap();
        disk.open(&root.join("c")).unwrap();
        let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(["", "deep", "flat"].map(mode), [0o700; 3]);
        assert_eq!(["a", "b", "c"].map(mode), [0o600; 3]);
    }

    #[test]
    fn links_are_never_followed() {
        let folder = Utf8TempDir::new().unwrap();
        let (disk, root) = (RealDisk::new(), folder.path());
        fs::write(root.join("secret"), "secret").unwrap();
        fs::create_dir(root.join("elsewhere")).unwrap();
        for name in ["link", "item", "item.new"] {
            symlink(root.join("secret"), root.join(name)).unwrap();
        }
        symlink(root.join("elsewhere"), root.join("folder")).unwrap();

        let link = root.join("link");
        assert!(disk.read(&link, 100).is_err());
        assert!(disk.open(&link).is_err());
        assert!(disk.write(&link, b"x").is_err());
        assert_eq!(disk.len(&link).unwrap(), None);
        assert_eq!(kind(disk.ensure_dir(&root.join("folder"))), io::ErrorKind::NotADirectory);
        disk.write_atomic(&root.join("item"), b"new").unwrap();

        assert_eq!(disk.read(&root.join("item"), 100).unwrap(), b"new");
        assert_eq!(fs::read(root.join("secret")).unwrap(), b"secret");
    }
}
