//! One request of AVFoundation as fairplay-keys asks it.

use std::sync::Arc;
use std::time::Duration;

use fairplay_keys::{
    Accepted, Certificate, Ckc, ContentId, Intent, KeyError, KeyRequest, KeyUri, LicenseTerms,
    PersistableKey, Persistence, Spc, SystemFault,
};
use objc2::rc::Retained;
use objc2::runtime::AnyObject;
use objc2_av_foundation::{
    AVContentKeyRequest, AVContentKeyRequestProtocolVersionsKey, AVContentKeyResponse, AVContentKeySession,
    AVPersistableContentKeyRequest,
};
use objc2_foundation::{NSArray, NSData, NSDictionary, NSNumber, NSString};

use crate::convert::{completion, fault, ns_error, wait};
use crate::delegate::{Delegate, Event, Inbox};

/// A request that waits for its answer.
#[derive(Debug)]
pub(crate) struct AppleRequest {
    key_uri: KeyUri,
    intent: Intent,
    /// `None` once it is answered.
    asked: Option<Asked>,
    timeout: Duration,
    /// What a request of our own session needs to live.
    session: Option<(Retained<AVContentKeySession>, Retained<Delegate>)>,
}

/// The request as AVFoundation has it.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Its answer may not be stored, until it is handed over.
    Plain { request: Retained<AVContentKeyRequest>, inbox: Arc<Inbox> },
    /// Its answer may be stored.
    Persistable { request: Retained<AVPersistableContentKeyRequest>, inbox: Arc<Inbox> },
}

impl Asked {
    fn request(&self) -> &AVContentKeyRequest {
        match self {
            Self::Plain { request, .. } => request,
            Self::Persistable { request, .. } => request,
        }
    }

    /// The same as a persistable request. With an error comes the plain one where that is still to be answered.
    pub(crate) fn persistable(
        self,
        name: &str,
        timeout: Duration,
    ) -> Result<Self, (Option<Self>, SystemFault)> {
        let Self::Plain { request, inbox } = &self else { return Ok(self) };
        // Another request of the player for the same key is not this one's affair, and goes to the handler meanwhile.
        let arriving = inbox.expect_persistable(name, request);
        // SAFETY: the request was not answered yet.
        let handed_over = unsafe { request.respondByRequestingPersistableContentKeyRequestAndReturnError() };
        if handed_over.is_err() {
            return Err((Some(self), SystemFault::PersistenceUnsupported));
        }
        // Handing over was the plain request's answer.
        match wait(&arriving, timeout) {
            Ok(Event::Persistable(request)) => Ok(Self::Persistable { request, inbox: Arc::clone(inbox) }),
            Ok(Event::Plain(_)) => Err((None, SystemFault::Abandoned)),
            Ok(Event::Failed(fault)) | Err(fault) => Err((None, fault)),
        }
    }

    /// Answers with a key to store, or a stored one.
    fn respond_with_key(&self, name: &str, key: &PersistableKey) {
        if let Self::Persistable { inbox, .. } = self {
            inbox.answering(name, key);
        }
        self.respond(key.expose());
    }

    fn respond(&self, data: &[u8]) {
        // SAFETY: the data are what AVFoundation's documentation asks for: a CKC, or a persistable key.
        let response = unsafe {
            AVContentKeyResponse::contentKeyResponseWithFairPlayStreamingKeyResponseData(&NSData::with_bytes(
                data,
            ))
        };
        // SAFETY: the request was not answered yet.
        unsafe { self.request().processContentKeyResponse(&response) };
    }

    pub(crate) fn fail(&self, error: &KeyError) {
        // SAFETY: the request was not answered yet.
        unsafe { self.request().processContentKeyResponseError(&ns_error(error)) };
    }

    fn spc(
        &self,
        certificate: &Certificate,
        content_id: &ContentId,
        timeout: Duration,
    ) -> Result<Spc, SystemFault> {
        let (handler, completed) = completion();
        let versions = NSArray::from_retained_slice(&[NSNumber::new_i32(1)]);
        // SAFETY: the constant is there from iOS 11, macOS 10.13 and tvOS 11 on.
        let versions_key: &NSString = unsafe { AVContentKeyRequestProtocolVersionsKey };
        let versions: &AnyObject = versions.as_ref();
        let options = NSDictionary::<NSString, AnyObject>::from_slices(&[versions_key], &[versions]);
        let certificate = NSData::with_bytes(certificate.as_der());
        let content_id = NSData::with_bytes(content_id.as_bytes());
        // SAFETY: the option has the type that is documented for its key, and the handler may be called on any thread.
        unsafe {
            self.request()
                .makeStreamingContentKeyRequestDataForApp_contentIdentifier_options_completionHandler(
                    &certificate,
                    Some(&content_id),
                    Some(&options),
                    &handler,
                );
        }
        wait(&completed, timeout)?.map(Spc::new)
    }

