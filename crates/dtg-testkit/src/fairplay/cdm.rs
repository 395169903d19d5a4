//! A content key system in software: it asks by real SPCs and takes real CKCs.
//!
//! Two things are not public, and ours: how a device gets at the key of its session key and R1
//! ([`AskDerivation`](super::AskDerivation)), and the form of stored keys. What a stored key must not do is enforced: to
//! play after its time, on another device, damaged, made unusable, or in the place of a newer version.

mod clock;
mod request;
mod stored;
mod terms;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fairplay_keys::{
    Accepted, Capabilities, Certificate, Challenge, Clock, ContentId, ContentKeySystem, Intent, Invalidation,
    KeyError, KeyRequest, KeyUpdate, KeyUri, PersistableKey, Persistence, Spc, SystemFault, Timestamp,
    UpdateListener,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::payload::random;
use super::{ContentKey, Deployment, Exchange, License, Malformed, OfflineSync, SpcContent, sync_flag};
use request::TestRequest;
use stored::{DeviceSecret, StoredKey};
use terms::terms;

pub use clock::TestClock;

/// A device's content key system, in software; clones are the same device.
///
/// Everything random comes from its seed, so does the secret that binds stored keys to it: a device with the same seed
/// opens them, as after a restart.
#[derive(Clone)]
pub struct TestCdm(Arc<Device>);

struct Device {
    deployment: Deployment,
    secret: DeviceSecret,
    /// What key servers know it by.
    id: [u8; 20],
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    listener: Mutex<Option<Arc<dyn UpdateListener>>>,
}

struct State {
    rng: ChaCha20Rng,
    persistence: Persistence,
    /// The form that stored keys have now; those of an earlier one are retired.
    form: u32,
    /// The newest version of each key that was updated or made unusable; `None` for unusable.
    newest: BTreeMap<u64, Option<u32>>,
    /// The latest time that it has seen: its clock is never set back.
    latest: Timestamp,
    loaded: BTreeMap<KeyUri, Loaded>,
    requests: Vec<RequestLog>,
    faults: Vec<(Step, SystemFault)>,
    held: Option<Vec<KeyUpdate>>,
}

/// A key that plays.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    key: ContentKey,
    lease_end: Option<Timestamp>,
}

/// A request that was opened, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLog {
    /// The key.
    pub key_uri: KeyUri,
    /// What it was for.
    pub intent: Intent,
    /// How it was answered, in order; more than one is impossible.
    pub answers: Vec<Answer>,
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With a license.
    License,
    /// With a stored key.
    Stored,
    /// With an error; dropped requests are abandoned.
    Failed(String),
    /// The device did not take the license or the stored key.
    Refused(SystemFault),
}

/// Where a device can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`ContentKeySystem::open`].
    Open,
    /// [`KeyRequest::spc`].
    Spc,
    /// [`KeyRequest::accept`].
    Accept,
    /// [`KeyRequest::answer_stored`].
    AnswerStored,
    /// [`ContentKeySystem::invalidate`].
    Invalidate,
}

impl TestCdm {
    /// A device of its own for each seed, in the test deployment.
    #[must_use]
    pub fn new(seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self::with_deployment(seed, clock, Deployment::test())
    }

