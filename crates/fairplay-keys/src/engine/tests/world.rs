//! A platform that counts, a server that does as it is told, a store that fails when it is told to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::engine::{Engine, EngineParts, EnginePolicy, LicenseSource};
use crate::*;

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// What the server does with the next request.
#[derive(Debug, Clone)]
pub(super) enum Mood {
    /// A license with the platform's terms.
    Licenses,
    /// JSON with this beside the license.
    Says(&'static str),
    /// This status, with headers.
    Status(u16, &'static [(&'static str, &'static str)]),
    /// This body with status 200.
    Body(&'static [u8]),
    /// The license of another exchange.
    OtherLicense,
    /// No connection.
    Unreachable,
    /// Waits until it is cancelled.
    Hangs,
    /// Cancels the call while it is in progress.
    Cancels(Cancel),
}

/// All that an engine works with, and the engine.
pub(super) struct World {
    pub(super) platform: Arc<Platform>,
    pub(super) server: Arc<Server>,
    pub(super) store: Arc<FaultyStore>,
    pub(super) clock: Arc<testing::ManualClock>,
    pub(super) engine: Engine,
}

impl World {
    pub(super) fn new() -> Self {
        let (platform, server) = (Arc::new(Platform::default()), Arc::new(Server::default()));
        let (store, clock) = (Arc::new(FaultyStore::default()), Arc::new(testing::ManualClock::new(NOW)));
        let engine = engine(&platform, &server, &store, &clock);
        Self { platform, server, store, clock, engine }
    }

    /// The process dies, and another begins with what is stored.
    pub(super) fn restart(&mut self) {
        self.store.heal();
        self.engine = engine(&self.platform, &self.server, &self.store, &self.clock);
    }

    pub(super) fn with_terms(self, storage: Limit, playback: Limit) -> Self {
        *self.platform.terms.lock().unwrap() = LicenseTerms { storage, playback, ..LicenseTerms::default() };
        self
    }

    pub(super) fn acquire(&self, asset_id: &str, keys: &[&str]) -> Result<AssetKeys, KeyError> {
        self.engine.acquire(&asset(asset_id), &plan(keys), &license(), &Cancel::new())
    }

    pub(super) fn renew(&self, asset_id: &str) -> Result<AssetKeys, KeyError> {
        self.engine.renew(&asset(asset_id), &license(), &Cancel::new())
    }

    pub(super) fn answer(&self, key: &str) -> Result<Answer, KeyError> {
        self.engine.answer(self.platform.open(&uri(key), Intent::Play).unwrap())
    }

    pub(super) fn answer_online(&self, key: &str, deadline: Duration) -> Result<Answer, KeyError> {
        let request = self.platform.open(&uri(key), Intent::Play).unwrap();
        self.engine.answer_online(request, Online { asset: &asset("a"), license: &license(), deadline })
    }

    /// Hands over what waits of a key.
    pub(super) fn deliver(&self, key: &str) -> Result<(), KeyError> {
        let pending = self.engine.pending_releases()?;
        let mut of_key = pending.iter().filter(|release| release.key_uri == uri(key));
        of_key.try_for_each(|release| {
            self.engine.deliver_release(release, &license().service(), &Cancel::new())
        })
    }

    /// The key's bytes as they are stored.
    pub(super) fn stored(&self, key: &str) -> Option<String> {
        let stored = self.store.inner.get(&Slot::Key(uri(key))).unwrap()?;
        let record = record::KeyRecord::decode(&stored.record).unwrap();
        Some(String::from_utf8(record.key.expose().to_vec()).unwrap())
    }

    /// Waits until nothing goes on any more that a deadline has left behind.
    pub(super) fn wait_for_stragglers(&self) {
        while Arc::strong_count(&self.engine.0) > 1 {
            std::thread::yield_now();
        }
    }

    /// Every request was answered exactly once, and every SPC was sent at most once.
    pub(super) fn check_answers(&self) {
        self.wait_for_stragglers();
        let opened = self.platform.opened.load(Ordering::SeqCst);
        let mut answered: Vec<u64> =
            self.platform.answers.lock().unwrap().iter().map(|(id, _)| *id).collect();
        answered.sort_unstable();
        assert_eq!(answered, (1..=opened).collect::<Vec<_>>(), "each request has one answer");
        let mut sent = self.server.spcs.lock().unwrap().clone();
        let count = sent.len();
        sent.sort_unstable();
        sent.dedup();
        assert_eq!(sent.len(), count, "an SPC was sent twice");
    }
}

fn engine(
    platform: &Arc<Platform>,
    server: &Arc<Server>,
    store: &Arc<FaultyStore>,
    clock: &Arc<testing::ManualClock>,
) -> Engine {
    Engine::new(EngineParts {
        system: platform.clone(),
        store: store.clone(),
        transport: server.clone(),
        clock: clock.clone(),
        policy: EnginePolicy { parallel: 1, ..EnginePolicy::default() },
    })
}

pub(super) fn asset(id: &str) -> AssetId {
    AssetId::new(id).unwrap()
}

pub(super) fn uri(key: &str) -> KeyUri {
    KeyUri::new(format!("skd://{key}")).unwrap()
}

pub(super) fn plan(keys: &[&str]) -> KeyPlan {
    let demand =
        |key: &&str| KeyDemand { key_uri: uri(key), key_format_versions: None, places: vec![Place::Session] };
    KeyPlan { required: keys.iter().map(demand).collect(), ..KeyPlan::default() }
}

fn der(fill: u8) -> Vec<u8> {
    [&[0x30, 0x82, 0x01, 0x00][..], &[fill; 256]].concat()
}

/// The application has that of 7, and the service hands out that of 8.
pub(super) fn certificate(fill: u8) -> Certificate {
    Certificate::from_bytes(&der(fill)).unwrap()
}

pub(super) fn license() -> LicenseSource {
    LicenseSource {
        url: LicenseUrl::new("https://l.test/fps?token=canary"),
        certificate: certificate(7),
        provider: Arc::new(TemplateProvider {
            content_id: ContentIdRule::WholeUri,
            ..TemplateProvider::kaltura()
        }),
        tokens: Arc::new(NoToken),
    }
}

/// Makes SPCs with serial numbers, takes only the license of the last, counts answers.
#[derive(Debug, Default, Clone)]
pub(super) struct Platform(pub(super) Arc<Inside>);

impl std::ops::Deref for Platform {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

#[derive(Default)]
pub(super) struct Inside {
    pub(super) opened: AtomicU64,
    serials: AtomicU32,
    pub(super) answers: Mutex<Vec<(u64, String)>>,
    pub(super) terms: Mutex<LicenseTerms>,
    /// What it says to stored keys.
    pub(super) stored_fault: Mutex<Option<SystemFault>>,
    pub(super) no_persistence: Mutex<bool>,
    pub(super) no_persistence_for_requests: Mutex<bool>,
    /// Whether it replaces keys at their first playback.
    pub(super) updates: Mutex<bool>,
    /// Certificates that it doesn't take.
    pub(super) rejects: Mutex<Vec<Certificate>>,
    /// Done once, while an SPC is made.
    pub(super) while_spc: Mutex<Option<Hook>>,
    pub(super) invalidated: Mutex<Vec<String>>,
    pub(super) invalidation_fault: Mutex<Option<SystemFault>>,
    listener: Mutex<Option<Arc<dyn UpdateListener>>>,
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Platform")
    }
}

impl Platform {
    /// How requests were answered, in order.
    pub(super) fn how(&self) -> Vec<String> {
        self.answers.lock().unwrap().iter().map(|(_, how)| how.clone()).collect()
    }

    pub(super) fn last(&self) -> String {
        self.how().pop().unwrap_or_default()
    }

    /// Says that a key was replaced.
    pub(super) fn replace(&self, key: &str, old: Option<&str>, new: &str) {
        let listener = self.listener.lock().unwrap().clone();
        let replaces = old.map(|old| PersistableKey::new(old).fingerprint());
        listener.unwrap().key_updated(KeyUpdate {
            key_uri: uri(key),
            replaces,
            key: PersistableKey::new(new),
        });
    }
}

/// A request; it is answered when it is dropped, at the latest.
#[derive(Debug)]
struct Request {
    platform: Platform,
    id: u64,
    key_uri: KeyUri,
    persistence: Persistence,
    serial: u32,
    is_answered: bool,
}

impl ContentKeySystem for Platform {
    fn capabilities(&self) -> Capabilities {
        let persistence = if *self.no_persistence.lock().unwrap() {
            Persistence::Impossible
        } else {
            Persistence::Possible
        };
        Capabilities { persistence, invalidation: Invalidation::Provable }
    }

    fn open(&self, key_uri: &KeyUri, _: Intent) -> Result<Box<dyn KeyRequest>, KeyError> {
        let refuses = *self.no_persistence_for_requests.lock().unwrap();
        Ok(Box::new(Request {
            platform: self.clone(),
            id: self.opened.fetch_add(1, Ordering::SeqCst) + 1,
            key_uri: key_uri.clone(),
            persistence: if refuses { Persistence::Impossible } else { Persistence::Possible },
            serial: 0,
            is_answered: false,
        }))
    }

    fn expiration_spc(&self, key: &PersistableKey, _: &Certificate) -> Result<Spc, KeyError> {
        Ok(Spc::new(format!("proof of {}", std::str::from_utf8(key.expose()).unwrap())))
    }

    fn invalidate(
        &self,
        key: &PersistableKey,
        _: &Certificate,
        _: Option<Challenge>,
    ) -> Result<Spc, KeyError> {
        if let Some(fault) = self.invalidation_fault.lock().unwrap().clone() {
            return Err(fault.into());
        }
        let name = String::from_utf8(key.expose().to_vec()).unwrap();
        self.invalidated.lock().unwrap().push(name.clone());
        Ok(Spc::new(format!("proof of {name}")))
    }

    fn listen(&self, listener: Arc<dyn UpdateListener>) {
        *self.listener.lock().unwrap() = Some(listener);
    }
}

impl Request {
    fn answered(&mut self, how: String) {
        self.is_answered = true;
        self.platform.answers.lock().unwrap().push((self.id, how));
    }

    fn refused(&mut self, fault: SystemFault) -> KeyError {
        self.answered(format!("refused: {fault}"));
        fault.into()
    }
}

impl KeyRequest for Request {
    fn key_uri(&self) -> &KeyUri {
        &self.key_uri
    }

    fn persistence(&self) -> Persistence {
        self.persistence
    }

    fn spc(&mut self, certificate: &Certificate, _: &ContentId) -> Result<Spc, KeyError> {
        if self.platform.rejects.lock().unwrap().contains(certificate) {
            return Err(SystemFault::Certificate.into());
        }
        let hook = self.platform.while_spc.lock().unwrap().take();
        if let Some(hook) = hook {
            (hook.0)();
        }
        self.serial = self.platform.serials.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Spc::new([[0, 0, 0, 3], self.serial.to_be_bytes()].concat()))
    }

    fn accept(mut self: Box<Self>, ckc: &Ckc) -> Result<Accepted, KeyError> {
        if ckc.expose()[28..32] != self.serial.to_be_bytes() {
            return Err(self.refused(SystemFault::Ckc));
        }
        let key = PersistableKey::new(format!("{} #{}", self.key_uri, self.serial));
        self.answered(format!("licensed {}", self.key_uri));
        let key = Some(key).filter(|_| self.persistence == Persistence::Possible);
        Ok(Accepted { key, terms: *self.platform.terms.lock().unwrap(), created: None })
    }

    fn answer_stored(mut self: Box<Self>, key: &PersistableKey) -> Result<(), KeyError> {
        let fault = self.platform.stored_fault.lock().unwrap().clone();
        if let Some(fault) = fault {
            return Err(self.refused(fault));
        }
        let name = String::from_utf8(key.expose().to_vec()).unwrap();
        self.answered(format!("stored {name}"));
        if *self.platform.updates.lock().unwrap() && !name.ends_with('\'') {
            let short = self.key_uri.after_scheme().to_owned();
            self.platform.replace(&short, Some(&name), &format!("{name}'"));
        }
        Ok(())
    }

    fn fail(mut self: Box<Self>, error: &KeyError) {
        self.answered(format!("failed: {}", error.kind()));
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if !self.is_answered {
            self.answered("abandoned".to_owned());
        }
    }
}

/// Licenses each SPC, or does what is next in the queue.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) moods: Mutex<VecDeque<Mood>>,
    pub(super) always: Mutex<Option<Mood>>,
    pub(super) spcs: Mutex<Vec<Vec<u8>>>,
    pub(super) proofs: Mutex<Vec<String>>,
    pub(super) urls: Mutex<Vec<String>>,
    date: Mutex<Option<&'static str>>,
    pub(super) while_asked: Mutex<Option<Hook>>,
}

/// Done once, while a request is in progress.
pub(super) struct Hook(pub(super) Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl Server {
    pub(super) fn then(&self, moods: impl IntoIterator<Item = Mood>) {
        self.moods.lock().unwrap().extend(moods);
    }

    /// Its clock shows this from now on.
    pub(super) fn date(&self, date: &'static str) {
        *self.date.lock().unwrap() = Some(date);
    }

    pub(super) fn asked(&self) -> usize {
        self.spcs.lock().unwrap().len()
    }

    fn note(&self, spc: &[u8]) -> bool {
        if let Some(proof) = spc.strip_prefix(b"proof of ") {
            self.proofs.lock().unwrap().push(String::from_utf8(proof.to_vec()).unwrap());
            return false;
        }
        self.spcs.lock().unwrap().push(spc.to_vec());
        true
    }
}

fn ckc(serial: &[u8]) -> Vec<u8> {
    let head = [[0, 0, 0, 1], [0; 4]].concat();
    [&head[..], &[0xfb; 16], &[0, 0, 0, 16], serial, &[0; 12]].concat()
}

fn answer(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Result<HttpResponse, TransportError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(HttpResponse { status, headers, body: body.into() })
}

impl Transport for Server {
    fn send(&self, request: &HttpRequest, cancel: &Cancel) -> Result<HttpResponse, TransportError> {
        if request.method() == Method::Get {
            self.urls.lock().unwrap().push(request.url().to_owned());
            return answer(200, &[], der(8));
        }
        let spc = tolerant::base64_bytes(std::str::from_utf8(request.body().expose()).unwrap()).unwrap();
        let is_spc = self.note(&spc);
        self.urls.lock().unwrap().push(request.url().to_owned());
        let date = *self.date.lock().unwrap();
        let date: Vec<(&str, &str)> = date.into_iter().map(|date| ("date", date)).collect();
        let hook = self.while_asked.lock().unwrap().take();
        if let Some(hook) = hook {
            (hook.0)();
        }
        let always = self.always.lock().unwrap().clone();
        let mood = self.moods.lock().unwrap().pop_front().or(always).unwrap_or(Mood::Licenses);
        let serial = if is_spc { spc[4..8].to_vec() } else { vec![0; 4] };
        match mood {
            Mood::Licenses => answer(200, &date, ckc(&serial)),
            Mood::Says(beside) => {
                use base64::Engine as _;
                let text = base64::engine::general_purpose::STANDARD.encode(ckc(&serial));
                answer(200, &[], format!("{{\"ckc\": \"{text}\"{beside}}}").into_bytes())
            }
            Mood::Status(status, headers) => answer(status, headers, Vec::new()),
            Mood::Body(body) => answer(200, &[], body.to_vec()),
            Mood::OtherLicense => answer(200, &[], ckc(&[0xff; 4])),
            Mood::Unreachable => Err(TransportError::Unreachable("connection refused".to_owned())),
            Mood::Hangs => {
                cancel.wait(Duration::from_secs(600));
                Err(TransportError::Cancelled)
            }
            Mood::Cancels(call) => {
                call.cancel();
                Err(TransportError::Cancelled)
            }
        }
    }
}

/// A store in memory that fails at an operation, or from then on.
#[derive(Debug, Default)]
pub(super) struct FaultyStore {
    pub(super) inner: MemoryStore,
    operations: AtomicU32,
    fails_at: AtomicU32,
    fails_until: AtomicU32,
    breaks_next: std::sync::atomic::AtomicBool,
    /// Whether what fails was done all the same.
    fails_late: std::sync::atomic::AtomicBool,
}

/// When an operation of a store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failing {
    /// Instead of doing it.
    Before,
    /// Once it is done: only the word of it is lost.
    After,
}

pub(super) const FAILINGS: [Failing; 2] = [Failing::Before, Failing::After];

impl FaultyStore {
    /// The operation after so many others fails.
    pub(super) fn fail_once(&self, after: u32) {
        self.fail(after, 1);
    }

