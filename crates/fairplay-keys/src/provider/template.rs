//! License services as data.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::{LicenseContext, LicenseProvider, LicenseReply, ReplyForm};
use crate::container::Spc;
use crate::content_id::{ContentId, ContentIdRule};
use crate::error::Error;
use crate::http::{HttpRequest, HttpResponse, RequestFault, percent_encoded};
use crate::key_error::KeyError;
use crate::key_uri::KeyUri;
use crate::provider::{LicenseUrl, TokenError};
use crate::secret::SecretBytes;
use crate::terms::Limit;

/// A license service: how it is asked, and how it answers. Begin with one of the functions and change what differs.
///
/// [VENDORS.md](https://github.com/downloadtogo/downloadtogo-rs/blob/main/crates/fairplay-keys/VENDORS.md) has the values
/// of services that there is no function for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProvider {
    /// Which part of a key URI is the content identifier.
    pub content_id: ContentIdRule,
    /// What is done to the license address.
    pub address: Address,
    /// What is sent.
    pub body: Body,
    /// Headers beside the content type that the body has.
    pub headers: Vec<(String, Value)>,
    /// Items that are added to the address's query.
    pub query: Vec<(String, Value)>,
    /// How the service answers.
    pub reply: ReplyForm,
    /// Where the application's certificate is fetched anew once a platform rejects the one at hand; it is sent no token.
    pub certificate: Option<LicenseUrl>,
}

/// Where a license is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// At the license address as it is.
    #[default]
    AsGiven,
    /// At the license address, with each of these texts replaced by a value, percent-encoded.
    Filled(Vec<(String, Value)>),
    /// At the key URI, with `https` for `skd`, where that leads to one of these hosts: a playlist's author decides on the
    /// URI, and must not have tokens sent elsewhere. Any port of theirs will do.
    OfKeyUri {
        /// The hosts, without port.
        hosts: Vec<String>,
    },
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// The SPC's bytes.
    Raw,
    /// The SPC in base64.
    Base64,
    /// A form.
    Form(Vec<FormPart>),
    /// A JSON object: paths with `/` between the names, and what stands there.
    Json(Vec<(String, Value)>),
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormPart {
    /// A name and its value, which is percent-encoded.
    Item(String, Value),
    /// A text that is items already, as a key URI's query.
    Verbatim(Value),
}

/// What stands in a request. `Debug` shows no [`Value::Text`], which may be an API key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// This text.
    Text(String),
    /// The SPC in base64.
    Spc,
    /// The content identifier.
    ContentId,
    /// The token. A request without one is not built.
    Token,
    /// The key URI as it is written.
    KeyUri,
    /// An item of the key URI's query; nothing where there is none.
    QueryItem(String),
    /// The asset's id.
    AssetId,
}

impl TemplateProvider {
    /// The SPC's bytes as the body, any answer: Apple's sample, and what most others can do.
    #[must_use]
    pub fn raw() -> Self {
        Self {
            content_id: ContentIdRule::Host,
            address: Address::AsGiven,
            body: Body::Raw,
            headers: Vec::new(),
            query: Vec::new(),
            reply: ReplyForm::default(),
            certificate: None,
        }
    }

    /// The SPC in base64 as the body.
    #[must_use]
    pub fn base64() -> Self {
        Self { body: Body::Base64, ..Self::raw() }
    }

    /// A form with the SPC in `spc`.
    #[must_use]
    pub fn form() -> Self {
        Self { body: Body::Form(vec![FormPart::Item("spc".to_owned(), Value::Spc)]), ..Self::raw() }
    }

    /// A JSON object with the SPC in `spc`.
    #[must_use]
    pub fn json() -> Self {
        Self { body: Body::Json(vec![("spc".to_owned(), Value::Spc)]), ..Self::raw() }
    }

    /// Kaltura's uDRM. What proves who asks is in the license address.
    #[must_use]
    pub fn kaltura() -> Self {
        let duration = Some("persistence_duration".to_owned());
        Self { reply: ReplyForm { duration, ..ReplyForm::default() }, ..Self::base64() }
    }

    /// castLabs DRMtoday; the token is the authentication token. With custom data in its place, in base64, the header is
    /// `x-dt-custom-data`.
    #[must_use]
    pub fn castlabs() -> Self {
        let spc = FormPart::Item("spc".to_owned(), Value::Spc);
        Self {
            content_id: ContentIdRule::Query,
            body: Body::Form(vec![spc, FormPart::Verbatim(Value::ContentId)]),
            headers: vec![("x-dt-auth-token".to_owned(), Value::Token)],
            ..Self::raw()
        }
    }

    /// Axinom; the token is the license service message.
    #[must_use]
    pub fn axinom() -> Self {
        Self {
            content_id: ContentIdRule::AfterScheme,
            headers: vec![("X-AxDRM-Message".to_owned(), Value::Token)],
            ..Self::raw()
        }
    }
}

impl LicenseProvider for TemplateProvider {
    fn content_id(&self, key_uri: &KeyUri) -> Result<ContentId, Error> {
        self.content_id.apply(key_uri)
    }