    /// A device for applications with this deployment.
    #[must_use]
    pub fn with_deployment(seed: u64, clock: Arc<dyn Clock>, deployment: Deployment) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (secret, id) = (DeviceSecret(random(&mut rng)), random(&mut rng));
        let state = State {
            rng,
            persistence: Persistence::Possible,
            form: 1,
            newest: BTreeMap::new(),
            latest: Timestamp(i64::MIN),
            loaded: BTreeMap::new(),
            requests: Vec::new(),
            faults: Vec::new(),
            held: None,
        };
        let (state, listener) = (Mutex::new(state), Mutex::default());
        Self(Arc::new(Device { deployment, secret, id, clock, state, listener }))
    }

    /// The key that plays for this key URI: the last that a request to play was answered with.
    ///
    /// # Errors
    /// [`SystemFault::LeaseExpired`]; [`SystemFault::KeyInvalid`] where no key plays.
    pub fn content_key(&self, key_uri: &KeyUri) -> Result<ContentKey, SystemFault> {
        let mut state = self.state();
        let now = state.now(&*self.0.clock);
        let loaded = state.loaded.get(key_uri).ok_or(SystemFault::KeyInvalid)?;
        match loaded.lease_end {
            Some(end) if end < now => Err(SystemFault::LeaseExpired),
            _ => Ok(loaded.key),
        }
    }

    /// Every request that was opened, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLog> {
        self.state().requests.clone()
    }

    /// Makes storing keys impossible, as under AirPlay, or possible again; for requests that are opened from now on.
    pub fn set_persistence(&self, persistence: Persistence) {
        self.state().persistence = persistence;
    }

    /// Updates the system: stored keys keep a form that is read no longer.
    pub fn update_system(&self) {
        self.state().form += 1;
    }

    /// Makes the next such step fail.
    pub fn fail_next(&self, step: Step, fault: SystemFault) {
        self.state().faults.push((step, fault));
    }

    /// Keeps updates of keys back, as if the application were busy, until [`TestCdm::deliver_updates`].
    pub fn hold_updates(&self) {
        self.state().held.get_or_insert_default();
    }

    /// Tells the listener of the updates that were kept back, and from now on of each at once.
    pub fn deliver_updates(&self) {
        let held = self.state().held.take();
        held.into_iter().flatten().for_each(|update| self.updated(update));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, number: usize, answer: Answer) {
        if let Some(request) = self.state().requests.get_mut(number) {
            request.answers.push(answer);
        }
    }

    fn fault(&self, step: Step) -> Result<(), SystemFault> {
        let mut state = self.state();
        let found = state.faults.iter().position(|(at, _)| *at == step);
        found.map_or(Ok(()), |found| Err(state.faults.remove(found).1))
    }

    fn spc(
        &self,
        certificate: &Certificate,
        content_id: &ContentId,
        sync: Option<OfflineSync>,
    ) -> Result<(Spc, Exchange), SystemFault> {
        let mut state = self.state();
        let created = u32::try_from(state.now(&*self.0.clock).0).unwrap_or_default();
        let content = SpcContent { asset_id: content_id.as_bytes(), device: self.0.id, created, sync };
        let made = Exchange::begin(&content, certificate.as_der(), &self.0.deployment, &mut state.rng);
        let (spc, exchange) = made.map_err(|malformed| {
            let of_id = matches!(malformed, Malformed::Form { .. });
            if of_id { SystemFault::ContentId } else { SystemFault::Certificate }
        })?;
        Ok((Spc::new(spc), exchange))
    }

    /// Takes a license: plays by it, and makes a key to store of it where both allow that.
    fn take(
        &self,
        request: &TestRequest,
        content_id: &ContentId,
        license: &License,
    ) -> Result<Accepted, SystemFault> {
        let mut state = self.state();
        let (now, terms) = (state.now(&*self.0.clock), terms(license));
        let plays = request.intent == Intent::Play;
        if plays {
            let loaded = Loaded { key: license.content_key, lease_end: terms.lease.from(now) };
            state.loaded.insert(request.key_uri.clone(), loaded);
        }
        let may_persist =
            license.offline.is_some() || license.duration.is_some_and(|it| it.kind.may_persist());
        let stored = StoredKey {
            serial: u64::from_be_bytes(random(&mut state.rng)),
            revision: 1,
            form: state.form,
            content_key: license.content_key,
            asset_id: content_id.as_bytes().to_vec(),
            offline: license.offline.as_ref().map(|offline| offline.content),
            storage: terms.storage,
            playback: terms.playback,
            created: now,
            first_play: plays.then_some(now),
        };
        let is_kept = may_persist && request.persistence == Persistence::Possible;
        let key = is_kept.then(|| stored.seal(&self.0.secret, &mut state.rng)).transpose()?;
        Ok(Accepted { key, terms, created: Some(now) })
    }

    /// Plays by a stored key. At the first playback under dual expiry it is replaced, and the old version dies.
    fn load(&self, key_uri: &KeyUri, key: &PersistableKey) -> Result<Option<KeyUpdate>, SystemFault> {
        let mut state = self.state();
        let mut stored = StoredKey::open(key, &self.0.secret)?;
        let now = state.now(&*self.0.clock);
        state.check(&stored)?;
        if stored.is_expired(now) {
            return Err(SystemFault::KeyExpired);
        }
        state.loaded.insert(key_uri.clone(), Loaded { key: stored.content_key, lease_end: None });
        if !stored.begins_playback() {
            return Ok(None);
        }
        stored.first_play = Some(now);
        stored.revision += 1;
        state.newest.insert(stored.serial, Some(stored.revision));
        let new = stored.seal(&self.0.secret, &mut state.rng)?;
        Ok(Some(KeyUpdate { key_uri: key_uri.clone(), replaces: Some(key.fingerprint()), key: new }))
    }

    fn updated(&self, update: KeyUpdate) {
        if let Some(held) = &mut self.state().held {
            return held.push(update);
        }
        let listener = self.0.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            listener.key_updated(update);
        }
    }

    /// The SPC of a report about a stored key.
    fn report(
        &self,
        stored: &StoredKey,
        certificate: &Certificate,
        sync: OfflineSync,
    ) -> Result<Spc, SystemFault> {
        let content_id = ContentId::new(stored.asset_id.clone()).map_err(|_| SystemFault::ContentId)?;
        self.spc(certificate, &content_id, Some(sync)).map(|(spc, _)| spc)
    }
}

