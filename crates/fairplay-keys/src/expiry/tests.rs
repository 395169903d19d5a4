//! Dual expiry, clocks that jump, and the window of renewals.

use super::*;
use crate::record::KeyRecord;
use crate::secret::PersistableKey;
use crate::terms::LicenseTerms;

const MADE: Timestamp = Timestamp(1_800_000_000);

fn within(seconds: u64) -> Limit {
    Limit::Within(Duration::from_secs(seconds))
}

/// A key made at `MADE` with this storage and playback window.
fn record(storage: Limit, playback: Limit) -> KeyRecord {
    let terms = LicenseTerms { storage, playback, ..LicenseTerms::default() };
    KeyRecord { terms, ..KeyRecord::new(PersistableKey::new(*b"key"), MADE) }
}

fn at(record: &KeyRecord, after: i64) -> ExpirationInfo {
    expiration(record, Moment::of(Timestamp(MADE.0 + after), None))
}

#[test]
fn before_the_first_playback_the_storage_window_counts() {
    let record = record(within(1000), within(100));
    let info = at(&record, 400);
    assert_eq!((info.phase, info.remaining), (Phase::Storage, Some(Duration::from_secs(600))));
    assert!(at(&record, 1001).is_expired());
}

#[test]
fn after_the_first_playback_only_the_playback_window_counts() {
    let since = Timestamp(MADE.0 + 990);
    let played =
        KeyRecord { first_played: Some(since), stated: within(500), ..record(within(1000), within(100)) };
    let info = at(&played, 1050);
    assert_eq!((info.phase, info.not_after), (Phase::Playback { since }, Some(Timestamp(MADE.0 + 1090))));
    assert!(!info.is_expired() && at(&played, 1091).is_expired());

    let unlimited = KeyRecord { first_played: Some(since), ..record(within(1000), Limit::Unlimited) };
    assert_eq!(at(&unlimited, 5000).phase, Phase::NoLimit);
    let unspecified = KeyRecord {
        first_played: Some(since),
        stated: within(500),
        ..record(within(1000), Limit::Unspecified)
    };
    let info = at(&unspecified, 1001);
    assert_eq!((info.phase, info.not_after), (Phase::Unknown, None), "only the platform knows");
}

#[test]
fn a_key_is_valid_at_its_last_second_and_not_after() {
    let record = record(within(1000), Limit::Unspecified);
    assert!(!at(&record, 1000).is_expired());
    assert_eq!(at(&record, 1000).remaining, Some(Duration::ZERO));
    assert!(at(&record, 1001).is_expired());
}

#[test]
fn of_two_limits_the_earlier_counts_and_who_set_it_is_known() {
    let both = |storage, stated| KeyRecord { stated, ..record(storage, Limit::Unspecified) };
    let check = |record: KeyRecord, end: i64, source| {
        let info = at(&record, 0);
        assert_eq!((info.not_after, info.source), (Some(Timestamp(MADE.0 + end)), source));
    };
    check(both(within(1000), within(500)), 500, TermsSource::Server);
    check(both(within(500), within(1000)), 500, TermsSource::License);
    check(both(Limit::Unlimited, within(9)), 9, TermsSource::Server);
    let imported =
        KeyRecord { not_after: Some(Timestamp(MADE.0 + 7)), ..both(Limit::Unspecified, within(9)) };
    check(imported, 7, TermsSource::Imported);
}

#[test]
fn unlimited_and_unknown_are_told_apart() {
    assert_eq!(at(&record(Limit::Unlimited, Limit::Unspecified), 0).phase, Phase::NoLimit);
    assert_eq!(at(&record(Limit::Unspecified, Limit::Unspecified), 0).phase, Phase::Unknown);
    let stated = KeyRecord { stated: Limit::Unlimited, ..record(Limit::Unspecified, Limit::Unspecified) };
    assert_eq!(at(&stated, 0).phase, Phase::NoLimit);
}

#[test]
fn a_clock_set_back_is_noticed_and_gives_no_time() {
    let record = record(within(1000), Limit::Unspecified);
    let mark = Some(Timestamp(MADE.0 + 2000));
    let info = expiration(&record, Moment::of(Timestamp(MADE.0 - 31_536_000), mark));
    assert_eq!((info.confidence, info.as_of), (Confidence::RolledBack, Timestamp(MADE.0 + 2000)));
    assert!(info.is_expired());
    let corrected = expiration(&record, Moment::of(Timestamp(MADE.0 + 1800), mark));
    assert_eq!(corrected.confidence, Confidence::Good, "a small correction is none");
}

#[test]
fn a_clock_that_was_never_set_expires_nothing() {
    let record = record(within(1), Limit::Unspecified);
    for now in [Timestamp(0), Timestamp(-1), Timestamp(i64::MIN)] {
        let info = expiration(&record, Moment::of(now, None));
        assert_eq!((info.phase, info.confidence), (Phase::Unknown, Confidence::Unset));
        assert!(!info.is_expired());
    }
}

#[test]
fn no_term_overflows() {
    let endless = record(within(u64::MAX), within(u64::MAX));
    assert_eq!(at(&endless, 0).not_after, Some(Timestamp(i64::MAX)));
    assert!(!expiration(&endless, Moment::of(Timestamp(i64::MAX), None)).is_expired());
    assert!(due_at(&KeyUri::new("skd://a").unwrap(), &endless).is_some());
}

#[test]
fn renewal_is_due_a_tenth_of_the_term_or_a_day_ahead_but_within_its_second_half() {
    let check = |days: u64, earliest: f64, latest: f64| {
        let due =
            due_at(&KeyUri::new("skd://a").unwrap(), &record(within(days * 86_400), Limit::Unspecified));
        let days_after = (due.unwrap().0 - MADE.0) as f64 / 86_400.0;
        assert!((earliest..=latest).contains(&days_after), "{days} days: due after {days_after}");
    };
    check(30, 26.7, 27.0);
    check(5, 3.9, 4.0);
    check(1, 0.45, 0.5);
    assert_eq!(due_at(&KeyUri::new("skd://a").unwrap(), &record(Limit::Unlimited, Limit::Unlimited)), None);
}

#[test]
fn keys_of_the_same_age_are_not_all_due_at_once() {
    let record = record(within(30 * 86_400), Limit::Unspecified);
    let due: std::collections::BTreeSet<_> =
        (0..20).map(|key| due_at(&KeyUri::new(format!("skd://{key}")).unwrap(), &record)).collect();
    assert!(due.len() > 10);
}
