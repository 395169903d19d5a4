//! Which requests suffer which fault.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Fault, Request};

type Predicate = dyn Fn(&Request) -> bool + Send + Sync;

/// A fault and the requests it is for. A bare [`Fault`] is a rule for all of them.
///
/// Conditions are all to be met. Counting counts the requests that meet [`Rule::on`] and [`Rule::when`].
#[derive(Clone)]
pub struct Rule {
    fault: Fault,
    pattern: Option<String>,
    predicate: Option<Arc<Predicate>>,
    skip: u64,
    first: u64,
    every: u64,
    dice: Option<Dice>,
}

impl Fault {
    /// For targets that match this pattern only: see [`Rule::on`].
    #[must_use]
    pub fn on(self, pattern: impl Into<String>) -> Rule {
        Rule::from(self).on(pattern)
    }

    /// For the first `n` requests only.
    #[must_use]
    pub fn first(self, n: u64) -> Rule {
        Rule::from(self).first(n)
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self { fault, pattern: None, predicate: None, skip: 0, first: u64::MAX, every: 1, dice: None }
    }
}

impl Rule {
    /// For paths that match; `*` stands for any text. A pattern with a `?` is matched with path and query.
    #[must_use]
    pub fn on(self, pattern: impl Into<String>) -> Self {
        Self { pattern: Some(pattern.into()), ..self }
    }

    /// For requests of which this is true.
    #[must_use]
    pub fn when(self, predicate: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self { predicate: Some(Arc::new(predicate)), ..self }
    }

    /// For the first `n` only, counted after [`Rule::skip`].
    #[must_use]
    pub fn first(self, n: u64) -> Self {
        Self { first: n, ..self }
    }

    /// Not for the first `n`.
    #[must_use]
    pub fn skip(self, n: u64) -> Self {
        Self { skip: n, ..self }
    }

    /// For one in `n` only: the first, then each n-th after it.
    #[must_use]
    pub fn every(self, n: u64) -> Self {
        Self { every: n.max(1), ..self }
    }

    /// For about one in `one_in`, drawn from `seed`, path and count: the same at each run.
    #[must_use]
    pub fn random(self, seed: u64, one_in: u32) -> Self {
        Self { dice: Some(Dice { seed, one_in }), ..self }
    }

    fn concerns(&self, request: &Request) -> bool {
        let matches = self.pattern.as_deref().is_none_or(|pattern| {
            glob(pattern, if pattern.contains('?') { &request.target } else { request.path() })
        });
        matches && self.predicate.as_ref().is_none_or(|predicate| predicate(request))
    }

    /// Whether the `count`-th request that it concerns, from 0, is one it is for.
    fn counts(&self, count: u64) -> bool {
        count
            .checked_sub(self.skip)
            .is_some_and(|count| count < self.first && count.is_multiple_of(self.every))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, pattern, predicate, skip, first, every, dice } = self;
        let mut shown = f.debug_struct("Rule");
        shown.field("fault", fault).field("pattern", pattern).field("predicate", &predicate.is_some());
        shown.field("skip", skip).field("first", first).field("every", every).field("dice", dice).finish()
    }
}

/// A script for [`Origin::script`](crate::Origin::script): about one request in `one_in` gets one of `faults`.
///
/// Which, depends on the seed, the path and how often the path was asked for, not on the order in which
/// threads arrive: equal seeds give equal faults.
pub fn at_random(
    seed: u64,
    one_in: u32,
    faults: Vec<Fault>,
) -> impl Fn(&Request, u64) -> Option<Fault> + Send + Sync + 'static {
    let dice = Dice { seed, one_in };
    move |request, nth| {
        let drawn = usize::try_from(dice.draw(request, nth, 1) >> 32).unwrap_or_default();
        let fault = faults.get(drawn.checked_rem(faults.len())?);
        fault.filter(|_| dice.hits(request, nth)).cloned()
    }
}

#[derive(Debug, Clone, Copy)]
struct Dice {
    seed: u64,
    one_in: u32,
}

impl Dice {
    fn hits(self, request: &Request, nth: u64) -> bool {
        (self.draw(request, nth, 0) >> 32).is_multiple_of(u64::from(self.one_in.max(1)))
    }

