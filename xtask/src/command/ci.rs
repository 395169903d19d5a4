//! `ci`: what must pass before a change goes in.

use std::process::Command;

use anyhow::{Result, ensure};

use super::{BUILT, root};

/// The environment and the words of each step: cheapest first, and programs behind the tests that they are built with.
const STEPS: [(&[(&str, &str)], &str); 11] = [
    (&[], "cargo fmt --all --check"),
    (&[], "cargo clippy --workspace --all-targets --all-features -- -D warnings"),
    (&[("RUSTDOCFLAGS", "-D warnings")], "cargo doc --workspace --no-deps --all-features"),
    (&[], "cargo xtask tidy"),
    (&[], "cargo xtask apple-typecheck"),
    (&[], "cargo xtask test"),
    (&[], "cargo run --quiet --package local-assets --example offline_sample"),
    (&[], "cargo run --quiet --package local-assets --example hls_catalog"),
    (&[(BUILT, "1")], "cargo xtask demo"),
    (&[(BUILT, "1")], "cargo xtask crash"),
    (&[(BUILT, "1")], "cargo xtask soak"),
];

/// Runs the steps until one fails.
pub(super) fn run() -> Result<()> {
    let root = root()?;
    for (environment, step) in STEPS {
        println!("$ {step}");
        let mut words = step.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        let status = command.args(words).envs(environment.iter().copied()).current_dir(&root).status()?;
        ensure!(status.success(), "`{step}`: {status}");
    }
    Ok(())
}
