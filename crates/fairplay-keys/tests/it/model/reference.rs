//! What has to be true: each call as a row of moments, between which another caller may do something.

use std::collections::{BTreeMap, BTreeSet};

use fairplay_keys::Answer;

use super::{Answered, Call, Grants, Luck, PLAYBACK, STORAGE, keys_of};

/// Which keys there are, and which assets were registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    now: u32,
    keys: BTreeMap<usize, Key>,
    wanted: BTreeSet<usize>,
    /// How the last calls answered.
    answers: [Option<Option<Shown>>; 2],
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    made: u32,
    played: Option<u32>,
    grants: Grants,
    holders: BTreeSet<usize>,
    /// Told apart within a step: each key that is obtained, and each that the platform replaces.
    serial: u32,
}

/// An [`Answer`] that has an order.
type Shown = &'static str;

/// All that may be true.
pub(super) type Possible = BTreeSet<State>;

/// What is stored, by key: whether it is valid; and which assets are registered.
pub(super) type Seen = (BTreeMap<usize, bool>, BTreeSet<usize>);

/// A call under way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    call: Call,
    moment: usize,
    /// What was read: the key's serial, if there was one that is valid.
    saw: Saw,
    answer: Option<Option<Shown>>,
    is_done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Saw {
    Nothing,
    Expired,
    Valid(u32),
}

const fn shown(answer: Answer) -> Shown {
    match answer {
        Answer::Stored => "stored",
        Answer::Renewed => "renewed",
        Answer::Streamed => "streamed",
        Answer::AskAgain => "ask again",
        _ => "something else",
    }
}

impl State {
    fn is_valid(&self, key: &Key) -> bool {
        match (key.played, key.grants) {
            (Some(since), Grants::Dual) => self.now - since <= PLAYBACK,
            _ => self.now - key.made <= STORAGE,
        }
    }

    fn see(&self, key: usize) -> Saw {
        match self.keys.get(&key) {
            None => Saw::Nothing,
            Some(key) if self.is_valid(key) => Saw::Valid(key.serial),
            Some(_) => Saw::Expired,
        }
    }

    /// A new license; none for an asset that is not registered.
    fn put(&self, asset: usize, key: usize, grants: Grants) -> Option<Self> {
        let mut state = self.clone();
        let (holders, serial) =
            state.keys.remove(&key).map_or((BTreeSet::new(), 0), |old| (old.holders, old.serial + 1));
        let new = Key { made: self.now, played: None, grants, holders, serial };
        state.keys.insert(key, new);
        state.hold(asset, key)
    }

    fn hold(&self, asset: usize, key: usize) -> Option<Self> {
        let mut state = self.clone();
        state.keys.get_mut(&key).filter(|_| self.wanted.contains(&asset))?.holders.insert(asset);
        Some(state)
    }

    fn release(&mut self, asset: usize) {
        self.wanted.remove(&asset);
        self.keys.retain(|_, key| {
            key.holders.remove(&asset);
            !key.holders.is_empty()
        });
    }

    /// The platform takes a stored key; one with a playback window it replaces the first time.
    fn play(&self, key: usize) -> Self {
        let (now, mut state) = (self.now, self.clone());
        if let Some(key) =
            state.keys.get_mut(&key).filter(|key| key.grants == Grants::Dual && key.played.is_none())
        {
            key.played = Some(now);
            key.serial += 1;
        }
        state
    }
}

impl Run {
    const fn new(call: Call) -> Self {
        Self { call, moment: 0, saw: Saw::Nothing, answer: None, is_done: false }
    }

    fn next(&self) -> Self {
        Self { moment: self.moment + 1, ..self.clone() }
    }

    fn done(&self, answer: Option<Option<Shown>>) -> Self {
        Self { is_done: true, answer, ..self.clone() }
    }

