//! A model of two assets that share a key, and of one or two callers: whatever is done in whatever order or at the same time,
//! each request has one answer, a key that was obtained plays until it expires or is given up, and nothing comes back.

mod engine;
mod reference;

use std::time::Duration;

use fairplay_keys::{Answer, KeyError, Recovered};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use engine::System;
use reference::{Possible, State};

/// Keys are stored, and played once they were played, for so long; time passes in steps of less.
const STORAGE: u32 = 1000;
const PLAYBACK: u32 = 300;
const NOW: i64 = 1_800_000_000;
const KEYS: [&str; 3] = ["key-0", "key-1", "key-2"];

/// Asset 0 has the first two keys, asset 1 the last two.
const fn keys_of(asset: usize) -> [usize; 2] {
    [asset, asset + 1]
}

/// How a caller fares with the license service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Luck {
    Licensed,
    Denied,
    NobodyThere,
    Spoiled,
    /// Its call is cancelled in the middle.
    Cancelled,
}

/// What one caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    Acquire(usize, Luck),
    Renew(usize, Luck),
    Release(usize),
    Answer(usize),
    AnswerOnline(usize, usize, Luck),
}

#[derive(Debug, Clone)]
enum Step {
    /// Licenses of this step know a playback window, or none.
    One(Call, Grants),
    /// Two callers at the same time.
    Both(Call, Call, Grants),
    Deliver(usize),
    /// The platform tells late of a key that replaced one of long ago.
    LateUpdate(usize),
    Wait(u32),
    /// The process dies and comes again.
    Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grants {
    Storage,
    Dual,
}

/// What came of a call that answers a request: how, or that with an error.
type Answered = Option<Option<Answer>>;

fn answered(result: &Result<Answer, KeyError>) -> Answered {
    Some(result.as_ref().ok().copied())
}

fn call(luck: impl Strategy<Value = Luck> + Clone + 'static) -> impl Strategy<Value = Call> {
    let online = luck.clone().prop_map(|luck| if luck == Luck::Cancelled { Luck::NobodyThere } else { luck });
    prop_oneof![
        3 => (0..2_usize, luck.clone()).prop_map(|(asset, luck)| Call::Acquire(asset, luck)),
        2 => (0..2_usize, luck).prop_map(|(asset, luck)| Call::Renew(asset, luck)),
        1 => (0..2_usize).prop_map(Call::Release),
        3 => (0..3_usize).prop_map(Call::Answer),
        3 => (0..2_usize, 0..2_usize, online)
            .prop_map(|(asset, of, luck)| Call::AnswerOnline(asset, keys_of(asset)[of], luck)),
    ]
}

/// Steps don't depend on what was done before: what is true of an asset that was never registered has to be true too.
struct Steps;

impl ReferenceStateMachine for Steps {
    type State = ();
    type Transition = Step;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Step> {
        use Luck::{Cancelled, Denied, Licensed, NobodyThere, Spoiled};
        let any_luck = prop_oneof![
            6 => Just(Licensed), 1 => Just(Denied), 1 => Just(NobodyThere), 1 => Just(Spoiled), 1 => Just(Cancelled)
        ];
        // The service is the same for both; the callers' own luck differs.
        let own_luck = prop_oneof![4 => Just(Licensed), 1 => Just(NobodyThere), 2 => Just(Cancelled)];
        let grants = || prop_oneof![Just(Grants::Storage), Just(Grants::Dual)];
        prop_oneof![
            8 => (call(any_luck), grants()).prop_map(|(call, grants)| Step::One(call, grants)),
            5 => (call(own_luck.clone()), call(own_luck), grants()).prop_map(|(a, b, grants)| Step::Both(a, b, grants)),
            1 => (0..3_usize).prop_map(Step::Deliver),
            1 => (0..3_usize).prop_map(Step::LateUpdate),
            2 => (1..700_u32).prop_map(Step::Wait),
            1 => Just(Step::Restart),
        ]
        .boxed()
    }

    fn apply((): (), _: &Step) {}
}

/// The engine, and all that may be true of it.
struct Pair {
    system: System,
    possible: Possible,
}

struct Machine;

impl StateMachineTest for Machine {
    type SystemUnderTest = Pair;
    type Reference = Steps;

    fn init_test((): &()) -> Pair {
        Pair { system: System::new(), possible: Possible::from([State::default()]) }
    }

    fn apply(mut pair: Pair, (): &(), step: Step) -> Pair {
        let Pair { system, possible } = &mut pair;
        let shown = format!("{step:?} after {possible:?}");
        let observed = match step {
            Step::One(call, grants) => {
                system.grant(grants, Some(call));
                *possible = reference::one(possible, call, grants);
                [system.call(call), None]
            }
            Step::Both(first, second, grants) => {
                system.grant(grants, None);
                *possible = reference::both(possible, first, second, grants);
                let system = &*system;
                std::thread::scope(|scope| {
                    let other = scope.spawn(move || system.call(second));
                    [system.call(first), other.join().unwrap()]
                })
            }
            Step::Deliver(key) => {
                system.deliver(key);
                [None, None]
            }
            Step::LateUpdate(key) => {
                system.late_update(key);
                [None, None]
            }
            Step::Wait(seconds) => {
                system.clock.advance(Duration::from_secs(seconds.into()));
                *possible = reference::later(possible, seconds);
                [None, None]
            }
            Step::Restart => {
                system.restart();
                assert_eq!(system.engine.recover().unwrap(), Recovered::default());
                [None, None]
            }
        };
        let observed = (system.seen(), observed);
        *possible = reference::agreeing(possible, &observed);
        assert!(!possible.is_empty(), "{shown}: {observed:?}");
        pair
    }

    fn check_invariants(pair: &Pair, (): &()) {
        pair.system.check_answers();
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_each_request_has_one_answer_and_no_working_key_is_lost(sequential 1..14 => Machine);
}
