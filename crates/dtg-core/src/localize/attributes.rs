//! Looks into a line's attribute list, and changes it.

use hls_parse::{Attribute, AttributeValue, Edits, Line};

use crate::plan::DropReason;

/// What becomes of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It stays as it is written.
    Keep,
    /// It goes, with one of the commas beside it.
    Remove(DropReason),
    /// Its value is replaced, between its quotes where it has them or now needs them.
    Value(String),
}

/// Decides about each attribute of a line; answers those that go.
pub(super) fn change<'a>(
    edits: &mut Edits,
    line: &Line<'a>,
    mut decide: impl FnMut(&Attribute<'a>) -> Change,
) -> Vec<(&'a str, DropReason)> {
    let mut removed = Vec::new();
    for attribute in hls_parse::attributes(line).flatten() {
        match decide(&attribute) {
            Change::Keep => {}
            Change::Value(value) => {
                let bare = matches!(attribute.value, AttributeValue::Unquoted(_));
                let splits = bare && value.contains([',', ' ']);
                let value = if splits { format!("\"{value}\"") } else { value };
                edits.replace(attribute.value_span, value);
            }
            Change::Remove(reason) => removed.push((attribute.name, reason)),
        }
    }
    if !removed.is_empty() {
        edits.remove_attributes(line, |name| removed.iter().any(|(gone, _)| *gone == name));
    }
    removed
}

/// The attribute of that name; of several the last one, as the playlist was read.
pub(super) fn find<'a>(line: &Line<'a>, name: &str) -> Option<Attribute<'a>> {
    hls_parse::attributes(line).flatten().filter(|attribute| attribute.name == name).last()
}

/// Makes an attribute of that name say this, however often it occurs.
pub(super) fn becomes(name: &str, value: String) -> impl FnMut(&Attribute<'_>) -> Change {
    move |attribute| if attribute.name == name { Change::Value(value.clone()) } else { Change::Keep }
}

/// The value of the attribute of that name, without quotes.
pub(super) fn value<'a>(line: &Line<'a>, name: &str) -> Option<&'a str> {
    find(line, name).map(|attribute| attribute.value.text())
}
