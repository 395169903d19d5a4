//! One license: SPC, request, answer, CKC.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::attempts::{Attempts, Next};
use super::{Shared, Wanted};
use crate::asset::AssetId;
use crate::certificate::Certificate;
use crate::container::Ckc;
use crate::container::Spc;
use crate::content_id::ContentId;
use crate::expiry::scatter;
use crate::http::{HttpResponse, TransportError};
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::provider::{Freshness, LicenseContext, LicenseReply, LicenseService, Purpose, TokenNeed};
use crate::secret::PersistableKey;
use crate::system::{Intent, KeyRequest, SystemFault};
use crate::terms::{LicenseTerms, Limit};
use crate::time::{Cancel, Timestamp};

/// A key as it was obtained.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) key: PersistableKey,
    pub(super) terms: LicenseTerms,
    pub(super) stated: Limit,
    pub(super) created: Option<Timestamp>,
    pub(super) server_time: Option<Timestamp>,
    /// The one that the platform took.
    pub(super) certificate: Certificate,
}

impl Shared {
    /// Obtains a key to store, in a session of its own.
    pub(super) fn fetch(
        &self,
        wanted: Wanted<'_>,
        intent: Intent,
        cancel: &Cancel,
    ) -> Result<Fetched, KeyError> {
        let purpose = if intent == Intent::Renew { Purpose::Renew } else { Purpose::Acquire };
        let mut request =
            self.parts.system.open(wanted.key_uri, intent).map_err(|error| error.of(wanted.key_uri))?;
        let asked = self
            .ask(&mut *request, wanted, purpose, cancel)
            .and_then(|(reply, certificate)| Ok((reply.duration.clone()?, reply, certificate)));
        let (stated, reply, certificate) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                let error = error.of(wanted.key_uri);
                request.fail(&error);
                return Err(error);
            }
        };
        let accepted = request.accept(&reply.ckc).map_err(|error| error.of(wanted.key_uri))?;
        let key = accepted
            .key
            .ok_or_else(|| KeyError::from(SystemFault::PersistenceUnsupported).of(wanted.key_uri))?;
        let (terms, created, server_time) = (accepted.terms, accepted.created, reply.server_time);
        Ok(Fetched { key, terms, stated, created, server_time, certificate })
    }

    /// Asks the service for a license, again with a new SPC while what goes wrong may pass. The request stays unanswered.
    fn ask(
        &self,
        request: &mut dyn KeyRequest,
        wanted: Wanted<'_>,
        purpose: Purpose,
        cancel: &Cancel,
    ) -> Result<(LicenseReply, Certificate), KeyError> {
        caught(|| self.ask_on(request, wanted, purpose, cancel))
    }

    fn ask_on(
        &self,
        request: &mut dyn KeyRequest,
        wanted: Wanted<'_>,
        purpose: Purpose,
        cancel: &Cancel,
    ) -> Result<(LicenseReply, Certificate), KeyError> {
        let license = wanted.license;
        let content_id = license.provider.content_id(wanted.key_uri)?;
        let (Wanted { asset, key_uri, .. }, service) = (wanted, license.service());
        let mut exchange = Exchange {
            shared: self,
            asset,
            key_uri,
            service: &service,
            content_id: &content_id,
            purpose,
            cancel,
        };
        let now = self.parts.clock.now().0;
        let mut attempts = Attempts::new(self.parts.policy, scatter(wanted.key_uri, now));
        let mut token = Freshness::Any;
        let mut certificate = self.known_certificate(license);
        loop {
            let spc = match request.spc(&certificate, &content_id) {
                Err(error) if is_of_certificate(&error) => {
                    certificate = self.fresh_certificate(license, cancel).ok_or(error)?;
                    request.spc(&certificate, &content_id)?
                }
                spc => spc?,
            };
            spc.check(&certificate)?;
            let error = match exchange.once(&spc, token).and_then(|answer| license.provider.parse(&answer)) {
                Ok(reply) => return Ok((reply, certificate)),
                Err(error) => error,
            };
            match attempts.failed(&error) {
                Next::Again { after, token: freshness } => {
                    self.parts.clock.wait(after, cancel);
                    token = freshness;
                }
                Next::GiveUp => return Err(error.at(&license.url).after(attempts.made())),
            }
        }
    }

    /// Hands a proof over to the service, whose reply rules say whether it has taken it.
    pub(super) fn prove(
        &self,
        proof: &Spc,
        of: (&AssetId, &KeyUri),
        service: &LicenseService,
        cancel: &Cancel,
    ) -> Result<(), KeyError> {
        let answer = self.report(proof, of, (service, Purpose::Release), cancel)?;
        caught(|| service.provider.taken(&answer)).map_err(|error| error.at(&service.url))
    }

    /// Hands over what states how long a key still lives; gives what the service makes of it.
    pub(super) fn report_expiration(
        &self,
        proof: &Spc,
        of: (&AssetId, &KeyUri),
        service: &LicenseService,
        cancel: &Cancel,
    ) -> Result<Limit, KeyError> {
        let answer = self.report(proof, of, (service, Purpose::Expiration), cancel)?;
        caught(|| service.provider.remaining(&answer)).map_err(|error| error.at(&service.url))
    }

    /// Sends a report about a stored key, with another token where the first is refused.
    fn report(
        &self,
        report: &Spc,
        (asset, key_uri): (&AssetId, &KeyUri),
        (service, purpose): (&LicenseService, Purpose),
        cancel: &Cancel,
    ) -> Result<HttpResponse, KeyError> {
        caught(|| {
            let content_id = service.provider.content_id(key_uri)?;
            let mut exchange =
                Exchange { shared: self, asset, key_uri, service, content_id: &content_id, purpose, cancel };
            match exchange.once(report, Freshness::Any)? {
                refused if refused.status == 401 => exchange.once(report, Freshness::Renewed),
                answer => Ok(answer),
            }
        })
    }

    /// Plays with a license that is not stored.
    pub(super) fn stream(
        &self,
        mut request: Box<dyn KeyRequest>,
        wanted: Wanted<'_>,
        cancel: &Cancel,
    ) -> Result<(), KeyError> {
        match self.ask(&mut *request, wanted, Purpose::Stream, cancel) {
            Ok((LicenseReply { ckc, .. }, _)) => {
                accept(request, &ckc).map_err(|error| error.of(wanted.key_uri))
            }
            Err(error) => Err(refuse(request, error.of(wanted.key_uri), cancel)),
        }
    }
}

