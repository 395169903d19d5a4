//! What AVFoundation calls: requests go to whoever waits for them, updates to the listener.

use std::collections::HashMap;
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

/// Who waits for what in one session.
pub(crate) struct Inbox {
    waiting: Mutex<HashMap<String, mpsc::Sender<Event>>>,
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
        Arc::new(Self { waiting: Mutex::default(), handler, listener, timeout })
    }

    /// Where what comes for this identifier arrives from now on.
    pub(crate) fn expect(&self, identifier: &str) -> mpsc::Receiver<Event> {
        let (sender, receiver) = mpsc::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(identifier.to_owned(), sender);
        receiver
    }

    /// Hands an event to who waits for it, and gives it back where nobody does.
    fn deliver(&self, identifier: &str, event: Event) -> Option<Event> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get(identifier) {
            Some(sender) => sender.send(event).err().map(|unsent| unsent.0),
            None => Some(event),
        }
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
            if self.ivars().deliver(&name, Event::Persistable(request.retain())).is_some() {
                // Whoever asked for it has given up.
                refuse(request);
            }
        }

        #[unsafe(method(contentKeySession:didUpdatePersistableContentKey:forContentKeyIdentifier:))]
        unsafe fn updated(&self, _session: &AVContentKeySession, key: &NSData, identifier: &AnyObject) {
            if let Some(key_uri) = key_uri(identifier) {
                let key = PersistableKey::new(key.to_vec());
                self.ivars().update(KeyUpdate { key_uri, replaces: None, key });
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
            drop(self.ivars().deliver(&identifier_of(request), Event::Failed(fault(error))));
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
        let Some(Event::Plain(request)) = inbox.deliver(&name, Event::Plain(request.retain())) else {
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
