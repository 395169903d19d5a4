//! What the origin was asked, and how far it answered.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Headers, Request};

/// One request, as far as it has got.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// `GET`, `HEAD`, ...
    pub method: String,
    /// Path and query, nothing decoded.
    pub target: String,
    /// The request's header lines.
    pub headers: Headers,
    /// The number of the connection it came on, from 1.
    pub connection: u64,
    /// Its number among all requests, from 1; [`Origin::clear_requests`](crate::Origin::clear_requests) does
    /// not start it again.
    pub number: u64,
    /// The status sent; `None` before, and where the connection ended without one.
    pub status: Option<u16>,
    /// Bytes of the body handed to the system, framing left out. The client may have got fewer.
    pub body_sent: u64,
    /// Whether the response was sent to its end.
    pub finished: bool,
}

impl RequestRecord {
    /// The target up to its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first request header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

#[derive(Debug, Default)]
pub(super) struct Records(Mutex<Vec<Arc<Entry>>>);

/// A record that its connection still writes. Progress is noted before it is sent, and taken back when
/// sending fails: so a client that has read something always finds it here.
#[derive(Debug)]
pub(super) struct Entry {
    request: RequestRecord,
    status: AtomicU16,
    sent: AtomicU64,
    finished: AtomicBool,
}

impl Records {
    pub(super) fn begin(&self, request: &Request) -> Arc<Entry> {
        let record = RequestRecord {
            method: request.method.clone(),
            target: request.target.clone(),
            headers: request.headers.clone(),
            connection: request.connection,
            number: request.number,
            status: None,
            body_sent: 0,
            finished: false,
        };
        let entry = Arc::new(Entry {
            request: record,
            status: AtomicU16::new(0),
            sent: AtomicU64::new(0),
            finished: AtomicBool::new(false),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&entry));
        entry
    }

    pub(super) fn all(&self) -> Vec<RequestRecord> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = entries.iter().map(|entry| entry.now()).collect();
        all.sort_by_key(|record| record.number);
        all
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Entry {
    fn now(&self) -> RequestRecord {
        let status = self.status.load(Ordering::Acquire);
        RequestRecord {
            status: (status != 0).then_some(status),
            body_sent: self.sent.load(Ordering::Acquire),
            finished: self.finished.load(Ordering::Acquire),
            ..self.request.clone()
        }
    }

    pub(super) fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::Release);
    }

    pub(super) fn sending(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::AcqRel);
    }

    pub(super) fn not_sent(&self, bytes: u64) {
        self.sent.fetch_sub(bytes, Ordering::AcqRel);
        self.finished.store(false, Ordering::Release);
    }

    pub(super) fn finishing(&self) {
        self.finished.store(true, Ordering::Release);
    }

    pub(super) fn not_finished(&self) {
        self.finished.store(false, Ordering::Release);
    }
}
