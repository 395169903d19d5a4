//! What an item may become, and why. The whole table is one `match`.

use std::fmt;

/// Where an item rests between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemState {
    /// Added; only its id and URL are known.
    New,
    /// A plan is stored; nothing is fetched yet.
    MetadataLoaded,
    /// Its files are being fetched.
    InProgress,
    /// Stopped by the user; start goes on.
    Paused,
    /// Stopped by a passing fault; start goes on.
    Interrupted,
    /// Every file is on disk.
    Completed,
    /// The server refused; start tries again, and nothing that was fetched is lost.
    Failed,
}

impl ItemState {
    /// Every state, in the order of an item's life.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::MetadataLoaded,
        Self::InProgress,
        Self::Paused,
        Self::Interrupted,
        Self::Completed,
        Self::Failed,
    ];

    /// The state's fixed name, as listings and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::MetadataLoaded => "metadata-loaded",
            Self::InProgress => "in-progress",
            Self::Paused => "paused",
            Self::Interrupted => "interrupted",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for ItemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemEvent {
    /// Its plan was stored.
    PlanStored,
    /// The user asked to start or to go on.
    Start,
    /// The user asked to pause.
    Pause,
    /// The last fetch is done and durable.
    LastFetchDone,
    /// A passing fault stopped it: network, server or disk.
    Interrupt,
    /// The server's answer stopped it: trying again as it is can't help.
    Fail,
    /// It is given another address.
    Move,
    /// Its files were looked at, and are not all as they were recorded.
    DamageFound,
}

/// An event that makes no sense in this state; the item is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTransition {
    /// The state the item was, and still is, in.
    pub from: ItemState,
    /// The event that was refused.
    pub event: ItemEvent,
}

impl ItemState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`InvalidTransition`] when the pair is not in the table; nothing changes.
    pub const fn on(self, event: ItemEvent) -> Result<Self, InvalidTransition> {
        match (self, event) {
            (Self::New, ItemEvent::PlanStored) => Ok(Self::MetadataLoaded),
            (
                Self::MetadataLoaded | Self::InProgress | Self::Paused | Self::Interrupted | Self::Failed,
                ItemEvent::Start,
            ) => Ok(Self::InProgress),
            (Self::InProgress, ItemEvent::Pause) => Ok(Self::Paused),
            // An item that isn't running is left as it is: pausing twice is no fault.
            (state, ItemEvent::Pause) => Ok(state),
            (Self::InProgress, ItemEvent::LastFetchDone) => Ok(Self::Completed),
            (Self::InProgress, ItemEvent::Interrupt) => Ok(Self::Interrupted),
            (Self::InProgress, ItemEvent::Fail) => Ok(Self::Failed),
            (Self::InProgress, ItemEvent::Move) => Err(InvalidTransition { from: self, event }),
            (state, ItemEvent::Move) => Ok(state),
            (Self::Completed, ItemEvent::DamageFound) => Ok(Self::Interrupted),
            (Self::New | Self::InProgress, ItemEvent::DamageFound) => {
                Err(InvalidTransition { from: self, event })
            }
            (state, ItemEvent::DamageFound) => Ok(state),
            (from, event) => Err(InvalidTransition { from, event }),
        }
    }
}

impl fmt::Display for InvalidTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.event {
            ItemEvent::PlanStored => "its metadata can't be loaded",
            ItemEvent::Start => "it can't be started",
            ItemEvent::Pause => "it can't be paused",
            ItemEvent::LastFetchDone => "it can't be completed",
            ItemEvent::Interrupt => "it can't be interrupted",
            ItemEvent::Fail => "it can't fail",
            ItemEvent::Move => "it can't be given another address",
            ItemEvent::DamageFound => "it can't be verified",
        };
        write!(f, "{what}: it is {}", self.from)
    }
}

impl std::error::Error for InvalidTransition {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair is decided here. `-` means refused.
    const TABLE: &str = "
        after:           PlanStored       Start        Pause            LastFetchDone  Interrupt    Fail         Move             DamageFound
        new              metadata-loaded  -            new              -              -            -            new              -
        metadata-loaded  -                in-progress  metadata-loaded  -              -            -            metadata-loaded  metadata-loaded
        in-progress      -                in-progress  paused           completed      interrupted  failed       -                -
        paused           -                in-progress  paused           -              -            -            paused           paused
        interrupted      -                in-progress  interrupted      -              -            -            interrupted      interrupted
        completed        -                -            completed        -              -            -            completed        interrupted
        failed           -                in-progress  failed           -              -            -            failed           failed
    ";

    #[test]
    fn transitions_are_exactly_these() {
        let events = [
            ItemEvent::PlanStored,
            ItemEvent::Start,
            ItemEvent::Pause,
            ItemEvent::LastFetchDone,
            ItemEvent::Interrupt,
            ItemEvent::Fail,
            ItemEvent::Move,
            ItemEvent::DamageFound,
        ];
        let rows: Vec<Vec<&str>> =
            TABLE.trim().lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), ItemState::ALL.len());
        for (state, row) in ItemState::ALL.into_iter().zip(rows) {
            let reached = events.map(|event| state.on(event).map_or("-", ItemState::as_str));
            let actual: Vec<&str> = std::iter::once(state.as_str()).chain(reached).collect();
            assert_eq!(actual, row);
        }
    }

    #[test]
    fn a_refusal_says_what_was_refused() {
        let refused = ItemState::Completed.on(ItemEvent::Start).unwrap_err();
        assert_eq!(refused.to_string(), "it can't be started: it is completed");
    }
}
