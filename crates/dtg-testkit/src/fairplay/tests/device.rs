//! The content key system in software: what a stored key must not do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fairplay_keys::{
    Accepted, Certificate, Challenge, Ckc, ContentId, ContentKeySystem, Intent, KeyError, KeyErrorKind,
    KeyUpdate, KeyUri, LicenseTerms, Limit, PersistableKey, Persistence, SystemFault, UpdateListener,
};
use proptest::prelude::*;

use super::served::post;
use crate::fairplay::*;

const DAY: u32 = 86_400;
const START: i64 = 1_800_000_000;

/// A key server and a device whose clock a test sets.
struct Stage {
    server: KeyServer,
    clock: TestClock,
    cdm: TestCdm,
    updates: Arc<Updates>,
}

#[derive(Default)]
struct Updates(Mutex<Vec<KeyUpdate>>);

impl UpdateListener for Updates {
    fn key_updated(&self, update: KeyUpdate) {
        self.0.lock().unwrap().push(update);
    }
}

fn stage(grant: Grant) -> Stage {
    let server = KeyServer::start(1).unwrap();
    server.add_content("movie-1", ContentKey::derived(b"movie-1"));
    server.set_policy(Policy::granting(grant));
    let clock = TestClock::at(START);
    let cdm = TestCdm::new(2, Arc::new(clock.clone()));
    let updates = Arc::new(Updates::default());
    cdm.listen(Arc::clone(&updates) as Arc<dyn UpdateListener>);
    Stage { server, clock, cdm, updates }
}

fn uri() -> KeyUri {
    KeyUri::new("skd://movie-1?k=1").unwrap()
}

fn content_id() -> ContentId {
    ContentId::new(*b"movie-1").unwrap()
}

impl Stage {
    fn certificate(&self) -> Certificate {
        Certificate::from_bytes(self.server.certificate()).unwrap()
    }

    fn acquire_on(&self, cdm: &TestCdm, intent: Intent) -> Result<Accepted, KeyError> {
        let mut request = cdm.open(&uri(), intent)?;
        let spc = request.spc(&self.certificate(), &content_id())?;
        let (_, ckc) = post(&self.server.license_url(&Protocol::RAW), spc.expose(), &[]);
        request.accept(&Ckc::new(ckc).unwrap())
    }

    fn acquire(&self) -> PersistableKey {
        self.acquire_on(&self.cdm, Intent::Acquire).unwrap().key.unwrap()
    }

    /// What plays by a stored key.
    fn play(&self, key: &PersistableKey) -> Result<ContentKey, SystemFault> {
        match self.cdm.open(&uri(), Intent::Play).unwrap().answer_stored(key) {
            Ok(()) => self.cdm.content_key(&uri()),
            Err(error) => Err(fault(&error)),
        }
    }

    fn advance(&self, seconds: u32) {
        self.clock.advance(Duration::from_secs(seconds.into()));
    }

    /// The key that the last update brought.
    fn updated(&self) -> PersistableKey {
        self.updates.0.lock().unwrap().last().unwrap().key.clone()
    }
}

fn fault(error: &KeyError) -> SystemFault {
    let KeyErrorKind::System(fault) = error.kind() else { panic!("{error}") };
    fault.clone()
}

#[track_caller]
fn check_plays(played: Result<ContentKey, SystemFault>) {
    let key = played.unwrap();
    let expected = ContentKey::derived(b"movie-1");
    assert_eq!((key.key, key.iv), (expected.key, expected.iv));
}

#[test]
fn a_stored_key_plays_until_the_last_second_of_its_time() {
    let stage = stage(Grant::PersistFor(DAY));
    let key = stage.acquire();
    check_plays(stage.play(&key));
    stage.advance(DAY);
    check_plays(stage.play(&key));
    stage.advance(1);
    assert_eq!(stage.play(&key), Err(SystemFault::KeyExpired));
    stage.clock.set(START);
    assert_eq!(stage.play(&key), Err(SystemFault::KeyExpired), "a clock that is set back");
    assert!(stage.updates.0.lock().unwrap().is_empty());
}

#[test]
fn a_key_without_end_has_none() {
    let stage = stage(Grant::Persist);
    let key = stage.acquire();
    stage.clock.set(i64::MAX);
    check_plays(stage.play(&key));
}

#[test]
fn under_dual_expiry_the_first_playback_begins_a_window_of_its_own() {
    let stage = stage(Grant::Dual { storage: 30 * DAY, playback: 2 * DAY });
    let key = stage.acquire();
    stage.advance(30 * DAY);
    check_plays(stage.play(&key));
    let update = stage.updates.0.lock().unwrap()[0].clone();
    assert_eq!((update.key_uri, update.replaces), (uri(), Some(key.fingerprint())));
    stage.advance(2 * DAY);
    check_plays(stage.play(&update.key));
    assert_eq!(stage.updates.0.lock().unwrap().len(), 1, "first means first");
    stage.advance(1);
    assert_eq!(stage.play(&update.key), Err(SystemFault::KeyExpired));
}

