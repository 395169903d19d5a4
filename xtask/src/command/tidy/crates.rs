//! What each library crate has: a README, and its promises at the top.

use std::fs;

use anyhow::Result;
use camino::Utf8Path;

use super::Finding;

const SAFE: &str = "#![forbid(unsafe_code)]";
const DOCUMENTED: &str = "#![deny(missing_docs)]";

/// Calls foreign functions, each with its SAFETY comment: a lint of its own asks for that.
const FOREIGN: &str = "fairplay-apple";

/// Looks at every crate below `crates/` that is a library.
pub(super) fn check(root: &Utf8Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for entry in root.join("crates").read_dir_utf8()? {
        let entry = entry?;
        let Ok(library) = fs::read_to_string(entry.path().join("src/lib.rs")) else { continue };
        let readme = fs::read_to_string(entry.path().join("README.md")).ok();
        findings.extend(check_crate(entry.file_name(), &library, readme.as_deref()));
    }
    Ok(findings)
}

fn check_crate(name: &str, library: &str, readme: Option<&str>) -> Vec<Finding> {
    let promises = [Some(SAFE).filter(|_| name != FOREIGN), Some(DOCUMENTED)];
    let has = |promise: &str| library.lines().any(|line| line.starts_with(promise));
    let missing = promises.into_iter().flatten().filter(|promise| !has(promise));
    let mut messages: Vec<String> = missing.map(|promise| format!("src/lib.rs lacks `{promise}`")).collect();
    match readme {
        None => messages.push("has no README.md".to_owned()),
        Some(text) if !text.contains("```") => messages.push("README.md has no example".to_owned()),
        Some(_) => {}
    }
    let place = format!("crates/{name}");
    messages.into_iter().map(|message| Finding { place: place.clone(), line: 0, message }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_findings(library: &str, readme: Option<&str>, expected: &[&str]) {
        let findings = check_crate("a", library, readme);
        let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_library_crate_promises_and_has_a_readme_with_an_example() {
        let promises = [SAFE, DOCUMENTED].join("\n");
        check_findings(&promises, Some("# a\n```rust\n```"), &[]);
        check_findings(&promises, Some("# a"), &["README.md has no example"]);
        check_findings(&promises, None, &["has no README.md"]);
        let lacks = [SAFE, DOCUMENTED].map(|promise| format!("src/lib.rs lacks `{promise}`"));
        check_findings("//! A crate.", Some("```"), &[&lacks[0], &lacks[1]]);
    }
}