impl State {
    fn now(&mut self, clock: &dyn Clock) -> Timestamp {
        self.latest = self.latest.max(clock.now());
        self.latest
    }

    /// Whether a stored key is the newest version, usable, and of a form that is read.
    fn check(&self, stored: &StoredKey) -> Result<(), SystemFault> {
        match self.newest.get(&stored.serial) {
            Some(None) => return Err(SystemFault::KeyInvalid),
            Some(Some(newest)) if *newest != stored.revision => return Err(SystemFault::KeyInvalid),
            Some(Some(_)) | None => {}
        }
        if stored.form == self.form { Ok(()) } else { Err(SystemFault::KeyRetired) }
    }
}

impl ContentKeySystem for TestCdm {
    fn capabilities(&self) -> Capabilities {
        let persistence = self.state().persistence;
        Capabilities { persistence, invalidation: Invalidation::Provable }
    }

    fn open(&self, key_uri: &KeyUri, intent: Intent) -> Result<Box<dyn KeyRequest>, KeyError> {
        let refused = |fault: SystemFault| KeyError::new(fault).of(key_uri);
        self.fault(Step::Open).map_err(refused)?;
        let mut state = self.state();
        let persistence = state.persistence;
        if intent != Intent::Play && persistence == Persistence::Impossible {
            return Err(refused(SystemFault::PersistenceUnsupported));
        }
        let number = state.requests.len();
        let key_uri = key_uri.clone();
        state.requests.push(RequestLog { key_uri: key_uri.clone(), intent, answers: Vec::new() });
        let (cdm, asked, is_answered) = (self.clone(), None, false);
        Ok(Box::new(TestRequest { cdm, number, key_uri, intent, persistence, asked, is_answered }))
    }

    fn expiration_spc(&self, key: &PersistableKey, certificate: &Certificate) -> Result<Spc, KeyError> {
        let stored = StoredKey::open(key, &self.0.secret)?;
        let now = {
            let mut state = self.state();
            state.check(&stored)?;
            state.now(&*self.0.clock)
        };
        // What Apple's system is reported to say of keys without an offline TLLV.
        let none = || SystemFault::Other { code: -46250, message: "the key has no offline TLLV".to_owned() };
        let content = stored.offline.ok_or_else(none)?;
        let left = stored.not_after().map_or(Duration::MAX, |end| end.since(now)).as_secs();
        let seconds = u32::try_from(left).unwrap_or(u32::MAX);
        Ok(self.report(&stored, certificate, OfflineSync::Remaining { content, seconds })?)
    }

    fn invalidate(
        &self,
        key: &PersistableKey,
        certificate: &Certificate,
        challenge: Option<Challenge>,
    ) -> Result<Spc, KeyError> {
        self.fault(Step::Invalidate)?;
        let stored = StoredKey::open(key, &self.0.secret)?;
        let expired = {
            let mut state = self.state();
            state.newest.insert(stored.serial, None);
            stored.is_expired(state.now(&*self.0.clock))
        };
        let state = if expired { sync_flag::EXPIRED } else { sync_flag::SUCCESS };
        let report = OfflineSync::Report {
            challenge: challenge.map_or([0; 8], |challenge| challenge.0),
            flags: sync_flag::SECURE_INVALIDATION | state,
            title: [0; 16],
            seconds: 0,
            contents: stored.offline.into_iter().collect(),
        };
        Ok(self.report(&stored, certificate, report)?)
    }

    fn listen(&self, listener: Arc<dyn UpdateListener>) {
        *self.0.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }
}

impl fmt::Debug for TestCdm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCdm").field("requests", &self.state().requests).finish_non_exhaustive()
    }
}
