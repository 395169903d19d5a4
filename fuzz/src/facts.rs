//! What a playlist says, apart from where in the text it says it.

use hls_parse::Playlist;
use serde_json::Value;

/// The playlist as JSON: each URI as `renamed` spells it, without positions.
pub fn facts(playlist: &Playlist<'_>, renamed: &dyn Fn(&str) -> String) -> Value {
    let mut facts = serde_json::to_value(playlist).expect("a playlist is plain data");
    strip(&mut facts, renamed);
    facts
}

fn strip(value: &mut Value, renamed: &dyn Fn(&str) -> String) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, renamed)),
        Value::Object(object) => {
            if is(object, ["start", "end"]) {
                object.clear();
                return;
            }
            // These two URIs are listed as client attributes again.
            if is(object, ["name", "value"]) && is_asset(&object["name"]) {
                object.clear();
                return;
            }
            if is(object, ["text", "span"]) {
                let new = renamed(object["text"].as_str().unwrap_or_default());
                object["text"] = new.into();
            }
            object.values_mut().for_each(|it| strip(it, renamed));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is(object: &serde_json::Map<String, Value>, keys: [&str; 2]) -> bool {
    object.len() == 2 && keys.iter().all(|key| object.contains_key(*key))
}

fn is_asset(name: &Value) -> bool {
    matches!(name.as_str(), Some("X-ASSET-URI" | "X-ASSET-LIST"))
}
