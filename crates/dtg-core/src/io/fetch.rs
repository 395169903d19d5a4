//! One attempt at one fetch: from the wire into the file, checked and hashed on the way.

mod copy;
pub(crate) mod judge;

use twox_hash::XxHash3_128;
use url::Url;

use super::http::{Answer, Ask, Http, Request};
use super::run::{Run, SetOut};
use super::versions::{Epoch, Partial, Version};
use crate::data_url;
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::estimate::Basis;
use crate::plan::{Extent, Fetch, FetchId};
use crate::relocate::AnotherEncode;
use crate::request::RequestRole;
use crate::resource::Role;
pub(crate) use copy::LONGEST_VALIDATOR;
use copy::{Incoming, Place, copy, rehashed};
use judge::{Part, Span};

/// What is recorded of a fetch that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) length: u64,
    /// XXH3-128 of its bytes.
    pub(crate) hash: u128,
}

/// How an attempt ended that did not break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The fetch is done and recorded.
    Done,
    /// Its file is coming in one piece by another request, which brings this fetch too.
    Parked,
}

/// How an attempt broke off.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: Error,
    /// Whether more usable bytes are there than before.
    pub(crate) progressed: bool,
    /// Whether nothing of its file counts any more.
    pub(crate) starts_over: bool,
}

/// Which fetch is attempted, and in which epoch of its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    pub(crate) id: FetchId,
    pub(crate) epoch: Epoch,
}

/// Is told of each fetch whose bytes are in the file: to record it.
pub(crate) type OnFetched<'a> = dyn FnMut(FetchId, Fetched) -> Result<(), Error> + 'a;

/// Fetches one fetch of a run into its file, and with it others of a file that comes in one piece.
///
/// The calling thread is under the attempt's token.
pub(crate) fn fetch(
    http: &Http,
    run: &Run,
    attempt: Try,
    buffer: &mut [u8],
    on_fetched: &mut OnFetched<'_>,
) -> Result<Ended, Broken> {
    let broken = |error| Broken { error, progressed: false, starts_over: false };
    let Some(fetch) = run.fetch(attempt.id) else {
        return Err(broken(Error::new(ErrorKind::Damaged("the plan has no such fetch".to_owned()))));
    };
    let url = run.url_of(fetch.resource).map_err(broken)?;
    let before = run.partial_length(attempt.id);
    let mut transfer =
        Transfer { http, run, attempt, fetch, url: &url, buffer, on_fetched, passed: false, unproven: false };
    let ended = match url.scheme() {
        "data" => transfer.decoded(),
        "http" | "https" if fetch.extent == Extent::Whole => transfer.whole(),
        "http" | "https" => transfer.ranged(),
        other => Err(Error::new(ErrorKind::SchemeNotAllowed(other.to_owned()))),
    };
    let Transfer { passed, unproven, .. } = transfer;
    let gained = run.partial_length(attempt.id).saturating_sub(before);
    ended.map_err(|error| Broken {
        progressed: (passed && !unproven) || gained >= http.settings().low_speed.least(),
        starts_over: unproven || matches!(error.kind(), ErrorKind::BadAnswer(BadAnswer::Changed)),
        error: error.at(url.as_str()),
    })
}

/// How a request for a part of a file came out.
enum Came {
    /// With the part.
    Apart(Ended),
    /// The file must come in one piece: out of this answer, where there is one.
    NotApart(Option<Answer>),
}

/// One attempt under way.
struct Transfer<'a, 'b> {
    http: &'a Http,
    run: &'a Run,
    attempt: Try,
    fetch: &'a Fetch,
    url: &'a Url,
    buffer: &'a mut [u8],
    on_fetched: &'a mut OnFetched<'b>,
    /// Whether a fetch was recorded.
    passed: bool,
    /// Whether parts are there that no other request's could be put together with.
    unproven: bool,
}