#[test]
fn under_dual_expiry_a_key_that_was_never_played_dies_in_storage() {
    let stage = stage(Grant::Dual { storage: 30, playback: 2 * DAY });
    let key = stage.acquire();
    stage.advance(31);
    assert_eq!(stage.play(&key), Err(SystemFault::KeyExpired));
    assert!(stage.updates.0.lock().unwrap().is_empty());
}

#[test]
fn the_old_version_of_an_updated_key_is_dead() {
    let stage = stage(Grant::Dual { storage: 30 * DAY, playback: 2 * DAY });
    let key = stage.acquire();
    check_plays(stage.play(&key));
    assert_eq!(stage.play(&key), Err(SystemFault::KeyInvalid));
    check_plays(stage.play(&stage.updated()));
}

#[test]
fn updates_can_be_kept_back_and_come_later() {
    let stage = stage(Grant::Dual { storage: 30 * DAY, playback: 2 * DAY });
    stage.cdm.hold_updates();
    check_plays(stage.play(&stage.acquire()));
    assert!(stage.updates.0.lock().unwrap().is_empty());
    stage.cdm.deliver_updates();
    check_plays(stage.play(&stage.updated()));
}

#[test]
fn a_key_opens_on_its_device_only() {
    let stage = stage(Grant::Persist);
    let key = stage.acquire();
    let play = |seed| {
        let cdm = TestCdm::new(seed, Arc::new(stage.clock.clone()));
        let answered = cdm.open(&uri(), Intent::Play).unwrap().answer_stored(&key);
        answered.map_err(|error| fault(&error))
    };
    assert_eq!(play(3), Err(SystemFault::KeyInvalid));
    assert_eq!(play(2), Ok(()), "the same device after a restart");
}

#[test]
fn after_an_update_of_the_system_old_keys_are_retired_and_new_ones_play() {
    let stage = stage(Grant::Persist);
    let key = stage.acquire();
    stage.cdm.update_system();
    assert_eq!(stage.play(&key), Err(SystemFault::KeyRetired));
    check_plays(stage.play(&stage.acquire()));
}

#[test]
fn a_key_that_was_made_unusable_is_and_its_proof_repeats_the_challenge() {
    let stage = stage(Grant::Dual { storage: 30 * DAY, playback: DAY });
    let key = stage.acquire();
    let url = stage.server.license_url(&Protocol::RAW);
    let prove = |challenge| {
        let spc = stage.cdm.invalidate(&key, &stage.certificate(), challenge).unwrap();
        post(&url, spc.expose(), &[]).0
    };
    stage.server.set_challenge([7; 8]);
    assert_eq!(prove(None), 400);
    assert_eq!(prove(Some(Challenge([7; 8]))), 204);
    assert_eq!(stage.play(&key), Err(SystemFault::KeyInvalid));
    let last = stage.server.exchanges().pop().unwrap();
    assert_eq!(last.outcome, LicenseOutcome::Reported);
    let Some(OfflineSync::Report { flags, contents, .. }) = last.spc.unwrap().sync else { panic!() };
    assert_eq!(flags, sync_flag::SECURE_INVALIDATION | sync_flag::SUCCESS);
    assert_eq!(contents, [offline_id(b"movie-1")]);
    stage.advance(31 * DAY);
    let spc = stage.cdm.invalidate(&key, &stage.certificate(), Some(Challenge([7; 8]))).unwrap();
    assert_eq!(post(&url, spc.expose(), &[]).0, 204);
    let Some(OfflineSync::Report { flags, .. }) = stage.server.exchanges().pop().unwrap().spc.unwrap().sync
    else {
        panic!()
    };
    assert_eq!(flags, sync_flag::SECURE_INVALIDATION | sync_flag::EXPIRED);
}

#[test]
fn the_server_reads_what_is_left_of_the_window_that_counts() {
    let stage = stage(Grant::Dual { storage: 30 * DAY, playback: 2 * DAY });
    let left = |key: &PersistableKey| {
        let spc = stage.cdm.expiration_spc(key, &stage.certificate()).unwrap();
        post(&stage.server.license_url(&Protocol::RAW), spc.expose(), &[]);
        match stage.server.exchanges().pop().unwrap().spc.unwrap().sync {
            Some(OfflineSync::Remaining { seconds, content }) if content == offline_id(b"movie-1") => seconds,
            other => panic!("{other:?}"),
        }
    };
    let key = stage.acquire();
    stage.advance(5);
    assert_eq!(left(&key), 30 * DAY - 5);
    check_plays(stage.play(&key));
    stage.advance(7);
    assert_eq!(left(&stage.updated()), 2 * DAY - 7);
    stage.advance(3 * DAY);
    assert_eq!(left(&stage.updated()), 0);

    let stage = self::stage(Grant::Persist);
    let refused = stage.cdm.expiration_spc(&stage.acquire(), &stage.certificate()).unwrap_err();
    assert!(matches!(fault(&refused), SystemFault::Other { code: -46250, .. }));
}

