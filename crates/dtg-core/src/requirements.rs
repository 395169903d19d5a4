//! What must be true before and while an item is downloaded.

/// What the manager asks of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// Bytes that stay free on the volume beyond what is still to come.
    pub reserve_bytes: u64,
}

impl Default for Requirements {
    /// 200 MB stay free, as in the reference.
    fn default() -> Self {
        Self { reserve_bytes: 200_000_000 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_refused_when_free_space_is_not_more_than_what_comes_and_the_reserve() {
        let requirements = Requirements { reserve_bytes: 200 };
        assert_eq!(requirements.missing_space(100, 300), Some(300));
        assert_eq!(requirements.missing_space(100, 301), None);
        assert_eq!(requirements.missing_space(u64::MAX, 5), Some(u64::MAX));
    }
}