    /// Takes a license; the key to store where the request is persistable.
    fn accept(&self, name: &str, ckc: &Ckc) -> Result<Option<PersistableKey>, SystemFault> {
        let Self::Persistable { request, .. } = self else {
            self.respond(ckc.expose());
            return Ok(None);
        };
        let ckc = NSData::with_bytes(ckc.expose());
        // SAFETY: without options there is nothing to get wrong.
        let made = unsafe { request.persistableContentKeyFromKeyVendorResponse_options_error(&ckc, None) };
        let key = PersistableKey::new(made.map_err(|error| fault(&error))?.to_vec());
        self.respond_with_key(name, &key);
        Ok(Some(key))
    }
}

impl AppleRequest {
    pub(crate) fn new(key_uri: KeyUri, intent: Intent, asked: Asked, timeout: Duration) -> Self {
        Self { key_uri, intent, asked: Some(asked), timeout, session: None }
    }

    /// Keeps the session that it belongs to alive.
    pub(crate) fn within(
        mut self,
        session: Retained<AVContentKeySession>,
        delegate: Retained<Delegate>,
    ) -> Self {
        self.session = Some((session, delegate));
        self
    }

    fn error(&self, fault: SystemFault) -> KeyError {
        KeyError::new(fault).of(&self.key_uri)
    }

    /// Answers with an error, and gives it.
    fn failed(&self, asked: &Asked, fault: SystemFault) -> KeyError {
        let error = self.error(fault);
        asked.fail(&error);
        error
    }

    fn take(&mut self) -> Result<Asked, KeyError> {
        self.asked.take().ok_or_else(|| self.error(SystemFault::Abandoned))
    }
}

impl KeyRequest for AppleRequest {
    fn key_uri(&self) -> &KeyUri {
        &self.key_uri
    }

    fn persistence(&self) -> Persistence {
        // SAFETY: a getter without conditions.
        let can = |request: &AVContentKeyRequest| unsafe { request.canProvidePersistableContentKey() };
        match &self.asked {
            Some(Asked::Persistable { .. }) => Persistence::Possible,
            Some(Asked::Plain { request, .. }) if can(request) => Persistence::Possible,
            Some(Asked::Plain { .. }) | None => Persistence::Impossible,
        }
    }

    fn spc(&mut self, certificate: &Certificate, content_id: &ContentId) -> Result<Spc, KeyError> {
        let asked = self.asked.as_ref().ok_or_else(|| self.error(SystemFault::Abandoned))?;
        asked.spc(certificate, content_id, self.timeout).map_err(|fault| self.error(fault))
    }

    fn accept(mut self: Box<Self>, ckc: &Ckc) -> Result<Accepted, KeyError> {
        let asked = self.take()?;
        match asked.accept(self.key_uri.as_str(), ckc) {
            Ok(key) => Ok(Accepted { key, terms: LicenseTerms::default(), created: None }),
            Err(fault) => Err(self.failed(&asked, fault)),
        }
    }

    fn answer_stored(mut self: Box<Self>, key: &PersistableKey) -> Result<(), KeyError> {
        match self.take()?.persistable(self.key_uri.as_str(), self.timeout) {
            Ok(asked) => {
                asked.respond_with_key(self.key_uri.as_str(), key);
                Ok(())
            }
            Err((Some(asked), fault)) => Err(self.failed(&asked, fault)),
            Err((None, fault)) => Err(self.error(fault)),
        }
    }

    fn fail(mut self: Box<Self>, error: &KeyError) {
        if let Some(asked) = self.asked.take() {
            asked.fail(error);
        }
    }
}

impl Drop for AppleRequest {
    fn drop(&mut self) {
        if let Some(asked) = self.asked.take() {
            asked.fail(&self.error(SystemFault::Abandoned));
        }
        // A player's session goes on; one of our own has done what it was made for.
        if let Some((session, _)) = self.session.take().filter(|_| self.intent != Intent::Play) {
            // SAFETY: nothing is asked of the session after this.
            unsafe { session.expire() };
        }
    }
}
