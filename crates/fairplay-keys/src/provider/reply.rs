//! Licenses as servers send them: raw, in base64, in JSON, between `<ckc>` and `</ckc>`.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::LicenseReply;
use crate::container::Ckc;
use crate::http::HttpResponse;
use crate::key_error::{KeyError, KeyErrorKind, ReplyFault};
use crate::terms::Limit;
use crate::time::Timestamp;
use crate::tolerant::base64_bytes;

/// Where a service puts what in its JSON. Members are named by their path, with `/` between the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyForm {
    /// Members that hold the license, beside those that are always looked for: `ckc`, `CkcMessage`, `License`, `license`.
    pub license: Vec<String>,
    /// The member that says how many seconds the key may be kept.
    pub duration: Option<String>,
    /// What 0 seconds mean.
    pub zero: ZeroDuration,
}

/// What a license for 0 seconds means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ZeroDuration {
    /// Nothing that could be stored.
    #[default]
    Refused,
    /// Without end.
    Unlimited,
}

const LICENSE: [&str; 4] = ["ckc", "CkcMessage", "License", "license"];
/// Members that say what went wrong, and those that number it.
const MESSAGE: [&str; 6] =
    ["message", "error", "errorMessage", "error_message", "errorDescription", "description"];
const CODE: [&str; 5] = ["code", "status_code", "errorCode", "error_code", "statusCode"];

impl ReplyForm {
    /// Finds the license in an answer, in any of the forms that servers use, and checks its header.
    ///
    /// # Errors
    /// [`KeyErrorKind::Status`] for a status that is not 2xx, [`KeyErrorKind::ServerRejected`] for a refusal in words,
    /// [`KeyErrorKind::Reply`] and [`KeyErrorKind::BadCkc`] for what is no license.
    pub fn parse(&self, response: &HttpResponse) -> Result<LicenseReply, KeyError> {
        let server_time = accepted(response)?;
        let (ckc, duration) = self.license(response.body.expose())?;
        Ok(LicenseReply { ckc, duration, server_time })
    }

    /// Whether an answer says that a proof was taken: status 2xx, and neither a web page nor a refusal in words.
    ///
    /// # Errors
    /// [`KeyErrorKind::Status`], [`KeyErrorKind::ServerRejected`], [`ReplyFault::WebPage`].
    pub fn taken(&self, response: &HttpResponse) -> Result<(), KeyError> {
        accepted(response)?;
        let text = std::str::from_utf8(response.body.expose()).unwrap_or_default();
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') && !text.starts_with("<ckc>") {
            return Err(ReplyFault::WebPage.into());
        }
        let refused = serde_json::from_str(text).ok().and_then(|value: Value| rejection(&value));
        match refused.as_ref().map(KeyError::kind) {
            Some(KeyErrorKind::ServerRejected { code: Some(code), .. }) if is_success(code) => Ok(()),
            _ => refused.map_or(Ok(()), Err),
        }
    }

    /// How long a key still lives, in an answer to a report on it: the same member as beside a license.
    ///
    /// # Errors
    /// As [`ReplyForm::taken`]; [`ReplyFault::Duration`].
    pub fn remaining(&self, response: &HttpResponse) -> Result<Limit, KeyError> {
        self.taken(response)?;
        let value: Option<Value> = serde_json::from_slice(response.body.expose()).ok();
        let stated = value.as_ref().zip(self.duration.as_ref()).and_then(|(value, path)| member(value, path));
        Ok(self.duration_of(stated)?)
    }

    fn license(&self, body: &[u8]) -> Result<(Ckc, Result<Limit, ReplyFault>), KeyError> {
        let unspecified = Ok(Limit::Unspecified);
        if body.is_empty() {
            return Err(ReplyFault::Empty.into());
        }
        let fault = match Ckc::new(body) {
            Ok(ckc) => return Ok((ckc, unspecified)),
            Err(fault) => fault,
        };
        let Ok(text) = std::str::from_utf8(body) else { return Err(fault.into()) };
        if text.contains('\0') {
            return Err(fault.into());
        }
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with(['{', '"']) {
            let value: Value = serde_json::from_str(text).map_err(|_| ReplyFault::Form)?;
            return self.json(&value);
        }
        let inner = text.strip_prefix("<ckc>").and_then(|rest| rest.strip_suffix("</ckc>"));
        match inner {
            Some(inner) => Ok((of_base64(inner, ReplyFault::NotBase64)?, unspecified)),
            None if text.is_empty() => Err(ReplyFault::Empty.into()),
            None if text.starts_with('<') => Err(ReplyFault::WebPage.into()),
            None => Ok((of_base64(text, ReplyFault::Form)?, unspecified)),
        }
    }

    fn json(&self, value: &Value) -> Result<(Ckc, Result<Limit, ReplyFault>), KeyError> {
        if let Some(text) = value.as_str() {
            return Ok((of_base64(text, ReplyFault::NotBase64)?, Ok(Limit::Unspecified)));
        }
        let paths = self.license.iter().map(String::as_str).chain(LICENSE);
        let mut members = paths.filter_map(|path| member(value, path)?.as_str());
        let Some(text) = members.find(|text| !text.is_empty()) else {
            return Err(rejection(value).unwrap_or_else(|| ReplyFault::NoCkc.into()));
        };
        let stated = self.duration.as_ref().and_then(|path| member(value, path));
        Ok((of_base64(text, ReplyFault::NotBase64)?, self.duration_of(stated)))
    }

    /// A number of seconds, also as text; parts of a second don't count.
    fn duration_of(&self, stated: Option<&Value>) -> Result<Limit, ReplyFault> {
        let Some(value) = stated.filter(|value| !value.is_null()) else { return Ok(Limit::Unspecified) };
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
        let fault = || ReplyFault::Duration(number_or_dots(&text));
        match (seconds(&text).ok_or_else(fault)?, self.zero) {
            (0, ZeroDuration::Refused) => Err(fault()),
            (0, ZeroDuration::Unlimited) => Ok(Limit::Unlimited),
            (seconds, _) => Ok(Limit::Within(Duration::from_secs(seconds))),
        }
    }
}