/// A panic of the application's provider, token source or transport is an error like others.
fn caught<T>(work: impl FnOnce() -> Result<T, KeyError>) -> Result<T, KeyError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(KeyErrorKind::Panicked.into()))
}

fn is_of_certificate(error: &KeyError) -> bool {
    *error.kind() == KeyErrorKind::System(SystemFault::Certificate)
}

fn accept(request: Box<dyn KeyRequest>, ckc: &Ckc) -> Result<(), KeyError> {
    request.accept(ckc).map(drop)
}

/// Answers a request with an error; what was cut off by the deadline is the deadline's.
pub(super) fn refuse(request: Box<dyn KeyRequest>, error: KeyError, cancel: &Cancel) -> KeyError {
    let cut_off = cancel.is_cancelled() && matches!(error.kind(), KeyErrorKind::Cancelled);
    let error = if cut_off { KeyError::from(KeyErrorKind::Deadline).of(request.key_uri()) } else { error };
    request.fail(&error);
    error
}

struct Exchange<'a> {
    shared: &'a Shared,
    asset: &'a AssetId,
    key_uri: &'a KeyUri,
    service: &'a LicenseService,
    content_id: &'a ContentId,
    purpose: Purpose,
    cancel: &'a Cancel,
}

impl Exchange<'_> {
    /// Sends an SPC, once.
    fn once(&mut self, spc: &Spc, freshness: Freshness) -> Result<HttpResponse, KeyError> {
        let Self { asset, key_uri, service, .. } = *self;
        self.still_wanted()?;
        let token = service.tokens.token(TokenNeed { asset, key_uri, freshness }, self.cancel)?;
        self.still_wanted()?;
        let context = LicenseContext {
            license_url: &service.url,
            key_uri,
            content_id: self.content_id,
            asset,
            token: token.as_ref(),
            purpose: self.purpose,
        };
        let request = service.provider.request(spc, &context)?;
        self.shared.parts.transport.send(&request, self.cancel).map_err(|fault| {
            let is_cancel = fault == TransportError::Cancelled;
            if is_cancel { KeyErrorKind::Cancelled.into() } else { KeyError::from(fault).at(&service.url) }
        })
    }

    fn still_wanted(&self) -> Result<(), KeyError> {
        if self.cancel.is_cancelled() { Err(KeyErrorKind::Cancelled.into()) } else { Ok(()) }
    }
}
