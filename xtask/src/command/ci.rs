//! `ci`: what must pass before a change goes in.

use std::process::Command;

use anyhow::{Result, ensure};

use super::root;

/// The environment and the words of each step, cheapest first.
const STEPS: [(&[(&str, &str)], &str); 6] = [
    (&[], "cargo fmt --all --check"),
    (&[], "cargo clippy --workspace --all-targets --all-features -- -D warnings"),
    (&[("RUSTDOCFLAGS", "-D warnings")], "cargo doc --workspace --no-deps --all-features"),
    (&[], "cargo xtask tidy"),
    (&[], "cargo xtask demo"),
    (&[], "cargo xtask test"),
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
