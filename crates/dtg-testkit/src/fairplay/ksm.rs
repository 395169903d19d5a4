//! A key server over real HTTP, on an origin of the testkit: whatever an origin can be told to get wrong, it can too.

mod policy;
mod module;
mod protocol;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Block, ContentKey, Credentials, Deployment, OfflineSync};
use crate::{Error, Origin, Request, Response};
use module::Module;

pub use module::{OpenedSpc, Refusal};
pub use policy::{Denial, Flaw, Grant, Hdcp, Policy, Stated};
pub use protocol::{CkcShape, Protocol, SpcShape, TokenPlace};

/// A key server on 127.0.0.1, for all [`Protocol`]s at once.
///
/// It answers real SPCs with real CKCs, each SPC once, and keeps what was said. The application's certificate is at
/// `/certificate`. Faults of HTTP are those of its [`origin`](KeyServer::origin). Dropping it stops it.
#[derive(Debug)]
pub struct KeyServer {
    origin: Origin,
    state: Arc<Mutex<State>>,
    certificate: Vec<u8>,
}

#[derive(Debug)]
struct State {
    module: Module,
    rng: ChaCha20Rng,
    policy: Policy,
    policies: BTreeMap<Vec<u8>, Policy>,
    tokens: Option<BTreeSet<String>>,
    challenge: Option<[u8; 8]>,
    exchanges: Vec<LicenseExchange>,
}

/// What a key server was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseExchange {
    /// The protocol's name.
    pub protocol: &'static str,
    /// The SPC, as far as it could be opened.
    pub spc: Option<OpenedSpc>,
    /// The token that came with it.
    pub token: Option<String>,
    /// What came of it.
    pub outcome: LicenseOutcome,
}

/// What a key server made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LicenseOutcome {
    /// A license was given.
    Granted,
    /// A report about a stored key was taken.
    Reported,
    /// The policy refuses.
    Denied,
    /// No token, or none that is allowed.
    Unauthorized,
    /// The request has no SPC where the protocol has it.
    NoSpc,
    /// The SPC is not answered.
    Refused(Refusal),
}

impl KeyServer {
    /// Starts on a free port, with test credentials of 1024 bits and the test deployment.
    ///
    /// # Errors
    /// [`ErrorKind::Start`](crate::ErrorKind::Start) when the system has no port or no thread left.
    pub fn start(seed: u64) -> Result<Self, Error> {
        Self::start_with(seed, Deployment::test(), vec![Credentials::test_1024(), Credentials::test_2048()])
    }

    /// Starts on a free port. SPCs for any of these credentials are answered; the certificate of the first is handed out.
    ///
    /// # Errors
    /// [`ErrorKind::Start`](crate::ErrorKind::Start) when the system has no port or no thread left.
    pub fn start_with(
        seed: u64,
        deployment: Deployment,
        credentials: Vec<Credentials>,
    ) -> Result<Self, Error> {
        let certificate = credentials.first().map(|it| it.certificate.clone()).unwrap_or_default();
        let state = Arc::new(Mutex::new(State {
            module: Module::new(deployment, credentials),
            rng: ChaCha20Rng::seed_from_u64(seed),
            policy: Policy::default(),
            policies: BTreeMap::new(),
            tokens: None,
            challenge: None,
            exchanges: Vec::new(),
        }));
        let (answering, handed_out) = (Arc::clone(&state), certificate.clone());
        let origin = Origin::start(move |request: &Request| match request.path() {
            "/certificate" => Response::ok(handed_out.clone()).content_type("application/pkix-cert"),
            path => match Protocol::ALL.iter().find(|it| path.strip_prefix("/license/") == Some(it.name)) {
                Some(protocol) => locked(&answering).respond(protocol, request),
                None => Response::status(404),
            },
        })?;
        Ok(Self { origin, state, certificate })
    }

    /// Where licenses are asked for in this protocol. Kaltura's address has a query, as its services hand it out.
    #[must_use]
    pub fn license_url(&self, protocol: &Protocol) -> String {
        let query = if *protocol == Protocol::KALTURA { "?custom_data=e30%3D&signature=c2ln" } else { "" };
        self.origin.url(&format!("/license/{}{query}", protocol.name))
    }

    /// Where the application's certificate is.
    #[must_use]
    pub fn certificate_url(&self) -> String {
        self.origin.url("/certificate")
    }

    /// The application's certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The origin that it answers on: its records, faults and holds, and how it is stopped.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Adds the key of a content, or replaces it.
    pub fn add_content(&self, content_id: impl Into<Vec<u8>>, key: ContentKey) {
        self.state().module.contents.insert(content_id.into(), key);
    }

    /// Sets what is granted to whoever asks.
    pub fn set_policy(&self, policy: Policy) {
        self.state().policy = policy;
    }

