//! What a power cut leaves, and what it takes.

use super::*;

const ROOT: &str = "/store";

fn disk() -> (MemoryDisk, &'static Utf8Path) {
    let (disk, root) = (MemoryDisk::default(), Utf8Path::new(ROOT));
    disk.create_dir_all(root).unwrap();
    disk.sync(root).unwrap();
    (disk, root)
}

/// `"a=1 b=22"`: the files below the root and what is in them.
fn files(disk: &MemoryDisk) -> String {
    let files = disk.files_below(Utf8Path::new(ROOT)).into_iter();
    let shown = files.map(|(path, bytes)| format!("{path}={}", String::from_utf8_lossy(&bytes)));
    shown.collect::<Vec<_>>().join(" ")
}

fn any_outcome(disk: &MemoryDisk) -> std::collections::BTreeSet<String> {
    (0..500).map(|seed| files(&disk.after_power_cut(Survival::Some(seed)))).collect()
}

#[test]
fn what_is_synced_stays_and_what_is_not_may_go() {
    let (disk, root) = disk();
    disk.write(&root.join("a"), b"1").unwrap();
    disk.sync(root).unwrap();
    disk.write(&root.join("b"), b"2").unwrap();
    assert_eq!(files(&disk.after_power_cut(Survival::Nothing)), "a=1");
    assert_eq!(files(&disk.after_power_cut(Survival::Everything)), "a=1 b=2");
    let outcomes = any_outcome(&disk);
    for outcome in ["a=1", "a=1 b=", "a=1 b=2", "a=1 b=\0"] {
        assert!(outcomes.contains(outcome), "{outcome:?} in {outcomes:?}");
    }
}

#[test]
fn a_synced_file_without_a_synced_name_is_gone() {
    let (disk, root) = disk();
    let file = disk.open(&root.join("a")).unwrap();
    file.write_at(b"1", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(files(&disk.after_power_cut(Survival::Nothing)), "");
    disk.sync_dir(root).unwrap();
    assert_eq!(files(&disk.after_power_cut(Survival::Nothing)), "a=1");
}

#[test]
fn later_writes_may_survive_earlier_ones() {
    let (disk, root) = disk();
    let file = disk.open(&root.join("a")).unwrap();
    disk.sync(root).unwrap();
    file.write_at(b"1", 0).unwrap();
    file.write_at(b"2", 1).unwrap();
    let outcomes = any_outcome(&disk);
    assert!(outcomes.contains("a=\x002") && outcomes.contains("a=1"), "{outcomes:?}");
}

#[test]
fn one_file_may_keep_all_that_came_while_another_has_zeros_for_it_or_nothing() {
    let (disk, root) = disk();
    for name in ["a", "b"] {
        let file = disk.open(&root.join(name)).unwrap();
        (0..4).for_each(|at| file.write_at(b"1", at).unwrap());
    }
    let outcomes = any_outcome(&disk);
    for outcome in ["a=1111 b=\0\0\0\0", "a=\0\0\0\0 b=1111", "a=1111 b=", "a= b=1111"] {
        assert!(outcomes.contains(outcome), "{outcome:?} in {outcomes:?}");
    }
}

#[test]
fn the_power_goes_during_an_operation_and_does_not_come_back() {
    let (disk, root) = disk();
    disk.cut_power_at(disk.operations() + 3);
    let file = disk.open(&root.join("a")).unwrap();
    file.write_at(b"1", 0).unwrap();
    assert!(file.write_at(b"2", 1).is_err(), "it goes now");
    assert!(disk.read(&root.join("a"), 9).is_err());
    assert!(disk.sync(root).is_err());
    assert_eq!(files(&disk.after_power_cut(Survival::Everything)), "a=12");
    let again = disk.after_power_cut(Survival::Everything);
    again.write(&root.join("a"), b"3").unwrap();
    assert_eq!(files(&again), "a=3");
}

#[test]
fn a_sync_that_was_under_way_promises_nothing() {
    let (disk, root) = disk();
    disk.write(&root.join("a"), b"1").unwrap();
    disk.cut_power_at(disk.operations() + 1);
    assert!(disk.sync(root).is_err());
    assert_eq!(files(&disk.after_power_cut(Survival::Nothing)), "");
}

#[test]
fn a_file_that_is_replaced_is_the_old_or_the_new_one_at_every_cut() {
    let (before, root) = disk();
    before.write_atomic(&root.join("a"), b"old").unwrap();
    let (start, last) = {
        let start = before.operations();
        let whole = before.after_power_cut(Survival::Nothing);
        let from = whole.operations();
        whole.write_atomic(&root.join("a"), b"new").unwrap();
        assert_eq!(files(&whole.after_power_cut(Survival::Nothing)), "a=new");
        (start, whole.operations() - from)
    };
    assert_eq!(start, before.operations());
    for cut in 1..=last {
        let disk = before.after_power_cut(Survival::Nothing);
        disk.cut_power_at(disk.operations() + cut);
        assert!(disk.write_atomic(&root.join("a"), b"new").is_err());
        for seed in 0..50 {
            let after = disk.after_power_cut(Survival::Some(seed));
            let bytes = after.read(&root.join("a"), 9).unwrap();
            assert!(bytes == b"old" || bytes == b"new", "cut {cut}, seed {seed}: {bytes:?}");
        }
    }
}

#[test]
fn a_file_with_two_names_is_one_file() {
    let (disk, root) = disk();
    let (a, b) = (root.join("a"), root.join("b"));
    disk.write(&a, b"1").unwrap();
    disk.link(&a, &b).unwrap();
    let free = disk.free_space(root).unwrap();
    disk.open(&b).unwrap().write_at(b"2", 0).unwrap();
    assert_eq!((files(&disk).as_str(), disk.shared_writes()), ("a=2 b=2", 1));
    disk.sync(root).unwrap();
    let left = disk.after_power_cut(Survival::Nothing);
    assert_eq!(left.free_space(root).unwrap(), free, "its bytes are there once");
    left.remove_file(&a).unwrap();
    left.open(&b).unwrap().write_at(b"3", 0).unwrap();
    assert_eq!((files(&left).as_str(), left.shared_writes()), ("b=3", 0));
}
