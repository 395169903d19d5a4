//! When a failed request is worth another try: the one place that decides.

use std::time::{Duration, Instant};

use crate::resource::Role;

/// A policy may ask for more than an [`Instant`] can hold.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why an attempt failed, as far as retrying is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Timeout, reset, cut, 408, 425, 429 or 5xx: the same request may yet succeed.
    Transient,
    /// The server's answer will not change by asking again: another 4xx, a page instead of a segment.
    Refused,
    /// This device can't take it now: the disk is full or broken, or there is no permission.
    Device,
    /// 401, 403 or 410: the URL, or the token in it, has run out; a fresh one may help.
    Expired,
}

impl Failure {
    /// Sorts an HTTP status that is not the one asked for.
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            408 | 425 | 429 | 500..=599 => Self::Transient,
            401 | 403 | 410 => Self::Expired,
            _ => Self::Refused,
        }
    }
}

/// How often, and how far apart, one request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries without progress before giving up, the first one included.
    pub max_attempts: u32,
    /// The longest delay after the first failure; each further one doubles it.
    pub first_delay: Duration,
    /// No delay is longer than this.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, at most 250 ms after the first and never more than 15 s apart.
    fn default() -> Self {
        Self { max_attempts: 5, first_delay: Duration::from_millis(250), max_delay: Duration::from_secs(15) }
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after a random part of this: clients that failed together must not come back together.
    RetryWithin(Duration),
    /// Stop, and report.
    GiveUp,
}

impl RetryPolicy {
    /// The verdict after failed attempt number `attempt`, counted from 1 since the last progress.
    #[must_use]
    pub fn after(&self, attempt: u32, failure: Failure) -> Verdict {
        if failure != Failure::Transient || attempt >= self.max_attempts {
            return Verdict::GiveUp;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        Verdict::RetryWithin(self.first_delay.saturating_mul(doubled).min(self.max_delay))
    }
}

/// The policy of each kind of resource, and the limits that all of them have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicies {
    /// For playlists, which are loaded before anything is downloaded.
    pub playlist: RetryPolicy,
    /// For segments, single media files, and what belongs to the whole item: session data and sidecars.
    pub segment: RetryPolicy,
    /// For initialization sections (EXT-X-MAP): without one no segment of its rendition plays.
    pub map: RetryPolicy,
    /// For content keys.
    pub key: RetryPolicy,
    /// A server that asks for a longer wait (Retry-After) than this ends the trying: the item is interrupted.
    pub longest_retry_after: Duration,
    /// How long one request is tried without any progress, whatever attempts are left.
    pub patience: Duration,
}

impl Default for RetryPolicies {
    /// [`RetryPolicy::default`] for each kind; two minutes at the most on a server's word, ten in all.
    fn default() -> Self {
        RetryPolicy::default().into()
    }
}

impl From<RetryPolicy> for RetryPolicies {
    /// One policy for every kind, with the default's limits.
    fn from(policy: RetryPolicy) -> Self {
        Self {
            playlist: policy,
            segment: policy,
            map: policy,
            key: policy,
            longest_retry_after: Duration::from_secs(2 * 60),
            patience: Duration::from_secs(10 * 60),
        }
    }
}

impl RetryPolicies {
    /// The policy for what has this role.
    #[must_use]
    pub const fn of(&self, role: Role) -> &RetryPolicy {
        match role {
            Role::Segment | Role::File | Role::SessionData | Role::Subtitle | Role::Thumbnail => {
                &self.segment
            }
            Role::Map => &self.map,
            Role::Key => &self.key,
        }
    }
}

/// How one attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setback {
    pub(crate) failure: Failure,
    /// How long the server asked to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// Whether it left more usable bytes than were there before.
    pub(crate) progressed: bool,
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self { failure, retry_after: None, progressed: false }
    }
}

/// The failed attempts at one request since it last got further.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attempts {
    count: u32,
    since: Option<Instant>,
}

impl Attempts {
    /// Failed attempts since the last progress.
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// Counts a failed attempt that ended at `now`. Answers how long to wait before the next one:
    /// never less than the server asked for. `None`: there is no next one.
    pub(crate) fn failed(
        &mut self,
        setback: Setback,
        policy: &RetryPolicy,
        limits: &RetryPolicies,
        (now, jitter): (Instant, &mut Jitter),
    ) -> Option<Duration> {
        if setback.progressed {
            *self = Self::default();
        }
        self.count = self.count.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        let Verdict::RetryWithin(longest) = policy.after(self.count, setback.failure) else { return None };
        let asked = setback.retry_after.unwrap_or_default();
        let delay = asked.saturating_add(jitter.below(longest)).min(LONGEST_DELAY);
        let tried = now.saturating_duration_since(since);
        let is_within = asked <= limits.longest_retry_after && tried.saturating_add(asked) <= limits.patience;
        is_within.then_some(delay)
    }
}

/// A row of numbers without a pattern, from a seed: equal seeds give equal rows (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Any duration up to `longest`, each as likely as the others.
    fn below(&mut self, longest: Duration) -> Duration {
        let nanos = u64::try_from(longest.min(LONGEST_DELAY).as_nanos()).unwrap_or(u64::MAX);
        let part = u128::from(nanos).saturating_mul(u128::from(self.next())) >> 64;
        Duration::from_nanos(u64::try_from(part).unwrap_or(nanos))
    }
}

#[cfg(test)]
mod tests;
