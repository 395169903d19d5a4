//! License services: how each is asked, and how it answers. No I/O.

mod reply;
mod template;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::asset::AssetId;
use crate::container::{Ckc, Spc};
use crate::content_id::ContentId;
use crate::error::Error;
use crate::http::{HttpRequest, HttpResponse};
use crate::key_error::{KeyError, ReplyFault};
use crate::key_uri::KeyUri;
use crate::secret::Token;
use crate::terms::Limit;
use crate::time::{Cancel, Timestamp};

pub use reply::{ReplyForm, ZeroDuration};
pub use template::{Address, Body, FormPart, TemplateProvider, Value};

/// How one license service is spoken to. Pure: what is sent and what came is somebody else's affair.
pub trait LicenseProvider: Send + Sync + fmt::Debug {
    /// The content identifier of a key: always the same one, whatever is done with the key.
    ///
    /// # Errors
    /// What the key URI lacks.
    fn content_id(&self, key_uri: &KeyUri) -> Result<ContentId, Error>;

    /// The request that asks for a license, or hands over a proof.
    ///
    /// # Errors
    /// What it cannot be built of, as an address that is none.
    fn request(&self, spc: &Spc, context: &LicenseContext<'_>) -> Result<HttpRequest, KeyError>;

    /// What the service answered.
    ///
    /// # Errors
    /// Why it is no license.
    fn parse(&self, response: &HttpResponse) -> Result<LicenseReply, KeyError>;

    /// Whether the service has taken a proof that a key was made unusable. Unless a provider knows better, any answer of
    /// status 2xx says so that is neither a web page nor a refusal in words.
    ///
    /// # Errors
    /// Why it has not.
    fn taken(&self, response: &HttpResponse) -> Result<(), KeyError> {
        ReplyForm::default().taken(response)
    }

    /// How long a key still lives that was reported on, as the service answers; unspecified where it doesn't say.
    ///
    /// # Errors
    /// Why the report was not taken, or that the time is none.
    fn remaining(&self, response: &HttpResponse) -> Result<Limit, KeyError> {
        ReplyForm::default().remaining(response)
    }

    /// What fetches the application's certificate anew, where the service has it: platforms come to reject old ones.
    ///
    /// # Errors
    /// What it cannot be built of.
    fn certificate_request(&self) -> Result<Option<HttpRequest>, KeyError> {
        Ok(None)
    }
}

/// A license service: where it is, how it is spoken to, what proves who asks.
#[derive(Debug, Clone)]
pub struct LicenseService {
    /// Its address.
    pub url: LicenseUrl,
    /// How it is spoken to.
    pub provider: Arc<dyn LicenseProvider>,
    /// What proves who asks.
    pub tokens: Arc<dyn TokenSource>,
}

/// What a request for a license is built of, beside the SPC.
#[derive(Debug, Clone, Copy)]
pub struct LicenseContext<'a> {
    /// Where licenses are asked for; may hold tokens.
    pub license_url: &'a LicenseUrl,
    /// The key.
    pub key_uri: &'a KeyUri,
    /// Its content identifier.
    pub content_id: &'a ContentId,
    /// Whose key it is.
    pub asset: &'a AssetId,
    /// What proves who asks, where the service wants that.
    pub token: Option<&'a Token>,
    /// What the SPC is for.
    pub purpose: Purpose,
}

/// Changes requests before they are sent: an application's own parameters and headers.
pub trait LicenseRequestAdapter: Send + Sync + fmt::Debug {
    /// Changes the request. What it sets replaces what the provider has set.
    ///
    /// # Errors
    /// What cannot be set, as a header with a line break.
    fn adapt(&self, request: &mut HttpRequest) -> Result<(), KeyError>;
}

/// A service whose requests an adapter changes.
#[derive(Debug, Clone)]
pub struct AdaptedProvider<P, A> {
    /// The service.
    pub provider: P,
    /// The adapter.
    pub adapter: A,
}

/// Where licenses are asked for. `Debug` shows it without query.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenseUrl(String);