    /// FNV-1a of the path, mixed by the finaliser of SplitMix64 with seed, count and throw.
    fn draw(self, request: &Request, nth: u64, throw: u64) -> u64 {
        let path = request.path().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        [nth, throw].into_iter().fold(mix(self.seed) ^ path, |state, more| mix(state.wrapping_add(more)))
    }
}

const fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `*` stands for any text, also none.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_suffix(end) else { return false };
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    true
}

type Function = dyn Fn(&Request, u64) -> Option<Fault> + Send + Sync;

/// All rules and functions of an origin, and what they have counted.
#[derive(Default)]
pub(super) struct Script {
    rules: Mutex<Vec<Arc<Counted>>>,
    functions: Mutex<Vec<Arc<Function>>>,
    asked: Mutex<HashMap<String, u64>>,
}

struct Counted {
    rule: Rule,
    count: Mutex<u64>,
}

impl Script {
    pub(super) fn add(&self, rule: Rule) {
        let counted = Arc::new(Counted { rule, count: Mutex::new(0) });
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(counted);
    }

    pub(super) fn add_function(&self, decide: Box<Function>) {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).push(decide.into());
    }

    pub(super) fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How often this path was asked for, from 1, and the faults of this request, in order.
    ///
    /// The caller's functions run without a lock: they may use the origin.
    pub(super) fn decide(&self, request: &Request) -> (u64, Vec<Fault>) {
        let nth = self.count(request);
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut faults = Vec::new();
        for fault in rules.iter().filter_map(|counted| counted.decide(request, nth)) {
            fault.flatten_into(&mut faults);
        }
        for fault in functions.iter().filter_map(|decide| decide(request, nth)) {
            fault.flatten_into(&mut faults);
        }
        (nth, faults)
    }

    fn count(&self, request: &Request) -> u64 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(request.path().to_owned()).or_default();
        *count += 1;
        *count
    }
}

impl Counted {
    fn decide(&self, request: &Request, nth: u64) -> Option<Fault> {
        if !self.rule.concerns(request) {
            return None;
        }
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let this = *count;
        *count += 1;
        let applies = self.rule.counts(this) && self.rule.dice.is_none_or(|dice| dice.hits(request, nth));
        applies.then(|| self.rule.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_glob(pattern: &str, matching: &[&str], others: &[&str]) {
        for text in matching {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for text in others {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        check_glob("/a.ts", &["/a.ts"], &["/a.ts2", "/b.ts", ""]);
        check_glob("/seg-*.ts", &["/seg-1.ts", "/seg-.ts", "/seg-a/b.ts"], &["/seg-1.ts?x", "/x/seg-1.ts"]);
        check_glob("*/v*/*.ts", &["/x/v1/2.ts", "/v/.ts"], &["/v.ts", "/x/2.ts"]);
        check_glob("*", &["", "/a"], &[]);
        check_glob("/aa*a", &["/aaa"], &["/aa"]);
    }

    /// The requests, of ten for one path, that suffer the rule's fault.
    fn hit(rule: Rule) -> String {
        let script = Script::default();
        script.add(rule);
        let hits = (0..10).map(|_| script.decide(&Request::get("/a")).1.len());
        hits.map(|count| if count > 0 { 'x' } else { '.' }).collect()
    }

    #[test]
    fn a_rule_counts_the_requests_it_concerns() {
        assert_eq!(hit(Fault::Html.into()), "xxxxxxxxxx");
        assert_eq!(hit(Fault::Html.first(2)), "xx........");
        assert_eq!(hit(Rule::from(Fault::Html).skip(3).first(2)), "...xx.....");
        assert_eq!(hit(Rule::from(Fault::Html).skip(1).every(3)), ".x..x..x..");
        assert_eq!(hit(Fault::Html.on("/b")), "..........");
    }

    #[test]
    fn equal_seeds_give_equal_faults_and_other_seeds_others() {
        let draws = |seed| {
            let script = at_random(seed, 2, vec![Fault::Html, Fault::Empty]);
            (1..=64).map(move |nth| script(&Request::get("/a"), nth)).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let hits = draws(7).into_iter().flatten().count();
        assert!((16..=48).contains(&hits), "{hits} of 64 at one in two");
        assert!(draws(7).contains(&Some(Fault::Html)) && draws(7).contains(&Some(Fault::Empty)));
    }
}
