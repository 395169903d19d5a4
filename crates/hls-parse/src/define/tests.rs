//! Substitution.

use super::*;

fn variables() -> Variables {
    let mut variables = Variables::default();
    for (name, value) in [("host", "cdn.test"), ("path", "../../.."), ("nested", "{$host}"), ("empty", "")] {
        assert!(variables.define(name, value.to_owned()));
    }
    variables
}

#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    let variables = variables();
    let read = variables.substitute(text);
    assert_eq!(read.as_deref().map_err(|undefined| undefined.name.as_str()), expected);
}

#[test]
fn references_are_replaced_by_values() {
    check("https://{$host}/{$path}/x", Ok("https://cdn.test/../../../x"));
    check("{$empty}", Ok(""));
    check("{$host}{$host}", Ok("cdn.testcdn.test"));
}

#[test]
fn a_value_is_never_looked_into() {
    check("{$nested}", Ok("{$host}"));
}

#[test]
fn what_is_no_reference_stays() {
    for text in ["", "plain", "{host}", "$host", "{$}", "{$host", "{$ho st}", "{$é}"] {
        check(text, Ok(text));
    }
    check("{$x{$host}", Ok("{$xcdn.test"));
}

#[test]
fn an_undefined_variable_is_named() {
    check("a{$host}{$nobody}", Err("nobody"));
}

#[test]
fn text_without_references_is_borrowed() {
    assert!(matches!(variables().substitute("plain"), Ok(Cow::Borrowed("plain"))));
}

#[test]
fn a_name_is_taken_once_and_order_is_kept() {
    let mut variables = variables();
    assert!(!variables.define("host", "other".to_owned()));
    assert_eq!(variables.get("host"), Some("cdn.test"));
    assert_eq!(
        variables.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["host", "path", "nested", "empty"]
    );
}
