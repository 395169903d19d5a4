//! Variables that EXT-X-DEFINE defines and `{$name}` refers to (rfc8216bis 4.3, 4.4.2.3).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use memchr::memchr;
use serde::{Serialize, Serializer};

/// Names and values, in the order of their definition; none is defined twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    entries: Vec<(String, String)>,
    places: HashMap<String, usize>,
}

impl Variables {
    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.entries.get(*self.places.get(name)?)?;
        Some(value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether nothing is defined.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// `text` with each `{$name}` replaced by its value; one round, so a value is never looked into.
    ///
    /// It may be far longer than `text` and all values: a value counts as often as it is referred to, which only
    /// [`parse`](crate::parse) has a limit for.
    ///
    /// # Errors
    /// The name of the first variable that is not defined.
    pub fn substitute<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, UndefinedVariable> {
        self.substitute_some(text, usize::MAX)
    }

    /// The same, but it may stop once the result is longer than `enough`: a few bytes can stand for gigabytes.
    pub(crate) fn substitute_some<'t>(
        &self,
        text: &'t str,
        enough: usize,
    ) -> Result<Cow<'t, str>, UndefinedVariable> {
        let mut out = String::new();
        let mut rest = text;
        while out.len() <= enough
            && let Some((before, name, after)) = next_reference(rest)
        {
            let value = self.get(name).ok_or_else(|| UndefinedVariable { name: name.to_owned() })?;
            out.push_str(before);
            out.push_str(value);
            rest = after;
        }
        if rest.len() == text.len() {
            return Ok(Cow::Borrowed(text));
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }

    /// Defines a variable; false if the name is taken.
    #[must_use]
    pub(crate) fn define(&mut self, name: &str, value: String) -> bool {
        if self.places.contains_key(name) {
            return false;
        }
        self.places.insert(name.to_owned(), self.entries.len());
        self.entries.push((name.to_owned(), value));
        true
    }
}

/// As a map, in order.
impl Serialize for Variables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// A reference to a variable that is not defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndefinedVariable {
    /// Its name.
    pub name: String,
}

impl fmt::Display for UndefinedVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "variable `{}` is not defined", self.name)
    }
}

impl std::error::Error for UndefinedVariable {}

/// Letters, digits, `-` and `_` (rfc8216bis 4.3).
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What stands before the first `{$name}`, the name, and what follows.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + memchr(b'{', text.as_bytes().get(from..)?)?;
        let Some(inside) = text.get(open + 1..)?.strip_prefix('$') else {
            from = open + 1;
            continue;
        };
        let len =
            inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
        let name = inside.get(..len)?;
        match inside.get(len..)?.strip_prefix('}') {
            Some(after) if is_name(name) => return Some((text.get(..open)?, name, after)),
            Some(_) | None => from = open + 2,
        }
    }
}

#[cfg(test)]
mod tests;
