//! Who holds a connection: the attempts in flight, over all and by host.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Claim, Flight, Limits, Rank, RunKey};
use crate::plan::FetchId;

/// The attempts in flight, and those that wait for their host.
#[derive(Debug)]
pub(super) struct Slots {
    limits: Limits,
    flights: BTreeMap<Flight, Held>,
    /// Those that may be told to yield, the least wanted last.
    wanted: BTreeSet<(Rank, FetchId)>,
    /// How many were told to.
    yielding: u32,
    hosts: HashMap<Box<str>, Host>,
}

/// What an attempt holds.
#[derive(Debug)]
struct Held {
    rank: Rank,
    host: Option<Box<str>>,
    yields: bool,
}

#[derive(Debug, Default)]
struct Host {
    taken: u32,
    wanted: BTreeSet<(Rank, FetchId)>,
    parked: BTreeSet<(Rank, FetchId)>,
}

impl Slots {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, flights: BTreeMap::new(), wanted: BTreeSet::new(), yielding: 0, hosts: HashMap::new() }
    }

    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Answers those that waited for a host, and are to ask again.
    pub(super) fn set_limits(&mut self, limits: Limits) -> Vec<(Rank, FetchId)> {
        self.limits = limits;
        self.hosts.values_mut().flat_map(|host| std::mem::take(&mut host.parked)).collect()
    }

    fn in_flight(&self) -> u32 {
        u32::try_from(self.flights.len()).unwrap_or(u32::MAX)
    }

    /// Whether the budget is used up.
    pub(super) fn are_taken(&self) -> bool {
        self.in_flight() >= self.limits.connections
    }

    /// Whether a host's cap can be felt at all.
    pub(super) const fn caps_hosts(&self) -> bool {
        self.limits.per_host < self.limits.connections
    }

    pub(super) fn take(&mut self, rank: Rank, fetch: FetchId) {
        self.flights.insert((rank.key, fetch), Held { rank, host: None, yields: false });
        self.wanted.insert((rank, fetch));
    }

    /// Asks for a slot of a host; a flight that gets none gives its other one back, and waits.
    pub(super) fn claim(&mut self, (rank, fetch): (Rank, FetchId), name: &str) -> Claim {
        if !self.hosts.contains_key(name) {
            self.hosts.insert(name.into(), Host::default());
        }
        let (Some(host), Some(held)) = (self.hosts.get_mut(name), self.flights.get_mut(&(rank.key, fetch)))
        else {
            return Claim::Granted;
        };
        if host.taken < self.limits.per_host {
            host.taken += 1;
            host.wanted.insert((rank, fetch));
            held.host = Some(name.into());
            return Claim::Granted;
        }
        host.parked.insert((rank, fetch));
        let victim = host.wanted.last().filter(|(least, _)| least.priority > rank.priority);
        let victim = victim.map(|(least, fetch)| (least.key, *fetch));
        self.free((rank.key, fetch));
        Claim::Full(victim.filter(|flight| self.told_to_yield(*flight)))
    }

    /// An attempt of a less wanted item than this one, as long as fewer yield than it has `use_for`.
    pub(super) fn yield_to(&mut self, rank: Rank, use_for: u32) -> Option<Flight> {
        let (least, fetch) = self.wanted.last().copied()?;
        let flight = (least.key, fetch);
        let is_due = least.priority > rank.priority && self.yielding < use_for;
        (is_due && self.told_to_yield(flight)).then_some(flight)
    }

    /// Whether this call told it.
    fn told_to_yield(&mut self, flight: Flight) -> bool {
        let Some(held) = self.flights.get_mut(&flight).filter(|held| !held.yields) else { return false };
        held.yields = true;
        self.yielding += 1;
        let place = (held.rank, flight.1);
        self.wanted.remove(&place);
        if let Some(host) = held.host.as_deref().and_then(|name| self.hosts.get_mut(name)) {
            host.wanted.remove(&place);
        }
        true
    }

    /// An attempt ended. Answers the host that has a slot free for it.
    pub(super) fn free(&mut self, flight: Flight) -> Option<Box<str>> {
        let held = self.flights.remove(&flight)?;
        let place = (held.rank, flight.1);
        self.wanted.remove(&place);
        self.yielding -= u32::from(held.yields);
        let name = held.host?;
        let host = self.hosts.get_mut(&name)?;
        host.taken = host.taken.saturating_sub(1);
        host.wanted.remove(&place);
        if host.taken == 0 && host.parked.is_empty() {
            self.hosts.remove(&name);
        }
        Some(name)
    }

    /// Who waits for a slot of this host, if it has one: asks again.
    pub(super) fn next_at(&mut self, name: &str) -> Option<(Rank, FetchId)> {
        let per_host = self.limits.per_host;
        self.hosts.get_mut(name).filter(|host| host.taken < per_host)?.parked.pop_first()
    }

    /// Who waits for a slot of any host that has one: asks again.
    pub(super) fn next_anywhere(&mut self) -> Option<(Rank, FetchId)> {
        let per_host = self.limits.per_host;
        let with_room = self.hosts.values_mut().filter(|host| host.taken < per_host);
        with_room
            .filter(|host| !host.parked.is_empty())
            .min_by_key(|host| host.parked.first().copied())?
            .parked
            .pop_first()
    }

    /// An item is gone: what it has in flight is about to end.
    pub(super) fn abandon(&mut self, key: RunKey) {
        for flight in self.of(key) {
            self.told_to_yield(flight);
        }
        for host in self.hosts.values_mut() {
            host.parked.retain(|(rank, _)| rank.key != key);
        }
        self.hosts.retain(|_, host| host.taken > 0 || !host.parked.is_empty());
    }

    /// An item is wanted more, or less, than before.
    pub(super) fn rerank(&mut self, old: Rank, new: Rank) {
        for flight in self.of(old.key) {
            let Some(held) = self.flights.get_mut(&flight) else { continue };
            held.rank = new;
            let host = held.host.as_deref().and_then(|name| self.hosts.get_mut(name));
            for places in [Some(&mut self.wanted), host.map(|host| &mut host.wanted)].into_iter().flatten() {
                if places.remove(&(old, flight.1)) {
                    places.insert((new, flight.1));
                }
            }
        }
        for host in self.hosts.values_mut() {
            let moved: Vec<FetchId> =
                host.parked.iter().filter(|(rank, _)| *rank == old).map(|(_, fetch)| *fetch).collect();
            for fetch in moved {
                host.parked.remove(&(old, fetch));
                host.parked.insert((new, fetch));
            }
        }
    }

    fn of(&self, key: RunKey) -> Vec<Flight> {
        let all = (key, FetchId(0))..=(key, FetchId(u32::MAX));
        self.flights.range(all).map(|(flight, _)| *flight).collect()
    }
}