impl Transfer<'_, '_> {
    fn ask(&self, ask: Ask<'_>) -> Result<Answer, Error> {
        let role = RequestRole::Chunk(self.run.role(self.fetch.resource));
        let answer = self.http.get(&Request { url: self.url, ask, role, home: &self.run.home })?;
        let is_page = matches!(answer.status, 200 | 206) && judge::is_no_media(&answer);
        let is_media = matches!(role, RequestRole::Chunk(Role::Segment | Role::Map | Role::Key));
        if is_page && (is_media || judge::is_web_page(&answer)) {
            Err(BadAnswer::WebPage.into_error())
        } else {
            self.is_as_planned(&answer).map(|()| answer)
        }
    }

    /// The ranges of a single media file were cut for its length: of another one they would leave the rest out.
    fn is_as_planned(&self, answer: &Answer) -> Result<(), Error> {
        let estimate = &self.run.plan.estimate;
        let is_cut = self.run.role(self.fetch.resource) == Role::File && self.fetch.extent == Extent::Range;
        let total = Version::of(answer).total.filter(|_| matches!(answer.status, 200 | 206));
        match total {
            Some(total) if is_cut && estimate.basis == Basis::File && total != estimate.bytes => {
                Err(Error::new(AnotherEncode::File(self.fetch.resource).into()))
            }
            _ => Ok(()),
        }
    }

    fn recorded(&mut self, id: FetchId, fetched: Fetched) -> Result<(), Error> {
        if let Err(error) = fits(self.run.role(self.fetch.resource), self.fetch, fetched.length) {
            self.run.tally.lost(fetched.length);
            return Err(error);
        }
        (self.on_fetched)(id, fetched)?;
        self.passed = true;
        Ok(())
    }

    fn decoded(&mut self) -> Result<Ended, Error> {
        let bytes = data_url::decode(self.url.as_str()).ok_or_else(|| BadAnswer::DataUri.into_error())?;
        let file = self.run.file(self.fetch.resource)?;
        file.write_at(&bytes, 0)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        file.set_len(length)?;
        self.run.tally.arrived(length);
        self.recorded(self.attempt.id, Fetched { length, hash: XxHash3_128::oneshot(&bytes) })?;
        Ok(Ended::Done)
    }

    /// A file that comes by one request; its rest, where it broke off before.
    fn whole(&mut self) -> Result<Ended, Error> {
        if let Some((partial, hasher)) = self.resumable()? {
            let ask = Ask::Range { first: partial.length, last: None, if_range: Some(&partial.validator) };
            let answer = self.ask(ask)?;
            let span = Span { first: partial.length, last: judge::last_of(&answer).unwrap_or(u64::MAX) };
            match judge::part(&answer, span, Some(&partial.validator), None) {
                Ok(Part::Fits) => {
                    let length = span.last.saturating_add(1);
                    return self.copied(answer, Some(length), Some((partial.length, hasher)));
                }
                Ok(Part::Whole) => {
                    self.run.drop_partial(self.attempt.id);
                    return self.begun_anew(answer);
                }
                Ok(Part::Unproven | Part::Beyond) => self.run.drop_partial(self.attempt.id),
                Err(error) if matches!(error.kind(), ErrorKind::BadAnswer(_)) => {
                    self.run.drop_partial(self.attempt.id);
                }
                Err(error) => return Err(error),
            }
        }
        let answer = self.ask(Ask::Whole)?;
        self.begun_anew(answer)
    }

    fn begun_anew(&mut self, answer: Answer) -> Result<Ended, Error> {
        let length = judge::whole(&answer, self.http.settings())?;
        self.copied(answer, length, None)
    }

    /// The fetch that broke off, if what is there of it is still what it was.
    fn resumable(&mut self) -> Result<Option<(Partial, XxHash3_128)>, Error> {
        let Some(partial) = self.run.partial(self.attempt.id) else { return Ok(None) };
        let file = self.run.file(self.fetch.resource)?;
        match rehashed(file.as_ref(), self.fetch.start, &partial, self.buffer)? {
            Some(hasher) => Ok(Some((partial, hasher))),
            None => {
                self.run.drop_partial(self.attempt.id);
                Ok(None)
            }
        }
    }