    /// Sets what is granted for one content.
    pub fn set_policy_of(&self, content_id: impl Into<Vec<u8>>, policy: Policy) {
        self.state().policies.insert(content_id.into(), policy);
    }

    /// From now on a request has to bring one of these tokens; any other is answered with status 401.
    pub fn allow_tokens<T: Into<String>>(&self, tokens: impl IntoIterator<Item = T>) {
        self.state().tokens = Some(tokens.into_iter().map(Into::into).collect());
    }

    /// From now on the proof that a key was made unusable has to repeat this.
    pub fn set_challenge(&self, challenge: [u8; 8]) {
        self.state().challenge = Some(challenge);
    }

    /// Everything that was asked, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<LicenseExchange> {
        self.state().exchanges.clone()
    }

    /// How many licenses were given.
    #[must_use]
    pub fn granted(&self) -> usize {
        self.state().exchanges.iter().filter(|it| it.outcome == LicenseOutcome::Granted).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// What a content is called in offline keys and in reports about them.
#[must_use]
pub fn offline_id(content_id: &[u8]) -> Block {
    module::offline_id(content_id)
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn respond(&mut self, protocol: &Protocol, request: &Request) -> Response {
        if request.method != "POST" {
            return Response::status(405).header("Allow", "POST");
        }
        let token = protocol.token(request);
        let (response, spc, outcome) = self.answer(protocol, request, token.as_deref());
        self.exchanges.push(LicenseExchange { protocol: protocol.name, spc, token, outcome });
        response
    }

    fn answer(
        &mut self,
        protocol: &Protocol,
        request: &Request,
        token: Option<&str>,
    ) -> (Response, Option<OpenedSpc>, LicenseOutcome) {
        let is_allowed = |allowed: &BTreeSet<String>| token.is_some_and(|token| allowed.contains(token));
        if !self.tokens.as_ref().is_none_or(is_allowed) {
            return (Response::status(401), None, LicenseOutcome::Unauthorized);
        }
        let Some(spc) = protocol.spc(request) else {
            return (Response::status(400), None, LicenseOutcome::NoSpc);
        };
        let opened = match self.module.open(&spc) {
            Ok(opened) => opened,
            Err(refusal) => return (refused(&refusal), None, LicenseOutcome::Refused(refusal)),
        };
        let (response, outcome) = match &opened.sync {
            Some(sync) => self.take_report(protocol, sync),
            None => self.license(protocol, &opened),
        };
        (response, Some(opened), outcome)
    }

    fn license(&mut self, protocol: &Protocol, spc: &OpenedSpc) -> (Response, LicenseOutcome) {
        let policy = self.policies.get(&spc.asset_id).unwrap_or(&self.policy).clone();
        if let Some(denial) = &policy.denial {
            return (denied(denial), LicenseOutcome::Denied);
        }
        match self.module.ckc(spc, &policy, &mut self.rng) {
            Ok(ckc) => {
                let (body, media_type) = protocol.body(&ckc, &policy);
                (Response::ok(body).content_type(media_type), LicenseOutcome::Granted)
            }
            Err(refusal) => (refused(&refusal), LicenseOutcome::Refused(refusal)),
        }
    }

    fn take_report(&self, protocol: &Protocol, sync: &OfflineSync) -> (Response, LicenseOutcome) {
        let repeats = match (sync, self.challenge) {
            (OfflineSync::Report { challenge, .. }, Some(wanted)) => *challenge == wanted,
            (OfflineSync::Report { .. } | OfflineSync::Remaining { .. }, _) => true,
        };
        if repeats {
            (reported(protocol, sync), LicenseOutcome::Reported)
        } else {
            (refused(&Refusal::Challenge), LicenseOutcome::Refused(Refusal::Challenge))
        }
    }
}

/// A service that states times beside licenses says what a key has left.
fn reported(protocol: &Protocol, sync: &OfflineSync) -> Response {
    match (protocol.ckc, sync) {
        (CkcShape::Json { duration, .. }, OfflineSync::Remaining { seconds, .. }) if !duration.is_empty() => {
            let body = serde_json::json!({ duration: seconds });
            Response::ok(body.to_string()).content_type("application/json")
        }
        _ => Response::status(204),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = if *refusal == Refusal::Content { 404 } else { 400 };
    let mut response = Response::ok(format!("{refusal}\n")).content_type("text/plain");
    response.status = status;
    response
}

fn denied(denial: &Denial) -> Response {
    let body = serde_json::json!({
        "message": denial.message, "reference": null, "status_code": denial.code,
    });
    let mut response = Response::ok(body.to_string()).content_type("application/json");
    response.status = denial.status;
    response
}
