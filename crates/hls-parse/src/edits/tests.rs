//! Edits, in the notation of the text they leave.

use super::*;
use crate::line::lines;

#[track_caller]
fn check(text: &str, edit: impl FnOnce(&mut Edits), expected: &str) {
    let mut edits = Edits::new();
    edit(&mut edits);
    assert_eq!(String::from_utf8(edits.apply(text.as_bytes()).unwrap()).unwrap(), expected);
}

#[test]
fn no_edits_change_nothing() {
    check("a\r\nb", |_| {}, "a\r\nb");
}

#[test]
fn edits_may_come_in_any_order() {
    check(
        "0123456789",
        |edits| {
            edits.replace(Span::new(7, 8), "seven");
            edits.insert_before(10, "!");
            edits.remove(Span::new(0, 2));
            edits.insert_before(4, "<");
        },
        "23<456seven89!",
    );
}

#[test]
fn insertions_at_one_place_keep_their_order_and_do_not_overlap_what_begins_or_ends_there() {
    check(
        "abc",
        |edits| {
            edits.replace(Span::new(1, 2), "B");
            edits.insert_before(1, "1");
            edits.insert_before(1, "2");
            edits.insert_before(2, "3");
        },
        "a12B3c",
    );
}

#[test]
fn overlapping_edits_are_refused() {
    for (first, second) in [((0, 3), (2, 4)), ((0, 3), (0, 3)), ((0, 3), (1, 1))] {
        let mut edits = Edits::new();
        edits.remove(Span::new(first.0, first.1));
        edits.remove(Span::new(second.0, second.1));
        let error = edits.apply(b"abcdef").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OverlappingEdits { .. }), "{first:?} {second:?}");
    }
}

#[test]
fn an_edit_outside_the_text_is_refused() {
    for span in [Span::new(2, 4), Span::new(9, 9), Span::new(2, 1)] {
        let mut edits = Edits::new();
        edits.remove(span);
        assert!(matches!(edits.apply(b"abc").unwrap_err().kind(), ErrorKind::EditOutsideText { .. }));
    }
}

/// Removes attributes by their names, one letter each.
#[track_caller]
fn check_removal(list: &str, names: &str, expected: &str) {
    let text = format!("#EXT-X-T:{list}\n");
    let line = lines(text.as_bytes()).next().unwrap();
    let unwanted = |name: &str| names.contains(name);
    check(
        &text,
        |edits| assert!(edits.remove_attributes(&line, unwanted) > 0),
        &format!("#EXT-X-T:{expected}\n"),
    );
}

#[test]
fn an_attribute_goes_with_exactly_one_comma() {
    check_removal("A=1,B=\"x,y\",C=3", "A", "B=\"x,y\",C=3");
    check_removal("A=1,B=\"x,y\",C=3", "B", "A=1,C=3");
    check_removal("A=1,B=\"x,y\",C=3", "C", "A=1,B=\"x,y\"");
    check_removal("A=1", "A", "");
}

#[test]
fn any_set_of_attributes_leaves_a_list() {
    check_removal("A=1,B=2,C=3,D=4", "BC", "A=1,D=4");
    check_removal("A=1,B=2,C=3,D=4", "AB", "C=3,D=4");
    check_removal("A=1,B=2,C=3,D=4", "CD", "A=1,B=2");
    check_removal("A=1,B=2,C=3,D=4", "AD", "B=2,C=3");
    check_removal("A=1,B=2,C=3,D=4", "AC", "B=2,D=4");
    check_removal("A=1,B=2", "AB", "");
    check_removal("A=1, B=2, A=3", "A", "B=2");
}

#[test]
fn an_attribute_that_is_not_there_is_not_removed() {
    let line = lines(b"#EXT-X-T:A=1").next().unwrap();
    let mut edits = Edits::new();
    assert!(!edits.remove_attribute(&line, "B"));
    assert!(edits.is_empty());
}

#[test]
fn a_line_goes_with_its_end() {
    let text = "a\r\nb\r\nc";
    let line = lines(text.as_bytes()).nth(1).unwrap();
    check(text, |edits| edits.remove_line(&line), "a\r\nc");
}

#[test]
fn what_stands_behind_a_quote_goes_with_its_attribute() {
    for (text, expected) in [
        ("#EXT-X-DATERANGE:ID=\"a\",URI=\"u\"X=1,Y=2", "#EXT-X-DATERANGE:ID=\"a\",Y=2"),
        ("#EXT-X-DATERANGE:URI=\"u\"X=1,Y=2", "#EXT-X-DATERANGE:Y=2"),
        ("#EXT-X-DATERANGE:ID=\"a\",URI=\"u\"X=\"1,2\"", "#EXT-X-DATERANGE:ID=\"a\""),
    ] {
        let line = lines(text.as_bytes()).next().unwrap();
        check(text, |edits| assert!(edits.remove_attribute(&line, "URI")), expected);
    }
}