    /// Copies the attempt's own fetch out of an answer that is for it alone.
    fn copied(
        &mut self,
        mut answer: Answer,
        length: Option<u64>,
        done: Option<(u64, XxHash3_128)>,
    ) -> Result<Ended, Error> {
        let file = self.run.file(self.fetch.resource)?;
        let validator =
            answer.validator.clone().or_else(|| self.run.partial(self.attempt.id).map(|it| it.validator));
        if done.is_some() {
            self.run.take_partial(self.attempt.id);
        }
        let fetched = {
            let mut body = answer.reader();
            let mut incoming = Incoming::new(&mut body, self.buffer, self.http.settings());
            if self.run.role(self.fetch.resource) == Role::Key {
                incoming.longest = self.fetch.length.bytes();
            }
            let Try { id, epoch } = self.attempt;
            let (run, start, validator) = (self.run, self.fetch.start, validator.as_deref());
            let place = Place { run, id, epoch, file: file.as_ref(), start, length, validator };
            let fetched = copy(&mut incoming, &place, done)?;
            incoming.drain();
            fetched
        };
        // A file that was longer in an earlier attempt; asking is cheaper than cutting each time.
        if self.fetch.extent == Extent::Whole && file.len()? > fetched.length {
            file.set_len(fetched.length)?;
        }
        self.recorded(self.attempt.id, fetched)?;
        Ok(Ended::Done)
    }

    /// A part of a file: by a request of its own where a validator shows that all parts are of one version,
    /// else together with the file's other parts.
    fn ranged(&mut self) -> Result<Ended, Error> {
        let came = match self.run.set_out(self.fetch.resource) {
            SetOut::Apart(_under_way) => self.apart()?,
            SetOut::OnePiece => Came::NotApart(None),
            SetOut::Busy => return Ok(Ended::Parked),
        };
        match came {
            Came::Apart(ended) => Ok(ended),
            Came::NotApart(answer) => self.one_piece(answer),
        }
    }

    fn apart(&mut self) -> Result<Came, Error> {
        let is_split = self.run.is_split(self.fetch.resource);
        let length = self.fetch.length.bytes();
        let last = self.fetch.start.saturating_add(length).saturating_sub(1);
        // The second time without a condition and from the start: a server that refuses the first may give that.
        for is_again in [false, true] {
            let resumable = if is_again { None } else { self.resumable()? };
            let known = self.run.version(self.fetch.resource);
            let of_file = known.as_ref().and_then(|version| version.validator.clone());
            let of_part = resumable.as_ref().map(|(partial, _)| partial.validator.clone());
            let condition = of_part.or(of_file).filter(|_| !is_again);
            let done = resumable.map(|(partial, hasher)| (partial.length, hasher));
            let got = done.as_ref().map_or(0, |(got, _)| *got);
            if let Some((got, hasher)) = done.as_ref().filter(|_| got == length) {
                // It broke off after its last byte: there was no room for what was to come.
                let fetched = Fetched { length: *got, hash: hasher.finish_128() };
                self.run.take_partial(self.attempt.id);
                self.recorded(self.attempt.id, fetched)?;
                return Ok(Came::Apart(Ended::Done));
            }
            let span = Span { first: self.fetch.start.saturating_add(got), last };
            let ask = Ask::Range { first: span.first, last: Some(span.last), if_range: condition.as_deref() };
            let answer = self.ask(ask)?;
            match judge::part(&answer, span, condition.as_deref(), known.as_ref())? {
                Part::Unproven if is_split => return Ok(Came::NotApart(None)),
                Part::Unproven if got > 0 => {}
                Part::Fits | Part::Unproven => {
                    self.run.note_version(self.fetch, Version::of(&answer), self.attempt.epoch)?;
                    return self.copied(answer, Some(length), done).map(Came::Apart);
                }
                Part::Whole => {
                    self.run.drop_partial(self.attempt.id);
                    return Ok(Came::NotApart(Some(answer)));
                }
                Part::Beyond if is_again => return Err(judge::refusal(&answer)),
                Part::Beyond => {}
            }
            self.run.drop_partial(self.attempt.id);
        }
        Err(BadAnswer::Changed.into_error())
    }

