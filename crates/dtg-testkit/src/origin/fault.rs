//! Everything that can be made to go wrong.

use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};

/// One way to misbehave. [`Fault`] is also written as a word (`"cut=1000,reset"`): see [`rules`](crate::rules).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `status=503`, `status=503,2` or `status=503,date:2`: this status instead of the answer, with
    /// `Retry-After` in seconds or as a date.
    Status {
        /// The status.
        status: u16,
        /// What `Retry-After` says, where it is sent.
        retry_after: Option<RetryAfter>,
    },
    /// `html`: a page of HTML with status 200, as a captive portal sends.
    Html,
    /// `empty`: status 200 with no byte.
    Empty,
    /// `redirect=302,URL`: a redirect; `{target}` in the URL stands for the request's own target, an empty
    /// URL leaves `Location` out.
    Redirect {
        /// The status.
        status: u16,
        /// What `Location` says, as it is.
        location: String,
    },
    /// `hops=N`: N redirects one after another (the query counts them down), then the answer.
    RedirectChain(u32),
    /// `loop`: a redirect to the request's own target.
    RedirectLoop,

    /// `delay=100ms`: waits before the status line.
    DelayHead(Duration),
    /// `gaps=1000,50ms`: waits after each so many bytes of the body.
    DelayBody {
        /// Bytes between two waits; 0 counts as 1.
        every: u64,
        /// How long each wait is.
        delay: Duration,
    },
    /// `drip=10ms`: head and body one byte at a time, with this wait after each.
    Drip(Duration),
    /// `rate=N`: at most so many bytes of the body a second.
    Throttle {
        /// Bytes a second; 0 counts as 1.
        bytes_per_second: u64,
    },

    /// `gone=fin`, `gone=bare` or `gone=reset`: the connection ends without an answer.
    NoAnswer(Ending),
    /// `cut=N`, `cut=N,bare` or `cut=N,reset`: the connection ends after N bytes of the body; a shorter body is whole.
    Cut {
        /// Bytes of the body that are sent before.
        after: u64,
        /// How the connection ends.
        ending: Ending,
    },
    /// `length=+10` or `length=-10`: `Content-Length` is wrong by so much; the bytes are all sent, and the
    /// connection then ends.
    LengthOff(i64),
    /// `header=NAME:VALUE`: this header instead of the answer's own (`header=Content-Length:-1`).
    Header {
        /// The name.
        name: String,
        /// The value, as it is.
        value: String,
    },
    /// `header+=NAME:VALUE`: this header besides the answer's own.
    ExtraHeader {
        /// The name.
        name: String,
        /// The value, as it is.
        value: String,
    },
    /// `chunked`: chunks instead of `Content-Length`; nothing is wrong with it.
    Chunked,
    /// `unended`: chunks, and the connection ends without the last one.
    ChunkedNoEnd,
    /// `endless`: chunks that repeat the body until the client leaves.
    Endless,
    /// `close`: no `Content-Length`; the body ends with the connection.
    CloseDelimited,

    /// `whole`: a Range request gets 200 and everything.
    IgnoreRange,
    /// `shift=N`: a 206 is for bytes that lie N further (or less far) than those asked for, and says so.
    OtherRange(i64),
    /// `416`: every Range request is refused with 416.
    RangeNotSatisfiable,
    /// `multipart`: a 206 comes as `multipart/byteranges` with one part.
    Multipart,

    /// `fresh-etag`: each request of a path gets another strong ETag.
    FreshEtag,
    /// `weak-etag`: the ETag is a weak one.
    WeakEtag,
    /// `no-validator`: neither ETag nor `Last-Modified`.
    NoValidator,
    /// `grow=N`: each further request of a path finds a body longer by N bytes, with the ETag it had.
    Grow(u64),
    /// `gzip`: gzip (stored, not made smaller), asked for or not; the body is held in memory.
    Gzip,
    /// `gzip-if-asked`: the same, where `Accept-Encoding` lists gzip.
    GzipIfAsked,
    /// `bomb=N`: gzip of about N zero bytes, a thousandth of that on the wire. It has no trailer: nobody
    /// ought to get so far.
    GzipBomb(u64),

    /// `A+B`: all of these.
    All(Vec<Self>),
}

/// How a connection ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In order, as if the body were over; with TLS after its `close_notify`.
    Fin,
    /// With a FIN and no `close_notify`, as when a peer is killed; without TLS the same as [`Ending::Fin`].
    BareFin,
    /// With a reset; what the client has not read yet may be lost.
    Reset,
}

/// The two forms of `Retry-After` (RFC 9110 section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// `2`: so many seconds.
    Seconds(u32),
    /// `date:2` or `date:-60`: the date that lies so many seconds after the answer, or before it. A date has
    /// no fractions of a second: it is the next whole one.
    Date(i32),
}

impl RetryAfter {
    /// As the header says it in an answer of this time.
    pub(super) fn value(self, now: SystemTime) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(seconds) => date(now, seconds).unwrap_or_default(),
        }
    }
}

/// `None` outside the years that a date can be written for.
fn date(now: SystemTime, seconds: i32) -> Option<String> {
    let at = Timestamp::try_from(now).ok()?.checked_add(SignedDuration::from_secs(seconds.into())).ok()?;
    let whole = Timestamp::from_second(at.as_second() + i64::from(at.subsec_nanosecond() > 0)).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&whole).ok()
}

impl Fault {
    /// This status, without `Retry-After`.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::Status { status, retry_after: None }
    }

    /// Appends this fault, or those it is made of.
    pub(super) fn flatten_into(self, all: &mut Vec<Self>) {
        let Self::All(faults) = self else { return all.push(self) };
        faults.into_iter().for_each(|fault| fault.flatten_into(all));
    }
}