    fn request(&self, spc: &Spc, context: &LicenseContext<'_>) -> Result<HttpRequest, KeyError> {
        let filling = Filling { spc, context };
        let url = filling.address(&self.address)?;
        let mut request = HttpRequest::post(&url, filling.body(&self.body)?)?;
        request.set_header("Content-Type", self.body.content_type())?;
        for (name, value) in &self.headers {
            request.set_header(name, &filling.text(value)?)?;
        }
        for (name, value) in &self.query {
            request.set_query(name, &filling.text(value)?);
        }
        Ok(request)
    }

    fn parse(&self, response: &HttpResponse) -> Result<LicenseReply, KeyError> {
        self.reply.parse(response)
    }

    fn taken(&self, response: &HttpResponse) -> Result<(), KeyError> {
        self.reply.taken(response)
    }

    fn remaining(&self, response: &HttpResponse) -> Result<Limit, KeyError> {
        self.reply.remaining(response)
    }

    fn certificate_request(&self) -> Result<Option<HttpRequest>, KeyError> {
        Ok(self.certificate.as_ref().map(|url| HttpRequest::get(url.expose())).transpose()?)
    }
}

impl Body {
    const fn content_type(&self) -> &'static str {
        match self {
            Self::Raw | Self::Base64 => "application/octet-stream",
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Json(_) => "application/json",
        }
    }
}

struct Filling<'a> {
    spc: &'a Spc,
    context: &'a LicenseContext<'a>,
}

impl<'a> Filling<'a> {
    fn text<'v: 'a>(&self, value: &'v Value) -> Result<Cow<'a, str>, KeyError> {
        let context = self.context;
        Ok(match value {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Spc => Cow::Owned(STANDARD.encode(self.spc.expose())),
            Value::ContentId => String::from_utf8_lossy(context.content_id.as_bytes()),
            Value::Token => {
                let none = || TokenError { message: "the service wants one".to_owned(), again_in: None };
                Cow::Borrowed(context.token.ok_or_else(none)?.expose())
            }
            Value::KeyUri => Cow::Borrowed(context.key_uri.as_str()),
            Value::QueryItem(name) => Cow::Borrowed(context.key_uri.query_item(name).unwrap_or_default()),
            Value::AssetId => Cow::Borrowed(context.asset.as_str()),
        })
    }

    fn address(&self, address: &'a Address) -> Result<String, KeyError> {
        let given = self.context.license_url.expose();
        match address {
            Address::AsGiven => Ok(given.to_owned()),
            Address::OfKeyUri { hosts } => {
                let rest = self.context.key_uri.after_scheme();
                let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
                // User information would hide which host it is: with it, it is none of them.
                let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                let host = authority.rsplit_once(':').filter(|(_, port)| is_port(port));
                let host = host.map_or(authority, |(host, _)| host);
                match hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
                    true => Ok(format!("https://{rest}")),
                    false => Err(RequestFault::Host(host.chars().take(80).collect()).into()),
                }
            }
            Address::Filled(blanks) => {
                blanks.iter().try_fold(given.to_owned(), |url, (blank, value)| match blank.is_empty() {
                    true => Err(RequestFault::Address.into()),
                    false => Ok(url.replace(blank, &percent_encoded(&self.text(value)?))),
                })
            }
        }
    }

    fn body(&self, body: &'a Body) -> Result<SecretBytes, KeyError> {
        Ok(match body {
            Body::Raw => SecretBytes::new(self.spc.expose()),
            Body::Base64 => SecretBytes::new(STANDARD.encode(self.spc.expose())),
            Body::Form(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|part| self.form_part(part)).collect::<Result<_, _>>()?;
                SecretBytes::new(parts.join("&"))
            }
            Body::Json(members) => {
                let mut root = Map::new();
                for (path, value) in members {
                    insert(&mut root, path, Json::String(self.text(value)?.into_owned()));
                }
                SecretBytes::new(Json::Object(root).to_string())
            }
        })
    }

    fn form_part(&self, part: &'a FormPart) -> Result<String, KeyError> {
        Ok(match part {
            FormPart::Item(name, value) => format!("{name}={}", percent_encoded(&self.text(value)?)),
            FormPart::Verbatim(value) => self.text(value)?.into_owned(),
        })
    }
}

fn insert(object: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('/') {
        None => drop(object.insert(path.to_owned(), value)),
        Some((name, rest)) => {
            let inner = object.entry(name).or_insert_with(|| Json::Object(Map::new()));
            if !inner.is_object() {
                *inner = Json::Object(Map::new());
            }
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Spc => f.write_str("Spc"),
            Self::ContentId => f.write_str("ContentId"),
            Self::Token => f.write_str("Token"),
            Self::KeyUri => f.write_str("KeyUri"),
            Self::QueryItem(name) => f.debug_tuple("QueryItem").field(name).finish(),
            Self::AssetId => f.write_str("AssetId"),
        }
    }
}

#[cfg(test)]
mod tests;
