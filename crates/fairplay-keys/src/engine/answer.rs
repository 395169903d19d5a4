//! Answering the platform's requests: exactly once, by the deadline.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::exchange::refuse;
use super::guarded::{Ended, guard};
use super::ledger::Change;
use super::{Engine, LicenseSource, Shared, Wanted};
use crate::asset::AssetId;
use crate::expiry::expiration;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_uri::KeyUri;
use crate::record::KeyRecord;
use crate::store::{Slot, StoreError};
use crate::system::{KeyRequest, Persistence, SystemFault};
use crate::terms::Limit;
use crate::time::Cancel;

/// Whom to ask for a license where the stored key doesn't do.
#[derive(Debug, Clone, Copy)]
pub struct Online<'a> {
    /// Whose key it is.
    pub asset: &'a AssetId,
    /// Where its license comes from.
    pub license: &'a LicenseSource,
    /// By when the platform has to have its answer.
    pub deadline: Duration,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// With the stored key.
    Stored,
    /// With the stored key, which had expired and was renewed for it.
    Renewed,
    /// With a license that is not stored.
    Streamed,
    /// With an error, since the platform no longer took the stored key. It was renewed: the next request will do.
    AskAgain,
}

impl Engine {
    /// Answers a request with the stored key; without one that is valid, with an error, at once. No network.
    ///
    /// # Errors
    /// What the request was answered with: [`KeyErrorKind::Expired`], [`KeyErrorKind::NotStored`],
    /// [`KeyErrorKind::Released`], [`SystemFault`]s, the store's errors.
    pub fn answer(&self, request: Box<dyn KeyRequest>) -> Result<Answer, KeyError> {
        let key_uri = request.key_uri().clone();
        match self.0.valid_key(&*request) {
            Ok(record) => self.0.answer_stored(request, &key_uri, &record).map(|()| Answer::Stored),
            Err(error) => {
                let error = error.of(&key_uri);
                request.fail(&error);
                Err(error)
            }
        }
    }

    /// Answers a request with the stored key; one that has expired is renewed first, and where none can be stored or is
    /// stored, a license is asked for that is played and not kept. By the deadline, with an error if need be.
    ///
    /// The work is done on a thread of its own, and goes on there when something hangs that cannot be cancelled. While it is
    /// the platform itself that hangs, the request is answered as soon as that comes back.
    ///
    /// # Errors
    /// What the request was answered with.
    pub fn answer_online(
        &self,
        request: Box<dyn KeyRequest>,
        online: Online<'_>,
    ) -> Result<Answer, KeyError> {
        let key_uri = request.key_uri().clone();
        let (request, watch) = guard(request);
        let (sender, receiver) = mpsc::channel();
        let cancel = Cancel::new();
        let (shared, asset, license) = (Arc::clone(&self.0), online.asset.clone(), online.license.clone());
        let until = cancel.clone();
        let work = move || {
            let wanted = Wanted { asset: &asset, key_uri: &request.key_uri().clone(), license: &license };
            drop(sender.send(shared.answer_online(Box::new(request), wanted, &until)));
        };
        let started = thread::Builder::new().name("fairplay-answer".to_owned()).spawn(work);
        let kind = match started.map(|_| receiver.recv_timeout(online.deadline)) {
            Ok(Ok(answer)) => return answer,
            Ok(Err(RecvTimeoutError::Timeout)) => KeyErrorKind::Deadline,
            Ok(Err(RecvTimeoutError::Disconnected)) => KeyErrorKind::Panicked,
            Err(_) => SystemFault::Abandoned.into(),
        };
        let error = KeyError::new(kind).of(&key_uri);
        let ended = watch.end(&error);
        cancel.cancel();
        match ended {
            Ended::InTime => Err(error),
            Ended::TooLate => receiver.try_recv().unwrap_or(Err(error)),
        }
    }
}

