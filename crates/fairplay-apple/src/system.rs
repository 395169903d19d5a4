//! The content key system: sessions, and what is asked of them.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dispatch2::DispatchQueue;
use fairplay_keys::{
    Capabilities, Certificate, Challenge, ContentKeySystem, Intent, Invalidation, KeyError, KeyRequest,
    KeyUri, PersistableKey, Persistence, Spc, SystemFault, UpdateListener,
};
use objc2::rc::Retained;
use objc2::runtime::{AnyObject, ProtocolObject};
use objc2_av_foundation::{
    AVContentKeyRecipient, AVContentKeySession,
    AVContentKeySessionServerPlaybackContextOptionServerChallenge, AVContentKeySystemFairPlayStreaming,
};
use objc2_foundation::{NSData, NSDictionary, NSString, NSURL};

use crate::convert::{completion, wait};
use crate::delegate::{Delegate, Event, HandleRequest, Inbox, Listener};
use crate::request::{AppleRequest, Asked};

/// What a system may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long AVFoundation is waited for, each time; 30 s by default.
    pub timeout: Duration,
    /// Where AVFoundation keeps reports of expired sessions; without it, it keeps none.
    pub storage: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), storage: None }
    }
}

/// FairPlay Streaming by AVContentKeySession.
pub struct AppleKeySystem {
    options: Options,
    listener: Arc<Listener>,
}

/// A session for players: what their assets ask goes to the handler that it was made with.
#[derive(Debug)]
pub struct PlayerSession {
    session: Retained<AVContentKeySession>,
    /// A session holds its delegate weakly.
    _delegate: Retained<Delegate>,
}

impl AppleKeySystem {
    /// A system without a listener.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, listener: Arc::default() }
    }

    /// A session whose requests `handler` answers.
    #[must_use]
    pub fn player_session(&self, handler: Arc<dyn HandleRequest>) -> PlayerSession {
        let inbox = Inbox::new(Arc::clone(&self.listener), Some(handler), self.options.timeout);
        let (session, delegate) = self.session(inbox);
        PlayerSession { session, _delegate: delegate }
    }

    fn session(&self, inbox: Arc<Inbox>) -> (Retained<AVContentKeySession>, Retained<Delegate>) {
        // SAFETY: the constant is there from iOS 10.3, macOS 10.13 and tvOS 10.2 on.
        let system = unsafe { AVContentKeySystemFairPlayStreaming };
        let storage = self.options.storage.as_ref().map(|folder| {
            NSURL::fileURLWithPath_isDirectory(&NSString::from_str(&folder.to_string_lossy()), true)
        });
        // SAFETY: the key system is FairPlay's, and the URL that of a directory.
        let session = unsafe {
            match storage {
                Some(storage) => AVContentKeySession::contentKeySessionWithKeySystem_storageDirectoryAtURL(
                    system, &storage,
                ),
                None => AVContentKeySession::contentKeySessionWithKeySystem(system),
            }
        };
        let delegate = Delegate::new(inbox);
        let queue = DispatchQueue::new("fairplay-apple", None);
        // SAFETY: the queue is serial, and the delegate may be called on any thread.
        unsafe { session.setDelegate_queue(Some(delegate.as_protocol()), Some(&queue)) };
        (session, delegate)
    }

    fn request(&self, key_uri: &KeyUri, intent: Intent) -> Result<AppleRequest, SystemFault> {
        let inbox = Inbox::new(Arc::clone(&self.listener), None, self.options.timeout);
        let arriving = inbox.expect_plain(key_uri.as_str());
        let (session, delegate) = self.session(Arc::clone(&inbox));
        let identifier = NSString::from_str(key_uri.as_str());
        let identifier: &AnyObject = identifier.as_ref();
        // SAFETY: the identifier is a string, as is documented; FairPlay needs neither data nor options.
        unsafe {
            session.processContentKeyRequestWithIdentifier_initializationData_options(
                Some(identifier),
                None,
                None,
            );
        }
        let asked = match wait(&arriving, self.options.timeout)? {
            Event::Plain(request) => Asked::Plain { request, inbox },
            Event::Persistable(request) => Asked::Persistable { request, inbox },
            Event::Failed(fault) => return Err(fault),
        };
        if intent == Intent::Play {
            let request = AppleRequest::new(key_uri.clone(), intent, asked, self.options.timeout);
            return Ok(request.within(session, delegate));
        }
        match asked.persistable(key_uri.as_str(), self.options.timeout) {
            Ok(asked) => {
                let request = AppleRequest::new(key_uri.clone(), intent, asked, self.options.timeout);
                Ok(request.within(session, delegate))
            }
            Err((asked, fault)) => {
                if let Some(asked) = asked {
                    asked.fail(&KeyError::new(fault.clone()).of(key_uri));
                }
                Err(fault)
            }
        }
    }

    /// A session for reports about stored keys, which asks for none.
    fn for_reports(&self) -> (Retained<AVContentKeySession>, Retained<Delegate>) {
        self.session(Inbox::new(Arc::clone(&self.listener), None, self.options.timeout))
    }
}

