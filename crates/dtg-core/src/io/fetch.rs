//! One attempt at one fetch: from the wire into the file, checked and hashed on the way.

use std::io::Read;

use twox_hash::XxHash3_128;
use url::Url;

use super::disk::DiskFile;
use super::http::{Answer, Ask, Framing, Http, broken};
use super::run::{Run, Version};
use crate::data_url;
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::plan::{Extent, Fetch, FetchId};
use crate::resource::Role;

/// What is recorded of a fetch that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) length: u64,
    /// XXH3-128 of its bytes.
    pub(crate) hash: u128,
}

/// The part of a body that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    /// Bytes of the body before it.
    skip: u64,
    /// Its length; `None`: to the body's own end.
    take: Option<u64>,
    /// Where it goes in the file.
    at: u64,
}

/// Fetches one fetch of a run into its file.
///
/// The bytes are in the file and their hash is known when it answers; nothing is recorded yet.
pub(crate) fn fetch(http: &Http, run: &Run, id: FetchId, buffer: &mut [u8]) -> Result<Fetched, Error> {
    let Some(fetch) = run.fetch(id) else {
        return Err(Error::new(ErrorKind::Damaged("the plan has no such fetch".to_owned())));
    };
    let url = run.url_of(fetch.resource)?;
    let _entered = run.token.enter();
    let fetched = match url.scheme() {
        "data" => decoded(run, fetch, &url),
        "http" | "https" => transferred(http, run, fetch, &url, buffer),
        other => Err(Error::new(ErrorKind::SchemeNotAllowed(other.to_owned()))),
    };
    let fits = |fetched: Fetched| {
        fits(run.role(fetch.resource), fetched).inspect_err(|_| run.tally.lost(fetched.length))
    };
    fetched.and_then(fits).map_err(|error| error.at(url.as_str()))
}

/// A content key has 16 bytes (RFC 8216, 5.2); nothing that is fetched is empty.
fn fits(role: Role, fetched: Fetched) -> Result<Fetched, Error> {
    match (role, fetched.length) {
        (_, 0) => Err(BadAnswer::Empty.into_error()),
        (Role::Key, got) if got != 16 => Err(BadAnswer::KeyLength { got }.into_error()),
        _ => Ok(fetched),
    }
}

fn decoded(run: &Run, fetch: &Fetch, url: &Url) -> Result<Fetched, Error> {
    let bytes = data_url::decode(url.as_str()).ok_or_else(|| BadAnswer::DataUri.into_error())?;
    let file = run.file(fetch.resource)?;
    file.write_at(&bytes, 0)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    file.set_len(length)?;
    run.tally.arrived(length);
    Ok(Fetched { length, hash: XxHash3_128::oneshot(&bytes) })
}

fn transferred(
    http: &Http,
    run: &Run,
    fetch: &Fetch,
    url: &Url,
    buffer: &mut [u8],
) -> Result<Fetched, Error> {
    let known = run.version(fetch.resource);
    let ask = asked(fetch, known.as_ref());
    let mut answer = http.get(url, ask)?;
    let wanted = wanted(&answer, fetch, known.as_ref())?;
    if is_web_page(&answer) {
        return Err(BadAnswer::WebPage.into_error());
    }
    run.note_version(fetch, Version::of(&answer))?;
    let file = run.file(fetch.resource)?;
    let copied = copy(&mut answer, file.as_ref(), wanted, run, buffer);
    match copied {
        Ok(fetched) => {
            if fetch.extent == Extent::Whole {
                file.set_len(fetched.length)?;
            }
            Ok(fetched)
        }
        Err((arrived, error)) => {
            run.tally.lost(arrived);
            Err(error)
        }
    }
}

fn asked<'a>(fetch: &Fetch, known: Option<&'a Version>) -> Ask<'a> {
    match fetch.extent {
        Extent::Whole => Ask::Whole,
        Extent::Range => Ask::Range {
            first: fetch.start,
            last: fetch.start.saturating_add(fetch.length.bytes()).saturating_sub(1),
            if_range: known.and_then(|version| version.validator.as_deref()),
        },
    }
}

