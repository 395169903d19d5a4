//! How byte ranges become requests.

use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;

fn need(offset: u64, length: u64, at: u64) -> Need {
    Need::new(0, Some(ByteRange { offset, length }), at).until(at + 4_000)
}

#[track_caller]
fn check(needs: Vec<Need>, expected: &[(u64, u64, u64)]) {
    let found: Vec<_> =
        requests(needs).iter().map(|it| (it.start, it.length.bytes(), it.at_millis)).collect();
    assert_eq!(found, expected);
}

#[test]
fn neighbours_are_merged() {
    check(vec![need(100, 50, 4_000), need(0, 100, 0), need(150, 10, 8_000)], &[(0, 160, 0)]);
}

#[test]
fn merged_ranges_span_at_most_20_seconds() {
    let needs = (0..7).map(|n| need(n * 10, 10, n * 4_000)).collect();
    check(needs, &[(0, 50, 0), (50, 20, 20_000)]);
}

#[test]
fn merged_ranges_have_at_most_8_mib() {
    let needs = (0..3).map(|n| need(n * 3 * MIB, 3 * MIB, n)).collect();
    check(needs, &[(0, 6 * MIB, 0), (6 * MIB, 3 * MIB, 2)]);
}

#[test]
fn a_range_without_bytes_still_has_a_file() {
    check(vec![need(9, 0, 4_000)], &[(0, 0, 4_000)]);
    check(vec![need(9, 0, 0), need(20, 5, 4_000)], &[(20, 5, 4_000)]);
    assert_eq!(requests(vec![need(9, 0, 0)])[0].extent, Extent::Whole);
}

#[test]
fn a_longer_range_is_split() {
    check(
        vec![need(5, 20 * MIB, 7)],
        &[(5, 8 * MIB, 7), (5 + 8 * MIB, 8 * MIB, 7), (5 + 16 * MIB, 4 * MIB, 7)],
    );
}

#[test]
fn holes_are_not_fetched() {
    check(vec![need(0, 10, 0), need(11, 10, 0)], &[(0, 10, 0), (11, 10, 0)]);
}

#[test]
fn neighbours_in_the_file_that_are_far_apart_in_time_are_not_merged() {
    check(vec![need(0, 10, 90_000), need(10, 10, 0)], &[(0, 10, 90_000), (10, 10, 0)]);
}

#[test]
fn bytes_that_overlap_come_once_and_when_they_are_first_needed() {
    check(vec![need(0, 100, 60_000), need(50, 100, 0)], &[(0, 50, 60_000), (50, 100, 0)]);
}

#[test]
fn a_file_that_is_wanted_whole_comes_whole() {
    let whole = Need::new(0, None, 9).about(77);
    let found = requests(vec![need(0, 100, 3), whole]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].extent, found[0].length, found[0].at_millis), (Extent::Whole, Length::About(77), 3));
}

proptest! {
    #[test]
    fn each_needed_byte_comes_exactly_once(
        ranges in prop::collection::vec((0_u64..60, 0_u64..20, 0_u64..100_000), 1..30),
    ) {
        let needs = ranges.iter().map(|(offset, length, at)| need(*offset, *length, *at)).collect();
        let mut times = [0_u32; 100];
        for fetch in requests(needs) {
            for byte in fetch.start..fetch.start + fetch.length.bytes() {
                times[usize::try_from(byte).unwrap()] += 1;
            }
        }
        for (byte, times) in times.into_iter().enumerate() {
            let byte = byte as u64;
            let needed = ranges.iter().any(|(offset, length, _)| (*offset..offset + length).contains(&byte));
            prop_assert_eq!(times, u32::from(needed), "byte {}", byte);
        }
    }

    #[test]
    fn the_order_of_the_playlist_does_not_matter(
        ranges in prop::collection::vec((0_u64..60, 1_u64..20, 0_u64..100_000), 1..20),
    ) {
        let forward: Vec<_> = ranges.iter().map(|(offset, length, at)| need(*offset, *length, *at)).collect();
        let backward = forward.iter().rev().copied().collect();
        prop_assert_eq!(requests(forward), requests(backward));
    }
}
