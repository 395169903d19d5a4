//! What a manager is opened with.

use std::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::ContentManager;
use crate::durability::SyncPolicy;
use crate::error::Error;
use crate::http_settings::HttpSettings;
use crate::io::desk::Desk;
use crate::io::disk::Disk;
#[cfg(any(test, feature = "testing"))]
use crate::io::memory::MemoryDisk;
use crate::options::Decoders;
use crate::refresh::{RefreshHook, UrlRefresh};
use crate::requirements::Requirements;
use crate::retry::RetryPolicies;
use crate::schedule::Limits;
use crate::session::Rules;

/// What [`ContentManager::builder`] collects.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(crate) root: Utf8PathBuf,
    pub(crate) connections: NonZeroU16,
    pub(crate) connections_per_host: Option<NonZeroU16>,
    pub(crate) decoders: Decoders,
    pub(crate) requirements: Requirements,
    pub(crate) retry: RetryPolicies,
    pub(crate) run_ahead: NonZeroU32,
    pub(crate) rate_limit: Option<NonZeroU64>,
    pub(crate) http: HttpSettings,
    pub(crate) sync: SyncPolicy,
    /// `None`: this machine's.
    pub(crate) disk: Option<Arc<dyn Disk>>,
    pub(crate) refresh: Option<RefreshHook>,
}

impl Builder {
    pub(super) fn new(root: Utf8PathBuf) -> Self {
        Self {
            root,
            connections: NonZeroU16::new(16).unwrap_or(NonZeroU16::MIN),
            connections_per_host: None,
            decoders: Decoders::default(),
            requirements: Requirements::default(),
            retry: RetryPolicies::default(),
            run_ahead: NonZeroU32::new(256).unwrap_or(NonZeroU32::MIN),
            rate_limit: None,
            http: HttpSettings::default(),
            sync: SyncPolicy::default(),
            disk: None,
            refresh: None,
        }
    }

    /// How many requests are in flight at once, over all items. Default 16.
    #[must_use]
    pub const fn connections(mut self, connections: NonZeroU16) -> Self {
        self.connections = connections;
        self
    }

    /// How many of them go to one host. Default: as many as there are.
    #[must_use]
    pub const fn connections_per_host(mut self, connections: NonZeroU16) -> Self {
        self.connections_per_host = Some(connections);
        self
    }

    pub(crate) fn limits(&self) -> Limits {
        let per_host = self.connections_per_host.map_or(u32::MAX, |cap| cap.get().into());
        Limits { connections: self.connections.get().into(), per_host }
    }

    /// How many bytes a second may come at the most, over all items. Default: no limit.
    #[must_use]
    pub const fn rate_limit(mut self, bytes_per_second: NonZeroU64) -> Self {
        self.rate_limit = Some(bytes_per_second);
        self
    }

    /// What each session goes by; with its own seed, no two wait alike.
    pub(crate) const fn rules(&self, seed: u64) -> Rules {
        Rules { retries: self.retry, run_ahead: self.run_ahead.get(), seed }
    }

    /// What the device can decode: variants it can't play are not chosen.
    #[must_use]
    pub const fn decoders(mut self, decoders: Decoders) -> Self {
        self.decoders = decoders;
        self
    }

    /// Who knows fresh addresses when those of an item have run out. Without one such an item fails, and
    /// [`ContentManager::set_url`] gives it another.
    #[must_use]
    pub fn refresh(mut self, hook: impl UrlRefresh + 'static) -> Self {
        self.refresh = Some(RefreshHook(Arc::new(hook)));
        self
    }

    /// What must hold for a download to start, and while it runs, unless an item has requirements of its own.
    #[must_use]
    pub const fn requirements(mut self, requirements: Requirements) -> Self {
        self.requirements = requirements;
        self
    }

    /// How often, and how far apart, a request is tried: one [`RetryPolicy`](crate::RetryPolicy) for all
    /// kinds of resources, or [`RetryPolicies`].
    #[must_use]
    pub fn retry(mut self, retry: impl Into<RetryPolicies>) -> Self {
        self.retry = retry.into();
        self
    }

    /// How many requests an item may be ahead of the first one that is not done: what is downloaded
    /// first plays first, also while that one is stuck. Default 256.
    #[must_use]
    pub const fn run_ahead(mut self, requests: NonZeroU32) -> Self {
        self.run_ahead = requests;
        self
    }

    /// The User-Agent header of every request.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http.user_agent = user_agent.into();
        self
    }

    /// How requests are made: time-outs, proxy, certificates, limits, adapters; also the User-Agent.
    #[must_use]
    pub fn http(mut self, settings: HttpSettings) -> Self {
        self.http = settings;
        self
    }

    /// When what was downloaded is made durable.
    #[must_use]
    pub const fn sync(mut self, sync: SyncPolicy) -> Self {
        self.sync = sync;
        self
    }

    /// Keeps everything on a disk in memory, for tests.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn disk(mut self, disk: &MemoryDisk) -> Self {
        self.disk = Some(Arc::new(disk.clone()));
        self
    }

    /// Takes the folder, which is made if need be. No traffic starts.
    ///
    /// A catalog that can't be read is moved aside and made anew from the item folders.
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) for a proxy or certificates that make no sense;
    /// [`ErrorKind::Locked`](crate::ErrorKind::Locked) while another process has it;
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) when it can't be made, read or written.
    pub fn open(self) -> Result<ContentManager, Error> {
        Desk::open(self).map(|desk| ContentManager { desk })
    }
}
