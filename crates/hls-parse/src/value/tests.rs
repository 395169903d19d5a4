//! Numbers, times and sizes.

use super::*;

#[track_caller]
fn check_decimal(text: &str, expected: Option<&str>) {
    let whole = |(value, used): (Decimal, usize)| (used == text.len()).then(|| value.to_string());
    assert_eq!(Decimal::prefix(text.as_bytes()).and_then(whole).as_deref(), expected, "{text}");
}

#[test]
fn decimals_are_exact() {
    check_decimal("29.97", Some("29.97"));
    check_decimal("-10.50", Some("-10.5"));
    check_decimal("0.000000001", Some("0.000000001"));
    check_decimal("18446744073709551615.999999999", Some("18446744073709551615.999999999"));
    check_decimal("-0", Some("0"));
    check_decimal(".5", Some("0.5"));
    check_decimal("5.", Some("5"));
}

#[test]
fn what_is_no_decimal_is_none() {
    for text in ["", "-", ".", "nan", "inf", "1e400", "18446744073709551616", "1,5", "--1"] {
        check_decimal(text, None);
    }
}

#[test]
fn decimals_compare_as_numbers_and_equal_whatever_their_zeros() {
    let decimal = |text: &str| Decimal::prefix(text.as_bytes()).unwrap().0;
    assert_eq!(decimal("25"), decimal("25.000"));
    assert!(decimal("-1") < decimal("0.5") && decimal("29.97") < decimal("30"));
    assert_eq!(decimal("29.97").as_f64(), 29.97);
    assert_eq!(decimal("29.97").billionths(), 29_970_000_000);
}

#[test]
fn durations_are_exact_to_the_nanosecond_and_cut_behind_it() {
    let read = |text: &str| duration_prefix(text.as_bytes());
    assert_eq!(read("5.005"), Some((Duration::from_millis(5005), 5)));
    assert_eq!(read("0.1234567899"), Some((Duration::from_nanos(123_456_789), 12)));
    assert_eq!(read("10,5"), Some((Duration::from_secs(10), 2)));
    assert_eq!(read("-1"), None);
}

#[test]
fn resolutions_are_two_whole_numbers() {
    let size = |width, height| Some(Resolution { width, height });
    assert_eq!(Resolution::parse("1920x1080"), size(1920, 1080));
    assert_eq!(Resolution::parse("2147483648X2147483648"), size(1 << 31, 1 << 31));
    for text in ["1920", "1920x", "x", "1920x1080x3", "1920.0x1080", "-1x2", "+1x2", ""] {
        assert_eq!(Resolution::parse(text), None, "{text}");
    }
}

#[test]
fn an_iv_is_at_most_128_bits_padded_on_the_left() {
    assert_eq!(hex_128("0x1"), Some(1_u128.to_be_bytes()));
    assert_eq!(hex_128("0X00ff"), Some(255_u128.to_be_bytes()));
    assert_eq!(hex_128(&format!("0x{}", "f".repeat(31))), Some((u128::MAX >> 4).to_be_bytes()));
    for text in ["0x", "1", "", "0xg", "0x+1", &format!("0x{}", "0".repeat(33))] {
        assert_eq!(hex_128(text), None, "{text}");
    }
}

#[test]
fn dates_are_read_with_and_without_an_offset() {
    let shown = |text: &str| DateTime::parse(text).map(|it| it.to_string());
    let same = |text: &str| assert_eq!(shown(text).as_deref(), Some(text));
    same("2010-02-19T14:54:23.031+08:00");
    same("2026-11-22T18:00:00Z");
    assert_eq!(shown("2010-02-19T14:54:23+0530").as_deref(), Some("2010-02-19T14:54:23+05:30"));
    assert_eq!(shown("2010-02-19T14:54:23").as_deref(), Some("2010-02-19T14:54:23Z"));
    assert_eq!(DateTime::parse("2010-02-19T14:54:23").and_then(DateTime::offset), None);
    let early = DateTime::parse("1969-12-31T23:59:59.25-01:00").unwrap();
    assert_eq!(
        (early.timestamp().as_millisecond(), early.offset().map(Offset::seconds)),
        (3_599_250, Some(-3600))
    );
    assert_eq!(early.to_string(), "1969-12-31T23:59:59.25-01:00");
    assert_eq!(DateTime::parse("1969-12-31T23:59:59.25Z").unwrap().to_string(), "1969-12-31T23:59:59.25Z");
    for text in ["", "2010-02-19", "14:54:23", "2010-13-19T14:54:23Z", "yesterday"] {
        assert_eq!(shown(text), None, "{text}");
    }
}

#[test]
fn numbers_are_written_as_text_so_that_nothing_is_lost() {
    let decimal = Decimal::prefix(b"29.97").unwrap().0;
    assert_eq!(serde_json::to_string(&decimal).unwrap(), "\"29.97\"");
    let date = DateTime::parse("2026-11-22T18:00:00+01:00").unwrap();
    assert_eq!(serde_json::to_string(&date).unwrap(), "\"2026-11-22T18:00:00+01:00\"");
}
