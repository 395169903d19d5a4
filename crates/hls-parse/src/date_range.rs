//! Date ranges: things that happen at a time, such as interstitials (RFC 8216 4.3.2.7).

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::line::Span;
use crate::value::{DateTime, Decimal, Uri};

/// An EXT-X-DATERANGE tag (RFC 8216 4.3.2.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateRange<'a> {
    /// ID; empty when missing, which is also a diagnostic.
    pub id: Cow<'a, str>,
    /// CLASS.
    pub class: Option<Cow<'a, str>>,
    /// START-DATE. `None`: missing or unreadable, which is also a diagnostic unless an earlier line of this ID has it.
    pub start_date: Option<DateTime>,
    /// CUE, as written: `PRE`, `POST`, `ONCE`, with commas between.
    pub cue: Option<Cow<'a, str>>,
    /// END-DATE.
    pub end_date: Option<DateTime>,
    /// DURATION.
    pub duration: Option<Duration>,
    /// PLANNED-DURATION.
    pub planned_duration: Option<Duration>,
    /// END-ON-NEXT.
    pub end_on_next: bool,
    /// SCTE35-CMD, as written: `0x` and digits.
    pub scte35_cmd: Option<Cow<'a, str>>,
    /// SCTE35-OUT, as written.
    pub scte35_out: Option<Cow<'a, str>>,
    /// SCTE35-IN, as written.
    pub scte35_in: Option<Cow<'a, str>>,
    /// X-ASSET-URI: an interstitial (rfc8216bis appendix D).
    pub asset_uri: Option<Uri<'a>>,
    /// X-ASSET-LIST: a list of interstitials (rfc8216bis appendix D).
    pub asset_list: Option<Uri<'a>>,
    /// Every attribute whose name begins with `X-`, in order, those two included.
    pub client_attributes: Vec<ClientAttribute<'a>>,
    /// The tag's line, without terminator.
    pub tag: Span,
    /// The tag's line number.
    pub tag_line: u32,
}

/// An attribute that an application gave a meaning (RFC 8216 4.3.2.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientAttribute<'a> {
    /// Its name, `X-` included.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: ClientValue<'a>,
}

/// What such an attribute may hold (RFC 8216 4.3.2.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientValue<'a> {
    /// Text in quotes.
    Text(Cow<'a, str>),
    /// `0x` and digits, as written.
    Hex(Cow<'a, str>),
    /// A number.
    Number(Decimal),
    /// Anything else, as written.
    Other(Cow<'a, str>),
}
