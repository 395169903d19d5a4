//! What is left of a stored key's time, by a clock that may lie.

use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use crate::key_uri::KeyUri;
use crate::record::KeyRecord;
use crate::terms::{Confidence, ExpirationInfo, KeyType, Limit, Phase, TermsSource};
use crate::time::Timestamp;

/// The time that is reckoned with, and how far it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) confidence: Confidence,
}

/// 2024-01-01: no clock that was set shows an earlier time.
const SOFTWARE_WRITTEN: Timestamp = Timestamp(1_704_067_200);
/// Clocks are corrected by as much in ordinary life.
const TOLERANCE: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(86_400);

impl Moment {
    /// Judges the clock by the latest time that it showed before.
    pub(crate) fn of(now: Timestamp, mark: Option<Timestamp>) -> Self {
        match mark {
            Some(mark) if now.plus(TOLERANCE) < mark => Self { at: mark, confidence: Confidence::RolledBack },
            _ if now < SOFTWARE_WRITTEN => Self { at: now, confidence: Confidence::Unset },
            _ => Self { at: now, confidence: Confidence::Good },
        }
    }
}

/// What is left of a key's time.
pub(crate) fn expiration(record: &KeyRecord, moment: Moment) -> ExpirationInfo {
    let (phase, not_after, source) = match moment.confidence {
        Confidence::Unset => (Phase::Unknown, None, TermsSource::Nobody),
        Confidence::Good | Confidence::RolledBack => window(record),
    };
    ExpirationInfo {
        phase,
        not_after,
        remaining: not_after.map(|end| end.since(moment.at)),
        as_of: moment.at,
        source,
        confidence: moment.confidence,
    }
}

/// After the first playback only the playback window counts. Where nobody says how long that is, only the platform knows: that
/// it replaced the key shows that the window has begun, and the time of storage is no longer what counts.
fn window(record: &KeyRecord) -> (Phase, Option<Timestamp>, TermsSource) {
    match (record.first_played, record.terms.playback) {
        (Some(since), Limit::Within(time)) => {
            return (Phase::Playback { since }, Some(since.plus(time)), TermsSource::License);
        }
        (Some(_), Limit::Unlimited) => return (Phase::NoLimit, None, TermsSource::License),
        (Some(_), Limit::Unspecified) => return (Phase::Unknown, None, TermsSource::Nobody),
        (None, _) => {}
    }
    let ends = [
        (record.terms.storage.from(record.created), TermsSource::License),
        (record.stated.from(record.created), TermsSource::Server),
        (record.not_after, TermsSource::Imported),
    ];
    let first = ends.into_iter().filter_map(|(end, source)| Some((end?, source))).min_by_key(|(end, _)| *end);
    let unlimited = record.terms.storage == Limit::Unlimited || record.terms.key_type == KeyType::Persist;
    match first {
        Some((end, source)) => (Phase::Storage, Some(end), source),
        None if unlimited => (Phase::NoLimit, None, TermsSource::License),
        None if record.stated == Limit::Unlimited => (Phase::NoLimit, None, TermsSource::Server),
        None => (Phase::Unknown, None, TermsSource::Nobody),
    }
}

/// From when on the key should be renewed: a tenth of its term or a day before its end, whichever is more, but no more than
/// half the term; and up to a tenth of that earlier, so that keys of the same age are not all renewed at once.
pub(crate) fn due_at(key_uri: &KeyUri, record: &KeyRecord) -> Option<Timestamp> {
    let (phase, not_after, _) = window(record);
    let end = not_after?;
    let start = if let Phase::Playback { since } = phase { since } else { record.created };
    let term = end.since(start);
    let ahead = (term / 10).max(DAY).min(term / 2);
    let spread = (ahead.as_secs() / 10).saturating_add(1);
    let ahead = ahead.saturating_add(Duration::from_secs(scatter(key_uri, record.created.0) % spread));
    Some(Timestamp(end.0.saturating_sub(i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX))))
}

/// A number that differs from key to key, the same each time.
pub(crate) fn scatter(key_uri: &KeyUri, salt: i64) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    (key_uri, salt).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
