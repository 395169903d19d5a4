//! What AVFoundation calls: requests go to whoever waits for them, updates to the listener.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use fairplay_keys::{Intent, KeyRequest, KeyUpdate, KeyUri, PersistableKey, SystemFault, UpdateListener};
use objc2::rc::Retained;
use objc2::runtime::{AnyObject, NSObject, NSObjectProtocol, ProtocolObject};
use objc2::{AnyThread, DefinedClass, Message, define_class, msg_send};
use objc2_av_foundation::{
    AVContentKeyRequest, AVContentKeyRequestRetryReason, AVContentKeySession, AVContentKeySessionDelegate,
    AVPersistableContentKeyRequest,
};
use objc2_foundation::{NSData, NSError, NSInteger, ns_string};

use crate::convert::{fault, identifier, key_uri};
use crate::request::{AppleRequest, Asked};
use crate::waiting::{Answered, Awaits, Waiting};

/// Answers the requests of players, each on a thread of its own.
pub trait HandleRequest: Send + Sync {
    /// Answers a request; one that is dropped fails as abandoned.
    fn requested(&self, request: Box<dyn KeyRequest>);
}

/// What comes of a request that somebody waits for.
#[derive(Debug)]
pub(crate) enum Event {
    Plain(Retained<AVContentKeyRequest>),
    Persistable(Retained<AVPersistableContentKeyRequest>),
    Failed(SystemFault),
}

/// The listener for updates, which all sessions of a system share.
pub(crate) type Listener = Mutex<Option<Arc<dyn UpdateListener>>>;

/// Who waits for what in one session, and which keys it was answered with.
pub(crate) struct Inbox {
    waiting: Waiting<Event>,
    answered: Answered,
    /// Answers what nobody waits for: a player's session has one.
    handler: Option<Arc<dyn HandleRequest>>,
    listener: Arc<Listener>,
    timeout: Duration,
}

impl Inbox {
    pub(crate) fn new(
        listener: Arc<Listener>,
        handler: Option<Arc<dyn HandleRequest>>,
        timeout: Duration,
    ) -> Arc<Self> {
        let (waiting, answered) = (Waiting::default(), Answered::default());
        Arc::new(Self { waiting, answered, handler, listener, timeout })
    }

    /// Where the request for this identifier arrives, which is asked for next.
    pub(crate) fn expect_plain(&self, identifier: &str) -> mpsc::Receiver<Event> {
        self.waiting.expect(identifier, Awaits::Plain)
    }

    /// Where the persistable request arrives, which this one is handed over to next.
    pub(crate) fn expect_persistable(
        &self,
        identifier: &str,
        plain: &AVContentKeyRequest,
    ) -> mpsc::Receiver<Event> {
        self.waiting.expect(identifier, Awaits::Persistable { plain: address(plain) })
    }

    /// Notes which key a request is answered with; before it is, since the update may come at once.
    pub(crate) fn answering(&self, identifier: &str, key: &PersistableKey) {
        self.answered.note(identifier, key);
    }

    fn update(&self, update: KeyUpdate) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            listener.key_updated(update);
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("is_player_s", &self.handler.is_some()).finish_non_exhaustive()
    }
}