impl Shared {
    fn answer_online(
        &self,
        request: Box<dyn KeyRequest>,
        wanted: Wanted<'_>,
        cancel: &Cancel,
    ) -> Result<Answer, KeyError> {
        let key_uri = wanted.key_uri;
        match self.valid_key(&*request) {
            Ok(record) => self.answer_or_renew(request, wanted, &record, cancel),
            Err(error) if matches!(error.kind(), KeyErrorKind::Expired { .. }) => {
                match self.renew(wanted, cancel).and_then(|_| self.valid_key(&*request)) {
                    Ok(record) => self.answer_stored(request, key_uri, &record).map(|()| Answer::Renewed),
                    Err(error) => Err(refuse(request, error.of(key_uri), cancel)),
                }
            }
            Err(error) if streams(&error) => self.stream(request, wanted, cancel).map(|()| Answer::Streamed),
            Err(error) => Err(refuse(request, error.of(key_uri), cancel)),
        }
    }

    /// The stored key, if it may answer this request.
    fn valid_key(&self, request: &dyn KeyRequest) -> Result<KeyRecord, KeyError> {
        if request.persistence() == Persistence::Impossible {
            return Err(SystemFault::PersistenceUnsupported.into());
        }
        let key_uri = request.key_uri();
        let Some((record, _)) = self.key(key_uri)? else {
            let released = self.parts.store.get(&Slot::Release(key_uri.clone()))?.is_some();
            return Err(if released { KeyErrorKind::Released } else { KeyErrorKind::NotStored }.into());
        };
        let info = expiration(&record, self.moment());
        match info.is_expired() {
            true => Err(KeyErrorKind::Expired { phase: info.phase, not_after: info.not_after }.into()),
            false => Ok(record),
        }
    }

    fn answer_stored(
        &self,
        request: Box<dyn KeyRequest>,
        key_uri: &KeyUri,
        record: &KeyRecord,
    ) -> Result<(), KeyError> {
        request.answer_stored(&record.key).map_err(|error| error.of(key_uri))?;
        self.note_playback(key_uri, record);
        Ok(())
    }

    /// A key that the platform doesn't take any more is renewed for the next request; this one has failed.
    fn answer_or_renew(
        &self,
        request: Box<dyn KeyRequest>,
        wanted: Wanted<'_>,
        record: &KeyRecord,
        cancel: &Cancel,
    ) -> Result<Answer, KeyError> {
        let error = match self.answer_stored(request, wanted.key_uri, record) {
            Ok(()) => return Ok(Answer::Stored),
            Err(error) => error,
        };
        let stale = matches!(
            error.kind(),
            KeyErrorKind::System(SystemFault::KeyExpired | SystemFault::KeyRetired | SystemFault::KeyInvalid)
        );
        if stale && self.renew(wanted, cancel).is_ok() { Ok(Answer::AskAgain) } else { Err(error) }
    }

    /// Sets the first playback, once, where it matters. The platform keeps its own reckoning, so a store that fails is no
    /// reason to stop playback.
    fn note_playback(&self, key_uri: &KeyUri, answered: &KeyRecord) {
        if answered.first_played.is_some() || answered.terms.playback == Limit::Unspecified {
            return;
        }
        let now = self.moment().at;
        let noted = self.change_key(key_uri, |stored| {
            Ok(match stored.filter(|record| record.first_played.is_none() && record.key == answered.key) {
                Some(record) => Change::Put(KeyRecord { first_played: Some(now), ..record.clone() }),
                None => Change::Keep,
            })
        });
        if let Err(error) = noted {
            self.not_stored(key_uri, error);
        }
    }
}

/// Whether a license that is not kept does where the stored key doesn't.
fn streams(error: &KeyError) -> bool {
    matches!(
        error.kind(),
        KeyErrorKind::NotStored
            | KeyErrorKind::Released
            | KeyErrorKind::Store(StoreError::Corrupt { .. } | StoreError::NoStore)
            | KeyErrorKind::System(SystemFault::PersistenceUnsupported)
    )
}