    const fn luck(&self) -> Luck {
        match self.call {
            Call::Acquire(_, luck) | Call::Renew(_, luck) | Call::AnswerOnline(_, _, luck) => luck,
            Call::Release(_) | Call::Answer(_) => Luck::Licensed,
        }
    }

    /// What may come of the next moment of this call, while another is under way or not.
    fn advance(&self, state: &State, other: Option<&Self>, grants: Grants) -> Vec<(State, Self)> {
        match self.call {
            Call::Release(asset) => {
                let mut state = state.clone();
                state.release(asset);
                vec![(state, self.done(None))]
            }
            Call::Acquire(asset, _) => self.acquire(asset, state, other, grants),
            Call::Renew(asset, _) => self.renew(asset, state, other, grants),
            Call::Answer(key) if self.moment == 0 => {
                vec![(state.clone(), Self { saw: state.see(key), ..self.next() })]
            }
            Call::Answer(key) => self.answer(key, "stored", state),
            Call::AnswerOnline(asset, key, _) => self.answer_online((asset, key), state, other, grants),
        }
    }

    /// Registered; then for each key: seen, obtained.
    fn acquire(
        &self,
        asset: usize,
        state: &State,
        other: Option<&Self>,
        grants: Grants,
    ) -> Vec<(State, Self)> {
        let keys = keys_of(asset);
        match (self.moment.checked_sub(1), self.moment % 2) {
            (None, _) => {
                let mut state = state.clone();
                state.wanted.insert(asset);
                vec![(state, self.next())]
            }
            (Some(at), 1) if at < 4 => {
                vec![(state.clone(), Self { saw: state.see(keys[at / 2]), ..self.next() })]
            }
            (Some(at), 0) if at < 4 => {
                let key = keys[at / 2];
                let states = match self.saw {
                    Saw::Valid(_) => vec![state.hold(asset, key).unwrap_or_else(|| state.clone())],
                    Saw::Nothing | Saw::Expired => self.obtain((asset, key), state, other, grants),
                };
                states.into_iter().map(|state| (state, self.next())).collect()
            }
            _ => vec![(state.clone(), self.done(None))],
        }
    }

    fn renew(&self, asset: usize, state: &State, other: Option<&Self>, grants: Grants) -> Vec<(State, Self)> {
        match self.moment {
            0 if !state.wanted.contains(&asset) => vec![(state.clone(), self.done(None))],
            0 => vec![(state.clone(), self.next())],
            at @ 1..=2 => {
                let states = self.obtain((asset, keys_of(asset)[at - 1]), state, other, grants);
                states.into_iter().map(|state| (state, self.next())).collect()
            }
            _ => vec![(state.clone(), self.done(None))],
        }
    }

    /// By a license of its own, or by what another call at the same time has of the service.
    fn obtain(
        &self,
        (asset, key): (usize, usize),
        state: &State,
        other: Option<&Self>,
        grants: Grants,
    ) -> Vec<State> {
        let own = if self.luck() == Luck::Licensed { state.put(asset, key, grants) } else { None };
        let mut states = vec![own.unwrap_or_else(|| state.clone())];
        if let Some(other) = other {
            states.extend(state.hold(asset, key));
            // A failure of the service is shared; that the other was cancelled, or given up, is its own.
            states.extend(Some(state.clone()).filter(|_| other.luck() == Luck::NobodyThere));
        }
        states
    }

    /// With what was seen. If the key was replaced or given up meanwhile, the platform may take the old one or not.
    fn answer(&self, key: usize, how: Shown, state: &State) -> Vec<(State, Self)> {
        match self.saw {
            Saw::Nothing | Saw::Expired => vec![(state.clone(), self.done(Some(None)))],
            seen if state.see(key) == seen => vec![(state.play(key), self.done(Some(Some(how))))],
            Saw::Valid(_) => {
                vec![(state.clone(), self.done(Some(None))), (state.clone(), self.done(Some(Some(how))))]
            }
        }
    }

