//! What must be true before and while an item is downloaded.

use std::fmt;

/// What an item asks of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// Bytes that stay free on the volume beyond what is still to come.
    pub reserve_bytes: u64,
    /// Over which network it may be downloaded.
    pub network: NetworkNeed,
    /// Whether the device must be charging.
    pub power: PowerNeed,
}

/// Over which network an item may be downloaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NetworkNeed {
    /// Any.
    #[default]
    Any,
    /// One that does not count bytes.
    Unmetered,
}

/// Whether the device must be charging.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PowerNeed {
    /// It need not.
    #[default]
    Any,
    /// It must.
    Charging,
}

/// The device as the application last told of it: see
/// [`ContentManager::set_device`](crate::ContentManager::set_device).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Device {
    /// Its network.
    pub network: Network,
    /// Its power.
    pub power: Power,
}

/// A device's network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// There is none.
    None,
    /// One that counts bytes.
    Metered,
    /// One that does not count bytes; what is taken for true until something else is told.
    #[default]
    Unmetered,
}

/// A device's power.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Power {
    /// It runs on its battery.
    Battery,
    /// It charges, or has no battery; what is taken for true until something else is told.
    #[default]
    Charging,
}

/// Room on the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes of the item that are still to come.
    pub to_come: u64,
    /// Bytes that are free.
    pub free: u64,
}

/// A requirement that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unmet {
    /// There is no network.
    Offline,
    /// The network counts bytes.
    Metered,
    /// The device is not charging.
    NotCharging,
    /// Too little room.
    Space {
        /// Bytes still to come, plus the reserve.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline => f.write_str("a network"),
            Self::Metered => f.write_str("an unmetered network"),
            Self::NotCharging => f.write_str("that the device is charging"),
            Self::Space { needed, free } => write!(f, "{needed} bytes of space ({free} are free)"),
        }
    }
}

impl Default for Requirements {
    /// 200 MB stay free, as in the reference; any network, any power.
    fn default() -> Self {
        Self { reserve_bytes: 200_000_000, network: NetworkNeed::default(), power: PowerNeed::default() }
    }
}

impl Requirements {
    /// How many free bytes are needed for `to_come` more, if `free` are too few.
    #[must_use]
    pub const fn missing_space(&self, to_come: u64, free: u64) -> Option<u64> {
        let needed = to_come.saturating_add(self.reserve_bytes);
        if free > needed { None } else { Some(needed) }
    }
}

/// Every requirement that does not hold. Without `space`, room is not judged.
#[must_use]
pub fn unmet(requirements: &Requirements, device: &Device, space: Option<Space>) -> Vec<Unmet> {
    let network = match (device.network, requirements.network) {
        (Network::None, _) => Some(Unmet::Offline),
        (Network::Metered, NetworkNeed::Unmetered) => Some(Unmet::Metered),
        (Network::Metered | Network::Unmetered, _) => None,
    };
    let is_low = device.power == Power::Battery && requirements.power == PowerNeed::Charging;
    let room = space.and_then(|Space { to_come, free }| {
        requirements.missing_space(to_come, free).map(|needed| Unmet::Space { needed, free })
    });
    [network, is_low.then_some(Unmet::NotCharging), room].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_refused_when_free_space_is_not_more_than_what_comes_and_the_reserve() {
        let requirements = Requirements { reserve_bytes: 200, ..Requirements::default() };
        assert_eq!(requirements.missing_space(100, 300), Some(300));
        assert_eq!(requirements.missing_space(100, 301), None);
        assert_eq!(requirements.missing_space(u64::MAX, 5), Some(u64::MAX));
    }

    /// Needs (`unmetered`, `charging`), the device, and what is unmet.
    #[track_caller]
    fn check(needs: &str, network: Network, power: Power, expected: &[Unmet]) {
        let has = |word: &str| needs.contains(word);
        let requirements = Requirements {
            network: if has("unmetered") { NetworkNeed::Unmetered } else { NetworkNeed::Any },
            power: if has("charging") { PowerNeed::Charging } else { PowerNeed::Any },
            ..Requirements::default()
        };
        assert_eq!(unmet(&requirements, &Device { network, power }, None), expected, "{needs}");
    }

    #[test]
    fn each_requirement_is_held_against_the_device() {
        check("", Network::Unmetered, Power::Charging, &[]);
        check("", Network::Metered, Power::Battery, &[]);
        check("", Network::None, Power::Charging, &[Unmet::Offline]);
        check("unmetered", Network::Metered, Power::Battery, &[Unmet::Metered]);
        check("unmetered", Network::Unmetered, Power::Battery, &[]);
        check("charging", Network::Metered, Power::Battery, &[Unmet::NotCharging]);
        check("charging", Network::Metered, Power::Charging, &[]);
        check("unmetered charging", Network::None, Power::Battery, &[Unmet::Offline, Unmet::NotCharging]);
    }

    #[test]
    fn room_is_judged_where_it_is_known() {
        let requirements = Requirements { reserve_bytes: 10, ..Requirements::default() };
        let space = |free| Some(Space { to_come: 5, free });
        let device = Device::default();
        assert_eq!(unmet(&requirements, &device, space(15)), [Unmet::Space { needed: 15, free: 15 }]);
        assert_eq!(unmet(&requirements, &device, space(16)), []);
    }
}