    /// That operation and all that follow fail: the power is gone.
    pub(super) fn fail_from(&self, after: u32) {
        self.fail(after, u32::MAX / 2);
    }

    fn fail(&self, after: u32, times: u32) {
        self.operations.store(0, Ordering::SeqCst);
        self.fails_at.store(after + 1, Ordering::SeqCst);
        self.fails_until.store(after + 1 + times, Ordering::SeqCst);
    }

    /// The next key that is read is damaged, and put aside.
    pub(super) fn break_next(&self) {
        self.breaks_next.store(true, Ordering::SeqCst);
    }

    pub(super) fn heal(&self) {
        self.fails_until.store(0, Ordering::SeqCst);
    }

    /// Whether the failure that was set has happened.
    pub(super) fn has_failed(&self) -> bool {
        self.operations.load(Ordering::SeqCst) >= self.fails_at.load(Ordering::SeqCst)
    }

    /// How what fails from now on fails.
    pub(super) fn failing(&self, failing: Failing) {
        self.fails_late.store(failing == Failing::After, Ordering::SeqCst);
    }

    fn does<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.works() {
            Err(error) if self.fails_late.load(Ordering::SeqCst) => work().and(Err(error)),
            Err(error) => Err(error),
            Ok(()) => work(),
        }
    }

