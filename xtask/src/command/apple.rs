//! `apple-typecheck`: fairplay-apple's source against AVFoundation's names and types, on any platform.
//!
//! objc2 compiles elsewhere as it does for GNUstep, and objc2-av-foundation does once it no longer links the framework:
//! the published source is copied without that line. Names and types are real; nothing is linked, so nothing runs.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

const PACKAGE: &str = "objc2-av-foundation";
/// The file with the line, and the line.
const LINKING: (&str, &str) =
    ("src/generated/mod.rs", "#[link(name = \"AVFoundation\", kind = \"framework\")]\n");

/// Checks and lints.
pub(super) fn run(root: &Utf8Path) -> Result<()> {
    let workspace = root.join("tools/apple-typecheck");
    let patched = workspace.join("patched");
    copy(&published(root)?, &patched.join(PACKAGE), Utf8Path::new(""))?;
    let readme = fs::read_to_string(root.join("crates/fairplay-apple/README.md"))?;
    write(&patched.join("readme.rs"), example(&readme)?.as_bytes())?;
    for words in [&["check"][..], &["clippy"]] {
        let warnings: &[&str] = if words == ["clippy"] { &["--", "-D", "warnings"] } else { &[] };
        let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let status = Command::new(program)
            .args([words, &["--quiet", "--lib", "--examples"], warnings].concat())
            .current_dir(&workspace)
            .status()?;
        ensure!(status.success(), "cargo {} of fairplay-apple: {status}", words.concat());
    }
    println!("apple-typecheck: fairplay-apple has AVFoundation's names and types");
    Ok(())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: Utf8PathBuf,
}

/// The folder of the package as cargo downloaded it.
fn published(root: &Utf8Path) -> Result<Utf8PathBuf> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(program);
    let output =
        command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let Metadata { packages } = serde_json::from_slice(&output.stdout)?;
    let found = packages.into_iter().find(|package| package.name == PACKAGE);
    let manifest = found.context("the lock file has no objc2-av-foundation")?.manifest_path;
    manifest.parent().map(Utf8Path::to_owned).context("a manifest lies in a folder")
}

/// Copies what has changed, so that what has not is not built again; the line that links is left out.
fn copy(from: &Utf8Path, to: &Utf8Path, below: &Utf8Path) -> Result<()> {
    for entry in from.join(below).read_dir_utf8()? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(from, to, &name)?;
            continue;
        }
        let mut bytes = fs::read(entry.path())?;
        if name == LINKING.0 {
            bytes = without_linking(String::from_utf8(bytes)?)?.into_bytes();
        }
        write(&to.join(&name), &bytes)?;
    }
    Ok(())
}

fn without_linking(source: String) -> Result<String> {
    let lines = source.matches(LINKING.1).count();
    ensure!(lines == 1, "{PACKAGE}/{} links the framework {lines} times, not once", LINKING.0);
    Ok(source.replace(LINKING.1, ""))
}

fn write(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
    fs::write(path, bytes).with_context(|| format!("can't write {path}"))
}

/// The README's example as a program that compiles and does nothing.
fn example(readme: &str) -> Result<String> {
    let code = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    let code = code.context("the README of fairplay-apple has no example")?;
    let head = "//! The example of fairplay-apple's README.\n\n#![allow(dead_code, reason = \"it only has to compile\")]\n";
    Ok(format!("{head}\n{code}\nfn main() {{}}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_links_is_left_out_and_has_to_be_there_once() {
        let source = format!("// a\n{}extern \"C\" {{}}\n", LINKING.1);
        assert_eq!(without_linking(source.clone()).unwrap(), "// a\nextern \"C\" {}\n");
        assert!(without_linking("// a\n".to_owned()).is_err());
        assert!(without_linking(source.repeat(2)).is_err());
    }

    #[test]
    fn the_example_of_a_readme_is_its_first_rust_block() {
        let text = example("# a\n```rust\nfn a() {}\n```\n```rust\nfn b() {}\n```\n").unwrap();
        assert!(text.contains("\nfn a() {}\n") && !text.contains("fn b()"), "{text}");
        assert!(example("# a\n").is_err());
    }

    #[test]
    fn what_is_type_checked_has_the_lints_and_versions_of_the_crate() {
        let root = super::super::root().unwrap();
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
        let lints = |manifest: &str| {
            let from = manifest.find("[lints.rust]").unwrap();
            let lints = manifest[from..].split("\n[workspace]").next().unwrap();
            lints.trim().to_owned()
        };
        let (shipped, checked) =
            (read("crates/fairplay-apple/Cargo.toml"), read("tools/apple-typecheck/Cargo.toml"));
        assert_eq!(lints(&shipped), lints(&checked));
        let versions = |lock: &str| -> Vec<String> {
            let packages = lock.split("[[package]]").filter(|package| {
                ["block2", "dispatch2", "objc2", "objc2-av-foundation", "objc2-foundation"]
                    .iter()
                    .any(|name| package.contains(&format!("name = \"{name}\"\n")))
            });
            packages.map(|it| it.lines().skip(1).take(2).collect::<Vec<_>>().join(" ")).collect()
        };
        let locked = versions(&read("Cargo.lock"));
        assert_eq!(locked.len(), 5, "{locked:?}");
        assert_eq!(locked, versions(&read("tools/apple-typecheck/Cargo.lock")));
    }
}
