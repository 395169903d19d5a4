//! What the manager tells its listeners.
//!
//! State changes queue in order, each exactly once. Of progress only the newest of each item is kept,
//! so a slow listener sees fewer, later figures and never holds up a download.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::error::Error;
use crate::item::ItemId;
use crate::state::ItemState;

/// Something that happened to an item.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// It is in another state now.
    State {
        /// The item.
        id: ItemId,
        /// The state it is in.
        state: ItemState,
        /// Why it is interrupted or failed.
        error: Option<Arc<Error>>,
    },
    /// A file of it is another version on the server than what was there already: that comes again.
    StartedOver {
        /// The item.
        id: ItemId,
        /// Scheme, host, port and path of the file's URL.
        url: String,
        /// How many finished requests for parts of it come again.
        fetches: usize,
    },
    /// More of it is on disk; at most five times a second for each item.
    Progress(Progress),
    /// It and its files are gone.
    Removed {
        /// The item.
        id: ItemId,
    },
}

/// How far an item is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The item.
    pub id: ItemId,
    /// Bytes on disk, never falling while the item runs.
    pub downloaded_bytes: u64,
    /// Expected size in bytes, corrected as real sizes become known.
    pub estimated_bytes: u64,
    /// From 0 to 1, never falling while the item runs; 1 only when completed.
    pub fraction: f64,
    /// How fast bytes arrive, smoothed over some seconds; 0 at first, and when it rests.
    pub bytes_per_second: u64,
    /// How long the rest takes at that speed; `None` while nothing arrives.
    pub time_left: Option<Duration>,
}

/// A listener's end: state changes in order, and the newest progress of each item.
///
/// Only what happens after [`subscribe`](crate::ContentManager::subscribe) is seen.
#[derive(Debug)]
pub struct Events(Arc<Mailbox>);

#[derive(Debug, Default)]
struct Mailbox {
    inner: Mutex<Letters>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Letters {
    queue: VecDeque<Event>,
    closed: bool,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, event: &Event) {
        let mut letters = self.lock();
        match event {
            Event::Progress(progress) => letters.put_progress(progress),
            Event::State { .. } | Event::StartedOver { .. } | Event::Removed { .. } => {
                letters.queue.push_back(event.clone())
            }
        }
        drop(letters);
        self.arrived.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }
}

impl Letters {
    /// Replaces the item's waiting progress, if nothing else of the item came after it.
    fn put_progress(&mut self, progress: &Progress) {
        let last = self.queue.iter_mut().rev().find(|event| event.id() == &progress.id);
        if let Some(Event::Progress(waiting)) = last {
            waiting.clone_from(progress);
        } else {
            self.queue.push_back(Event::Progress(progress.clone()));
        }
    }
}

impl Event {
    /// The item that it happened to.
    #[must_use]
    pub const fn id(&self) -> &ItemId {
        match self {
            Self::State { id, .. } | Self::StartedOver { id, .. } | Self::Removed { id } => id,
            Self::Progress(progress) => &progress.id,
        }
    }
}

impl Events {
    /// The next event; waits for it. `None` once the manager is closed and all events are taken.
    #[must_use]
    pub fn recv(&self) -> Option<Event> {
        let letters = self.0.lock();
        let mut letters = self
            .0
            .arrived
            .wait_while(letters, |letters| letters.queue.is_empty() && !letters.closed)
            .unwrap_or_else(PoisonError::into_inner);
        letters.queue.pop_front()
    }

    /// The next event, if one comes within `patience`.
    #[must_use]
    pub fn recv_timeout(&self, patience: Duration) -> Option<Event> {
        let letters = self.0.lock();
        let (mut letters, _) = self
            .0
            .arrived
            .wait_timeout_while(letters, patience, |letters| letters.queue.is_empty() && !letters.closed)
            .unwrap_or_else(PoisonError::into_inner);
        letters.queue.pop_front()
    }

    /// The next event, if one is waiting.
    #[must_use]
    pub fn try_recv(&self) -> Option<Event> {
        self.0.lock().queue.pop_front()
    }

    /// Whether the manager is closed and all events are taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let letters = self.0.lock();
        letters.closed && letters.queue.is_empty()
    }

    /// The events until the manager is closed; waits for each.
    pub fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        std::iter::from_fn(|| self.recv())
    }
}

/// The manager's end.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HubState>);

#[derive(Debug, Default)]
struct HubState {
    listeners: Vec<Weak<Mailbox>>,
    closed: bool,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, HubState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> Events {
        let mailbox = Arc::new(Mailbox::default());
        let mut hub = self.lock();
        mailbox.lock().closed = hub.closed;
        hub.listeners.push(Arc::downgrade(&mailbox));
        Events(mailbox)
    }

    pub(crate) fn publish(&self, event: &Event) {
        self.lock()
            .listeners
            .retain(|listener| listener.upgrade().map(|mailbox| mailbox.put(event)).is_some());
    }

    pub(crate) fn close(&self) {
        let mut hub = self.lock();
        hub.closed = true;
        hub.listeners.drain(..).filter_map(|listener| listener.upgrade()).for_each(|mailbox| mailbox.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(id: &str, bytes: u64) -> Event {
        let id = ItemId::new(id).unwrap();
        Event::Progress(Progress {
            id,
            downloaded_bytes: bytes,
            estimated_bytes: 10,
            fraction: 0.0,
            bytes_per_second: 0,
            time_left: None,
        })
    }

    fn state(id: &str, state: ItemState) -> Event {
        Event::State { id: ItemId::new(id).unwrap(), state, error: None }
    }

    fn seen(events: &Events) -> Vec<String> {
        std::iter::from_fn(|| events.try_recv())
            .map(|event| match event {
                Event::State { id, state, .. } => format!("{id} {state}"),
                Event::Progress(progress) => format!("{} {}", progress.id, progress.downloaded_bytes),
                Event::Removed { id } => format!("{id} removed"),
                Event::StartedOver { id, fetches, .. } => format!("{id} lost {fetches}"),
            })
            .collect()
    }

    #[test]
    fn states_queue_in_order_and_only_the_newest_progress_waits() {
        let hub = Hub::default();
        let events = hub.subscribe();
        for event in [
            state("a", ItemState::InProgress),
            progress("a", 1),
            progress("b", 7),
            progress("a", 2),
            state("a", ItemState::Paused),
            state("a", ItemState::InProgress),
            progress("a", 3),
        ] {
            hub.publish(&event);
        }
        assert_eq!(seen(&events), ["a in-progress", "a 2", "b 7", "a paused", "a in-progress", "a 3"]);
    }

    #[test]
    fn a_listener_hears_the_end_after_what_was_waiting() {
        let hub = Hub::default();
        let events = hub.subscribe();
        hub.publish(&state("a", ItemState::Completed));
        hub.close();
        assert!(!events.is_closed());
        assert!(events.recv().is_some());
        assert!(events.recv().is_none());
        assert!(events.is_closed());
        assert!(hub.subscribe().recv().is_none(), "a late listener does not wait for ever");
    }

    #[test]
    fn a_dropped_listener_is_forgotten() {
        let hub = Hub::default();
        drop(hub.subscribe());
        hub.publish(&progress("a", 1));
        assert!(hub.lock().listeners.is_empty());
    }
}
