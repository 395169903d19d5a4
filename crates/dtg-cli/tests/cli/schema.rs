//! Real documents fit the published schemas.

use std::path::Path;

use serde_json::Value;

use crate::world::World;

/// Why `value` does not fit; knows what the published schemas use, and refuses the rest.
fn faults(schema: &Value, root: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, rule) in schema.as_object().unwrap() {
        let faults = match word.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                faults(&root["$defs"][name], root, value, at)
            }
            "anyOf" => any_of(rule.as_array().unwrap(), root, value, at),
            "type" => misfit(has_type(rule, value), at, "type"),
            "enum" => misfit(rule.as_array().unwrap().contains(value), at, "enum"),
            "minimum" => {
                misfit(value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()), at, "minimum")
            }
            "maximum" => {
                misfit(value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()), at, "maximum")
            }
            "required" => {
                let names = rule.as_array().unwrap().iter();
                misfit(names.clone().all(|name| value.get(name.as_str().unwrap()).is_some()), at, "required")
            }
            "properties" => properties(rule, root, value, at),
            "items" => value.as_array().map_or_else(Vec::new, |items| {
                items.iter().flat_map(|item| faults(rule, root, item, &format!("{at}[]"))).collect()
            }),
            "$schema" | "$defs" | "title" | "description" | "format" => Vec::new(),
            other => vec![format!("{at}: the schema has the word `{other}`")],
        };
        found.extend(faults);
    }
    found
}

fn misfit(fits: bool, at: &str, rule: &str) -> Vec<String> {
    if fits { Vec::new() } else { vec![format!("{at}: {rule}")] }
}

fn any_of(choices: &[Value], root: &Value, value: &Value, at: &str) -> Vec<String> {
    let all: Vec<Vec<String>> = choices.iter().map(|choice| faults(choice, root, value, at)).collect();
    if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    rule == name || rule.as_array().is_some_and(|names| names.iter().any(|it| it == name))
}

/// Also refuses a field that the schema does not know.
fn properties(known: &Value, root: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(fields) = value.as_object() else { return Vec::new() };
    let check = |(name, field): (&String, &Value)| match known.get(name) {
        Some(schema) => faults(schema, root, field, &format!("{at}.{name}")),
        None => vec![format!("{at}.{name}: not in the schema")],
    };
    fields.iter().flat_map(check).collect()
}

#[track_caller]
fn check(name: &str, document: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schema/{name}.v1.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(faults(&schema, &schema, &document, name), Vec::<String>::new());
}

#[test]
fn documents_about_items_fit_their_schemas() {
    let world = World::new();
    let json = |words: &[&str], code| world.run(&[words, &["--json"]].concat()).exits(code).stdout();
    check("download", &json(&["download", &world.show(), "--id", "show"], 0));
    check("download", &json(&["download", &world.origin.url("/gone.m3u8"), "--id", "gone"], 1));
    check("error", &json(&["download", &world.origin.url("/none.m3u8"), "--id", "none"], 1));
    check("list", &json(&["list"], 0));
    check("info", &json(&["info", "show"], 0));
    check("resume", &json(&["resume", "gone"], 1));
    check("remove", &json(&["remove", "gone"], 0));
    check("error", &json(&["remove", "gone"], 1));
}

#[test]
fn documents_about_storage_fit_their_schemas() {
    let world = World::new();
    world.download();
    let json = |words: &[&str], code| world.run(&[words, &["--json"]].concat()).exits(code).stdout();
    check("keep", &json(&["keep", "show", "--played", "--expires", "30d"], 0));
    check("storage", &json(&["storage"], 0));
    check("verify", &json(&["verify"], 0));
    let item: Value = serde_json::from_str(&json(&["info", "show"], 0)).unwrap();
    let master = Path::new(item["item"]["master"].as_str().unwrap());
    std::fs::write(master, "x").unwrap();
    std::fs::write(master.with_file_name("more"), "x").unwrap();
    check("verify", &json(&["verify", "show"], 1));
    check("repair", &json(&["repair", "show"], 0));
    check("quota", &json(&["quota", "1kB"], 0));
}

#[test]
fn documents_about_playlists_fit_their_schemas() {
    let world = World::new();
    let json = |words: &[&str], code| world.run(&[words, &["--json"]].concat()).exits(code).stdout();
    std::fs::write(world.folder.path().join("live.m3u8"), LIVE).unwrap();
    check("inspect", &json(&["inspect", "live.m3u8"], 0));
    check("inspect", &json(&["inspect", &world.show()], 0));
    check("inspect", &json(&["inspect", &world.origin.url("/page.m3u8")], 1));
    check("plan", &json(&["plan", &world.show()], 0));
    check("plan", &json(&["plan", &world.origin.url("/show/360p.m3u8")], 0));
}

const LIVE: &str = "#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=24
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-START:TIME-OFFSET=-6.25
#EXT-X-DEFINE:NAME=\"x\",VALUE=\"y\"
#EXT-X-SKIP:SKIPPED-SEGMENTS=3,RECENTLY-REMOVED-DATERANGES=\"a\tb\"
#EXT-X-DATERANGE:ID=\"ad\",CLASS=\"c\",START-DATE=\"2026-01-02T03:04:05Z\",DURATION=5.5,X-COM-TEST=\"v\",X-N=1.5
#EXT-X-BITRATE:900
#EXT-X-KEY:METHOD=AES-128,URI=\"{$x}.key\"
#EXTINF:4,
{$x}.ts
#EXT-X-PART:DURATION=0.5,URI=\"p.1.ts\",INDEPENDENT=YES,BYTERANGE=\"10@0\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.2.ts\"
#EXT-X-RENDITION-REPORT:URI=\"../b.m3u8\",LAST-MSN=7,LAST-PART=1
";