#[test]
fn a_license_that_may_not_be_stored_gives_no_key_and_a_lease_ends() {
    let stage = stage(Grant::Lease(60));
    let accepted = stage.acquire_on(&stage.cdm, Intent::Play).unwrap();
    assert_eq!(accepted.key, None);
    assert_eq!(accepted.terms.lease, Limit::Within(Duration::from_secs(60)));
    stage.advance(60);
    check_plays(stage.cdm.content_key(&uri()));
    stage.advance(1);
    assert_eq!(stage.cdm.content_key(&uri()), Err(SystemFault::LeaseExpired));
}

#[test]
fn where_keys_cannot_be_stored_only_playing_is_possible() {
    let stage = stage(Grant::Persist);
    stage.cdm.set_persistence(Persistence::Impossible);
    for intent in [Intent::Acquire, Intent::Renew] {
        let refused = stage.cdm.open(&uri(), intent).unwrap_err();
        assert_eq!(fault(&refused), SystemFault::PersistenceUnsupported);
    }
    assert_eq!(stage.cdm.capabilities().persistence, Persistence::Impossible);
    assert_eq!(stage.acquire_on(&stage.cdm, Intent::Play).unwrap().key, None);
    check_plays(stage.cdm.content_key(&uri()));
}

#[test]
fn terms_are_those_of_the_license() {
    let within = |seconds: u32| Limit::Within(Duration::from_secs(seconds.into()));
    let terms = |grant| {
        let LicenseTerms { storage, playback, lease, .. } =
            stage(grant).acquire_on(&stage(grant).cdm, Intent::Acquire).unwrap().terms;
        (storage, playback, lease)
    };
    let none = Limit::Unspecified;
    assert_eq!(terms(Grant::Unlimited), (none, none, none));
    assert_eq!(terms(Grant::Persist), (Limit::Unlimited, none, none));
    assert_eq!(terms(Grant::PersistFor(9)), (within(9), none, none));
    assert_eq!(terms(Grant::Lease(9)), (none, none, within(9)));
    assert_eq!(terms(Grant::Dual { storage: 9, playback: 3 }), (within(9), within(3), none));
    assert_eq!(terms(Grant::Dual { storage: 0, playback: 3 }), (Limit::Unlimited, within(3), none));
}

#[test]
fn every_request_is_answered_once_and_a_dropped_one_is_abandoned() {
    let stage = stage(Grant::Persist);
    let key = stage.acquire();
    check_plays(stage.play(&key));
    drop(stage.cdm.open(&uri(), Intent::Play).unwrap());
    stage.cdm.open(&uri(), Intent::Play).unwrap().fail(&KeyError::new(KeyErrorKind::NotStored));
    stage.cdm.fail_next(Step::AnswerStored, SystemFault::KeyInvalid);
    assert_eq!(stage.play(&key), Err(SystemFault::KeyInvalid));
    let answers: Vec<_> = stage.cdm.requests().into_iter().map(|request| request.answers).collect();
    let expected = [
        Answer::License,
        Answer::Stored,
        Answer::Failed("the request was abandoned".to_owned()),
        Answer::Failed("the key is not stored".to_owned()),
        Answer::Refused(SystemFault::KeyInvalid),
    ];
    assert_eq!(answers, expected.map(|answer| vec![answer]));
}

#[test]
fn a_ckc_of_another_exchange_is_not_taken() {
    let stage = stage(Grant::Persist);
    stage.acquire();
    stage.server.set_policy(Policy::with_flaw(Flaw::EarlierExchange));
    let refused = stage.acquire_on(&stage.cdm, Intent::Renew).unwrap_err();
    assert_eq!(fault(&refused), SystemFault::Ckc);
    let mut request = stage.cdm.open(&uri(), Intent::Acquire).unwrap();
    let certificate = Certificate::from_bytes(&Credentials::test_2048().certificate).unwrap();
    assert_eq!(request.spc(&certificate, &content_id()).unwrap().expose()[3], 2);
}

#[test]
fn nothing_prints_a_key() {
    let stage = stage(Grant::Persist);
    let key = stage.acquire();
    check_plays(stage.play(&key));
    let content = ContentKey::derived(b"movie-1");
    let shown = format!("{:?} {content:?} {:?}", stage.cdm, stage.server);
    for secret in [content.key.0, content.iv] {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!shown.contains(&hex) && !shown.contains(&format!("{secret:?}")), "{shown}");
    }
}

proptest! {
    #[test]
    fn a_stored_key_with_any_bit_flipped_or_any_byte_cut_is_refused(at in 0_usize..4000, bit in 0_u8..8) {
        let stage = stage(Grant::Persist);
        let key = stage.acquire();
        let mut bytes = key.expose().to_vec();
        let length = bytes.len();
        prop_assert_eq!(stage.play(&PersistableKey::new(&bytes[..at % length])), Err(SystemFault::KeyInvalid));
        bytes[at % length] ^= 1 << bit;
        prop_assert_eq!(stage.play(&PersistableKey::new(bytes)), Err(SystemFault::KeyInvalid));
    }
}
