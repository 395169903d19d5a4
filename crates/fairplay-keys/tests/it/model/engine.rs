//! The engine with everything around it: a key server, a device, a store, a clock.

use std::sync::Arc;
use std::time::Duration;

use dtg_testkit::fairplay::{
    ContentKey, Flaw, Grant, KeyServer, LicenseOutcome, Policy, Protocol, TestCdm, TestClock,
};
use fairplay_keys::{
    Answer, AssetId, Cancel, Certificate, ContentKeySystem, Engine, EngineParts, EnginePolicy, Intent,
    KeyDemand, KeyError, KeyPlan, KeyStore, KeyUpdate, KeyUri, LicenseSource, LicenseUrl, MemoryStore,
    Online, PersistableKey, Place, Slot, TemplateProvider, Token, TokenError, TokenNeed, TokenSource,
};

use super::reference::Seen;
use super::{Answered, Call, Grants, KEYS, Luck, NOW, PLAYBACK, STORAGE, answered, keys_of};
use crate::transport::Plain;

pub(super) struct System {
    server: KeyServer,
    pub(super) clock: TestClock,
    device: TestCdm,
    store: Arc<MemoryStore>,
    pub(super) engine: Engine,
}

/// Cancels the call that it is asked by, or not.
#[derive(Debug)]
struct Tokens(Option<Cancel>);

impl TokenSource for Tokens {
    fn token(&self, _: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        self.0.iter().for_each(Cancel::cancel);
        Ok(None)
    }
}

impl System {
    pub(super) fn new() -> Self {
        let server = KeyServer::start(1).unwrap();
        KEYS.into_iter().for_each(|key| server.add_content(key, ContentKey::derived(key.as_bytes())));
        let clock = TestClock::at(NOW);
        let (device, store) = (TestCdm::new(2, Arc::new(clock.clone())), Arc::new(MemoryStore::new()));
        let engine = engine(&device, &store, &clock);
        Self { server, clock, device, store, engine }
    }

    pub(super) fn restart(&mut self) {
        self.engine = engine(&self.device, &self.store, &self.clock);
    }

    /// What the service does from now on: what the only caller's luck is, or its best.
    pub(super) fn grant(&self, grants: Grants, alone: Option<Call>) {
        let luck = match alone {
            Some(Call::Acquire(_, luck) | Call::Renew(_, luck) | Call::AnswerOnline(_, _, luck)) => luck,
            Some(Call::Release(_) | Call::Answer(_)) | None => Luck::Licensed,
        };
        let granted = match grants {
            Grants::Storage => Grant::PersistFor(STORAGE),
            Grants::Dual => Grant::Dual { storage: STORAGE, playback: PLAYBACK },
        };
        self.server.set_policy(match luck {
            Luck::Licensed | Luck::NobodyThere | Luck::Cancelled => Policy::granting(granted),
            Luck::Denied => Policy::denying(403, "no"),
            Luck::Spoiled => Policy::with_flaw(Flaw::OtherR1),
        });
    }

    fn license(&self, luck: Luck, cancel: &Cancel) -> LicenseSource {
        let url = match luck {
            // Nobody listens on the discard port of loopback.
            Luck::NobodyThere => "http://127.0.0.1:9/".to_owned(),
            Luck::Licensed | Luck::Denied | Luck::Spoiled | Luck::Cancelled => {
                self.server.license_url(&Protocol::KALTURA)
            }
        };
        LicenseSource {
            url: LicenseUrl::new(url),
            certificate: Certificate::from_bytes(self.server.certificate()).unwrap(),
            provider: Arc::new(TemplateProvider::kaltura()),
            tokens: Arc::new(Tokens(Some(cancel.clone()).filter(|_| luck == Luck::Cancelled))),
        }
    }