/// Holds the answer's head against what was asked for.
fn wanted(answer: &Answer, fetch: &Fetch, known: Option<&Version>) -> Result<Wanted, Error> {
    let length = fetch.length.bytes();
    match (answer.status, fetch.extent) {
        (200, Extent::Whole) => match answer.framing {
            Framing::Length(length) => Ok(Wanted { skip: 0, take: Some(length), at: 0 }),
            Framing::Marked => Ok(Wanted { skip: 0, take: None, at: 0 }),
            Framing::Unknown => Err(BadAnswer::UnknownLength.into_error()),
        },
        // The whole file: the server knows no ranges, or If-Range found another version.
        (200, Extent::Range) => {
            if known.is_some_and(|version| version.is_another(answer)) {
                return Err(BadAnswer::Changed.into_error());
            }
            Ok(Wanted { skip: fetch.start, take: Some(length), at: fetch.start })
        }
        (206, Extent::Range) => {
            let range = answer.content_range.as_deref().unwrap_or_default();
            match content_range(range) {
                Some((first, last, _))
                    if first == fetch.start && last == first.saturating_add(length).saturating_sub(1) =>
                {
                    Ok(Wanted { skip: 0, take: Some(length), at: fetch.start })
                }
                _ => Err(BadAnswer::WrongRange(range.to_owned()).into_error()),
            }
        }
        (206, Extent::Whole) => {
            Err(BadAnswer::WrongRange(answer.content_range.clone().unwrap_or_default()).into_error())
        }
        (416, Extent::Range) => {
            let total = answer.content_range.as_deref().and_then(|range| range.rsplit_once('/'));
            Err(match total.and_then(|(_, total)| total.parse().ok()) {
                Some(total) => BadAnswer::OutOfRange(total).into_error(),
                None => Error::new(ErrorKind::Status(416)),
            })
        }
        (status, _) => Err(Error::new(ErrorKind::Status(status))),
    }
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

fn is_web_page(answer: &Answer) -> bool {
    matches!(answer.mime_type.as_deref(), Some("text/html" | "application/xhtml+xml"))
}

/// Copies what is wanted of the body into the file. An error says how many bytes had arrived.
fn copy(
    answer: &mut Answer,
    file: &dyn DiskFile,
    wanted: Wanted,
    run: &Run,
    buffer: &mut [u8],
) -> Result<Fetched, (u64, Error)> {
    // Beyond a part that was cut out of a whole file there is no end near that could be waited for.
    let is_all = !matches!((answer.status, wanted.take, answer.framing),
        (200, Some(take), Framing::Length(length)) if wanted.skip.saturating_add(take) < length);
    let mut body = answer.reader();
    let expected = wanted.take.unwrap_or(u64::MAX);
    skip(&mut body, wanted.skip, buffer).map_err(|error| (0, error))?;
    let mut hasher = XxHash3_128::new();
    let mut got: u64 = 0;
    while got < expected {
        let room = usize::try_from(expected.saturating_sub(got)).unwrap_or(usize::MAX).min(buffer.len());
        let window = buffer.get_mut(..room).unwrap_or_default();
        let bytes = match body.read(window) {
            Ok(0) => break,
            Ok(n) => window.get(..n).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err((got, Error::new(broken(&error)))),
        };
        hasher.write(bytes);
        file.write_at(bytes, wanted.at.saturating_add(got)).map_err(|error| (got, error.into()))?;
        let n = u64::try_from(bytes.len()).unwrap_or(0);
        got = got.saturating_add(n);
        run.arrived(n);
    }
    match wanted.take {
        Some(expected) if got < expected => Err((got, BadAnswer::Truncated { got, expected }.into_error())),
        _ => {
            if is_all {
                drain(&mut body);
            }
            Ok(Fetched { length: got, hash: hasher.finish_128() })
        }
    }
}

fn skip(body: &mut impl Read, count: u64, buffer: &mut [u8]) -> Result<(), Error> {
    let mut left = count;
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match body.read(buffer.get_mut(..room).unwrap_or_default()) {
            Ok(0) => return Err(BadAnswer::OutOfRange(count.saturating_sub(left)).into_error()),
            Ok(n) => left = left.saturating_sub(u64::try_from(n).unwrap_or(0)),
            Err(error) => return Err(Error::new(broken(&error))),
        }
    }
    Ok(())
}

/// Reads the end mark, so that the connection can be used again; what else follows is left unread.
fn drain(body: &mut impl Read) {
    // The bytes that were wanted are there: whatever this read meets concerns the connection only.
    let _ = body.read(&mut [0; 1]);
}

impl BadAnswer {
    pub(crate) fn into_error(self) -> Error {
        Error::new(ErrorKind::BadAnswer(self))
    }
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

    #[test]
    fn a_key_has_sixteen_bytes_and_nothing_is_empty() {
        let fetched = |length| Fetched { length, hash: 0 };
        assert!(fits(Role::Key, fetched(16)).is_ok());
        assert!(fits(Role::Segment, fetched(1)).is_ok());
        for (role, length) in [(Role::Key, 15), (Role::Key, 32), (Role::Key, 0), (Role::Segment, 0)] {
            assert!(fits(role, fetched(length)).is_err(), "{role:?} {length}");
        }
    }
}
