//! A model of two assets that share a key: whatever is done in whatever order, each request has one answer, a key that was
//! obtained plays until it expires or is given up, and nothing comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dtg_testkit::fairplay::{
    ContentKey, Flaw, Grant, KeyServer, LicenseOutcome, Policy, Protocol, TestCdm, TestClock,
};
use fairplay_keys::{
    Answer, AssetId, Cancel, Certificate, ContentKeySystem, Engine, EngineParts, EnginePolicy, Intent,
    KeyDemand, KeyError, KeyPlan, KeyUri, LicenseSource, LicenseUrl, MemoryStore, NoToken, Online, Place,
    Recovered, TemplateProvider,
};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::transport::Plain;

/// Keys live so long; time passes in steps of less.
const TERM: u32 = 1000;
const NOW: i64 = 1_800_000_000;
const KEYS: [&str; 3] = ["key-0", "key-1", "key-2"];

/// Asset 0 has the first two keys, asset 1 the last two.
const fn keys_of(asset: usize) -> [usize; 2] {
    [asset, asset + 1]
}

/// What the license server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Licenses,
    Denies,
    IsAway,
    Spoils,
}

#[derive(Debug, Clone)]
enum Step {
    Acquire(usize, Mood),
    Renew(usize, Mood),
    Release(usize),
    Answer(usize),
    AnswerOnline(usize, usize, Mood),
    Deliver(usize),
    Wait(u32),
    /// The process dies and comes again.
    Restart,
}

/// What has to be true.
#[derive(Debug, Clone, Default)]
struct Model {
    now: u32,
    /// When a stored key was made, and who holds it.
    keys: BTreeMap<usize, (u32, BTreeSet<usize>)>,
    /// Assets that were registered, whether or not all went well.
    wanted: BTreeSet<usize>,
    /// How the last request was to be answered; `None`: with an error.
    answer: Option<Answer>,
}

impl Model {
    fn is_valid(&self, key: usize) -> bool {
        self.keys.get(&key).is_some_and(|(made, _)| self.now - made <= TERM)
    }

    fn obtain(&mut self, asset: usize, key: usize, mood: Mood, anew: bool) {
        if anew || !self.is_valid(key) {
            if mood != Mood::Licenses {
                return;
            }
            let holders = self.keys.remove(&key).map(|(_, holders)| holders).unwrap_or_default();
            self.keys.insert(key, (self.now, holders));
        }
        self.keys.get_mut(&key).unwrap().1.insert(asset);
    }

    fn release(&mut self, asset: usize) {
        self.wanted.remove(&asset);
        self.keys.retain(|_, (_, holders)| {
            holders.remove(&asset);
            !holders.is_empty()
        });
    }

    fn answer_online(&mut self, asset: usize, key: usize, mood: Mood) -> Option<Answer> {
        let licenses = mood == Mood::Licenses;
        match (self.is_valid(key), self.keys.contains_key(&key)) {
            (true, _) => Some(Answer::Stored),
            (false, false) => Some(Answer::Streamed).filter(|_| licenses),
            (false, true) if licenses => {
                self.obtain(asset, key, mood, true);
                Some(Answer::Renewed)
            }
            (false, true) => None,
        }
    }
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![5 => Just(Mood::Licenses), 1 => Just(Mood::Denies), 1 => Just(Mood::IsAway), 1 => Just(Mood::Spoils)]
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        prop_oneof![
            3 => (0..2_usize, mood()).prop_map(|(asset, mood)| Step::Acquire(asset, mood)),
            2 => (0..2_usize, mood()).prop_map(|(asset, mood)| Step::Renew(asset, mood)),
            1 => (0..2_usize).prop_map(Step::Release),
            3 => (0..3_usize).prop_map(Step::Answer),
            3 => (0..2_usize, 0..2_usize, mood())
                .prop_map(|(asset, of, mood)| Step::AnswerOnline(asset, keys_of(asset)[of], mood)),
            1 => (0..3_usize).prop_map(Step::Deliver),
            2 => (1..700_u32).prop_map(Step::Wait),
            1 => Just(Step::Restart),
        ]
        .boxed()
    }

    fn preconditions(model: &Self, step: &Step) -> bool {
        // Who renews at playback is a registered asset.
        !matches!(step, Step::AnswerOnline(asset, ..) if !model.wanted.contains(asset))
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        model.answer = None;
        match *step {
            Step::Acquire(asset, mood) => {
                model.wanted.insert(asset);
                keys_of(asset).into_iter().for_each(|key| model.obtain(asset, key, mood, false));
            }
            Step::Renew(asset, mood) if model.wanted.contains(&asset) => {
                keys_of(asset).into_iter().for_each(|key| model.obtain(asset, key, mood, true));
            }
            Step::Release(asset) => model.release(asset),
            Step::Answer(key) => model.answer = Some(Answer::Stored).filter(|_| model.is_valid(key)),
            Step::AnswerOnline(asset, key, mood) => model.answer = model.answer_online(asset, key, mood),
            Step::Wait(seconds) => model.now += seconds,
            Step::Renew(..) | Step::Deliver(_) | Step::Restart => {}
        }
        model
    }
}

