//! For tests (feature `testing`): the conformance suite of key stores, and a clock that is set by hand.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::asset::AssetId;
use crate::key_uri::KeyUri;
use crate::secret::SecretBytes;
use crate::store::{Generation, KeyStore, Slot, StoreError};
use crate::time::{Cancel, Clock, Timestamp};

/// A clock that goes only when it is told to, or waited for.
#[derive(Debug)]
pub struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    /// A clock that shows this.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(Mutex::new((now, Duration::ZERO)))
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clock.0 = clock.0.plus(time);
        clock.1 = clock.1.saturating_add(time);
    }

    /// Sets the wall clock, as people do; no time passes.
    pub fn set(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn wait(&self, time: Duration, cancel: &Cancel) {
        if !cancel.is_cancelled() {
            self.advance(time);
        }
    }
}

/// Holds a key store to what [`KeyStore`] promises; `make` gives an empty one each time.
///
/// # Panics
/// When it doesn't keep a promise.
pub fn key_store_conforms<S: KeyStore>(make: impl Fn() -> S) {
    keeps_what_was_put(&make());
    replaces_only_the_expected_generation(&make());
    never_gives_a_generation_twice(&make());
    removes_only_the_expected_generation(&make());
    keeps_names_apart(&make());
    takes_any_bytes(&make());
    lets_one_of_many_writers_win(&make());
}

fn key(name: &str) -> Slot {
    Slot::Key(KeyUri::new(format!("skd://{name}")).expect("the scheme is skd"))
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::new(text)
}

fn put(store: &impl KeyStore, slot: &Slot, text: &str, expected: Generation) -> Generation {
    store.put(slot, &bytes(text), expected).expect("the generation is the expected one")
}

fn read(store: &impl KeyStore, slot: &Slot) -> Option<(Vec<u8>, Generation)> {
    let stored = store.get(slot).expect("a record can be read");
    stored.map(|stored| (stored.record.expose().to_vec(), stored.generation))
}

fn keeps_what_was_put(store: &impl KeyStore) {
    assert_eq!(read(store, &key("a")), None, "an empty store has nothing");
    let first = put(store, &key("a"), "one", Generation::ABSENT);
    assert_eq!(read(store, &key("a")), Some((b"one".to_vec(), first)));
    let second = put(store, &key("a"), "two", first);
    assert_eq!(read(store, &key("a")), Some((b"two".to_vec(), second)));
    assert_eq!(store.list().expect("it can be listed"), [key("a")]);
}

fn replaces_only_the_expected_generation(store: &impl KeyStore) {
    let first = put(store, &key("a"), "one", Generation::ABSENT);
    let second = put(store, &key("a"), "two", first);
    for expected in [Generation::ABSENT, first, Generation(u64::MAX)] {
        let conflict = Err(StoreError::Conflict { current: second });
        assert_eq!(store.put(&key("a"), &bytes("three"), expected), conflict, "{expected:?} is not there");
    }
    let conflict = Err(StoreError::Conflict { current: Generation::ABSENT });
    assert_eq!(store.put(&key("b"), &bytes("x"), first), conflict, "nothing is there");
    assert_eq!(read(store, &key("a")), Some((b"two".to_vec(), second)), "a conflict changes nothing");
}

fn never_gives_a_generation_twice(store: &impl KeyStore) {
    let first = put(store, &key("a"), "one", Generation::ABSENT);
    store.remove(&key("a"), first).expect("it is there");
    let again = put(store, &key("a"), "two", Generation::ABSENT);
    assert!(first != Generation::ABSENT && again != first, "a record put again has another generation");
}

fn removes_only_the_expected_generation(store: &impl KeyStore) {
    let first = put(store, &key("a"), "one", Generation::ABSENT);
    let second = put(store, &key("a"), "two", first);
    let conflict = Err(StoreError::Conflict { current: second });
    assert_eq!(store.remove(&key("a"), first), conflict, "another generation stays");
    assert_eq!(store.remove(&key("a"), second), Ok(()));
    assert_eq!(read(store, &key("a")), None);
    assert_eq!(store.remove(&key("a"), second), Ok(()), "removing twice is fine");
    assert_eq!(store.list(), Ok(Vec::new()));
}

fn keeps_names_apart(store: &impl KeyStore) {
    let asset = |id: &str| Slot::Asset(AssetId::new(id).expect("the id has a few bytes"));
    let uri = KeyUri::new("skd://a").expect("the scheme is skd");
    let slots = [
        key("a"),
        key("A"),
        key("../../a"),
        key("a:00ff?x=1"),
        Slot::Release(uri),
        asset("skd://a"),
        asset(".."),
        asset("a/b\0c"),
        Slot::Clock,
    ];
    for slot in &slots {
        put(store, slot, &slot.to_text(), Generation::ABSENT);
    }
    for slot in &slots {
        assert_eq!(read(store, slot).map(|(record, _)| record), Some(slot.to_text().into_bytes()));
    }
    let listed: BTreeSet<Slot> = store.list().expect("it can be listed").into_iter().collect();
    assert_eq!(listed, slots.into_iter().collect::<BTreeSet<_>>());
}

fn takes_any_bytes(store: &impl KeyStore) {
    let records = [vec![], vec![0; 1], (0..=255).collect(), vec![0xff; 100_000]];
    let mut generation = Generation::ABSENT;
    for record in records {
        generation =
            store.put(&key("a"), &SecretBytes::new(record.clone()), generation).expect("any bytes are fine");
        assert_eq!(read(store, &key("a")), Some((record, generation)));
    }
}

fn lets_one_of_many_writers_win(store: &impl KeyStore) {
    let first = put(store, &key("a"), "one", Generation::ABSENT);
    let wins = std::thread::scope(|scope| {
        let write = |text: String| store.put(&key("a"), &bytes(&text), first).is_ok();
        let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || write(writer.to_string()))).collect();
        writers.into_iter().map(|writer| writer.join().expect("no store panics")).filter(|won| *won).count()
    });
    assert_eq!(wins, 1, "one writer of a generation wins");
}
