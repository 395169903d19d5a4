//! When the power goes, and what is left of what was not synced.

use std::io;

/// Counts operations, and knows during which one the power goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Power {
    operations: u64,
    cut_at: Option<u64>,
}

impl Power {
    pub(super) const fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) const fn cut_at(&mut self, operation: u64) {
        self.cut_at = Some(operation);
    }

    /// Fails once the power is gone.
    pub(super) fn is_on(&self) -> io::Result<()> {
        if self.cut_at.is_some_and(|cut| self.operations >= cut) {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(())
    }

    /// Begins an operation; it may be the one during which the power goes.
    pub(super) fn spend(&mut self) -> io::Result<()> {
        self.is_on()?;
        self.operations = self.operations.saturating_add(1);
        Ok(())
    }
}

/// What becomes of the changes that were not synced when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// All are lost.
    Nothing,
    /// None is lost: what a killed process leaves.
    Everything,
    /// Each survives or not, whole or in part, as this seed has it.
    Some(u64),
}

/// What becomes of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Lost,
    Whole,
    /// So many parts in 256 of a write, from its start.
    Torn(u8),
    /// The file is as long as if the bytes had come; they are zeros.
    Zeros,
}

/// Deals out fates, the same ones for the same seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Fates {
    survival: Survival,
    state: u64,
    /// That of all changes of the present file; `None` where each has its own.
    shared: Option<Fate>,
}

impl Fates {
    pub(super) const fn new(survival: Survival) -> Self {
        let state = if let Survival::Some(seed) = survival { seed } else { 0 };
        Self { survival, state, shared: None }
    }

    /// The changes from here on are of another file: many file systems write files back one by one, so that one
    /// has all of its bytes and another one none, or zeros for them.
    pub(super) fn turn(&mut self) {
        let [kind, ..] = self.draw().to_le_bytes();
        self.shared = match kind % 8 {
            0 => Some(Fate::Lost),
            1..=2 => Some(Fate::Whole),
            3..=4 => Some(Fate::Zeros),
            _ => None,
        };
    }

    pub(super) fn next(&mut self) -> Fate {
        match (self.survival, self.shared) {
            (Survival::Nothing, _) => Fate::Lost,
            (Survival::Everything, _) => Fate::Whole,
            (Survival::Some(_), Some(shared)) => shared,
            (Survival::Some(_), None) => {
                let [kind, parts, ..] = self.draw().to_le_bytes();
                match kind % 8 {
                    0..=2 => Fate::Lost,
                    3..=5 => Fate::Whole,
                    6 => Fate::Torn(parts),
                    _ => Fate::Zeros,
                }
            }
        }
    }

    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