/// What an SPC is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A license to store.
    Acquire,
    /// A license to store in the place of another.
    Renew,
    /// A license to play with now.
    Stream,
    /// The proof that a key was made unusable.
    Release,
    /// The statement of how long a stored key still lives.
    Expiration,
}

/// What a license service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseReply {
    /// The license.
    pub ckc: Ckc,
    /// How long the service says that the key may be kept. Something else than a time is an error only for keys to keep.
    pub duration: Result<Limit, ReplyFault>,
    /// The server's clock.
    pub server_time: Option<Timestamp>,
}

/// Gives a token for each exchange, a fresh one where it has run out.
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token; `None` where the service wants none.
    ///
    /// # Errors
    /// Why there is none, in words without secrets.
    fn token(&self, need: TokenNeed<'_>, cancel: &Cancel) -> Result<Option<Token>, TokenError>;
}

/// What a token is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct TokenNeed<'a> {
    /// Whose key.
    pub asset: &'a AssetId,
    /// Which key.
    pub key_uri: &'a KeyUri,
    /// Whether the service refused the last one.
    pub freshness: Freshness,
}

/// How fresh a token has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Any that is valid.
    Any,
    /// A new one: the service refused the last with status 401.
    Renewed,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TokenError {
    /// In words without secrets.
    pub message: String,
    /// When to ask again, where that makes sense.
    pub again_in: Option<Duration>,
}

/// No tokens: what proves who asks is in the license address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoToken;

impl<P: LicenseProvider, A: LicenseRequestAdapter> LicenseProvider for AdaptedProvider<P, A> {
    fn content_id(&self, key_uri: &KeyUri) -> Result<ContentId, Error> {
        self.provider.content_id(key_uri)
    }

    fn request(&self, spc: &Spc, context: &LicenseContext<'_>) -> Result<HttpRequest, KeyError> {
        let mut request = self.provider.request(spc, context)?;
        self.adapter.adapt(&mut request)?;
        Ok(request)
    }

    fn parse(&self, response: &HttpResponse) -> Result<LicenseReply, KeyError> {
        self.provider.parse(response)
    }

    fn taken(&self, response: &HttpResponse) -> Result<(), KeyError> {
        self.provider.taken(response)
    }

    fn remaining(&self, response: &HttpResponse) -> Result<Limit, KeyError> {
        self.provider.remaining(response)
    }

    fn certificate_request(&self) -> Result<Option<HttpRequest>, KeyError> {
        let mut request = self.provider.certificate_request()?;
        request.iter_mut().try_for_each(|request| self.adapter.adapt(request))?;
        Ok(request)
    }
}

impl<A: LicenseRequestAdapter + ?Sized> LicenseRequestAdapter for Arc<A> {
    fn adapt(&self, request: &mut HttpRequest) -> Result<(), KeyError> {
        (**self).adapt(request)
    }
}

impl<P: LicenseProvider + ?Sized> LicenseProvider for Arc<P> {
    fn content_id(&self, key_uri: &KeyUri) -> Result<ContentId, Error> {
        (**self).content_id(key_uri)
    }

    fn request(&self, spc: &Spc, context: &LicenseContext<'_>) -> Result<HttpRequest, KeyError> {
        (**self).request(spc, context)
    }

    fn parse(&self, response: &HttpResponse) -> Result<LicenseReply, KeyError> {
        (**self).parse(response)
    }

    fn taken(&self, response: &HttpResponse) -> Result<(), KeyError> {
        (**self).taken(response)
    }

    fn remaining(&self, response: &HttpResponse) -> Result<Limit, KeyError> {
        (**self).remaining(response)
    }

    fn certificate_request(&self) -> Result<Option<HttpRequest>, KeyError> {
        (**self).certificate_request()
    }
}

impl TokenSource for NoToken {
    fn token(&self, _: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        Ok(None)
    }
}

impl LicenseUrl {
    /// Takes an address, unchecked: a request is built of it later.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The address as it is.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Scheme, host, port and path.
    #[must_use]
    pub fn shown(&self) -> String {
        crate::http::shown(&self.0)
    }
}

impl fmt::Debug for LicenseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LicenseUrl({})", self.shown())
    }
}
