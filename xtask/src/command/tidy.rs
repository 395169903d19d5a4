//! `tidy`: the rules of the house that no compiler checks.

mod dependencies;
mod sources;
mod crates;

use std::fmt;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

/// A rule that is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// A path relative to the workspace, or a crate's name.
    place: String,
    /// Counted from 1; 0 where the whole is meant.
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.message),
            line => write!(f, "{}:{line}: {}", self.place, self.message),
        }
    }
}

/// Prints what is broken; fails if anything is.
pub(super) fn run(root: &Utf8Path) -> Result<()> {
    let mut findings = dependencies::check(&metadata(root)?)?;
    findings.extend(crates::check(root)?);
    let files = files_below(root)?;
    for path in &files {
        let name = path.strip_prefix(root)?.as_str();
        // What is not text (media) has no rules.
        let Ok(text) = fs::read_to_string(path) else { continue };
        findings.extend(sources::check(name, &text));
    }
    for finding in &findings {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "{} findings in {} files", findings.len(), files.len());
    println!("tidy: {} files, nothing to say", files.len());
    Ok(())
}

fn metadata(root: &Utf8Path) -> Result<String> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output()
        .context("can't start cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What nobody wrote: the ends of paths; `.git` is a file in a worktree.
const SKIPPED: [&str; 5] = [".git", "target", "fixtures/media", "fuzz/corpus", "apple-typecheck/patched"];

/// Every file of the repository that people write.
fn files_below(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
            continue;
        }
        if path.is_file() {
            files.push(path);
        } else {
            files.extend(files_below(&path)?);
        }
    }
    files.sort();
    Ok(files)
}
