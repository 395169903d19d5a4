//! `bench download` and `bench catalog`: release builds of `dtg` and of the program of `tests/` that measures it.

use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use super::super::root;

/// Builds both programs, and lets the bench of `tests/` run ours; the words go to it.
pub(super) fn run(words: &[&str]) -> Result<ExitCode> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let root = root()?;
    for package in [["dtg-cli", "dtg"], ["tests", "bench"]] {
        let [package, program] = package;
        let build = ["build", "--release", "--package", package, "--bin", program];
        let status = Command::new(&cargo).args(build).current_dir(&root).status()?;
        ensure!(status.success(), "cargo {}: {status}", build.join(" "));
    }
    let folder = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), Into::into);
    let release = root.join(folder).join("release");
    let dtg = release.join("dtg");
    let status = Command::new(release.join("bench")).args(words).arg(dtg).current_dir(&root).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