    fn answer_online(
        &self,
        (asset, key): (usize, usize),
        state: &State,
        other: Option<&Self>,
        grants: Grants,
    ) -> Vec<(State, Self)> {
        match (self.moment, self.saw) {
            (0 | 2, _) => vec![(state.clone(), Self { saw: state.see(key), ..self.next() })],
            (1, Saw::Valid(_)) => {
                let mut all = self.answer(key, "stored", state);
                if state.see(key) != self.saw && self.luck() == Luck::Licensed {
                    let renewed = self.obtain((asset, key), state, other, grants);
                    all.extend(renewed.into_iter().map(|state| (state, self.done(Some(Some("ask again"))))));
                }
                all
            }
            (1, Saw::Nothing) => {
                let streamed = Some("streamed").filter(|_| self.luck() == Luck::Licensed);
                vec![(state.clone(), self.done(Some(streamed)))]
            }
            (1, Saw::Expired) => {
                // Alone, a renewal has gone well exactly when there is a valid key after it.
                let (states, alone) = (self.obtain((asset, key), state, other, grants), other.is_none());
                let next = |state: State| {
                    let is_valid = matches!(state.see(key), Saw::Valid(_));
                    let (well, badly) = ((state.clone(), self.next()), (state, self.done(Some(None))));
                    [Some(well).filter(|_| is_valid || !alone), Some(badly).filter(|_| !is_valid || !alone)]
                };
                states.into_iter().flat_map(next).flatten().collect()
            }
            _ => self.answer(key, "renewed", state),
        }
    }
}

/// All that may come of one call.
pub(super) fn one(possible: &Possible, call: Call, grants: Grants) -> Possible {
    run(possible, vec![Run::new(call)], grants)
}

/// All that may come of two at the same time.
pub(super) fn both(possible: &Possible, first: Call, second: Call, grants: Grants) -> Possible {
    run(possible, vec![Run::new(first), Run::new(second)], grants)
}

fn run(possible: &Possible, runs: Vec<Run>, grants: Grants) -> Possible {
    let mut ahead: Vec<(State, Vec<Run>)> =
        possible.iter().map(|state| (State { answers: [None; 2], ..state.clone() }, runs.clone())).collect();
    let (mut seen, mut ends) = (BTreeSet::new(), BTreeSet::new());
    while let Some((state, runs)) = ahead.pop() {
        if !seen.insert((state.clone(), runs.clone())) {
            continue;
        }
        if runs.iter().all(|run| run.is_done) {
            ends.insert(ended(state, &runs));
            continue;
        }
        for (at, run) in runs.iter().enumerate().filter(|(_, run)| !run.is_done) {
            let other = runs.iter().enumerate().find(|(other, _)| *other != at).map(|(_, run)| run);
            for (state, run) in run.advance(&state, other, grants) {
                let mut runs = runs.clone();
                runs[at] = run;
                ahead.push((state, runs));
            }
        }
    }
    ends
}

/// Serial numbers tell nothing once a step is over.
fn ended(mut state: State, runs: &[Run]) -> State {
    state.keys.values_mut().for_each(|key| key.serial = 0);
    for (answer, run) in state.answers.iter_mut().zip(runs) {
        *answer = run.answer;
    }
    state
}

pub(super) fn later(possible: &Possible, seconds: u32) -> Possible {
    possible.iter().map(|state| State { now: state.now + seconds, ..state.clone() }).collect()
}

/// Those that what was observed does not rule out.
pub(super) fn agreeing(possible: &Possible, (seen, answers): &(Seen, [Answered; 2])) -> Possible {
    let answers = answers.map(|answer| answer.map(|answer| answer.map(shown)));
    let agrees = |state: &&State| {
        let keys = state.keys.iter().map(|(at, key)| (*at, state.is_valid(key))).collect();
        let quiet = answers == [None; 2];
        (keys, state.wanted.clone()) == *seen && (quiet || state.answers == answers)
    };
    possible.iter().filter(agrees).map(|state| State { answers: [None; 2], ..state.clone() }).collect()
}
