//! Who waits for which event of a session, and which keys its requests were answered with. Nothing of Apple's: it runs anywhere.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use fairplay_keys::{Fingerprint, PersistableKey};

/// Hands each event to the one that waits for it. Several may wait for the same key, each for one event.
#[derive(Debug)]
pub(crate) struct Waiting<E>(Mutex<Vec<Waiter<E>>>);

#[derive(Debug)]
struct Waiter<E> {
    identifier: String,
    awaits: Awaits,
    sender: mpsc::Sender<E>,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// The plain request that the session was asked for.
    Plain,
    /// The persistable request in the place of a plain one, which has this address and lives on meanwhile.
    Persistable { plain: usize },
}

/// By identifier, the key that a request was answered with last: what an update replaces.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<HashMap<String, Fingerprint>>);

impl<E> Default for Waiting<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E> Waiting<E> {
    /// Where the event will arrive.
    pub(crate) fn expect(&self, identifier: &str, awaits: Awaits) -> mpsc::Receiver<E> {
        let (sender, receiver) = mpsc::channel();
        self.waiters().push(Waiter { identifier: identifier.to_owned(), awaits, sender });
        receiver
    }

    /// A plain request came. It is given back where nobody waits for it.
    pub(crate) fn plain(&self, identifier: &str, event: E) -> Option<E> {
        self.deliver(event, |waiter| waiter.identifier == identifier && waiter.awaits == Awaits::Plain)
    }

    /// A persistable request came.
    pub(crate) fn persistable(&self, identifier: &str, event: E) -> Option<E> {
        self.deliver(event, |waiter| waiter.identifier == identifier && waiter.awaits != Awaits::Plain)
    }

    /// The request at this address failed, and no other of the same key.
    pub(crate) fn failure(&self, identifier: &str, failed: usize, event: E) -> Option<E> {
        self.deliver(event, |waiter| match waiter.awaits {
            Awaits::Plain => waiter.identifier == identifier,
            Awaits::Persistable { plain } => plain == failed,
        })
    }

    /// To the first; who waits no more is passed over.
    fn deliver(&self, event: E, is_for: impl Fn(&Waiter<E>) -> bool) -> Option<E> {
        let (mut waiters, mut event) = (self.waiters(), event);
        while let Some(at) = waiters.iter().position(&is_for) {
            match waiters.remove(at).sender.send(event) {
                Ok(()) => return None,
                Err(unsent) => event = unsent.0,
            }
        }
        Some(event)
    }

    fn waiters(&self) -> MutexGuard<'_, Vec<Waiter<E>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    /// Notes the key that stands for this identifier from now on; gives the one that stood for it before.
    pub(crate) fn note(&self, identifier: &str, key: &PersistableKey) -> Option<Fingerprint> {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answered.insert(identifier.to_owned(), key.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDED_OVER: Awaits = Awaits::Persistable { plain: 1 };

    #[test]
    fn a_second_plain_request_for_a_key_is_not_swallowed_by_who_waits_for_the_hand_over_of_the_first() {
        let waiting = Waiting::default();
        let arriving = waiting.expect("skd://a", HANDED_OVER);
        assert_eq!(waiting.plain("skd://a", "second"), Some("second"), "it is for the handler");
        assert_eq!(waiting.persistable("skd://a", "persistable"), None);
        assert_eq!(arriving.try_recv(), Ok("persistable"));
    }

    #[test]
    fn two_hand_overs_of_the_same_key_have_a_request_each() {
        let waiting = Waiting::default();
        let first = waiting.expect("skd://a", HANDED_OVER);
        let second = waiting.expect("skd://a", Awaits::Persistable { plain: 2 });
        assert_eq!((waiting.persistable("skd://a", 1), waiting.persistable("skd://a", 2)), (None, None));
        assert_eq!((first.try_recv(), second.try_recv()), (Ok(1), Ok(2)));
        assert_eq!(waiting.persistable("skd://a", 3), Some(3), "each waits for one");
    }

    #[test]
    fn a_failure_reaches_the_request_that_failed_and_who_gave_up_is_passed_over() {
        let waiting = Waiting::default();
        drop(waiting.expect("skd://a", HANDED_OVER));
        let second = waiting.expect("skd://a", Awaits::Persistable { plain: 2 });
        let third = waiting.expect("skd://a", Awaits::Persistable { plain: 3 });
        assert_eq!(waiting.failure("skd://a", 3, "failed"), None);
        assert_eq!((third.try_recv(), second.try_recv()), (Ok("failed"), Err(mpsc::TryRecvError::Empty)));
        assert_eq!(waiting.persistable("skd://a", "persistable"), None);
        assert_eq!(second.try_recv(), Ok("persistable"));
        assert_eq!(waiting.failure("skd://a", 9, "late"), Some("late"));
    }

    #[test]
    fn an_update_replaces_the_key_that_the_session_was_answered_with() {
        let (answered, key) = (Answered::default(), |name: &str| PersistableKey::new(name));
        assert_eq!(answered.note("skd://a", &key("first")), None);
        assert_eq!(answered.note("skd://b", &key("other")), None);
        assert_eq!(answered.note("skd://a", &key("second")), Some(key("first").fingerprint()));
        assert_eq!(answered.note("skd://a", &key("third")), Some(key("second").fingerprint()));
    }
}
