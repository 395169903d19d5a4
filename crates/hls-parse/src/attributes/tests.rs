//! Lists, in the notation `NAME=value` with the quotes kept.

use super::*;
use crate::line::lines;

fn shown(list: &str) -> Vec<String> {
    let text = format!("#EXT-X-T:{list}");
    let line = lines(text.as_bytes()).next().unwrap();
    attributes(&line)
        .map(|item| match item {
            Ok(it) => {
                assert_eq!(it.value_span.of(text.as_bytes()), it.value.text().as_bytes());
                match it.value {
                    AttributeValue::Quoted(value) => format!("{}=\"{value}\"", it.name),
                    AttributeValue::Unquoted(value) => format!("{}={value}", it.name),
                }
            }
            Err(error) => format!("! {}", String::from_utf8_lossy(error.span.of(text.as_bytes()))),
        })
        .collect()
}

#[track_caller]
fn check(list: &str, expected: &[&str]) {
    assert_eq!(shown(list), expected, "{list}");
}

#[test]
fn quoted_commas_do_not_split() {
    check("URI=\"a,b=c\",N=1", &["URI=\"a,b=c\"", "N=1"]);
}

#[test]
fn blanks_and_empty_places_are_passed_over() {
    check(" A = 1 , B = \"x\" ,,C=3,", &["A=1", "B=\"x\"", "C=3"]);
    check("", &[]);
    check(",", &[]);
}

#[test]
fn an_unclosed_quote_ends_the_list_with_an_error() {
    check("A=1,URI=\"x,B=2", &["A=1", "! URI=\"x,B=2"]);
}

#[test]
fn a_single_quote_inside_quotes_ends_the_list_with_an_error() {
    check("URI=\"skd://a b?c=1,d&e=\"\",B=2", &["! URI=\"skd://a b?c=1,d&e=\"\",B=2"]);
}

#[test]
fn text_behind_a_closing_quote_is_no_part_of_the_value() {
    check("A=\"x\"y,B=2", &["A=\"x\"", "! y", "B=2"]);
    check("A=\"x\" y z ,B=2", &["A=\"x\"", "! y z", "B=2"]);
    check("A=\"x\"B=\"y\"z,C=2", &["A=\"x\"", "! B=\"y\"z", "C=2"]);
    check("A=\"x\"y", &["A=\"x\"", "! y"]);
}

#[test]
fn quotes_inside_quotes_are_part_of_a_value_that_ends_in_one() {
    check("A=\"The \"first\" one\",B=2", &["A=\"The \"first\" one\"", "! first\" one\"", "B=2"]);
    check("A=\"x\"y\"z\" ,B=2", &["A=\"x\"y\"z\"", "! y\"z\"", "B=2"]);
    check("A=\"The \"first, or\" one\",B=2", &["A=\"The \"", "! first", "! or\" one\"", "B=2"]);
    check("A=\"\"x\"\"", &["A=\"\"x\"\"", "! x\"\""]);
}

#[test]
fn a_name_without_a_value_swallows_nothing() {
    check("A,B=2,C", &["! A", "B=2", "! C"]);
    check("=1,B=2", &["! =1", "B=2"]);
}

#[test]
fn a_value_may_be_empty_or_hold_equal_signs() {
    check("A=,B=\"\",C=a=b", &["A=", "B=\"\"", "C=a=b"]);
}

#[test]
fn spans_cover_name_value_and_quotes() {
    let text = b"#EXT-X-MAP: URI=\"i.mp4\" ,X=1";
    let line = lines(text).next().unwrap();
    let spans: Vec<&[u8]> = attributes(&line).flatten().map(|it| it.span.of(text)).collect();
    assert_eq!(spans, [&b"URI=\"i.mp4\""[..], b"X=1"]);
}

#[test]
fn lines_without_a_list_have_no_attributes() {
    for text in ["#EXTM3U", "seg.ts?A=1", "# A=1", ""] {
        assert_eq!(lines(text.as_bytes()).map(|line| attributes(&line).count()).sum::<usize>(), 0);
    }
}

#[test]
fn a_list_that_is_not_utf8_is_one_error() {
    let line = lines(b"#EXT-X-T:A=\xff,B=1").next().unwrap();
    let faults: Vec<AttributeFault> = attributes(&line).map(|item| item.unwrap_err().fault).collect();
    assert_eq!(faults, [AttributeFault::Encoding]);
}

#[test]
fn untidy_lists_are_known_as_such() {
    for (list, untidy) in
        [("A=1,B=\"2\"", false), ("A=1, B=2", true), ("A=1,", true), ("A =1", true), ("A=\"1\",", true)]
    {
        let text = format!("#EXT-X-T:{list}");
        let line = lines(text.as_bytes()).next().unwrap();
        let mut items = attributes(&line);
        assert!(items.by_ref().all(|item| item.is_ok()));
        assert_eq!(items.untidy(), untidy, "{list}");
    }
}

proptest::proptest! {
    #[test]
    fn spans_are_in_order_and_what_is_behind_a_quote_goes_with_its_attribute(list in "[A-C\",= x]{0,16}") {
        let text = format!("#EXT-X-T:{list}");
        let line = lines(text.as_bytes()).next().unwrap();
        let mut done = 0;
        for item in attributes(&line) {
            match item {
                Ok(it) => {
                    assert!(done <= it.span.start && it.value_span.end <= it.span.end, "{text}");
                    assert_eq!(it.value_span.of(text.as_bytes()), it.value.text().as_bytes());
                    assert!(it.value.text().matches('"').count() % 2 == 0 || !matches!(it.value, AttributeValue::Quoted(_)));
                    done = it.span.end;
                }
                Err(error) if error.fault == AttributeFault::AfterQuote => {
                    assert!(error.span.start < error.span.end && error.span.end == done, "{text}");
                }
                Err(error) => {
                    assert!(done <= error.span.start, "{text}");
                    done = error.span.end;
                }
            }
        }
        let mut edits = crate::Edits::new();
        edits.remove_attributes(&line, |name| name == "A");
        let left = edits.apply(text.as_bytes()).unwrap();
        let said = |line: &Line<'_>| -> Vec<_> {
            let item = |it: Result<Attribute<'_>, AttributeError>| match it {
                Ok(it) => (it.name.to_owned(), it.value.text().to_owned()),
                Err(error) => (String::new(), error.fault.to_string()),
            };
            attributes(line).map(item).collect()
        };
        let behind = AttributeFault::AfterQuote.to_string();
        let mut with_it = false;
        let mut expected = said(&line);
        expected.retain(|(name, fault)| {
            with_it = name == "A" || with_it && name.is_empty() && *fault == behind;
            !with_it
        });
        let after = lines(&left).next();
        assert_eq!(after.as_ref().map(said).unwrap_or_default(), expected, "{text}");
    }
}
