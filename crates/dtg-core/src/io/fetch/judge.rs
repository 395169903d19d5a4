//! Holds the head of an answer against what was asked for. No I/O.

use super::super::http::{Answer, Framing};
use super::super::versions::Version;
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::http_settings::{HttpSettings, UnknownLength};

/// The bytes `first..=last` of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// What an answer to a request for a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The part, and of the version that was asked for.
    Fits,
    /// The part, and nothing shows of which version.
    Unproven,
    /// The whole file: the server knows no ranges, or If-Range found another version.
    Whole,
    /// There is no such part (416).
    Beyond,
}

/// Judges the answer to a request for a whole file: its length, where it is known.
pub(super) fn whole(answer: &Answer, settings: &HttpSettings) -> Result<Option<u64>, Error> {
    match (answer.status, answer.framing) {
        (200, Framing::Length(length)) if length > settings.longest_file => {
            Err(BadAnswer::TooLong(settings.longest_file).into_error())
        }
        (200, Framing::Length(length)) => Ok(Some(length)),
        (200, Framing::Marked) => Ok(None),
        (200, Framing::Unknown) => match settings.unknown_length {
            UnknownLength::Allowed => Ok(None),
            UnknownLength::Refused => Err(BadAnswer::UnknownLength.into_error()),
        },
        _ => Err(refusal(answer)),
    }
}

/// Judges the answer to a request for a part. An error when it is another part, or of another version than `known`.
///
/// `condition` is what If-Range said.
pub(super) fn part(
    answer: &Answer,
    span: Span,
    condition: Option<&str>,
    known: Option<&Version>,
) -> Result<Part, Error> {
    let is_another = || known.is_some_and(|version| version.is_another(answer));
    match answer.status {
        200 | 206 if is_another() => Err(BadAnswer::Changed.into_error()),
        200 => Ok(Part::Whole),
        206 => {
            let text = answer.content_range.as_deref().unwrap_or_default();
            match content_range(text) {
                Some((first, last, _)) if first == span.first && last == span.last => {}
                _ => return Err(BadAnswer::WrongRange(text.to_owned()).into_error()),
            }
            match (condition, answer.validator.as_deref()) {
                (Some(asked), Some(seen)) if asked != seen => Err(BadAnswer::Changed.into_error()),
                (_, Some(_)) => Ok(Part::Fits),
                // A part by a date need not repeat it (RFC 9110, 15.3.7), one by an ETag must.
                (Some(asked), None) if !asked.starts_with('"') => Ok(Part::Fits),
                (_, None) => Ok(Part::Unproven),
            }
        }
        416 => Ok(Part::Beyond),
        _ => Err(refusal(answer)),
    }
}

/// What an answer without the wanted bytes means.
pub(super) fn refusal(answer: &Answer) -> Error {
    let total = answer.content_range.as_deref().and_then(|range| range.rsplit_once('/'));
    match (answer.status, total.and_then(|(_, total)| total.trim().parse().ok())) {
        (416, Some(total)) => BadAnswer::OutOfRange(total).into_error(),
        (206, _) => BadAnswer::WrongRange(answer.content_range.clone().unwrap_or_default()).into_error(),
        (status, _) => Error::new(ErrorKind::Status(status)).again_after(answer.retry_after),
    }
}

/// The last byte of a file, as the answer to a request for its rest says.
pub(super) fn last_of(answer: &Answer) -> Option<u64> {
    let (_, last, total) = answer.content_range.as_deref().and_then(content_range)?;
    total.is_some_and(|total| last.checked_add(1) == Some(total)).then_some(last)
}

/// What a portal or a failing gateway sends with status 200.
pub(super) fn is_no_media(answer: &Answer) -> bool {
    let is_json =
        matches!(answer.mime_type.as_deref(), Some("application/json" | "application/problem+json"));
    is_json || is_web_page(answer)
}

pub(super) fn is_web_page(answer: &Answer) -> bool {
    matches!(answer.mime_type.as_deref(), Some("text/html" | "application/xhtml+xml"))
}

/// First byte, last byte and total of `bytes 0-99/1000` (RFC 9110, 14.4); the total may be `*`.
pub(crate) fn content_range(value: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (digits(first)?, digits(last)?);
    let total = match total.trim() {
        "*" => None,
        total => Some(digits(total)?),
    };
    (first <= last && total.is_none_or(|total: u64| last < total)).then_some((first, last, total))
}

/// A number of digits only: `parse` alone would take a sign.
fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_range(text: &str, expected: Option<(u64, u64, Option<u64>)>) {
        assert_eq!(content_range(text), expected, "{text}");
    }

    #[test]
    fn a_content_range_is_read_or_refused() {
        check_range("bytes 0-99/1000", Some((0, 99, Some(1000))));
        check_range("bytes 5-5/*", Some((5, 5, None)));
        check_range("bytes 10-5/100", None);
        check_range("bytes 0-100/100", None);
        check_range("bytes */100", None);
        check_range("bytes +0-5/9", None);
        check_range("items 0-1/2", None);
        check_range("bytes 0-99999999999999999999/*", None);
        check_range("", None);
    }
}
