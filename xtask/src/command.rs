//! The commands, and the words that they are asked for with.

mod serve;
mod fixtures;
mod encode;
mod tidy;
mod fuzz;
mod ci;

use std::fmt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask COMMAND

  demo [--keep]        the main job, end to end, on the fixtures; --keep leaves the playback server up
  test [ARGUMENTS]     every test, doctests included; the arguments are cargo test's
  ci                   what CI runs: format, lints, documentation, tidy, demo, tests
  tidy                 the rules of the house that no compiler checks
  fuzz [TARGET] [--smoke] [--seconds N]
                       the targets of fuzz/: all for N seconds each (60, as with --smoke), or one, without a time until
                       it is stopped; needs cargo-fuzz
  serve DIR [--port N] [--fault RULES]
                       an origin over a folder, until Ctrl-C; RULES such as 'status=503,2 on=/seg-*.ts first=2',
                       separated by ';' (dtg-testkit documents them)
  fixtures --encode    makes the media under fixtures/media anew; needs ffmpeg
  fixtures --seed N --out DIR
  fixtures --preset NAME --out DIR
                       writes a tree with tree.json, its truth; NAME is tiny, fairplay, drm-mixed, huge, wide, vod-ts,
                       vod-fmp4, byterange, aes-rotation, multi-audio or audio-only";

/// The words were not understood.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Usage {
    fn unknown(word: &str) -> anyhow::Error {
        Self(format!("`{word}` is not understood here")).into()
    }
}

/// Does what the words say.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match words {
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        ["demo", rest @ ..] => cargo(&[&["run", "--package", "tests", "--bin", "demo", "--"], rest]),
        ["test", rest @ ..] => cargo(&[&["test", "--workspace", "--all-features"], rest]),
        ["ci"] => ci::run().map(done),
        ["tidy"] => tidy::run(&root()?).map(done),
        ["serve", rest @ ..] => serve::run(rest).map(done),
        ["fuzz", rest @ ..] => fuzz::run(rest, &root()?),
        ["fixtures", rest @ ..] => fixtures::run(rest, &root()?).map(done),
        [word, ..] => Err(Usage::unknown(word)),
    }
}

/// Runs the cargo that started this program, and passes its exit code on.
fn cargo(arguments: &[&[&str]]) -> Result<ExitCode> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(program).args(arguments.concat()).current_dir(root()?).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The workspace's folder.
fn root() -> Result<Utf8PathBuf> {
    let manifest = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Utf8Path::to_owned).context("xtask lies in the workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(words: &[&str], message: &str) {
        let error = run(words).unwrap_err();
        assert!(error.is::<Usage>(), "{error}");
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn words_that_mean_nothing_are_refused_before_anything_starts() {
        check_refused(&["dmeo"], "`dmeo` is not understood here");
        check_refused(&["tidy", "now"], "`tidy` is not understood here");
        check_refused(&["fixtures"], "fixtures takes --encode, or --seed N | --preset NAME and --out DIR");
        check_refused(&["fixtures", "--seed", "x", "--out", "."], "`x` is not a seed: a number from 0");
        check_refused(&["serve"], "serve takes a folder");
        check_refused(&["serve", ".", "--prot", "1"], "`--prot` is not understood here");
        check_refused(&["serve", ".", "--port", "x"], "`x` is not a port");
    }
}
