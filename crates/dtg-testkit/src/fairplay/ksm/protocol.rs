//! How license services take an SPC and give a CKC: shapes of bodies, as data.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::policy::{Flaw, Policy, Stated};
use crate::Request;

/// How one license service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// Its name, which is the last part of its path at a key server.
    pub name: &'static str,
    /// Where the SPC is.
    pub spc: SpcShape,
    /// Where the CKC goes.
    pub ckc: CkcShape,
    /// Where a token is, if one is wanted.
    pub token: TokenPlace,
}

/// Where in a request the SPC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpcShape {
    /// The body.
    Raw,
    /// The body, in base64.
    Base64,
    /// A field of a form, in base64.
    Form(&'static str),
    /// In JSON, at this pointer (RFC 6901), in base64.
    Json(&'static str),
}

/// Where in an answer the CKC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CkcShape {
    /// The body.
    Raw,
    /// The body, in base64.
    Base64,
    /// In base64 within `<ckc>`, on a line of its own.
    Tag,
    /// In JSON, in base64.
    Json {
        /// The names that lead to it.
        path: &'static [&'static str],
        /// The name of the time that it may be kept, in seconds; empty where there is none.
        duration: &'static str,
    },
}

/// Where in a request a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header.
    Header(&'static str),
    /// An item of the query.
    Query(&'static str),
    /// In the JSON of the body, at this pointer.
    Json(&'static str),
}

const CKC: CkcShape = CkcShape::Json { path: &["ckc"], duration: "" };

impl Protocol {
    /// Kaltura uDRM: the query of its address says who asks.
    pub const KALTURA: Self = Self {
        name: "kaltura",
        spc: SpcShape::Base64,
        ckc: CkcShape::Json { path: &["ckc"], duration: "persistence_duration" },
        token: TokenPlace::Query("custom_data"),
    };
    /// Bytes both ways.
    pub const RAW: Self = Self::new("raw", SpcShape::Raw, CkcShape::Raw);
    /// Bytes there, base64 back.
    pub const RAW_TO_BASE64: Self = Self::new("raw-base64", SpcShape::Raw, CkcShape::Base64);
    /// Bytes there, `<ckc>` back.
    pub const RAW_TO_TAG: Self = Self::new("raw-tag", SpcShape::Raw, CkcShape::Tag);
    /// Base64 both ways.
    pub const BASE64: Self = Self::new("base64", SpcShape::Base64, CkcShape::Base64);
    /// A form there, `<ckc>` back.
    pub const FORM: Self = Self::new("form", SpcShape::Form("spc"), CkcShape::Tag);
    /// JSON both ways.
    pub const JSON: Self = Self::new("json", SpcShape::Json("/spc"), CKC);
    /// Axinom.
    pub const AXINOM: Self =
        Self { name: "axinom", token: TokenPlace::Header("X-AxDRM-Message"), ..Self::RAW };
    /// castLabs DRMtoday.
    pub const DRMTODAY: Self = Self {
        token: TokenPlace::Header("x-dt-auth-token"),
        ..Self::new("drmtoday", SpcShape::Form("spc"), CkcShape::Base64)
    };
    /// castLabs DRMtoday with custom data in the place of a token.
    pub const DRMTODAY_CUSTOM_DATA: Self = Self {
        name: "drmtoday-custom-data",
        token: TokenPlace::Header("x-dt-custom-data"),
        ..Self::DRMTODAY
    };
    /// DoveRunner, once PallyCon.
    pub const DOVERUNNER: Self =
        Self { name: "doverunner", token: TokenPlace::Header("pallycon-customdata-v2"), ..Self::DRMTODAY };
    /// BuyDRM KeyOS.
    pub const KEYOS: Self = Self {
        token: TokenPlace::Header("x-keyos-authorization"),
        ..Self::new("keyos", SpcShape::Form("spc"), CkcShape::Tag)
    };
    /// EZDRM.
    pub const EZDRM: Self = Self { name: "ezdrm", ..Self::RAW };
    /// Vualto VUDRM.
    pub const VUDRM: Self = Self {
        token: TokenPlace::Header("x-vudrm-token"),
        ..Self::new("vudrm", SpcShape::Json("/payload"), CkcShape::Raw)
    };
    /// Verimatrix Core.
    pub const VERIMATRIX: Self = Self { name: "verimatrix", ..Self::JSON };
    /// Nagra SSP.
    pub const NAGRA: Self = Self {
        token: TokenPlace::Header("nv-authorizations"),
        ..Self::new("nagra", SpcShape::Raw, CkcShape::Json { path: &["CkcMessage"], duration: "" })
    };
    /// Comcast, thePlatform.
    pub const COMCAST: Self = Self {
        token: TokenPlace::Query("token"),
        ..Self::new(
            "comcast",
            SpcShape::Json("/getFairplayLicense/spcMessage"),
            CkcShape::Json { path: &["getFairplayLicenseResponse", "ckcResponse"], duration: "" },
        )
    };
    /// Brightcove.
    pub const BRIGHTCOVE: Self =
        Self::new("brightcove", SpcShape::Json("/server_playback_context"), CkcShape::Raw);

    /// All of them; a key server answers each at `/license/NAME`.
    pub const ALL: [Self; 18] = [
        Self::KALTURA,
        Self::RAW,
        Self::RAW_TO_BASE64,
        Self::RAW_TO_TAG,
        Self::BASE64,
        Self::FORM,
        Self::JSON,
        Self::AXINOM,
        Self::DRMTODAY,
        Self::DRMTODAY_CUSTOM_DATA,
        Self::DOVERUNNER,
        Self::KEYOS,
        Self::EZDRM,
        Self::VUDRM,
        Self::VERIMATRIX,
        Self::NAGRA,
        Self::COMCAST,
        Self::BRIGHTCOVE,
    ];

    const fn new(name: &'static str, spc: SpcShape, ckc: CkcShape) -> Self {
        Self { name, spc, ckc, token: TokenPlace::Header("Authorization") }
    }

    /// The SPC of a request; `None` where it is not where it should be.
    #[must_use]
    pub fn spc(&self, request: &Request) -> Option<Vec<u8>> {
        let text = || std::str::from_utf8(&request.body).ok();
        match self.spc {
            SpcShape::Raw => Some(request.body.clone()),
            SpcShape::Base64 => STANDARD.decode(text()?).ok(),
            SpcShape::Form(field) => STANDARD.decode(form_field(text()?, field)?).ok(),
            SpcShape::Json(pointer) => {
                let json: Value = serde_json::from_slice(&request.body).ok()?;
                STANDARD.decode(json.pointer(pointer)?.as_str()?).ok()
            }
        }
    }

    /// The token of a request.
    #[must_use]
    pub fn token(&self, request: &Request) -> Option<String> {
        match self.token {
            TokenPlace::Header(name) => {
                let value = request.header(name)?;
                Some(value.strip_prefix("Bearer ").unwrap_or(value).to_owned())
            }
            TokenPlace::Query(name) => form_field(request.query()?, name),
            TokenPlace::Json(pointer) => {
                let json: Value = serde_json::from_slice(&request.body).ok()?;
                json.pointer(pointer)?.as_str().map(str::to_owned)
            }
        }
    }

    /// The body that a CKC goes in, and its media type.
    pub(super) fn body(&self, ckc: &[u8], policy: &Policy) -> (Vec<u8>, &'static str) {
        let flaw = policy.flaw;
        if flaw == Some(Flaw::EmptyBody) {
            return (Vec::new(), "application/octet-stream");
        }
        let text = base64(ckc, flaw);
        let (mut body, media_type) = match self.ckc {
            CkcShape::Raw => (ckc.to_vec(), "application/octet-stream"),
            CkcShape::Base64 => (text.into_bytes(), "text/plain"),
            CkcShape::Tag => (format!("\n<ckc>{text}</ckc>\n").into_bytes(), "application/xml"),
            CkcShape::Json { path, duration } => {
                (json(path, duration, text, policy).into_bytes(), "application/json")
            }
        };
        if flaw == Some(Flaw::ByteOrderMark) {
            body.splice(0..0, *b"\xef\xbb\xbf");
        }
        (body, media_type)
    }
}

/// A field of a form or a query, decoded; `+` stays what it is, as services that are sent bare base64 read it.
fn form_field(text: &str, field: &str) -> Option<String> {
    let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == field)?;
    percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn base64(ckc: &[u8], flaw: Option<Flaw>) -> String {
    let plain = STANDARD.encode(ckc);
    match flaw {
        Some(Flaw::DoubleBase64) => STANDARD.encode(plain),
        Some(Flaw::Lines) => {
            plain.as_bytes().chunks(64).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
        }
        Some(Flaw::UrlBase64) => URL_SAFE_NO_PAD.encode(ckc),
        Some(Flaw::NotBase64) => format!("{plain}!"),
        Some(Flaw::EmptyLicense) => String::new(),
        _ => plain,
    }
}

fn json(path: &[&str], duration: &str, text: String, policy: &Policy) -> String {
    let license = match policy.flaw {
        Some(Flaw::NullLicense) => Value::Null,
        _ => Value::String(text),
    };
    let mut fields = Map::new();
    let (last, parents) = path.split_last().unwrap_or((&"ckc", &[]));
    if policy.flaw != Some(Flaw::NoLicense) {
        fields.insert((*last).to_owned(), license);
    }
    if !duration.is_empty() {
        let stated = match &policy.stated {
            Stated::AsGranted => policy.grant.seconds().map(Value::from),
            Stated::Nothing => None,
            Stated::Json(text) => serde_json::from_str(text).ok(),
        };
        fields.extend(stated.map(|stated| (duration.to_owned(), stated)));
    }
    let whole = parents.iter().rev().fold(Value::Object(fields), |inner, name| {
        Value::Object(Map::from_iter([((*name).to_owned(), inner)]))
    });
    whole.to_string()
}
