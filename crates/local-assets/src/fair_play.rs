//! FairPlay as an application sets it up, and the keys of its assets.

use std::fmt;
use std::sync::Arc;

use fairplay_keys::{
    AdaptedProvider, AssetId, Cancel, Clock, ContentKeySystem, Engine, EngineParts, EnginePolicy, KeyError,
    KeyErrorKind, LicenseProvider, LicenseService, NoToken, PendingRelease, TemplateProvider, TokenSource,
    Transport,
};
use uuid::Uuid;

use crate::clock::SystemClock;
use crate::data_store::DataStore;
use crate::license::{KalturaLicenseAdapter, Service};
use crate::transport::{HttpsTransport, TransportSettings};

/// What FairPlay takes: what decrypts, where keys are kept, how the license service is spoken to.
#[derive(Debug, Clone)]
pub struct FairPlaySetup {
    /// What decrypts.
    pub system: Arc<dyn ContentKeySystem>,
    /// Where keys are kept.
    pub store: DataStore,
    /// How the license service is spoken to.
    pub provider: Arc<dyn LicenseProvider>,
    /// What proves who asks, where the license address alone doesn't.
    pub tokens: Arc<dyn TokenSource>,
    /// Who carries the requests.
    pub transport: Arc<dyn Transport>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How patient the engine is.
    pub policy: EnginePolicy,
}

/// The keys of an application's assets.
#[derive(Clone)]
pub(crate) struct FairPlay {
    pub(crate) engine: Engine,
    pub(crate) service: Service,
}

impl FairPlaySetup {
    /// Kaltura's license service over https, with a session id of this setup's own, and the clock of this machine.
    ///
    /// `referrer` is the application's name or bundle id, in plain text.
    ///
    /// # Errors
    /// [`TransportError`](fairplay_keys::TransportError) where TLS cannot be set up.
    pub fn kaltura(
        system: Arc<dyn ContentKeySystem>,
        store: DataStore,
        referrer: &str,
    ) -> Result<Self, KeyError> {
        let adapter = KalturaLicenseAdapter {
            session_id: Some(Uuid::new_v4().to_string()),
            client_tag: concat!("dtg/rust-", env!("CARGO_PKG_VERSION")).to_owned(),
            referrer: referrer.to_owned(),
        };
        Ok(Self {
            system,
            store,
            provider: Arc::new(AdaptedProvider { provider: TemplateProvider::kaltura(), adapter }),
            tokens: Arc::new(NoToken),
            transport: Arc::new(HttpsTransport::new(TransportSettings::default())?),
            clock: Arc::new(SystemClock::new()),
            policy: EnginePolicy::default(),
        })
    }
}

impl FairPlay {
    pub(crate) fn open(setup: FairPlaySetup) -> Result<Self, KeyError> {
        let FairPlaySetup { system, store, provider, tokens, transport, clock, policy } = setup;
        let store = store.open()?;
        let engine = Engine::new(EngineParts { system, store, transport, clock, policy });
        Ok(Self { engine, service: Service { provider, tokens } })
    }
}

/// What became of a proof that waited for its license service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The proof.
    pub release: PendingRelease,
    /// Why it waits on, if it does.
    pub result: Result<(), KeyError>,
}

impl FairPlay {
    /// Hands a proof over to the service that its key came from.
    pub(crate) fn deliver(&self, release: PendingRelease, cancel: &Cancel) -> Delivery {
        let result = match &release.service {
            Some(url) => {
                let Service { provider, tokens } = self.service.clone();
                let service = LicenseService { url: url.clone(), provider, tokens };
                self.engine.deliver_release(&release, &service, cancel)
            }
            None => Err(KeyError::from(KeyErrorKind::NoService).of(&release.key_uri)),
        };
        Delivery { release, result }
    }
}

impl fmt::Debug for FairPlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FairPlay")
    }
}

/// Keys are kept under the item's id.
pub(crate) fn asset_of(id: &dtg_core::ItemId) -> AssetId {
    AssetId::new(id.as_str()).expect("an item's id has 1 to 255 bytes, and an asset's may have more")
}
