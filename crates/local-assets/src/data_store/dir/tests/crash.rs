//! A disk in memory that fails, or whose power goes, at any step; and what may survive then.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;

/// What of the unsynced is there after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Survival {
    /// Nothing.
    Synced,
    /// All names, and no bytes that were not synced.
    NamesOnly,
    /// All names, and half the bytes.
    Torn,
    /// Everything.
    All,
}

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// This step fails, and the next ones work.
    Fails,
    /// The power goes before this step is done.
    PowerCut,
    /// The power goes after it is done.
    PowerCutAfter,
}

#[derive(Debug, Default)]
struct Inside {
    /// Names as they are and as they are on the platter; what they name.
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// Bytes, and how many of them are on the platter.
    files: Vec<(Vec<u8>, usize)>,
    steps: usize,
    fault: Option<(usize, Fault)>,
    is_off: bool,
}

#[derive(Debug, Clone, Default)]
struct FaultyDisk(Arc<Mutex<Inside>>);

impl FaultyDisk {
    fn step<T>(&self, act: impl FnOnce(&mut Inside) -> T) -> Result<T, StoreError> {
        let off = || StoreError::Failed { name: "disk".to_owned(), why: "input/output error".to_owned() };
        let mut disk = self.0.lock().unwrap();
        if disk.is_off {
            return Err(off());
        }
        let step = disk.steps;
        disk.steps += 1;
        match disk.fault.filter(|(at, _)| *at == step) {
            None => Ok(act(&mut disk)),
            Some((_, Fault::Fails)) => Err(off()),
            Some((_, Fault::PowerCut)) => {
                disk.is_off = true;
                Err(off())
            }
            Some((_, Fault::PowerCutAfter)) => {
                act(&mut disk);
                disk.is_off = true;
                Err(off())
            }
        }
    }

    /// The disk as it is after a restart of the machine.
    fn restarted(&self, survival: Survival) -> Self {
        let disk = self.0.lock().unwrap();
        let cut = |(bytes, synced): &(Vec<u8>, usize)| {
            let kept = match survival {
                Survival::Synced | Survival::NamesOnly => *synced,
                Survival::Torn => bytes.len().midpoint(*synced),
                Survival::All => bytes.len(),
            };
            (bytes[..kept].to_vec(), kept)
        };
        let names = if survival == Survival::Synced { &disk.durable } else { &disk.live };
        let files = disk.files.iter().map(cut).collect();
        let inside = Inside { live: names.clone(), durable: names.clone(), files, ..Inside::default() };
        Self(Arc::new(Mutex::new(inside)))
    }

    fn fault_at(&self, step: usize, fault: Fault) {
        let mut disk = self.0.lock().unwrap();
        disk.fault = Some((disk.steps + step, fault));
    }

    fn has_met_fault(&self) -> bool {
        let disk = self.0.lock().unwrap();
        disk.fault.is_some_and(|(at, _)| disk.steps > at)
    }
}

impl Disk for FaultyDisk {
    fn read(&self, name: &str, _: u64) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.step(|disk| disk.live.get(name).map(|file| Zeroizing::new(disk.files[*file].0.clone())))
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.step(|disk| {
            assert!(!disk.live.contains_key(name), "the file is new");
            disk.live.insert(name.to_owned(), disk.files.len());
            disk.files.push((bytes.to_vec(), 0));
        })
    }

    fn sync(&self, name: &str) -> Result<(), StoreError> {
        self.step(|disk| {
            let file = disk.live[name];
            disk.files[file].1 = disk.files[file].0.len();
        })
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.step(|disk| {
            let file = disk.live.remove(from).unwrap();
            disk.live.insert(to.to_owned(), file);
        })
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.step(|disk| {
            disk.live.remove(name);
        })
    }

    fn sync_names(&self) -> Result<(), StoreError> {
        self.step(|disk| disk.durable = disk.live.clone())
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        self.step(|disk| disk.live.keys().cloned().collect())
    }
}

fn open(disk: &FaultyDisk) -> FolderStore {
    FolderStore::over(Box::new(disk.clone())).unwrap()
}

