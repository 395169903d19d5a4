//! Obtains keys, keeps them, answers with them, renews them, gives them up.

mod acquire; // the commands
mod answer;
mod release;
mod recover;
mod update;
mod status;
mod remaining;
mod attempts; // the decisions
mod exchange; // one license
mod certificates; // rejected ones
mod guarded; // a request and its deadline
mod flight; // one exchange at a time for a key
mod ledger; // records under compare-and-swap
mod moment; // the clock

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::asset::AssetId;
use crate::certificate::Certificate;
use crate::http::Transport;
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::provider::{LicenseProvider, LicenseService, LicenseUrl, TokenSource};
use crate::store::{KeyStore, Slot};
use crate::system::{ContentKeySystem, KeyUpdate, UpdateListener};
use crate::time::Clock;

pub use acquire::{AssetKeys, KeyOutcome, Obtained};
pub use answer::{Answer, Online};
pub use recover::Recovered;
pub use release::{PendingRelease, Released};
pub use status::{AssetStatus, DueKey, KeyStatus};

/// Obtains the keys of assets, keeps them, answers the platform's requests with them, renews them and gives them up.
///
/// Blocking; every long call is cancelled from another thread by its [`Cancel`](crate::Cancel). Safe to share; clones are the same engine.
/// One engine at a time may work on a store. What it promises:
///
/// - Each request of the platform is answered exactly once, by the deadline, whatever goes wrong, hangs or panics.
/// - Of several calls that need the same key at the same time, one asks the server; all have its result.
/// - A new key replaces the old one once it is durable; when a renewal fails, wherever, the old key is in place.
/// - A key that two assets use is given up with the last of them.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Shared>);

/// What an engine works with.
#[derive(Debug, Clone)]
pub struct EngineParts {
    /// What decrypts.
    pub system: Arc<dyn ContentKeySystem>,
    /// Where keys are kept.
    pub store: Arc<dyn KeyStore>,
    /// Who speaks to license services.
    pub transport: Arc<dyn Transport>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How patient it is.
    pub policy: EnginePolicy,
}

/// How patient an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnginePolicy {
    /// How often a license is asked for, each time with a new SPC, when what went wrong may pass.
    pub max_attempts: u32,
    /// The wait before the second attempt; doubled before each further one.
    pub first_delay: Duration,
    /// The longest wait, also when a server asks for more: then the call gives up.
    pub max_delay: Duration,
    /// The most keys that an asset may have.
    pub max_keys: usize,
    /// How many licenses of an asset are asked for at the same time.
    pub parallel: usize,
}

/// Where the license of an asset comes from, now: asked for anew with each call, since addresses and tokens run out.
#[derive(Debug, Clone)]
pub struct LicenseSource {
    /// Where licenses are asked for.
    pub url: LicenseUrl,
    /// The application's certificate. One that the platform rejects is fetched anew, once, where the provider knows from where.
    pub certificate: Certificate,
    /// How the service is spoken to.
    pub provider: Arc<dyn LicenseProvider>,
    /// What proves who asks.
    pub tokens: Arc<dyn TokenSource>,
}

/// Something that an application may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyEvent {
    /// The platform replaced a stored key, as at its first playback.
    Updated(KeyUri),
    /// The platform replaced a key that is not stored, or no longer: nothing was kept of it.
    UnknownKeyUpdated(KeyUri),
    /// The platform replaced a key that had been replaced by a newer one: nothing was changed.
    OutdatedUpdate(KeyUri),
    /// A replaced key could not be stored; it is held in memory, and stored at the next opportunity.
    UpdateNotStored(KeyUri, KeyError),
    /// A key that was given up could not be made unusable with proof; it was deleted.
    NotInvalidated(KeyUri, KeyError),
    /// A key that was given up, and is gone, could not be made unusable with proof yet: it is tried again with the delivery.
    InvalidationWaits(KeyUri, KeyError),
    /// A record cannot be read: it was left out, and is as it was.
    Unreadable(Slot, KeyError),
}

/// Events that are kept for [`Engine::take_events`].
const EVENTS: usize = 256;

#[derive(Debug)]
struct Shared {
    parts: EngineParts,
    flights: flight::Flights,
    certificates: certificates::Certificates,
    /// Held by whoever changes which assets are wanted, or which hold a key. Never while the platform or a server is asked.
    standings: Mutex<()>,
    mark: Mutex<moment::Mark>,
    /// Replaced keys that could not be stored yet.
    unsaved: Mutex<HashMap<KeyUri, KeyUpdate>>,
    events: Mutex<Vec<KeyEvent>>,
}

impl Default for EnginePolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(60),
            max_keys: 64,
            parallel: 4,
        }
    }
}

impl Engine {
    /// An engine over these parts. Call [`Engine::recover`] before anything else when keys may have been stored before.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        let system = Arc::clone(&parts.system);
        let shared = Arc::new(Shared {
            parts,
            flights: flight::Flights::default(),
            certificates: certificates::Certificates::default(),
            standings: Mutex::default(),
            mark: Mutex::default(),
            unsaved: Mutex::default(),
            events: Mutex::default(),
        });
        system.listen(Arc::new(Listener(Arc::downgrade(&shared))));
        Self(shared)
    }

    /// What happened since this was called last; of more than 256 events the first are dropped.
    #[must_use]
    pub fn take_events(&self) -> Vec<KeyEvent> {
        std::mem::take(&mut *self.0.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LicenseSource {
    /// The service alone, as proofs of released keys are handed over to it.
    #[must_use]
    pub fn service(&self) -> LicenseService {
        LicenseService {
            url: self.url.clone(),
            provider: Arc::clone(&self.provider),
            tokens: Arc::clone(&self.tokens),
        }
    }
}

impl Shared {
    fn standings(&self) -> MutexGuard<'_, ()> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, event: KeyEvent) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == EVENTS {
            events.remove(0);
        }
        events.push(event);
    }
}

/// Does not keep the engine alive.
struct Listener(Weak<Shared>);

impl UpdateListener for Listener {
    fn key_updated(&self, update: KeyUpdate) {
        if let Some(shared) = self.0.upgrade() {
            shared.key_updated(update);
        }
    }
}

/// Whose key is asked for, and from where.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    asset: &'a AssetId,
    key_uri: &'a KeyUri,
    license: &'a LicenseSource,
}

#[cfg(test)]
mod tests;