/// The engine, with everything around it.
struct System {
    server: KeyServer,
    clock: TestClock,
    device: TestCdm,
    store: Arc<MemoryStore>,
    engine: Engine,
    answered: Option<Result<Answer, KeyError>>,
}

impl System {
    fn license(&self, mood: Mood) -> LicenseSource {
        let url = match mood {
            // Nobody listens on the discard port of loopback.
            Mood::IsAway => "http://127.0.0.1:9/".to_owned(),
            Mood::Licenses | Mood::Denies | Mood::Spoils => self.server.license_url(&Protocol::KALTURA),
        };
        self.server.set_policy(match mood {
            Mood::Licenses | Mood::IsAway => Policy::granting(Grant::PersistFor(TERM)),
            Mood::Denies => Policy::denying(403, "no"),
            Mood::Spoils => Policy::with_flaw(Flaw::OtherR1),
        });
        LicenseSource {
            url: LicenseUrl::new(url),
            certificate: Certificate::from_bytes(self.server.certificate()).unwrap(),
            provider: Arc::new(TemplateProvider::kaltura()),
            tokens: Arc::new(NoToken),
        }
    }

    fn acquire(&self, number: usize, mood: Mood) {
        let demand = |key: usize| KeyDemand {
            key_uri: uri(key),
            key_format_versions: None,
            places: vec![Place::Session],
        };
        let plan = KeyPlan { required: keys_of(number).map(demand).to_vec(), ..KeyPlan::default() };
        self.engine.acquire(&asset(number), &plan, &self.license(mood), &Cancel::new()).unwrap();
    }

    fn answer(&self, key: usize, online: Option<(usize, Mood)>) -> Result<Answer, KeyError> {
        let request = self.device.open(&uri(key), Intent::Play).unwrap();
        let Some((number, mood)) = online else { return self.engine.answer(request) };
        let (asset, license) = (asset(number), self.license(mood));
        let online = Online { asset: &asset, license: &license, deadline: Duration::from_secs(600) };
        self.engine.answer_online(request, online)
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

fn uri(key: usize) -> KeyUri {
    KeyUri::new(format!("skd://{}", KEYS[key])).unwrap()
}

fn asset(number: usize) -> AssetId {
    AssetId::new(format!("asset-{number}")).unwrap()
}

struct Machine;

impl StateMachineTest for Machine {
    type SystemUnderTest = System;
    type Reference = Model;

    fn init_test(_: &Model) -> System {
        let server = KeyServer::start(1).unwrap();
        KEYS.into_iter().for_each(|key| server.add_content(key, ContentKey::derived(key.as_bytes())));
        let clock = TestClock::at(NOW);
        let (device, store) = (TestCdm::new(2, Arc::new(clock.clone())), Arc::new(MemoryStore::new()));
        let engine = engine(&device, &store, &clock);
        System { server, clock, device, store, engine, answered: None }
    }

    fn apply(mut system: System, model: &Model, step: Step) -> System {
        system.answered = None;
        match step {
            Step::Acquire(asset, mood) => system.acquire(asset, mood),
            Step::Renew(number, mood) => {
                drop(system.engine.renew(&asset(number), &system.license(mood), &Cancel::new()));
            }
            Step::Release(number) => {
                system.engine.release(&asset(number)).unwrap();
            }
            Step::Answer(key) => system.answered = Some(system.answer(key, None)),
            Step::AnswerOnline(asset, key, mood) => {
                system.answered = Some(system.answer(key, Some((asset, mood))));
            }
            Step::Deliver(key) => {
                let service = system.license(Mood::Licenses).service();
                for release in system.engine.pending_releases().unwrap() {
                    if release.key_uri == uri(key) {
                        system.engine.deliver_release(&release, &service, &Cancel::new()).unwrap();
                    }
                }
            }
            Step::Wait(seconds) => system.clock.advance(Duration::from_secs(seconds.into())),
            Step::Restart => {
                system.engine = engine(&system.device, &system.store, &system.clock);
                assert_eq!(system.engine.recover().unwrap(), Recovered::default());
            }
        }
        if let Some(answered) = &system.answered {
            assert_eq!(answered.as_ref().ok(), model.answer.as_ref(), "{answered:?}");
        }
        system
    }

    fn check_invariants(system: &System, model: &Model) {
        for request in system.device.requests() {
            assert_eq!(request.answers.len(), 1, "each request has one answer: {request:?}");
        }
        for exchange in system.server.exchanges() {
            assert!(
                !matches!(exchange.outcome, LicenseOutcome::Refused(_)),
                "each SPC is sent once: {exchange:?}"
            );
        }
        for number in 0..2 {
            let stored =
                |key: &usize| model.keys.get(key).is_some_and(|(_, holders)| holders.contains(&number));
            let expected = keys_of(number).iter().filter(|key| stored(key)).count();
            let status = system.engine.status(&asset(number)).unwrap();
            assert_eq!(status.is_some(), model.wanted.contains(&number), "asset {number}");
            if expected == 2 {
                let playable = keys_of(number).iter().all(|key| model.is_valid(*key));
                assert_eq!(status.unwrap().is_playable(), playable, "asset {number}");
            }
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_each_request_has_one_answer_and_no_working_key_is_lost(sequential 1..16 => Machine);
}
