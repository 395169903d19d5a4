//! The commands, and the words that they are asked for with.

mod serve;
mod fixtures;
mod encode;
mod tidy;
mod fuzz;
mod fairplay;
mod apple;
mod bench;
mod ci;

use std::fmt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask COMMAND

  demo [--keep]        the main job, end to end, on the fixtures; --keep leaves the playback server up
  crash [--kills N] [--seed S]
                       a downloading process is killed N times (200 without it) at random moments, and what it
                       leaves is checked each time
  test [ARGUMENTS]     every test, doctests included; the arguments are cargo test's
  ci                   what CI runs: format, lints, documentation, tidy, types of fairplay-apple, tests, demo
  tidy                 the rules of the house that no compiler checks
  apple-typecheck      fairplay-apple is checked and linted as Apple's platforms would, which links and runs nothing
  fuzz [TARGET] [--smoke] [--seconds N]
                       the targets of fuzz/: all for N seconds each (60, as with --smoke), or one, without a time until
                       it is stopped; needs cargo-fuzz
  fairplay inspect FILE [--key PEM] [--dask HEX] [--spc FILE] [--json]
                       every TLLV of an SPC or a CKC (bytes, base64, or a reply that has it); --key opens an SPC, --dask its session key
                       and R1; a CKC opens by the SPC that it answers, with both
  bench parse          hls-parse beside quick-m3u8 and m3u8-rs: time and memory, as Markdown tables
  bench download [--runs N] [--works big,small,mp4,fmp4] [--connections N] [--disk FOLDER]
                       dtg beside the least that ureq and rayon can do, from and to memory: a Markdown table; Linux only
  bench catalog [--sizes LIST] [--parts N] [--dir FOLDER]
                       roots of 1,000, 10,000 and 100,000 items of 500 planned parts each, an item of 1,000,000 segments,
                       the cost of progress, and a removal: Markdown tables; Linux only
  soak [--seconds N] [--seed S]
                       twenty downloads at once under faults and commands at random, for N seconds (20)
  serve DIR [--port N] [--tls] [--signed N|TIME] [--fault RULES]
                       an origin over a folder, or one for each host of a tree, until Ctrl-C; with --tls by a test CA, whose file it names; RULES
                       such as 'status=503,2 on=/seg-*.ts first=2', separated by ';' (dtg-testkit documents them); with
                       --signed URLs are good for N requests, or a TIME such as 30s, and then refused with 403:
                       /fresh/PATH answers with a fresh one
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
        ["demo", rest @ ..] => program("demo", rest),
        ["soak", rest @ ..] => program("soak", rest),
        ["test", rest @ ..] => cargo(&[&["test", "--workspace", "--all-features"], rest]),
        ["crash", rest @ ..] => program("crash", rest),
        ["ci"] => ci::run().map(done),
        ["tidy"] => tidy::run(&root()?).map(done),
        ["apple-typecheck"] => apple::run(&root()?).map(done),
        ["serve", rest @ ..] => serve::run(rest, &root()?),
        ["fuzz", rest @ ..] => fuzz::run(rest, &root()?),
        ["fairplay", rest @ ..] => fairplay::run(rest).map(done),
        ["bench", rest @ ..] => bench::run(rest),
        ["fixtures", rest @ ..] => fixtures::run(rest, &root()?).map(done),
        [word, ..] => Err(Usage::unknown(word)),
    }
}

/// Set where the tests were built: they come with the workspace's programs, which another build would make of other
/// features of nearly every package.
const BUILT: &str = "XTASK_PROGRAMS_ARE_BUILT";

/// Runs a program of `tests/`, and passes its exit code on.
fn program(name: &str, words: &[&str]) -> Result<ExitCode> {
    if std::env::var_os(BUILT).is_none() {
        return cargo(&[&["run", "--package", "tests", "--bin", name, "--"], words]);
    }
    let beside = std::env::current_exe()?.with_file_name(name);
    let status = Command::new(beside).args(words).current_dir(root()?).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
        check_refused(&["bench"], "bench takes what to measure: parse, download or catalog");
        check_refused(&["bench", "prase"], "`prase` is not understood here");
        check_refused(&["bench", "parse", "x"], "`x` is not understood here");
        check_refused(&["fairplay"], "fairplay takes inspect and a file");
        check_refused(&["fairplay", "inspect"], "fairplay takes inspect and a file");
        check_refused(&["serve"], "serve takes a folder");
        check_refused(&["serve", ".", "--prot", "1"], "`--prot` is not understood here");
        check_refused(&["serve", ".", "--port", "x"], "`x` is not a port");
    }
}