/// Codes by which services say that all went well.
fn is_success(code: &str) -> bool {
    code.parse().is_ok_and(|code: u32| code == 0 || (200..300).contains(&code))
}

/// Holds the status against 2xx; gives the server's clock.
fn accepted(response: &HttpResponse) -> Result<Option<Timestamp>, KeyError> {
    let server_time = response.header("date").and_then(http_date);
    if (200..300).contains(&response.status) {
        return Ok(server_time);
    }
    let retry_after = response.header("retry-after").and_then(|text| pause(text, server_time));
    Err(KeyErrorKind::Status { status: response.status, retry_after }.into())
}

/// Digits, and perhaps a fraction that is cut off.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) { whole.parse().ok() } else { None }
}

/// Some servers put base64 into base64; the header tells.
fn of_base64(text: &str, fault: ReplyFault) -> Result<Ckc, KeyError> {
    let bytes = base64_bytes(text).ok_or(fault)?;
    Ckc::new(bytes.as_slice()).or_else(|fault| {
        let again = std::str::from_utf8(&bytes).ok().and_then(base64_bytes);
        again.and_then(|bytes| Ckc::new(bytes).ok()).ok_or_else(|| fault.into())
    })
}

fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(value, |value, name| value.get(name))
}

/// What an answer without license says in words; Kaltura's service marks refusals by a null `reference` too.
fn rejection(value: &Value) -> Option<KeyError> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let nested = value.get("error").filter(|error| error.is_object());
    let places = [Some(value), nested];
    let first = |names: &[&str]| {
        let values =
            places.iter().flatten().flat_map(|place| names.iter().filter_map(|name| place.get(*name)));
        values.filter_map(text).find(|text| !text.is_empty())
    };
    let (code, message) = (first(&CODE), first(&MESSAGE));
    let refused = code.is_some() || message.is_some() || value.get("reference").is_some_and(Value::is_null);
    let message = harmless(&message.unwrap_or_else(|| "no reason given".to_owned()));
    let code = code.map(|code| harmless(&code));
    refused.then(|| KeyErrorKind::ServerRejected { code, message }.into())
}

/// A server's words, in one line and not too many. What is neither a word nor a small number may be what it was asked with.
fn harmless(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if is_harmless(word) { word } else { "..." });
    words.collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// Letters, in words as long as languages have them, or digits, too few for a secret; and what stands between words.
fn is_harmless(word: &str) -> bool {
    let runs = || word.split(|letter: char| !letter.is_alphanumeric()).filter(|run| !run.is_empty());
    // Names in camel case change it now and then, base64 all the time.
    let humps =
        |run: &str| run.as_bytes().windows(2).filter(|two| matches!(two, [b'a'..=b'z', b'A'..=b'Z'])).count();
    let is_word =
        |run: &str| run.chars().all(char::is_alphabetic) && run.chars().count() <= 20 && humps(run) <= 2;
    let is_number = |run: &str| run.len() <= 6 && run.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = |run: &str| run.len() <= 6 && run.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word.len() <= 40
        && runs().count() <= 3
        && runs().all(|run| is_word(run) || is_number(run) || is_code(run))
        && !word.chars().any(char::is_control)
}

/// A number as it is written, of whatever kind; nothing else of a server's is repeated.
fn number_or_dots(text: &str) -> String {
    let is_number =
        text.len() <= 24 && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if is_number { text.to_owned() } else { "...".to_owned() }
}

fn http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text).ok()?;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok().map(Timestamp)
}

/// A `Retry-After`: seconds, or a date by the server's own clock.
fn pause(text: &str, now: Option<Timestamp>) -> Option<Duration> {
    text.trim().parse().map(Duration::from_secs).ok().or_else(|| Some(http_date(text)?.since(now?)))
}

#[cfg(test)]
mod tests;