    fn works(&self) -> Result<(), StoreError> {
        let operation = self.operations.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = self.fails_at.load(Ordering::SeqCst) <= operation
            && operation < self.fails_until.load(Ordering::SeqCst);
        if fails { Err(StoreError::Full) } else { Ok(()) }
    }
}

impl KeyStore for FaultyStore {
    fn get(&self, slot: &Slot) -> Result<Option<Stored>, StoreError> {
        self.works()?;
        let stored = self.inner.get(slot)?;
        if let (Slot::Key(_), Some(Stored { generation, .. }), true) =
            (slot, &stored, self.breaks_next.swap(false, Ordering::SeqCst))
        {
            self.inner.remove(slot, *generation)?;
            return Err(StoreError::Corrupt { name: slot.to_text(), why: "a bit flipped".to_owned() });
        }
        Ok(stored)
    }

    fn put(&self, slot: &Slot, record: &SecretBytes, expected: Generation) -> Result<Generation, StoreError> {
        self.does(|| self.inner.put(slot, record, expected))
    }

    fn remove(&self, slot: &Slot, expected: Generation) -> Result<(), StoreError> {
        self.does(|| self.inner.remove(slot, expected))
    }

    fn list(&self) -> Result<Vec<Slot>, StoreError> {
        self.does(|| self.inner.list())
    }
}
