//! Faults and rules as words, for a command line.

use std::str::FromStr;
use std::time::Duration;

use super::{Ending, Fault, RetryAfter, Rule};
use crate::{Error, ErrorKind};

/// Reads rules: each is faults, then conditions, with spaces between; rules are separated by `;`.
///
/// ```text
/// status=503,2 on=/seg-*.ts first=2; rate=100000+delay=50ms
/// ```
///
/// Faults are written as [`Fault`] documents them, with `+` between those that go together; a `+` within a URL
/// or a header is written `%2B`. Conditions are those of [`Rule`]: `on=PATTERN`, `first=N`, `skip=N`,
/// `every=N`, `random=SEED/ONE_IN`. Times are `10ms` or `2s`.
///
/// # Errors
/// [`ErrorKind::Notation`](crate::ErrorKind::Notation) with the word that was not understood.
pub fn rules(text: &str) -> Result<Vec<Rule>, Error> {
    text.split(';').map(str::trim).filter(|rule| !rule.is_empty()).map(str::parse).collect()
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut words = text.split_whitespace();
        let fault: Fault = words.next().unwrap_or_default().parse()?;
        words.try_fold(Self::from(fault), condition)
    }
}

fn condition(rule: Rule, word: &str) -> Result<Rule, Error> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    match name {
        "on" if !value.is_empty() => Ok(rule.on(value)),
        "first" => Ok(rule.first(number(word, value)?)),
        "skip" => Ok(rule.skip(number(word, value)?)),
        "every" => Ok(rule.every(number(word, value)?)),
        "random" => {
            let (seed, one_in) = value.split_once('/').ok_or_else(|| wrong(word, "random=SEED/ONE_IN"))?;
            Ok(rule.random(number(word, seed)?, number(word, one_in)?))
        }
        _ => Err(wrong(word, "on=PATTERN, first=N, skip=N, every=N or random=SEED/ONE_IN")),
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // `header+=` and `length=+1` keep their plus: only one before a letter or digit of a new word parts.
        let mut faults = Vec::new();
        for word in split(text) {
            faults.push(single(word)?);
        }
        match faults.len() {
            1 => faults.pop().ok_or_else(|| wrong(text, "a fault")),
            _ => Ok(Self::All(faults)),
        }
    }
}

/// Cuts at each `+` that neither follows `=` nor stands before it.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let parts = |at: &usize| {
            let (before, after) =
                (whole.get(..*at).unwrap_or_default(), whole.get(at + 1..).unwrap_or_default());
            !before.ends_with('=') && !after.starts_with('=')
        };
        let plus = whole.match_indices('+').map(|(at, _)| at).find(parts);
        rest = plus.and_then(|at| whole.get(at + 1..));
        plus.map_or(Some(whole), |at| whole.get(..at))
    })
}

fn single(word: &str) -> Result<Fault, Error> {
    match word.split_once('=') {
        None => plain(word),
        Some((name, value)) => with_value(word, name, value),
    }
}

fn plain(word: &str) -> Result<Fault, Error> {
    Ok(match word {
        "html" => Fault::Html,
        "empty" => Fault::Empty,
        "loop" => Fault::RedirectLoop,
        "chunked" => Fault::Chunked,
        "unended" => Fault::ChunkedNoEnd,
        "endless" => Fault::Endless,
        "close" => Fault::CloseDelimited,
        "whole" => Fault::IgnoreRange,
        "416" => Fault::RangeNotSatisfiable,
        "multipart" => Fault::Multipart,
        "fresh-etag" => Fault::FreshEtag,
        "weak-etag" => Fault::WeakEtag,
        "no-validator" => Fault::NoValidator,
        "gzip" => Fault::Gzip,
        "gzip-if-asked" => Fault::GzipIfAsked,
        _ => {
            return Err(wrong(
                word,
                "html, empty, loop, chunked, unended, endless, close, whole, 416, multipart, fresh-etag, \
                 weak-etag, no-validator, gzip, gzip-if-asked, or a word with =",
            ));
        }
    })
}

fn with_value(word: &str, name: &str, value: &str) -> Result<Fault, Error> {
    let (first, second) = match value.split_once(',') {
        Some((first, second)) => (first, Some(second)),
        None => (value, None),
    };
    Ok(match name {
        "status" => Fault::Status {
            status: status(word, first)?,
            retry_after: second.map(|when| retry_after(word, when)).transpose()?,
        },
        "redirect" => Fault::Redirect {
            status: status(word, first)?,
            location: second.unwrap_or_default().replace("%2B", "+"),
        },
        "hops" => Fault::RedirectChain(number(word, value)?),
        "delay" => Fault::DelayHead(time(word, value)?),
        "gaps" => Fault::DelayBody {
            every: number(word, first)?,
            delay: time(word, second.ok_or_else(|| wrong(word, "gaps=BYTES,TIME"))?)?,
        },
        "drip" => Fault::Drip(time(word, value)?),
        "rate" => Fault::Throttle { bytes_per_second: number(word, value)? },
        "gone" => Fault::NoAnswer(ending(word, Some(value))?),
        "cut" => Fault::Cut { after: number(word, first)?, ending: ending(word, second)? },
        "length" => Fault::LengthOff(number(word, value)?),
        "header" => header(word, value).map(|(name, value)| Fault::Header { name, value })?,
        "header+" => header(word, value).map(|(name, value)| Fault::ExtraHeader { name, value })?,
        "shift" => Fault::OtherRange(number(word, value)?),
        "grow" => Fault::Grow(number(word, value)?),
        "bomb" => Fault::GzipBomb(number(word, value)?),
        _ => {
            return Err(wrong(
                word,
                "status, redirect, hops, delay, gaps, drip, rate, gone, cut, length, header, header+, shift, \
                 grow or bomb before =",
            ));
        }
    })
}

fn number<N: FromStr>(word: &str, text: &str) -> Result<N, Error> {
    text.parse().map_err(|_| wrong(word, "a number"))
}

fn status(word: &str, text: &str) -> Result<u16, Error> {
    let status = number(word, text)?;
    let valid = (200..=999).contains(&status);
    valid.then_some(status).ok_or_else(|| wrong(word, "a status from 200 to 999"))
}

fn retry_after(word: &str, text: &str) -> Result<RetryAfter, Error> {
    match text.strip_prefix("date:") {
        Some(seconds) => number(word, seconds).map(RetryAfter::Date),
        None => number(word, text).map(RetryAfter::Seconds),
    }
}

fn time(word: &str, text: &str) -> Result<Duration, Error> {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number_of), _) => number(word, number_of).map(Duration::from_millis),
        (None, Some(number_of)) => number(word, number_of).map(Duration::from_secs),
        (None, None) => Err(wrong(word, "a time such as 10ms or 2s")),
    }
}

fn ending(word: &str, text: Option<&str>) -> Result<Ending, Error> {
    match text {
        None | Some("fin") => Ok(Ending::Fin),
        Some("bare") => Ok(Ending::BareFin),
        Some("reset") => Ok(Ending::Reset),
        Some(_) => Err(wrong(word, "fin, bare or reset")),
    }
}

fn header(word: &str, text: &str) -> Result<(String, String), Error> {
    let (name, value) = text.split_once(':').ok_or_else(|| wrong(word, "NAME:VALUE"))?;
    Ok((name.to_owned(), value.replace("%2B", "+")))
}

fn wrong(word: &str, expected: &'static str) -> Error {
    ErrorKind::Notation { word: word.to_owned(), expected }.into()
}
