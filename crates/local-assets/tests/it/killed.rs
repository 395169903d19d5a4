//! The folder of keys under a process that is killed while it writes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use camino_tempfile::Utf8TempDir;
use fairplay_keys::{Cancel, Generation, KeyStore, KeyUri, SecretBytes, Slot};
use local_assets::FolderStore;

/// Tells the child, which is this program again, that it is one, and where to write.
const FOLDER: &str = "DTG_KEYS_OF_A_KILLED_PROCESS";
/// A few here; a release is worth more (`DTG_KILLS=500`).
const KILLS: usize = 6;

fn slot() -> Slot {
    Slot::Key(KeyUri::new("skd://a").unwrap())
}

/// The number that the record holds, many times over.
fn number(store: &FolderStore) -> (u64, Generation) {
    let Some(stored) = store.get(&slot()).unwrap() else { return (0, Generation::ABSENT) };
    let text = std::str::from_utf8(stored.record.expose()).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert!(numbers.len() == 500 && numbers.iter().all(|number| *number == numbers[0]), "it is whole");
    (numbers[0], stored.generation)
}

/// Only in a child: writes one record after the other, and says of each when it is durable.
#[test]
fn a_child_of_the_test_below() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = FolderStore::open(Utf8Path::new(&folder)).unwrap();
    let (mut last, mut generation) = number(&store);
    loop {
        last += 1;
        let record = SecretBytes::new(format!("{last} ").repeat(500));
        generation = store.put(&slot(), &record, generation).unwrap();
        writeln!(std::io::stderr(), "{last}").unwrap();
    }
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_the_last_durable_record_or_the_next() {
    let root = Utf8TempDir::new().unwrap();
    let folder: Utf8PathBuf = root.path().join("keys");
    let kills = std::env::var("DTG_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::a_child_of_the_test_below", "--nocapture", "--test-threads=1"])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut last = 0;
        for _ in 0..=kill % 7 {
            last = said.next().unwrap().parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A line that was cut off is of a record that may be there.
        last = said.filter_map(|line| line.parse().ok()).fold(last, u64::max);

        let patience = std::time::Duration::from_secs(60);
        let store = FolderStore::open_waiting(&folder, patience, &Cancel::new()).unwrap();
        let (found, _) = number(&store);
        assert!(found == last || found == last + 1, "kill {kill}: {found}, and {last} was durable");
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        assert_eq!(names.len(), 2, "the lock and the key: {names:?}");
    }
}
