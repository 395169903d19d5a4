//! The bucket's rules, with made-up instants.

use proptest::prelude::*;

use super::*;

#[expect(clippy::disallowed_methods, reason = "any instant will do as time zero")]
fn zero() -> Instant {
    Instant::now()
}

const fn rate(bytes: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(bytes)
}

const MEGA: u64 = 1_000_000;
const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn without_a_rate_nobody_waits() {
    let (now, mut bucket) = (zero(), Bucket::new(None));
    let turn = bucket.take(u64::MAX, now);
    assert_eq!(bucket.wait(turn, now), Duration::ZERO);
}

#[test]
fn what_is_taken_beyond_the_burst_waits_for_its_time() {
    let (now, mut bucket) = (zero(), Bucket::new(rate(MEGA)));
    let first = bucket.take(MEGA / 4, now);
    assert_eq!(bucket.wait(first, now), Duration::ZERO, "the bucket begins full");
    let (second, third) = (bucket.take(MEGA / 2, now), bucket.take(MEGA / 2, now));
    assert_eq!(bucket.wait(second, now), millis(500));
    assert_eq!(bucket.wait(third, now), millis(1000));
    assert_eq!(bucket.wait(second, now + millis(500)), Duration::ZERO);
    assert_eq!(bucket.wait(third, now + millis(600)), millis(400));
}

#[test]
fn a_long_rest_saves_up_no_more_than_one_burst() {
    let (now, mut bucket) = (zero(), Bucket::new(rate(MEGA)));
    bucket.take(1, now);
    let later = now + Duration::from_secs(3600);
    let turn = bucket.take(MEGA, later);
    assert_eq!(bucket.wait(turn, later), millis(750));
}

#[test]
fn another_rate_holds_at_once_for_those_who_wait() {
    let (now, mut bucket) = (zero(), Bucket::new(rate(MEGA)));
    let turn = bucket.take(MEGA / 4 + MEGA, now);
    assert_eq!(bucket.wait(turn, now), millis(1000));
    bucket.set_rate(rate(2 * MEGA), now + millis(500));
    assert_eq!(bucket.wait(turn, now + millis(500)), millis(250));
    bucket.set_rate(None, now + millis(500));
    assert_eq!(bucket.wait(turn, now + millis(500)), Duration::ZERO);
    bucket.set_rate(rate(MEGA), now + millis(600));
    let turn = bucket.take(MEGA, now + millis(600));
    assert_eq!(bucket.wait(turn, now + millis(600)), millis(1000), "nothing was saved up without a limit");
}

proptest! {
    #[test]
    fn over_any_time_no_more_comes_than_the_rate_and_one_burst(
        rate in 1_000_u64..100_000_000,
        takes in prop::collection::vec((1_u64..300_000, 0_u64..50), 1..100),
    ) {
        let start = zero();
        let (mut now, mut bucket) = (start, Bucket::new(NonZeroU64::new(rate)));
        let mut got = 0;
        for (bytes, rest) in takes {
            let turn = bucket.take(bytes, now);
            loop {
                let wait = bucket.wait(turn, now);
                if wait.is_zero() {
                    break;
                }
                now += wait;
            }
            got += u128::from(bytes);
            let time = now.duration_since(start).as_nanos();
            let burst = (u128::from(rate) / 4).max(u128::from(LEAST_BURST));
            prop_assert!(got <= u128::from(rate) * time / BILLION + burst + 1, "{} bytes in {} ns", got, time);
            now += millis(rest);
        }
    }
}
