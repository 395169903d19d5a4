//! The schemas in `docs/schema` are those of the documents.

use std::path::Path;

use schemars::{JsonSchema, Schema, schema_for};

use super::*;

/// Compares with the file; `UPDATE_SCHEMAS=1` writes it instead.
#[track_caller]
fn check<T: JsonSchema>(name: &str) {
    let mut schema: Schema = schema_for!(T);
    schema.insert("title".to_owned(), format!("dtg {name} --json, version 1").into());
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(format!("{name}.v1.json"));
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(file, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "{} is not the document's schema any more: a reader may break.\n{text}",
        file.display()
    );
}

#[test]
fn the_schemas_are_those_of_the_documents() {
    check::<ItemDocument<marker::Download>>("download");
    check::<ItemDocument<marker::Info>>("info");
    check::<ItemsDocument<marker::List>>("list");
    check::<ItemsDocument<marker::Resume>>("resume");
    check::<RemovedDocument>("remove");
    check::<ServeDocument>("serve");
    check::<InspectDocument<'_>>("inspect");
    check::<PlanDocument>("plan");
    check::<ItemDocument<marker::Keep>>("keep");
    check::<VerifyDocument>("verify");
    check::<RepairDocument>("repair");
    check::<StorageDocument>("storage");
    check::<QuotaDocument>("quota");
    check::<ErrorDocument<'_>>("error");
}