fn read(store: &FolderStore) -> Option<String> {
    store.get(&key("a")).unwrap().map(|stored| String::from_utf8(stored.record.expose().to_vec()).unwrap())
}

const SURVIVALS: [Survival; 4] = [Survival::Synced, Survival::NamesOnly, Survival::Torn, Survival::All];

/// Does something to a store that holds `old` with a fault at each of its steps, and looks at what is there afterwards.
fn at_each_step(
    fault: Fault,
    act: impl Fn(&FolderStore, Generation) -> bool,
    check: impl Fn(bool, Option<String>),
) {
    for step in 0.. {
        for survival in SURVIVALS {
            let disk = FaultyDisk::default();
            let store = open(&disk);
            let first = store.put(&key("a"), &bytes("old"), Generation::ABSENT).unwrap();
            disk.fault_at(step, fault);
            let worked = act(&store, first);
            if !disk.has_met_fault() {
                assert!(worked && step > 2, "{step} steps");
                return;
            }
            if fault == Fault::Fails {
                disk.0.lock().unwrap().fault = None;
                check(worked, read(&store));
            }
            let restarted = open(&disk.restarted(survival));
            check(worked, read(&restarted));
            let names = restarted.disk.list().unwrap();
            assert!(names.iter().all(|name| !name.starts_with(DAMAGED)), "{step}, {survival:?}: {names:?}");
            let generation =
                restarted.get(&key("a")).unwrap().map_or(Generation::ABSENT, |stored| stored.generation);
            restarted.put(&key("a"), &bytes("next"), generation).unwrap();
        }
    }
}

#[test]
fn a_put_that_is_cut_off_at_any_step_leaves_the_old_record_or_the_new_one() {
    for fault in [Fault::Fails, Fault::PowerCut, Fault::PowerCutAfter] {
        let put = |store: &FolderStore, first| store.put(&key("a"), &bytes("new"), first).is_ok();
        at_each_step(fault, put, |worked, found| match found.as_deref() {
            Some("new") => {}
            Some("old") => assert!(!worked, "what was reported durable is there"),
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn a_removal_that_is_cut_off_at_any_step_leaves_the_record_or_nothing() {
    for fault in [Fault::Fails, Fault::PowerCut, Fault::PowerCutAfter] {
        for step in 0..2 {
            let disk = FaultyDisk::default();
            let store = open(&disk);
            let first = store.put(&key("a"), &bytes("old"), Generation::ABSENT).unwrap();
            disk.fault_at(step, fault);
            assert!(store.remove(&key("a"), first).is_err());
            for survival in SURVIVALS {
                let found = read(&open(&disk.restarted(survival)));
                assert!(found.is_none() || found.as_deref() == Some("old"));
            }
        }
    }
}

#[test]
fn a_removal_that_is_said_again_is_durable_however_the_first_one_failed() {
    for step in 0..2 {
        let disk = FaultyDisk::default();
        let store = open(&disk);
        let first = store.put(&key("a"), &bytes("old"), Generation::ABSENT).unwrap();
        disk.fault_at(step, Fault::Fails);
        assert!(store.remove(&key("a"), first).is_err());
        store.remove(&key("a"), first).unwrap();
        for survival in SURVIVALS {
            assert_eq!(read(&open(&disk.restarted(survival))), None, "step {step}, {survival:?}");
        }
    }
}

#[test]
fn a_record_that_was_put_survives_any_power_cut() {
    for survival in SURVIVALS {
        let disk = FaultyDisk::default();
        let store = open(&disk);
        let first = store.put(&key("a"), &bytes("one"), Generation::ABSENT).unwrap();
        store.put(&key("a"), &bytes("two"), first).unwrap();
        assert_eq!(read(&open(&disk.restarted(survival))).as_deref(), Some("two"), "{survival:?}");
    }
}

#[test]
fn a_disk_in_memory_is_a_key_store_too() {
    testing::key_store_conforms(|| open(&FaultyDisk::default()));
}
