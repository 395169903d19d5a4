//! An inspected container as text and as JSON.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use dtg_testkit::fairplay::{InspectedTllv, Inspection, Key, Keys, PrivateKey, from_hex, inspect};
use serde_json::{Value, json};

use super::{Form, Order};

/// What is to be printed, whole lines.
pub(super) fn text(order: &Order<'_>) -> Result<String> {
    let private_key = order.key.map(private_key).transpose()?;
    let dask = order.dask.map(dask).transpose()?;
    let keys = Keys { private_key, dask, spc: order.spc.map(container).transpose()? };
    let found = inspect(&container(order.file)?, &keys).with_context(|| order.file.to_owned())?;
    match order.form {
        Form::Text => Ok(lines(&found)?),
        Form::Json => Ok(format!("{:#}\n", as_json(&found))),
    }
}

fn private_key(path: &str) -> Result<PrivateKey> {
    let bytes = fs::read(path).with_context(|| format!("can't read {path}"))?;
    let key = match std::str::from_utf8(&bytes) {
        Ok(pem) => PrivateKey::from_pem(pem),
        Err(_) => PrivateKey::from_der(&bytes),
    };
    key.with_context(|| path.to_owned())
}

fn dask(digits: &str) -> Result<Key> {
    let bytes = from_hex(digits).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Key).ok_or_else(|| anyhow!("--dask takes 32 hexadecimal digits"))
}

fn container(path: &str) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("can't read {path}"))?;
    // A container's version begins with a zero.
    let is_binary = bytes.first().is_none_or(|first| *first == 0);
    let text = std::str::from_utf8(&bytes).ok().filter(|_| !is_binary);
    Ok(text.and_then(unwrapped).unwrap_or(bytes))
}

/// The bytes within a text, as requests and answers hold them: base64 or hexadecimal digits, between `<ckc>` and `</ckc>`,
/// in a form's `spc`, or anywhere in JSON.
fn unwrapped(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        return within(&serde_json::from_str(text).ok()?);
    }
    let tagged = text.split_once("<ckc>").and_then(|(_, rest)| rest.split_once("</ckc>"));
    let text = tagged.map_or(text, |(inner, _)| inner);
    let text = text.strip_prefix("spc=").and_then(|rest| rest.split('&').next()).unwrap_or(text);
    let text = text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let text = text.replace("%2b", "+").replace("%2f", "/").replace("%3d", "=");
    let digits: String = text.split_whitespace().collect::<String>().replace('-', "+").replace('_', "/");
    from_hex(&digits).or_else(|| STANDARD_NO_PAD.decode(digits.trim_end_matches('=')).ok())
}

/// The first text in JSON that is a container.
fn within(json: &Value) -> Option<Vec<u8>> {
    match json {
        Value::String(text) => unwrapped(text).filter(|bytes| bytes.first() == Some(&0)),
        Value::Array(items) => items.iter().find_map(within),
        Value::Object(members) => members.values().find_map(within),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn lines(found: &Inspection) -> Result<String, std::fmt::Error> {
    let mut text = format!("{}\n", found.kind);
    for (name, value) in &found.fields {
        writeln!(text, "  {name}: {value}")?;
    }
    for InspectedTllv { at, tag, name, block, length, value, fields } in &found.tllvs {
        writeln!(text, "{tag:016x} {name}: at {at}, {length} bytes in a block of {block}")?;
        writeln!(text, "  {value}")?;
        for (name, value) in fields {
            writeln!(text, "  {name}: {value}")?;
        }
    }
    found.remarks.iter().try_for_each(|remark| writeln!(text, "note: {remark}"))?;
    Ok(text)
}

fn as_json(found: &Inspection) -> Value {
    let named = |fields: &[(&str, String)]| {
        fields.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>()
    };
    let tllvs: Vec<Value> = found
        .tllvs
        .iter()
        .map(|tllv| {
            json!({
                "at": tllv.at,
                "tag": format!("{:016x}", tllv.tag),
                "name": tllv.name,
                "block": tllv.block,
                "length": tllv.length,
                "value": tllv.value,
                "fields": named(&tllv.fields),
            })
        })
        .collect();
    json!({ "kind": found.kind, "fields": named(&found.fields), "tllvs": tllvs, "remarks": found.remarks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_found_in_whatever_holds_it() {
        let container = vec![0, 0, 0, 1, 0xfb, 0xef, 0xff];
        for text in [
            "AAAAAfvv/w==",
            "\u{feff} AAAA\r\nAfvv/w==\n",
            "AAAAAfvv_w",
            "00000001fbefff",
            "\n<ckc>AAAAAfvv/w==</ckc>\n",
            "spc=AAAAAfvv%2Fw%3D%3D&assetId=x",
            r#"{"ckc":"AAAAAfvv/w==","persistence_duration":9}"#,
            r#"{"a":[{"id":"ffff"}],"b":{"ckcResponse":"AAAAAfvv/w=="}}"#,
        ] {
            assert_eq!(unwrapped(text), Some(container.clone()), "{text}");
        }
        for text in ["<html>", "{", r#"{"ckc":""}"#, "spc=!"] {
            assert_eq!(unwrapped(text), None, "{text}");
        }
    }
}