    /// Everything that is missing of a file by one request, in the order of the file.
    fn one_piece(&mut self, answer: Option<Answer>) -> Result<Ended, Error> {
        let resource = self.fetch.resource;
        let Some(_claim) = self.run.claim(resource) else { return Ok(Ended::Parked) };
        let missing = self.run.missing(self.attempt.id);
        let (Some(first), Some(end)) = (missing.first(), missing.last()) else { return Ok(Ended::Done) };
        let first = first.1.start;
        let last = end.1.start.saturating_add(end.1.length.bytes()).saturating_sub(1);
        let known = self.run.version(resource);
        let condition = known.as_ref().and_then(|version| version.validator.as_deref());
        let mut answer = match answer {
            Some(answer) => answer,
            None => self.ask(Ask::Range { first, last: Some(last), if_range: condition })?,
        };
        let part = judge::part(&answer, Span { first, last }, condition, known.as_ref())?;
        let at = match part {
            Part::Fits | Part::Unproven => first,
            Part::Whole => 0,
            Part::Beyond => return Err(judge::refusal(&answer)),
        };
        let validator =
            answer.validator.clone().or_else(|| condition.filter(|_| part == Part::Fits)?.to_owned().into());
        if validator.is_none() {
            // Parts that came by other requests may be of another version.
            if self.run.has_recorded(resource) {
                return Err(BadAnswer::Changed.into_error());
            }
            self.unproven = self.run.is_split(resource);
        }
        self.run.note_version(self.fetch, Version::of(&answer), self.attempt.epoch)?;
        self.stream(&mut answer, at, &missing, validator.as_deref())?;
        self.unproven = false;
        Ok(Ended::Done)
    }

    /// Copies these fetches out of a body that begins at the file's byte `at`, each recorded as it passes.
    fn stream(
        &mut self,
        answer: &mut Answer,
        mut at: u64,
        fetches: &[(FetchId, Fetch)],
        validator: Option<&str>,
    ) -> Result<(), Error> {
        let file = self.run.file(self.fetch.resource)?;
        let (run, epoch) = (self.run, self.attempt.epoch);
        // A part ends with what is wanted; a whole file may go on for long.
        let is_part = answer.status == 206;
        let mut body = answer.reader();
        let mut left = fetches.len();
        for (id, fetch) in fetches {
            let mut incoming = Incoming::new(&mut body, self.buffer, self.http.settings());
            incoming.skip(fetch.start.saturating_sub(at))?;
            // It comes again from its start.
            run.drop_partial(*id);
            let (start, length) = (fetch.start, Some(fetch.length.bytes()));
            let place = Place { run, id: *id, epoch, file: file.as_ref(), start, length, validator };
            let fetched = copy(&mut incoming, &place, None)?;
            at = start.saturating_add(fetched.length);
            left = left.saturating_sub(1);
            if is_part && left == 0 {
                incoming.drain();
            }
            self.recorded(*id, fetched)?;
        }
        Ok(())
    }
}

/// A content key has the length that was planned for its method (RFC 8216, 5.2); nothing that is fetched is empty.
fn fits(role: Role, fetch: &Fetch, length: u64) -> Result<(), Error> {
    let needed = fetch.length.bytes();
    match (role, length) {
        (_, 0) => Err(BadAnswer::Empty.into_error()),
        (Role::Key, got) if got != needed => Err(BadAnswer::KeyLength { got, needed }.into_error()),
        _ => Ok(()),
    }
}

impl BadAnswer {
    pub(crate) fn into_error(self) -> Error {
        Error::new(ErrorKind::BadAnswer(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Length;

    #[test]
    fn a_key_has_the_bytes_that_its_method_needs_and_nothing_is_empty() {
        let is_fit = |role, planned, length| {
            let (planned, extent) = (Length::About(planned), Extent::Whole);
            let fetch = Fetch { resource: 0, start: 0, length: planned, extent, at_millis: 0 };
            fits(role, &fetch, length).is_ok()
        };
        assert!(is_fit(Role::Key, 16, 16) && is_fit(Role::Key, 32, 32) && is_fit(Role::Segment, 9, 1));
        for (planned, length) in [(16, 15), (16, 32), (32, 16), (16, 0)] {
            assert!(!is_fit(Role::Key, planned, length), "{planned} {length}");
        }
        assert!(!is_fit(Role::Segment, 9, 0));
    }
}