    pub(super) fn call(&self, call: Call) -> Answered {
        let cancel = Cancel::new();
        match call {
            Call::Acquire(number, luck) => {
                let license = self.license(luck, &cancel);
                drop(self.engine.acquire(&asset(number), &plan(number), &license, &cancel).unwrap());
                None
            }
            Call::Renew(number, luck) => {
                drop(self.engine.renew(&asset(number), &self.license(luck, &cancel), &cancel));
                None
            }
            Call::Release(number) => {
                drop(self.engine.release(&asset(number)).unwrap());
                None
            }
            Call::Answer(key) => answered(&self.answer(key, None)),
            Call::AnswerOnline(number, key, luck) => {
                answered(&self.answer(key, Some((number, self.license(luck, &cancel)))))
            }
        }
    }

    fn answer(&self, key: usize, online: Option<(usize, LicenseSource)>) -> Result<Answer, KeyError> {
        let request = self.device.open(&uri(key), Intent::Play).unwrap();
        let answer = match online {
            None => self.engine.answer(request),
            Some((number, license)) => {
                let (asset, deadline) = (asset(number), Duration::from_secs(600));
                self.engine.answer_online(request, Online { asset: &asset, license: &license, deadline })
            }
        };
        if matches!(answer, Ok(Answer::Stored | Answer::Renewed | Answer::Streamed)) {
            let content_key = self.device.content_key(&uri(key)).unwrap();
            assert!(content_key.key == ContentKey::derived(KEYS[key].as_bytes()).key, "it plays");
        }
        answer
    }

    pub(super) fn deliver(&self, key: usize) {
        let service = self.license(Luck::Licensed, &Cancel::new()).service();
        for release in self.engine.pending_releases().unwrap() {
            if release.key_uri == uri(key) {
                self.engine.deliver_release(&release, &service, &Cancel::new()).unwrap();
            }
        }
    }

    pub(super) fn late_update(&self, key: usize) {
        let replaces = Some(PersistableKey::new(*b"of long ago").fingerprint());
        let key_uri = uri(key);
        self.engine.key_updated(KeyUpdate { key_uri, replaces, key: PersistableKey::new(*b"its successor") });
    }

    /// What can be seen of it: the store's keys, and what the engine says of the assets, which have to agree.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        let stored = |key: usize| self.store.get(&Slot::Key(uri(key))).unwrap().is_some();
        for number in 0..2 {
            let Some(status) = self.engine.status(&asset(number)).unwrap() else { continue };
            seen.1.insert(number);
            for key in keys_of(number) {
                let info = status.keys.iter().find(|it| it.key_uri == uri(key)).unwrap().expiration;
                assert_eq!(info.is_some(), stored(key));
                seen.0.extend(info.map(|info| (key, !info.is_expired())));
            }
        }
        let count = (0..KEYS.len()).filter(|key| stored(*key)).count();
        assert_eq!(seen.0.len(), count, "no key is stored that no asset wants");
        seen
    }

    pub(super) fn check_answers(&self) {
        for request in self.device.requests() {
            assert_eq!(request.answers.len(), 1, "each request has one answer: {request:?}");
        }
        for exchange in self.server.exchanges() {
            assert!(
                !matches!(exchange.outcome, LicenseOutcome::Refused(_)),
                "each SPC is sent once: {exchange:?}"
            );
        }
    }
}

fn engine(device: &TestCdm, store: &Arc<MemoryStore>, clock: &TestClock) -> Engine {
    Engine::new(EngineParts {
        system: Arc::new(device.clone()),
        store: store.clone(),
        transport: Arc::new(Plain::new()),
        clock: Arc::new(clock.clone()),
        policy: EnginePolicy { max_attempts: 1, parallel: 1, ..EnginePolicy::default() },
    })
}

fn plan(number: usize) -> KeyPlan {
    let demand =
        |key: usize| KeyDemand { key_uri: uri(key), key_format_versions: None, places: vec![Place::Session] };
    KeyPlan { required: keys_of(number).map(demand).to_vec(), ..KeyPlan::default() }
}

fn uri(key: usize) -> KeyUri {
    KeyUri::new(format!("skd://{}", KEYS[key])).unwrap()
}

fn asset(number: usize) -> AssetId {
    AssetId::new(format!("asset-{number}")).unwrap()
}
