//! One JSON object while it is read or written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::extras::Extras;

/// An object that is being read: what is understood is taken out.
pub(crate) struct Fields {
    /// Where it stands in the entry; empty for the entry itself.
    at: String,
    /// What has not been taken.
    pub(crate) rest: Map<String, Value>,
}

impl Fields {
    pub(crate) fn of(at: String, value: Value) -> Result<Self, Error> {
        let Value::Object(rest) = value else { return Err(Error::new(at, ErrorKind::Expected("an object"))) };
        Ok(Self { at, rest })
    }

    /// Takes a key's value, if `read` understands it.
    pub(crate) fn take<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let understood = read(self.rest.get(key)?)?;
        self.rest.shift_remove(key);
        Some(understood)
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key, |value| value.as_str().map(str::to_owned))
    }

    pub(crate) fn required_text(&mut self, key: &str) -> Result<String, Error> {
        let found = match self.rest.get(key) {
            None | Some(Value::Null) => ErrorKind::Missing,
            Some(_) => ErrorKind::Expected("text"),
        };
        self.text(key).ok_or_else(|| self.error(key, found))
    }

    /// `id`: text, or a whole number, which some backends send and PlayKit reads as text.
    pub(crate) fn id(&mut self) -> Option<String> {
        self.take("id", |value| {
            let whole = || value.as_number().filter(|number| !number.is_f64()).map(ToString::to_string);
            value.as_str().map(str::to_owned).or_else(whole)
        })
    }

    /// The text under the first spelling that is there. It is taken under the last one only: any other is left as
    /// the mark by which [`spelling`] finds the key to write to.
    pub(crate) fn text_as(&mut self, [mark, usual]: [&str; 2]) -> Option<String> {
        match self.rest.get(mark) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => self.text(usual),
        }
    }

    /// A list of objects; none where the key is absent, null or an empty list.
    pub(crate) fn objects(&mut self, key: &str) -> Result<Vec<Self>, Error> {
        match self.rest.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) if items.is_empty() => return Ok(Vec::new()),
            Some(Value::Array(_)) => {}
            Some(_) => return Err(self.error(key, ErrorKind::Expected("a list"))),
        }
        let items = self.take(key, |value| value.as_array().cloned()).unwrap_or_default();
        let place = |index: usize| format!("{}[{index}]", self.path(key));
        items.into_iter().enumerate().map(|(index, item)| Self::of(place(index), item)).collect()
    }

    /// The texts of an object, by key; its other values stay.
    pub(crate) fn texts(&mut self, key: &str) -> BTreeMap<String, String> {
        let Some(Value::Object(map)) = self.rest.get_mut(key) else { return BTreeMap::new() };
        let texts: BTreeMap<String, String> =
            map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
        map.retain(|_, value| !value.is_string());
        if map.is_empty() && !texts.is_empty() {
            self.rest.shift_remove(key);
        }
        texts
    }

    pub(crate) fn error(&self, key: &str, kind: ErrorKind) -> Error {
        Error::new(self.path(key), kind)
    }

    fn path(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }
}

/// The key that [`Fields::text_as`] found its text under.
pub(super) fn spelling<'a>(extras: &Extras, [mark, usual]: [&'a str; 2]) -> &'a str {
    if extras.get(mark).is_some_and(Value::is_string) { mark } else { usual }
}

/// An object of these values, then the extras that have no value among them.
pub(super) fn object<const N: usize>(extras: &Extras, known: [(&str, Option<Value>); N]) -> Value {
    let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let mut map: Map<String, Value> = known.collect();
    for (key, value) in extras.iter() {
        map.entry(key).or_insert_with(|| value.clone());
    }
    Value::Object(map)
}

/// The texts and, after them, what of `rest` has another key; `None` where there are no texts.
pub(super) fn texts(texts: &BTreeMap<String, String>, rest: Option<&Value>) -> Option<Value> {
    if texts.is_empty() {
        return None;
    }
    let mut map: Map<String, Value> =
        texts.iter().map(|(key, text)| (key.clone(), text.as_str().into())).collect();
    for (key, value) in rest.and_then(Value::as_object).into_iter().flatten() {
        map.entry(key.as_str()).or_insert_with(|| value.clone());
    }
    Some(Value::Object(map))
}