define_class!(
    // SAFETY: NSObject asks nothing of its subclasses, and Delegate has no Drop.
    #[unsafe(super(NSObject))]
    #[name = "DTGContentKeySessionDelegate"]
    #[ivars = Arc<Inbox>]
    #[derive(Debug)]
    pub(crate) struct Delegate;

    // SAFETY: NSObjectProtocol asks nothing.
    unsafe impl NSObjectProtocol for Delegate {}

    // SAFETY: the methods have the signatures of AVContentKeySessionDelegate, and may be called on any thread.
    unsafe impl AVContentKeySessionDelegate for Delegate {
        #[unsafe(method(contentKeySession:didProvideContentKeyRequest:))]
        unsafe fn provided(&self, _session: &AVContentKeySession, request: &AVContentKeyRequest) {
            self.plain(request);
        }

        #[unsafe(method(contentKeySession:didProvideRenewingContentKeyRequest:))]
        unsafe fn provided_renewing(&self, _session: &AVContentKeySession, request: &AVContentKeyRequest) {
            self.plain(request);
        }

        #[unsafe(method(contentKeySession:didProvidePersistableContentKeyRequest:))]
        unsafe fn provided_persistable(
            &self,
            _session: &AVContentKeySession,
            request: &AVPersistableContentKeyRequest,
        ) {
            let name = identifier_of(request);
            if self.ivars().waiting.persistable(&name, Event::Persistable(request.retain())).is_some() {
                // Whoever asked for it has given up.
                refuse(request);
            }
        }

        #[unsafe(method(contentKeySession:didUpdatePersistableContentKey:forContentKeyIdentifier:))]
        unsafe fn updated(&self, _session: &AVContentKeySession, key: &NSData, identifier: &AnyObject) {
            if let Some(key_uri) = key_uri(identifier) {
                let key = PersistableKey::new(key.to_vec());
                let replaces = self.ivars().answered.note(key_uri.as_str(), &key);
                self.ivars().update(KeyUpdate { key_uri, replaces, key });
            }
        }

        #[unsafe(method(contentKeySession:contentKeyRequest:didFailWithError:))]
        unsafe fn failed(
            &self,
            _session: &AVContentKeySession,
            request: &AVContentKeyRequest,
            error: &NSError,
        ) {
            // Where nobody waits, the request was answered: with this error, or too late for it.
            let (name, failed) = (identifier_of(request), Event::Failed(fault(error)));
            drop(self.ivars().waiting.failure(&name, address(request), failed));
        }

        #[unsafe(method(contentKeySession:shouldRetryContentKeyRequest:reason:))]
        unsafe fn should_retry(
            &self,
            _session: &AVContentKeySession,
            _request: &AVContentKeyRequest,
            _reason: &AVContentKeyRequestRetryReason,
        ) -> bool {
            // The engine retries, within limits and with a new SPC; the system's retries have none.
            false
        }
    }
);

impl Delegate {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Retained<Self> {
        let this = Self::alloc().set_ivars(inbox);
        // SAFETY: `init` of NSObject has this signature.
        unsafe { msg_send![super(this), init] }
    }

    pub(crate) fn as_protocol(&self) -> &ProtocolObject<dyn AVContentKeySessionDelegate> {
        ProtocolObject::from_ref(self)
    }

    fn plain(&self, request: &AVContentKeyRequest) {
        let inbox = self.ivars();
        let name = identifier_of(request);
        let Some(Event::Plain(request)) = inbox.waiting.plain(&name, Event::Plain(request.retain())) else {
            return;
        };
        match (&inbox.handler, KeyUri::new(name)) {
            (Some(handler), Ok(key_uri)) => {
                let handler = Arc::clone(handler);
                let asked = Asked::Plain { request, inbox: Arc::clone(inbox) };
                let answering = AppleRequest::new(key_uri, Intent::Play, asked, inbox.timeout);
                // On this queue the hand-over to a persistable request could never arrive.
                let thread = thread::Builder::new().name("fairplay-key".to_owned());
                drop(thread.spawn(move || handler.requested(Box::new(answering))));
            }
            (_, _) => refuse(&request),
        }
    }
}

fn address(request: &AVContentKeyRequest) -> usize {
    std::ptr::from_ref(request).addr()
}

fn identifier_of(request: &AVContentKeyRequest) -> String {
    // SAFETY: a getter without conditions.
    let object = unsafe { request.identifier() };
    object.and_then(|object| identifier(&object)).unwrap_or_default()
}

/// Every request has to be answered: this one with an error.
fn refuse(request: &AVContentKeyRequest) {
    let code: NSInteger = 2;
    let error = NSError::new(code, ns_string!("fairplay-keys"));
    // SAFETY: the request was not answered yet.
    unsafe { request.processContentKeyResponseError(&error) };
}