impl PlayerSession {
    /// Has this session give the keys of an asset, as of an `AVURLAsset`.
    pub fn add_recipient(&self, recipient: &ProtocolObject<dyn AVContentKeyRecipient>) {
        // SAFETY: recipients may be added at any time.
        unsafe { self.session.addContentKeyRecipient(recipient) };
    }

    /// The opposite of [`PlayerSession::add_recipient`].
    pub fn remove_recipient(&self, recipient: &ProtocolObject<dyn AVContentKeyRecipient>) {
        // SAFETY: recipients may be removed at any time.
        unsafe { self.session.removeContentKeyRecipient(recipient) };
    }
}

impl ContentKeySystem for AppleKeySystem {
    fn capabilities(&self) -> Capabilities {
        let persistence =
            if cfg!(target_abi = "sim") { Persistence::Impossible } else { Persistence::Possible };
        Capabilities { persistence, invalidation: Invalidation::Provable }
    }

    fn open(&self, key_uri: &KeyUri, intent: Intent) -> Result<Box<dyn KeyRequest>, KeyError> {
        let wants_storage = intent != Intent::Play;
        let opened = match self.capabilities().persistence {
            Persistence::Impossible if wants_storage => Err(SystemFault::PersistenceUnsupported),
            Persistence::Impossible | Persistence::Possible => self.request(key_uri, intent),
        };
        match opened {
            Ok(request) => Ok(Box::new(request)),
            Err(fault) => Err(KeyError::new(fault).of(key_uri)),
        }
    }

    fn expiration_spc(&self, key: &PersistableKey, _: &Certificate) -> Result<Spc, KeyError> {
        let (session, _delegate) = self.for_reports();
        let (handler, completed) = completion();
        // SAFETY: the data are a persistable key, and the handler may be called on any thread.
        unsafe {
            session.makeSecureTokenForExpirationDateOfPersistableContentKey_completionHandler(
                &NSData::with_bytes(key.expose()),
                &handler,
            );
        }
        Ok(wait(&completed, self.options.timeout)?.map(Spc::new)?)
    }

    fn invalidate(
        &self,
        key: &PersistableKey,
        _: &Certificate,
        challenge: Option<Challenge>,
    ) -> Result<Spc, KeyError> {
        let (session, _delegate) = self.for_reports();
        let (handler, completed) = completion();
        let options = challenge.map(|challenge| {
            // SAFETY: the constant is there from iOS 12.2, macOS 10.15 and tvOS 17 on.
            let name: &NSString = unsafe { AVContentKeySessionServerPlaybackContextOptionServerChallenge };
            let challenge = NSData::with_bytes(&challenge.0);
            let challenge: &AnyObject = challenge.as_ref();
            NSDictionary::<NSString, AnyObject>::from_slices(&[name], &[challenge])
        });
        // SAFETY: the option has the type that is documented for its key, and the handler may be called on any thread.
        unsafe {
            session.invalidatePersistableContentKey_options_completionHandler(
                &NSData::with_bytes(key.expose()),
                options.as_deref(),
                &handler,
            );
        }
        Ok(wait(&completed, self.options.timeout)?.map(Spc::new)?)
    }

    fn listen(&self, listener: Arc<dyn UpdateListener>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }
}

impl fmt::Debug for AppleKeySystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppleKeySystem").field("options", &self.options).finish_non_exhaustive()
    }
}
