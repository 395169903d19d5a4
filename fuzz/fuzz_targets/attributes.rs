//! Lines and attribute lists of any bytes: spans say where things are, and attributes can be taken out.
#![no_main]

use fuzz::check_growth;
use hls_parse::{Attribute, AttributeFault, AttributeValue, Edits, Line, LineKind, attributes, bom, lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    check_lines(text);
    for line in lines(text) {
        check_attributes(text, &line);
        check_removal(line.full.of(text));
    }
    if text.len() % 256 == 255 {
        check_growth(text, |large| {
            let all = lines(large).map(|line| attributes(&line).count());
            std::hint::black_box(all.sum::<usize>());
        });
    }
});

/// The lines are the text, without a hole and in order.
fn check_lines(text: &[u8]) {
    let mut done = bom(text).map_or(0, |bom| bom.end);
    for (line, number) in lines(text).zip(1..) {
        assert_eq!((line.number, line.full.start, line.span.start), (number, done, done));
        let end = &text[line.span.end as usize..line.full.end as usize];
        assert!(matches!(end, b"" | b"\n" | b"\r\n"), "{end:?}");
        assert!(line.span.start <= line.content.start && line.content.end <= line.span.end);
        assert!(!line.span.of(text).contains(&b'\n'));
        done = line.full.end;
    }
    assert_eq!(done as usize, text.len());
}

fn check_attributes(text: &[u8], line: &Line<'_>) {
    let LineKind::Tag { value, .. } = &line.kind else {
        assert_eq!(attributes(line).count(), 0);
        return;
    };
    let Some((value, place)) = value else { return };
    assert_eq!(*value, place.of(text));
    let mut done = place.start;
    for item in attributes(line) {
        let span = match &item {
            Ok(attribute) => attribute.span,
            // It is the end of the attribute that came before.
            Err(error) if error.fault == AttributeFault::AfterQuote => {
                assert!(error.span.start < error.span.end && error.span.end == done, "{item:?}");
                continue;
            }
            Err(error) => error.span,
        };
        assert!(done <= span.start && span.start <= span.end && span.end <= place.end, "{item:?}");
        done = span.end;
        if let Ok(attribute) = item {
            check_attribute(text, &attribute);
        }
    }
}

fn check_attribute(text: &[u8], it: &Attribute<'_>) {
    assert!(!it.name.is_empty() && !it.name.contains(['=', ',']), "{it:?}");
    assert!(it.span.of(text).starts_with(it.name.as_bytes()), "{it:?}");
    assert!(it.span.start < it.value_span.start && it.value_span.end <= it.span.end, "{it:?}");
    assert_eq!(it.value_span.of(text), it.value.text().as_bytes());
    let around =
        [text[it.value_span.start as usize - 1], text.get(it.value_span.end as usize).copied().unwrap_or(0)];
    match it.value {
        AttributeValue::Quoted(inside) => {
            assert_eq!(around, *b"\"\"", "{it:?}");
            assert!(inside.matches('"').count() % 2 == 0, "{it:?}");
        }
        AttributeValue::Unquoted(plain) => assert!(!plain.starts_with('"') && !plain.contains(','), "{it:?}"),
    }
}

/// What an attribute list says.
type Said<'a> = Vec<Result<(&'a str, AttributeValue<'a>), AttributeFault>>;

fn said<'a>(line: &Line<'a>) -> Said<'a> {
    let said = |item: Result<Attribute<'a>, _>| item.map(|it| (it.name, it.value));
    attributes(line).map(|item| said(item).map_err(|error: hls_parse::AttributeError| error.fault)).collect()
}

/// Whatever is taken out of a line, the others stay as they are.
fn check_removal(text: &[u8]) {
    let Some(line) = lines(text).next() else { return };
    // One that stands alone in the end is the line's end.
    if line.content.of(text).contains(&b'\r') {
        return;
    }
    let unwanted = |name: &str| name.len() % 2 == 1;
    let mut edits = Edits::new();
    let removed = edits.remove_attributes(&line, unwanted);
    let written = edits.apply(text).expect("no two removals overlap");
    let mut expected = said(&line);
    let is_gone = |item: &Result<(&str, _), _>| item.is_ok_and(|(name, _)| unwanted(name));
    assert_eq!(expected.iter().filter(|item| is_gone(item)).count(), removed);
    // What stands behind a quote goes with it.
    let mut with_it = false;
    expected.retain(|item| {
        with_it = is_gone(item) || with_it && *item == Err(AttributeFault::AfterQuote);
        !with_it
    });
    let after = lines(&written).next();
    assert_eq!(after.as_ref().map(said).unwrap_or_default(), expected);
}
